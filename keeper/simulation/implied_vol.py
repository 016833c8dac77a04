"""A stated model of implied volatility for replays without option data: trailing realised volatility times a factor.

The smile is SSVI with a fixed correlation and power-law curvature phi = eta / sqrt(theta); source: Gatheral and
Jacquier (2014), "Arbitrage-free SVI volatility surfaces", section 4. With eta^2 (1 + |rho|) <= 4 and
theta phi (1 + |rho|) < 4 no slice has butterfly arbitrage (their theorem 4.2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import ConfigError
from keeper.models import SviSlice
from keeper.units import SECONDS_PER_YEAR
from keeper.volatility.realised import trailing_realised_vol


@dataclass(frozen=True, slots=True)
class ImpliedVolModel:
    """ATM volatility = factor x realised volatility of the last `window_s`, kept in [floor, cap].

    `rho` is the fixed skew, `eta` the fixed curvature. Before `min_returns` closes are known it is the floor.
    """

    window_s: int = 168 * 3600
    min_returns: int = 12
    factor: float = 1.1
    floor: float = 0.5
    cap: float = 4.0
    rho: float = -0.25
    eta: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not math.isfinite(value):
                raise ConfigError(
                    f"implied volatility model: {field.name} is not finite: {value!r}"
                )
        if self.window_s <= 0 or self.min_returns < 1 or self.factor <= 0:
            raise ConfigError(
                "implied volatility model: window_s, min_returns and factor must be positive"
            )
        if not 0 < self.floor <= self.cap:
            raise ConfigError("implied volatility model: needs 0 < floor <= cap")
        if not (abs(self.rho) < 1 and 0 < self.eta**2 * (1 + abs(self.rho)) <= 4):
            raise ConfigError(
                "implied volatility model: needs |rho| < 1 and 0 < eta^2 (1 + |rho|) <= 4"
            )

    def atm_vol(self, close_times_s: ArrayLike, closes: ArrayLike, as_of_s: int) -> float:
        """Annualised at-the-money volatility from closes known at `as_of_s`; later ones are not looked at."""
        times = np.asarray(close_times_s, dtype=np.float64)
        known = (times <= as_of_s) & (times > as_of_s - self.window_s)
        if np.count_nonzero(known) <= self.min_returns:
            return self.floor
        prices = np.asarray(closes, dtype=np.float64)[known]
        realised = trailing_realised_vol(
            times[known], prices, as_of_s, self.window_s, self.min_returns
        )
        return min(max(self.factor * realised, self.floor), self.cap)

    def slice_at(
        self, atm_vol: float, expiry_s: int, committed_at_s: int, carry: float = 0.0
    ) -> SviSlice:
        """The SVI slice of an expiry for a commit at `committed_at_s`.

        Raises ConfigError for an expiry that is over, or volatility so high that the wings would allow arbitrage.
        """
        tau = (expiry_s - committed_at_s) / SECONDS_PER_YEAR
        if tau <= 0 or not (math.isfinite(atm_vol) and atm_vol > 0):
            raise ConfigError(
                f"no slice for expiry {expiry_s} at {committed_at_s} with volatility {atm_vol!r}"
            )
        theta = atm_vol * atm_vol * tau
        phi = self.eta / math.sqrt(theta)
        if theta * phi * (1 + abs(self.rho)) >= 4:
            raise ConfigError(
                f"wings too steep at volatility {atm_vol:.2f} over {tau:.3f} years: lower eta or cap"
            )
        root = math.sqrt(1 - self.rho**2)
        return SviSlice(
            expiry_s=expiry_s,
            a=theta / 2 * root * root,
            b=theta * phi / 2,
            rho=self.rho,
            m=-self.rho / phi,
            sigma=root / phi,
            carry=carry,
            committed_at_s=committed_at_s,
        )
