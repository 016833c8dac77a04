"""Candles gathered into equal periods (days, hours): what a forecaster may know at the end of each."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import DataError
from keeper.units import SECONDS_PER_YEAR
from keeper.volatility.bars import Bars, Floats, Ints, refuse
from keeper.volatility.estimators import BIPOWER_SCALE, garman_klass_terms

MIN_COVERAGE = 0.5
MIN_RETURNS = 4  # fewer squared returns a period are nearly all noise
IMPLIED_MAX_AGE_PERIODS = 2
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Panel:
    """One row a period; row i is known at start_s[i] + period_s. Variances are of log price, per period.

    A row is NaN where less than half of its candles exist. `implied` is NaN where no index value was known.
    """

    period_s: int
    start_s: Ints
    rv: Floats  # sum of squared candle returns; equal to range_var below MIN_RETURNS candles a period
    range_var: Floats  # sum of Garman-Klass variances of the candles
    bipower: Floats
    tail: Floats  # Garman-Klass over the last quarter of the period, per whole period
    ret: Floats  # log return
    implied: Floats  # squared implied volatility, per period

    def __len__(self) -> int:
        return len(self.start_s)

    def upto(self, row: int) -> Panel:
        """Rows 0..row inclusive: all that is known at the end of `row`."""
        if not 0 <= row < len(self):
            raise DataError(f"row {row} is outside the panel of {len(self)} periods")
        series = [f.name for f in fields(self) if f.name != "period_s"]
        return replace(self, **{name: getattr(self, name)[: row + 1] for name in series})

    def target(self, horizon: int) -> Floats:
        """Mean realised variance of periods i+1..i+horizon for each row i; NaN where not complete."""
        if horizon < 1:
            raise DataError(f"horizon must be at least one period, got {horizon}")
        out = np.full(len(self), np.nan)
        if len(self) > horizon:
            windows = np.lib.stride_tricks.sliding_window_view(self.rv[1:], horizon)
            out[: len(windows)] = windows.mean(axis=1)
        return out


def build_panel(
    bars: Bars,
    period_s: int = DAY_S,
    implied_known_s: ArrayLike | None = None,
    implied_vol: ArrayLike | None = None,
) -> Panel:
    """Panel over the whole periods that the candles cover, from the first complete one.

    `implied_vol` is an annualised decimal volatility index and `implied_known_s` when each value became known (a
    daily close: the end of its day). A period takes the last value known by its end, at most two periods old (two
    days, where that is longer).
    Raises DataError for a period that is not a multiple of the step and for no complete period.
    """
    if period_s < bars.step_s or period_s % bars.step_s:
        raise DataError(f"period_s {period_s} must be a multiple of the candles' {bars.step_s} s")
    if len(bars) == 0:
        raise DataError("no candles: give at least one whole period of them")
    first = -(-int(bars.open_s[0]) // period_s)
    count = int(bars.open_s[-1] + bars.step_s) // period_s - first
    if count < 1:
        raise DataError(f"the candles hold no whole period of {period_s} s: give more history")
    starts = (first + np.arange(count, dtype=np.int64)) * period_s
    implied = _implied(starts + period_s, period_s, implied_known_s, implied_vol)
    return _gather(bars, period_s, starts, implied)


def _gather(bars: Bars, period_s: int, starts: Ints, implied: Floats) -> Panel:
    count = len(starts)
    index = (bars.open_s - starts[0]) // period_s
    inside = (index >= 0) & (index < count)
    expected = period_s // bars.step_s

    def total(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
        return np.bincount(index[chosen], values[chosen], count).astype(np.float64)

    ones = np.ones(len(bars))
    log_close = np.log(bars.close)
    ret = np.diff(log_close, prepend=np.log(bars.open[0]))
    elapsed = np.diff(bars.open_s, prepend=bars.open_s[0] - bars.step_s).astype(np.float64)
    usable = inside & (elapsed <= period_s * MIN_COVERAGE + bars.step_s)
    joined = usable & (elapsed == bars.step_s) & np.r_[False, elapsed[:-1] == bars.step_s]
    ladder = np.abs(ret) * np.abs(np.r_[0.0, ret[:-1]]) * BIPOWER_SCALE
    gk = garman_klass_terms(bars)
    quarter = max(expected // 4, 1)
    late = inside & (bars.open_s % period_s >= period_s - quarter * bars.step_s)
    seen = total(ones, inside)
    with np.errstate(divide="ignore", invalid="ignore"):
        rv = total(ret**2, usable) / total(elapsed, usable) * period_s
        bipower = total(ladder, joined) / total(ones, joined) * expected
        ranges = total(gk, inside) / seen * expected
        tail = total(gk, late) / total(ones, late) * expected
    if expected < MIN_RETURNS:
        rv = ranges
    enough = seen >= expected * MIN_COVERAGE
    rv, ranges, bipower, tail, moves = (
        np.where(enough, column, np.nan)
        for column in (rv, ranges, bipower, tail, total(ret, inside))
    )
    return Panel(period_s, starts, rv, ranges, bipower, tail, moves, implied)


def _implied(
    ends_s: Ints, period_s: int, known_s: ArrayLike | None, vol: ArrayLike | None
) -> Floats:
    out = np.full(ends_s.size, np.nan)
    if known_s is None and vol is None:
        return out
    times, values = np.asarray(known_s, dtype=np.float64), np.asarray(vol, dtype=np.float64)
    if times.ndim != 1 or times.shape != values.shape:
        raise DataError(f"implied columns differ: times {times.shape}, vols {values.shape}")
    refuse(
        ~(np.isfinite(times) & np.isfinite(values) & (values > 0.0)),
        lambda row: (
            f"implied volatility {values[row]:g} at {times[row]:.0f} must be finite and positive"
        ),
    )
    refuse(np.r_[False, np.diff(times) <= 0.0], lambda _: "implied times must rise")
    slot = np.searchsorted(times, ends_s, side="right") - 1
    fresh = slot >= 0
    fresh[fresh] &= ends_s[fresh] - times[slot[fresh]] <= IMPLIED_MAX_AGE_PERIODS * max(
        period_s, DAY_S
    )
    out[fresh] = values[slot[fresh]] ** 2 * period_s / SECONDS_PER_YEAR
    return out
