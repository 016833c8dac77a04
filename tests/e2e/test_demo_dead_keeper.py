"""The bundled crash with a keeper that is dead through it: anybody's bot keeps the book near its band."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keeper.errors import ConfigError
from scripts.replay.request import parse

ROOT = Path(__file__).resolve().parents[2]
# The crash of the small candles comes at 16:00.
DEAD = "2024-01-05T10..2024-01-05T20"


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("dead")
    command = [sys.executable, "-m", "scripts.demo", "--out", str(folder), "--small"]
    done = subprocess.run(
        [*command, "--keeper-dead", DEAD],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k not in ("DATA", "START", "END", "NETWORK")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "result.json").read_text())


def test_the_delta_stays_inside_the_emergency_band(figures: dict) -> None:
    dead = figures["keeper_dead"]
    assert dead["hours"] == 10
    assert dead["slices"] >= 3
    assert dead["inside_share"] >= 0.95
    assert dead["inside_share_without_fallback"] < dead["inside_share"]
    assert dead["most_abs_delta_eth"] < dead["most_abs_delta_without_fallback_eth"] / 2


def test_it_costs_the_reserve_and_a_bounty_and_leaves_the_vault_solvent(figures: dict) -> None:
    dead = figures["keeper_dead"]
    assert 0.0 < dead["reserve_used_usd"] < 5_000.0
    assert dead["gas_used"] > 0
    assert figures["solvent"] is True
    assert figures["failed_transactions"] == 0
    assert figures["attribution"]["residual_share"] <= 0.01


def test_the_keeper_that_comes_back_goes_on(figures: dict) -> None:
    assert figures["rebalances"] > 0
    assert figures["max_abs_delta_after_rebalance_eth"] <= figures["band_eth"]


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-05",
        "yesterday..",
        "2024-01-05T22..2024-01-05T12",
        "2024-01-03..",
        "2024-01-05..2024-02-01",
    ],
)
def test_hours_that_are_none_start_nothing(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="keeper-dead"):
        parse(["--small", "--out", str(tmp_path), "--keeper-dead", text], {})


def test_without_an_end_it_is_three_days(tmp_path: Path) -> None:
    request = parse(["--out", str(tmp_path), "--keeper-dead", "2024-01-03.."], {})
    start, end = request.keeper_dead
    assert end - start == 3 * 86_400
    assert request.is_dead(start)
    assert not request.is_dead(end)
