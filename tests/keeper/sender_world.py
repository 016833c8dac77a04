"""A keeper's sending half around the fake node: a journal on disk, a signer, a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eth_account import Account

from keeper.chain.client import NodeClient
from keeper.chain.keystore import Signer
from keeper.execution.database import open_database
from keeper.execution.fees import FeeRules
from keeper.execution.journal import Journal
from keeper.execution.records import Job
from keeper.execution.recovery import Recovery
from keeper.execution.sender import JournaledSender, SendRules
from keeper.units import GWEI
from tests.keeper.fake_node import CHAIN_ID, FakeNode

KEY = "0x" + "11" * 32
TARGET = "0x" + "aa" * 20
RULES = SendRules(
    chain_id=CHAIN_ID,
    fees=FeeRules(GWEI, 20 * GWEI, 500 * GWEI, 1000 * GWEI),
    gas_margin=1.3,
    max_gas=3_000_000,
    receipt_timeout_s=2.0,
    replace_after_s=45,
    finality_blocks=3,
)


@dataclass
class Clock:
    at: int = 1_584_014_400

    def now(self) -> int:
        return self.at


class World:
    """`start` is a new process on the same journal and the same chain."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        self.url = f"sqlite:///{folder / 'journal.sqlite'}"
        self.node, self.clock = FakeNode(), Clock()
        self.rules = replace(RULES, **rules)
        self.slept: list[float] = []
        self.on_sleep = lambda: None
        self.start()

    def start(self, key: str = KEY) -> None:
        client = NodeClient(self.node, "fake node", attempts=1)
        self.journal = Journal(open_database(self.url), f"{CHAIN_ID}:0x00", self.clock.now)
        signer = Signer(Account.from_key(key))
        self.sender = JournaledSender(
            client, signer, self.journal, self.rules, self.clock.now, self._sleep
        )
        self.recovery = Recovery(self.sender)

    def job(self, number: int = 1, key: str = "hedge", data: bytes = b"\x01\x02") -> Job:
        return Job(
            work_id="0x" + f"{number:064x}",
            key=key,
            what="HedgeManager.rebalance",
            to=TARGET,
            data=data,
            block_number=self.node.head.number,
            deadline_s=self.clock.at + 180,
            snapshot_hash="0x" + "00" * 32,
            plan="{}",
            orders="[]",
        )

    def only_intent(self) -> Any:
        (intent,) = self.journal.open_intents()
        return intent

    def mined_calls(self) -> int:
        """How often the job's call was mined: more than once is a double send."""
        return sum(bool(tx.fields["data"]) for tx in self.node.mined())

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep()
