"""Greeks of a portfolio by underlying and expiry, every one a plain sum over positions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from keeper.errors import PricingError
from keeper.portfolio.book import LegArrays, forward_and_vol, leg_cross_greeks, payoff
from keeper.portfolio.positions import Holdings, Portfolio

SPOT = 0  # the bucket of everything that has no expiry


@dataclass(frozen=True, slots=True)
class Exposure:
    """Sums over positions, to the spot: USD, ETH, ETH/USD, USD per 1.00 vol, USD/year, ETH per 1.00 vol, USD."""

    value_usd: float = 0.0
    delta_eth: float = 0.0
    gamma_eth_per_usd: float = 0.0
    vega_usd: float = 0.0
    theta_usd_per_year: float = 0.0
    vanna_eth: float = 0.0
    volga_usd: float = 0.0

    def __post_init__(self) -> None:
        for f in fields(self):
            if not math.isfinite(getattr(self, f.name)):
                raise PricingError(f"{f.name} of the book is not a finite number")


def add(parts: Iterable[Exposure]) -> Exposure:
    """The sum; nothing for no parts."""
    rows = list(parts)
    names = [f.name for f in fields(Exposure)]
    return Exposure(*(math.fsum(getattr(row, name) for row in rows) for name in names))


def by_expiry(portfolio: Portfolio) -> dict[tuple[int, int], Exposure]:
    """Exposure by (underlying, expiry_s), sorted; expiry 0 is spot, venues and instruments. Cash is in none.

    Expired legs have a value and no Greeks. Raises PricingError for anything that is not a finite number.
    """
    out: dict[tuple[int, int], Exposure] = {}
    for underlying, held in sorted(portfolio.holdings.items()):
        out[underlying, SPOT] = _spot_exposure(held)
        for expiry_s in sorted({leg.expiry_s for leg in held.legs}):
            out[underlying, expiry_s] = _option_exposure(held, expiry_s)
    return out


def by_underlying(portfolio: Portfolio) -> dict[int, Exposure]:
    """Exposure by underlying. Deltas of two underlyings are not one number, so there is no grand total."""
    cells = by_expiry(portfolio)
    return {
        u: add(cell for (own, _), cell in cells.items() if own == u)
        for u in sorted(portfolio.holdings)
    }


def _spot_exposure(held: Holdings) -> Exposure:
    spot = held.market.spot_usd
    base = math.fsum((held.base_eth, *(venue.base_eth for venue in held.venues)))
    quote = math.fsum(venue.quote_usd for venue in held.venues)
    values, deltas, gammas = (
        [float(getattr(one, name)(spot)) for one in held.instruments]
        for name in ("value", "delta", "gamma")
    )
    return Exposure(
        value_usd=math.fsum((quote, base * spot, *values)),
        delta_eth=math.fsum((base, *deltas)),
        gamma_eth_per_usd=math.fsum(gammas),
    )


def _option_exposure(held: Holdings, expiry_s: int) -> Exposure:
    market = held.market
    legs = LegArrays.of([leg for leg in held.legs if leg.expiry_s == expiry_s])
    if expiry_s <= market.timestamp_s:
        return Exposure(value_usd=float(legs.size @ payoff(legs, market)))
    g = leg_cross_greeks(legs, market, *forward_and_vol(legs, market))
    columns = (g.price, g.delta, g.gamma, g.vega, g.theta, g.vanna, g.volga)
    return Exposure(*(float(np.dot(legs.size, column)) for column in columns))
