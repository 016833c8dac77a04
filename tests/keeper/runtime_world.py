"""A tick with everything faked that can be: reader, sender and clock are plain objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keeper.errors import GammadeskError
from keeper.execution.database import open_database
from keeper.execution.journal import Journal
from keeper.execution.records import Job, Outcome, OutcomeKind
from keeper.execution.routing_terms import OrderRules
from keeper.guards.records import GuardLimits
from keeper.models import Policy, Snapshot
from keeper.policies import build_policy
from keeper.portfolio.book import value_book
from keeper.runtime.codec import to_json
from keeper.runtime.forecast import Given
from keeper.runtime.tick import Tick
from keeper.runtime.tick_records import TickRules
from keeper.units import GWEI
from tests.keeper.keeper_builders import NOW_S, snapshot

MANAGER = "0x" + "44" * 20
RULES = TickRules(
    orders=OrderRules(0.05, None, priority_fee_wei=GWEI),
    guards=GuardLimits(),
    deadline_s=180,
    max_base_fee_wei=500 * GWEI,
    gas_per_rebalance=900_000,
)


def agreed(**changes: Any) -> Snapshot:
    """A snapshot whose chain delta is our own, as it is on a healthy desk."""
    state = snapshot(**changes)
    return snapshot(**({"chain_delta_eth": value_book(state).delta_eth} | changes))


@dataclass
class FakeSender:
    outcome: Outcome | GammadeskError = field(
        default_factory=lambda: Outcome(
            OutcomeKind.MINED_SUCCESS, work_id="0x1", gas_used=500_000, gas_price_wei=2 * GWEI
        )
    )
    recovered: list[Outcome] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    def reconcile(self) -> list[Outcome]:
        return self.recovered

    def send(self, job: Job) -> Outcome:
        self.jobs.append(job)
        if isinstance(self.outcome, GammadeskError):
            raise self.outcome
        return self.outcome


@dataclass
class FakeReader:
    state: Snapshot | GammadeskError

    def snapshot(self) -> Snapshot:
        if isinstance(self.state, GammadeskError):
            raise self.state
        return self.state


@dataclass
class FakeClock:
    at: int = NOW_S + 5

    def now(self) -> int:
        return self.at


@dataclass
class Fakes:
    reader: FakeReader
    sender: FakeSender
    clock: FakeClock
    journal: Journal
    tick: Tick


def fakes(
    folder: Path, state: Snapshot | GammadeskError | None = None, policy: str = "delta_band"
) -> Fakes:
    parameters = {"band_eth": 1.0} if policy == "delta_band" else {}
    chosen: Policy = build_policy(policy, parameters)
    clock = FakeClock()
    journal = Journal(open_database(f"sqlite:///{folder / 'j.sqlite'}"), "31337:0x00", clock.now)
    reader, sender = FakeReader(state or agreed()), FakeSender()
    tick = Tick(
        reader=reader,
        sender=sender,
        clock=clock,
        journal=journal,
        policy=chosen,
        policy_text=to_json({"name": policy, "parameters": parameters}),
        forecaster=Given(0.8, 86_400, "a test"),
        rules=RULES,
        hedge_manager=MANAGER,
    )
    return Fakes(reader, sender, clock, journal, tick)
