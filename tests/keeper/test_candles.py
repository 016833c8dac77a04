"""Candles: every way in which a file can be wrong is named by row and rule; nothing is mended in silence."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keeper.errors import DataError
from keeper.market.candles import load_candles

START = 1_583_712_000  # 2020-03-09 00:00 UTC
HOUR = 3600
ROOT = Path(__file__).resolve().parents[2]
REAL = (
    Path(os.environ.get("GAMMADESK_DATA", ROOT.parent / "shared" / "data"))
    / "eth_usdt_spot_1h.parquet"
)


def rows(count: int = 6) -> list[dict]:
    return [
        {
            "timestamp": START + i * HOUR,
            "open": 200.0 + i,
            "high": 205.0 + i,
            "low": 195.0 + i,
            "close": 201.0 + i,
            "volume": 10.0,
        }
        for i in range(count)
    ]


def write(path: Path, data: list[dict]) -> Path:
    frame = pd.DataFrame(data)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


@pytest.fixture
def csv(tmp_path):
    return lambda data: write(tmp_path / "candles.csv", data)


@pytest.mark.parametrize("name", ["candles.csv", "candles.parquet"])
def test_reads_both_kinds(tmp_path, name):
    candles = load_candles(write(tmp_path / name, rows()))
    assert (len(candles), candles.step_s, candles.source) == (6, HOUR, name)
    assert candles.timestamp_s.tolist() == [START + i * HOUR for i in range(6)]
    assert candles.close.tolist() == [201.0 + i for i in range(6)]
    assert candles.volume.tolist() == [10.0] * 6


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M:%S+00:00",
        "%Y-%m-%dT%H:%M:%S.000Z",
    ],
)
def test_timestamps_as_text_are_utc(csv, form):
    data = rows()
    for row in data:
        row["timestamp"] = pd.Timestamp(row["timestamp"], unit="s").strftime(form)
    assert load_candles(csv(data)).timestamp_s[0] == START


def test_another_time_zone_is_converted(csv):
    data = rows()
    for row in data:
        row["timestamp"] = pd.Timestamp(row["timestamp"] + HOUR, unit="s").isoformat() + "+01:00"
    assert load_candles(csv(data)).timestamp_s[0] == START


def test_a_parquet_of_datetimes_with_an_extra_column(tmp_path):
    frame = pd.DataFrame(rows()).rename(columns={"volume": "volume_eth"})
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], unit="s", utc=True)
    frame["source"] = "A"
    frame.to_parquet(tmp_path / "c.parquet")
    assert load_candles(tmp_path / "c.parquet").timestamp_s[0] == START


def test_window_takes_the_start_and_leaves_the_end(csv):
    candles = load_candles(csv(rows()), START + HOUR, START + 3 * HOUR)
    assert candles.timestamp_s.tolist() == [START + HOUR, START + 2 * HOUR]


def change(row: int, **fields: object):
    def apply(data: list[dict]) -> list[dict]:
        data[row].update(fields)
        return data

    return apply


BAD = {
    "nan": (change(3, close=float("nan")), r"row 4: close is nan, it must be a finite number"),
    "inf": (change(2, high=float("inf")), r"row 3: high is inf"),
    "text": (change(1, open="n/a?"), r"row 2: open is 'n/a\?'"),
    "negative": (change(2, low=-5.0), r"row 3: low is -5, a price must be positive"),
    "zero": (change(0, open=0.0), r"row 1: open is 0, a price must be positive"),
    "negative volume": (change(4, volume=-1.0), r"row 5: volume is -1, it cannot be negative"),
    "missing volume": (change(4, volume=None), r"row 5: volume is nan"),
    "high too low": (change(1, high=200.0), r"row 2: high is below open or close"),
    "low too high": (change(1, low=202.0), r"row 2: low is above open or close"),
    "unsorted": (lambda d: [d[1], d[0], *d[2:]], r"row 2: .*sort the file"),
    "duplicate": (lambda d: [d[0], d[0], *d[1:]], r"row 2: .*drop duplicates"),
    "gap": (lambda d: [*d[:2], *d[3:]], r"row 3: opens at 2020-03-09 03:00:00 UTC, 7200 s after"),
    "off step": (change(4, timestamp=START + 4 * HOUR + 60), r"row 5: .*3660 s after"),
    "no time": (change(2, timestamp=None), r"row 3: timestamp nan is not a whole unix second"),
    "half second": (change(2, timestamp=START + 2 * HOUR + 0.5), r"row 3: timestamp .* whole"),
    "silly time": (change(2, timestamp="yesterday"), r"row 3: timestamp 'yesterday'"),
    "one candle": (lambda d: d[:1], r"one candle does not tell its length"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_named(csv, name):
    spoil, message = BAD[name]
    data = rows()
    if name == "silly time":
        for row in data:
            row["timestamp"] = pd.Timestamp(row["timestamp"], unit="s").isoformat()
    with pytest.raises(DataError, match=message) as caught:
        load_candles(csv(spoil(data)))
    assert "candles.csv" in str(caught.value)


def test_a_gap_is_let_through_only_when_asked_and_never_filled(csv):
    data = rows()
    del data[2]
    candles = load_candles(csv(data), allow_gaps=True)
    assert len(candles) == 5
    assert START + 2 * HOUR not in candles.timestamp_s


def test_rows_are_counted_in_the_file_not_in_the_window(csv):
    with pytest.raises(DataError, match="row 5: close is -1"):
        load_candles(csv(change(4, close=-1.0)(rows())), START + 3 * HOUR)


def test_what_lies_outside_the_window_may_be_gapped(csv):
    data = rows(8)
    del data[1]
    assert len(load_candles(csv(data), START + 3 * HOUR, START + 6 * HOUR)) == 3


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (START - HOUR, None, "choose a later start"),
        (None, START + 7 * HOUR, "choose an earlier end"),
        (START + 9 * HOUR, None, "no candle opens in"),
        (START, START, "no candle opens in"),
    ],
)
def test_a_window_that_is_not_covered(csv, start, end, message):
    with pytest.raises(DataError, match=message):
        load_candles(csv(rows()), start, end)


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file(tmp_path, text):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(DataError, match="no candles"):
        load_candles(tmp_path / "c.csv")


def test_a_header_without_rows(tmp_path):
    (tmp_path / "c.csv").write_text("timestamp,open,high,low,close,volume\n")
    with pytest.raises(DataError, match="no candles"):
        load_candles(tmp_path / "c.csv")


@pytest.mark.parametrize("column", ["timestamp", "open", "high", "low", "close", "volume"])
def test_a_missing_column(csv, column):
    data = [{k: v for k, v in row.items() if k != column} for row in rows()]
    with pytest.raises(DataError, match=f"column {column} is missing"):
        load_candles(csv(data))


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        load_candles(tmp_path / "none.csv")


def test_unknown_kind_of_file(tmp_path):
    with pytest.raises(DataError, match=r"use \.csv or \.parquet"):
        load_candles(tmp_path / "c.xlsx")


@pytest.mark.parametrize("name", ["c.parquet", "c.csv"])
def test_a_file_that_is_something_else(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(range(256)))
    with pytest.raises(DataError):
        load_candles(tmp_path / name)


def test_ragged_rows(tmp_path):
    (tmp_path / "c.csv").write_text(
        "timestamp,open,high,low,close,volume\n1,2,3\n1,2,3,4,5,6,7,8\n"
    )
    with pytest.raises(DataError, match="cannot be read"):
        load_candles(tmp_path / "c.csv")


@pytest.mark.skipif(not REAL.exists(), reason="no market data: set GAMMADESK_DATA to its folder")
def test_the_real_week_of_march_2020():
    week = load_candles(REAL, START, START + 7 * 24 * HOUR)
    assert (len(week), week.step_s) == (168, HOUR)
    assert np.argmin(week.low) // 24 in (3, 4)
    with pytest.raises(DataError, match="allow gaps on purpose"):
        load_candles(REAL)
    assert len(load_candles(REAL, allow_gaps=True)) > 70_000
