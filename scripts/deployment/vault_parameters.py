"""Parameters of DeskVault, in people's units."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from scripts.deployment.configuration import Section
from scripts.deployment.scales import DAY_S, between, usdc, wad


class VaultParameters(Section):
    """`vol_drift` is volatility per hour of the surface's age; fees are a year's share of value, and of gains."""

    epoch_length_s: Annotated[int, Field(ge=3600, le=7 * DAY_S)]
    epoch_window_s: Annotated[int, Field(ge=600, le=7 * DAY_S // 2)]
    surface_max_age_s: Annotated[int, Field(ge=60, le=DAY_S)]
    missed_to_wind_down: Annotated[int, Field(ge=2, le=60)]
    min_deposit_usd: Annotated[Decimal, between("1", "100000")]
    min_redeem_shares: Annotated[Decimal, between("0.000001", "100")]
    vol_uncertainty: Annotated[Decimal, between("0", "1")]
    vol_drift: Annotated[Decimal, between("0", "0.1")]
    feed_deviation: Annotated[Decimal, between("0", "0.1")]
    unwind_cost: Annotated[Decimal, between("0", "0.1")]
    management_fee: Annotated[Decimal, between("0", "0.05")]
    performance_fee: Annotated[Decimal, between("0", "0.3")]

    @model_validator(mode="after")
    def _window_inside(self) -> Self:
        if 2 * self.epoch_window_s > self.epoch_length_s:
            raise ValueError("epoch_window_s is more than half of epoch_length_s")
        return self

    def struct(self) -> dict[str, int]:
        """IDeskVault.VaultParameters."""
        return {
            "epochLength": self.epoch_length_s,
            "epochWindow": self.epoch_window_s,
            "surfaceMaxAge": self.surface_max_age_s,
            "missedToWindDown": self.missed_to_wind_down,
            "minDeposit": usdc(self.min_deposit_usd),
            "minRedeem": wad(self.min_redeem_shares),
            "volUncertainty": wad(self.vol_uncertainty),
            "volDrift": wad(self.vol_drift),
            "feedDeviation": wad(self.feed_deviation),
            "unwindCost": wad(self.unwind_cost),
            "managementFee": wad(self.management_fee),
            "performanceFee": wad(self.performance_fee),
        }
