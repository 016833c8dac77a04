"""What to replay: command line and environment become checked candles, or one clear message before anything starts."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
DEAD_S = 3 * 24 * HOUR_S
BUNDLED = SyntheticParameters()
# From Thursday evening: an expiry, a new weekly set and the crash in 36 hours.
BUNDLED_SMALL = SyntheticParameters(start_s=1_704_391_200, hours=36, crash_hour=22)


# How the depositors leave.
LEAVE = ("epochs", "wind-down")


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Checked input. `close_times_s` and `closes` are the history before the replay followed by the replay itself.

    `keeper_dead` are the seconds (from, to) in which no keeper ticks and anybody's bot runs the fallback hedge.
    """

    network: NodeKind
    candles: Candles
    close_times_s: NDArray[np.int64]
    closes: NDArray[np.float64]
    synthetic: SyntheticParameters | None
    folder: Path
    keeper_dead: tuple[int, int] | None = None
    leave: str = LEAVE[0]

    def is_dead(self, time_s: int) -> bool:
        """Whether the keeper does not tick at this time."""
        return self.keeper_dead is not None and self.keeper_dead[0] <= time_s < self.keeper_dead[1]

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
        request = _bundled(network, BUNDLED_SMALL if given.small else BUNDLED, folder)
        return replace(_with_death(request, given.keeper_dead), leave=given.leave)
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
    request = _loaded(network, Path(given.data), start, end, None, folder)
    return replace(_with_death(request, given.keeper_dead), leave=given.leave)


def _with_death(request: ReplayRequest, text: str | None) -> ReplayRequest:
    """FROM..TO or FROM.., three days then; it must lie inside the replay and leave the keeper an hour on both sides."""
    if text is None:
        return request
    first, dots, last = text.partition("..")
    if not dots:
        raise ConfigError(f"--keeper-dead {text!r}: write it like 2020-03-12..2020-03-15")
    start = _moment("--keeper-dead", first)
    end = _moment("--keeper-dead", last) if last else start + DEAD_S
    begin, over = request.start_s + HOUR_S, request.start_s + (request.hours - 1) * HOUR_S
    if not begin <= start < end <= over:
        raise ConfigError(
            f"--keeper-dead {text}: it must begin and end within the replay, an hour from either end"
        )
    return replace(request, keeper_dead=(start, end))


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
        "--leave",
        choices=LEAVE,
        default=LEAVE[0],
        help="how depositors leave in the end: through epochs, or by the vault's wind-down",
    )
    parser.add_argument(
        "--keeper-dead",
        help="FROM..TO in which no keeper ticks and anybody's bot runs the fallback; without TO three days",
    )
    parser.add_argument(
        "--out", default="build/demo", help="folder for result.json and report.html"
    )
    return parser
