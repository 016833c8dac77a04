"""A live desk on anvil for the keeper's command line: deposited, a book open, delta far outside the band."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from eth_account import Account
from typer.testing import CliRunner, Result

from keeper.cli import app
from keeper.simulation.implied_vol import ImpliedVolModel
from scripts.nodes import MNEMONIC, NodeSettings, start_node
from scripts.replay.chain import ReplayChain
from scripts.replay.depositors import Depositors
from scripts.replay.operators import Operators
from scripts.replay.scenario import Wish
from scripts.replay.takers import Takers
from scripts.replay.world import ACCOUNTS, NODE_BALANCE_ETH, World, build_world

START_S = 1_583_712_000  # 2020-03-09 00:00 UTC
EXPIRY_S = 1_583_740_800 + 4 * 86_400  # Friday 08:00 UTC
SPOT_USD = 200.0
GWEI = 10**9
CALLS = (Wish("buyer", True, 1.0, 30.0),)
CONFIG = """\
[chain]
rpc_url = "{url}"
chain_id = {chain_id}
deployment = "{record}"
[keeper]
keystore = "{keystore}"
[execution]
receipt_timeout_s = {timeout}
finality_blocks = 3
"""


def node_key(index: int) -> str:
    """Private key of one of the node's accounts."""
    Account.enable_unaudited_hdwallet_features()
    key = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}").key
    return "0x" + bytes(key).hex()


@dataclass
class LiveDesk:
    """`run` is `gammadesk` with the desk's configuration; the chain is its clock."""

    world: World
    operators: Operators
    takers: Takers

    @property
    def chain(self) -> ReplayChain:
        return self.world.chain

    def configure(self, keystore: str, more: str = "", timeout_s: float = 5.0) -> Path:
        """The configuration file of a key, with more sections."""
        config = self.world.folder / "gammadesk.toml"
        config.write_text(
            CONFIG.format(
                url=self.chain.url,
                chain_id=self.world.deployment.chain_id,
                record=self.world.record_path.name,
                timeout=timeout_s,
                keystore=keystore,
            )
            + more
        )
        return config

    def run(
        self, *words: str, timeout_s: float = 5.0, keystore: str = "keeper.json", more: str = ""
    ) -> Result:
        config = self.configure(keystore, more, timeout_s)
        env = {"GAMMADESK_PASSWORD": self.world.password}
        return CliRunner().invoke(app, [*words, "-c", str(config)], env=env)

    def tick(self, *words: str, timeout_s: float = 5.0) -> Result:
        return self.run("once", "--live", "--block-time", *words, timeout_s=timeout_s)

    def delta_eth(self) -> float:
        value, _ = self.chain.read(self.world.contracts.hedger, "netDelta", self.world.underlying)
        return float(value) / 1e18

    def keeper_transactions(self) -> list[dict[str, Any]]:
        """What the keeper's key has had mined, in order."""
        web3 = self.chain.web3
        keeper = str(self.chain.read(self.world.contracts.hedger, "keeper")).lower()
        blocks = (web3.eth.get_block(n, True) for n in range(web3.eth.block_number + 1))
        found = (dict(tx) for block in blocks for tx in block["transactions"])
        return [tx for tx in found if tx["from"].lower() == keeper]

    def pass_s(self, seconds: int) -> None:
        """Time goes by and a block is mined."""
        self.chain.pass_until(self.chain.now_s() + seconds)


@contextmanager
def undone(desk: LiveDesk) -> Iterator[None]:
    """Whatever happens inside, the chain is as before and the journal empty."""
    before = desk.chain.rpc("evm_snapshot")
    yield
    desk.chain.rpc("evm_revert", before)
    for file in desk.world.folder.glob("gammadesk.sqlite*"):
        file.unlink()
    structlog.reset_defaults()


@contextmanager
def live_desk(folder: Path, **market: Any) -> Iterator[LiveDesk]:
    """Deployed, funded and short 30 calls: net delta about -16 ETH against a band of 2. `market` as build_world."""
    settings = NodeSettings(timestamp_s=START_S, accounts=ACCOUNTS, balance_eth=NODE_BALANCE_ETH)
    with start_node(settings) as node:
        chain = ReplayChain(node)
        world = build_world(chain, SPOT_USD, folder / "run", lambda _: None, **market)
        desk = LiveDesk(world, Operators(world, ImpliedVolModel()), Takers(world))
        depositors = Depositors(world, [400_000 * 10**6])
        depositors.fund()
        desk.takers.fund(SPOT_USD)
        depositors.request(0)
        world.chain.set_base_fee(20 * GWEI)
        epoch_end = world.chain.read(world.contracts.vault, "epochEndsAt")
        world.chain.next_block_at(epoch_end)
        world.push_round(SPOT_USD)
        desk.operators.commit(EXPIRY_S, 0.8, world.chain.now_s() + 1)
        assert depositors.process_if_due() > 0
        desk.operators.list_set(EXPIRY_S, SPOT_USD, (0.9, 1.0, 1.1))
        # Nothing opens before the first slice has been public for its full age.
        desk.pass_s(world.parameters.surface.reference_age_s)
        world.push_round(SPOT_USD)
        desk.takers.fulfil(CALLS, EXPIRY_S, SPOT_USD, desk.operators.strikes)
        yield desk
