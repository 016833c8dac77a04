"""Zakamouline's band for proportional cost alone: around the delta at a modified volatility, to its edge.

Source: Zakamouline (2006), "Efficient analytic approximation of the optimal hedging strategy for a European call
option with proportional transaction costs", Quantitative Finance 6(5), section 5, at discount factor 1:

    half-width = k / (lam S sigma^2 tau) + 1.12 k^0.31 tau^0.05 sigma^-0.25 (|Gamma| / lam)^0.5
    sigma_m^2  = sigma^2 (1 + 4.76 k^0.78 tau^-0.02 sigma^-0.25 (lam S^2 |Gamma|)^0.15) short, 1 - ... long

The constants are the commonly quoted ones and were not checked against the paper itself; they give the shortfalls of
docs/quant_hedging.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pydantic import Field

from keeper.models import Book, Costs, Forecast, Plan, Snapshot
from keeper.policies.bands import Number, checked_inputs, larger, live_notional, plan_within, power
from keeper.policies.live_legs import LiveLegs
from keeper.policies.parameters import PolicyParameters, finite_delta

# A long book's modified variance would else reach 0 at high cost.
_LEAST_FACTOR = 0.2


def zakamouline_half_width(
    gamma: Number, spot: Number, vol: float, tau: float, proportional: float, risk_aversion: float
) -> Number:
    """Half-width in units of the underlying; `tau` in years, `risk_aversion` per unit of money."""
    static: Number = proportional / (risk_aversion * vol * vol * tau) / spot
    scale: float = 1.12 * proportional**0.31 * tau**0.05 * vol**-0.25
    return static + scale * power(abs(gamma) / risk_aversion, 0.5)


def zakamouline_variance_factor(
    gamma: Number, spot: Number, vol: float, tau: float, proportional: float, risk_aversion: float
) -> Number:
    """sigma_m^2 / sigma^2; `gamma` of the desk's book, below 0 when short."""
    scale: float = 4.76 * proportional**0.78 * tau**-0.02 * vol**-0.25
    size = scale * power(risk_aversion * spot * spot * abs(gamma), 0.15)
    sign = -gamma / larger(abs(gamma), 0.0 * gamma + 1e-300)
    return larger(1.0 + sign * size, 0.0 * gamma + _LEAST_FACTOR)


class ZakamoulineParameters(PolicyParameters):
    """Parameters of `zakamouline`."""

    risk_aversion: float = Field(
        default=100.0,
        gt=0.0,
        description="of exponential utility, times the notional of the live options in USD",
        examples=[100.0],
    )
    min_clip_eth: float = Field(
        default=0.0, ge=0.0, description="trades smaller than this wait", examples=[0.1]
    )


@dataclass(frozen=True, slots=True)
class Zakamouline:
    """Trades to the edge of the band; knows no fixed cost."""

    parameters: ZakamoulineParameters = field(default_factory=ZakamoulineParameters)
    name: str = "zakamouline"

    def decide(self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs) -> Plan:
        """Edge of the band when outside it; without live options or volatility the band has no width."""
        delta = finite_delta(book)
        checked_inputs(book, forecast, costs)
        legs, notional = LiveLegs.of(snapshot), live_notional(snapshot)
        half = shift = 0.0
        if legs.rows and notional > 0.0 and forecast.vol > 0.0:
            plain, lam = legs.greeks(), self.parameters.risk_aversion / notional
            terms = (snapshot.spot_usd, forecast.vol, plain.tau_years, costs.proportional, lam)
            factor = zakamouline_variance_factor(plain.gamma, *terms)
            moved = legs.greeks(math.sqrt(factor))
            half = zakamouline_half_width(moved.gamma, *terms)
            shift = plain.delta - moved.delta
        diagnostics = {"delta_eth": delta, "half_width_eth": half, "centre_eth": shift}
        edges = (shift - half, shift + half)
        clip, limit = self.parameters.min_clip_eth, snapshot.rules.band_eth
        return plan_within(delta, edges, edges, diagnostics, clip, limit)
