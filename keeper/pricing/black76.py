"""Black (1976) price and Greeks of arrays of mixed calls and puts on a forward, and on spot through the forward.

Source: Black (1976), "The pricing of commodity contracts", Journal of Financial Economics 3, eq. 16; Greeks as in
Haug (2007), "The complete guide to option pricing formulas", chapter 2. Conventions are those of
contracts/libraries/BlackScholes.sol: discount factor 1, theta in USD per year at fixed forward, and with no time
or no volatility left (vol * sqrt(tau) below 1e-18, which the contract rounds to 0) intrinsic value, delta 0 or
+-1 (0 at the money) and other Greeks 0. With interest and dividends: keeper.pricing.black_scholes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import PricingError
from keeper.pricing.black_kernel import Scratch, fill
from keeper.pricing.option_columns import (
    MAX_PRICE_USD,
    MAX_TAU_YEARS,
    MAX_VOL,
    MIN_PRICE_USD,
    FloatArray,
    check_range,
    columns,
    numbers,
)

__all__ = ["MAX_VOL", "CrossGreeks", "Greeks", "greeks", "price", "spot_greeks"]

# Measured: shorter blocks lose more to numpy's overhead per call than they gain by a nearer cache.
_BLOCK = 12_288
# Of forward, strike, volatility and years.
_RANGES = (
    (MIN_PRICE_USD, MAX_PRICE_USD),
    (MIN_PRICE_USD, MAX_PRICE_USD),
    (0.0, MAX_VOL),
    (0.0, MAX_TAU_YEARS),
)


@dataclass(frozen=True, slots=True)
class Greeks:
    """One value per option, all arrays of the same shape.

    price USD, delta dPrice/dUnderlying, gamma per USD, vega USD per 1.00 of volatility, theta USD per year.
    """

    price: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray


@dataclass(frozen=True, slots=True)
class CrossGreeks(Greeks):
    """With vanna dDelta/dVol = dVega/dUnderlying per 1.00 of volatility, and volga d2Price/dVol2 in USD."""

    vanna: FloatArray
    volga: FloatArray


@overload
def greeks(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    vol: ArrayLike,
    tau_years: ArrayLike,
    *,
    cross: Literal[False] = False,
) -> Greeks: ...


@overload
def greeks(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    vol: ArrayLike,
    tau_years: ArrayLike,
    *,
    cross: Literal[True],
) -> CrossGreeks: ...


def greeks(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    vol: ArrayLike,
    tau_years: ArrayLike,
    *,
    cross: bool = False,
) -> Greeks | CrossGreeks:
    """Price and Greeks with respect to the forward, with vanna and volga if `cross`.

    Inputs share one shape, or are scalars. Raises PricingError naming the argument for a wrong dtype or shape, NaN,
    inf, forward or strike outside [1e-18, 1e12] USD, vol outside [0, 10], tau outside [0, 10] years.
    """
    named = {"forward": forward, "strike": strike, "vol": vol, "tau_years": tau_years}
    calls, inputs, shape = columns(is_call, named)
    for name, values, (low, high) in zip(named, inputs, _RANGES, strict=True):
        check_range(name, values, low, high)
    n = calls.size
    out = np.empty((7 if cross else 5, n))
    size = math.ceil(n / max(1, math.ceil(n / _BLOCK)))
    scratch = Scratch(size)
    for start in range(0, n, size or 1):
        # The last block begins early enough to be full, too.
        cut = slice(min(start, n - size), min(start + size, n))
        fill(calls[cut], [column[cut] for column in inputs], out[:, cut], scratch)
    rows = [row.reshape(shape) for row in out]
    return CrossGreeks(*rows) if cross else Greeks(*rows)


def price(
    is_call: ArrayLike, forward: ArrayLike, strike: ArrayLike, vol: ArrayLike, tau_years: ArrayLike
) -> FloatArray:
    """Undiscounted price in USD; arguments and errors as in `greeks`."""
    return greeks(is_call, forward, strike, vol, tau_years).price


@overload
def spot_greeks(
    is_call: ArrayLike,
    spot: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    vol: ArrayLike,
    tau_years: ArrayLike,
    *,
    cross: Literal[False] = False,
) -> Greeks: ...


@overload
def spot_greeks(
    is_call: ArrayLike,
    spot: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    vol: ArrayLike,
    tau_years: ArrayLike,
    *,
    cross: Literal[True],
) -> CrossGreeks: ...


def spot_greeks(
    is_call: ArrayLike,
    spot: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    vol: ArrayLike,
    tau_years: ArrayLike,
    *,
    cross: bool = False,
) -> Greeks | CrossGreeks:
    """As `greeks`, with delta, gamma and vanna to the spot at a fixed carry: each forward brings a factor F/S."""
    if cross:
        g: Greeks = greeks(is_call, forward, strike, vol, tau_years, cross=True)
    else:
        g = greeks(is_call, forward, strike, vol, tau_years)
    s = numbers("spot", spot)
    check_range("spot", s, MIN_PRICE_USD, MAX_PRICE_USD)
    if s.shape not in ((), g.price.shape):
        raise PricingError(f"spot has shape {s.shape}, expected {g.price.shape} or a scalar")
    ratio = np.asarray(forward, dtype=np.float64) / s
    delta, gamma = g.delta * ratio, g.gamma * ratio * ratio
    if isinstance(g, CrossGreeks):
        return CrossGreeks(g.price, delta, gamma, g.vega, g.theta, g.vanna * ratio, g.volga)
    return Greeks(g.price, delta, gamma, g.vega, g.theta)
