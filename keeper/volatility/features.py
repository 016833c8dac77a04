"""What the gamma regression sees of a panel: causal, per row, finite wherever the asset's own history is."""

from __future__ import annotations

import numpy as np

from keeper.volatility.bars import Floats
from keeper.volatility.forecast import decayed_mean, trailing_mean
from keeper.volatility.panel import DAY_S, Panel

SLOW = 0.02
DECAYS = (0.5, 0.25, 0.1, SLOW)
FLOOR = 1e-3  # of the slow mean: keeps the logarithm of a quiet hour finite


def prior_log_variance(panel: Panel) -> Floats:
    """Logarithm of the geometric mean of a slow EWMA of ranges and the squared implied index, or the EWMA alone."""
    slow = _log(decayed_mean(panel.range_var, SLOW))
    implied = _log(panel.implied)
    return np.where(np.isfinite(implied), 0.5 * (slow + implied), slow)


def design(panel: Panel) -> Floats:
    """Columns: ranges at several lags, the last quarter, realised variance, leverage, jumps, implied, season.

    Below a day the lags are one period, a day and a week, and the season is the hour of the day and the weekend.
    """
    day = max(1, DAY_S // panel.period_s)
    week, long = (7, 90) if day == 1 else (day, 7 * day)
    slow = decayed_mean(panel.range_var, SLOW)
    spot_scale = np.sqrt(trailing_mean(panel.range_var, week))
    with np.errstate(divide="ignore", invalid="ignore"):
        jumps = np.clip(
            np.nan_to_num(1.0 - panel.bipower / panel.rv, nan=0.0, neginf=-0.5), -0.5, 1
        )
        columns = [
            *(_log(decayed_mean(panel.range_var, decay), slow) for decay in DECAYS),
            *(_log(trailing_mean(panel.range_var, window), slow) for window in (1, week, long)),
            *(_log(trailing_mean(panel.rv, window), slow) for window in (1, week)),
            _log(panel.tail, slow),
            np.minimum(panel.ret / spot_scale, 0.0),
            np.minimum(trailing_mean(panel.ret, 7) * np.sqrt(7.0 / slow), 0.0),
            jumps,
        ]
    return np.column_stack([*columns, *_implied_columns(panel, slow), *_season(panel)])


def _implied_columns(panel: Panel, slow: Floats) -> list[Floats]:
    """Gap between implied and slow variance, its changes over one and five periods, and whether it is known."""
    level = _log(panel.implied)
    known = np.isfinite(level)

    def change(lag: int) -> Floats:
        moved = np.full(level.size, np.nan)
        moved[lag:] = level[lag:] - level[:-lag]
        return np.asarray(np.nan_to_num(moved, nan=0.0))

    gap = np.nan_to_num(level - _log(slow), nan=0.0)
    return [np.asarray(gap), change(1), change(5), known.astype(np.float64)]


def _season(panel: Panel) -> list[Floats]:
    """Of the period to come. 1970-01-01 was a Thursday, so that day 0 of this count is a Monday."""
    nexts = panel.start_s + panel.period_s
    weekday = (nexts // DAY_S + 3) % 7
    if panel.period_s >= DAY_S:
        return [(weekday == number).astype(np.float64) for number in range(1, 7)]
    angle = 2.0 * np.pi * (nexts % DAY_S) / DAY_S
    waves = [wave(angle * k) for k in (1, 2, 3) for wave in (np.sin, np.cos)]
    return [*waves, (weekday >= 5).astype(np.float64)]


def _log(values: Floats, scale: Floats | None = None) -> Floats:
    """Logarithm, of at least FLOOR times the scale where one is given; NaN stays NaN."""
    if scale is not None:
        values = np.where(np.isfinite(values), np.maximum(values, FLOOR * scale), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(values))
