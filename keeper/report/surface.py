"""Pictures of a fitted surface: each expiry's smile over its quotes, and the term structure."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import plotly.io
from plotly.subplots import make_subplots

from keeper.models import SviSlice
from keeper.pricing.surface_fit import FittedSurface
from keeper.pricing.svi import implied_vol
from keeper.report.figures import BLUE, GREEN, GREY, ORANGE, RED

COLUMNS = 3
CURVE_POINTS = 81


def smile_figure(surface: FittedSurface) -> go.Figure:
    """A panel an expiry: quoted bands and mids, the fitted smile over the strikes that were quoted."""
    quotes = surface.quotes
    count = len(surface.slices)
    rows = -(-count // COLUMNS)
    quality = surface.quality()
    titles = [
        f"{_day(q.expiry_s)}: {q.quotes} quotes, rmse {100 * q.rmse_vol:.2f} points"
        for q in quality
    ]
    figure = make_subplots(rows=rows, cols=COLUMNS, subplot_titles=titles)
    for i, one in enumerate(surface.slices):
        _panel(figure, surface, i, one)
    when = _moment(quotes.chain.read_at_s)
    figure.update_layout(
        title=f"Smiles of {quotes.chain.underlying} at {when}: volatility in % over strike in USD",
        template="plotly_white",
        height=120 + 280 * rows,
        legend={"orientation": "h", "y": -0.05},
    )
    figure.update_annotations(font_size=11)
    return figure


def term_figure(
    slices: tuple[SviSlice, ...],
    forecasts: Mapping[int, tuple[float, float]] | None = None,
    title: str = "Term structure",
) -> go.Figure:
    """At-the-forward volatility by expiry, with one standard deviation's wings; forecasts as (volatility, error)."""
    x = [dt.datetime.fromtimestamp(s.expiry_s, dt.UTC) for s in slices]
    figure = go.Figure()
    atm = [float(implied_vol(s, 0.0)) for s in slices]
    lives = [(s.expiry_s - s.committed_at_s) / (365 * 86_400) for s in slices]
    lines = (("one deviation down", -1.0, RED), ("at the forward", 0.0, BLUE), ("up", 1.0, GREEN))
    for name, deviations, colour in lines:
        y = [
            100 * float(implied_vol(s, deviations * vol * tau**0.5))
            for s, vol, tau in zip(slices, atm, lives, strict=True)
        ]
        figure.add_scatter(x=x, y=y, name=name, mode="lines+markers", line={"color": colour})
    if forecasts:
        known = [s.expiry_s for s in slices if s.expiry_s in forecasts]
        figure.add_scatter(
            x=[dt.datetime.fromtimestamp(e, dt.UTC) for e in known],
            y=[100 * forecasts[e][0] for e in known],
            error_y={"array": [100 * forecasts[e][1] for e in known], "color": GREY},
            mode="markers",
            marker={"color": GREY, "symbol": "diamond", "size": 8},
            name="realised volatility forecast",
        )
    figure.update_layout(
        title=title, template="plotly_white", height=420, yaxis={"title": "% a year"}
    )
    return figure


def write_surface(
    surface: FittedSurface, path: Path, forecasts: Mapping[int, tuple[float, float]] | None = None
) -> None:
    """One HTML page with both pictures that opens without a network; its folder is made where it is missing."""
    title = f"Surface of {surface.quotes.chain.source}"
    write_page([smile_figure(surface), term_figure(surface.slices, forecasts)], title, path)


def write_page(figures: list[go.Figure], title: str, path: Path) -> None:
    """Figures one under the other, with everything inside the file."""
    parts = [
        plotly.io.to_html(
            figure, full_html=False, include_plotlyjs="inline" if i == 0 else False, div_id=f"f{i}"
        )
        for i, figure in enumerate(figures)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}'
        f"</title></head>\n<body>\n{''.join(parts)}\n</body></html>\n",
        encoding="utf-8",
    )


def _panel(figure: go.Figure, surface: FittedSurface, i: int, one: SviSlice) -> None:
    quotes = surface.quotes
    at = {"row": i // COLUMNS + 1, "col": i % COLUMNS + 1}
    here = quotes.quoted[i]
    k, mid, width = (a[i][here] for a in (quotes.k, quotes.mid_vol, quotes.half_width))
    forward, first = float(quotes.forward_usd[i]), i == 0
    figure.add_scatter(
        x=forward * np.exp(k),
        y=100 * mid,
        error_y={"array": 100 * width, "color": GREY, "thickness": 1},
        mode="markers",
        marker={"color": BLUE, "size": 4},
        name="quoted bid to ask",
        showlegend=first,
        **at,
    )
    grid = np.linspace(k.min(), k.max(), CURVE_POINTS)
    figure.add_scatter(
        x=forward * np.exp(grid),
        y=100 * implied_vol(one, grid),
        line={"color": ORANGE},
        name="fitted",
        showlegend=first,
        **at,
    )


def _day(expiry_s: int) -> str:
    return f"{dt.datetime.fromtimestamp(expiry_s, dt.UTC):%Y-%m-%d}"


def _moment(seconds: int) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M} UTC"
