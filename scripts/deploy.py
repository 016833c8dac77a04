"""`brownie run deploy --network <name>`: the desk on a development chain or a configured network.

A development chain (anvil, Ganache) gets everything, the protocols the desk stands on included,
from the node's first account. Any other network needs scripts/networks/<name>.toml and, in the
environment variable GAMMADESK_DEPLOYER, the name of a brownie keystore account. Run again after a
failure: finished steps are not repeated. docs/deployment.md says more.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from keeper.errors import ConfigError, GammadeskError, KeystoreError
from scripts.deployment.networks import DEVELOPMENT_CHAIN_IDS, FOLDER
from scripts.deployment.record import DeploymentRecord
from scripts.deployment.rpc import Rpc
from scripts.deployment.run import DEPLOYMENTS, Options, deploy_configured, deploy_development
from scripts.deployment.senders import LocalSender

DEPLOYER = "GAMMADESK_DEPLOYER"


def main(folder: str | Path = DEPLOYMENTS, networks: str | Path = FOLDER) -> None:
    """What brownie runs: where the record goes, where network files and parameters are.

    Ends the process with the exit code of keeper.errors where it cannot deploy.
    """
    from brownie import network, web3

    options = Options(folder=Path(folder), networks=Path(networks))
    try:
        record = _deploy(network.show_active(), web3, options)
    except GammadeskError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    print(f"{len(record.contracts)} contracts in {options.folder / f'{record.chain_id}.json'}")
    for note in record.notes:
        print(f"note: {note}")


def _deploy(name: str | None, web3: Any, options: Options) -> DeploymentRecord:
    if name is None:
        raise ConfigError("brownie is not connected: pass --network <name>")
    if Rpc(web3).number("eth_chainId") in DEVELOPMENT_CHAIN_IDS:
        return deploy_development(web3, options=options)
    return deploy_configured(web3, name, _keystore_account, options)


def _keystore_account() -> LocalSender:
    """The deployer's account out of brownie's keystore; asks for its password."""
    from brownie import accounts

    name = os.environ.get(DEPLOYER)
    if not name:
        raise ConfigError(
            f"set {DEPLOYER} to a keystore account; `brownie accounts list` shows them"
        )
    try:
        account = accounts.load(name)
    except FileNotFoundError:
        raise KeystoreError(
            f"keystore account {name} does not exist: `brownie accounts new {name}` makes it"
        ) from None
    except ValueError as error:
        raise KeystoreError(f"keystore account {name} does not open: {error}") from None
    key = getattr(account, "private_key", None)
    if key is None:  # brownie prefers a node's own account of the same address
        raise ConfigError(f"the node itself holds {account.address}: deploy from another account")
    return LocalSender(key)
