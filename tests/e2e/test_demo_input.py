"""Whatever is wrong with what the demo is asked for is said at once, with nothing started."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.simulation.synthetic import SyntheticParameters, generate
from scripts import demo
from scripts.replay.request import parse

WEEK = ("--start", "2024-01-01", "--end", "2024-01-02")


@pytest.fixture
def candles(tmp_path: Path) -> Path:
    path = tmp_path / "candles.csv"
    generate(SyntheticParameters()).to_csv(path, index=False)
    return path


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a node was started for bad input")

    monkeypatch.setattr(demo, "start_node", refuse)
    for name in ("DATA", "START", "END", "NETWORK"):
        monkeypatch.delenv(name, raising=False)


def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str) -> tuple[int, str]:
    status = demo.main([*arguments, "--out", str(tmp_path / "out")])
    said = capsys.readouterr().err
    assert said.startswith("demo: ")
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "result.json").exists()
    return status, said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--network", "sepolia"), "unknown NETWORK 'sepolia': use anvil or ganache"),
        (("--start", "2024-01-01"), "START and END choose a part of DATA"),
        (("--data", "{data}"), "DATA needs START and END"),
        (("--data", "{data}", "--start", "2024-01-03", "--end", "2024-01-02"), "is not before END"),
        (("--data", "{data}", "--start", "2024-01-03", "--end", "2024-01-03"), "is not before END"),
        (("--data", "{data}", "--start", "soon", "--end", "2024-01-03"), "START 'soon' is no date"),
        (
            ("--data", "{data}", "--start", "2024-01-01T00:30", "--end", "2024-01-03"),
            "not on the hour",
        ),
        (
            ("--data", "{data}", "--start", "2024-01-01", "--end", "2024-01-01T05"),
            "at least 6 hours",
        ),
        (("--data", "{data}", "--start", "2024-01-01", "--end", "2025-01-01"), "more than 31 days"),
        (
            ("--data", "{data}", "--start", "2019-01-01", "--end", "2019-01-02"),
            "no candle opens in",
        ),
        (
            ("--data", "{data}", "--start", "2024-01-07", "--end", "2024-01-10"),
            "choose an earlier end",
        ),
        (("--data", "{data}", "--small", *WEEK), "--small is the bundled data"),
        (("--data", "missing.parquet", *WEEK), "missing.parquet does not exist"),
        (("--data", "notes.txt", *WEEK), "unknown kind of file '.txt'"),
    ],
)
def test_bad_requests(capsys, tmp_path: Path, candles: Path, arguments, message: str) -> None:
    status, said = refused(capsys, tmp_path, *(a.format(data=candles) for a in arguments))
    assert status in (65, 78)
    assert message in said


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop(index=180), "mend the file"),
        (lambda f: f.iloc[::-1], "sort the file"),
        (lambda f: f.assign(close=f["close"].where(f.index != 200)), "it must be a finite number"),
        (lambda f: f.assign(low=f["low"].where(f.index != 180, -1.0)), "a price must be positive"),
        (lambda f: f.drop(columns="high"), "column high is missing"),
        (lambda f: f.iloc[:0], "holds no candles"),
    ],
)
def test_bad_candles(capsys, tmp_path: Path, candles: Path, spoil, message: str) -> None:
    spoil(generate(SyntheticParameters())).to_csv(candles, index=False)
    status, said = refused(capsys, tmp_path, "--data", str(candles), *WEEK)
    assert status == 65
    assert message in said


def test_environment_says_the_same_as_arguments_and_arguments_win(
    candles: Path, tmp_path: Path
) -> None:
    environment = {
        "DATA": str(candles),
        "START": "2024-01-01",
        "END": "2024-01-02",
        "NETWORK": "ganache",
    }
    asked = parse(["--out", str(tmp_path)], environment)
    assert (asked.network, asked.hours, asked.synthetic) == ("ganache", 24, None)
    assert parse(["--network", "anvil"], environment).network == "anvil"
    # make passes on what is not set as empty text
    assert parse(["--out", str(tmp_path)], dict.fromkeys(environment, "")).synthetic is not None


def test_start_is_inclusive_end_exclusive_and_history_comes_before(
    candles: Path, tmp_path: Path
) -> None:
    asked = parse(["--data", str(candles), *WEEK, "--out", str(tmp_path)], {})
    assert asked.start_s == 1_704_067_200
    assert int(asked.candles.timestamp_s[-1]) == asked.start_s + 23 * 3600
    assert int(asked.close_times_s[-1]) == asked.start_s + 24 * 3600
    assert int(asked.close_times_s[0]) == asked.start_s - 167 * 3600
    offset = parse(
        ["--data", str(candles), "--start", "2024-01-01T02:00+02:00", "--end", "2024-01-02"], {}
    )
    assert offset.start_s == asked.start_s
