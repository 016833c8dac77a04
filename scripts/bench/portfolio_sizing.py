"""Does sizing help? Selling 30 days of ETH volatility at the index, once every 30 days, sized by three rules.

Profit per vega is that of a hedged strip, (I^2 - RV) / (2 I), I the index less one point. The forecast and its past
errors are those known at the time. Margin is that of a hedged straddle on the default grid. A sanity check of the
rule on one asset's one history, not a claim about the future.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keeper.policies.sizing import Capital, ExpiryView, SizingParameters, size_book
from keeper.policies.sizing_edge import error_model, vol_edge
from keeper.portfolio.stress_grid import StressParameters, stress_grid
from keeper.units import SECONDS_PER_YEAR
from keeper.volatility.gamma import GammaRegression
from keeper.volatility.panel import DAY_S, Panel
from keeper.volatility.walk import walk_forward
from scripts.bench.portfolio_risk import BOOKS, book_at
from scripts.bench.volatility import FIRST_TARGET_S, load_asset

HORIZON = 30
SPREAD_VOL = 0.01
APPETITES = {
    "sized, drawdown 20 %": SizingParameters(),
    "sized, drawdown 40 %": SizingParameters(max_drawdown=0.4, drawdown_probability=0.1),
}
OFFSETS = range(0, HORIZON, 5)
EARLIEST_S = int(np.datetime64("2020-01-01", "s").astype(np.int64))


def sizing_backtest() -> dict[str, Any]:
    """Mean over six starting days of growth, deviation, ratio and drawdown of each rule."""
    panel = load_asset("eth")[2]
    forecast = walk_forward(GammaRegression(), [panel], HORIZON, EARLIEST_S)
    year = SECONDS_PER_YEAR / DAY_S
    target = panel.target(HORIZON)
    runs: dict[str, list[dict[str, float]]] = {}
    for offset in OFFSETS:
        rows = _rows(panel, offset)
        for name, equity in _run(
            rows, forecast * year, target * year, panel.implied * year
        ).items():
            runs.setdefault(name, []).append(_summary(equity))
    return {
        "bets": len(_rows(panel, 0)),
        "rules": {
            name: {key: float(np.mean([one[key] for one in found])) for key in found[0]}
            | {"worst_drawdown_pct": max(one["drawdown_pct"] for one in found)}
            for name, found in runs.items()
        },
    }


def _rows(panel: Panel, offset: int) -> list[int]:
    first = int(np.searchsorted(panel.start_s + DAY_S, FIRST_TARGET_S)) + offset
    return list(range(first, len(panel) - HORIZON, HORIZON))


def _run(
    rows: list[int], forecast: np.ndarray, target: np.ndarray, implied: np.ndarray
) -> dict[str, list[float]]:
    equity = {name: [1.0] for name in ("constant vega", "plain Kelly", *APPETITES)}
    for row in rows:
        known = slice(0, row - HORIZON + 1)
        past = target[known] / forecast[known] - 1.0
        errors = error_model(past[np.isfinite(past)][:, None], overlap=HORIZON)
        index, expected = math.sqrt(implied[row]), math.sqrt(forecast[row])
        bid = index - SPREAD_VOL
        profit = float((bid * bid - target[row]) / (2.0 * bid))
        sold, bought = (_margin_per_vega(index, size) for size in (-1.0, 1.0))
        for name, appetite in APPETITES.items():
            own = equity[name]
            view = ExpiryView(1, bid, index + SPREAD_VOL, expected, 0.0, sold, bought)
            plan = size_book((view,), Capital(own[-1], max(own)), errors, appetite)
            vega = plan.expiries[0].target_vega_sold
            ask = index + SPREAD_VOL
            made = profit if vega > 0.0 else float((ask * ask - target[row]) / (2.0 * ask))
            own.append(max(own[-1] + vega * made, 1e-9))
        edge, unit = float(vol_edge(bid, expected)), expected**2 / (2.0 * bid)
        kelly = max(edge, 0.0) / (float(errors.covariance[0, 0]) * unit * unit)
        plain = equity["plain Kelly"]
        plain.append(max(plain[-1] * (1.0 + kelly * profit), 1e-9))
        steady = equity["constant vega"]
        steady.append(max(steady[-1] * (1.0 + 0.5 * profit), 1e-9))
    return equity


def _margin_per_vega(vol: float, size: float) -> float:
    """USD of initial margin per USD of vega of a hedged straddle."""
    book = BOOKS["short straddle, hedged"] if size < 0.0 else BOOKS["long straddle, hedged"]
    held = book_at(book, 0, 1.0, vol)
    root = vol * math.sqrt(HORIZON * DAY_S / SECONDS_PER_YEAR)
    vega = 2.0 * root / vol * math.exp(-root * root / 8.0) / math.sqrt(2.0 * math.pi)
    return stress_grid(held, StressParameters()).initial_usd / vega


def _summary(equity: list[float]) -> dict[str, float]:
    values = np.array(equity)
    growth = np.diff(np.log(values))
    year = 365.0 / HORIZON
    fall = 1.0 - values / np.maximum.accumulate(values)
    simple = values[1:] / values[:-1] - 1.0
    return {
        "growth_pct_year": 100.0 * float(growth.mean()) * year,
        "deviation_pct_year": 100.0 * float(simple.std()) * math.sqrt(year),
        "sharpe": float(simple.mean() / simple.std()) * math.sqrt(year)
        if simple.std() > 0
        else 0.0,
        "drawdown_pct": 100.0 * float(fall.max()),
        "worst_month_pct": 100.0 * float(simple.min()),
    }
