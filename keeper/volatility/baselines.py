"""Forecasters with few or no free parameters: EWMA, implied variance, HAR and its variants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keeper.errors import DataError
from keeper.volatility.bars import Floats
from keeper.volatility.forecast import (
    Fitted,
    decayed_mean,
    mean_corrected,
    require_panels,
    require_rows,
    trailing_mean,
)
from keeper.volatility.panel import DAY_S, Panel


@dataclass(frozen=True, slots=True)
class Ewma:
    """Exponentially weighted mean of the realised variance (or of ranges), RiskMetrics' with decay .94."""

    decay: float = 0.94
    ranges: bool = False
    corrected: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.decay < 1.0:
            raise DataError(f"decay must lie inside (0, 1), got {self.decay}")

    @property
    def name(self) -> str:
        """Short key for tables."""
        return f"ewma_{self.decay:g}{'_range' if self.ranges else ''}"

    def fit(self, panels: Sequence[Panel], horizon: int) -> Fitted:
        """Nothing to estimate but the level."""
        own = require_panels(panels)
        return mean_corrected(self, own, horizon) if self.corrected else self

    def predict(self, panel: Panel) -> Floats:
        """The same at every horizon: variance is taken as a martingale."""
        return decayed_mean(panel.range_var if self.ranges else panel.rv, 1.0 - self.decay)


@dataclass(frozen=True, slots=True)
class Implied:
    """The squared implied-volatility index with its level corrected: the premium it carries is taken out."""

    name: str = "implied"

    def fit(self, panels: Sequence[Panel], horizon: int) -> Fitted:
        """The level of realised against implied variance."""
        return mean_corrected(self, require_panels(panels), horizon)

    def predict(self, panel: Panel) -> Floats:
        """The index as it stands."""
        return panel.implied


@dataclass(frozen=True, slots=True)
class Har:
    """Corsi (2009): least squares of realised variance on its means over a day, a week and a month.

    `logs` regresses logarithms; the level is put right by the mean of realised / fitted over the training rows.
    Without logs a fitted value below the least variance seen is raised to it. `implied` adds the index; rows
    without it are then left out, as are rows where a price did not move at all: they get no forecast from logs.
    """

    logs: bool = True
    implied: bool = False
    corrected: bool = True

    @property
    def name(self) -> str:
        """Short key for tables."""
        raw = "" if self.corrected else "_raw"
        return f"{'log_' if self.logs else ''}har{'_iv' if self.implied else ''}{raw}"

    def fit(self, panels: Sequence[Panel], horizon: int) -> Fitted:
        """Ordinary least squares on the asset's own rows."""
        own = require_panels(panels)
        target, design = own.target(horizon), har_design(own, self.implied)
        known = np.isfinite(target) & np.isfinite(design).all(axis=1)
        known &= (target > 0.0) & (design > 0.0).all(axis=1)
        require_rows(int(known.sum()))
        y, x = target[known], design[known]
        floor = float(y.min())
        if self.logs:
            y, x = np.log(y), np.log(x)
        x = np.column_stack([np.ones(len(y)), x])
        weights = np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)
        inner = _FittedHar(weights, self.logs, self.implied, floor)
        return mean_corrected(inner, own, horizon) if self.corrected else inner


@dataclass(frozen=True, slots=True)
class _FittedHar:
    weights: Floats
    logs: bool
    implied: bool
    floor: float

    def predict(self, panel: Panel) -> Floats:
        design = har_design(panel, self.implied)
        if self.logs:
            design = np.log(np.where(design > 0.0, design, np.nan))
            return np.asarray(np.exp(self.weights[0] + (design * self.weights[1:]).sum(axis=1)))
        level = self.weights[0] + (design * self.weights[1:]).sum(axis=1)
        return np.asarray(np.maximum(level, self.floor))


def har_design(panel: Panel, implied: bool) -> Floats:
    """Columns: mean realised variance of the last 1, 7, 30 periods (1 period, a day, a week below a day)."""
    day = max(1, DAY_S // panel.period_s)
    windows = (1, 7, 30) if day == 1 else (1, day, 7 * day)
    columns = [trailing_mean(panel.rv, window) for window in windows]
    return np.column_stack([*columns, panel.implied] if implied else columns)
