"""What a replay records, hour by hour and rebalance by rebalance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keeper.chain.calls import Rebalanced
from keeper.execution.records import OutcomeKind
from keeper.models import Snapshot
from keeper.portfolio.attribution import HedgeFill
from keeper.report.record import HourRow, RebalanceRow
from keeper.runtime.tick_records import TickResult
from keeper.units import GWEI, WAD, from_wad


@dataclass(slots=True)
class Series:
    """What the replay recorded. `at_tick_eth` is the net delta that each tick saw, fresh trades included."""

    hours: list[HourRow] = field(default_factory=list)
    rebalances: list[RebalanceRow] = field(default_factory=list)
    at_tick_eth: list[float] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    insolvent: list[str] = field(default_factory=list)
    share_prices: list[float] = field(default_factory=list)
    venues_used: set[str] = field(default_factory=set)

    def add_rebalance(
        self,
        result: TickResult,
        latest: Snapshot,
        filled: Sequence[Mapping[str, Any]],
        gas_price_wei: int,
    ) -> None:
        """A mined rebalance with its `OrderFilled` events; `latest` is the snapshot after it."""
        done = result.rebalanced
        assert done is not None
        kinds = {venue.address.lower(): venue.kind.value for venue in latest.venues}
        venues = [kinds[event["venue"].lower()] for event in filled]
        self.venues_used |= set(venues)
        gas = result.outcome.gas_used or 0
        self.rebalances.append(
            RebalanceRow(
                timestamp_s=latest.timestamp_s,
                filled_eth=from_wad(done.filled_base_wad),
                quote_usd=math.fsum(fill.quote_usd for fill in fills_of(done, filled, latest)),
                delta_before_eth=from_wad(done.delta_before_wad),
                delta_after_eth=from_wad(done.delta_after_wad),
                venues=" and ".join(venues),
                gas_used=gas,
                gas_price_gwei=gas_price_wei / GWEI,
                cost_usd=gas * gas_price_wei / WAD * from_wad(done.spot_wad),
                settled_after_s=result.times.settled_after_s if result.times else None,
                machine_ms=result.times.machine_ms if result.times else None,
                unfinished=result.unfinished,
            )
        )


def fills_of(
    done: Rebalanced, filled: Sequence[Mapping[str, Any]], latest: Snapshot
) -> tuple[HedgeFill, ...]:
    """The fills of a rebalance as the contract measured them, each with its venue's fee at the oracle price."""
    spot = from_wad(done.spot_wad)
    fees = {venue.address.lower(): venue.fee for venue in latest.venues}
    fills = []
    for event in filled:
        base = from_wad(event["filledBase"])
        fee = fees[event["venue"].lower()] * abs(base) * spot
        fills.append(HedgeFill(base, from_wad(event["quoteChange"]), spot, fee))
    return tuple(fills)


def what_it_did(result: TickResult) -> str:
    """One phrase on what the tick did."""
    if result.rebalanced is not None:
        return f"hedged {from_wad(result.rebalanced.filled_base_wad):+.2f} ETH, {result.outcome.gas_used or 0:,} gas"
    return "no hedge" if result.outcome.kind is OutcomeKind.NOTHING else result.outcome.kind.value
