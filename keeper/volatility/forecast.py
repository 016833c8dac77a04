"""What every volatility forecaster offers, and what they share: causal averages, training rows, mean correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from keeper.errors import DataError
from keeper.units import SECONDS_PER_YEAR
from keeper.volatility.bars import Floats
from keeper.volatility.panel import Panel

MIN_TRAINING_ROWS = 120


class Fitted(Protocol):
    """Fixed parameters. Entry i of the result is the mean variance per period over periods i+1..i+horizon.

    Entry i uses rows 0..i only; NaN where those do not suffice (warm-up, a gap).
    """

    def predict(self, panel: Panel) -> Floats:
        """Forecasts made at the end of every row of the panel."""
        ...


class Forecaster(Protocol):
    """A way of estimating. `panels[0]` is the asset to forecast, others only lend their history.

    All panels must end where knowledge ends (`Panel.upto`): a forecaster may use everything it is given.
    """

    @property
    def name(self) -> str:
        """Short key for tables."""
        ...

    def fit(self, panels: Sequence[Panel], horizon: int) -> Fitted:
        """Estimate for a horizon in periods. DataError when the history is too short."""
        ...


@dataclass(frozen=True, slots=True)
class Scaled:
    """A level that is right on average: another forecast times a constant."""

    inner: Fitted
    factor: float

    def predict(self, panel: Panel) -> Floats:
        """The inner forecast, scaled."""
        return self.inner.predict(panel) * self.factor


def mean_corrected(inner: Fitted, panel: Panel, horizon: int) -> Scaled:
    """Scale so that realised / forecast is 1 on average over the training rows: the first-order rule of QLIKE."""
    target, forecast = panel.target(horizon), inner.predict(panel)
    known = np.isfinite(target) & np.isfinite(forecast)
    require_rows(int(known.sum()))
    known &= forecast > 0.0
    if not target[known].any():
        raise DataError("variances of zero in the history: constant prices cannot be forecast")
    return Scaled(inner, float(np.mean(target[known] / forecast[known])))


def forecast_vol(fitted: Fitted, panel: Panel) -> float:
    """Annualised volatility (decimal) forecast at the end of the panel's last row; DataError if there is none."""
    variance = float(fitted.predict(panel)[-1]) if len(panel) else float("nan")
    if not (np.isfinite(variance) and variance > 0.0):
        raise DataError(
            f"no forecast at the end of {len(panel)} periods: the last ones are too gapped or too few"
        )
    return float(np.sqrt(variance * SECONDS_PER_YEAR / panel.period_s))


def trailing_mean(values: Floats, window: int) -> Floats:
    """Mean of the last `window` values at each row, NaN where more than a third of them is missing.

    Each window is summed on its own, so that no row depends on another, not even in its last bit.
    """
    out = np.full(values.size, np.nan)
    if values.size < window:
        return out
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    seen = np.isfinite(views)
    count = seen.sum(axis=1)
    total = np.where(seen, views, 0.0).sum(axis=1)
    enough = count * 3 >= window * 2
    out[window - 1 :][enough] = total[enough] / count[enough]
    return out


def decayed_mean(values: Floats, alpha: float) -> Floats:
    """Exponentially weighted mean with weight `alpha` on the newest; missing values are passed over."""
    return pd.Series(values).ewm(alpha=alpha, ignore_na=True).mean().to_numpy(dtype=np.float64)


def require_rows(count: int) -> None:
    """DataError below the least number of training rows."""
    if count < MIN_TRAINING_ROWS:
        raise DataError(f"{count} training rows, {MIN_TRAINING_ROWS} needed: give more history")


def require_panels(panels: Sequence[Panel]) -> Panel:
    """The asset's own panel; DataError for none, or for panels of different periods."""
    if not panels:
        raise DataError("no panel: the first one is the asset to forecast")
    if any(panel.period_s != panels[0].period_s for panel in panels):
        raise DataError("panels of different periods cannot be fitted together")
    return panels[0]
