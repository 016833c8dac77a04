"""Greeks of a few options of one expiry and one volatility at many prices, which is what the simulator needs.

Formulas: Haug (2007), "The complete guide to option pricing formulas", chapter 2, with forward = spot.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

FloatArray = NDArray[np.float64]
_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


class Leg(NamedTuple):
    """`size` options, + is long, that pay at the end of the problem."""

    is_call: bool
    strike: float
    size: float


class OptionBook(NamedTuple):
    """The desk's legs."""

    legs: tuple[Leg, ...]

    def delta_gamma(
        self, spot: FloatArray, total_vol: FloatArray | float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Delta, gamma and dGamma/dSpot at each price; `total_vol` = vol sqrt(tau) > 0."""
        delta, gamma, speed = np.zeros_like(spot), np.zeros_like(spot), np.zeros_like(spot)
        for leg in self.legs:
            d1 = np.log(spot / leg.strike) / total_vol + 0.5 * total_vol
            delta += leg.size * (ndtr(d1) - (0.0 if leg.is_call else 1.0))
            own = leg.size * _INV_SQRT_2PI * np.exp(-0.5 * d1 * d1) / (spot * total_vol)
            gamma += own
            speed -= own / spot * (1.0 + d1 / total_vol)
        return delta, gamma, speed

    def value(self, spot: FloatArray | float, total_vol: float) -> FloatArray:
        """Undiscounted Black-Scholes value."""
        s = np.asarray(spot, dtype=np.float64)
        total = np.zeros_like(s)
        for leg in self.legs:
            d1 = np.log(s / leg.strike) / total_vol + 0.5 * total_vol
            sign = 1.0 if leg.is_call else -1.0
            own = s * ndtr(sign * d1) - leg.strike * ndtr(sign * (d1 - total_vol))
            total += leg.size * sign * own
        return total

    def unwind_delta(self, spot: FloatArray, total_vol: FloatArray | float) -> FloatArray:
        """Delta of a claim of spot * |payoff slope|: what the unwind costs per unit of proportional cost."""
        slope = -sum(leg.size for leg in self.legs if not leg.is_call)
        total = np.full_like(spot, abs(slope))
        for leg in sorted(self.legs, key=lambda leg: leg.strike):
            d1 = np.log(spot / leg.strike) / total_vol + 0.5 * total_vol
            jump = abs(slope + leg.size) - abs(slope)
            slope += leg.size
            total += jump * (ndtr(d1) + _INV_SQRT_2PI * np.exp(-0.5 * d1 * d1) / total_vol)
        return total

    def gross_gamma(self, spot: FloatArray, total_vol: float) -> FloatArray:
        """Sum of the legs' |gamma|."""
        each = (abs(OptionBook((leg,)).delta_gamma(spot, total_vol)[1]) for leg in self.legs)
        total: FloatArray = np.sum(list(each), axis=0)
        return total
