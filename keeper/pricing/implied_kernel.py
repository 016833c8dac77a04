"""The total volatility s that gives a normalised Black price: a guess, then Householder's steps of fourth order.

With x = |ln(F/K)|, a = x/s, h = s/2, and prices of the out-of-the-money option in units of sqrt(FK):

    b  = n(a, h) (M(a - h) - M(a + h)),   c = exp(-x/2) - b = n(a, h) (M(h - a) + M(a + h)),   db/ds = n(a, h)

where n(a, h) = exp(-(a^2 + h^2)/2) / sqrt(2 pi) and M is the Mills ratio. So the logarithm of b, or of c, and its
first three derivatives need two Mills ratios and no cancellation in the wings. The inflection of b is at s^2 = 2x,
a = h; below it ln b is solved (LOW), above it ln b (MIDDLE) or, nearer the bound, ln c (HIGH). After Jaeckel (2015),
"Let's be rational", Wilmott; the guesses are our own: each fits value and slope at the inflection and the wing's
leading terms, and is within 45 % everywhere, 2 % in the median.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from keeper.pricing.black_kernel import MillsScratch

FloatArray = NDArray[np.float64]

# Each step multiplies the right digits by four: two are enough nearly everywhere, three wherever it was searched.
MOST_STEPS = 6
_SETTLED = 3e-4
_SQRT_2PI = math.sqrt(2.0 * math.pi)
_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_MILLS_0 = math.sqrt(0.5 * math.pi)
# Below this the difference of two Mills ratios is taken by its series in h.
_NARROW = 0.01
# The rational Mills ratio holds a little below 0, so the inflection may be overstepped by this much.
_OVERSTEP = 1e-3


@dataclass(frozen=True, slots=True)
class _Branches:
    """Rows are in the order LOW, MIDDLE, HIGH; where the latter two begin. So a branch is a slice, not a mask."""

    middle: int
    high: int

    def of(self, rows: NDArray[np.intp]) -> _Branches:
        """The same of a selection of rows in ascending order."""
        middle, high = np.searchsorted(rows, (self.middle, self.high))
        return _Branches(int(middle), int(high))


def total_vol(x: FloatArray, b: FloatArray, c: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Total volatility of options with x >= 0, b > 0 and c > 0 as above, and where it has settled."""
    # One buffer for all: many large ones in turn go back to the system and come again page by page.
    buffer = np.empty(MillsScratch.ROWS * 2 * x.size)
    mills_turn = _mills(np.sqrt(2.0 * x), buffer).copy()
    density_turn = np.exp(-0.5 * x)
    density_turn /= _SQRT_2PI
    low = b < density_turn * (_MILLS_0 - mills_turn)
    high = c < b
    high &= ~low
    parts = [np.flatnonzero(mask) for mask in (low, ~(low | high), high)]
    order, first = np.concatenate(parts), parts[0].size
    branches = _Branches(first, first + parts[1].size)
    x, b, c, mills_turn, density_turn = (y[order] for y in (x, b, c, mills_turn, density_turn))
    s, target = np.empty_like(x), np.log(b)
    target[branches.high :] = np.log(c[branches.high :])
    for guess, part in ((_guess_low, slice(first)), (_guess_high, slice(first, None))):
        s[part] = guess(x[part], b[part], c[part], mills_turn[part], density_turn[part])
    found, settled = _polish(branches, x, s, target, buffer)
    result, where = np.empty_like(s), np.empty(s.shape, dtype=np.bool_)
    result[order], where[order] = found, settled
    return result, where


def _guess_low(
    x: FloatArray, b: FloatArray, _c: FloatArray, mills_turn: FloatArray, density_turn: FloatArray
) -> FloatArray:
    """With s = s_turn exp(-t/2): ln(b_turn / b) = x sinh(t/2)^2 + k t, k from the slope at the inflection."""
    turn = np.sqrt(2.0 * x)
    span = _MILLS_0 - mills_turn
    gap = np.maximum(np.log(density_turn * span) - np.log(b), 0.0)
    k = 0.5 * turn / span
    t = np.minimum(2.0 * np.arcsinh(np.sqrt(gap / x)), gap / k)
    for _ in range(2):
        grown = np.exp(0.5 * t)
        sinh, cosh = 0.5 * (grown - 1.0 / grown), 0.5 * (grown + 1.0 / grown)
        t -= (x * sinh * sinh + k * t - gap) / (x * sinh * cosh + k)
    result: FloatArray = turn * np.exp(-0.5 * t)
    return result


def _guess_high(
    x: FloatArray, b: FloatArray, c: FloatArray, mills_turn: FloatArray, density_turn: FloatArray
) -> FloatArray:
    """With c = 2 c_turn N(-y): y = s/2 - x/s, which is exact at the money and has the slope of the far end."""
    twice_c_turn = 2.0 * density_turn * (_MILLS_0 + mills_turn)
    beyond = (b - density_turn * (_MILLS_0 - mills_turn)) / twice_c_turn
    # Near the inflection 1/2 - N(-y) has no digits left.
    y = np.where(beyond < 1e-3, _SQRT_2PI * beyond, -ndtri(np.minimum(c / twice_c_turn, 0.5)))
    y = np.maximum(y, 0.0)
    result: FloatArray = y + np.sqrt(y * y + 2.0 * x)
    return result


def _polish(
    branches: _Branches, x: FloatArray, s: FloatArray, target: FloatArray, buffer: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Steps until each has settled: what a step leaves is less than its fourth power."""
    turn = np.sqrt(2.0 * x)
    bottom, top = turn * (1.0 - _OVERSTEP), turn * (1.0 + _OVERSTEP)
    bottom[: branches.middle] = 0.0
    top[branches.middle :] = np.inf
    result, rows = s, np.arange(x.size)
    for _ in range(MOST_STEPS):
        step = _step(branches, x, s, target, buffer)
        new = np.maximum(step, -0.6 * s)
        np.minimum(new, 1.5 * s, out=new)
        new += s
        np.minimum(new, top, out=new)
        np.maximum(new, bottom, out=new)
        result[rows] = new
        left = np.flatnonzero(np.abs(step) > _SETTLED * s)
        rows = rows[left]
        if not left.size:
            break
        branches = branches.of(left)
        x, s, target, bottom, top = (y[left] for y in (x, new, target, bottom, top))
    settled = np.ones(result.shape, dtype=np.bool_)
    settled[rows] = False
    return result, settled


def _step(
    branches: _Branches, x: FloatArray, s: FloatArray, target: FloatArray, buffer: FloatArray
) -> FloatArray:
    """Householder's step of third order for f = ln b or ln c (Jaeckel, 2015, eq. 4.2)."""
    one_over_s = 1.0 / s
    a, h = x * one_over_s, 0.5 * s
    spread = _over_density(branches, a, h, buffer)
    a *= a
    h *= h
    f = np.log(spread)
    f -= 0.5 * (a + h)
    f -= target
    f -= _LOG_SQRT_2PI
    slope = np.divide(1.0, spread, out=spread)
    np.negative(slope[branches.high :], slope[branches.high :])
    bend = (a - h) * one_over_s
    second = bend - slope
    # slope' = slope second; second' = bend' - slope second, with bend' = -3 a^2 / s^2 - 1/4.
    third = second * second
    third -= slope * second
    one_over_s *= one_over_s
    a *= one_over_s
    a *= 3.0
    third -= a
    third -= 0.25
    newton = np.divide(f, slope, out=f)
    np.negative(newton, newton)
    third *= newton
    third *= 1.0 / 6.0
    third += second
    third *= newton
    third += 1.0
    second *= newton
    second *= 0.5
    second += 1.0
    ratio = np.divide(second, third, out=second)
    # Far from the root the ratio may have any sign; Newton's step then has the right one.
    ratio[~((ratio > 0.2) & (ratio < 5.0))] = 1.0
    newton *= ratio
    return newton


def _over_density(
    branches: _Branches, a: FloatArray, h: FloatArray, buffer: FloatArray
) -> FloatArray:
    """What n(a, h) must be multiplied by to give b, or c on the HIGH branch."""
    scratch = MillsScratch(2 * a.size, buffer)
    u, w = scratch.x.reshape(2, -1)
    np.subtract(a, h, u)
    np.negative(u[branches.middle :], u[branches.middle :])
    np.add(a, h, w)
    inner, outer = scratch.ratio().reshape(2, -1)
    spread = inner - outer
    middle, high = slice(branches.middle, branches.high), slice(branches.high, None)
    both = inner[branches.middle :] + outer[branches.middle :]
    width = branches.high - branches.middle
    spread[middle] = _SQRT_2PI * np.exp(0.5 * u[middle] ** 2) - both[:width]
    spread[high] = both[width:]
    narrow = np.flatnonzero(h[: branches.high] < _NARROW)
    if narrow.size:
        spread[narrow] = _narrow_spread(a[narrow], h[narrow], buffer)
    return spread


def _narrow_spread(a: FloatArray, h: FloatArray, buffer: FloatArray) -> FloatArray:
    """M(a - h) - M(a + h) to h^5, by M' = a M - 1 and M^(n+1) = a M^(n) + n M^(n-1)."""
    m = _mills(a, buffer)
    m1 = a * m - 1.0
    m2 = a * m1 + m
    m3 = a * m2 + 2.0 * m1
    m4 = a * m3 + 3.0 * m2
    m5 = a * m4 + 4.0 * m3
    hh = h * h
    result: FloatArray = -2.0 * h * (m1 + hh * (m3 / 6.0 + hh * m5 / 120.0))
    return result


def _mills(x: FloatArray, buffer: FloatArray) -> FloatArray:
    scratch = MillsScratch(x.size, buffer)
    scratch.x[:] = x
    return scratch.ratio()
