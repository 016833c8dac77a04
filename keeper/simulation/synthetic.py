"""Hourly candles from stated parameters: a jump diffusion with one scheduled jump.

Source of the model: Merton (1976), "Option pricing when underlying stock returns are discontinuous", Journal of
Financial Economics 3. Each hour is walked in small steps, so that high and low belong to the same path as the close.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from keeper.errors import ConfigError

HOUR_S = 3600
HOURS_PER_YEAR = 365 * 24
STEPS_PER_HOUR = 60
COLUMNS = ("timestamp", "open", "high", "low", "close", "volume_eth")


@dataclass(frozen=True, slots=True)
class SyntheticParameters:
    """What a synthetic path is made from; the defaults are the bundled week with a week of history before it.

    `start_s` is the open of the first candle that is replayed, `history_hours` come before it. Volatilities are
    annualised; `jumps_per_year`, `jump_mean` and `jump_std` are of log price; `crash_return` is the simple return of
    the scheduled jump, which falls inside the candle `crash_hour` hours after `start_s`.
    """

    seed: int = 20_200_312
    start_s: int = 1_704_067_200  # Monday, 2024-01-01 00:00 UTC
    hours: int = 168
    history_hours: int = 168
    first_price_usd: float = 200.0
    volatility: float = 0.75
    drift: float = 0.0
    jumps_per_year: float = 120.0
    jump_mean: float = -0.004
    jump_std: float = 0.02
    crash_hour: int = 58
    crash_return: float = -0.40
    volume_eth_per_hour: float = 20_000.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not math.isfinite(value):
                raise ConfigError(f"{field.name} must be a finite number, got {value!r}")
        rules = (
            (
                self.start_s % HOUR_S == 0 and self.start_s > 0,
                "start_s must be a full hour after 1970",
            ),
            (
                self.hours >= 1 and self.history_hours >= 0,
                "hours must be at least 1, history_hours 0",
            ),
            (0 <= self.crash_hour < self.hours, "crash_hour must lie in 0..hours-1"),
            (self.crash_return > -1.0, "crash_return must be above -1: a price stays positive"),
            (self.first_price_usd > 0, "first_price_usd must be positive"),
            (self.volume_eth_per_hour > 0, "volume_eth_per_hour must be positive"),
            (
                min(self.volatility, self.jumps_per_year, self.jump_std) >= 0,
                "volatility, jumps_per_year and jump_std must not be negative",
            ),
        )
        for holds, message in rules:
            if not holds:
                raise ConfigError(f"synthetic candles: {message}")

    @property
    def end_s(self) -> int:
        """End of the replayed part, exclusive."""
        return self.start_s + self.hours * HOUR_S

    @property
    def first_s(self) -> int:
        """Open of the first candle of the history."""
        return self.start_s - self.history_hours * HOUR_S


def generate(parameters: SyntheticParameters) -> pd.DataFrame:
    """Candles of history and replayed part; columns as COLUMNS, `timestamp` the candle's open in UTC.

    The same parameters give the same candles. The price at `start_s` is `first_price_usd` to rounding: the history
    is scaled to end there.
    """
    p = parameters
    rng = np.random.default_rng(p.seed)
    hours = p.history_hours + p.hours
    steps = hours * STEPS_PER_HOUR
    dt = 1.0 / (HOURS_PER_YEAR * STEPS_PER_HOUR)
    diffusion = (p.drift - p.volatility**2 / 2) * dt + p.volatility * math.sqrt(
        dt
    ) * rng.standard_normal(steps)
    counts = rng.poisson(p.jumps_per_year * dt, steps)
    jumps = counts * p.jump_mean + np.sqrt(counts) * p.jump_std * rng.standard_normal(steps)
    increments = diffusion + jumps
    crash_step = (p.history_hours + p.crash_hour) * STEPS_PER_HOUR + STEPS_PER_HOUR // 2
    increments[crash_step] += math.log1p(p.crash_return)
    path = np.concatenate(([0.0], np.cumsum(increments)))
    path -= path[p.history_hours * STEPS_PER_HOUR]
    prices = np.round(p.first_price_usd * np.exp(path), 2)
    if prices.min() <= 0.0:
        raise ConfigError("synthetic candles: the price rounds to 0.00 USD; raise first_price_usd")
    walked = np.lib.stride_tricks.sliding_window_view(prices, STEPS_PER_HOUR + 1)[::STEPS_PER_HOUR]
    opens = p.first_s + HOUR_S * np.arange(hours)
    return pd.DataFrame(
        {
            "timestamp": pd.to_datetime(opens, unit="s", utc=True),
            "open": walked[:, 0],
            "high": walked.max(axis=1),
            "low": walked.min(axis=1),
            "close": walked[:, -1],
            "volume_eth": np.round(p.volume_eth_per_hour * rng.lognormal(0.0, 0.5, hours), 3),
        }
    )
