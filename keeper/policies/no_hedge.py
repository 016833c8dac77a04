"""The baseline: never trade."""

from __future__ import annotations

from dataclasses import dataclass, field

from keeper.models import Book, Costs, Forecast, Plan, Snapshot
from keeper.policies.parameters import PolicyParameters, finite_delta


class NoHedgeParameters(PolicyParameters):
    """None."""


@dataclass(frozen=True, slots=True)
class NoHedge:
    """Leaves the book as it is; what the others are measured against."""

    parameters: NoHedgeParameters = field(default_factory=NoHedgeParameters)
    name: str = "no_hedge"

    def decide(self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs) -> Plan:  # noqa: ARG002
        """A plan of nothing."""
        delta = finite_delta(book)
        return Plan(
            trade_eth=0.0,
            reason="the no_hedge policy never trades",
            band_eth=0.0,
            target_delta_eth=delta,
            diagnostics={"delta_eth": delta},
        )
