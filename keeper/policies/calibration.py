"""Thresholds from what a desk knows: volatility, gas, fee, notional and its risk aversion.

They are those of the band formulas for a short at-the-money book of that notional, so that constant bands can be set
without trial. Risk aversion is per notional: a desk of twice the size takes twice the risk in money, and its bands in
share of notional change only because gas does not grow with size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from keeper.errors import ConfigError
from keeper.policies.gas_band_formula import (
    BandSetting,
    gas_band_variance_factor,
    local_cost,
    widths,
)
from keeper.policies.whalley_wilmott import whalley_wilmott_half_width
from keeper.units import SECONDS_PER_YEAR

_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class Desk:
    """Spot and gas in USD, `fee` as a share of notional, `risk_aversion` times notional, `horizon_s` to expiry."""

    spot_usd: float
    vol: float
    horizon_s: float
    tick_s: float
    gas_usd: float
    fee: float
    notional_usd: float
    risk_aversion: float

    def __post_init__(self) -> None:
        for name in ("spot_usd", "vol", "horizon_s", "notional_usd", "risk_aversion"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise ConfigError(f"{name} must be a positive number, got {value!r}")
        if not (0.0 <= self.tick_s < math.inf and 0.0 <= self.gas_usd < math.inf):
            raise ConfigError(f"tick_s {self.tick_s!r} and gas_usd {self.gas_usd!r} must be >= 0")
        if not 0.0 <= self.fee < 1.0:
            raise ConfigError(f"fee must be a share of notional in [0, 1), got {self.fee!r}")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bands in ETH of net delta; `burden_usd_per_day` is cost and risk of the gas band, at risk aversion's price."""

    risk_aversion_per_usd: float
    outer_eth: float
    inner_eth: float
    min_clip_eth: float
    whalley_wilmott_eth: float
    burden_usd_per_day: float


def calibrate(desk: Desk) -> Thresholds:
    """`outer_eth` suits `delta_band.band_eth`; a trade from outer to inner is the least that pays its gas."""
    years = desk.horizon_s / SECONDS_PER_YEAR
    lam = desk.risk_aversion / desk.notional_usd
    setting = BandSetting(
        desk.vol, years, desk.tick_s / SECONDS_PER_YEAR, desk.gas_usd, desk.fee, lam
    )
    spot = desk.spot_usd
    gamma = desk.notional_usd * _INV_SQRT_2PI / (spot * spot * desk.vol * math.sqrt(years))
    factor = gas_band_variance_factor(-gamma, gamma, spot, setting)
    moved = gamma / math.sqrt(factor)
    outer, inner = widths(moved, factor, spot, setting)
    return Thresholds(
        risk_aversion_per_usd=lam,
        outer_eth=outer,
        inner_eth=inner,
        min_clip_eth=outer - inner,
        whalley_wilmott_eth=whalley_wilmott_half_width(gamma, spot, desk.fee, lam),
        burden_usd_per_day=local_cost(moved, spot, setting) * (desk.vol * spot) ** 2 / 365.0,
    )
