"""Price candles as arrays, checked once at the door. Gaps stay gaps: nothing is filled, sorted or dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bars:
    """Candles of `step_s` seconds; `open_s` is when each opens (unix seconds), so it is known at open_s + step_s.

    Prices in quote currency. Make one with `checked_bars`.
    """

    step_s: int
    open_s: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats

    def __len__(self) -> int:
        return len(self.open_s)

    def window(self, start_s: int, as_of_s: int) -> Bars:
        """The candles that open at or after `start_s` and have closed at `as_of_s`."""
        rows = slice(
            int(np.searchsorted(self.open_s, start_s)),
            int(np.searchsorted(self.open_s + self.step_s, as_of_s, side="right")),
        )
        columns = (self.open, self.high, self.low, self.close)
        return Bars(self.step_s, self.open_s[rows], *(column[rows] for column in columns))


def checked_bars(
    open_s: ArrayLike,
    open_: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    step_s: int,
) -> Bars:
    """Bars from raw columns, copied.

    Raises DataError, naming row and rule, for columns of different lengths, no row at all, NaN or infinite or
    non-positive prices, a high below or a low above another price of the row, and times that do not rise by at
    least `step_s` (unsorted, duplicate or overlapping candles).
    """
    if step_s <= 0:
        raise DataError(f"step_s must be positive, got {step_s}")
    times = np.array(open_s, dtype=np.float64)
    columns = {
        "open": np.array(open_, dtype=np.float64),
        "high": np.array(high, dtype=np.float64),
        "low": np.array(low, dtype=np.float64),
        "close": np.array(close, dtype=np.float64),
    }
    for name, values in columns.items():
        if times.ndim != 1 or values.shape != times.shape:
            raise DataError(
                f"{name} has shape {values.shape}, open_s {times.shape}: give equal 1-d"
            )
    if times.size == 0:
        raise DataError("no candles: give at least one")
    refuse(~np.isfinite(times), lambda row: f"time {times[row]:g} is not finite")
    for name, values in columns.items():
        wrong = ~(np.isfinite(values) & (values > 0.0))
        refuse(wrong, partial(_must_be_positive, name, values))
    top, bottom = (pick(list(columns.values())) for pick in (np.maximum.reduce, np.minimum.reduce))
    refuse(columns["high"] < top, lambda _: "high is below another price of the candle")
    refuse(columns["low"] > bottom, lambda _: "low is above another price of the candle")
    early = np.diff(times, prepend=times[0] - step_s) < step_s
    refuse(early, lambda _: f"opens less than {step_s} s after the row before: sort, deduplicate")
    return Bars(step_s, times.astype(np.int64), *columns.values())


def _must_be_positive(name: str, values: Floats, row: int) -> str:
    return f"{name} {values[row]:g} must be finite and positive"


def refuse(bad: NDArray[np.bool_], why: Callable[[int], str]) -> None:
    """DataError for the first row where `bad` holds."""
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"row {row}: {why(row)}")
