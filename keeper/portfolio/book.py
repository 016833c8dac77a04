"""A snapshot becomes Greeks: the same rules as contracts/interfaces/IRiskEngine.sol, in numpy.

Forward = spot * exp(carry * tau); implied volatility = sqrt(w(ln(K/F)) / tau at commit); an option whose expiry
has no slice is valued without volatility, as the contract does; a leg at or past its expiry is worth its payoff at
the proven settlement price, or at spot until there is one, and has no Greeks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeper.errors import PricingError
from keeper.models import Book, OptionLeg, Snapshot, SviSlice
from keeper.pricing import black76, svi
from keeper.units import SECONDS_PER_YEAR

FloatArray = NDArray[np.float64]

# The chain keeps carry in a signed 64-bit WAD, which ends at 9.2.
MAX_CARRY = 9.3


@dataclass(frozen=True, slots=True)
class Market:
    """What options are valued against at one moment. `settlement_prices_usd` maps expiry to the proven price."""

    timestamp_s: int
    spot_usd: float
    slices: Mapping[int, SviSlice]
    settlement_prices_usd: Mapping[int, float]

    def __post_init__(self) -> None:
        for name, value in (
            ("spot", self.spot_usd),
            *((f"settlement price of {e}", p) for e, p in self.settlement_prices_usd.items()),
        ):
            if not (math.isfinite(value) and value > 0.0):
                raise PricingError(f"{name} must be a positive number of USD, got {value!r}")

    def settlement_or_spot(self, expiry_s: int) -> float:
        """What expired legs are valued at, USD."""
        return self.settlement_prices_usd.get(expiry_s, self.spot_usd)


@dataclass(frozen=True, slots=True)
class LegArrays:
    """Legs as columns, one row a leg, in the order given."""

    is_call: NDArray[np.bool_]
    strike_usd: FloatArray
    size: FloatArray
    expiry_s: NDArray[np.int64]

    @classmethod
    def of(cls, legs: Sequence[OptionLeg]) -> LegArrays:
        """Columns of `legs`. Raises PricingError for a size that is not finite or a strike that is not positive."""
        for row, leg in enumerate(legs):
            if not math.isfinite(leg.size) or not 0.0 < leg.strike_usd < math.inf:
                raise PricingError(
                    f"leg {row} (series {leg.series_id}) has size {leg.size!r} and strike {leg.strike_usd!r}"
                )
        return cls(
            is_call=np.array([leg.is_call for leg in legs], dtype=np.bool_),
            strike_usd=np.array([leg.strike_usd for leg in legs], dtype=np.float64),
            size=np.array([leg.size for leg in legs], dtype=np.float64),
            expiry_s=np.array([leg.expiry_s for leg in legs], dtype=np.int64),
        )


def market_of(snapshot: Snapshot) -> Market:
    """The market part of a snapshot."""
    return Market(
        timestamp_s=snapshot.timestamp_s,
        spot_usd=snapshot.spot_usd,
        slices={s.expiry_s: s for s in snapshot.slices},
        settlement_prices_usd=dict(snapshot.settlement_prices_usd),
    )


def hedge_eth(snapshot: Snapshot) -> float:
    """Everything held or owed in ETH outside options: base of the account and of every venue."""
    total = math.fsum((snapshot.base_eth, *(venue.base_eth for venue in snapshot.venues)))
    if not math.isfinite(total):
        raise PricingError("base of the account or of a venue is not a finite number")
    return total


def value_book(snapshot: Snapshot) -> Book:
    """Value and Greeks of the vault's book in the snapshot's underlying.

    Raises PricingError naming what is out of domain: never NaN in a book.
    """
    market = market_of(snapshot)
    own = LegArrays.of([leg for leg in snapshot.legs if leg.underlying == snapshot.underlying])
    hedge = hedge_eth(snapshot)
    if own.size.size == 0:
        return Book(0.0, 0.0, hedge, 0.0, 0.0, 0.0)
    live = own.expiry_s > market.timestamp_s
    forward, vol = forward_and_vol(own, market)
    greeks = leg_greeks(own, market, forward, vol)
    value = np.where(live, greeks.price, payoff(own, market))
    size = np.where(live, own.size, 0.0)
    return Book(
        option_value_usd=float(own.size @ value),
        option_delta_eth=float(size @ greeks.delta),
        hedge_eth=hedge,
        gamma_eth_per_usd=float(size @ greeks.gamma),
        vega_usd=float(size @ greeks.vega),
        theta_usd_per_year=float(size @ greeks.theta),
    )


def years_left(legs: LegArrays, market: Market) -> FloatArray:
    """Time to each leg's expiry in years, 0 once expired."""
    return np.maximum(legs.expiry_s - market.timestamp_s, 0) / SECONDS_PER_YEAR


def forward_and_vol(legs: LegArrays, market: Market) -> tuple[FloatArray, FloatArray]:
    """Forward (USD) and implied volatility of each leg, as IVolSurface.volAndForward."""
    tau = years_left(legs, market)
    forward = np.full(legs.size.shape, market.spot_usd)
    vol = np.zeros(legs.size.shape)
    for expiry_s in np.unique(legs.expiry_s):
        slice_ = market.slices.get(int(expiry_s))
        mine = legs.expiry_s == expiry_s
        if slice_ is None or expiry_s <= market.timestamp_s:
            continue
        if not abs(slice_.carry) <= MAX_CARRY:
            raise PricingError(
                f"carry of expiry {expiry_s} is {slice_.carry!r} a year, outside +-{MAX_CARRY:g}"
            )
        forward[mine] = market.spot_usd * np.exp(slice_.carry * tau[mine])
        vol[mine] = svi.implied_vol(slice_, np.log(legs.strike_usd[mine] / forward[mine]))
    return forward, vol


def leg_greeks(
    legs: LegArrays, market: Market, forward: FloatArray, vol: FloatArray
) -> black76.Greeks:
    """Price and spot Greeks per contract; an expired leg is treated as one with no time left."""
    return black76.spot_greeks(
        legs.is_call, market.spot_usd, forward, legs.strike_usd, vol, years_left(legs, market)
    )


def leg_cross_greeks(
    legs: LegArrays, market: Market, forward: FloatArray, vol: FloatArray
) -> black76.CrossGreeks:
    """As `leg_greeks`, with vanna (ETH per 1.00 of volatility) and volga (USD per 1.00 squared)."""
    tau = years_left(legs, market)
    return black76.spot_greeks(
        legs.is_call, market.spot_usd, forward, legs.strike_usd, vol, tau, cross=True
    )


def payoff(legs: LegArrays, market: Market) -> FloatArray:
    """Payoff per contract at the proven settlement price, or at spot until there is one."""
    at = np.array([market.settlement_or_spot(int(e)) for e in legs.expiry_s], dtype=np.float64)
    return np.maximum(np.where(legs.is_call, at - legs.strike_usd, legs.strike_usd - at), 0.0)
