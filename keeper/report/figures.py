"""The pictures of a run, as plotly figures."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Mapping

import plotly.graph_objects as go

from keeper.report.record import HourRow, RebalanceRow, RunRecord

# Okabe and Ito's palette: told apart by colour-blind readers too.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#666666",
)
NETTED = ("delta", "hedge")
TERM_COLOURS = (SKY, BLUE, RED, PURPLE, YELLOW, GREEN, ORANGE, GREY, "#000000")


def spot_figure(record: RunRecord) -> go.Figure:
    """Spot, and the implied volatility that was committed."""
    x = _times(record.hours)
    figure = _figure("Spot and implied volatility", "USD per ETH")
    figure.add_scatter(x=x, y=[h.spot_usd for h in record.hours], name="spot", line={"color": BLUE})
    figure.add_scatter(
        x=x,
        y=[100 * h.atm_vol for h in record.hours],
        name="at-the-money volatility",
        line={"color": ORANGE, "dash": "dot"},
        yaxis="y2",
    )
    figure.update_layout(
        yaxis2={"title": "% a year", "overlaying": "y", "side": "right", "showgrid": False}
    )
    return figure


def delta_figure(record: RunRecord) -> go.Figure:
    """Net delta before each tick with and without hedges, after it, and the band."""
    x = _times(record.hours)
    figure = _figure("Net delta of the vault", "ETH")
    lines = (
        ("without hedging", [h.delta_unhedged_eth for h in record.hours], RED, "solid"),
        ("hedged, before the tick", [h.delta_hedged_eth for h in record.hours], SKY, "solid"),
        ("hedged, after the tick", [h.delta_after_eth for h in record.hours], BLUE, "solid"),
    )
    for name, y, colour, dash in lines:
        figure.add_scatter(x=x, y=y, name=name, line={"color": colour, "dash": dash, "shape": "hv"})
    figure.add_hrect(
        y0=-record.band_eth, y1=record.band_eth, fillcolor=GREEN, opacity=0.2, line_width=0
    )
    return figure


def share_figure(record: RunRecord) -> go.Figure:
    """NAV per share, as it was and with every hedge flow left out."""
    x = _times(record.hours)
    figure = _figure("NAV per share", "USD")
    for name, y, colour in (
        ("hedged", [h.share_price_hedged_usd for h in record.hours], BLUE),
        ("same book without hedges", [h.share_price_unhedged_usd for h in record.hours], RED),
    ):
        figure.add_scatter(x=x, y=y, name=name, line={"color": colour})
    return figure


def profit_figure(record: RunRecord) -> go.Figure:
    """Profit since the start by cause, stacked, with the total on top."""
    figure = _figure("Profit and loss by cause, since the start", "USD")
    names = list(record.hours[0].terms_usd)
    _stack(figure, record, {name: (name,) for name in names})
    return figure


def netted_figure(record: RunRecord) -> go.Figure:
    """As `profit_figure` with delta and hedge as one, which dwarf the rest apart."""
    figure = _figure("The same with the delta and its hedge netted", "USD")
    names = [name for name in record.hours[0].terms_usd if name not in NETTED]
    _stack(figure, record, {" and ".join(NETTED): NETTED} | {name: (name,) for name in names})
    return figure


def gas_figure(record: RunRecord) -> go.Figure:
    """Gas of each rebalance, and the base fee of the hours."""
    figure = _figure("Gas per rebalance", "gas")
    done = record.rebalances
    figure.add_scatter(
        x=_times(done),
        y=[r.gas_used for r in done],
        mode="markers",
        name="gas used",
        marker={"color": BLUE, "size": 7},
        customdata=[(r.venues, r.filled_eth, r.cost_usd) for r in done],
        hovertemplate="%{y:,} gas, %{customdata[1]:+.3f} ETH at %{customdata[0]}, %{customdata[2]:.2f} USD",
    )
    figure.add_scatter(
        x=_times(record.hours),
        y=[h.base_fee_gwei for h in record.hours],
        name="base fee",
        line={"color": ORANGE, "shape": "hv"},
        yaxis="y2",
    )
    figure.update_layout(
        yaxis2={"title": "gwei", "overlaying": "y", "side": "right", "showgrid": False}
    )
    figure.update_yaxes(rangemode="tozero")
    return figure


def latency_figure(record: RunRecord) -> go.Figure:
    """From trigger to settlement: chain seconds of each rebalance, and what this machine took of them."""
    figure = _figure("From the oracle's round to the block of the hedge", "rebalances")
    chain = [r.settled_after_s for r in record.rebalances if r.settled_after_s is not None]
    machine = [r.machine_ms for r in record.rebalances if r.machine_ms is not None]
    figure.add_histogram(
        x=chain, name="round to block, seconds of the chain", marker={"color": BLUE}
    )
    figure.add_histogram(
        x=machine,
        name="new head to signed bytes sent, milliseconds of this machine",
        marker={"color": ORANGE},
        xaxis="x2",
    )
    figure.update_layout(
        hovermode="closest",
        xaxis={"title": "seconds", "domain": [0.0, 0.47]},
        xaxis2={"title": "milliseconds", "domain": [0.53, 1.0], "anchor": "y"},
    )
    return figure


def all_figures(record: RunRecord) -> list[go.Figure]:
    """The pictures in the order of the page."""
    return [
        make(record)
        for make in (
            spot_figure,
            delta_figure,
            share_figure,
            profit_figure,
            netted_figure,
            gas_figure,
            latency_figure,
        )
    ]


def _stack(figure: go.Figure, record: RunRecord, groups: Mapping[str, tuple[str, ...]]) -> None:
    """Running sums of groups of terms as bars, and the change of NAV as a line."""
    x = _times(record.hours)
    for (name, terms), colour in zip(groups.items(), itertools.cycle(TERM_COLOURS), strict=False):
        hourly = (math.fsum(hour.terms_usd[term] for term in terms) for hour in record.hours)
        y = list(itertools.accumulate(hourly))
        marker = {"color": colour, "line": {"width": 0}}
        figure.add_bar(x=x, y=y, name=name.replace("_", " "), marker=marker)
    total = list(itertools.accumulate(hour.pnl_hedged_usd for hour in record.hours))
    figure.add_scatter(x=x, y=total, name="change of NAV", line={"color": "#000000", "width": 2})
    figure.update_layout(barmode="relative", bargap=0)


def _times(rows: tuple[HourRow, ...] | tuple[RebalanceRow, ...]) -> list[dt.datetime]:
    return [dt.datetime.fromtimestamp(row.timestamp_s, dt.UTC) for row in rows]


def _figure(title: str, unit: str) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        title=title,
        template="plotly_white",
        height=420,
        hovermode="x unified",
        margin={"l": 60, "r": 60, "t": 60, "b": 40},
        legend={"orientation": "h", "y": -0.15},
        yaxis={"title": unit},
    )
    return figure
