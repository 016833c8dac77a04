"""Full revaluation of a holding under many scenarios at once: no Greeks, every option priced anew.

A scenario moves spot by a share of itself and implied volatility by a relative amount stated at 30 days, which is
scaled to each option's time left as the contract does (IRiskEngine). Each option keeps its own volatility as spot
moves, times the factor; forwards move in proportion to spot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import PricingError
from keeper.portfolio.book import LegArrays, forward_and_vol, payoff
from keeper.portfolio.positions import Holdings, Instrument, VenuePosition
from keeper.pricing import black76
from keeper.units import SECONDS_PER_YEAR

FloatArray = NDArray[np.float64]
DAY_S = 86_400
_CELLS = 1 << 18  # options x scenarios priced at a time: 2 MB a row


@dataclass(frozen=True, slots=True)
class TenorScale:
    """Relative volatility moves at another time left: times sqrt(reference / max(tau, shortest)), at most down 90 %."""

    reference_s: float = 30.0 * DAY_S
    shortest_s: float = 7.0 * DAY_S
    max_down: float = 0.9

    def __post_init__(self) -> None:
        if not (0.0 < self.reference_s < math.inf and 0.0 < self.shortest_s < math.inf):
            raise PricingError("reference and shortest tenor must be positive numbers of seconds")
        if not 0.0 < self.max_down < 1.0:
            raise PricingError(f"max_down must lie in (0, 1), got {self.max_down!r}")

    def factor(self, move: FloatArray, tau_s: FloatArray) -> FloatArray:
        """Volatility factors; `move` and `tau_s` broadcast."""
        scale = np.sqrt(self.reference_s / np.maximum(tau_s, self.shortest_s))
        return np.asarray(1.0 + np.maximum(move * scale, -self.max_down))


CONTRACT_SCALE = TenorScale()


def scenario_values(
    held: Holdings,
    spot_move: ArrayLike,
    vol_move: ArrayLike,
    later_s: int = 0,
    scale: TenorScale = CONTRACT_SCALE,
) -> FloatArray:
    """Value (USD) of the holding in each scenario, `later_s` seconds from now; moves are 1-d, of one length.

    A venue below its liquidation threshold there has its base bought back at the scenario's spot, less the penalty.
    Raises PricingError for moves that are not finite, not of one length, or take the spot to 0 or below.
    """
    spot, vol = _moves(spot_move, vol_move)
    if later_s < 0:
        raise PricingError(f"later_s is {later_s}: a scenario cannot lie in the past")
    prices = held.market.spot_usd * (1.0 + spot)
    total = held.base_eth * prices
    for venue in held.venues:
        total = total + _venue_values(venue, spot, prices)
    for instrument in held.instruments:
        total = total + _instrument_values(instrument, prices)
    if held.legs:
        total = total + _option_values(held, spot, vol, later_s, scale)
    return np.asarray(total)


def _moves(spot_move: ArrayLike, vol_move: ArrayLike) -> tuple[FloatArray, FloatArray]:
    spot = np.asarray(spot_move, dtype=np.float64)
    vol = np.asarray(vol_move, dtype=np.float64)
    if spot.ndim != 1 or spot.shape != vol.shape or spot.size == 0:
        raise PricingError(
            f"moves have shapes {spot.shape} and {vol.shape}: give two equal, non-empty columns"
        )
    for name, column in (("spot", spot), ("volatility", vol)):
        wrong = ~(np.isfinite(column) & (column > -1.0))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise PricingError(
                f"{name} move {float(column[row])!r} of scenario {row} is not above -100 %"
            )
    return spot, vol


def _venue_values(venue: VenuePosition, spot_move: FloatArray, prices: FloatArray) -> FloatArray:
    """Debt in the base grows with spot, collateral in the base shrinks with it: health moves the other way or along."""
    base = venue.base_eth
    moved = 1.0 + spot_move
    health = venue.health / moved if base < 0.0 else venue.health * moved
    lost = np.where(health < 1.0, venue.penalty * abs(base) * prices, 0.0)
    return np.asarray(venue.quote_usd + base * prices - lost)


def _instrument_values(instrument: Instrument, prices: FloatArray) -> FloatArray:
    unique, back = np.unique(prices, return_inverse=True)
    values = np.array([float(instrument.value(float(price))) for price in unique])
    if not np.isfinite(values).all():
        at = unique[~np.isfinite(values)][0]
        raise PricingError(f"an instrument has no value at {at:.6g} USD")
    return np.asarray(values[back])


def _option_values(
    held: Holdings, spot_move: FloatArray, vol_move: FloatArray, later_s: int, scale: TenorScale
) -> FloatArray:
    legs, market = LegArrays.of(held.legs), held.market
    forward, vol = forward_and_vol(legs, market)
    growth = forward / market.spot_usd
    tau_s = (legs.expiry_s - market.timestamp_s).astype(np.float64)
    live = tau_s > later_s
    out = np.full(spot_move.shape, _settled_value(legs, held, tau_s <= 0.0))
    prices = market.spot_usd * (1.0 + spot_move)
    # Expired without a proven price, or expiring before the scenario's time: worth their payoff at its spot.
    open_end = ~live & np.array([int(e) not in market.settlement_prices_usd for e in legs.expiry_s])
    for row in np.flatnonzero(open_end):
        sign = 1.0 if legs.is_call[row] else -1.0
        out += legs.size[row] * np.maximum(sign * (prices - legs.strike_usd[row]), 0.0)
    rows = np.flatnonzero(live)
    if rows.size == 0:
        return out
    left = np.maximum(tau_s[rows] - later_s, 0.0)
    # The forward keeps its annual carry over the time that is left.
    carried = np.exp(np.log(growth[rows]) * (left / tau_s[rows]))
    block = max(1, _CELLS // rows.size)
    for start in range(0, prices.size, block):
        cut = slice(start, start + block)
        factor = scale.factor(vol_move[cut, None], tau_s[rows][None, :])
        shape = factor.shape
        value = black76.price(
            np.broadcast_to(legs.is_call[rows], shape),
            prices[cut, None] * carried,
            np.broadcast_to(legs.strike_usd[rows], shape),
            np.minimum(vol[rows] * factor, black76.MAX_VOL),
            np.broadcast_to(left / SECONDS_PER_YEAR, shape),
        )
        out[cut] += value @ legs.size[rows]
    return out


def _settled_value(legs: LegArrays, held: Holdings, expired: NDArray[np.bool_]) -> float:
    """Worth of expired legs with a proven price: no scenario changes it."""
    proven = np.array(
        [int(e) in held.market.settlement_prices_usd for e in legs.expiry_s], dtype=np.bool_
    )
    return float(legs.size @ np.where(expired & proven, payoff(legs, held.market), 0.0))
