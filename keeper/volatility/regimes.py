"""Volatility regimes: Gaussian Markov switching (Hamilton 1989) with filtered probabilities, never smoothed ones.

The expectation step smooths inside the training window, which is all known when parameters are set; what is handed
out for a moment uses that moment's past only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import DataError
from keeper.volatility.bars import Floats
from keeper.volatility.panel import Panel
from keeper.volatility.walk import refits

ROUNDS = 500
TOLERANCE = 1e-6  # of log-likelihood a row
MIN_ROWS_PER_STATE = 40
FLOOR_SHARE = (
    0.05  # least standard deviation of a state, as a share of all: keeps a state off one point
)


@dataclass(frozen=True, slots=True)
class RegimeModel:
    """States in rising order of mean. `transition[i, j]` is the chance of going from i to j in one step."""

    mean: Floats
    deviation: Floats
    transition: Floats
    start: Floats
    log_likelihood: float

    def filtered(self, values: ArrayLike) -> Floats:
        """Shape (rows, states): probability of each state given values up to that row. A NaN row only moves on."""
        return _filter(self, _series(values, 1))[0]

    def ahead(self, filtered: ArrayLike, steps: int = 1) -> Floats:
        """State probabilities `steps` later."""
        if steps < 0:
            raise DataError(f"steps must not be negative, got {steps}")
        now = np.asarray(filtered, dtype=np.float64)
        return np.asarray(now @ np.linalg.matrix_power(self.transition, steps))


def fit_regimes(
    values: ArrayLike, states: int = 3, start: RegimeModel | None = None
) -> RegimeModel:
    """Maximum likelihood by expectation maximisation, from quantiles (no chance involved) or from an older model.

    `values` are usually log variances, NaN allowed. DataError for fewer than two states, too short a history, an
    infinite value, or values that do not vary.
    """
    if states < 2:
        raise DataError(f"at least two states are needed, got {states}")
    series = _series(values, MIN_ROWS_PER_STATE * states)
    seen = series[np.isfinite(series)]
    spread = float(seen.std())
    if spread < 1e-12:
        raise DataError("the values do not vary: no regimes can be told apart")
    model = start if start is not None else _first_guess(seen, states, spread)
    reached = -np.inf
    for _ in range(ROUNDS):
        better = _improved(model, series, spread * FLOOR_SHARE)
        done = better.log_likelihood - reached < TOLERANCE * series.size
        model, reached = better, better.log_likelihood
        if done:
            break
    return _ordered(model)


def regimes_walk(
    panel: Panel, first_target_s: int, states: int = 3
) -> tuple[Floats, list[RegimeModel]]:
    """Filtered probabilities of log range variance, parameters anew each month on the expanding window.

    Rows before the one before `first_target_s` are NaN. States keep their order of mean from month to month.
    """
    with np.errstate(divide="ignore"):
        values = np.log(panel.range_var)
    values = np.where(np.isfinite(values), values, np.nan)
    out = np.full((len(panel), states), np.nan)
    models: list[RegimeModel] = []
    for begin, end in refits(panel, first_target_s):
        models.append(fit_regimes(values[: begin + 1], states, models[-1] if models else None))
        out[begin:end] = models[-1].filtered(values[:end])[begin:end]
    return out, models


def _first_guess(seen: Floats, states: int, spread: float) -> RegimeModel:
    mean = np.quantile(seen, (np.arange(states) + 0.5) / states)
    stay = 0.95
    transition = np.full((states, states), (1.0 - stay) / (states - 1))
    np.fill_diagonal(transition, stay)
    deviation = np.full(states, spread / states)
    return RegimeModel(mean, deviation, transition, np.full(states, 1.0 / states), -np.inf)


def _densities(model: RegimeModel, series: Floats) -> Floats:
    """Log density of each row under each state; zero for a missing row, which tells nothing."""
    scaled = (series[:, None] - model.mean) / model.deviation
    logs = -0.5 * scaled**2 - np.log(model.deviation) - 0.5 * np.log(2.0 * np.pi)
    return np.where(np.isfinite(logs), logs, 0.0)


def _filter(model: RegimeModel, series: Floats) -> tuple[Floats, float]:
    logs = _densities(model, series)
    top = logs.max(axis=1)
    likely = np.exp(logs - top[:, None])
    out = np.empty_like(likely)
    total, prior = 0.0, model.start
    for row in range(len(series)):
        joint = prior * likely[row]
        scale = joint.sum()
        out[row] = joint / scale
        total += float(np.log(scale) + top[row])
        prior = out[row] @ model.transition
    return out, total


def _improved(model: RegimeModel, series: Floats, floor: float) -> RegimeModel:
    """One round of expectation maximisation; its log-likelihood is that of the model before it."""
    filtered, total = _filter(model, series)
    smoothed = filtered.copy()
    ahead = np.maximum(filtered[:-1] @ model.transition, 1e-300)
    ratio = np.empty_like(ahead)
    for row in range(len(series) - 2, -1, -1):
        ratio[row] = smoothed[row + 1] / ahead[row]
        smoothed[row] = filtered[row] * (model.transition @ ratio[row])
    moves = model.transition * (filtered[:-1].T @ ratio)
    known = np.isfinite(series)
    weight = smoothed[known] / np.maximum(smoothed[known].sum(axis=0), 1e-300)
    mean = weight.T @ series[known]
    variance = (weight * (series[known][:, None] - mean) ** 2).sum(axis=0)
    transition = moves / np.maximum(moves.sum(axis=1, keepdims=True), 1e-300)
    deviation = np.maximum(np.sqrt(variance), floor)
    return RegimeModel(mean, deviation, transition, smoothed[0], total)


def _ordered(model: RegimeModel) -> RegimeModel:
    order = np.argsort(model.mean)
    transition = model.transition[np.ix_(order, order)]
    mean, deviation, start = (x[order] for x in (model.mean, model.deviation, model.start))
    return RegimeModel(mean, deviation, transition, start, model.log_likelihood)


def _series(values: ArrayLike, least: int) -> Floats:
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1 or np.isinf(series).any():
        raise DataError(f"values must be 1-d without infinities, got shape {series.shape}")
    if int(np.isfinite(series).sum()) < least:
        raise DataError(f"{int(np.isfinite(series).sum())} known values, {least} needed")
    return series
