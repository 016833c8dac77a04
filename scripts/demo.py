"""The demo: `python -m scripts.demo`, or `make demo [DATA=... START=... END=...] [NETWORK=ganache]`."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from keeper.errors import GammadeskError
from keeper.report.html import write_report
from keeper.simulation.gas import BaseFeeModel
from keeper.simulation.implied_vol import ImpliedVolModel
from scripts.nodes import NodeSettings, start_node
from scripts.replay.chain import ReplayChain
from scripts.replay.display import Display
from scripts.replay.hedging import build_keeper
from scripts.replay.request import ReplayRequest, parse
from scripts.replay.result import Outcome, assess, record
from scripts.replay.run import Replay
from scripts.replay.scenario import ScenarioParameters, build_tape
from scripts.replay.tables import table
from scripts.replay.world import ACCOUNTS, NODE_BALANCE_ETH, build_world

INTERRUPTED = 130
CHECK_FAILED = 1


def replay(request: ReplayRequest, display: Display) -> tuple[Replay, Outcome]:
    """Run a checked request on a node of its own, which is stopped whatever happens."""
    begun = time.monotonic()
    scenario = ScenarioParameters()
    tape = build_tape(request.start_s, request.hours, scenario)
    settings = NodeSettings(
        kind=request.network,
        timestamp_s=request.start_s,
        accounts=ACCOUNTS,
        balance_eth=NODE_BALANCE_ETH,
    )
    with start_node(settings) as node:
        display.say(f"{request.network} at {node.url}, process {node.pid}; deploying everything")
        price = float(request.candles.open[0])
        world = build_world(ReplayChain(node), price, request.folder / "run", lambda _: None)
        run = Replay(
            request, world, build_keeper(world), scenario, BaseFeeModel(), ImpliedVolModel()
        )
        run.run(tape, display.hour)
        return run, assess(run, time.monotonic() - begun)


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 when every check holds, otherwise why on standard error."""
    # So that a plain `kill` stops the node too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    try:
        request = parse(arguments, os.environ)
        if request.synthetic:
            print(
                "Candles: the bundled SYNTHETIC ones, made from stated parameters; DATA=... replays real ones."
            )
        with Display(request.hours) as display:
            run, outcome = replay(request, display)
        _write(request.folder, run, outcome)
    except KeyboardInterrupt:
        print("interrupted; the node is stopped", file=sys.stderr)
        return INTERRUPTED
    except GammadeskError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    display.table(table(outcome.figures))
    print(f"{request.folder / 'result.json'}\n{request.folder / 'report.html'}")
    for failure in outcome.failures:
        print(f"demo: check failed: {failure}", file=sys.stderr)
    return CHECK_FAILED if outcome.failures else 0


def _write(folder: Path, run: Replay, outcome: Outcome) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(outcome.figures, indent=1, allow_nan=False)
    (folder / "result.json").write_text(text + "\n", encoding="utf-8")
    shown = record(run, outcome)
    write_report(shown, folder / "report.html")
    _write_rows(folder / "hours.csv", [asdict(row) | dict(row.terms_usd) for row in shown.hours])
    _write_rows(folder / "rebalances.csv", [asdict(row) for row in shown.rebalances])


def _write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """The series behind the pictures, for whoever wants to compute them again."""
    names = [name for name in (rows[0] if rows else ()) if name != "terms_usd"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
