"""Parameters of OptionDesk, in people's units."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from scripts.deployment.configuration import Section
from scripts.deployment.scales import DAY_S, between, wad

MILLIONTH = Decimal("0.000001")


class DeskParameters(Section):
    """Spreads, skews at the limits, expected hedging cost, limits and ages; docs/desk.md."""

    vol_spread: Annotated[Decimal, between("0", "0.5")]
    min_spread_usd: Annotated[Decimal, between("0.000001", "18")]
    latency_floor: Annotated[Decimal, between("0", "0.05")]
    taker_fee: Annotated[Decimal, between("0", "0.01")]
    fee_cap: Annotated[Decimal, between("0", "0.5")]
    vega_skew: Annotated[Decimal, between("0", "0.5")]
    gamma_skew: Annotated[Decimal, between("0", "0.1")]
    delta_skew: Annotated[Decimal, between("0", "0.05")]
    hedge_fee: Annotated[Decimal, between("0", "0.05")]
    hedge_impact: Annotated[Decimal, between("0", "0.1")]
    rfq_band: Annotated[Decimal, between("0", "0.2")]
    max_utilisation: Annotated[Decimal, between("0.1", "1")]
    vega_limit_usd: Annotated[Decimal, between("1", "1e10")]
    gamma_limit_usd: Annotated[Decimal, between("1", "1e12")]
    delta_scale_eth: Annotated[Decimal, between("0.01", "1e8")]
    expiry_limit_contracts: Annotated[Decimal, between("0.01", "1e8")]
    hedge_gas_usd: Annotated[Decimal, between("0", "1000")]
    min_size_contracts: Annotated[Decimal, between("0.0001", "1000")]
    open_cutoff_s: Annotated[int, Field(ge=0, le=DAY_S)]
    stance_max_age_s: Annotated[int, Field(ge=60, le=7 * DAY_S)]

    @model_validator(mode="after")
    def _whole_millionths(self) -> Self:
        """The contract packs them."""
        fine = [name for name, value in self if isinstance(value, Decimal) and value % MILLIONTH]
        if fine:
            raise ValueError(f"{', '.join(fine)}: six decimals at most")
        return self

    def struct(self) -> dict[str, int]:
        """IOptionDesk.DeskParameters."""
        return {
            "volSpread": wad(self.vol_spread),
            "minSpread": wad(self.min_spread_usd),
            "latencyFloor": wad(self.latency_floor),
            "takerFee": wad(self.taker_fee),
            "feeCap": wad(self.fee_cap),
            "vegaSkew": wad(self.vega_skew),
            "gammaSkew": wad(self.gamma_skew),
            "deltaSkew": wad(self.delta_skew),
            "hedgeFee": wad(self.hedge_fee),
            "hedgeImpact": wad(self.hedge_impact),
            "rfqBand": wad(self.rfq_band),
            "maxUtilisation": wad(self.max_utilisation),
            "vegaLimit": wad(self.vega_limit_usd),
            "gammaLimit": wad(self.gamma_limit_usd),
            "deltaScale": wad(self.delta_scale_eth),
            "expiryLimit": wad(self.expiry_limit_contracts),
            "hedgeGas": wad(self.hedge_gas_usd),
            "minSize": wad(self.min_size_contracts),
            "openCutoff": self.open_cutoff_s,
            "stanceMaxAge": self.stance_max_age_s,
        }
