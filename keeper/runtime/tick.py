"""One tick: read, value, forecast, decide, guard, simulate, journal, send, record."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from keeper.chain.calls import Limits, rebalance_data, rebalanced
from keeper.errors import SkipTick
from keeper.execution.costs import expected_costs, gas_of, impact_of
from keeper.execution.journal import Journal
from keeper.execution.margin_orders import collateral_orders, moves
from keeper.execution.orders import Batch, build_batch
from keeper.execution.records import DecisionEntry, HedgeTimes, Job, Outcome, OutcomeKind
from keeper.guards import ALL_GUARDS, GuardContext, Verdict, evaluate
from keeper.guards.records import Guard
from keeper.models import Book, Plan, Policy, Snapshot
from keeper.policies.margin_ladder import margin_ladder
from keeper.policies.slicing import Programme, Slicing
from keeper.portfolio.book import value_book
from keeper.runtime.codec import digest, from_json, to_json
from keeper.runtime.overlay import QuoteDesk, takes_quotes
from keeper.runtime.ports import ChainReader, Clock, Forecaster, TxSender
from keeper.runtime.tick_records import Inputs, TickResult, TickRules

# Batches with makers' quotes that are tried before the hedge goes without any.
_BATCHES_WITH_QUOTES = 2


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
    quotes: QuoteDesk | None = None
    guards: tuple[Guard, ...] = field(default=ALL_GUARDS)
    value: Callable[[Snapshot], Book] = field(default=value_book)
    stopwatch_s: Callable[[], float] = field(default=time.perf_counter)

    def run(self) -> TickResult:
        """Once. Retry when the chain cannot be read, Halt when a person must look; all else is in the result."""
        begun_s = self.stopwatch_s()
        recovered = tuple(self.sender.reconcile())
        snapshot = self.reader.snapshot()
        read_s = self.stopwatch_s()
        inputs = self._inputs(snapshot)
        ladder = margin_ladder(snapshot, self.rules.ladder)
        if self.quotes is not None:
            tip_wei = self.rules.orders.priority_fee_wei
            overlay = self.quotes.look(snapshot, ladder, snapshot.base_fee_wei + tip_wei)
            inputs = replace(inputs, overlay=overlay)
        inputs, plan, state = self._decide(inputs)
        verdict = self._judge(inputs, plan)
        outcome = self._act(inputs, plan, verdict, (begun_s, read_s), state)
        batches = 1
        while verdict.ok and outcome.kind is OutcomeKind.DENIED and takes_quotes(plan):
            inputs = self._fewer_quotes(inputs, plan, outcome, batches)
            inputs, plan, state = self._decide(inputs)
            verdict = self._judge(inputs, plan)
            outcome = self._act(inputs, plan, verdict, (begun_s, read_s), state)
            batches += 1
        if state is not None and outcome.kind is OutcomeKind.NOTHING:
            self.journal.save_programme(self._key(snapshot), state)
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
        times = self.journal.times(outcome.work_id) if outcome.work_id else None
        return TickResult(inputs, plan, verdict, outcome, recovered, event, decision, times, ladder)

    def _inputs(self, snapshot: Snapshot) -> Inputs:
        forecast, source = self.forecaster.forecast(snapshot)
        costs = expected_costs(snapshot, self.rules.orders, self.rules.gas_per_rebalance)
        return Inputs(snapshot, self.value(snapshot), forecast, source, costs)

    def _decide(self, inputs: Inputs) -> tuple[Inputs, Plan, str | None]:
        """What is due now, with what it was cut by, and the programme that goes on, as it is kept."""
        wish = inputs.decide(self.policy)
        inputs = replace(inputs, slicing=self._slicing(wish, inputs.snapshot))
        plan, programme = inputs.cut(wish)
        return inputs, plan, None if programme is None else to_json(programme)

    def _fewer_quotes(self, inputs: Inputs, plan: Plan, outcome: Outcome, batches: int) -> Inputs:
        """A maker whose quote does not hold keeps nobody from hedging: the chain refused the batch, less goes again."""
        assert self.quotes is not None
        assert inputs.overlay is not None
        structlog.get_logger("quotes").warning("batch with quotes refused", reason=outcome.detail)
        if batches >= _BATCHES_WITH_QUOTES:
            return replace(inputs, overlay=replace(inputs.overlay, quotes=()))
        block = inputs.snapshot.block_number
        return replace(inputs, overlay=self.quotes.without_refused(inputs.overlay, plan, block))

    def _slicing(self, wish: Plan, snapshot: Snapshot) -> Slicing:
        """What is known of the hedge under way; without one, the rules' own assumptions."""
        rules, stored = self.rules.slicing, self.journal.programme(self._key(snapshot))
        known = Programme(rules.recovery) if stored is None else from_json(Programme, stored)
        return Slicing(rules, known, impact_of(wish.trade_eth, snapshot, self.rules.orders))

    def _key(self, snapshot: Snapshot) -> str:
        return f"hedge:{snapshot.underlying}:{self.hedge_manager.lower()}"

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

    def _act(
        self,
        inputs: Inputs,
        plan: Plan,
        verdict: Verdict,
        marks_s: tuple[float, float],
        programme: str | None,
    ) -> Outcome:
        batch = self._batch(plan, inputs.snapshot)
        if not batch.orders:
            return _nothing_sent(plan, batch, self.rules.orders.min_clip_eth)
        if not verdict.ok:
            return Outcome(OutcomeKind.DENIED, "guards refused: " + "; ".join(verdict.reasons))
        job = self._job(inputs.snapshot, plan, batch)
        begun_s, read_s = marks_s
        times = HedgeTimes(
            oracle_at_s=inputs.snapshot.spot_updated_at_s,
            head_at_s=inputs.snapshot.timestamp_s,
            read_ms=(read_s - begun_s) * 1e3,
            decide_ms=(self.stopwatch_s() - read_s) * 1e3,
        )
        try:
            return self.sender.send(replace(job, times=times, programme=programme))
        except SkipTick as error:
            return Outcome(OutcomeKind.DENIED, str(error))

    def _batch(self, plan: Plan, snapshot: Snapshot) -> Batch:
        """The hedge; or moves between venues where one is low, if no hedge is due or the contract would refuse it."""
        ladder, orders = margin_ladder(snapshot, self.rules.ladder), self.rules.orders
        first = collateral_orders(ladder, snapshot, orders)
        moved = moves(ladder, snapshot, orders)
        weak = min((venue.health for venue in snapshot.venues), default=math.inf)
        first = (*(self.quotes.orders(plan) if self.quotes else ()), *first)
        if moved and (plan.trade_eth == 0.0 or weak < snapshot.rules.min_health):
            return Batch(moved, 0.0)
        return build_batch(plan.trade_eth, snapshot, orders, first)

    def _job(self, snapshot: Snapshot, plan: Plan, batch: Batch) -> Job:
        orders, seen = to_json(batch.orders), digest(snapshot)
        key = self._key(snapshot)
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
            gas_hint=gas_of(
                batch.orders, snapshot, self.rules.orders, self.rules.gas_per_rebalance
            ),
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
