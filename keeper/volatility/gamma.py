"""Gamma regression with log link: maximum likelihood is the least QLIKE, so that it fits the loss it is scored by.

The linear part corrects a prior forecast (features.prior_log_variance) and is shrunk towards it the more, the
longer the horizon, because h-period targets overlap and n rows hold about n/h independent ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keeper.errors import DataError
from keeper.volatility.bars import Floats
from keeper.volatility.features import design, prior_log_variance
from keeper.volatility.forecast import Fitted, require_panels, require_rows
from keeper.volatility.panel import DAY_S, Panel

ROUNDS = 200
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class GammaRegression:
    """`shrinkage` is the ridge penalty on standardised slopes per day of horizon (the intercept is free).

    Rows lose half of their weight every `half_life_days`. Panels after the first lend their rows, with an
    intercept of their own.
    """

    shrinkage: float = 0.05
    half_life_days: float = 1000.0
    name: str = "gamma"

    def __post_init__(self) -> None:
        if not (self.shrinkage > 0.0 and self.half_life_days > 0.0):
            raise DataError("shrinkage and half_life_days must be positive")

    def fit(self, panels: Sequence[Panel], horizon: int) -> Fitted:
        """Least penalised QLIKE over the rows of all panels whose target is complete."""
        own = require_panels(panels)
        rows = [_rows(panel, horizon, float(panel is own)) for panel in panels]
        require_rows(len(rows[0][2]))
        offset, x, y, start_s = (np.concatenate(part) for part in zip(*rows, strict=True))
        if not (y > 0.0).any():
            raise DataError("variances of zero in the history: constant prices cannot be forecast")
        now = own.start_s[-1]
        weight = 0.5 ** (np.maximum(now - start_s, 0.0) / (DAY_S * self.half_life_days))
        centre, spread = x.mean(axis=0), x.std(axis=0)
        spread = np.where(spread < TOLERANCE, 1.0, spread)
        days = horizon * own.period_s / DAY_S
        slopes = _least_qlike(
            (x - centre) / spread,
            y * np.exp(-offset),
            weight / weight.sum(),
            self.shrinkage * max(days, 0.1),
        )
        return _FittedGamma(slopes, centre, spread)


@dataclass(frozen=True, slots=True)
class _FittedGamma:
    slopes: Floats
    centre: Floats
    spread: Floats

    def predict(self, panel: Panel) -> Floats:
        x = (_with_owner(panel, 1.0) - self.centre) / self.spread
        linear = self.slopes[0] + (x * self.slopes[1:]).sum(axis=1)
        return np.asarray(np.exp(prior_log_variance(panel) + linear))


def _with_owner(panel: Panel, owner: float) -> Floats:
    return np.column_stack([design(panel), np.full(len(panel), owner)])


def _rows(panel: Panel, horizon: int, owner: float) -> tuple[Floats, Floats, Floats, Floats]:
    target, offset, x = panel.target(horizon), prior_log_variance(panel), _with_owner(panel, owner)
    known = np.isfinite(target) & np.isfinite(offset) & np.isfinite(x).all(axis=1)
    return offset[known], x[known], target[known], panel.start_s[known].astype(np.float64)


def _least_qlike(x: Floats, ratio: Floats, weight: Floats, penalty: float) -> Floats:
    """Intercept and slopes that minimise sum of weight*(ratio*exp(-linear) + linear) + penalty*|slopes|^2/2.

    Convex; Fisher scoring, whose matrix does not change, with the step halved until the loss falls.
    """
    a = np.column_stack([np.ones(len(x)), x])
    ridge = np.full(a.shape[1], penalty)
    ridge[0] = 0.0
    inverse = np.linalg.inv((a * weight[:, None]).T @ a + np.diag(ridge))
    slopes = np.zeros(a.shape[1])
    slopes[0] = np.log(float(weight @ ratio))

    def loss(at: Floats) -> float:
        linear = a @ at
        with np.errstate(over="ignore"):
            return float(weight @ (ratio * np.exp(-linear) + linear) + 0.5 * ridge @ at**2)

    best = loss(slopes)
    for _ in range(ROUNDS):
        gradient = a.T @ (weight * (ratio * np.exp(-(a @ slopes)) - 1.0)) - ridge * slopes
        step = inverse @ gradient
        if float(np.abs(step).max()) < TOLERANCE:
            return slopes
        while not (tried := loss(slopes + step)) <= best and np.abs(step).max() >= TOLERANCE:
            step = step / 2.0
        slopes, best = slopes + step, min(tried, best)
    if float(np.abs(step).max()) > 1e-4:
        raise DataError(f"gamma regression did not settle in {ROUNDS} rounds: check the candles")
    return slopes
