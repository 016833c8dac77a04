"""A plan too large for the moment becomes one slice of a schedule; what that needs to go on is a record.

The desk must not feed the move that it hedges: a slice never pushes the price by more than a share of what the price
does by itself in a step, and where the book's gamma would answer the push (short gamma buys into a rise that its own
purchase made) the schedule is no longer than gamma allows: until the expected drift of delta is a share of the band.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from keeper.models import Book, Costs, Forecast, Plan, Snapshot
from keeper.policies.bands import live_notional
from keeper.policies.schedule import Market, SlicingRules, best_steps, left_after
from keeper.units import SECONDS_PER_YEAR

# Weight of the newest observation of how much of a push came back.
_NEWS = 0.3


@dataclass(frozen=True, slots=True)
class Programme:
    """A hedge under way: its side (+1 buys, 0 none), its end, and its last slice, by which recovery is measured.

    `push_usd` is how far the last slice was expected to move the pool from `gap_usd`, the pool's price less the
    oracle's before it; `recovered` is the measured share of a push that is gone after a step.
    """

    recovered: float
    side: int = 0
    ends_at_s: int = 0
    sliced_at_s: int = 0
    gap_usd: float = 0.0
    push_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Slicing:
    """All that a slice is decided by, beside what the policy saw. `impact` is USD per ETH per ETH of this hedge."""

    rules: SlicingRules
    programme: Programme
    impact: float


def slice_plan(
    plan: Plan, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs, slicing: Slicing
) -> tuple[Plan, Programme]:
    """The plan, cut to the slice that is due, and the programme as it stands once that is sent. Pure, as `decide`."""
    rules, now = slicing.rules, snapshot.timestamp_s
    known = _measured(slicing.programme, snapshot, rules)
    if plan.trade_eth == 0.0:
        return plan, replace(known, side=0)
    side = 1 if plan.trade_eth > 0 else -1
    market = _market(snapshot, forecast, costs, slicing, known)
    most = min(rules.max_steps, _steps_that_gamma_allows(snapshot, book, forecast, rules))
    # A last slice that was missed is made up for at once; what was left alone for longer is planned anew.
    under_way = known.side == side and now <= known.ends_at_s + 2 * rules.step_s
    steps = _left(known, now, rules) if under_way else _steps(plan.trade_eth, market, most, rules)
    steps = min(steps, most)
    due_at_s = known.sliced_at_s + rules.step_s
    if under_way and now < due_at_s and steps > 1:
        return _cut(plan, 0.0, known, f"the next slice is due in {due_at_s - now} s"), known
    first = plan.trade_eth - left_after(plan.trade_eth, steps, market)[1]
    later = replace(
        known,
        side=side if steps > 1 else 0,
        ends_at_s=known.ends_at_s if under_way else now + (steps - 1) * rules.step_s,
        sliced_at_s=now,
        gap_usd=snapshot.pool_price_usd - snapshot.spot_usd,
        push_usd=first * slicing.impact,
    )
    if steps == 1:
        return plan, later
    return _cut(plan, first, known, f"slice of {first:.6g} ETH, {steps - 1} to come"), later


def _market(
    snapshot: Snapshot, forecast: Forecast, costs: Costs, slicing: Slicing, known: Programme
) -> Market:
    rules, notional = slicing.rules, live_notional(snapshot)
    return Market(
        impact=slicing.impact,
        permanent=rules.permanent,
        recovered=known.recovered,
        step_deviation_usd=_deviation(snapshot, forecast, rules.step_s),
        risk_aversion=rules.risk_aversion / notional if notional > 0.0 else 0.0,
        slice_cost_usd=costs.fixed_usd,
    )


def _deviation(snapshot: Snapshot, forecast: Forecast, seconds: float) -> float:
    return snapshot.spot_usd * forecast.vol * math.sqrt(seconds / SECONDS_PER_YEAR)


def _steps_that_gamma_allows(
    snapshot: Snapshot, book: Book, forecast: Forecast, rules: SlicingRules
) -> int:
    """Steps until |gamma| times the price's standard deviation is the allowed share of the band."""
    per_root_step = abs(book.gamma_eth_per_usd) * _deviation(snapshot, forecast, rules.step_s)
    allowed = rules.gamma_drift * snapshot.rules.band_eth
    if per_root_step * math.sqrt(rules.max_steps) <= allowed:
        return rules.max_steps
    return max(int((allowed / per_root_step) ** 2), 1)


def _steps(trade_eth: float, market: Market, most: int, rules: SlicingRules) -> int:
    """The cheapest number, and no fewer than keep the largest slice's own push small."""
    steps = best_steps(abs(trade_eth), most, market)
    cap_usd = rules.own_move * market.step_deviation_usd
    while steps < most:
        left = left_after(abs(trade_eth), steps, market)
        if (left[0] - left[1]) * market.impact <= cap_usd:
            break
        steps += 1
    return steps


def _left(known: Programme, now_s: int, rules: SlicingRules) -> int:
    return max(math.ceil((known.ends_at_s - now_s) / rules.step_s), 0) + 1


def _measured(known: Programme, snapshot: Snapshot, rules: SlicingRules) -> Programme:
    """What of the last push is gone, once a step has passed; a push is looked at once."""
    elapsed = snapshot.timestamp_s - known.sliced_at_s
    if known.push_usd == 0.0 or elapsed < rules.step_s:
        return known
    gap = snapshot.pool_price_usd - snapshot.spot_usd
    gone = min(max(1.0 - (gap - known.gap_usd) / known.push_usd, 0.0), 1.0)
    # Of one step, where several have passed.
    gone = 1.0 - (1.0 - gone) ** (rules.step_s / elapsed)
    return replace(known, recovered=(1.0 - _NEWS) * known.recovered + _NEWS * gone, push_usd=0.0)


def _cut(plan: Plan, trade_eth: float, known: Programme, why: str) -> Plan:
    """The same plan, whatever else it holds, with a smaller trade."""
    return replace(
        plan,
        trade_eth=trade_eth,
        reason=f"{plan.reason}; {why}",
        target_delta_eth=plan.target_delta_eth + trade_eth - plan.trade_eth,
        diagnostics={
            **plan.diagnostics,
            "wanted_eth": plan.trade_eth,
            "recovered": known.recovered,
        },
    )
