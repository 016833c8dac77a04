"""`gammadesk surface fit` and `show`, from a file to a surface file, pictures and messages."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

from keeper.cli import app
from keeper.market import deribit
from keeper.pricing.contract_surface import ContractRules, contract_checks
from keeper.runtime import surface_commands
from keeper.runtime.surface import SurfaceFile
from tests.keeper.surface_world import DAYS, NOW_S, TRUTH, changed, make_chain


def run(*arguments: object):
    return CliRunner().invoke(app, ["surface", *map(str, arguments)])


@pytest.fixture
def file(tmp_path):
    """A chain with one call half as dear again."""
    chain = make_chain(half_width=0.002)
    row = 3 * 15 + 9
    chain = changed(chain, row, bid_usd=chain.bid_usd[row] * 1.5, ask_usd=chain.ask_usd[row] * 1.5)
    path = tmp_path / "chain.csv"
    pd.DataFrame(
        {
            "timestamp": NOW_S,
            "expiry": chain.expiry_s,
            "option_type": ["call" if c else "put" for c in chain.is_call],
            "strike": chain.strike_usd,
            "bid_price": chain.bid_usd / chain.forward_usd,
            "ask_price": chain.ask_usd / chain.forward_usd,
            "underlying_price": chain.forward_usd,
            "index_price": chain.spot_usd,
        }
    ).to_csv(path, index=False)
    return path


def test_fit_writes_a_surface_that_the_contract_takes_and_a_page(file, tmp_path):
    out, page = tmp_path / "surface.toml", tmp_path / "surface.html"
    result = run("fit", file, "--out", out, "--plot", page)
    assert result.exit_code == 0, result.output
    slices = [entry.as_slice(NOW_S) for entry in SurfaceFile.load(out).slices]
    assert [s.expiry_s for s in slices] == [s.expiry_s for s in TRUTH]
    assert contract_checks(slices, ContractRules(), NOW_S) == []
    assert "Plotly.newPlot" in page.read_text(encoding="utf-8")
    assert "would refuse" not in result.output
    assert "not used: nothing" in result.output


def test_fit_lists_what_is_mispriced(file):
    result = run("fit", file)
    assert "mispriced after costs:" in result.output
    assert "mispriced after costs: 0" not in result.output
    assert "sell" in result.output


def test_fit_takes_the_moment_that_is_asked_for(file):
    assert run("fit", file, "--at", "2026-01-01T00:00:00").exit_code == 0
    early = run("fit", file, "--at", "2025-12-31T23:59:59")
    assert early.exit_code == 65
    assert "no chain at or before" in early.stderr


def test_a_delay_shortens_every_life(file, tmp_path):
    out = tmp_path / "late.json"
    result = run("fit", file, "--delay", 34 * 3600, "--out", out)
    assert result.exit_code == 0, result.output
    assert "15 expired" in result.output
    assert len(SurfaceFile.load(out).slices) == len(DAYS) - 1


def test_what_the_contract_would_refuse_is_said(file):
    result = run("fit", file, "--max-carry", "0.0")
    assert "would refuse" not in result.output  # carry is cut, volatility by strike kept
    assert run("fit", file, "--out", "surface.csv").exit_code == 65


@pytest.mark.parametrize("name", ["none.csv", "chain.xls"])
def test_a_source_that_is_none_ends_with_65(tmp_path, name):
    result = run("fit", tmp_path / name)
    assert result.exit_code == 65
    assert "DataError" in result.stderr


def test_deribit_is_a_source(monkeypatch):
    class Live:
        def chain(self, now_s: int):
            assert now_s > NOW_S
            return make_chain()

    monkeypatch.setattr(deribit, "live", lambda underlying: Live())
    result = run("fit", surface_commands.DERIBIT)
    assert result.exit_code == 0, result.output


def test_show_reads_a_surface_file(file, tmp_path, monkeypatch):
    out, page = tmp_path / "surface.json", tmp_path / "term.html"
    run("fit", file, "--out", out)
    monkeypatch.setattr(surface_commands.time, "time", lambda: float(NOW_S))
    result = run("show", out, "--plot", page)
    assert result.exit_code == 0, result.output
    assert "2026-01-02" in result.output
    assert page.exists()
    monkeypatch.setattr(surface_commands.time, "time", lambda: TRUTH[0].expiry_s + 1.0)
    late = run("show", out)
    assert late.exit_code == 65
    assert str(TRUTH[0].expiry_s) in late.stderr
