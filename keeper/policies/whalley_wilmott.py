"""The asymptotic band for proportional cost alone: trade to its edge.

Source: Whalley and Wilmott (1997), "An asymptotic analysis of an optimal hedging model for option pricing with
transaction costs", Mathematical Finance 7(3), eq. 3.10, at discount factor 1:
half-width = (3/2 k S Gamma^2 / lam)^(1/3) around the Black-Scholes delta, with risk aversion lam per unit of money.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import Field

from keeper.models import Book, Costs, Forecast, Plan, Snapshot
from keeper.policies.bands import Number, checked_inputs, live_notional, plan_within, power
from keeper.policies.parameters import PolicyParameters, finite_delta


def whalley_wilmott_half_width(
    gamma: Number, spot: Number, proportional: float, risk_aversion: float
) -> Number:
    """Half-width in units of the underlying; `gamma` of the book, `risk_aversion` per unit of money."""
    return power(1.5 * proportional / risk_aversion * spot * gamma * gamma, 1.0 / 3.0)


class WhalleyWilmottParameters(PolicyParameters):
    """Parameters of `whalley_wilmott`."""

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
class WhalleyWilmott:
    """Trades to the edge of the band. It knows no fixed cost: every crumb over the edge is a trade."""

    parameters: WhalleyWilmottParameters = field(default_factory=WhalleyWilmottParameters)
    name: str = "whalley_wilmott"

    def decide(self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs) -> Plan:
        """Edge of the band when outside it; without live options the band has no width."""
        delta = finite_delta(book)
        checked_inputs(book, forecast, costs)
        notional = live_notional(snapshot)
        half = 0.0
        if notional > 0.0:
            half = whalley_wilmott_half_width(
                book.gamma_eth_per_usd,
                snapshot.spot_usd,
                costs.proportional,
                self.parameters.risk_aversion / notional,
            )
        diagnostics = {"delta_eth": delta, "band_eth": half, "notional_usd": notional}
        clip = self.parameters.min_clip_eth
        return plan_within(delta, (-half, half), (-half, half), diagnostics, clip)
