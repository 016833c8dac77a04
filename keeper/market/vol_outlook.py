"""Forecasts of realised volatility until each expiry, with what they were wrong by in the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from keeper.errors import DataError
from keeper.pricing.vol_signal import VolForecast
from keeper.units import SECONDS_PER_YEAR
from keeper.volatility.bars import Floats
from keeper.volatility.forecast import Forecaster
from keeper.volatility.panel import Panel
from keeper.volatility.served import serve_panel

# Independent periods that an error needs; below, the expiry has no forecast.
LEAST_PERIODS = 20
LEAST_LOG_ERROR = 0.02
# Two years of days: horizons up to five weeks have their periods in it.
ROWS = 750


def outlook(
    panel: Panel, expiries_s: Sequence[int], now_s: int, forecaster: Forecaster
) -> dict[int, VolForecast]:
    """A forecast for each expiry whose horizon the history can judge; others are left out.

    `panel` must end at `now_s` (within one period). The error is the deviation of ln(realised / forecast) volatility
    over the panel's own rows, by parameters that have seen them.
    """
    return _outlook(
        panel, expiries_s, now_s, lambda h: forecaster.fit([panel], h).predict(panel), len(panel)
    )


def served_outlook(
    panel: Panel, expiries_s: Sequence[int], now_s: int, rows: int = ROWS
) -> dict[int, VolForecast]:
    """As `outlook` with what is served (keeper.volatility.served): each row by parameters that were known then."""
    return _outlook(panel, expiries_s, now_s, lambda h: serve_panel(panel, h, rows).forecast, rows)


def _outlook(
    panel: Panel,
    expiries_s: Sequence[int],
    now_s: int,
    forecast_of: Callable[[int], Floats],
    rows: int,
) -> dict[int, VolForecast]:
    """For horizons of h periods about len / h rows are independent: the deviation of n is widened by 1 + 1 / (2 n)."""
    gap = now_s - int(panel.start_s[-1]) - panel.period_s
    if not 0 <= gap <= panel.period_s:
        raise DataError(
            f"the history ends {gap} s before {now_s}: give candles up to the last whole period"
        )
    found: dict[int, VolForecast] = {}
    for expiry in expiries_s:
        horizon = max(1, round((expiry - now_s) / panel.period_s))
        if expiry <= now_s or min(len(panel), rows) < horizon * LEAST_PERIODS:
            continue
        forecast, target = forecast_of(horizon), panel.target(horizon)
        known = np.isfinite(target) & np.isfinite(forecast) & (target > 0.0) & (forecast > 0.0)
        periods = int(known.sum()) / horizon
        last = float(forecast[-1])
        if periods < LEAST_PERIODS or not (np.isfinite(last) and last > 0.0):
            continue
        errors = 0.5 * np.log(target[known] / forecast[known])
        spread = float(np.sqrt(np.mean(errors**2))) * (1.0 + 0.5 / periods)
        vol = float(np.sqrt(last * SECONDS_PER_YEAR / panel.period_s))
        found[expiry] = VolForecast(vol, max(spread, LEAST_LOG_ERROR))
    return found
