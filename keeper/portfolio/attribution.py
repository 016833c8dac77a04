"""Where the change of net asset value came from: options by cause, hedges, what trading cost, and what is unexplained.

Options are repriced in full, step by step (`option_terms`). What happens in between (fills, option trades) is taken
at its own price against the oracle's. The residual is what is left of the change of NAV; nothing is ever absorbed
into another term. Gas is a term where the book pays it; where an operator does, it is not in the NAV and not in here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

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
from keeper.portfolio.option_terms import option_terms


@dataclass(frozen=True, slots=True)
class State:
    """The vault at one moment. `nav_usd` is its mark value at the oracle price, as the contract gives it."""

    market: Market
    legs: tuple[OptionLeg, ...]
    hedge_eth: float
    nav_usd: float


@dataclass(frozen=True, slots=True)
class HedgeFill:
    """A fill at a venue: ETH bought (+), USD received (+, fees included), and the oracle spot at that moment.

    `fee_usd` is the part of it that the venue took by its tariff; the rest of the difference is slippage.
    """

    base_eth: float
    quote_usd: float
    spot_usd: float
    fee_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class OptionTrade:
    """An option trade from the vault's side: legs as they were added, premium received (+)."""

    legs: tuple[OptionLeg, ...]
    premium_usd: float


@dataclass(frozen=True, slots=True)
class Activity:
    """What was done between two states.

    Option trades are valued at the later state's market: end an interval at each of them, or soon after.
    `interest_usd` is what lending venues credited (+) or charged (-), `funding_usd` what perpetuals did; `gas_usd`
    (>= 0) is gas that the book itself paid; `flows_usd` is what depositors brought (+) or took (-), and is no profit.
    """

    fills: tuple[HedgeFill, ...] = ()
    trades: tuple[OptionTrade, ...] = ()
    interest_usd: float = 0.0
    flows_usd: float = 0.0
    funding_usd: float = 0.0
    gas_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Profit (+) or loss (-) in USD by cause.

    The first eight are the options' (`OptionTerms`). `settlement` is what expired legs gained by the proven price
    differing from the spot that they were valued at; `option_edge` is premium against mark on option trades.
    """

    theta: float = 0.0
    carry: float = 0.0
    delta: float = 0.0
    gamma: float = 0.0
    vega: float = 0.0
    vanna: float = 0.0
    volga: float = 0.0
    higher_order: float = 0.0
    settlement: float = 0.0
    option_edge: float = 0.0
    hedge: float = 0.0
    fees: float = 0.0
    slippage: float = 0.0
    interest: float = 0.0
    funding: float = 0.0
    gas: float = 0.0


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
    options = option_terms(before.legs, before.market, after.market)
    hedge = [before.hedge_eth * (spot_1 - spot_0)]
    hedge += [fill.base_eth * (spot_1 - fill.spot_usd) for fill in activity.fills]
    fees = math.fsum(fill.fee_usd for fill in activity.fills)
    paid = [fill.quote_usd + fill.base_eth * fill.spot_usd for fill in activity.fills]
    edges = [trade.premium_usd + mark_value(trade.legs, after.market) for trade in activity.trades]
    terms = Terms(
        **asdict(options),
        option_edge=math.fsum(edges),
        hedge=math.fsum(hedge),
        fees=0.0 - fees,
        slippage=math.fsum((*paid, fees)),
        interest=activity.interest_usd,
        funding=activity.funding_usd,
        gas=0.0 - activity.gas_usd,
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
        "funding_usd": activity.funding_usd,
        "gas_usd": activity.gas_usd,
    }
    for i, fill in enumerate(activity.fills):
        numbers |= {f"fill {i} {f.name}": getattr(fill, f.name) for f in fields(fill)}
    for i, trade in enumerate(activity.trades):
        numbers[f"trade {i} premium_usd"] = trade.premium_usd
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise PricingError(f"{name} must be a finite number, got {value!r}")
    for name, value in {"gas_usd": activity.gas_usd, **_fees(activity)}.items():
        if value < 0.0:
            raise PricingError(f"{name} is {value!r}: what was paid is given as a positive number")


def _fees(activity: Activity) -> dict[str, float]:
    return {f"fill {i} fee_usd": fill.fee_usd for i, fill in enumerate(activity.fills)}
