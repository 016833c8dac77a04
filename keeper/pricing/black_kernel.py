"""Black's formula on one block of options, in place: no array is allocated per operation and no branch is taken.

At these block lengths a good part of numpy's time is the call itself. Hence both distances d1, d2 go through every step
as one row; the powers of a rational function are summed by a matrix product instead of Horner's steps (Paterson and
Stockmeyer, 1973); constants are arrays of no dimension and results go to a positional argument, which saves numpy a
third of each call.

The normal distribution is N(-x) = n(x) M(x) with the Mills ratio M = P/Q, minimax on [0, 39] (Cheney, 1966, chapter
5; coefficients by `python -m scripts.maths.mills_ratio`): N is exact to 2e-16, and its tail to 2e-14 of itself down
to the smallest double. One exponential serves both distances, because forward * n(d1) = strike * n(d2).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Total volatility below this is none: the contracts round it to 0.
NO_UNCERTAINTY = 1e-18

_P = (
    73967.72638681033, 104398.30243733706, 72805.40244260842, 31879.94167159921, 9482.029148459129,
    1954.110730952228, 272.84582214826384, 23.747790393162816, 1.0000000001004454, 0.0,
)  # fmt: skip
_Q = (
    59017.70688172668, 130387.11082369958, 132615.3157650038, 81751.10986778104, 33786.596024968254,
    9752.873147464947, 1977.8585818664187, 273.8458208105876, 23.7477904106035, 1.0,
)  # fmt: skip
# P = low(x) + x^5 high(x), and Q: the lower halves of both, then the upper ones.
_SPLIT = len(_P) // 2
_HALVES = np.array([_P[:_SPLIT], _Q[:_SPLIT], _P[_SPLIT:], _Q[_SPLIT:]])

_ZERO, _HALF, _MINUS_HALF = (np.array(x) for x in (0.0, 0.5, -0.5))
_ONE_BYTE = np.int8(1)
_INV_SQRT_2PI = np.array(1.0 / math.sqrt(2.0 * math.pi))


class MillsScratch:
    """Room for the Mills ratio of `width` numbers: put them, none below -0.05, into `x`.

    `buffer`, of ROWS * width numbers or more, may serve several in turn.
    """

    ROWS = 10

    def __init__(self, width: int, buffer: FloatArray | None = None) -> None:
        size = self.ROWS * width
        rows = (np.empty(size) if buffer is None else buffer[:size]).reshape(self.ROWS, width)
        rows[0] = 1.0
        self._powers, self._fifth, self._sums = rows[:5], rows[5], rows[6:]
        self.x: FloatArray = rows[1]
        self.squared: FloatArray = rows[2]

    def ratio(self) -> FloatArray:
        """N(-x) / n(x) of what is in `x`, a view that the next call overwrites; leaves x^2 in `squared`."""
        _, x, second, third, fourth = self._powers
        np.multiply(x, x, second)
        np.multiply(second, x, third)
        np.multiply(second, second, fourth)
        np.multiply(fourth, x, self._fifth)
        np.dot(_HALVES, self._powers, self._sums)
        low, high = self._sums[:2], self._sums[2:]
        np.multiply(high, self._fifth, high)
        np.add(high, low, high)
        ratio: FloatArray = high[0]
        np.divide(ratio, high[1], ratio)
        return ratio


class Scratch:
    """Working rows for blocks of `width` options."""

    def __init__(self, width: int) -> None:
        self.mills = MillsScratch(2 * width)
        self.distances: FloatArray = self.mills.x.reshape(2, width)
        rows = np.empty((7, width))
        self.root, self.total, self.density, self.spare, self.sign = rows[:5]
        self.tails: FloatArray = rows[5:]


def fill(calls: BoolArray, columns: list[FloatArray], out: FloatArray, w: Scratch) -> None:
    """Fills the rows price, delta, gamma, vega, theta, and vanna and volga where `out` has seven.

    `columns` are forward, strike, volatility and years, all as long as the rows of `w` and inside the domain of
    keeper.pricing.black76.
    """
    forward, strike, vol, tau = columns
    certain = _distances(forward, strike, vol, tau, w)
    if len(out) > 5:
        out[5:] = w.distances
    heads = np.greater(w.distances, _ZERO)
    np.equal(heads, calls, heads)
    np.absolute(w.mills.x, w.mills.x)
    ratio = w.mills.ratio()
    np.multiply(w.mills.squared[: len(forward)], _MINUS_HALF, w.density)
    np.exp(w.density, w.density)
    np.multiply(w.density, _INV_SQRT_2PI, w.density)
    _fill_from_density(forward, vol, out, w)
    if len(out) > 5:
        _fill_cross(out, w)
    _fill_price_and_delta(calls, heads, ratio, columns, out, w)
    if certain is not None:
        intrinsic = np.maximum(w.spare[certain], 0.0)
        out[0, certain] = intrinsic
        out[1, certain] = np.where(intrinsic > 0.0, w.sign[certain], 0.0)
        out[2:, certain] = 0.0


def _distances(
    forward: FloatArray, strike: FloatArray, vol: FloatArray, tau: FloatArray, w: Scratch
) -> BoolArray | None:
    """d1, d2, sqrt(tau) and total volatility; returns where nothing is uncertain, if anywhere."""
    d1, d2 = w.distances
    root, total, half = w.root, w.total, w.spare
    np.sqrt(tau, root)
    np.multiply(vol, root, total)
    certain = None
    if np.minimum.reduce(total) < NO_UNCERTAINTY:
        certain = total < NO_UNCERTAINTY
        total[certain] = 1.0
        root[certain] = 1.0
    np.divide(forward, strike, d1)
    np.log(d1, d1)
    np.divide(d1, total, d1)
    np.multiply(total, _HALF, half)
    np.subtract(d1, half, d2)
    np.add(d1, half, d1)
    return certain


def _fill_from_density(forward: FloatArray, vol: FloatArray, out: FloatArray, w: Scratch) -> None:
    """Gamma, vega and theta, the same for a call and a put; leaves forward * density in `spare`."""
    gamma, vega, theta = out[2:5]
    np.multiply(forward, w.total, gamma)
    np.divide(w.density, gamma, gamma)
    np.multiply(forward, w.density, w.spare)
    np.multiply(w.spare, w.root, vega)
    np.multiply(w.spare, vol, theta)
    np.divide(theta, w.root, theta)
    np.multiply(theta, _MINUS_HALF, theta)


def _fill_cross(out: FloatArray, w: Scratch) -> None:
    """Vanna -n(d1) d2 / vol and volga vega d1 d2 / vol; d1 and d2 are in their rows. Uses up `root`."""
    vega, _, d1, d2 = out[3:]
    one_over_vol = np.divide(w.root, w.total, w.root)
    np.multiply(d2, one_over_vol, d2)
    np.multiply(d1, d2, w.total)
    np.multiply(d2, w.density, d1)
    np.negative(d1, d1)
    np.multiply(w.total, vega, d2)


def _fill_price_and_delta(
    calls: BoolArray,
    heads: BoolArray,
    ratio: FloatArray,
    columns: list[FloatArray],
    out: FloatArray,
    w: Scratch,
) -> None:
    """Price and delta; leaves +-(forward - strike) in `spare` and +-1 in `sign`.

    N(y) = |head - n(y) M(|y|)| with head 1 for y > 0 and 0 else: no difference is taken in the tail. `heads` are those
    of y = +-d, by kind of option.
    """
    forward, strike, _, _ = columns
    price, delta = out[:2]
    width = len(price)
    forward_density, sign = w.spare, w.sign
    n1, n2 = w.tails
    np.copyto(w.tails, heads)
    m1, m2 = ratio[:width], ratio[width:]
    np.multiply(m1, w.density, m1)
    np.subtract(n1, m1, n1)
    np.absolute(n1, n1)
    np.multiply(n2, strike, n2)
    np.multiply(m2, forward_density, m2)
    np.subtract(n2, m2, n2)
    np.absolute(n2, n2)
    np.multiply(n1, forward, price)
    np.subtract(price, n2, price)
    np.absolute(price, price)
    kind = calls.view(np.int8)
    np.copyto(sign, kind + kind - _ONE_BYTE)
    np.multiply(n1, sign, delta)
    payoff = np.subtract(forward, strike, w.spare)
    np.multiply(payoff, sign, payoff)
    # Rounding must not leave the no-arbitrage bound. The price is not negative, so the payoff may be.
    np.maximum(price, payoff, out=price)
