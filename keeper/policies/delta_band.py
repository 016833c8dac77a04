"""Tolerance band on net delta: trade only outside it, to the centre or to the edge."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from keeper.models import Book, Costs, Forecast, Plan, Snapshot
from keeper.policies.parameters import PolicyParameters, finite_delta


class DeltaBandParameters(PolicyParameters):
    """Parameters of `delta_band`."""

    band_eth: float | None = Field(
        default=None,
        gt=0.0,
        description="half-width in ETH of net delta that needs no hedge; left out: the contract's own band",
        examples=[5.0],
    )
    to: Literal["centre", "edge"] = Field(
        default="centre", description='where a trade brings net delta: "centre" (0) or "edge"'
    )
    max_clip_eth: float | None = Field(
        default=None,
        gt=0.0,
        description="most ETH to trade in one tick, the rest waits for the next; left out: no limit",
        examples=[50.0],
    )


@dataclass(frozen=True, slots=True)
class DeltaBand:
    """Trades when |net delta| > band. With no delta moves in between, one trade ends inside the band for good."""

    parameters: DeltaBandParameters = field(default_factory=DeltaBandParameters)
    name: str = "delta_band"

    def decide(self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs) -> Plan:  # noqa: ARG002
        """The trade that brings net delta to the centre or the edge, or to within one clip of it."""
        delta = finite_delta(book)
        band = self.parameters.band_eth
        if band is None:
            band = snapshot.rules.band_eth
        diagnostics = {"delta_eth": delta, "band_eth": band}
        if abs(delta) <= band:
            reason = f"|delta| {abs(delta):.6g} ETH is inside the band of {band:.6g} ETH"
            return Plan(0.0, reason, band, delta, diagnostics)
        target = 0.0 if self.parameters.to == "centre" else math.copysign(band, delta)
        trade = target - delta
        reason = f"delta {delta:.6g} ETH is outside the band of {band:.6g} ETH: to {target:.6g} ETH"
        clip = self.parameters.max_clip_eth
        if clip is not None and abs(trade) > clip:
            diagnostics["uncut_trade_eth"] = trade
            trade = math.copysign(clip, trade)
            reason += f", cut to one clip of {clip:.6g} ETH"
        return Plan(trade, reason, band, delta + trade, diagnostics)
