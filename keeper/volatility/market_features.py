"""Gas, funding and depth as columns of the warning, aligned so that no row sees what became known after its end.

Order-book depth is rarely recorded; its stand-in is what a given amount of trading moves the price (Amihud, 2002,
"Illiquidity and stock returns", Journal of Financial Markets 5, eq. 1). Funding's is the premium of the perpetual
over spot, which funding follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import DataError
from keeper.volatility.bars import Bars, Floats, refuse
from keeper.volatility.panel import Panel


def known_at_end(
    panel: Panel, known_s: ArrayLike, values: ArrayLike, max_age_s: float | None = None
) -> Floats:
    """For each row the last value that was known by its end, NaN where that is older than `max_age_s`.

    `known_s` is when each value became known (a daily mean: the end of its day), rising; NaN values are skipped. The
    default age is two periods. DataError for columns that differ, times that do not rise, or infinite values.
    """
    times, column = np.asarray(known_s, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if times.ndim != 1 or times.shape != column.shape:
        raise DataError(f"columns differ: times {times.shape}, values {column.shape}")
    refuse(
        ~np.isfinite(times) | np.isinf(column),
        lambda row: f"value {column[row]:g} known at {times[row]:g} s: both must be finite",
    )
    refuse(np.r_[False, np.diff(times) <= 0.0][: times.size], lambda _: "times must rise")
    there = ~np.isnan(column)
    times, column = times[there], column[there]
    ends = panel.start_s + panel.period_s
    slot = np.searchsorted(times, ends, side="right") - 1
    age = max_age_s if max_age_s is not None else 2.0 * panel.period_s
    out = np.full(len(panel), np.nan)
    fresh = slot >= 0
    fresh[fresh] &= ends[fresh] - times[slot[fresh]] <= age
    out[fresh] = column[slot[fresh]]
    return out


def illiquidity(panel: Panel, bars: Bars, volume_usd: ArrayLike) -> Floats:
    """Logarithm of the mean |log return| of a candle per USD traded in it, for each row; NaN without any trade.

    `volume_usd` holds one number a candle, not negative. DataError otherwise.
    """
    volume = np.asarray(volume_usd, dtype=np.float64)
    if volume.shape != (len(bars),):
        raise DataError(f"{volume.shape} volumes for {len(bars)} candles")
    refuse(
        ~(np.isfinite(volume) & (volume >= 0.0)),
        lambda row: f"volume {volume[row]:g} of candle {row} must be a number >= 0",
    )
    traded = volume > 0.0
    moved = np.abs(np.log(bars.close / bars.open))
    impact = np.divide(moved, volume, out=np.zeros_like(volume), where=traded)
    total, count = _per_row(panel, bars, impact), _per_row(panel, bars, traded.astype(np.float64))
    mean = np.divide(total, count, out=np.full(len(panel), np.nan), where=count > 0.0)
    result: Floats = np.log(mean, out=np.full(len(panel), np.nan), where=mean > 0.0)
    return result


def premium(panel: Panel, spot: Bars, perpetual: Bars) -> Floats:
    """Mean log premium of the perpetual's closes over spot's, over the candles that both have; NaN without any."""
    shared, of_spot, of_perpetual = np.intersect1d(
        spot.open_s, perpetual.open_s, assume_unique=True, return_indices=True
    )
    gaps = np.log(perpetual.close[of_perpetual] / spot.close[of_spot])
    row = (shared - panel.start_s[0]) // panel.period_s
    inside = (row >= 0) & (row < len(panel))
    count = np.bincount(row[inside], minlength=len(panel))
    total = np.bincount(row[inside], gaps[inside], len(panel))
    result: Floats = np.divide(total, count, out=np.full(len(panel), np.nan), where=count > 0)
    return result


def _per_row(panel: Panel, bars: Bars, values: Floats) -> Floats:
    row = (bars.open_s - panel.start_s[0]) // panel.period_s
    inside = (row >= 0) & (row < len(panel))
    return np.bincount(row[inside], values[inside], len(panel)).astype(np.float64)
