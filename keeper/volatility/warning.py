"""Warning of stress in the next periods: gradient boosting with probabilities calibrated on later rows.

Trees are grown on the older part of the history and calibrated on the newer, with the horizon left out between
them, because overlapping labels would let the calibration see its own training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import DataError
from keeper.volatility.bars import Floats
from keeper.volatility.forecast import decayed_mean, trailing_mean
from keeper.volatility.panel import Panel
from keeper.volatility.walk import refits

USUAL_WINDOW = 30
MIN_ROWS = 300
MIN_EVENTS = 10  # in each part
ISOTONIC_EVENTS = (
    100  # below, a step function of so few would be noise: Platt's two parameters instead
)
PROBABILITY_FLOOR = 1e-3


def stress_events(
    panel: Panel, horizon: int = 1, multiple: float = 2.5, jump: float = 0.6
) -> Floats:
    """1 where one of the next `horizon` periods is stressed, 0 where none is, NaN where that is not known yet.

    Stressed: realised variance over `multiple` times its mean of the 30 periods before the forecast, or above that
    mean with more than the share `jump` of it made by jumps.
    """
    if horizon < 1 or not multiple > 0.0 or not 0.0 < jump <= 1.0:
        raise DataError("horizon and multiple must be positive, jump inside (0, 1]")
    usual = trailing_mean(panel.rv, USUAL_WINDOW)
    out = np.full(len(panel), np.nan)
    count = len(panel) - horizon
    if count < 1:
        return out
    hit, missing = np.zeros(count, dtype=np.bool_), np.isnan(usual[:count])
    for lag in range(1, horizon + 1):
        later, smooth = panel.rv[lag : lag + count], panel.bipower[lag : lag + count]
        jumpy = (later > usual[:count]) & (smooth < (1.0 - jump) * later)
        hit |= (later > multiple * usual[:count]) | jumpy
        missing |= np.isnan(later)
    out[:count] = np.where(missing, np.nan, hit)
    return out


def warning_features(panel: Panel, extras: Mapping[str, ArrayLike] | None = None) -> Floats:
    """Columns: scaled variances, their rise, jump share, return, implied; then each extra as it is and over its usual.

    `extras` (volume, depth, funding, gas) hold one positive or signed number a row, known at its end; NaN where
    unknown, which the trees take as it is. DataError for another length or an infinite value.
    """
    usual = trailing_mean(panel.rv, USUAL_WINDOW)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = [
            np.log(decayed_mean(panel.range_var, alpha) / usual) for alpha in (0.999, 0.3, 0.1)
        ]
        columns += [
            np.log(panel.tail / usual),
            1.0 - panel.bipower / panel.rv,
            panel.ret / np.sqrt(usual),
            trailing_mean(panel.ret, 7) * np.sqrt(7.0 / usual),
            np.log(panel.implied / usual),
            np.log(trailing_mean(panel.rv, 7) / usual),
        ]
        for name, raw in (extras or {}).items():
            values = np.asarray(raw, dtype=np.float64)
            if values.shape != (len(panel),) or np.isinf(values).any():
                raise DataError(
                    f"{name}: {values.shape} values, none infinite, wanted {len(panel)}"
                )
            columns += [values, values / trailing_mean(np.abs(values), USUAL_WINDOW)]
    table = np.column_stack(columns)
    return np.where(np.isfinite(table), table, np.nan)


@dataclass(frozen=True, slots=True)
class StressWarning:
    """A fitted warning; `method` says how its probabilities were calibrated: isotonic or platt."""

    trees: Any
    calibration: Any
    method: str
    columns: NDArray[np.bool_]  # those that the training rows held numbers in

    def probability(self, features: ArrayLike) -> Floats:
        """Calibrated probability for each row, inside [0.001, 0.999]. DataError for infinite features."""
        x = _features(features)
        raw = self.trees.decision_function(x[:, self.columns])
        if self.method == "isotonic":
            found = self.calibration.predict(raw)
        else:
            found = self.calibration.predict_proba(raw[:, None])[:, 1]
        return np.clip(
            np.asarray(found, dtype=np.float64), PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR
        )


def fit_warning(
    features: ArrayLike, events: ArrayLike, horizon: int = 1, calibration_share: float = 0.35
) -> StressWarning:
    """Fit on rows in the order of time; rows whose event is NaN are left out.

    DataError for columns of different lengths, too few rows, or too few events (or non-events) in either part.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    x, label = _features(features), np.asarray(events, dtype=np.float64)
    if label.shape != (len(x),):
        raise DataError(f"{len(x)} rows of features, events of shape {label.shape}")
    known = np.isin(label, (0.0, 1.0))
    if (~known & ~np.isnan(label)).any():
        raise DataError("events must be 0, 1 or NaN")
    x, label = x[known], label[known]
    if len(label) < MIN_ROWS or not 0.0 < calibration_share < 1.0:
        raise DataError(f"{len(label)} known rows, {MIN_ROWS} needed; share {calibration_share}")
    split = int(len(label) * (1.0 - calibration_share))
    old, new = slice(0, split - horizon), slice(split, None)
    _need_both(label[old], "older")
    _need_both(label[new], "newer")
    columns = np.asarray(np.isfinite(x[old]).any(axis=0), dtype=np.bool_)
    if not columns.any():
        raise DataError("the older rows hold no finite feature")
    trees = HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=30,
        l2_regularization=5.0, early_stopping=False, random_state=0,
    )  # fmt: skip
    trees.fit(x[old][:, columns], label[old])
    raw = trees.decision_function(x[new][:, columns])
    if int(label[new].sum()) >= ISOTONIC_EVENTS:
        steps = IsotonicRegression(out_of_bounds="clip", y_min=0.0, y_max=1.0)
        return StressWarning(trees, steps.fit(raw, label[new]), "isotonic", columns)
    line = LogisticRegression(C=1.0).fit(raw[:, None], label[new])
    return StressWarning(trees, line, "platt", columns)


def warning_walk(
    panel: Panel,
    first_target_s: int,
    horizon: int = 1,
    extras: Mapping[str, ArrayLike] | None = None,
) -> Floats:
    """Probabilities at the end of each row, fitted anew each month on the expanding window; NaN before."""
    out = np.full(len(panel), np.nan)
    columns = {
        name: np.asarray(values, dtype=np.float64) for name, values in (extras or {}).items()
    }
    features = warning_features(panel, columns)
    for begin, end in refits(panel, first_target_s):
        events = stress_events(panel.upto(begin), horizon)
        fitted = fit_warning(features[: begin + 1], events, horizon)
        out[begin:end] = fitted.probability(features[begin:end])
    return out


def _features(features: ArrayLike) -> Floats:
    x = np.asarray(features, dtype=np.float64)
    if x.ndim != 2 or x.size == 0 or np.isinf(x).any():
        raise DataError(f"features must be 2-d, not empty, without infinities; got shape {x.shape}")
    return x


def _need_both(label: Floats, part: str) -> None:
    events = int(label.sum())
    if min(events, len(label) - events) < MIN_EVENTS:
        raise DataError(
            f"{events} events in the {len(label)} {part} rows: at least {MIN_EVENTS} of each kind are needed"
        )
