"""Pictures of the volatility measurements, drawn without a display."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from keeper.volatility.bars import Floats
from keeper.volatility.panel import Panel

mpl.use("Agg")
from matplotlib import pyplot as plt

COLOURS = ("#4c9f70", "#e0a030", "#c0392b")


def draw_forecast(path: Path, panel: Panel, forecasts: dict[int, Floats]) -> None:
    """Forecast against realised volatility a year, one panel a horizon."""
    days = panel.start_s.astype("datetime64[s]")
    figure, axes = plt.subplots(len(forecasts), 1, figsize=(11, 9), sharex=True)
    for axis, (horizon, forecast) in zip(axes, forecasts.items(), strict=True):
        shown = np.isfinite(forecast)
        realised = np.sqrt(panel.target(horizon) * 365)
        axis.plot(days[shown], realised[shown], lw=0.6, color="#888888", label="realised")
        axis.plot(
            days[shown], np.sqrt(forecast[shown] * 365), lw=1, color=COLOURS[2], label="forecast"
        )
        axis.set_yscale("log")
        axis.set_title(f"{horizon} days ahead, volatility a year")
    axes[0].legend()
    _save(figure, path)


def draw_regimes(path: Path, panel: Panel, filtered: Floats) -> None:
    """Cumulated log return with the filtered probabilities of the states below it."""
    shown = np.isfinite(filtered[:, 0])
    days = panel.start_s.astype("datetime64[s]")[shown]
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(11, 6), sharex=True)
    top.plot(days, np.nancumsum(panel.ret[shown]), lw=0.8, color="#333333")
    top.set_title("log price since the first day shown")
    bottom.stackplot(days, filtered[shown].T, colors=COLOURS, labels=("calm", "usual", "wild"))
    bottom.set_title("filtered probability of each regime")
    bottom.legend(loc="upper right")
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
