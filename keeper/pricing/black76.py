"""Black (1976) price and Greeks of arrays of mixed calls and puts on a forward, and on spot through the forward.

Source: Black (1976), "The pricing of commodity contracts", Journal of Financial Economics 3, eq. 16; Greeks as in
Haug (2007), "The complete guide to option pricing formulas", chapter 2. Conventions are those of
contracts/libraries/BlackScholes.sol: discount factor 1, theta in USD per year at fixed forward, and with no time
or no volatility left (vol * sqrt(tau) below 1e-18, which the contract rounds to 0) intrinsic value, delta 0 or
+-1 (0 at the money) and other Greeks 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from keeper.errors import PricingError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MAX_PRICE_USD = 1e12
MAX_VOL = 10.0
MAX_TAU_YEARS = 10.0
# A forward or strike under one WAD unit does not exist on the chain.
MIN_PRICE_USD = 1e-18

_NO_UNCERTAINTY = 1e-18
# One block's inputs, outputs and scratch (16 rows of 8 bytes) fit a 1 MB second-level cache; smaller blocks lose
# more to numpy's overhead per call than they gain.
_BLOCK = 6144
_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


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


def greeks(
    is_call: ArrayLike, forward: ArrayLike, strike: ArrayLike, vol: ArrayLike, tau_years: ArrayLike
) -> Greeks:
    """Price and Greeks with respect to the forward. Inputs share one shape, or are scalars.

    Raises PricingError naming the argument for a wrong dtype or shape, NaN, inf, forward or strike outside
    [1e-18, 1e12] USD, vol outside [0, 10], tau outside [0, 10] years.
    """
    calls, columns, shape = _columns(is_call, forward, strike, vol, tau_years)
    _check_ranges(columns)
    n = calls.size
    out = np.empty((5, n))
    size = math.ceil(n / max(1, math.ceil(n / _BLOCK)))
    scratch = np.empty((7, size))
    for start in range(0, n, size or 1):
        cut = slice(start, min(start + size, n))
        block = [column[cut] for column in columns]
        _fill(calls[cut], block, out[:, cut], scratch[:, : cut.stop - cut.start])
    return Greeks(*(row.reshape(shape) for row in out))


def price(
    is_call: ArrayLike, forward: ArrayLike, strike: ArrayLike, vol: ArrayLike, tau_years: ArrayLike
) -> FloatArray:
    """Undiscounted price in USD; arguments and errors as in `greeks`."""
    return greeks(is_call, forward, strike, vol, tau_years).price


def spot_greeks(
    is_call: ArrayLike,
    spot: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    vol: ArrayLike,
    tau_years: ArrayLike,
) -> Greeks:
    """As `greeks`, with delta and gamma to the spot: delta * F/S and gamma * (F/S)^2, at a fixed carry."""
    g = greeks(is_call, forward, strike, vol, tau_years)
    s = np.asarray(spot, dtype=np.float64)
    _check_range("spot", s, MIN_PRICE_USD, MAX_PRICE_USD)
    if s.shape not in ((), g.price.shape):
        raise PricingError(f"spot has shape {s.shape}, expected {g.price.shape} or a scalar")
    ratio = np.asarray(forward, dtype=np.float64) / s
    return Greeks(g.price, g.delta * ratio, g.gamma * ratio * ratio, g.vega, g.theta)


def _fill(calls: BoolArray, block: list[FloatArray], out: FloatArray, scratch: FloatArray) -> None:
    """Fills the five rows of `out` for one block, allocating nothing for it but the masks."""
    forward, strike, vol, tau = block
    sign, root, s, d1, d2, _, tmp = scratch
    np.multiply(calls, 2.0, out=sign)
    sign -= 1.0
    np.sqrt(tau, out=root)
    np.multiply(vol, root, out=s)
    certain = s < _NO_UNCERTAINTY
    any_certain = bool(certain.any())
    if any_certain:
        s[certain] = 1.0
        root[certain] = 1.0
    np.divide(forward, strike, out=d1)
    np.log(d1, out=d1)
    d1 /= s
    np.multiply(s, 0.5, out=tmp)
    d1 += tmp
    np.subtract(d1, s, out=d2)
    _fill_from_density(forward, vol, out, scratch)
    _fill_price_and_delta(forward, strike, out, scratch)
    if any_certain:
        out[0, certain] = tmp[certain]
        out[1, certain] = np.where(tmp > 0.0, sign, 0.0)[certain]
        out[2:, certain] = 0.0


def _fill_from_density(
    forward: FloatArray, vol: FloatArray, out: FloatArray, scratch: FloatArray
) -> None:
    """Gamma, vega and theta, the same for a call and a put. Uses up `root`."""
    _, _, gamma, vega, theta = out
    _, root, s, d1, _, phi, _ = scratch
    np.multiply(d1, d1, out=phi)
    phi *= -0.5
    np.exp(phi, out=phi)
    phi *= _INV_SQRT_2PI
    np.multiply(forward, s, out=gamma)
    np.divide(phi, gamma, out=gamma)
    np.multiply(forward, phi, out=vega)
    np.multiply(vega, vol, out=theta)
    vega *= root
    root *= -2.0
    theta /= root


def _fill_price_and_delta(
    forward: FloatArray, strike: FloatArray, out: FloatArray, scratch: FloatArray
) -> None:
    """Price and delta. Uses up `d1` and `d2`, leaves the intrinsic value in the last row of `scratch`."""
    price_, delta, _, _, _ = out
    sign, _, _, d1, d2, _, intrinsic = scratch
    # N(sign * d) keeps the relative accuracy of far options: 1 - N(d) would lose it.
    d1 *= sign
    ndtr(d1, out=delta)
    d2 *= sign
    ndtr(d2, out=d2)
    d2 *= strike
    np.multiply(forward, delta, out=price_)
    price_ -= d2
    price_ *= sign
    delta *= sign
    np.subtract(forward, strike, out=intrinsic)
    intrinsic *= sign
    np.maximum(intrinsic, 0.0, out=intrinsic)
    # Rounding must not leave the no-arbitrage bound: value >= intrinsic.
    np.maximum(price_, intrinsic, out=price_)


def _columns(
    is_call: ArrayLike, forward: ArrayLike, strike: ArrayLike, vol: ArrayLike, tau_years: ArrayLike
) -> tuple[BoolArray, list[FloatArray], tuple[int, ...]]:
    calls = np.asarray(is_call)
    if calls.dtype != np.bool_:
        raise PricingError(
            f"is_call must hold booleans, got dtype {calls.dtype}: use True for a call"
        )
    named = {"forward": forward, "strike": strike, "vol": vol, "tau_years": tau_years}
    arrays: dict[str, FloatArray] = {}
    for name, value in named.items():
        try:
            arrays[name] = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise PricingError(f"{name} is not an array of numbers: {error}") from error
    shape = calls.shape
    for array in arrays.values():
        shape = shape or array.shape
    for name, array in {"is_call": calls, **arrays}.items():
        if array.shape not in ((), shape):
            raise PricingError(f"{name} has shape {array.shape}, expected {shape} or a scalar")
    flat = [np.broadcast_to(array, shape).reshape(-1) for array in arrays.values()]
    return np.broadcast_to(calls, shape).reshape(-1), flat, shape


def _check_ranges(columns: list[FloatArray]) -> None:
    _check_range("forward", columns[0], MIN_PRICE_USD, MAX_PRICE_USD)
    _check_range("strike", columns[1], MIN_PRICE_USD, MAX_PRICE_USD)
    _check_range("vol", columns[2], 0.0, MAX_VOL)
    _check_range("tau_years", columns[3], 0.0, MAX_TAU_YEARS)


def _check_range(name: str, values: FloatArray, low: float, high: float) -> None:
    """NaN fails both comparisons, so it is caught by the same test."""
    if values.size == 0 or (values.min() >= low and values.max() <= high):
        return
    flat = values.reshape(-1)
    index = int(np.flatnonzero(~((flat >= low) & (flat <= high)))[0])
    raise PricingError(
        f"{name} must lie in [{low:g}, {high:g}], got {flat[index]!r} at position {index}"
    )
