"""Filtered historical simulation: past moves, each measured in the deviations of its day, replayed in those of today.

Source: Barone-Adesi, Giannopoulos and Vosper (1999), "VaR without correlations for portfolios of derivative
securities"; Hull and White (1998). A row holds the moves of all risk factors over one period and is always replayed
whole, so that crashes of spot keep the jumps of volatility that came with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import DataError

FloatArray = NDArray[np.float64]
MIN_ROWS = 100
WARM_UP = 50


@dataclass(frozen=True, slots=True)
class VarianceFilter:
    """Next variance = omega + alpha * move^2 + beta * variance: GARCH(1,1), EWMA where omega is 0 and the rest 1."""

    omega: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        if not all(0.0 <= x < math.inf for x in (self.omega, self.alpha, self.beta)):
            raise DataError(f"a variance filter needs numbers >= 0, got {self}")
        if not 0.0 < self.alpha + self.beta <= 1.0 + 1e-9:
            raise DataError(f"alpha + beta is {self.alpha + self.beta:g}: it must lie in (0, 1]")

    def variances(self, moves: FloatArray, start: float) -> FloatArray:
        """The variance expected before each move, and after the last: one more than moves."""
        out = np.empty(moves.size + 1)
        out[0] = start
        for i, square in enumerate((moves * moves).tolist()):
            out[i + 1] = self.omega + self.alpha * square + self.beta * out[i]
        return out


def ewma_filter(decay: float = 0.94) -> VarianceFilter:
    """RiskMetrics' filter."""
    if not 0.0 < decay < 1.0:
        raise DataError(f"decay must lie in (0, 1), got {decay!r}")
    return VarianceFilter(0.0, 1.0 - decay, decay)


def garch_filter(moves: ArrayLike) -> VarianceFilter:
    """GARCH(1,1) by quasi maximum likelihood, mean zero. Raises DataError for short, broken or constant moves."""
    from arch import arch_model

    values = _checked(moves)[:, 0]
    scale = float(values.std())
    if scale < 1e-12:
        raise DataError("moves of zero: a variance of nothing cannot be filtered")
    model = arch_model(values / scale, mean="Zero", vol="GARCH", p=1, q=1, rescale=False)
    found = model.fit(disp="off", show_warning=False).params
    omega, alpha, beta = (float(found[key]) for key in ("omega", "alpha[1]", "beta[1]"))
    return VarianceFilter(omega * scale * scale, alpha, min(beta, 1.0 - alpha))


@dataclass(frozen=True, slots=True)
class FilteredHistory:
    """`residuals` (rows, factors) in deviations; `variance` (factors) expected of the next period."""

    filters: tuple[VarianceFilter, ...]
    residuals: FloatArray
    variance: FloatArray

    def next_moves(self) -> FloatArray:
        """Every past row at today's deviations: (rows, factors) of log moves over one period."""
        return np.asarray(self.residuals * np.sqrt(self.variance))

    def paths(self, periods: int, paths: int, seed: int) -> FloatArray:
        """(paths, factors) of summed log moves over `periods`: rows drawn with replacement, variances carried on."""
        if periods < 1 or paths < 1:
            raise DataError(f"{periods} periods of {paths} paths: give at least one of each")
        rng = np.random.default_rng(seed)
        total = np.zeros((paths, self.variance.size))
        variance = np.tile(self.variance, (paths, 1))
        omega, alpha, beta = np.array([(f.omega, f.alpha, f.beta) for f in self.filters]).T
        for _ in range(periods):
            rows = rng.integers(0, self.residuals.shape[0], paths)
            moves = self.residuals[rows] * np.sqrt(variance)
            total += moves
            variance = omega + alpha * moves * moves + beta * variance
        return total


def filter_history(moves: ArrayLike, filters: Sequence[VarianceFilter]) -> FilteredHistory:
    """`moves` (rows, factors) of log moves, oldest first, ending where knowledge ends; a filter a factor.

    The first 50 rows only start the filters. Raises DataError for fewer than 100 rows, NaN, or a factor that does
    not move.
    """
    values = _checked(moves)
    if len(filters) != values.shape[1]:
        raise DataError(f"{len(filters)} filters for {values.shape[1]} factors: give one each")
    residuals, nexts = [], []
    for column, one in zip(values.T, filters, strict=True):
        start = float(np.mean(column[:WARM_UP] ** 2))
        variance = one.variances(column, start)
        if not (variance > 0.0).all():
            raise DataError("a factor does not move at all: leave it out")
        residuals.append((column / np.sqrt(variance[:-1]))[WARM_UP:])
        nexts.append(variance[-1])
    return FilteredHistory(tuple(filters), np.column_stack(residuals), np.array(nexts))


def _checked(moves: ArrayLike) -> FloatArray:
    values = np.asarray(moves, dtype=np.float64)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[0] < MIN_ROWS or values.shape[1] < 1:
        raise DataError(
            f"moves have shape {values.shape}: give at least {MIN_ROWS} rows of one value a factor"
        )
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise DataError(f"row {row} of moves holds NaN or inf")
    return values
