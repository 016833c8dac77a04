"""What to replay: command line and environment become checked candles, or one clear message before anything starts."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from keeper.errors import ConfigError, DataError
from keeper.market.candles import Candles, load_candles
from keeper.simulation.synthetic import SyntheticParameters, generate
from scripts.nodes import NodeKind

HOUR_S = 3600
HISTORY_S = 14 * 24 * HOUR_S
NETWORKS = ("anvil", "ganache")
MOST_HOURS = 31 * 24
BUNDLED = SyntheticParameters()
# From Thursday evening: an expiry, a new weekly set and the crash in 36 hours.
BUNDLED_SMALL = SyntheticParameters(start_s=1_704_391_200, hours=36, crash_hour=22)


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Checked input. `close_times_s` and `closes` are the history before the replay followed by the replay itself."""

    network: NodeKind
    candles: Candles
    close_times_s: NDArray[np.int64]
    closes: NDArray[np.float64]
    synthetic: SyntheticParameters | None
    folder: Path

    @property
    def start_s(self) -> int:
        """Open of the first candle."""
        return int(self.candles.timestamp_s[0])

    @property
    def hours(self) -> int:
        """Candles to replay."""
        return len(self.candles)


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> ReplayRequest:
    """The request. Raises ConfigError or DataError, with nothing started, for whatever is wrong with it."""
    given = _parser(environment).parse_args(arguments)
    if given.network not in NETWORKS:
        raise ConfigError(f"unknown NETWORK {given.network!r}: use {' or '.join(NETWORKS)}")
    network = cast(NodeKind, given.network)
    folder = Path(given.out)
    if not given.data:
        if given.start or given.end:
            raise ConfigError("START and END choose a part of DATA: name the file of candles too")
        return _bundled(network, BUNDLED_SMALL if given.small else BUNDLED, folder)
    if given.small:
        raise ConfigError(
            "--small is the bundled data at small size: leave DATA out, or choose START and END"
        )
    if not (given.start and given.end):
        raise ConfigError("DATA needs START and END, for example START=2020-03-09 END=2020-03-16")
    start, end = _moment("START", given.start), _moment("END", given.end)
    if start >= end:
        raise ConfigError(f"START {given.start} is not before END {given.end}: END is exclusive")
    if (end - start) // HOUR_S > MOST_HOURS:
        raise ConfigError(
            f"START to END is more than {MOST_HOURS // 24} days: choose a shorter part"
        )
    return _loaded(network, Path(given.data), start, end, None, folder)


def _bundled(network: NodeKind, parameters: SyntheticParameters, folder: Path) -> ReplayRequest:
    """The synthetic week goes through a file and the same checks as anybody's candles."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "synthetic.csv"
    generate(parameters).to_csv(path, index=False)
    return _loaded(network, path, parameters.start_s, parameters.end_s, parameters, folder)


def _loaded(
    network: NodeKind,
    path: Path,
    start: int,
    end: int,
    synthetic: SyntheticParameters | None,
    folder: Path,
) -> ReplayRequest:
    candles = load_candles(path, start, end, step_s=HOUR_S)
    if int(candles.timestamp_s[0]) % HOUR_S:
        raise DataError(
            f"{path}: candles must open on the hour, the first opens at {candles.timestamp_s[0]}"
        )
    whole = load_candles(path, None, end, allow_gaps=True, step_s=HOUR_S)
    known = whole.timestamp_s >= start - HISTORY_S
    return ReplayRequest(
        network=network,
        candles=candles,
        close_times_s=whole.timestamp_s[known] + HOUR_S,
        closes=whole.close[known],
        synthetic=synthetic,
        folder=folder,
    )


def _moment(name: str, text: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"{name} {text!r} is no date: write it like 2020-03-09 or 2020-03-09T06:00"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    seconds = moment.timestamp()
    if seconds % HOUR_S:
        raise ConfigError(f"{name} {text!r} is not on the hour: candles are hourly")
    return int(seconds)


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument(
        "--data", default=environment.get("DATA"), help="hourly candles, .csv or .parquet (DATA)"
    )
    parser.add_argument(
        "--start", default=environment.get("START"), help="first candle, inclusive, UTC (START)"
    )
    parser.add_argument("--end", default=environment.get("END"), help="end, exclusive, UTC (END)")
    network = environment.get("NETWORK") or "anvil"
    parser.add_argument("--network", default=network, help="anvil or ganache (NETWORK)")
    parser.add_argument(
        "--small", action="store_true", help="a day of the bundled candles instead of a week"
    )
    parser.add_argument(
        "--out", default="build/demo", help="folder for result.json and report.html"
    )
    return parser
