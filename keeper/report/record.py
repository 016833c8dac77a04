"""What a finished run hands to its report: plain figures by hour, by rebalance, and for the whole."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from keeper.errors import DataError


@dataclass(frozen=True, slots=True)
class HourRow:
    """One hour of a run. Deltas in ETH: before the tick with and without hedges, and after it.

    `terms_usd` are the hour's profit by cause; NAV figures are USD, per share where they say so.
    """

    timestamp_s: int
    spot_usd: float
    delta_hedged_eth: float
    delta_unhedged_eth: float
    delta_after_eth: float
    nav_usd: float
    share_price_hedged_usd: float
    share_price_unhedged_usd: float
    pnl_hedged_usd: float
    pnl_unhedged_usd: float
    atm_vol: float
    base_fee_gwei: float
    gamma_eth_per_usd: float
    terms_usd: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RebalanceRow:
    """One mined rebalance: ETH bought (+), USD received (+), and `cost_usd` for its gas at the oracle's spot.

    `settled_after_s` runs from the oracle's round to its block, `machine_ms` from the new head to the signed bytes
    sent; None where it was not written down. `unfinished` is a slice after which others are to come.
    """

    timestamp_s: int
    filled_eth: float
    quote_usd: float
    delta_before_eth: float
    delta_after_eth: float
    venues: str
    gas_used: int
    gas_price_gwei: float
    cost_usd: float
    settled_after_s: int | None = None
    machine_ms: float | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything that a report shows. `figures` become the table on top, in their order."""

    title: str
    notice: str
    band_eth: float
    figures: Mapping[str, str]
    hours: tuple[HourRow, ...]
    rebalances: tuple[RebalanceRow, ...]

    def __post_init__(self) -> None:
        if not self.hours:
            raise DataError(
                "a report needs at least one recorded hour: the run ended before the first"
            )
        stamps = [row.timestamp_s for row in self.hours]
        if any(later <= earlier for earlier, later in itertools.pairwise(stamps)):
            raise DataError("recorded hours must be in rising order of time")
        names = set(self.hours[0].terms_usd)
        for row in self.hours:
            if set(row.terms_usd) != names:
                raise DataError(
                    f"hour {row.timestamp_s} has other profit terms than the first hour"
                )
            numbers = [
                row.spot_usd,
                row.delta_hedged_eth,
                row.delta_unhedged_eth,
                row.delta_after_eth,
            ]
            numbers += [
                row.nav_usd,
                row.share_price_hedged_usd,
                row.share_price_unhedged_usd,
                *row.terms_usd.values(),
            ]
            if not all(math.isfinite(number) for number in numbers):
                raise DataError(
                    f"hour {row.timestamp_s} holds a figure that is not a finite number"
                )
