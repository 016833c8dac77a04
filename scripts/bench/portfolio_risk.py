"""Value at risk and expected shortfall of standard books, backtested day by day on real candles and index closes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from keeper.models import OptionLeg, SviSlice
from keeper.portfolio.book import LegArrays, Market, forward_and_vol, leg_greeks
from keeper.portfolio.correlation import (
    aligned_returns,
    correlations,
    systemic_reading,
    turbulence,
)
from keeper.portfolio.filtered_history import (
    VarianceFilter,
    ewma_filter,
    filter_history,
    garch_filter,
)
from keeper.portfolio.positions import Holdings, Portfolio
from keeper.portfolio.revalue import scenario_values
from keeper.portfolio.stress_grid import StressParameters, stress_grid
from keeper.portfolio.stress_history import ETH_SCENARIOS, WINDOWS, historical_stress
from keeper.portfolio.tail_risk import (
    FactorMoves,
    coverage,
    portfolio_profits,
    shortfall_ratio,
    tail_risk,
)
from keeper.units import SECONDS_PER_YEAR
from keeper.volatility.bars import Bars, Floats
from scripts.bench.volatility import FIRST_TARGET_S, load_asset, load_index

DAY_S = 86_400
MONTH_S = 30 * DAY_S
HOUR_S = 3_600
LEVELS = (0.95, 0.99)
PLAIN_ROWS = 500
Legs = tuple[tuple[float, bool, float], ...]
# Of scripts/networks/parameters.toml; its tails and floor are those of the risk engine that it goes with.
GRID = StressParameters(vol_up=0.5, vol_down=0.3, tail_moves=(-0.5, 0.5), short_floor=0.03)
# (strike over spot, call, size): hedged in spot to no delta, but for the last.
BOOKS: dict[str, Legs] = {
    "short straddle, hedged": ((1.0, True, -1.0), (1.0, False, -1.0)),
    "short strangle, hedged": ((1.15, True, -1.0), (0.85, False, -1.0)),
    "long straddle, hedged": ((1.0, True, 1.0), (1.0, False, 1.0)),
    "spot alone": (),
}
Moves = Callable[[int], Floats]


def book_at(legs: Legs, now_s: int, spot: float, vol: float) -> Holdings:
    """Options of 30 days on a flat surface, hedged to no delta; one ETH where there are none."""
    expiry = now_s + MONTH_S
    slice_ = SviSlice(
        expiry, vol * vol * MONTH_S / SECONDS_PER_YEAR, 0.0, 0.0, 0.0, 0.1, 0.0, now_s
    )
    market = Market(now_s, spot, {expiry: slice_}, {})
    held = tuple(OptionLeg(i, 1, expiry, k * spot, call, n) for i, (k, call, n) in enumerate(legs))
    if not held:
        return Holdings(market, base_eth=1.0)
    columns = LegArrays.of(held)
    delta = leg_greeks(columns, market, *forward_and_vol(columns, market)).delta
    return Holdings(market, held, -float(columns.size @ delta))


def daily_factors() -> tuple[np.ndarray, Floats, Floats]:
    """Days on which both are known at their end: unix seconds, ETH closes, index closes (decimal)."""
    bars, _, _ = load_asset("eth")
    known, index = load_index("eth")
    closes = bars.open_s + bars.step_s
    times = np.intersect1d(closes, known.astype(np.int64))
    spot = bars.close[np.searchsorted(closes, times)]
    return times, spot, index[np.searchsorted(known, times)]


def scenario_models(times: np.ndarray, moves: Floats) -> dict[str, Moves]:
    """Log moves of (spot, index) that each model thinks equally likely tomorrow, from rows before `row` only."""
    months = times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    fitted: dict[int, list[VarianceFilter]] = {}

    def garch(row: int) -> Floats:
        month = int(months[row])
        if month not in fitted:
            fitted[month] = [garch_filter(moves[:row, k]) for k in (0, 1)]
        return filter_history(moves[:row], fitted[month]).next_moves()

    ewma = [ewma_filter(), ewma_filter()]
    return {
        "plain history, 500 days": lambda row: moves[max(0, row - PLAIN_ROWS) : row],
        "filtered, EWMA .94": lambda row: filter_history(moves[:row], ewma).next_moves(),
        "filtered, GARCH monthly": garch,
    }


def backtest() -> dict[str, Any]:
    """Each book made anew at each day's end, one day ahead: coverage tests and the ratio of losses to shortfall."""
    times, spot, index = daily_factors()
    moves = np.column_stack([np.diff(np.log(spot)), np.diff(np.log(index))])
    consecutive = np.diff(times) == DAY_S
    models = scenario_models(times, moves)
    first = int(np.searchsorted(times, FIRST_TARGET_S))
    rows = [row for row in range(first, len(times) - 1) if consecutive[row]]
    made: dict[str, list[float]] = {name: [] for name in BOOKS}
    said: dict[tuple[str, str, float], list[tuple[float, float]]] = {}
    for row in rows:
        books = {
            n: book_at(b, int(times[row]), float(spot[row]), float(index[row]))
            for n, b in BOOKS.items()
        }
        for name, held in books.items():
            made[name].append(float(_profit(held, moves[row : row + 1])[0]) / float(spot[row]))
        for model, scenarios in models.items():
            ahead = scenarios(row)
            for name, held in books.items():
                profit = _profit(held, ahead) / float(spot[row])
                for level in LEVELS:
                    risk = tail_risk(profit, level)
                    pair = (risk.value_at_risk, risk.expected_shortfall)
                    said.setdefault((name, model, level), []).append(pair)
    return {
        "days": len(rows),
        "rows": [_judged(key, made[key[0]], pairs) for key, pairs in said.items()],
    }


def _profit(held: Holdings, log_moves: Floats) -> Floats:
    moves = FactorMoves(*np.expm1(log_moves).T)
    return portfolio_profits(Portfolio(0.0, {1: held}), {1: moves}, later_s=DAY_S)


def _judged(
    key: tuple[str, str, float], made: list[float], pairs: list[tuple[float, float]]
) -> dict[str, Any]:
    book, model, level = key
    profit, stated = np.array(made), np.array(pairs)
    hits = -profit > stated[:, 0]
    found = coverage(hits, level)
    return {
        "book": book,
        "model": model,
        "level": level,
        "exceptions_pct": 100.0 * found.exceptions / found.periods,
        "kupiec": found.kupiec,
        "independence": found.independence,
        "conditional": found.conditional,
        "loss_over_shortfall": shortfall_ratio(profit, np.maximum(stated[:, 1], 1e-9), hits, level),
        "mean_var_pct_of_spot": 100.0 * float(stated[:, 0].mean()),
    }


def stress_example() -> dict[str, Any]:
    """Losses of the hedged short strangle, in per cent of spot an option pair: the grid's and history's worst."""
    held = book_at(BOOKS["short strangle, hedged"], 1_700_000_000, 2_000.0, 0.7)
    grid = stress_grid(held, GRID)
    spot, vol, _ = GRID.scenarios()
    history = historical_stress(Portfolio(0.0, {1: held}), {1: ETH_SCENARIOS})
    assert grid.worst_scenario is not None
    worst = grid.worst_scenario
    return {
        "grid_worst_pct": 100.0 * grid.worst_loss_usd / 2_000.0,
        "grid_worst_moves": (float(spot[worst]), float(vol[worst])),
        "initial_pct": 100.0 * grid.initial_usd / 2_000.0,
        "history_pct": {name: 100.0 * value / 2_000.0 for name, value in history.items()},
        "value_pct": 100.0
        * float(scenario_values(replace(held, base_eth=0.0), [0.0], [0.0])[0])
        / 2_000.0,
    }


def correlation_table(perp: Bars) -> dict[str, Any]:
    """Hourly returns: at each year's end, correlations of the 90 days before, newest hours weighing most."""
    eth, btc = load_asset("eth")[0], load_asset("btc")[0]
    groups = {
        "ETH, BTC": {"eth": eth, "btc": btc},
        "ETH, BTC, ETH perpetual": {"eth": eth, "btc": btc, "perp": perp},
        "ETH, ETH perpetual": {"eth": eth, "perp": perp},
    }
    out: dict[str, Any] = {}
    for name, series in groups.items():
        closes = {k: (b.open_s + b.step_s, b.close) for k, b in series.items()}
        _, times, returns = aligned_returns(closes, HOUR_S)
        years = (times - HOUR_S).astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64)
        for year in np.unique(years):
            last = int(np.flatnonzero(years == year)[-1]) + 1
            found = correlations(returns[max(0, last - 90 * 24) : last], decay=0.999)
            reading = systemic_reading(found.correlation)
            out.setdefault(name, {})[str(year + 1970)] = {
                "correlation": float(found.correlation[0, 1]),
                "largest_share": reading.largest_share,
                "independent_bets": reading.independent_bets,
                "shrinkage": found.shrinkage,
            }
    return out


def crash_readings() -> dict[str, dict[str, float]]:
    """ETH and BTC: correlation and turbulence of the worst day, known the day before and after each shock began."""
    eth, btc = load_asset("eth")[0], load_asset("btc")[0]
    closes = {k: (b.open_s + b.step_s, b.close) for k, b in (("eth", eth), ("btc", btc))}
    _, times, returns = aligned_returns(closes, HOUR_S)
    out = {}
    for window in WINDOWS:
        first, last = (int(np.searchsorted(times, t)) for t in (window.start_s, window.end_s))
        if first < 30 * 24 or last >= len(times):
            continue
        before, after = (
            correlations(returns[row - 30 * 24 : row], decay=0.99) for row in (first, last)
        )
        days = returns[first : last - (last - first) % 24].reshape(-1, 24, 2).sum(axis=1)
        usual = 24.0 * correlations(returns[first - 30 * 24 : first], decay=1.0).covariance
        out[window.name] = {
            "correlation_before": float(before.correlation[0, 1]),
            "correlation_after": float(after.correlation[0, 1]),
            "largest_turbulence": max(turbulence(day, usual) for day in days),
        }
    return out
