"""The bundled candles at small size, end to end: node, deployment, people, keeper, figures, report, exit status."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from keeper.execution.database import open_database
from keeper.execution.tables import Decision, Intent
from keeper.runtime.replay import replay

ROOT = Path(__file__).resolve().parents[2]
PROMISED = (
    "hours",
    "rebalances",
    "failed_transactions",
    "max_abs_delta_after_rebalance_eth",
    "band_eth",
    "rms_net_delta_hedged_eth",
    "rms_net_delta_unhedged_eth",
    "hedged_pnl_std_usd",
    "unhedged_pnl_std_usd",
    "share_price_start",
    "share_price_end",
    "attribution",
    "solvent",
    "nav_change_usd",
    "nav_change_net_of_gas_usd",
    "redeemed_usdc",
    "gas_per_rebalance_median",
)


def command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "scripts.demo", "--out", str(folder), *more]


def clean_environment() -> dict[str, str]:
    names = ("DATA", "START", "END", "NETWORK")
    return {key: value for key, value in os.environ.items() if key not in names}


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        command(folder, "--small"),
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return folder, done


@pytest.fixture(scope="module")
def figures(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> dict:
    folder, done = finished
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "result.json").read_text())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_all_promised_figures_are_there_and_hold(figures: dict) -> None:
    assert not [name for name in PROMISED if name not in figures]
    assert figures["hours"] == 36
    assert figures["synthetic"] is True
    assert figures["parameters"]["synthetic_candles"]["crash_return"] == -0.4
    assert figures["failed_transactions"] == 0
    assert figures["skipped_ticks"] == []
    assert 0 < figures["max_abs_delta_after_rebalance_eth"] <= figures["band_eth"]
    assert 0 < figures["rms_net_delta_hedged_eth"] <= figures["rms_net_delta_unhedged_eth"] / 4
    assert 0 < figures["hedged_pnl_std_usd"] < figures["unhedged_pnl_std_usd"]
    assert figures["attribution"]["residual_share"] <= 1e-6
    assert figures["solvent"] is True


def test_the_story_has_every_part(figures: dict) -> None:
    assert figures["venues_used"] == ["aave_short", "uniswap_spot"]
    assert 0 < figures["hours_net_long_gamma"] < figures["hours"]
    assert figures["settled_expiries"] == [1_704_441_600]
    assert figures["rebalances"] >= 10
    assert 200_000 < figures["gas_per_rebalance_median"] < 1_500_000
    assert figures["keeper_gas_usd"] > 0


def test_depositors_cancel_both_ways_and_are_filled_in_part(figures: dict) -> None:
    """Three deposits and three redemptions, one of each asked for twice; money in the hedge comes an epoch later."""
    assert figures["leave"] == "epochs"
    assert (figures["requests"], figures["cancels"]) == (8, 2)
    assert figures["cancelled_usdc"] > 0
    assert figures["partial_fills"] == 3


def test_every_dollar_is_accounted_for(figures: dict) -> None:
    terms = figures["attribution"]
    named = sum(v for k, v in terms.items() if k not in ("residual", "residual_share"))
    assert named + terms["residual"] == pytest.approx(figures["nav_change_usd"], abs=1e-6)
    paid = figures["redeemed_usdc"] - figures["deposited_usdc"]
    assert paid == pytest.approx(figures["nav_change_usd"], abs=2.0), (
        "only the virtual share's dollar may stay behind"
    )
    assert figures["nav_change_net_of_gas_usd"] == pytest.approx(
        figures["nav_change_usd"] - figures["keeper_gas_usd"]
    )
    assert figures["share_price_start"] == pytest.approx(1.0, abs=1e-6)


def rows(folder: Path, name: str) -> list[dict[str, float]]:
    with (folder / name).open(encoding="utf-8") as file:
        return [
            {k: v if k in ("venues", "unfinished") else float(v) for k, v in row.items()}
            for row in csv.DictReader(file)
        ]


def test_figures_follow_from_the_recorded_series(finished, figures: dict) -> None:
    """A second way to the same figures, from the series alone and without the attribution."""
    folder, _ = finished
    hours, done = rows(folder, "hours.csv"), rows(folder, "rebalances.csv")
    assert len(hours) == figures["hours"]
    assert len(done) == figures["rebalances"]
    for column, name in (("delta_hedged_eth", "hedged"), ("delta_unhedged_eth", "unhedged")):
        rms = math.sqrt(sum(h[column] ** 2 for h in hours) / len(hours))
        assert rms == pytest.approx(figures[f"rms_net_delta_{name}_eth"])
    whole = [abs(r["delta_after_eth"]) for r in done if r["unfinished"] == "False"]
    assert max(whole) == figures["max_abs_delta_after_rebalance_eth"]
    assert len(done) - len(whole) == figures["slices"] > 0
    for row in done:
        assert row["settled_after_s"] >= 600, "the round is older than the TWAP window"
        assert row["machine_ms"] > 0.0
    # What hedging made, told by the cash of its fills alone: at the end nothing is held and nothing owed.
    assert abs(sum(r["filled_eth"] for r in done)) < 1e-3
    terms = figures["attribution"]
    made = sum(terms[name] for name in ("hedge", "fees", "slippage", "interest"))
    assert sum(r["quote_usd"] for r in done) == pytest.approx(made, abs=0.2)
    hedged, unhedged = (sum(h[f"pnl_{name}_usd"] for h in hours) for name in ("hedged", "unhedged"))
    assert hedged - unhedged == pytest.approx(made, abs=1e-6)
    assert hedged == pytest.approx(figures["nav_change_usd"], abs=1e-6)


def test_hedged_and_unhedged_delta_differ_by_the_fills_so_far(finished) -> None:
    folder, _ = finished
    done = rows(folder, "rebalances.csv")
    for hour in rows(folder, "hours.csv"):
        standing = sum(r["filled_eth"] for r in done if r["timestamp_s"] < hour["timestamp_s"])
        assert hour["delta_hedged_eth"] - hour["delta_unhedged_eth"] == pytest.approx(
            standing, abs=1e-3
        )


def test_the_vault_gives_vega_away_by_a_makers_quote_and_sells_by_its_own(figures: dict) -> None:
    rfq = figures["rfq"]
    assert len(rfq["taken"]) == rfq["taken_by_vault"] > 0
    assert rfq["signed_by_maker"] > rfq["taken_by_vault"]
    for taken in rfq["taken"]:
        assert abs(taken["vega_after_usd"]) < abs(taken["vega_before_usd"])
        assert taken["premium_usd"] * taken["contracts"] > 0
        assert taken["nav_change_usd"] < 0, "a maker is paid for it"
    assert rfq["filled_by_takers"] > 0
    assert rfq["filled_premium_usd"] > 0


def test_every_option_trade_earns_its_spread_and_every_hedge_pays_its_fee(
    finished, figures: dict
) -> None:
    folder, _ = finished
    taken = [t["timestamp_s"] for t in figures["rfq"]["taken"]]
    hours = rows(folder, "hours.csv")
    assert sum(hour["option_edge"] > 0 for hour in hours) >= 8
    assert sum(hour["fees"] < 0 for hour in hours) >= 10
    for hour in hours:
        # What the vault takes of a maker it pays the edge for.
        if not any(0 <= t - hour["timestamp_s"] < 3600 for t in taken):
            assert hour["option_edge"] >= 0
        assert hour["fees"] <= 0
        assert hour["fees"] + hour["slippage"] <= 0


def test_each_rebalance_paid_the_base_fee_of_its_hour(finished) -> None:
    folder, _ = finished
    hours = rows(folder, "hours.csv")
    fees = {hour["base_fee_gwei"] for hour in hours}
    assert len(fees) > 5
    for done in rows(folder, "rebalances.csv"):
        hour = max(
            (h for h in hours if h["timestamp_s"] <= done["timestamp_s"]),
            key=lambda h: h["timestamp_s"],
        )
        assert done["gas_price_gwei"] == pytest.approx(hour["base_fee_gwei"] + 1.0, abs=1e-6)
        assert done["timestamp_s"] >= hour["timestamp_s"] + 600, (
            "one TWAP window passes before the tick"
        )


def test_report_is_one_file_and_says_that_the_candles_are_synthetic(
    finished, figures: dict
) -> None:
    folder, done = finished
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert len(re.findall(r'id="figure-\d"', page)) == 7
    assert "SYNTHETIC" in page
    assert "SYNTHETIC" in done.stdout
    assert f"{figures['redeemed_usdc']:,.2f} USDC" in page


def test_the_node_is_gone(finished) -> None:
    _, done = finished
    pid = int(re.search(r"process (\d+)", done.stdout).group(1))
    assert not alive(pid)


def test_every_decision_in_the_journal_can_be_taken_again(finished, figures: dict) -> None:
    folder, _ = finished
    with Session(open_database(f"sqlite:///{folder / 'run' / 'journal.sqlite'}")) as session:
        decisions = session.scalars(select(Decision)).all()
        assert len(decisions) == figures["hours"] + figures["slices"]
        assert all(replay(decision).same for decision in decisions)
        intents = session.scalars(select(Intent)).all()
        assert [intent.status for intent in intents] == ["mined_success"] * figures["rebalances"]


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_stops_its_node(tmp_path: Path, signal_number: signal.Signals) -> None:
    running = subprocess.Popen(
        command(tmp_path, "--small"),
        cwd=ROOT,
        env=clean_environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell gives its background jobs an ignored SIGINT, which a child would inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert running.stdout is not None
    pid = None
    deadline = time.monotonic() + 60
    while pid is None and time.monotonic() < deadline:
        line = running.stdout.readline()
        found = re.search(r"process (\d+)", line)
        pid = int(found.group(1)) if found else None
    assert pid is not None
    assert alive(pid)
    running.send_signal(signal_number)
    running.communicate(timeout=60)
    assert running.returncode == 130
    assert not alive(pid)
    assert not (tmp_path / "result.json").exists()
