"""What hedging at intervals must leave over, against which a desk's own hedge error is read.

Between two hedges a book with gamma G earns 1/2 G S^2 (r^2 - sigma^2 dt), r the return: independent terms of mean 0
and variance 1/2 (G S^2 sigma^2 dt)^2 for a normal r. Summed over an option at the money that gives
sqrt(pi/4) vega sigma / sqrt(N) over N equal steps (Derman and Kamal 1999, "When you cannot hedge continuously: the
corrections to Black-Scholes").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import PricingError

FloatArray = NDArray[np.float64]


def at_the_money_hedge_error(vega_usd: float, vol: float, hedges: int) -> float:
    """Standard deviation (USD) of hedging at `hedges` equal steps to expiry: `vega_usd` per 1.00 of `vol` a year."""
    if not math.isfinite(vega_usd) or not 0.0 <= vol < math.inf:
        raise PricingError(f"vega {vega_usd!r} or volatility {vol!r} is no number to bound with")
    if hedges < 1:
        raise PricingError(f"hedges must be at least 1, got {hedges}")
    return math.sqrt(math.pi / 4.0) * abs(vega_usd) * vol / math.sqrt(hedges)


def path_hedge_error(
    gamma_eth_per_usd: ArrayLike, spot_usd: ArrayLike, vol: ArrayLike, step_years: ArrayLike
) -> float:
    """The same of any book along its own path: one entry a hedging interval, at the interval's start. USD."""
    gamma, spot, sigma, dt = _columns(gamma_eth_per_usd, spot_usd, vol, step_years)
    if (spot <= 0.0).any() or (sigma < 0.0).any() or (dt < 0.0).any():
        raise PricingError("spot must be positive, volatility and steps not negative")
    each = gamma * spot * spot * sigma * sigma * dt
    return math.sqrt(0.5 * math.fsum(each * each))


@dataclass(frozen=True, slots=True)
class HedgeErrorReading:
    """Measured against the bound. `ratio` near 1 is what interval hedging allows; above, something else costs.

    `error_usd` is the root of the summed squares of the intervals' hedged profits.
    """

    error_usd: float
    bound_usd: float

    @property
    def ratio(self) -> float:
        """Inf when there is an error and no gamma to explain it."""
        if self.bound_usd > 0.0:
            return self.error_usd / self.bound_usd
        return math.inf if self.error_usd > 0.0 else 0.0


def read_hedge_error(
    profit_usd: ArrayLike,
    gamma_eth_per_usd: ArrayLike,
    spot_usd: ArrayLike,
    vol: ArrayLike,
    step_years: ArrayLike,
) -> HedgeErrorReading:
    """Profit of each interval net of carry and costs (gamma and theta terms left), beside the bound of its gamma."""
    profit, gamma, *rest = _columns(profit_usd, gamma_eth_per_usd, spot_usd, vol, step_years)
    bound = path_hedge_error(gamma, *rest)
    return HedgeErrorReading(math.sqrt(math.fsum(profit * profit)), bound)


def _columns(*values: ArrayLike) -> list[FloatArray]:
    """One length, scalars spread. Raises PricingError for none, another shape, NaN or inf."""
    arrays = [np.asarray(value, dtype=np.float64) for value in values]
    shape = next((a.shape for a in arrays if a.shape), ())
    if len(shape) != 1 or shape[0] == 0:
        raise PricingError("give one value a hedging interval, for at least one")
    for array in arrays:
        if array.shape not in ((), shape):
            raise PricingError(f"columns have lengths {array.shape} and {shape}: give one each")
        if not np.isfinite(array).all():
            raise PricingError("a hedging interval holds NaN or inf")
    return [np.broadcast_to(array, shape) for array in arrays]
