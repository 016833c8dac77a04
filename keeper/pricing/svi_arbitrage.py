"""Static arbitrage of fitted slices on quoted strikes, and refits without it that cost milliseconds.

Butterfly: g(k) >= 0 (Gatheral and Jacquier (2014), eq. 2.1). Calendar: total variance at equal k must not fall with
maturity (their definition 2.2). A pair of expiries is compared where either of them is quoted, not beyond: a short
smile's wings, twenty standard deviations out, say nothing worth bending a long one for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keeper.errors import PricingError
from keeper.pricing.smile_shape import (
    BoolArray,
    FloatArray,
    RawSlices,
    density_factor,
    least_value,
    raw_slices,
    value_and_jacobian,
)
from keeper.pricing.svi_fit import Fit, Problem, minimise

# Relative to total variance, resp. in g: far above the 5.7e-14 that packing rounds to, far below what is quoted.
CALENDAR_MARGIN = 1e-5
BUTTERFLY_MARGIN = 1e-4
LEAST_VARIANCE = 1e-4  # anywhere, of the variance at the money
WATCHED_DENSITY = 0.01  # points with a smaller g are kept in a refit
PACKING_ERROR = 1e-10
REFITS = 8
REFIT_ROUNDS = 8
# Steeper at once, and steps stall in the penalty's valley.
FIRST_PENALTY, PENALTY_GROWTH = 1e4, 10.0
REPAIRS = 40


@dataclass(frozen=True, slots=True)
class Strikes:
    """Where arbitrage is looked for: `k` (points,), and in which slices each is a point, (slices, points).

    Butterflies are looked for at every point in every slice; calendar arbitrage between two slices at the points of
    either.
    """

    k: FloatArray
    owner: BoolArray

    @classmethod
    def of(cls, k: FloatArray, quoted: BoolArray, grid: FloatArray | None = None) -> Strikes:
        """Quoted log-moneyness of padded (slices, quotes), and further points of each slice, (slices, points)."""
        extra = np.empty((len(k), 0)) if grid is None else grid
        both = np.concatenate([k, extra], axis=1)
        used = np.concatenate([quoted, np.ones_like(extra, dtype=np.bool_)], axis=1)
        points = np.unique(both[used])
        owner = np.zeros((len(k), points.size), dtype=np.bool_)
        rows = np.broadcast_to(np.arange(len(k))[:, None], both.shape)
        owner[rows[used], np.searchsorted(points, both[used])] = True
        return cls(points, owner)


@dataclass(frozen=True, slots=True)
class Violations:
    """Slices with a negative density, and pairs (near, far) whose total variance falls, as rows of slices."""

    butterfly: tuple[int, ...]
    calendar: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.butterfly) + len(self.calendar)


def find_violations(slices: RawSlices, strikes: Strikes) -> Violations:
    """Butterfly at every point for every slice, calendar for every pair at the points that either quotes."""
    k = np.broadcast_to(strikes.k, strikes.owner.shape)
    bent = np.flatnonzero((slices.density_factor(k) < 0.0).any(axis=1))
    pairs = np.argwhere(_falls(slices.variance(k), strikes.owner, 0.0).any(axis=2))
    return Violations(
        tuple(int(i) for i in bent), tuple((int(near), int(far)) for near, far in pairs)
    )


def without_arbitrage(fit: Fit, strikes: Strikes) -> tuple[RawSlices, int]:
    """The fit's slices, those that hold arbitrage fitted again under penalties; and how many had to be.

    What penalties leave (quotes that contradict each other) is removed by force: `_repaired`.
    """
    slices = raw_slices(fit.p, fit.scale)
    k = np.broadcast_to(strikes.k, strikes.owner.shape)
    p, touched = fit.p, np.zeros(len(slices), dtype=np.bool_)
    upper = np.full(k.shape, np.inf)
    lower, penalty = np.zeros(k.shape), FIRST_PENALTY
    watched = np.zeros(k.shape[1], dtype=np.bool_)
    for _ in range(REFITS):
        w = slices.variance(k)
        falls = _falls(w, strikes.owner, CALENDAR_MARGIN / 2.0)
        g = slices.density_factor(k)
        bent = (g < BUTTERFLY_MARGIN / 2.0).any(axis=1)
        bent |= slices.least_variance() < LEAST_VARIANCE / 2.0 * fit.scale**2
        if not (falls.any() or bent.any()):
            return slices, int(touched.sum())
        touched |= _meet(w, falls, lower, upper)
        touched |= bent
        rows = np.flatnonzero(touched)
        watched |= ((g < WATCHED_DENSITY) | (lower > 0.0) | np.isfinite(upper))[rows].any(axis=0)
        here = np.ix_(rows, np.flatnonzero(watched))
        area = (fit.scale[rows] ** 2)[:, None]
        bounded = _Bounded(
            fit.problem.rows(rows),
            k[here] / fit.scale[rows, None],
            lower[here] / area,
            upper[here] / area,
            fit.scale[rows],
            penalty,
        )
        p = p.copy()
        p[rows] = minimise(bounded, p[rows], REFIT_ROUNDS)
        slices, penalty = raw_slices(p, fit.scale), penalty * PENALTY_GROWTH
    return _repaired(slices, strikes), int(touched.sum())


def _meet(w: FloatArray, falls: BoolArray, lower: FloatArray, upper: FloatArray) -> BoolArray:
    """Tightens the bounds of each contradicting pair to just past the middle; which slices have new ones."""
    touched = np.zeros(len(w), dtype=np.bool_)
    for near, far in np.argwhere(falls.any(axis=2)).tolist():
        at = falls[near, far]
        middle = (w[near, at] + w[far, at]) / 2.0
        upper[near, at] = np.minimum(upper[near, at], middle * (1.0 - CALENDAR_MARGIN))
        lower[far, at] = np.maximum(lower[far, at], middle * (1.0 + CALENDAR_MARGIN))
        touched[near] = touched[far] = True
    return touched


@dataclass(slots=True)
class _Bounded:
    """The fit's own loss, plus penalties for y outside [lower, upper] and g below its margin at x, and for y < 0."""

    problem: Problem
    x: FloatArray
    lower: FloatArray
    upper: FloatArray
    scale: FloatArray
    penalty: float

    def loss(self, p: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        total, gradient, matrix = self.problem.loss(p)
        y, y_jacobian = value_and_jacobian(p, self.x)
        below, above = np.maximum(self.lower - y, 0.0), np.maximum(y - self.upper, 0.0)
        g, g_jacobian = density_factor(p, self.x, self.scale)
        short = np.maximum(BUTTERFLY_MARGIN - g, 0.0)
        least, least_jacobian = least_value(p)
        hollow = np.maximum(LEAST_VARIANCE - least, 0.0)
        terms = ((above - below, y_jacobian), (-short, g_jacobian), (-hollow, least_jacobian))
        for miss, jacobian in terms:
            active = jacobian * (miss != 0.0)[:, None]
            total = total + self.penalty * (miss * miss).sum(axis=1)
            gradient = gradient + self.penalty * np.matmul(active, miss[..., None])[..., 0]
            matrix = matrix + self.penalty * np.matmul(active, active.transpose(0, 2, 1))
        return total, gradient, matrix


def _falls(w: FloatArray, owner: BoolArray, margin: float) -> BoolArray:
    """(near, far, point): near x (1 + margin) is above far where either is quoted; near < far in maturity."""
    later = np.triu(np.ones((len(w), len(w)), dtype=np.bool_), 1)[:, :, None]
    either = owner[:, None, :] | owner[None, :, :]
    return np.asarray((w[:, None, :] * (1.0 + margin) > w[None, :, :]) & either & later)


def _repaired(slices: RawSlices, strikes: Strikes) -> RawSlices:
    """From near to far: wings flattened (b down, at-the-money level kept) until g >= 0, then lifted over the nearer.

    A flat smile has g = 1 and stays so when it is lifted, so that this ends. PricingError if it did not.
    """
    a, b = slices.a.copy(), slices.b.copy()
    k = strikes.k[None, :]
    floor = np.zeros((len(slices), strikes.k.size))
    for row in range(len(slices)):
        for _ in range(REPAIRS):
            one = _one(slices, a, b, row)
            need = float((floor[row] * (1.0 + CALENDAR_MARGIN) - one.variance(k)[0]).max())
            need = max(need, PACKING_ERROR - float(one.least_variance()[0]))
            if need > 0.0:
                a[row] += need * (1.0 + CALENDAR_MARGIN)
                one = _one(slices, a, b, row)
            if (one.density_factor(k) >= 0.0).all():
                break
            level = float(one.variance(np.zeros((1, 1)))[0, 0])
            b[row] *= 0.8
            a[row] += level - float(_one(slices, a, b, row).variance(np.zeros((1, 1)))[0, 0])
        else:
            raise PricingError(f"slice {row} cannot be freed of arbitrage: check its quotes")
        w = one.variance(k)[0]
        seen = strikes.owner[row] | strikes.owner[row + 1 :]
        floor[row + 1 :] = np.where(seen, np.maximum(floor[row + 1 :], w), floor[row + 1 :])
    return RawSlices(a, b, slices.rho, slices.m, slices.sigma)


def _one(slices: RawSlices, a: FloatArray, b: FloatArray, row: int) -> RawSlices:
    cut = slice(row, row + 1)
    return RawSlices(a[cut], b[cut], slices.rho[cut], slices.m[cut], slices.sigma[cut])
