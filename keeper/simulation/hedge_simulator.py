"""Monte Carlo of a hedged book: one rule, many paths at once, and what it earned, cost and risked.

The rules here are the policies' own formulas at arrays of prices; the keeper's `decide` runs them at one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keeper.errors import ConfigError
from keeper.policies.bands import Bands, around
from keeper.policies.gas_band_formula import (
    BandSetting,
    gas_band_edges,
    gas_band_variance_factor,
)
from keeper.policies.whalley_wilmott import whalley_wilmott_half_width
from keeper.policies.zakamouline import zakamouline_half_width, zakamouline_variance_factor
from keeper.simulation.hedge_problem import FloatArray, HedgingProblem, Rule


@dataclass(frozen=True, slots=True)
class Outcome:
    """Per path, in money: `profit` after the fair premium and all costs, `cost`, and the number of trades."""

    profit: FloatArray
    cost: FloatArray
    trades: FloatArray

    @property
    def shortfall_95(self) -> float:
        """Mean loss of the worst 5 % of paths."""
        worst = max(1, round(0.05 * self.profit.size))
        return -float(np.partition(self.profit, worst - 1)[:worst].mean())

    def entropic_risk(self, risk_aversion: float) -> float:
        """(1/lam) ln E exp(-lam profit), in money above the fair premium."""
        exponent = -risk_aversion * self.profit
        top = float(exponent.max())
        return (top + math.log(float(np.exp(exponent - top).mean()))) / risk_aversion

    def summary(self, premium: float, risk_aversion: float) -> dict[str, float]:
        """The figures of a table's row."""
        return {
            "shortfall_95": self.shortfall_95,
            "std": float(self.profit.std()),
            "cost": float(self.cost.mean()),
            "cost_pct_of_premium": 100.0 * float(self.cost.mean()) / abs(premium),
            "trades": float(self.trades.mean()),
            "entropic": self.entropic_risk(risk_aversion),
        }


def simulate(problem: HedgingProblem, rule: Rule, paths: FloatArray) -> Outcome:
    """Hedges along `paths` (steps + 1, n) from no hedge to the unwind. Raises ConfigError for another shape."""
    if paths.ndim != 2 or paths.shape[0] != problem.steps + 1:
        raise ConfigError(f"paths are {paths.shape}, expected ({problem.steps + 1}, n)")
    hedge, gain, cost, trades = np.zeros((4, paths.shape[1]))
    for step in range(problem.steps):
        spot = paths[step]
        target = rule(step, spot).after(hedge)
        cost += problem.trade_cost(spot, target - hedge)
        trades += target != hedge
        hedge = target
        gain += hedge * (paths[step + 1] - spot)
    cost += problem.unwind_cost(paths[-1], hedge)
    profit = problem.fair_value() + gain - cost - problem.liability(paths[-1])
    return Outcome(profit, cost, trades)


def no_hedge_rule() -> Rule:
    """Never trades."""

    def rule(step: int, spot: FloatArray) -> Bands:  # noqa: ARG001
        never = np.full_like(spot, np.inf)
        return Bands(-never, never, np.zeros_like(spot), np.zeros_like(spot))

    return rule


def interval_rule(problem: HedgingProblem, every: int) -> Rule:
    """To the Black-Scholes delta at every `every`-th step."""

    def rule(step: int, spot: FloatArray) -> Bands:
        wide = np.full_like(spot, 0.0 if step % every == 0 else np.inf)
        return around(_centre(problem, step, spot), wide, np.zeros_like(spot))

    return rule


def delta_band_rule(problem: HedgingProblem, band: float, to_edge: bool = False) -> Rule:
    """Constant tolerance around the Black-Scholes delta, to its centre or its edge."""

    def rule(step: int, spot: FloatArray) -> Bands:
        outer = np.full_like(spot, band)
        return around(_centre(problem, step, spot), outer, outer if to_edge else 0.0 * spot)

    return rule


def whalley_wilmott_rule(problem: HedgingProblem) -> Rule:
    """The policy of the same name."""

    def rule(step: int, spot: FloatArray) -> Bands:
        delta, gamma, _ = problem.book.delta_gamma(spot, _total_vol(problem, step))
        half = whalley_wilmott_half_width(gamma, spot, problem.proportional, problem.risk_aversion)
        return around(-delta, half, half)

    return rule


def zakamouline_rule(problem: HedgingProblem) -> Rule:
    """The policy of the same name."""

    def rule(step: int, spot: FloatArray) -> Bands:
        root, tau = _total_vol(problem, step), problem.years_left(step)
        terms = (spot, problem.vol, tau, problem.proportional, problem.risk_aversion)
        gamma = problem.book.delta_gamma(spot, root)[1]
        factor = zakamouline_variance_factor(gamma, *terms)
        delta, moved, _ = problem.book.delta_gamma(spot, root * np.sqrt(factor))
        half = zakamouline_half_width(moved, *terms)
        return around(-delta, half, half)

    return rule


def gas_band_rule(problem: HedgingProblem) -> Rule:
    """The policy of the same name."""

    def rule(step: int, spot: FloatArray) -> Bands:
        root, book = _total_vol(problem, step), problem.book
        setting = BandSetting(
            problem.vol,
            problem.years_left(step),
            problem.step_years,
            problem.fixed_cost,
            problem.proportional,
            problem.risk_aversion,
        )
        gamma, gross = book.delta_gamma(spot, root)[1], book.gross_gamma(spot, root)
        factor = gas_band_variance_factor(gamma, gross, spot, setting)
        moved = root * np.sqrt(factor)
        delta, gamma, speed = book.delta_gamma(spot, moved)
        centre, unwinds = -delta, not problem.free_unwind
        if unwinds:
            centre = centre + problem.proportional * book.unwind_delta(spot, moved)
        return Bands(*gas_band_edges(centre, (gamma, speed), factor, spot, setting, unwinds))

    return rule


def _total_vol(problem: HedgingProblem, step: int) -> float:
    return problem.vol * math.sqrt(problem.years_left(step))


def _centre(problem: HedgingProblem, step: int, spot: FloatArray) -> FloatArray:
    return -problem.book.delta_gamma(spot, _total_vol(problem, step))[0]
