"""Synthetic candles with known volatility for the volatility tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from keeper.volatility.bars import Bars, checked_bars
from keeper.volatility.panel import Panel, build_panel

HOUR = 3_600
DAY = 86_400
START = 1_609_459_200  # 2021-01-01 00:00 UTC
YEAR_HOURS = 8_760


def candles(vols, seed=1, inner=24, drift=0.0, start_s=START):
    """Hourly candles of a diffusion: `vols` is the annualised volatility of each hour, `drift` per hour."""
    vols = np.asarray(vols, dtype=float)
    noise = np.random.default_rng(seed).standard_normal((len(vols), inner))
    steps = noise * (vols / np.sqrt(YEAR_HOURS * inner))[:, None] + drift / inner
    path = np.cumsum(steps, axis=1)
    base = np.r_[0.0, np.cumsum(path[:, -1])][:-1]
    logs = np.column_stack([base, base[:, None] + path]) + np.log(2_000.0)
    prices = np.exp(logs)
    times = start_s + HOUR * np.arange(len(vols))
    return checked_bars(
        times, prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1], HOUR
    )


def wandering_vols(days, seed=7):
    """Annualised volatility an hour: log volatility reverting daily around 60 %."""
    dice = np.random.default_rng(seed)
    level = np.zeros(days)
    for day in range(1, days):
        level[day] = 0.95 * level[day - 1] + 0.2 * dice.standard_normal()
    return np.repeat(0.6 * np.exp(level), 24)


def daily_panel(days=700, seed=1, implied=True):
    """Daily panel of wandering volatility; the index is the true volatility, seen with noise, from day 100 on."""
    vols = wandering_vols(days, seed + 100)
    bars = candles(vols, seed, inner=8)
    if not implied:
        return build_panel(bars)
    truth = vols[::24][100:] * np.exp(0.1 * np.random.default_rng(seed).standard_normal(days - 100))
    return build_panel(bars, DAY, START + DAY * np.arange(101, days + 1), truth)


def without(bars: Bars, keep) -> Bars:
    columns = (getattr(bars, name)[keep] for name in ("open_s", "open", "high", "low", "close"))
    return Bars(bars.step_s, *columns)


def altered_after(panel: Panel, row: int) -> Panel:
    """The same panel up to `row`, another world after it."""
    changed = {}
    for name in ("rv", "range_var", "bipower", "tail", "ret", "implied"):
        values = getattr(panel, name).copy()
        values[row + 1 :] = np.abs(values[row + 1 :]) * 7.3 + 1e-5
        changed[name] = values
    return replace(panel, **changed)
