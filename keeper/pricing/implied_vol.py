"""Implied volatility of arrays of mixed calls and puts: exact wherever the price holds information, a reason elsewhere.

Prices are undiscounted, as in keeper.pricing.black76: divide a discounted price by its discount first. One bad quote
spoils its own row only. Method: keeper.pricing.implied_kernel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.pricing.implied_kernel import total_vol
from keeper.pricing.option_columns import (
    MAX_PRICE_USD,
    MAX_TAU_YEARS,
    MIN_PRICE_USD,
    BoolArray,
    FloatArray,
    columns,
)

# Half a unit in the last place of the price must not move the result by more than this share of it.
MAX_ROUNDING = 1e-6
# Measured: what a longer block needs at once, the allocator gives back to the system and takes again, page by page.
_BLOCK = 6_144
# Doubles below this have fewer digits.
_LEAST = float(np.finfo(np.float64).tiny)
_SQRT_2PI = float(np.sqrt(2.0 * np.pi))


class Reason(IntEnum):
    """Why a row has no volatility; SOLVED where it has one."""

    SOLVED = 0
    NOT_FINITE = 1
    """An input is NaN or infinite."""
    OUT_OF_DOMAIN = 2
    """Forward or strike outside [1e-18, 1e12] USD, years outside [0, 10], or a negative price."""
    EXPIRED = 3
    """No time is left: the price is the payoff, whatever the volatility."""
    BELOW_INTRINSIC = 4
    """Below what the option pays at the forward: there is arbitrage, or the inputs are not of one moment."""
    ABOVE_BOUND = 5
    """At or above the forward (call) or strike (put), which no volatility reaches."""
    NO_INFORMATION = 6
    """The rounding of the price alone moves the volatility by more than MAX_ROUNDING of itself."""
    NOT_SETTLED = 7
    """The steps did not converge. No input is known that does this."""


@dataclass(frozen=True, slots=True)
class ImpliedVols:
    """Annualised decimal volatility, NaN where `reason` (codes of Reason, one byte each) is not SOLVED."""

    vol: FloatArray
    reason: NDArray[np.int8]


def implied_vol(
    is_call: ArrayLike,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    tau_years: ArrayLike,
) -> ImpliedVols:
    """The volatility at which `black76.price` gives `price` (USD). Inputs share one shape, or are scalars.

    Raises PricingError for a wrong dtype or shapes that do not fit; anything wrong with a value is a reason in its row.
    Volatilities above black76.MAX_VOL are returned as they are.
    """
    named = {"price": price, "forward": forward, "strike": strike, "tau_years": tau_years}
    calls, inputs, shape = columns(is_call, named)
    vol = np.full(calls.shape, np.nan)
    reason = np.zeros(calls.shape, dtype=np.int8)
    size = math.ceil(calls.size / max(1, math.ceil(calls.size / _BLOCK)))
    for start in range(0, calls.size, size or 1):
        cut = slice(start, start + size)
        _fill(calls[cut], [column[cut] for column in inputs], vol[cut], reason[cut])
    return ImpliedVols(vol.reshape(shape), reason.reshape(shape))


def _fill(
    calls: BoolArray, block: list[FloatArray], vol: FloatArray, reason: NDArray[np.int8]
) -> None:
    """One block; what one row's values do wrong on the way is in that row's reason."""
    price, forward, strike, tau = block
    with np.errstate(all="ignore"):
        time_value, room = _time_value(calls, price, forward, strike)
        unit = np.sqrt(forward * strike)
        b, c = time_value / unit, room / unit
        low = np.minimum(forward, strike)
        x = np.log1p(np.abs(forward - strike) / low)
        blur = np.spacing(price)
        reason[~(b >= _LEAST)] = Reason.NO_INFORMATION
        reason[~(room > 0.0)] = Reason.ABOVE_BOUND
        reason[time_value < -blur] = Reason.BELOW_INTRINSIC
    _refuse_values(block, reason)
    rows = np.flatnonzero(reason == Reason.SOLVED)
    if rows.size < reason.size:
        x, b, c, unit, blur, tau = (y[rows] for y in (x, b, c, unit, blur, tau))
    s, settled = total_vol(x, b, c)
    vol[rows] = s / np.sqrt(tau)
    vega = unit * np.exp(-0.5 * ((x / s) ** 2 + 0.25 * s * s)) / _SQRT_2PI
    reason[rows[blur > 2.0 * MAX_ROUNDING * s * vega]] = Reason.NO_INFORMATION
    reason[rows[~settled]] = Reason.NOT_SETTLED
    vol[reason != Reason.SOLVED] = np.nan


def _refuse_values(block: list[FloatArray], reason: NDArray[np.int8]) -> None:
    """Reasons that are in the values alone, over those of the mathematics; the first in Reason's order last."""
    price, forward, strike, tau = block
    reason[tau == 0.0] = Reason.EXPIRED
    for column, low, high in (
        (price, 0.0, np.inf),
        (forward, MIN_PRICE_USD, MAX_PRICE_USD),
        (strike, MIN_PRICE_USD, MAX_PRICE_USD),
        (tau, 0.0, MAX_TAU_YEARS),
    ):
        # NaN fails every comparison.
        if column.size and not (column.min() >= low and column.max() <= high):
            reason[~((column >= low) & (column <= high))] = Reason.OUT_OF_DOMAIN
    for column in block:
        if column.size and not np.isfinite(column.sum()):
            reason[~np.isfinite(column)] = Reason.NOT_FINITE


def _time_value(
    calls: BoolArray, price: FloatArray, forward: FloatArray, strike: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Price less intrinsic value, without rounding the latter (Knuth's two-sum), and bound less price."""
    own, other = np.where(calls, forward, strike), np.where(calls, strike, forward)
    payoff = own - other
    back = payoff - own
    lost = (own - (payoff - back)) - (other + back)
    time_value = np.where(payoff > 0.0, (price - payoff) - lost, price)
    return time_value, own - price
