"""The concave programme of position sizing: expected profit less variance, kinked costs, one margin, one loss limit.

    max   sum_i sell_i (x_i - x0_i)^+ + buy_i (x0_i - x_i)^+  -  lam/2 x' Omega x
    s.t.  sum_i (ms_i x_i^+ + mb_i x_i^-) <= margin,   sqrt(x' Omega x) <= deviation,   low_i <= x_i <= high_i

x is vega sold by expiry. sell_i + buy_i <= 0 makes each term concave. For given multipliers the rest is separable but
for Omega, where coordinate ascent finds the optimum (Tseng 2001, "Convergence of a block coordinate descent method
for nondifferentiable minimization"). Both multipliers are roots of one variable: the margin's is a cost a
unit of |x|, the deviation's adds to lam, since its Lagrangian is quadratic in x too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from keeper.errors import PricingError

FloatArray = NDArray[np.float64]
_SWEEPS = 20_000


@dataclass(frozen=True, slots=True)
class Programme:
    """Columns of one value an expiry, `covariance` square; `aversion` is lam per USD, limits in USD."""

    sell: FloatArray
    buy: FloatArray
    start: FloatArray
    covariance: FloatArray
    aversion: float
    margin_sold: FloatArray
    margin_bought: FloatArray
    margin: float
    deviation: float
    low: FloatArray
    high: FloatArray

    def margin_of(self, x: FloatArray) -> float:
        """USD that `x` takes."""
        each = self.margin_sold * np.maximum(x, 0.0) + self.margin_bought * np.maximum(-x, 0.0)
        return float(each.sum())

    def deviation_of(self, x: FloatArray) -> float:
        """Standard deviation of profit in USD."""
        return math.sqrt(max(float(x @ self.covariance @ x), 0.0))


@dataclass(frozen=True, slots=True)
class Optimum:
    """`x` with the multipliers: USD of objective per USD of margin, and the aversion that was needed."""

    x: FloatArray
    margin_price: float
    aversion: float


def optimise(programme: Programme) -> Optimum:
    """The optimum, to about 1e-9 of the sizes. PricingError when it does not settle (a covariance near singular)."""
    base = _with_margin(programme, programme.aversion, programme.start)
    if programme.deviation_of(base.x) <= programme.deviation * (1.0 + 1e-12):
        return base
    warm = [base.x]

    def over(log_aversion: float) -> float:
        warm.append(_with_margin(programme, math.exp(log_aversion), warm[-1]).x)
        return programme.deviation_of(warm[-1]) / programme.deviation - 1.0

    low = math.log(programme.aversion)
    high = low
    while over(high) > 0.0:
        low, high = high, high + 1.0
        if high > 700.0:
            raise PricingError(
                f"the deviation cannot be brought under {programme.deviation:.6g} USD"
            )
    found = _root(over, low, high)
    return _with_margin(programme, math.exp(found), warm[-1])


def _with_margin(programme: Programme, aversion: float, start: FloatArray) -> Optimum:
    """Optimum at this aversion within the margin, looked for from `start`."""
    x = _ascend(programme, aversion, 0.0, start)
    if programme.margin_of(x) <= programme.margin * (1.0 + 1e-12):
        return Optimum(x, 0.0, aversion)
    warm = [x]

    def over(price: float) -> float:
        warm.append(_ascend(programme, aversion, price, warm[-1]))
        return programme.margin_of(warm[-1]) / programme.margin - 1.0

    high = _largest_price(programme, aversion)
    if over(high) > 0.0:
        raise PricingError(f"no sizes take {programme.margin:.6g} USD of margin or less")
    found = _root(over, 0.0, high)
    return Optimum(_ascend(programme, aversion, found, warm[-1]), found, aversion)


def _root(over: Callable[[float], float], low: float, high: float) -> float:
    """Where `over`, which falls, is 0 or just below."""
    if over(low) <= 0.0:
        return low
    found = float(brentq(over, low, high, xtol=1e-15 * abs(high), rtol=1e-14, maxiter=200))
    step = 1e-14 * max(abs(found), abs(high - low))
    while over(found) > 1e-10:
        found, step = min(found + step, high), step * 4.0
    return found


def _largest_price(programme: Programme, aversion: float) -> float:
    """A price of margin at which nothing is held: above every slope at every reachable size."""
    reach = np.maximum(np.abs(programme.low), np.abs(programme.high))
    reach = np.minimum(reach, _unconstrained_reach(programme, aversion))
    slopes = np.maximum(np.abs(programme.sell), np.abs(programme.buy))
    slopes = slopes + aversion * (np.abs(programme.covariance) @ reach)
    needed = np.minimum(programme.margin_sold, programme.margin_bought)
    if not (needed > 0.0).all():
        raise PricingError("an expiry takes no margin while margin binds: give it a positive one")
    return float((slopes / needed).max()) * 2.0 + 1e-300


def _unconstrained_reach(programme: Programme, aversion: float) -> float:
    least = float(np.linalg.eigvalsh(programme.covariance)[0])
    slopes = np.maximum(np.abs(programme.sell), np.abs(programme.buy))
    own = float(np.linalg.norm(slopes)) / (aversion * max(least, 1e-300))
    return own + float(np.abs(programme.start).max(initial=0.0))


def _ascend(programme: Programme, aversion: float, price: float, start: FloatArray) -> FloatArray:
    """Coordinate ascent from `start`, which changes its length and not its end."""
    x = np.clip(start, programme.low, programme.high)
    omega = aversion * programme.covariance
    for _ in range(_SWEEPS):
        largest = 0.0
        for i in range(x.size):
            rest = float(omega[i] @ x) - omega[i, i] * x[i]
            new = _best(programme, i, float(omega[i, i]), rest, price)
            largest = max(largest, abs(new - x[i]))
            x[i] = new
        if largest <= 1e-12 * (1e-9 + float(np.abs(x).max())):
            return np.asarray(x)
    raise PricingError("sizes did not settle: the errors' covariance is too close to singular")


def _best(programme: Programme, i: int, curvature: float, rest: float, price: float) -> float:
    """Maximiser in coordinate i: the slope falls with x and drops at 0 (margin) and at the start (spread)."""
    low, high = float(programme.low[i]), float(programme.high[i])
    start = float(programme.start[i])
    points = [low, *sorted(p for p in {0.0, start} if low < p < high), high]
    for left, right in itertools.pairwise(points):
        middle = 0.5 * (left + right) if math.isfinite(left + right) else _inside(left, right)
        gain = float(programme.sell[i]) if middle > start else -float(programme.buy[i])
        take = (
            float(programme.margin_sold[i]) if middle > 0.0 else -float(programme.margin_bought[i])
        )
        top = (gain - price * take - rest) / curvature
        if top < left:
            return left
        if top <= right:
            return top
    return high


def _inside(left: float, right: float) -> float:
    if math.isfinite(left):
        return left + 1.0
    return right - 1.0 if math.isfinite(right) else 0.0
