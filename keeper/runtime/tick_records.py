"""What a tick is limited by, what it sees and decides from, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from keeper.chain.calls import Rebalanced
from keeper.execution.records import HedgeTimes, Outcome
from keeper.execution.routing_terms import OrderRules
from keeper.guards import Verdict
from keeper.guards.records import GuardLimits
from keeper.models import Book, Costs, Forecast, Plan, Policy, Snapshot
from keeper.policies.margin_ladder import Ladder, LadderRules
from keeper.policies.schedule import SlicingRules
from keeper.policies.slicing import Programme, Slicing, slice_plan
from keeper.runtime.overlay import OverlayInputs


@dataclass(frozen=True, slots=True)
class TickRules:
    """Limits of a tick; see ExecutionConfig, GasConfig and GuardLimits for their meaning."""

    orders: OrderRules
    guards: GuardLimits
    deadline_s: int
    max_base_fee_wei: int
    gas_per_rebalance: int
    slicing: SlicingRules = field(default_factory=SlicingRules)
    ladder: LadderRules = field(default_factory=LadderRules)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a decision saw: with the policy's name and parameters it is enough to decide again.

    `slicing` is what the policy's trade was cut to a slice by, `overlay` what makers' quotes were taken by, each None
    where there is none.
    """

    snapshot: Snapshot
    book: Book
    forecast: Forecast
    forecast_source: str
    costs: Costs
    slicing: Slicing | None = None
    overlay: OverlayInputs | None = None

    def decide(self, policy: Policy) -> Plan:
        """What the policy wants, before it is cut."""
        whole = policy if self.overlay is None else self.overlay.over(policy)
        return whole.decide(self.snapshot, self.book, self.forecast, self.costs)

    def cut(self, plan: Plan) -> tuple[Plan, Programme | None]:
        """The plan as far as it is due now, and the programme that then goes on."""
        if self.slicing is None:
            return plan, None
        seen = (self.snapshot, self.book, self.forecast, self.costs)
        return slice_plan(plan, *seen, self.slicing)


@dataclass(frozen=True, slots=True)
class TickResult:
    """What a tick saw, wanted and did. `rebalanced` is what the chain said of a mined batch."""

    inputs: Inputs
    plan: Plan
    verdict: Verdict
    outcome: Outcome
    recovered: tuple[Outcome, ...]
    rebalanced: Rebalanced | None
    decision_id: int
    times: HedgeTimes | None = None
    ladder: Ladder = field(default_factory=lambda: Ladder(()))

    @property
    def unfinished(self) -> bool:
        """Whether a slice was mined and others are to come."""
        wanted = self.plan.diagnostics.get("wanted_eth", 0.0)
        return self.rebalanced is not None and abs(wanted) > abs(self.plan.trade_eth)
