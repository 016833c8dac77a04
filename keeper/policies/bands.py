"""What band policies share: a no-trade interval with targets, and the plan that follows from it.

Formulas take floats, or arrays of one shape, so that the keeper and the simulator run the same ones.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from keeper.errors import PricingError
from keeper.models import Book, Costs, Forecast, Plan, Snapshot

FloatArray = NDArray[np.float64]
Number = TypeVar("Number", float, FloatArray)


class Bands(NamedTuple):
    """No trade while lower <= y <= upper; from below a trade goes to `buy_to`, from above to `sell_to`. Same shapes."""

    lower: FloatArray
    upper: FloatArray
    buy_to: FloatArray
    sell_to: FloatArray

    def after(self, hedge: FloatArray) -> FloatArray:
        """The hedge that is held once the rule has been followed."""
        bought = np.where(hedge < self.lower, self.buy_to, hedge)
        return np.where(hedge > self.upper, self.sell_to, bought)


def larger(a: Number, b: Number) -> Number:
    """Max of floats, without numpy's price for a scalar, or of arrays."""
    if isinstance(a, np.ndarray):
        return np.maximum(a, b)
    return max(a, b)


def smaller(a: Number, b: Number) -> Number:
    """As `larger`, the least."""
    if isinstance(a, np.ndarray):
        return np.minimum(a, b)
    return min(a, b)


def power(base: Number, exponent: float) -> Number:
    """Base ** exponent for a base >= 0, of the base's own type."""
    if isinstance(base, np.ndarray):
        return np.asarray(base**exponent)
    return float(base**exponent)


def around(centre: FloatArray, outer: FloatArray, inner: FloatArray) -> Bands:
    """A symmetric band: trade outside centre +- outer, to centre +- inner."""
    return Bands(centre - outer, centre + outer, centre - inner, centre + inner)


def checked_inputs(book: Book, forecast: Forecast, costs: Costs) -> None:
    """Raises PricingError for a gamma, volatility or cost that a band cannot be made from."""
    if not math.isfinite(book.gamma_eth_per_usd):
        raise PricingError(f"gamma is {book.gamma_eth_per_usd!r}: check legs and surface")
    if not (math.isfinite(forecast.vol) and forecast.vol >= 0.0):
        raise PricingError(f"forecast volatility is {forecast.vol!r}: it must be a number >= 0")
    if not (0.0 <= costs.fixed_usd < math.inf and 0.0 <= costs.proportional < 1.0):
        raise PricingError(
            f"costs are {costs.fixed_usd!r} USD fixed and {costs.proportional!r} of notional: "
            "need fixed >= 0 and 0 <= proportional < 1"
        )


def live_notional(snapshot: Snapshot) -> float:
    """Spot times the number of live options, long or short, in USD: what risk aversion is scaled by."""
    return snapshot.spot_usd * math.fsum(
        abs(leg.size)
        for leg in snapshot.legs
        if leg.underlying == snapshot.underlying and leg.expiry_s > snapshot.timestamp_s
    )


def plan_within(
    delta: float,
    edges: tuple[float, float],
    targets: tuple[float, float],
    diagnostics: dict[str, float],
    min_clip_eth: float = 0.0,
    contract_band_eth: float = math.inf,
) -> Plan:
    """The plan for a net delta with no trade inside `edges`; below them it goes to targets[0], above to targets[1].

    A trade smaller than `min_clip_eth` waits. The contract takes no trade that leaves delta outside its band on the
    other side of 0, which is cut to the band, nor one that takes it further from 0, which waits.
    """
    lower, upper = edges
    half = 0.5 * (upper - lower)
    if lower <= delta <= upper:
        reason = f"delta {delta:.6g} ETH is inside the band from {lower:.6g} to {upper:.6g} ETH"
        return Plan(0.0, reason, half, delta, diagnostics)
    target = targets[0] if delta < lower else targets[1]
    if abs(target) > contract_band_eth and target * delta < 0.0:
        target = math.copysign(contract_band_eth, target)
    if abs(target) > max(contract_band_eth, abs(delta)):
        reason = (
            f"the contract takes no trade of delta {delta:.6g} ETH away from 0 to {target:.6g} ETH"
        )
        return Plan(0.0, reason, half, delta, diagnostics)
    trade = target - delta
    if abs(trade) < min_clip_eth:
        reason = f"a trade of {trade:.6g} ETH is under the least clip of {min_clip_eth:.6g} ETH"
        return Plan(0.0, reason, half, delta, diagnostics)
    reason = f"delta {delta:.6g} ETH is outside the band from {lower:.6g} to {upper:.6g} ETH: to {target:.6g} ETH"
    return Plan(trade, reason, half, target, diagnostics)
