"""Trailing realised volatility over candle closes that may have gaps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import DataError
from keeper.units import SECONDS_PER_YEAR


def trailing_realised_vol(
    close_times_s: ArrayLike,
    closes: ArrayLike,
    as_of_s: int,
    window_s: int,
    min_returns: int = 12,
) -> float:
    """Annualised realised volatility (365 days) from the closes in (as_of - window, as_of].

    `close_times_s` is when each close became known (for a candle stamped at its open: stamp plus step), so nothing
    after `as_of_s` is used. A return over a gap counts with the time that it really took: sum of squared log
    returns over sum of elapsed time, unbiased for a diffusion whatever the gaps, and nothing is filled in.

    Raises DataError for arrays of different shapes, NaN, non-positive prices, times that do not increase, and
    fewer than `min_returns` returns in the window.
    """
    times = np.asarray(close_times_s, dtype=np.float64)
    prices = np.asarray(closes, dtype=np.float64)
    if times.ndim != 1 or times.shape != prices.shape:
        raise DataError(
            f"close_times_s and closes must be 1-d and as long as each other, got {times.shape} and {prices.shape}"
        )
    if window_s <= 0 or min_returns < 1:
        raise DataError(
            f"window_s and min_returns must be positive, got {window_s} and {min_returns}"
        )
    _check(times, prices)
    known = (times <= as_of_s) & (times > as_of_s - window_s)
    times, prices = times[known], prices[known]
    if times.size < min_returns + 1:
        raise DataError(
            f"only {max(0, times.size - 1)} returns in the {window_s} s before {as_of_s}, {min_returns} needed: "
            "give more history or a longer window"
        )
    returns = np.diff(np.log(prices))
    elapsed_years = (times[-1] - times[0]) / SECONDS_PER_YEAR
    return math.sqrt(float(returns @ returns) / elapsed_years)


def _check(times: np.ndarray, prices: np.ndarray) -> None:
    bad = ~(np.isfinite(times) & np.isfinite(prices) & (prices > 0.0))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"row {row}: time {times[row]!r} with close {prices[row]!r}; both must be finite, the close positive"
        )
    step = np.diff(times)
    if step.size and step.min() <= 0.0:
        row = int(np.flatnonzero(step <= 0.0)[0]) + 1
        raise DataError(
            f"row {row}: time {times[row]:.0f} does not come after {times[row - 1]:.0f}; sort the candles and "
            "drop duplicates"
        )
