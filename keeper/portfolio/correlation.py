"""Correlation across underlyings and venues: exponentially weighted, drawn towards one common correlation.

Weighted Ledoit and Wolf (2004), "Honey, I shrunk the sample covariance matrix": with s = sum_t w_t x_t x_t' and the
target f of the same variances and the mean correlation, the best share of f is (pi - rho) / gamma, pi the summed
sampling variance of s, rho its covariance with f, gamma = |f - s|^2. With weights a sampling variance is
sum_t w_t^2 (x_i x_j - s_ij)^2, which is theirs where all weights are 1/T. Returns are taken to have no mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import DataError

FloatArray = NDArray[np.float64]
Target = Literal["common", "none"]


@dataclass(frozen=True, slots=True)
class Correlations:
    """`covariance` per period and `correlation`, after shrinkage towards the target by `shrinkage` in [0, 1].

    `effective_rows` is 1 / sum of squared weights: how many independent rows the estimate stands on.
    """

    covariance: FloatArray
    correlation: FloatArray
    shrinkage: float
    effective_rows: float


def correlations(
    returns: ArrayLike, decay: float = 0.97, target: Target = "common"
) -> Correlations:
    """Of `returns` (rows, assets), oldest first, the newest weighing most; `decay` 1 weighs all alike.

    The target is the mean correlation, or none between assets. Raises DataError for fewer than two assets, fewer
    rows than 2, NaN, or an asset that never moves.
    """
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] < 2 or x.shape[0] < 2:
        raise DataError(f"returns have shape {x.shape}: give at least 2 rows of 2 assets or more")
    if not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        raise DataError(
            f"row {row} of returns holds NaN or inf: drop rows that not all assets have"
        )
    if not 0.0 < decay <= 1.0:
        raise DataError(f"decay must lie in (0, 1], got {decay!r}")
    if target not in ("common", "none"):
        raise DataError(f"target must be common or none, got {target!r}")
    weights = decay ** np.arange(x.shape[0] - 1, -1, -1, dtype=np.float64)
    weights /= weights.sum()
    sample = (x * weights[:, None]).T @ x
    variance = np.diag(sample)
    if not (variance > 0.0).all():
        raise DataError(f"asset {int(np.argmin(variance))} never moves: it has no correlation")
    share, aim = _shrinkage(x, weights, sample, target)
    covariance = share * aim + (1.0 - share) * sample
    root = np.sqrt(variance)
    correlation = covariance / np.outer(root, root)
    np.fill_diagonal(correlation, 1.0)
    return Correlations(covariance, correlation, share, 1.0 / float(weights @ weights))


def _shrinkage(
    x: FloatArray, weights: FloatArray, sample: FloatArray, target: Target
) -> tuple[float, FloatArray]:
    """Share of the target in [0, 1], and the target."""
    p = sample.shape[0]
    variance = np.diag(sample)
    root = np.sqrt(variance)
    scale = np.outer(root, root)
    off = ~np.eye(p, dtype=np.bool_)
    mean = float((sample / scale)[off].mean()) if target == "common" else 0.0
    aim = np.where(off, mean * scale, sample)
    square = weights * weights
    z = x * x
    # sum_t w_t^2 (x_i x_j - s_ij)^2, multiplied out.
    cross = (x * square[:, None]).T @ x
    pi = (z * square[:, None]).T @ z - 2.0 * sample * cross + square.sum() * sample * sample
    # sum_t w_t^2 (x_i^2 - s_ii)(x_i x_j - s_ij)
    theta = (x**3 * square[:, None]).T @ x
    theta -= variance[:, None] * cross + sample * np.diag(cross)[:, None]
    theta += square.sum() * variance[:, None] * sample
    ratio = root[None, :] / root[:, None]
    rho = float(np.diag(pi).sum()) + mean * float((ratio * theta)[off].sum())
    gamma = float(((aim - sample) ** 2).sum())
    # Two assets are their own mean correlation: nothing to shrink.
    if gamma <= 1e-24 * float((sample * sample).sum()):
        return 0.0, aim
    return min(1.0, max(0.0, (float(pi.sum()) - rho) / gamma)), aim


@dataclass(frozen=True, slots=True)
class SystemicReading:
    """How much of everything moves as one, of a correlation matrix of p assets.

    `largest_share` is the largest eigenvalue over p, 1/p for independent assets and 1 for one common move.
    `absorption` is the share of the largest p/5 (rounded up) eigenvalues (Kritzman, Li, Page and Rigobon 2011,
    "Principal components as a measure of systemic risk"; on correlations here). `independent_bets` is the exponential
    of the eigenvalues' entropy (Roy and Vetterli 2007, "The effective rank").
    """

    largest_share: float
    absorption: float
    independent_bets: float


def systemic_reading(correlation: ArrayLike) -> SystemicReading:
    """Raises DataError for what is no correlation matrix."""
    c = np.asarray(correlation, dtype=np.float64)
    if c.ndim != 2 or c.shape[0] != c.shape[1] or c.shape[0] < 2:
        raise DataError(f"correlations have shape {c.shape}: give a square of 2 assets or more")
    if not np.isfinite(c).all() or np.abs(c - c.T).max() > 1e-9:
        raise DataError("correlations must be finite and symmetric")
    if np.abs(np.diag(c) - 1.0).max() > 1e-9:
        raise DataError("correlations must have ones on the diagonal")
    values = np.linalg.eigvalsh(c)[::-1]
    if values[-1] < -1e-9:
        raise DataError(f"correlations have a negative eigenvalue {values[-1]:.3g}")
    shares = np.maximum(values, 0.0) / float(np.maximum(values, 0.0).sum())
    count = math.ceil(c.shape[0] / 5)
    positive = shares[shares > 0.0]
    return SystemicReading(
        largest_share=float(shares[0]),
        absorption=float(shares[:count].sum()),
        independent_bets=math.exp(-float((positive * np.log(positive)).sum())),
    )


def turbulence(row: ArrayLike, covariance: ArrayLike) -> float:
    """Mahalanobis square of one row of returns, per asset: 1 on average, more on days unlike the others.

    Source: Kritzman and Li (2010), "Skulls, financial turbulence, and risk management".
    `covariance` must be known before the row. Raises DataError where it is singular.
    """
    x, s = np.asarray(row, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if x.ndim != 1 or s.shape != (x.size, x.size) or x.size == 0:
        raise DataError(f"a row of shape {x.shape} and a covariance of {s.shape} do not fit")
    if not (np.isfinite(x).all() and np.isfinite(s).all()):
        raise DataError("row or covariance holds NaN or inf")
    if np.linalg.cond(s) > 1e12:
        raise DataError(
            "the covariance is singular: shrink it, or drop an asset that copies another"
        )
    return float(x @ np.linalg.solve(s, x)) / x.size


def standardised_shift(readings: ArrayLike, short: int = 15, long: int = 252) -> float:
    """(mean of the last `short` - mean of the last `long`) / standard deviation of the last `long` readings.

    Kritzman et al. read above 1 as fragile. Raises DataError for too few readings or ones that do not vary.
    """
    values = np.asarray(readings, dtype=np.float64)
    if values.ndim != 1 or not 0 < short < long <= values.size:
        raise DataError(f"{values.size} readings: need 0 < short < long <= their number")
    window = values[-long:]
    if not np.isfinite(window).all():
        raise DataError("a reading is NaN or inf")
    deviation = float(window.std())
    if deviation <= 1e-15 * float(np.abs(window).max()):
        raise DataError("readings do not vary: no shift can be told")
    return float(window[-short:].mean() - window.mean()) / deviation


def aligned_returns(
    closes: Mapping[str, tuple[ArrayLike, ArrayLike]], step_s: int
) -> tuple[tuple[str, ...], NDArray[np.int64], FloatArray]:
    """Names, times and log returns (rows, series) of periods that every series has; gaps are left out, never filled.

    Each series is (unix seconds, closes). A return spans exactly `step_s`. Raises DataError for times that do not
    rise, prices that are not positive, or no common period.
    """
    if step_s <= 0 or len(closes) < 2:
        raise DataError(f"{len(closes)} series at {step_s} s: give two or more and a positive step")
    columns: dict[str, tuple[NDArray[np.int64], FloatArray]] = {}
    for name, (raw_times, raw) in closes.items():
        times, values = np.asarray(raw_times, dtype=np.int64), np.asarray(raw, dtype=np.float64)
        if times.ndim != 1 or times.shape != values.shape or (np.diff(times) <= 0).any():
            raise DataError(f"{name}: times must rise, with one price each")
        if not (np.isfinite(values).all() and (values > 0.0).all()):
            raise DataError(f"{name}: a price is not a positive number")
        columns[name] = (times, values)
    common = next(iter(columns.values()))[0]
    for times, _ in columns.values():
        common = np.intersect1d(common, times, assume_unique=True)
    prices = np.column_stack(
        [values[np.searchsorted(times, common)] for times, values in columns.values()]
    )
    whole = np.diff(common) == step_s
    if not whole.any():
        raise DataError("the series have no period in common")
    return tuple(columns), common[1:][whole], np.diff(np.log(prices), axis=0)[whole]
