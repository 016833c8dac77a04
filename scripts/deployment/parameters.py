"""Protocol parameters: scripts/networks/parameters.toml in people's units, the contracts' integers out.

The bounds are the contracts' own hard ranges, so that a bad value is refused before the first
transaction.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from scripts.deployment.auction_parameters import AuctionParameters
from scripts.deployment.configuration import Section, read_toml, validated
from scripts.deployment.desk_parameters import DeskParameters
from scripts.deployment.governance_parameters import GovernanceParameters
from scripts.deployment.hedge_parameters import FallbackParameters, HedgeParameters, PerpParameters
from scripts.deployment.networks import FOLDER, PARAMETER_FILE
from scripts.deployment.scales import DAY_S, between, wad
from scripts.deployment.vault_parameters import VaultParameters


class OracleParameters(Section):
    """Of MarketOracle: the first three of registerMarket, `quote_max_age_s` of the USDC/USD feed, then its own."""

    max_age_s: Annotated[int, Field(ge=60, le=DAY_S)]
    twap_window_s: Annotated[int, Field(ge=60, le=DAY_S)]
    max_deviation: Annotated[Decimal, between("0.001", "0.2")]
    quote_max_age_s: Annotated[int, Field(ge=60, le=3 * DAY_S)]
    depeg_band: Annotated[Decimal, between("0.001", "0.05")]
    sequencer_grace_s: Annotated[int, Field(ge=0, le=DAY_S)]
    phase_window_s: Annotated[int, Field(ge=600, le=DAY_S)]
    round_deadline_s: Annotated[int, Field(ge=3600, le=7 * DAY_S)]
    feed_delay_s: Annotated[int, Field(ge=3600, le=30 * DAY_S)]
    vol_half_life_s: Annotated[int, Field(ge=3600, le=90 * DAY_S)]

    def struct(self) -> dict[str, int]:
        """IMarketOracle.OracleParameters."""
        return {
            "depegBand": wad(self.depeg_band),
            "sequencerGrace": self.sequencer_grace_s,
            "phaseWindow": self.phase_window_s,
            "roundDeadline": self.round_deadline_s,
            "feedDelay": self.feed_delay_s,
            "halfLife": self.vol_half_life_s,
        }


class SurfaceParameters(Section):
    """Of VolSurface: annualised volatilities, carry per year, share of spot, rates per hour."""

    min_vol: Annotated[Decimal, between("0.01", "1")]
    max_vol: Annotated[Decimal, between("0.01", "8")]
    max_carry_per_year: Annotated[Decimal, between("0", "1")]
    max_spot_deviation: Annotated[Decimal, between("0.0001", "0.1")]
    level_rate_per_hour: Annotated[Decimal, between("0.04", "2")]
    skew_rate_per_hour: Annotated[Decimal, between("0.02", "2")]
    wing_rate_per_hour: Annotated[Decimal, between("0.02", "10")]
    forward_rate_per_hour: Annotated[Decimal, between("0.0001", "0.05")]
    realised_low: Annotated[Decimal, between("0", "0.8")]
    realised_high: Annotated[Decimal, between("1.2", "18")]
    credit_cap_s: Annotated[int, Field(ge=600, le=DAY_S)]
    reference_age_s: Annotated[int, Field(ge=300, le=DAY_S)]
    min_tenor_s: Annotated[int, Field(ge=600, le=DAY_S)]
    realised_samples: Annotated[int, Field(ge=1, le=1000)]
    realised_max_days: Annotated[int, Field(ge=1, le=30)]
    listing_credit_s: Annotated[int, Field(ge=3600, le=7 * DAY_S)]
    open_max_age_s: Annotated[int, Field(ge=60, le=DAY_S)]
    hedge_max_age_s: Annotated[int, Field(ge=60, le=7 * DAY_S)]
    close_max_age_s: Annotated[int, Field(ge=DAY_S, le=365 * DAY_S)]
    daily_days: Annotated[int, Field(ge=1, le=400)]
    weekly_days: Annotated[int, Field(ge=7, le=400)]
    monthly_days: Annotated[int, Field(ge=7, le=1000)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_vol < self.min_vol:
            raise ValueError("max_vol is below min_vol")
        if not self.open_max_age_s <= self.hedge_max_age_s <= self.close_max_age_s:
            raise ValueError("open_max_age_s, hedge_max_age_s and close_max_age_s must not fall")
        return self

    def struct(self) -> dict[str, int]:
        """IVolSurface.SurfaceParameters."""
        return {
            "minVol": wad(self.min_vol),
            "maxVol": wad(self.max_vol),
            "maxCarry": wad(self.max_carry_per_year),
            "maxSpotDeviation": wad(self.max_spot_deviation),
            "levelRate": wad(self.level_rate_per_hour),
            "skewRate": wad(self.skew_rate_per_hour),
            "wingRate": wad(self.wing_rate_per_hour),
            "forwardRate": wad(self.forward_rate_per_hour),
            "realisedLow": wad(self.realised_low),
            "realisedHigh": wad(self.realised_high),
            "creditCap": self.credit_cap_s,
            "referenceAge": self.reference_age_s,
            "minTenor": self.min_tenor_s,
            "realisedSamples": self.realised_samples,
            "realisedMaxDays": self.realised_max_days,
            "listingCredit": self.listing_credit_s,
            "openMaxAge": self.open_max_age_s,
            "hedgeMaxAge": self.hedge_max_age_s,
            "closeMaxAge": self.close_max_age_s,
            "dailyDays": self.daily_days,
            "weeklyDays": self.weekly_days,
            "monthlyDays": self.monthly_days,
        }


class MarginParameters(Section):
    """Of RiskEngine: relative moves and shares."""

    spot_move: Annotated[Decimal, between("0.05", "0.5")]
    vol_up: Annotated[Decimal, between("0.01", "2")]
    vol_down: Annotated[Decimal, between("0.01", "0.5")]
    tail_move: Annotated[Decimal, between("0.05", "0.9")]
    tail_weight: Annotated[Decimal, between("0.1", "1")]
    short_floor: Annotated[Decimal, between("0", "0.2")]
    contingency: Annotated[Decimal, between("0", "0.1")]
    base_haircut: Annotated[Decimal, between("0", "0.5")]
    maintenance_share: Annotated[Decimal, between("0.5", "1")]

    def struct(self) -> dict[str, int]:
        """IRiskEngine.MarginParameters."""
        return {
            "spotMove": wad(self.spot_move),
            "volUp": wad(self.vol_up),
            "volDown": wad(self.vol_down),
            "tailMove": wad(self.tail_move),
            "tailWeight": wad(self.tail_weight),
            "shortFloor": wad(self.short_floor),
            "contingency": wad(self.contingency),
            "baseHaircut": wad(self.base_haircut),
            "maintenanceShare": wad(self.maintenance_share),
        }


class ClearingParameters(Section):
    """Of Clearinghouse: what holds for negative cash."""

    max_negative_cash_usd: Annotated[Decimal, between("0", "1e9")]
    debt_rate_per_year: Annotated[Decimal, between("0", "1")]
    cure_discount: Annotated[Decimal, between("0", "0.2")]
    cure_ramp_s: Annotated[int, Field(ge=60, le=DAY_S)]

    def struct(self) -> dict[str, int]:
        """IClearinghouse.DebtParameters."""
        return {
            "cap": wad(self.max_negative_cash_usd),
            "rate": wad(self.debt_rate_per_year),
            "cureDiscount": wad(self.cure_discount),
            "cureRamp": self.cure_ramp_s,
        }


class ShortParameters(Section):
    """Of AaveShortVenue: health is collateral x liquidation threshold over debt."""

    target_health: Annotated[Decimal, between("1.3", "4")]
    release_health: Annotated[Decimal, between("1.32", "10")]
    unwind_slippage: Annotated[Decimal, between("0.001", "0.1")]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.release_health < self.target_health + Decimal("0.02"):
            raise ValueError("release_health must be at least 0.02 above target_health")
        return self

    def struct(self) -> dict[str, int]:
        """IAaveShortVenue.VenueParameters."""
        return {
            "targetHealth": wad(self.target_health),
            "releaseHealth": wad(self.release_health),
            "unwindSlippage": wad(self.unwind_slippage),
        }


class Parameters(Section):
    """The whole file."""

    oracle: OracleParameters
    surface: SurfaceParameters
    margin: MarginParameters
    clearing: ClearingParameters
    auction: AuctionParameters
    desk: DeskParameters
    hedge: HedgeParameters
    fallback: FallbackParameters
    vault: VaultParameters
    aave_short: ShortParameters
    perp: PerpParameters
    governance: GovernanceParameters

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.hedge.min_health > self.aave_short.target_health:
            raise ValueError(
                "hedge.min_health is above aave_short.target_health: no hedge could pass"
            )
        if self.fallback.emergency_band_eth < self.hedge.band_eth:
            raise ValueError("fallback.emergency_band_eth is inside hedge.band_eth")
        if self.fallback.max_slippage > self.hedge.max_slippage:
            raise ValueError("fallback.max_slippage is looser than hedge.max_slippage")
        return self

    def with_values(self, **sections: dict[str, Any]) -> Parameters:
        """The same with some values changed, checked again: `with_values(hedge={"band_eth": 5})`."""
        content = self.model_dump()
        for name, values in sections.items():
            content[name] = {**content.get(name, {}), **values}
        return validated(content, Parameters, "changed parameters")


def load_parameters(path: Path = FOLDER / f"{PARAMETER_FILE}.toml") -> Parameters:
    """The parameters of a deployment. Raises ConfigError with every fault."""
    return read_toml(path, Parameters)
