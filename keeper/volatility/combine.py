"""Combinations of forecasts: geometric mean with fixed weights, level corrected afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keeper.errors import DataError
from keeper.volatility.bars import Floats
from keeper.volatility.forecast import Fitted, Forecaster, mean_corrected, require_panels
from keeper.volatility.panel import Panel


@dataclass(frozen=True, slots=True)
class Combination:
    """Equal weights: estimated ones lose more to noise than they gain (the forecast combination puzzle)."""

    members: tuple[Forecaster, ...]
    name: str = "combination"

    def fit(self, panels: Sequence[Panel], horizon: int) -> Fitted:
        """Fit every member, then the common level."""
        if not self.members:
            raise DataError("a combination needs at least one member")
        inner = _FittedCombination(tuple(member.fit(panels, horizon) for member in self.members))
        return mean_corrected(inner, require_panels(panels), horizon)


@dataclass(frozen=True, slots=True)
class _FittedCombination:
    members: tuple[Fitted, ...]

    def predict(self, panel: Panel) -> Floats:
        """Members that have no forecast for a row are left out of it."""
        table = np.stack([member.predict(panel) for member in self.members])
        usable = np.isfinite(table) & (table > 0.0)
        logs = np.log(np.where(usable, table, 1.0))
        count = usable.sum(axis=0)
        mean = logs.sum(axis=0) / np.maximum(count, 1)
        return np.where(count > 0, np.exp(mean), np.nan)
