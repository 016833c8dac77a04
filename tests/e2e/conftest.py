"""Chains for the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from web3 import Web3
from web3.types import RPCEndpoint

from scripts.deployment.development import (
    Market,
    Surroundings,
    age_pool,
    deploy_guardian,
    deploy_surroundings,
)
from scripts.deployment.engine import StepRunner
from scripts.deployment.networks import FOLDER
from scripts.deployment.record import open_record
from scripts.deployment.rpc import Rpc
from scripts.deployment.senders import LocalSender, UnlockedSender
from scripts.nodes import Node, NodeSettings, start_node
from tests.e2e.deploying import connect, silent

PUBLIC_CHAIN_ID = 424242
DEPLOYER_KEY = "0x" + "6d" * 32  # not one of those that the node holds
NETWORK = """\
chain_id = {chain_id}

[external]
{external}

[roles]
guardian = "{guardian}"
keeper = "{accounts[1]}"
committer = "{accounts[2]}"
lister = "{accounts[3]}"
quoter = "{accounts[3]}"

[expected]
feed_decimals = 8

[sending]
confirmations = 1
timeout_s = 30
"""


@pytest.fixture
def fresh_anvil() -> Iterator[Node]:
    with start_node(NodeSettings()) as node:
        yield node


@dataclass(frozen=True)
class PublicNetwork:
    """A chain with other people's contracts on it, which is no development chain, and its network file."""

    url: str
    there: Surroundings
    guardian: str
    folder: Path
    sender: LocalSender

    @property
    def web3(self) -> Web3:
        return connect(self.url)

    def write(
        self,
        chain_id: int = PUBLIC_CHAIN_ID,
        guardian: str | None = None,
        more_uniswap_pools: tuple[str, ...] = (),
        **changed: str,
    ) -> None:
        """Network file `public.toml`, some external addresses changed."""
        addresses = self.there.external.addresses() | changed
        external = "\n".join(f'{name} = "{address}"' for name, address in addresses.items())
        external += f"\nmore_uniswap_pools = {list(more_uniswap_pools)}"
        text = NETWORK.format(
            chain_id=chain_id,
            external=external,
            accounts=self.web3.eth.accounts,
            guardian=guardian or self.guardian,
        )
        (self.folder / "public.toml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def public_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicNetwork]:
    folder = tmp_path_factory.mktemp("surroundings")
    with start_node(NodeSettings(chain_id=PUBLIC_CHAIN_ID)) as node:
        rpc = Rpc(connect(node.url))
        builder = UnlockedSender(rpc, rpc("eth_accounts")[9])
        with open_record(folder, rpc, "public", False, builder.address) as records:
            run = StepRunner(rpc, builder, records, say=silent)
            there = deploy_surroundings(run, Market())
            guardian = deploy_guardian(run, rpc("eth_accounts")[6:9])
        age_pool(rpc, there.external.uniswap_pool, 600)
        sender = LocalSender(DEPLOYER_KEY)
        rpc("anvil_setBalance", sender.address, hex(100 * 10**18))
        yield PublicNetwork(node.url, there, guardian, folder, sender)


@pytest.fixture
def public(public_chain: PublicNetwork, tmp_path: Path) -> Iterator[PublicNetwork]:
    """The public network as it was built; what a test does to it is undone."""
    web3 = public_chain.web3
    before = web3.provider.make_request(RPCEndpoint("evm_snapshot"), [])["result"]
    folder = tmp_path / "networks"
    folder.mkdir()
    parameters = (FOLDER / "parameters.toml").read_bytes()
    (folder / "parameters.toml").write_bytes(parameters)
    network = replace(public_chain, folder=folder)
    network.write()
    yield network
    web3.provider.make_request(RPCEndpoint("evm_revert"), [before])
