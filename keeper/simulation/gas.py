"""A stated model of the block base fee: calm blocks cost the default, wild hours cost more."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from keeper.errors import ConfigError
from keeper.units import GWEI


@dataclass(frozen=True, slots=True)
class BaseFeeModel:
    """base fee = calm_gwei x max(1, range / calm_range) ** exponent, at most cap_gwei.

    `range` is (high - low) / open of the hour's candle: liquidations and arbitrage crowd the blocks when price moves.
    """

    calm_gwei: float = 20.0
    calm_range: float = 0.015
    exponent: float = 1.0
    cap_gwei: float = 500.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(
                    f"base fee model: {field.name} must be a positive number, got {value!r}"
                )
        if self.cap_gwei < self.calm_gwei:
            raise ConfigError("base fee model: cap_gwei must not be below calm_gwei")

    def base_fee_wei(self, high: float, low: float, open_: float) -> int:
        """Wei per gas for an hour with these prices, USD."""
        if not (math.isfinite(high) and 0 < low <= high and 0 < open_ < math.inf):
            raise ConfigError(
                f"no base fee for high {high!r}, low {low!r}, open {open_!r}: check the candle"
            )
        stress = max(1.0, (high - low) / open_ / self.calm_range)
        return round(min(self.calm_gwei * math.pow(stress, self.exponent), self.cap_gwei) * GWEI)
