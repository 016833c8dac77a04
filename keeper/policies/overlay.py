"""Gamma and vega overlay: the cheapest option trades that bring both inside the desk's ranges, delta left to a policy.

`decide` has the signature of every policy. Its plan holds the option trades beside the spot or perpetual trade that
the delta policy makes of the book after them, so a runtime that knows nothing of options still reads a valid plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from pydantic import Field

from keeper.errors import PricingError
from keeper.models import Book, Costs, Forecast, OptionLeg, Plan, Policy, Snapshot
from keeper.policies.bands import checked_inputs
from keeper.policies.overlay_programme import Effort, Hedge, IntArray, Programme
from keeper.policies.overlay_quotes import Limits, MakerQuote, read_market
from keeper.policies.overlay_solver import (
    OPTIMAL,
    STOPPED,
    cheapest,
    nearest,
    reach,
    shadow_prices,
)
from keeper.policies.parameters import PolicyParameters, finite_delta
from keeper.portfolio.book import value_book


class Status(StrEnum):
    """How an overlay ended."""

    INSIDE = "inside"  # nothing to do
    OPTIMAL = "optimal"
    STOPPED = "stopped"  # a plan inside the ranges, not proved cheapest in the time given
    SHORT = "short"  # the ranges cannot be met: the trades come as near as they can
    NONE = "none"  # outside, and no quote helps, or nothing was found in time


@dataclass(frozen=True, slots=True)
class OptionTrade:
    """A maker's quote to take: the legs it adds, what its price costs against the mark, and its gas, USD."""

    quote_id: str
    leg: OptionLeg
    price_usd: float
    edge_cost_usd: float
    gas_usd: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One limited reading: before, after, its range, what a unit of it costs now, and what is missing.

    `shadow_usd` is what moving the binding end of the range out by one unit would save, None if not known.
    `reachable` is how far the quotes could bring it if nothing else were limited, given only where the range is missed.
    """

    name: str
    before: float
    after: float
    low: float
    high: float
    shadow_usd: float | None = 0.0
    missing: float = 0.0
    reachable: float | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """What to do with the quotes. `cost_usd` holds edge, gas and the hedge of the delta left over.

    `bound_usd` is a cost that no plan inside the ranges, narrowed by the solver's tolerance, can beat; equal to
    `cost_usd` but for the solver's gap when the status is optimal.
    """

    status: Status
    trades: tuple[OptionTrade, ...]
    readings: tuple[Outcome, ...]
    delta_after_eth: float
    hedge_cost_usd: float
    cost_usd: float
    bound_usd: float
    refused: tuple[tuple[str, str], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class OverlayPlan(Plan):
    """A plan with option trades. `trade_eth` is the delta policy's, on the book that they leave."""

    options: Overlay | None = None


class OverlayParameters(PolicyParameters):
    """Parameters of the overlay."""

    max_legs: int = Field(default=4, ge=1, le=32, description="most quotes taken at once")
    delta_band_eth: float | None = Field(
        default=None,
        ge=0.0,
        description="net delta that needs no hedge when the cost of one is counted; left out: the contract's band",
    )
    max_premium_usd: float | None = Field(
        default=None, description="most net premium to pay, negative to receive; left out: no limit"
    )
    only_reducing: bool = Field(
        default=True,
        description="leave out legs that lower neither |gamma| nor |vega|: the contract refuses them",
    )
    best_effort: bool = Field(
        default=True, description="trade towards ranges that cannot be reached, instead of nothing"
    )
    time_limit_s: float = Field(
        default=2.0, gt=0.0, description="most seconds of the solver, each time it is asked"
    )


@dataclass(frozen=True, slots=True)
class GammaVegaOverlay:
    """Made anew whenever the makers' quotes change: everything that a decision reads is in its arguments or here."""

    limits: Limits
    quotes: tuple[MakerQuote, ...]
    delta_policy: Policy
    parameters: OverlayParameters = field(default_factory=OverlayParameters)
    name: str = "gamma_vega_overlay"

    def decide(
        self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs
    ) -> OverlayPlan:
        """Option trades first, then the delta policy on the book after them.

        Raises PricingError for a book, forecast or costs that no plan can be made from, or a quote id given twice.
        """
        found = solve_overlay(snapshot, book, forecast, costs, self)
        acts = found.trades and (found.status is not Status.SHORT or self.parameters.best_effort)
        if acts:
            legs = (*snapshot.legs, *(trade.leg for trade in found.trades))
            snapshot = replace(snapshot, legs=legs)
            book = value_book(snapshot)
        else:
            found = replace(found, trades=())
        plan = self.delta_policy.decide(snapshot, book, forecast, costs)
        numbers = {"overlay_cost_usd": found.cost_usd, "overlay_legs": float(len(found.trades))}
        for row in found.readings:
            numbers[f"{row.name} after"] = row.after
        return OverlayPlan(
            trade_eth=plan.trade_eth,
            reason=f"{found.reason}; {plan.reason}",
            band_eth=plan.band_eth,
            target_delta_eth=plan.target_delta_eth,
            diagnostics={**plan.diagnostics, **numbers},
            options=found,
        )


def solve_overlay(
    snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs, overlay: GammaVegaOverlay
) -> Overlay:
    """The option trades alone."""
    own = overlay.parameters
    delta = finite_delta(book)
    checked_inputs(book, forecast, costs)
    market = read_market(snapshot, overlay.quotes, overlay.limits, own.only_reducing)
    for reading in market.readings:
        if not math.isfinite(reading.now):
            raise PricingError(f"{reading.name} is {reading.now!r}: check legs and surface")
    band = snapshot.rules.band_eth if own.delta_band_eth is None else own.delta_band_eth
    hedge = Hedge(delta, band, snapshot.spot_usd, costs.proportional, costs.fixed_usd)
    budget = math.inf if own.max_premium_usd is None else own.max_premium_usd
    programme = Programme(market, hedge, Effort(own.max_legs, budget, own.time_limit_s))
    nothing = np.zeros(len(market.quotes), dtype=np.int64)
    if all(row.range.breach(row.now) == 0.0 for row in market.readings):
        return _report(
            programme, Status.INSIDE, nothing, 0.0, "gamma and vega are inside their ranges"
        )
    if not market.quotes:
        return _report(programme, Status.NONE, nothing, math.inf, "no quote can be used")
    best = cheapest(programme)
    if best.lots is not None:
        status = Status.OPTIMAL if best.status == OPTIMAL else Status.STOPPED
        return _report(programme, status, best.lots, best.bound, "gamma and vega brought inside")
    near = nearest(programme)
    if near.lots is not None and near.lots.any():
        return _report(programme, Status.SHORT, near.lots, math.inf, "the ranges cannot be met")
    late = STOPPED in (best.status, near.status)
    reason = f"nothing found in {own.time_limit_s:g} s" if late else "no quote helps"
    return _report(programme, Status.NONE, nothing, math.inf, reason)


def _report(
    programme: Programme, status: Status, lots: IntArray, bound: float, reason: str
) -> Overlay:
    """Costs of whole lots, in plain sums, and each reading beside its range."""
    market, hedge = programme.market, programme.hedge
    trades = tuple(
        OptionTrade(
            q.quote_id, q.leg(float(n)), q.price_usd, float(market.cost[i]) * float(n), q.gas_usd
        )
        for i, (q, n) in enumerate(zip(market.quotes, lots, strict=True))
        if n > 0
    )
    after = hedge.delta_eth + float(market.delta @ lots) if lots.size else hedge.delta_eth
    cost = math.fsum(part for t in trades for part in (t.edge_cost_usd, t.gas_usd))
    moved = bool(trades)
    hedging = hedge.cost(after) if moved else 0.0
    readings = _outcomes(programme, status, lots)
    gone = [r for r in readings if r.missing > 0.0]
    for row in gone:
        ends = f"[{row.low:.6g}, {row.high:.6g}]"
        alone = "" if row.reachable is None else f" (alone it could reach {row.reachable:.6g})"
        reason += f"; {row.name} {row.after:.6g} misses {ends} by {row.missing:.6g}{alone}"
    return Overlay(
        status=status,
        trades=trades,
        readings=readings,
        delta_after_eth=after,
        hedge_cost_usd=hedging,
        cost_usd=cost + hedging,
        bound_usd=min(bound, cost + hedging) if trades else bound,
        refused=market.refused,
        reason=reason,
    )


def _outcomes(programme: Programme, status: Status, lots: IntArray) -> tuple[Outcome, ...]:
    rows = programme.market.readings
    solved = status in (Status.OPTIMAL, Status.STOPPED)
    prices = shadow_prices(programme, lots) if solved else [0.0] * len(rows)
    after = programme.readings_after(lots)
    out = []
    for i, (row, value) in enumerate(zip(rows, after, strict=True)):
        missing = row.range.breach(value)
        far = None
        if missing > 0.0 and programme.m:
            far = reach(programme, i, upwards=value < row.range.low)
        ends = (row.range.low, row.range.high)
        out.append(Outcome(row.name, row.now, value, *ends, prices[i], missing, far))
    return tuple(out)
