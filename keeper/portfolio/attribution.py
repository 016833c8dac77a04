"""Where the change of net asset value came from, by sequential full repricing: time, then spot, then surface.

The legs held at the start are repriced in full at each step, each with its own implied volatility held fixed until
the last step, so the option terms add up exactly to the change of their value. `gamma` is the repricing for the
spot move less delta times the move, delta being taken after the time step. What happens in between (fills, option
trades) is taken at its own price against the oracle's. The residual is what is left of the change of NAV; nothing
is ever absorbed into another term. Gas is the operator's and not in here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from keeper.errors import PricingError
from keeper.models import OptionLeg, Snapshot
from keeper.portfolio.book import (
    LegArrays,
    Market,
    forward_and_vol,
    hedge_eth,
    leg_greeks,
    market_of,
    payoff,
)


@dataclass(frozen=True, slots=True)
class State:
    """The vault at one moment. `nav_usd` is its mark value at the oracle price, as the contract gives it."""

    market: Market
    legs: tuple[OptionLeg, ...]
    hedge_eth: float
    nav_usd: float


@dataclass(frozen=True, slots=True)
class HedgeFill:
    """A fill at a venue: ETH bought (+), USD received (+, fees included), and the oracle spot at that moment."""

    base_eth: float
    quote_usd: float
    spot_usd: float


@dataclass(frozen=True, slots=True)
class OptionTrade:
    """An option trade from the vault's side: legs as they were added, premium received (+)."""

    legs: tuple[OptionLeg, ...]
    premium_usd: float


@dataclass(frozen=True, slots=True)
class Activity:
    """What was done between two states.

    Option trades are valued at the later state's market: end an interval at each of them, or soon after.
    `interest_usd` is what venues credited (+) or charged (-), funding included; `flows_usd` is what depositors
    brought (+) or took (-), and is no profit.
    """

    fills: tuple[HedgeFill, ...] = ()
    trades: tuple[OptionTrade, ...] = ()
    interest_usd: float = 0.0
    flows_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Profit (+) or loss (-) in USD by cause.

    `settlement` is what expired legs gained by the proven price differing from the spot that they were valued at;
    `option_edge` is premium against mark on option trades.
    """

    theta: float
    delta: float
    gamma: float
    vega: float
    settlement: float
    option_edge: float
    hedge: float
    fees_and_slippage: float
    interest: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """Terms of an interval beside its change of NAV, flows left out."""

    terms: Terms
    nav_change_usd: float

    @property
    def residual_usd(self) -> float:
        """Change of NAV that no term explains."""
        return self.nav_change_usd - math.fsum(as_dict(self.terms).values())

    @property
    def residual_share(self) -> float:
        """|residual| over the sum of absolute terms; 0 when there is neither, inf when only a residual."""
        size = math.fsum(abs(v) for v in as_dict(self.terms).values())
        if size == 0.0:
            return 0.0 if self.residual_usd == 0.0 else math.inf
        return abs(self.residual_usd) / size


def as_dict(terms: Terms) -> dict[str, float]:
    """Terms by name, USD."""
    return {f.name: getattr(terms, f.name) for f in fields(terms)}


def total(parts: Iterable[Attribution]) -> Attribution:
    """Sum over intervals: what a report shows for a whole run."""
    all_parts = list(parts)
    names = [f.name for f in fields(Terms)]
    summed = {n: math.fsum(getattr(p.terms, n) for p in all_parts) for n in names}
    return Attribution(Terms(**summed), math.fsum(p.nav_change_usd for p in all_parts))


def state_of(snapshot: Snapshot) -> State:
    """The state that a snapshot shows, NAV as the chain values it."""
    legs = tuple(leg for leg in snapshot.legs if leg.underlying == snapshot.underlying)
    return State(market_of(snapshot), legs, hedge_eth(snapshot), snapshot.equity_usd)


def attribute(before: State, after: State, activity: Activity) -> Attribution:
    """Terms of the interval from `before` to `after`.

    Raises PricingError for states out of order or figures that are not finite.
    """
    _check(before, after, activity)
    spot_0, spot_1 = before.market.spot_usd, after.market.spot_usd
    theta, delta, gamma, vega, settlement = _option_terms(before, after.market)
    hedge = [before.hedge_eth * (spot_1 - spot_0)]
    hedge += [fill.base_eth * (spot_1 - fill.spot_usd) for fill in activity.fills]
    costs = [fill.quote_usd + fill.base_eth * fill.spot_usd for fill in activity.fills]
    edges = [trade.premium_usd + mark_value(trade.legs, after.market) for trade in activity.trades]
    terms = Terms(
        theta=theta,
        delta=delta,
        gamma=gamma,
        vega=vega,
        settlement=settlement,
        option_edge=math.fsum(edges),
        hedge=math.fsum(hedge),
        fees_and_slippage=math.fsum(costs),
        interest=activity.interest_usd,
    )
    return Attribution(terms, after.nav_usd - before.nav_usd - activity.flows_usd)


def mark_value(legs: tuple[OptionLeg, ...], market: Market) -> float:
    """Mark value of legs, USD: Black-76 on the surface, payoff once expired."""
    if not legs:
        return 0.0
    columns = LegArrays.of(legs)
    greeks = leg_greeks(columns, market, *forward_and_vol(columns, market))
    live = columns.expiry_s > market.timestamp_s
    return float(columns.size @ np.where(live, greeks.price, payoff(columns, market)))


def _option_terms(before: State, end: Market) -> tuple[float, float, float, float, float]:
    """(theta, delta, gamma, vega, settlement) of the legs held at the start."""
    if not before.legs:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    start = before.market
    legs = LegArrays.of(before.legs)
    alive_0 = legs.expiry_s > start.timestamp_s
    alive_1 = legs.expiry_s > end.timestamp_s
    later = Market(end.timestamp_s, start.spot_usd, start.slices, {})
    moved = Market(end.timestamp_s, end.spot_usd, start.slices, {})
    forward_0, vol_0 = forward_and_vol(legs, start)
    value_0 = leg_greeks(legs, start, forward_0, vol_0).price
    at_later = leg_greeks(legs, later, forward_and_vol(legs, later)[0], vol_0)
    value_moved = leg_greeks(legs, moved, forward_and_vol(legs, moved)[0], vol_0).price
    value_1 = leg_greeks(legs, end, *forward_and_vol(legs, end)).price
    held = np.where(alive_0, legs.size, 0.0)
    delta = float(held @ at_later.delta) * (end.spot_usd - start.spot_usd)
    expired_at = np.where(alive_0, value_moved, payoff(legs, start))
    return (
        float(held @ (at_later.price - value_0)),
        delta,
        float(held @ (value_moved - at_later.price)) - delta,
        float(held @ np.where(alive_1, value_1 - value_moved, 0.0)),
        float(legs.size @ np.where(alive_1, 0.0, payoff(legs, end) - expired_at)),
    )


def _check(before: State, after: State, activity: Activity) -> None:
    if after.market.timestamp_s < before.market.timestamp_s:
        raise PricingError(
            f"the later state is of {after.market.timestamp_s}, before {before.market.timestamp_s}: swap them"
        )
    numbers = {
        "hedge_eth": before.hedge_eth,
        "nav_usd before": before.nav_usd,
        "nav_usd after": after.nav_usd,
        "interest_usd": activity.interest_usd,
        "flows_usd": activity.flows_usd,
    }
    for i, fill in enumerate(activity.fills):
        numbers |= {f"fill {i} {f.name}": getattr(fill, f.name) for f in fields(fill)}
    for i, trade in enumerate(activity.trades):
        numbers[f"trade {i} premium_usd"] = trade.premium_usd
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise PricingError(f"{name} must be a finite number, got {value!r}")
