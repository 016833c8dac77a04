"""Hedging by the clock: to the centre once in each interval, whatever the delta."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import Field

from keeper.models import Book, Costs, Forecast, Plan, Snapshot
from keeper.policies.parameters import PolicyParameters, finite_delta


class IntervalParameters(PolicyParameters):
    """Parameters of `interval`."""

    interval_s: int = Field(
        default=86_400, gt=0, description="seconds from one hedge to the next", examples=[86_400]
    )
    offset_s: int = Field(
        default=0,
        ge=0,
        description="seconds after a multiple of interval_s (since 1970) when the hedge is due",
        examples=[28_800],
    )
    window_s: int = Field(
        default=3_600,
        gt=0,
        description="how long a hedge stays due: at least the time between two ticks",
        examples=[3_600],
    )
    min_clip_eth: float = Field(
        default=0.0, ge=0.0, description="trades smaller than this wait", examples=[0.1]
    )


@dataclass(frozen=True, slots=True)
class Interval:
    """Trades to the centre when due. A policy keeps no state, so every tick inside the window may trade again."""

    parameters: IntervalParameters = field(default_factory=IntervalParameters)
    name: str = "interval"

    def decide(self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs) -> Plan:  # noqa: ARG002
        """All of net delta when the snapshot's time is inside the window, else nothing."""
        delta = finite_delta(book)
        own = self.parameters
        since = (snapshot.timestamp_s - own.offset_s) % own.interval_s
        diagnostics = {"delta_eth": delta, "due_since_s": float(since)}
        if since >= own.window_s:
            reason = f"the next hedge is due in {own.interval_s - since} s"
            return Plan(0.0, reason, 0.0, delta, diagnostics)
        if abs(delta) <= own.min_clip_eth:
            reason = f"|delta| {abs(delta):.6g} ETH is at most the least clip of {own.min_clip_eth:.6g} ETH"
            return Plan(0.0, reason, own.min_clip_eth, delta, diagnostics)
        reason = f"due since {since} s: delta {delta:.6g} ETH to 0"
        return Plan(-delta, reason, 0.0, 0.0, diagnostics)
