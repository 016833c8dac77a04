"""Candles from CSV or Parquet, checked row by row: nothing is sorted, filled or dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from keeper.errors import DataError
from keeper.volatility.bars import checked_bars
from keeper.volatility.panel import DAY_S, Panel, build_panel

PRICES = ("open", "high", "low", "close")
VOLUMES = ("volume", "volume_eth")


@dataclass(frozen=True, slots=True)
class Candles:
    """Columns of equal length: `timestamp_s` is when a candle opens, it closes `step_s` later. USD, volume in ETH."""

    source: str
    step_s: int
    timestamp_s: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.timestamp_s)


def load_candles(
    path: Path,
    start_s: int | None = None,
    end_s: int | None = None,
    allow_gaps: bool = False,
    step_s: int | None = None,
) -> Candles:
    """Candles that open in [start_s, end_s), the whole file by default.

    `step_s` is the candles' length, by default the most frequent distance of neighbours. DataError names file, row
    (1 is the first candle) and rule; a gap is one, at the ends of an asked window too, unless `allow_gaps`.
    """
    frame = _read(path)
    volume = next((name for name in VOLUMES if name in frame.columns), None)
    missing = [name for name in ("timestamp", *PRICES) if name not in frame.columns]
    if missing or volume is None:
        wanted = [*missing, *([] if volume else ["volume"])]
        raise DataError(
            f"{path}: column {', '.join(wanted)} is missing; found {', '.join(frame.columns)}"
        )
    if frame.empty:
        raise DataError(f"{path}: holds no candles")
    times = _times(path, frame["timestamp"])
    _require_rising(path, times)
    columns = {name: _numbers(path, frame[name], name) for name in (*PRICES, volume)}
    inside = _window(times, start_s, end_s)
    if not inside.any():
        raise DataError(f"{path}: no candle opens in [{_say(start_s)}, {_say(end_s)})")
    first = int(np.flatnonzero(inside)[0])
    picked = {name: values[inside] for name, values in columns.items()}
    _require_prices(path, picked, picked[volume], first)
    step = step_s or _usual_step(path, times)
    chosen = times[inside]
    if not allow_gaps:
        _require_no_gap(path, chosen, step, first)
        _require_ends(path, chosen, step, start_s, end_s)
    prices = {name: picked[name] for name in PRICES}
    return Candles(path.name, step, chosen, **prices, volume=picked[volume])


def daily_panel(candles: Candles, now_s: int) -> Panel:
    """The whole days of candles that had closed at a moment. DataError where they end more than a day before it."""
    bars = checked_bars(
        candles.timestamp_s, candles.open, candles.high, candles.low, candles.close, candles.step_s
    ).window(0, now_s)
    panel = build_panel(bars, DAY_S)
    late = now_s - int(panel.start_s[-1]) - DAY_S
    if late > DAY_S:
        raise DataError(f"{candles.source} ends {late / DAY_S:.1f} days before {_say(now_s)}")
    return panel


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix == ".csv":
            return pd.read_csv(path, skipinitialspace=True)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: give a CSV or Parquet file of candles") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path}: holds no candles") from None
    except (OSError, ValueError) as error:  # pyarrow and pandas raise subclasses of these
        raise DataError(f"{path} cannot be read as {path.suffix[1:]}: {error}") from None
    raise DataError(f"{path}: unknown kind of file {path.suffix!r}, use .csv or .parquet")


def _times(path: Path, column: pd.Series) -> NDArray[np.int64]:
    """Unix seconds from ISO 8601 text (UTC unless it says otherwise), datetimes or unix seconds."""
    if pd.api.types.is_integer_dtype(column):
        return column.to_numpy(dtype=np.int64)
    if pd.api.types.is_float_dtype(column):
        values = column.to_numpy(dtype=np.float64)
        bad = ~np.isfinite(values) | (values != np.floor(values))
        _refuse(path, bad, 0, lambda row: f"timestamp {values[row]} is not a whole unix second")
        return values.astype(np.int64)
    parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    bad = parsed.isna().to_numpy()
    _refuse(
        path,
        bad,
        0,
        lambda row: f"timestamp {_shown(column.iloc[row])} is neither ISO 8601 nor unix seconds",
    )
    return parsed.dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)


def _numbers(path: Path, column: pd.Series, name: str) -> NDArray[np.float64]:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    _refuse(
        path,
        ~np.isfinite(values),
        0,
        lambda row: f"{name} is {_shown(column.iloc[row])}, it must be a finite number",
    )
    return values


def _require_rising(path: Path, times: NDArray[np.int64]) -> None:
    bad = np.zeros(times.size, dtype=np.bool_)
    bad[1:] = np.diff(times) <= 0
    _refuse(
        path,
        bad,
        0,
        lambda row: (
            f"opens at {_say(times[row])}, not after {_say(times[row - 1])}: sort the file and drop duplicates"
        ),
    )


def _require_prices(
    path: Path, prices: dict[str, NDArray[np.float64]], volume: NDArray[np.float64], first: int
) -> None:
    for name in PRICES:
        _require_positive(path, name, prices[name], first)
    top = np.maximum(prices["open"], prices["close"])
    bottom = np.minimum(prices["open"], prices["close"])
    _refuse(path, prices["high"] < top, first, lambda _: "high is below open or close")
    _refuse(path, prices["low"] > bottom, first, lambda _: "low is above open or close")
    _refuse(
        path, volume < 0.0, first, lambda row: f"volume is {volume[row]:g}, it cannot be negative"
    )


def _require_positive(path: Path, name: str, values: NDArray[np.float64], first: int) -> None:
    def why(row: int) -> str:
        return f"{name} is {values[row]:g}, a price must be positive"

    _refuse(path, values <= 0.0, first, why)


def _usual_step(path: Path, times: NDArray[np.int64]) -> int:
    if times.size < 2:
        raise DataError(
            f"{path}: one candle does not tell its length: give step_s, or more candles"
        )
    steps, counts = np.unique(np.diff(times), return_counts=True)
    return int(steps[np.argmax(counts)])


def _require_no_gap(path: Path, times: NDArray[np.int64], step: int, first: int) -> None:
    bad = np.zeros(times.size, dtype=np.bool_)
    bad[1:] = np.diff(times) != step
    _refuse(
        path,
        bad,
        first,
        lambda row: (
            f"opens at {_say(times[row])}, {times[row] - times[row - 1]} s after the one before where "
            f"candles are {step} s long: mend the file, or allow gaps on purpose"
        ),
    )


def _require_ends(
    path: Path, times: NDArray[np.int64], step: int, start_s: int | None, end_s: int | None
) -> None:
    if start_s is not None and times[0] - start_s >= step:
        raise DataError(
            f"{path}: the first candle from {_say(start_s)} on opens at {_say(times[0])}: choose a later "
            f"start, or allow gaps on purpose"
        )
    if end_s is not None and end_s - times[-1] > step:
        raise DataError(
            f"{path}: the last candle before {_say(end_s)} opens at {_say(times[-1])}: choose an earlier "
            f"end, or allow gaps on purpose"
        )


def _window(times: NDArray[np.int64], start_s: int | None, end_s: int | None) -> NDArray[np.bool_]:
    inside = np.ones(times.size, dtype=np.bool_)
    if start_s is not None:
        inside &= times >= start_s
    if end_s is not None:
        inside &= times < end_s
    return inside


def _refuse(path: Path, bad: NDArray[np.bool_], first: int, why: Callable[[int], str]) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"{path}: row {row + first + 1}: {why(row)}")


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _say(seconds: int | np.int64 | None) -> str:
    if seconds is None:
        return "..."
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M:%S} UTC"
