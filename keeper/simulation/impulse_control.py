"""The numerical optimum of hedging with fixed and proportional cost under exponential utility.

Impulse control by dynamic programming on (time, price, hedge). With G(t, S, y) the certainty equivalent of all that
is still to be paid,

    G(t, S, y) = min over y' of  f 1(y' != y) + k S |y' - y| + (1/lam) log E exp(lam (G(t+1, S', y') - y' (S' - S)))

and G at expiry the liability and the cost of the unwind. Source of the problem: Davis, Panas and Zariphopoulou
(1993), "European option pricing with transaction costs", SIAM J. Control Optim. 31, section 4, with a fixed cost
added. The price is a lattice in its logarithm with Gaussian weights (the trapezoid rule, which is spectrally exact
for a smooth integrand); the minimum over y' costs O(Ny) by two running minima.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from keeper.errors import ConfigError
from keeper.policies.bands import Bands
from keeper.simulation.hedge_problem import FloatArray, HedgingProblem, Rule

# exp() holds 709 either way; below it the lattice's far corners would turn to inf.
_EXPONENT_ROOM = 1_400.0


@dataclass(frozen=True, slots=True)
class GridSettings:
    """`hedge_step` in units of the underlying; price nodes `per_step` to one step's standard deviation."""

    hedge_step: float = 0.005
    per_step: int = 1
    deviations: float = 6.3
    kernel_deviations: float = 5.0
    margin: float = 0.15

    def __post_init__(self) -> None:
        sizes = (self.hedge_step, self.per_step, self.deviations, self.kernel_deviations)
        if not all(math.isfinite(x) and x > 0 for x in sizes) or self.margin < 0:
            raise ConfigError("grid settings must be positive numbers")


@dataclass(frozen=True, slots=True)
class Lattice:
    """Prices (n), hedges (m) and the weights of one step's moves, which sum to 1 with mean price change 0."""

    prices: FloatArray
    hedges: FloatArray
    weights: FloatArray
    log_step: float
    middle: int

    @classmethod
    def of(cls, problem: HedgingProblem, grid: GridSettings) -> Lattice:
        """Prices around the spot, hedges over every delta that the book can have and a margin."""
        deviation = problem.vol * math.sqrt(problem.step_years)
        log_step = deviation / grid.per_step
        half = math.ceil(grid.deviations * math.sqrt(problem.steps) * grid.per_step)
        prices = problem.spot * np.exp(log_step * np.arange(-half, half + 1))
        reach = math.ceil(grid.kernel_deviations * grid.per_step)
        moves = log_step * np.arange(-reach, reach + 1)
        shares: FloatArray = np.exp(-0.5 * np.square(moves / deviation + 0.5 * deviation))
        shares = shares / shares.sum()
        ends = _delta_range(problem)
        first = math.floor((min(0.0, -ends[1]) - grid.margin) / grid.hedge_step)
        last = math.ceil((max(0.0, -ends[0]) + grid.margin) / grid.hedge_step)
        hedges = grid.hedge_step * np.arange(first, last + 1, dtype=np.float64)
        return cls(prices, hedges, shares, log_step, half)


def _delta_range(problem: HedgingProblem) -> tuple[float, float]:
    """Least and greatest slope of the book's payoff."""
    strikes = sorted({x.strike for x in problem.legs})
    points = [
        strikes[0] / 2,
        *((a + b) / 2 for a, b in itertools.pairwise(strikes)),
        strikes[-1] * 2,
    ]
    slopes = [
        sum(x.size * ((p > x.strike) if x.is_call else -(p < x.strike)) for x in problem.legs)
        for p in points
    ]
    return min(slopes), max(slopes)


@dataclass(frozen=True, slots=True)
class Solution:
    """`value` is G at the start without a hedge; the four tables are (steps, prices)."""

    value: float
    lattice: Lattice
    lower: FloatArray
    upper: FloatArray
    buy_to: FloatArray
    sell_to: FloatArray

    def rule(self, step: int, spot: FloatArray) -> Bands:
        """The optimal policy at any price, linear in log price between nodes."""
        at = np.log(spot / self.lattice.prices[0]) / self.lattice.log_step
        left = np.clip(at.astype(np.int64), 0, self.lattice.prices.size - 2)
        share = np.clip(at - left, 0.0, 1.0)
        tables = (self.lower, self.upper, self.buy_to, self.sell_to)
        return Bands(*(t[step][left] * (1 - share) + t[step][left + 1] * share for t in tables))


def solve(problem: HedgingProblem, grid: GridSettings | None = None) -> Solution:
    """The optimum and its policy. Raises ConfigError when risk aversion times prices is too large for the lattice."""
    lattice = Lattice.of(problem, grid or GridSettings())
    tables = np.empty((4, problem.steps, lattice.prices.size))
    value = _terminal(problem, lattice)
    toll = problem.proportional * lattice.prices[:, None] * lattice.hedges
    for step in reversed(range(problem.steps)):
        held = _expectation(problem, lattice, value)
        bought = np.minimum.accumulate((held + toll)[:, ::-1], axis=1)[:, ::-1] - toll
        sold = np.minimum.accumulate(held - toll, axis=1) + toll
        value = np.minimum(held, np.minimum(bought, sold) + problem.fixed_cost)
        tables[:, step] = _edges(lattice, held, held <= value, toll)
    return Solution(_at_start(lattice, value), lattice, *tables)


def evaluate(problem: HedgingProblem, rule: Rule, grid: GridSettings | None = None) -> float:
    """G of a given rule at the start, on the same lattice as `solve`: the two differ by the rule alone."""
    lattice = Lattice.of(problem, grid or GridSettings())
    value = _terminal(problem, lattice)
    hedges = np.broadcast_to(lattice.hedges, value.shape)
    for step in reversed(range(problem.steps)):
        held = _expectation(problem, lattice, value)
        bands = Bands(*(np.asarray(x)[:, None] for x in rule(step, lattice.prices)))
        value = held.copy()
        for outside, target in (
            (hedges < bands.lower, bands.buy_to),
            (hedges > bands.upper, bands.sell_to),
        ):
            there = _interpolate(lattice, held, target[:, 0])[:, None]
            toll = problem.trade_cost(lattice.prices[:, None], target - hedges)
            np.copyto(value, there + toll, where=outside)
    return _at_start(lattice, value)


def _terminal(problem: HedgingProblem, lattice: Lattice) -> FloatArray:
    prices = lattice.prices[:, None]
    return problem.liability(prices) + problem.unwind_cost(prices, lattice.hedges)


def _expectation(problem: HedgingProblem, lattice: Lattice, value: FloatArray) -> FloatArray:
    """(1/lam) log E exp(lam (G' - y (S' - S))); the part that depends on S' alone is shared by all S."""
    lam = problem.risk_aversion
    carried = lattice.prices[:, None] * lattice.hedges
    exponent = lam * (value - carried)
    low, high = exponent.min(axis=0), exponent.max(axis=0)
    if float((high - low).max()) > _EXPONENT_ROOM:
        raise ConfigError("risk aversion times price range is too large: lower deviations")
    middle = 0.5 * (low + high)
    mean = correlate1d(np.exp(exponent - middle), lattice.weights, axis=0, mode="nearest")
    certain: FloatArray = (np.log(mean) + middle) / lam + carried
    return certain


def _edges(
    lattice: Lattice, held: FloatArray, rests: NDArray[np.bool_], toll: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Ends of the no-trade interval, half a hedge step out, and targets, to a parabola through three nodes."""
    hedges = lattice.hedges
    half = 0.5 * (hedges[1] - hedges[0])
    lower = hedges[rests.argmax(axis=1)] - half
    upper = hedges[hedges.size - 1 - rests[:, ::-1].argmax(axis=1)] + half
    return lower, upper, _lowest(hedges, held + toll), _lowest(hedges, held - toll)


def _lowest(hedges: FloatArray, cost: FloatArray) -> FloatArray:
    at = np.clip(cost.argmin(axis=1), 1, hedges.size - 2)
    rows = np.arange(at.size)
    before, here, after = (cost[rows, at + i] for i in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
    lowest: FloatArray = hedges[at] + np.clip(shift, -0.5, 0.5) * (hedges[1] - hedges[0])
    return lowest


def _interpolate(lattice: Lattice, held: FloatArray, target: FloatArray) -> FloatArray:
    """`held` at one hedge per price; cubic, as a chord of a convex function would be too dear."""
    step = lattice.hedges[1] - lattice.hedges[0]
    at = np.clip((target - lattice.hedges[0]) / step, 1.0, lattice.hedges.size - 2.000001)
    left = at.astype(np.int64)
    left = np.minimum(left, lattice.hedges.size - 3)
    u = at - left
    rows = np.arange(left.size)
    a, b, c, d = (held[rows, left + i] for i in (-1, 0, 1, 2))
    value: FloatArray = b + 0.5 * u * (
        c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a))
    )
    return value


def _at_start(lattice: Lattice, value: FloatArray) -> float:
    flat = int(np.abs(lattice.hedges).argmin())
    return float(value[lattice.middle, flat])
