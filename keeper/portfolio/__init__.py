"""The vault's book: its Greeks off-chain, and where its profit and loss came from."""
