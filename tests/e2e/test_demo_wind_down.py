"""A demo that nobody processes epochs for at its end: the vault winds down, and every depositor is paid to the unit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_ends_in_wind_down_with_everyone_paid(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "scripts.demo",
            "--small",
            "--leave",
            "wind-down",
            "--out",
            str(tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert figures["leave"] == "wind-down"
    assert (figures["requests"], figures["cancels"], figures["partial_fills"]) == (4, 1, 0)
    assert figures["cancelled_usdc"] > 0
    worth = figures["deposited_usdc"] + figures["nav_change_usd"]
    assert figures["redeemed_usdc"] == pytest.approx(worth, abs=1e-5)
