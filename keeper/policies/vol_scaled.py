"""A tolerance band that keeps the money at risk between two looks about the same when volatility changes.

A net delta d loses one standard deviation |d| S sigma sqrt(dt) in dt; a band proportional to 1/sigma bounds that by a
constant. The exponent is a parameter: 0 is a constant band, +1 the band of one who would rather pay less in a storm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, model_validator

from keeper.models import Book, Costs, Forecast, Plan, Snapshot
from keeper.policies.bands import Number, checked_inputs, larger, plan_within, power, smaller
from keeper.policies.parameters import PolicyParameters, finite_delta


def vol_scaled_half_width(
    band: float, vol: Number, reference_vol: float, exponent: float, limits: tuple[Number, Number]
) -> Number:
    """Band * (vol / reference_vol)^exponent, the factor kept inside `limits`."""
    factor = power(vol / reference_vol, exponent)
    return band * larger(limits[0], smaller(limits[1], factor))


class VolScaledParameters(PolicyParameters):
    """Parameters of `vol_scaled`."""

    band_eth: float | None = Field(
        default=None,
        gt=0.0,
        description="half-width at the reference volatility; left out: the contract's own band",
        examples=[5.0],
    )
    reference_vol: float = Field(default=0.8, gt=0.0, description="annualised", examples=[0.8])
    exponent: float = Field(
        default=-1.0, ge=-3.0, le=3.0, description="of the ratio of forecast to reference"
    )
    min_factor: float = Field(default=0.5, gt=0.0, description="narrowest band, as a factor")
    max_factor: float = Field(default=2.0, gt=0.0, description="widest band, as a factor")
    to: Literal["centre", "edge"] = Field(
        default="centre", description='where a trade brings net delta: "centre" (0) or "edge"'
    )

    @model_validator(mode="after")
    def _ordered(self) -> VolScaledParameters:
        if self.min_factor > self.max_factor:
            raise ValueError("min_factor must not be above max_factor")
        return self


@dataclass(frozen=True, slots=True)
class VolScaled:
    """Like `delta_band` with the half-width scaled by the forecast volatility."""

    parameters: VolScaledParameters = field(default_factory=VolScaledParameters)
    name: str = "vol_scaled"

    def decide(self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs) -> Plan:
        """Centre or edge when outside; a forecast of 0 (no live option) leaves the band as it is."""
        delta = finite_delta(book)
        checked_inputs(book, forecast, costs)
        own = self.parameters
        half = own.band_eth if own.band_eth is not None else snapshot.rules.band_eth
        if forecast.vol > 0.0:
            limits = (own.min_factor, own.max_factor)
            half = vol_scaled_half_width(
                half, forecast.vol, own.reference_vol, own.exponent, limits
            )
        end = 0.0 if own.to == "centre" else half
        diagnostics = {"delta_eth": delta, "band_eth": half, "forecast_vol": forecast.vol}
        return plan_within(delta, (-half, half), (-end, end), diagnostics)
