"""The report shows what was recorded, in one file."""

from __future__ import annotations

import dataclasses
import json
import math
import re

import pytest

from keeper.errors import DataError
from keeper.report.figures import (
    all_figures,
    delta_figure,
    gas_figure,
    latency_figure,
    netted_figure,
    profit_figure,
    share_figure,
)
from keeper.report.html import render, write_report
from keeper.report.record import HourRow, RebalanceRow, RunRecord

START = 1_583_712_000
TERMS = ("theta", "delta", "gamma", "vega", "hedge", "fees_and_slippage")


def hour(i: int) -> HourRow:
    terms = {name: (-1.0) ** j * (i + j) for j, name in enumerate(TERMS)}
    return HourRow(
        timestamp_s=START + 3600 * i,
        spot_usd=200.0 - i,
        delta_hedged_eth=0.5 * i,
        delta_unhedged_eth=10.0 * i,
        delta_after_eth=0.1,
        nav_usd=400_000.0 + i,
        share_price_hedged_usd=1.0 + 0.001 * i,
        share_price_unhedged_usd=1.0 - 0.002 * i,
        pnl_hedged_usd=math.fsum(terms.values()),
        pnl_unhedged_usd=-20.0 * i,
        atm_vol=0.8,
        base_fee_gwei=20.0 + i,
        gamma_eth_per_usd=-1.5,
        terms_usd=terms,
    )


@pytest.fixture
def record() -> RunRecord:
    done = RebalanceRow(
        START + 3600, -3.25, 640.0, 4.0, 0.75, "aave <short>", 612_345, 21.0, 2.57, 311, 9.5
    )
    return RunRecord(
        title="Replay of a week",
        notice="Synthetic candles: not real prices.",
        band_eth=2.0,
        figures={"share price <end>": "1.0123", "solvent": "yes"},
        hours=tuple(hour(i) for i in range(5)),
        rebalances=(done,),
    )


def test_page_is_one_file_with_table_and_all_pictures(record, tmp_path):
    path = tmp_path / "deep" / "report.html"
    write_report(record, path)
    page = path.read_text(encoding="utf-8")
    assert page == render(record)
    assert len(re.findall(r'id="figure-\d"', page)) == len(all_figures(record)) == 7
    assert re.search(r'<(script|link|img)[^>]+(src|href)="?https?:', page) is None, (
        "nothing comes from a network"
    )
    assert "share price &lt;end&gt;" in page
    assert "<td>1.0123</td>" in page
    assert "Synthetic candles" in page
    assert page.index("<table>") < page.index('id="figure-0"')


def test_pictures_carry_the_recorded_figures(record):
    delta = {trace.name: list(trace.y) for trace in delta_figure(record).data}
    assert delta["without hedging"] == [10.0 * i for i in range(5)]
    assert delta["hedged, before the tick"] == [0.5 * i for i in range(5)]
    share = {trace.name: list(trace.y) for trace in share_figure(record).data}
    assert share["hedged"][-1] == record.hours[-1].share_price_hedged_usd
    assert share["same book without hedges"][-1] == record.hours[-1].share_price_unhedged_usd


def test_profit_is_stacked_since_the_start_and_adds_up(record):
    figure = profit_figure(record)
    assert figure.layout.barmode == "relative"
    bars = {trace.name: list(trace.y) for trace in figure.data if trace.type == "bar"}
    assert set(bars) == {name.replace("_", " ") for name in TERMS}
    total = next(trace for trace in figure.data if trace.name == "change of NAV")
    for i, value in enumerate(total.y):
        assert math.fsum(y[i] for y in bars.values()) == pytest.approx(value)


def test_netting_delta_and_hedge_changes_no_total(record):
    bars = {
        trace.name: list(trace.y) for trace in netted_figure(record).data if trace.type == "bar"
    }
    whole = {
        trace.name: list(trace.y) for trace in profit_figure(record).data if trace.type == "bar"
    }
    assert len(bars) == len(whole) - 1
    for i in range(len(record.hours)):
        assert bars["delta and hedge"][i] == pytest.approx(whole["delta"][i] + whole["hedge"][i])
        assert math.fsum(y[i] for y in bars.values()) == pytest.approx(
            math.fsum(y[i] for y in whole.values())
        )


def test_gas_of_each_rebalance_is_in_the_page(record):
    gas = json.loads(gas_figure(record).to_json())["data"][0]
    assert gas["y"] == [612_345] or 612_345 in gas["y"]
    assert "aave" in json.dumps(gas["customdata"])


def test_how_long_each_hedge_took_is_in_the_page(record):
    unknown = dataclasses.replace(record.rebalances[0], settled_after_s=None, machine_ms=None)
    both = dataclasses.replace(record, rebalances=(*record.rebalances, unknown))
    chain, machine = json.loads(latency_figure(both).to_json())["data"]
    assert (chain["x"], machine["x"]) == ([311], [9.5])


def test_records_that_cannot_be_shown_are_refused(record):
    with pytest.raises(DataError, match="at least one recorded hour"):
        dataclasses.replace(record, hours=())
    with pytest.raises(DataError, match="rising order"):
        dataclasses.replace(record, hours=(record.hours[1], record.hours[0]))
    broken = dataclasses.replace(record.hours[1], spot_usd=math.nan)
    with pytest.raises(DataError, match="not a finite number"):
        dataclasses.replace(record, hours=(record.hours[0], broken))
    other = dataclasses.replace(record.hours[1], terms_usd={"theta": 1.0})
    with pytest.raises(DataError, match="other profit terms"):
        dataclasses.replace(record, hours=(record.hours[0], other))
