"""12 March 2020, hour by hour, where the candles are at hand: GAMMADESK_DATA, or shared/data beside the project."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from scripts import demo

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("GAMMADESK_DATA", ROOT.parent / "shared" / "data"))
CANDLES = FOLDER / "eth_usdt_spot_1h.parquet"


@pytest.mark.skipif(not CANDLES.exists(), reason=f"no market data at {CANDLES}")
def test_the_desk_lives_through_12_march_2020(tmp_path: Path) -> None:
    day = ["--data", str(CANDLES), "--start", "2020-03-12", "--end", "2020-03-13"]
    assert demo.main([*day, "--network", "anvil", "--out", str(tmp_path)]) == 0
    figures = json.loads((tmp_path / "result.json").read_text())
    assert figures["hours"] == 24
    assert figures["synthetic"] is False
    assert figures["solvent"] is True
    assert figures["unhedged_pnl_std_usd"] > 1_000
    assert figures["hedged_pnl_std_usd"] < figures["unhedged_pnl_std_usd"] / 5
    assert figures["attribution"]["delta"] < -5_000, (
        "the book that was sold lost as the price halved"
    )
    assert abs(figures["nav_change_usd"]) < 2_000, "its hedge made that good"
