"""Parameters of HedgeManager and HedgeFallback, in people's units."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from scripts.deployment.configuration import Section
from scripts.deployment.scales import DAY_S, between, wad

HOUR_S = 3600
MILLIONTH = 10**12


def refill(usd_per_hour: Decimal) -> int:
    """WAD USD a second, rounded down to what the contract stores."""
    return wad(usd_per_hour / HOUR_S) // MILLIONTH * MILLIONTH


class HedgeParameters(Section):
    """Of HedgeManager; `venue_cap_eth` is what each venue that holds a position may hold."""

    band_eth: Annotated[Decimal, between("0.001", "1e6")]
    min_reduction: Annotated[Decimal, between("0.1", "1")]
    max_slippage: Annotated[Decimal, between("0.0001", "0.05")]
    gross_cap_eth: Annotated[Decimal, between("0", "1e6")]
    min_health: Annotated[Decimal, between("1.05", "5")]
    budget_cap_usd: Annotated[Decimal, between("1", "1e7")]
    budget_refill_usd_per_hour: Annotated[Decimal, between("0", "1e7")]
    surface_max_age_s: Annotated[int, Field(ge=60, le=2 * DAY_S)]
    clip_eth: Annotated[Decimal, between("0", "1e6")]
    venue_cap_eth: Annotated[Decimal, between("0", "1e7")]

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.budget_refill_usd_per_hour > self.budget_cap_usd:
            raise ValueError("budget_refill_usd_per_hour is above budget_cap_usd")
        if self.clip_eth > self.band_eth:
            raise ValueError("clip_eth is above band_eth")
        return self

    def struct(self) -> dict[str, int]:
        """IHedgeManager.HedgeParameters."""
        return {
            "band": wad(self.band_eth),
            "minReduction": wad(self.min_reduction),
            "maxSlippage": wad(self.max_slippage),
            "grossCap": wad(self.gross_cap_eth),
            "minHealth": wad(self.min_health),
            "budgetCap": wad(self.budget_cap_usd),
            "budgetRefill": refill(self.budget_refill_usd_per_hour),
            "surfaceMaxAge": self.surface_max_age_s,
            "clip": wad(self.clip_eth),
        }


class FallbackParameters(Section):
    """Of HedgeFallback."""

    emergency_band_eth: Annotated[Decimal, between("0.001", "1e6")]
    slice_eth: Annotated[Decimal, between("0.01", "1e6")]
    max_slippage: Annotated[Decimal, between("0.0001", "0.02")]
    spent_share: Annotated[Decimal, between("0", "0.5")]
    reserve_cap_usd: Annotated[Decimal, between("1", "1e7")]
    reserve_refill_usd_per_hour: Annotated[Decimal, between("0.0036", "1e7")]
    bounty_cap_usd: Annotated[Decimal, between("0", "10000")]
    bounty_ramp_s: Annotated[int, Field(ge=60, le=DAY_S)]
    silence_s: Annotated[int, Field(ge=60, le=DAY_S)]
    wait_s: Annotated[int, Field(ge=60, le=6 * HOUR_S)]
    lapse_s: Annotated[int, Field(ge=660, le=7 * DAY_S)]
    pause_s: Annotated[int, Field(ge=1, le=HOUR_S)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.reserve_refill_usd_per_hour > self.reserve_cap_usd:
            raise ValueError("reserve_refill_usd_per_hour is above reserve_cap_usd")
        if self.lapse_s < self.wait_s + 600:
            raise ValueError("lapse_s must be at least ten minutes over wait_s")
        return self

    def struct(self) -> dict[str, int]:
        """IHedgeFallback.FallbackParameters."""
        return {
            "emergencyBand": wad(self.emergency_band_eth),
            "silence": self.silence_s,
            "wait": self.wait_s,
            "lapse": self.lapse_s,
            "pause": self.pause_s,
            "slice": wad(self.slice_eth),
            "maxSlippage": wad(self.max_slippage),
            "spentShare": wad(self.spent_share),
            "reserveCap": wad(self.reserve_cap_usd),
            "reserveRefill": refill(self.reserve_refill_usd_per_hour),
            "bountyRamp": self.bounty_ramp_s,
            "bountyCap": wad(self.bounty_cap_usd),
        }


class PerpParameters(Section):
    """Of CuriePerpVenue: margin as a share of the position's notional."""

    target_margin: Annotated[Decimal, between("0.15", "2")]
    release_margin: Annotated[Decimal, between("0.2", "4")]
    unwind_slippage: Annotated[Decimal, between("0.001", "0.1")]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.release_margin < self.target_margin + Decimal("0.05"):
            raise ValueError("release_margin must be at least 0.05 above target_margin")
        return self

    def struct(self) -> dict[str, int]:
        """ICuriePerpVenue.PerpParameters."""
        return {
            "targetMargin": wad(self.target_margin),
            "releaseMargin": wad(self.release_margin),
            "unwindSlippage": wad(self.unwind_slippage),
        }
