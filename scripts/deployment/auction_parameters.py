"""Parameters of LiquidationAuction, in people's units."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from scripts.deployment.configuration import Section
from scripts.deployment.scales import DAY_S, between, wad


class AuctionParameters(Section):
    """Seconds, USD, and shares of the lot or of initial margin."""

    fall_s: Annotated[int, Field(ge=300, le=DAY_S)]
    insurance_s: Annotated[int, Field(ge=300, le=DAY_S)]
    lapse_s: Annotated[int, Field(ge=600, le=7 * DAY_S)]
    vault_delay_s: Annotated[int, Field(ge=600, le=7 * DAY_S)]
    unwind_delay_s: Annotated[int, Field(ge=0, le=7 * DAY_S)]
    min_share: Annotated[Decimal, between("0.000001", "0.1")]
    bounty_usd: Annotated[Decimal, between("0", "1000")]
    bounty_share: Annotated[Decimal, between("0", "0.05")]
    insurance_share: Annotated[Decimal, between("0", "2")]
    dust_usd: Annotated[Decimal, between("0.01", "10000")]

    @model_validator(mode="after")
    def _within_the_stage(self) -> Self:
        if self.unwind_delay_s > self.vault_delay_s:
            raise ValueError("unwind_delay_s is above vault_delay_s: no venue would come home")
        return self

    def struct(self) -> dict[str, int]:
        """ILiquidationAuction.AuctionParameters."""
        return {
            "fallTime": self.fall_s,
            "insuranceTime": self.insurance_s,
            "lapse": self.lapse_s,
            "vaultDelay": self.vault_delay_s,
            "unwindDelay": self.unwind_delay_s,
            "minShare": wad(self.min_share),
            "bounty": wad(self.bounty_usd),
            "bountyShare": wad(self.bounty_share),
            "insuranceShare": wad(self.insurance_share),
            "dust": wad(self.dust_usd),
        }
