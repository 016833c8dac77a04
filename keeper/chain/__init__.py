"""Everything that knows of web3: node, deployment record, contract codecs, keystore, block-pinned reader."""
