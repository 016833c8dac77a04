"""A desk that is not hedged fails the demo: the checks and the exit status are real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import demo
from scripts.replay import hedging

NO_HEDGE = '[policy]\nname = "no_hedge"\n'


def test_a_keeper_that_does_not_hedge_fails_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATA", "START", "END", "NETWORK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hedging, "USUAL", NO_HEDGE)
    monkeypatch.setattr(hedging, "CLOSING", NO_HEDGE)
    assert demo.main(["--small", "--out", str(tmp_path)]) == demo.CHECK_FAILED
    said = capsys.readouterr().err
    assert "check failed: the keeper never hedged" in said
    assert "more than 0.25 of it is left" in said
    figures = json.loads((tmp_path / "result.json").read_text())
    assert figures["rms_net_delta_hedged_eth"] == figures["rms_net_delta_unhedged_eth"]
    assert figures["hedged_pnl_std_usd"] == figures["unhedged_pnl_std_usd"]
    assert figures["solvent"] is True, "people are paid all the same"
    assert "FAILED" in (tmp_path / "report.html").read_text()
