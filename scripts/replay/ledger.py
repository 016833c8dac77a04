"""The replay's books: where each dollar came from, and what the same book would have made without its hedges.

Every interval between two snapshots is attributed by keeper.portfolio.attribution. NAV is the contracts' own
figure, the terms come from repricing off the chain, so the residual is a true comparison of the two.
The unhedged book has the same options and cash flows with every hedge flow left out: its profit is the hedged
profit without the terms that hedging brings, which are hedge, fees and slippage, and interest at the venues.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from keeper.errors import DataError
from keeper.models import Snapshot
from keeper.portfolio.attribution import (
    Activity,
    Attribution,
    HedgeFill,
    OptionTrade,
    as_dict,
    attribute,
    state_of,
    total,
)

HEDGE_TERMS = ("hedge", "fees", "slippage", "interest", "funding")


@dataclass(slots=True)
class Ledger:
    """Attributions since the last `close_hour`, and all that were closed."""

    _last: Snapshot
    _open: list[Attribution] = field(default_factory=list)
    _closed: list[Attribution] = field(default_factory=list)

    def quiet(self, snapshot: Snapshot, flows_usd: float = 0.0) -> None:
        """An interval in which the vault did not trade: prices moved, depositors came or went, expiries settled."""
        self._take(
            snapshot, Activity(interest_usd=interest_usd(self._last, snapshot), flows_usd=flows_usd)
        )

    def traded(self, snapshot: Snapshot, trades: tuple[OptionTrade, ...]) -> None:
        """An interval with option trades and nothing else."""
        self._take(snapshot, Activity(trades=trades))

    def hedged(
        self,
        snapshot: Snapshot,
        fills: tuple[HedgeFill, ...],
        trades: tuple[OptionTrade, ...] = (),
    ) -> None:
        """An interval with hedge fills, makers' quotes taken in the same batch, and nothing else."""
        self._take(snapshot, Activity(fills=fills, trades=trades))

    def close_hour(self) -> Attribution:
        """What this hour made."""
        if not self._open:
            raise DataError("an hour without a snapshot cannot be closed")
        hour = total(self._open)
        self._closed += self._open
        self._open = []
        return hour

    def whole(self) -> Attribution:
        """What all closed hours made."""
        return total(self._closed)

    def _take(self, snapshot: Snapshot, activity: Activity) -> None:
        before, after = state_of(self._last), state_of(snapshot)
        # A snapshot holds the slices of its own legs; what was just closed is valued on the slice that still stands.
        slices = {**before.market.slices, **after.market.slices}
        after = replace(after, market=replace(after.market, slices=slices))
        self._open.append(attribute(before, after, activity))
        self._last = snapshot


def interest_usd(before: Snapshot, after: Snapshot) -> float:
    """What venues credited (+) or charged (-) between two snapshots without a fill, debt in ETH at the later spot."""
    old = {venue.address: venue for venue in before.venues}
    parts = []
    for venue in after.venues:
        start = old[venue.address]
        parts.append(venue.quote_usd - start.quote_usd)
        parts.append((venue.base_eth - start.base_eth) * after.spot_usd)
    return math.fsum(parts)


def unhedged_change_usd(hour: Attribution) -> float:
    """Change of NAV, flows left out, of the same book without hedges."""
    terms = as_dict(hour.terms)
    return hour.nav_change_usd - math.fsum(terms[name] for name in HEDGE_TERMS)
