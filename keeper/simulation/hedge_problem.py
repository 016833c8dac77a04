"""The hedging problem that solver, simulator and policies share, in units of money per unit of book.

A book of European options on one price is hedged at `steps` equal steps to expiry. A trade of dy units of the
underlying at price S costs fixed_cost + proportional * S * |dy|; at expiry options settle in cash and the hedge is
sold, which is a trade like any other unless `free_unwind`. Positions are the desk's own: + is long.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeper.errors import ConfigError
from keeper.policies.bands import Bands
from keeper.simulation.option_book import Leg, OptionBook

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HedgingProblem:
    """Prices in money, `vol` annualised and known, no drift, `risk_aversion` of exponential utility per money."""

    legs: tuple[Leg, ...]
    spot: float
    vol: float
    years: float
    steps: int
    fixed_cost: float
    proportional: float
    risk_aversion: float
    free_unwind: bool = False

    def __post_init__(self) -> None:
        numbers = (self.spot, self.vol, self.years, self.risk_aversion)
        if not all(math.isfinite(x) and x > 0 for x in numbers):
            raise ConfigError("spot, vol, years and risk_aversion must be positive numbers")
        if not (0 <= self.fixed_cost < math.inf and 0 <= self.proportional < 1):
            raise ConfigError("needs fixed_cost >= 0 and 0 <= proportional < 1")
        if self.steps < 1 or not self.legs:
            raise ConfigError("needs at least one step and one leg")
        if not all(0 < x.strike < math.inf and math.isfinite(x.size) for x in self.legs):
            raise ConfigError("a leg needs a positive strike and a finite size")

    @property
    def step_years(self) -> float:
        """Time between two decisions."""
        return self.years / self.steps

    @property
    def book(self) -> OptionBook:
        """The legs with their Greeks."""
        return OptionBook(self.legs)

    def years_left(self, step: int) -> float:
        """Time to expiry at decision `step`, which is 0 for the first."""
        return self.years - step * self.step_years

    def liability(self, spot: FloatArray) -> FloatArray:
        """What the desk pays at expiry, same shape as `spot`."""
        paid = np.zeros_like(spot)
        for leg in self.legs:
            gain = spot - leg.strike if leg.is_call else leg.strike - spot
            paid -= leg.size * np.maximum(gain, 0.0)
        return paid

    def trade_cost(self, spot: FloatArray, traded: FloatArray) -> FloatArray:
        """Cost of trading `traded` units at `spot`."""
        moved = np.abs(traded)
        cost: FloatArray = self.fixed_cost * (moved > 0) + self.proportional * spot * moved
        return cost

    def unwind_cost(self, spot: FloatArray, hedge: FloatArray) -> FloatArray:
        """Cost of selling the hedge at expiry."""
        cost = self.trade_cost(spot, hedge)
        return np.zeros_like(cost) if self.free_unwind else cost

    def fair_value(self) -> float:
        """Black-Scholes value of the liability: what the cost of hedging is measured from."""
        return -float(self.book.value(self.spot, self.vol * math.sqrt(self.years)))


# From (step, prices) to the no-trade interval of the hedge and where a trade goes, each of the prices' shape.
Rule = Callable[[int, FloatArray], Bands]
