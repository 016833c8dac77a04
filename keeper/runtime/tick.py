"""One tick: read, value, forecast, decide, guard, simulate, journal, send, record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from keeper.chain.calls import Limits, Rebalanced, rebalance_data, rebalanced
from keeper.errors import SkipTick
from keeper.execution.costs import expected_costs
from keeper.execution.journal import Journal
from keeper.execution.orders import Batch, build_batch
from keeper.execution.records import DecisionEntry, Job, Outcome, OutcomeKind
from keeper.execution.routing_terms import OrderRules
from keeper.guards import ALL_GUARDS, GuardContext, Verdict, evaluate
from keeper.guards.records import Guard, GuardLimits
from keeper.models import Book, Costs, Forecast, Plan, Policy, Snapshot
from keeper.portfolio.book import value_book
from keeper.runtime.codec import digest, to_json
from keeper.runtime.ports import ChainReader, Clock, Forecaster, TxSender


@dataclass(frozen=True, slots=True)
class TickRules:
    """Limits of a tick; see ExecutionConfig, GasConfig and GuardLimits for their meaning."""

    orders: OrderRules
    guards: GuardLimits
    deadline_s: int
    max_base_fee_wei: int
    gas_per_rebalance: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a policy saw: with the policy's name and parameters it is enough to decide again."""

    snapshot: Snapshot
    book: Book
    forecast: Forecast
    forecast_source: str
    costs: Costs


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


@dataclass(frozen=True, slots=True)
class Tick:
    """Everything that a tick works with, handed in."""

    reader: ChainReader
    sender: TxSender
    clock: Clock
    journal: Journal
    policy: Policy
    policy_text: str
    forecaster: Forecaster
    rules: TickRules
    hedge_manager: str
    guards: tuple[Guard, ...] = field(default=ALL_GUARDS)
    value: Callable[[Snapshot], Book] = field(default=value_book)

    def run(self) -> TickResult:
        """Once. Retry when the chain cannot be read, Halt when a person must look; all else is in the result."""
        recovered = tuple(self.sender.reconcile())
        inputs = self._look()
        plan = self.policy.decide(inputs.snapshot, inputs.book, inputs.forecast, inputs.costs)
        verdict = self._judge(inputs, plan)
        outcome = self._act(inputs, plan, verdict)
        decision = self.journal.record_decision(
            DecisionEntry(
                block_number=inputs.snapshot.block_number,
                snapshot_hash=digest(inputs.snapshot),
                policy=self.policy_text,
                inputs=to_json(inputs),
                plan=to_json(plan),
                verdict=to_json(verdict),
                outcome=to_json(outcome),
                work_id=outcome.work_id,
            )
        )
        event = rebalanced(outcome.logs, self.hedge_manager) if outcome.logs else None
        return TickResult(inputs, plan, verdict, outcome, recovered, event, decision)

    def _look(self) -> Inputs:
        snapshot = self.reader.snapshot()
        forecast, source = self.forecaster.forecast(snapshot)
        costs = expected_costs(snapshot, self.rules.orders, self.rules.gas_per_rebalance)
        return Inputs(snapshot, self.value(snapshot), forecast, source, costs)

    def _judge(self, inputs: Inputs, plan: Plan) -> Verdict:
        context = GuardContext(
            snapshot=inputs.snapshot,
            book=inputs.book,
            plan=plan,
            costs=inputs.costs,
            limits=self.rules.guards,
            max_base_fee_wei=self.rules.max_base_fee_wei,
            now_s=self.clock.now(),
        )
        return evaluate(self.guards, context)

    def _act(self, inputs: Inputs, plan: Plan, verdict: Verdict) -> Outcome:
        batch = build_batch(plan.trade_eth, inputs.snapshot, self.rules.orders)
        if not batch.orders:
            return _nothing_sent(plan, batch, self.rules.orders.min_clip_eth)
        if not verdict.ok:
            return Outcome(OutcomeKind.DENIED, "guards refused: " + "; ".join(verdict.reasons))
        try:
            return self.sender.send(self._job(inputs.snapshot, plan, batch))
        except SkipTick as error:
            return Outcome(OutcomeKind.DENIED, str(error))

    def _job(self, snapshot: Snapshot, plan: Plan, batch: Batch) -> Job:
        orders, seen = to_json(batch.orders), digest(snapshot)
        key = f"hedge:{snapshot.underlying}:{self.hedge_manager.lower()}"
        work_id = digest([self.journal.chain, key, seen, orders])
        deadline = max(self.clock.now(), snapshot.timestamp_s) + self.rules.deadline_s
        limits = Limits(
            epoch=snapshot.rules.epoch,
            deadline_s=deadline,
            max_base_fee_wei=self.rules.max_base_fee_wei,
            work_id=bytes.fromhex(work_id[2:]),
        )
        return Job(
            work_id=work_id,
            key=key,
            what="HedgeManager.rebalance",
            to=self.hedge_manager,
            data=rebalance_data(batch.orders, limits),
            block_number=snapshot.block_number,
            deadline_s=deadline,
            snapshot_hash=seen,
            plan=to_json(plan),
            orders=orders,
        )


def _nothing_sent(plan: Plan, batch: Batch, clip_eth: float) -> Outcome:
    """A wish that no venue can take is refused and heard; a crumb is nothing to do."""
    if abs(batch.left_over_eth) < clip_eth:
        small = f"; {batch.left_over_eth:.6g} ETH is under the smallest clip"
        return Outcome(OutcomeKind.NOTHING, plan.reason + (small if plan.trade_eth else ""))
    return Outcome(
        OutcomeKind.DENIED,
        f"no venue takes {batch.left_over_eth:.6g} ETH: every pool is beyond the slippage limit, or cash and "
        f"collateral are short; {plan.reason}",
    )
