"""The gas band: outer band, inner target and least clip when a trade costs fixed gas and a proportional fee.

`gas_band_formula` derives them, docs/quant_hedging.md measures them against the numerical optimum. Here the formulas
run on a book of any legs: gamma and its slope are the book's own, and the modified volatility scales every leg's
implied volatility by the same factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pydantic import Field

from keeper.models import Book, Costs, Forecast, Plan, Snapshot
from keeper.policies.alarm import AlarmParameters, aversion_factor
from keeper.policies.bands import checked_inputs, live_notional, plan_within
from keeper.policies.gas_band_formula import (
    BandSetting,
    gas_band_edges,
    gas_band_variance_factor,
)
from keeper.policies.live_legs import LiveLegs
from keeper.policies.parameters import PolicyParameters, finite_delta
from keeper.units import SECONDS_PER_YEAR


class GasBandParameters(PolicyParameters):
    """Parameters of `gas_band`."""

    risk_aversion: float = Field(
        default=200.0,
        gt=0.0,
        description="of exponential utility, times the notional of the live options in USD",
        examples=[200.0],
    )
    tick_s: float = Field(
        default=3_600.0,
        ge=0.0,
        description="seconds between two looks; the band is narrower by what price does in between",
        examples=[3_600.0],
    )
    unwinds: bool = Field(
        default=True,
        description="whether the hedge is sold when the options expire; false for a desk that sells anew",
    )
    min_clip_eth: float = Field(
        default=0.0, ge=0.0, description="trades smaller than this wait", examples=[0.1]
    )
    alarm: AlarmParameters = Field(
        default_factory=AlarmParameters,
        description="how a warning of stress tightens the band, and its absence widens it",
    )


@dataclass(frozen=True, slots=True)
class GasBand:
    """Trades outside the outer band to the inner one. Without live options, outside the contract's band to 0."""

    parameters: GasBandParameters = field(default_factory=GasBandParameters)
    name: str = "gas_band"

    def decide(self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs) -> Plan:
        """Raises PricingError when book, forecast or costs hold a number that no band can be made from."""
        delta = finite_delta(book)
        checked_inputs(book, forecast, costs)
        own, clip = self.parameters, self.parameters.min_clip_eth
        legs, notional = LiveLegs.of(snapshot), live_notional(snapshot)
        if not legs.rows or notional == 0.0 or forecast.vol == 0.0:
            half = snapshot.rules.band_eth
            return plan_within(delta, (-half, half), (0.0, 0.0), {"delta_eth": delta}, clip)
        alarm = aversion_factor(forecast.stress, own.alarm)
        plain = legs.greeks()
        setting = BandSetting(
            vol=forecast.vol,
            years_left=plain.tau_years,
            tick_years=own.tick_s / SECONDS_PER_YEAR,
            fixed_cost=costs.fixed_usd,
            proportional=costs.proportional,
            risk_aversion=own.risk_aversion * alarm / notional,
        )
        spot = snapshot.spot_usd
        factor = gas_band_variance_factor(plain.gamma, plain.gross_gamma, spot, setting)
        root = math.sqrt(factor)
        moved = legs.greeks(root)
        centre = -moved.delta
        if own.unwinds:
            centre += costs.proportional * legs.unwind_delta(root)
        greeks = (moved.gamma, moved.speed)
        edges = gas_band_edges(centre, greeks, factor, spot, setting, own.unwinds)
        lower, upper, buy_to, sell_to = (hedge + plain.delta for hedge in edges)
        diagnostics = {
            "delta_eth": delta,
            "centre_eth": centre + plain.delta,
            "variance_factor": factor,
            "alarm_factor": alarm,
            "notional_usd": notional,
            "gamma_eth_per_usd": moved.gamma,
        }
        limit = snapshot.rules.band_eth
        return plan_within(delta, (lower, upper), (buy_to, sell_to), diagnostics, clip, limit)
