"""What a vega sold until expiry earns, how wrong its forecast has been, and how much of Kelly that is worth.

Edge. A delta-hedged option sold at volatility I earns 1/2 int Gamma S^2 (I^2 - sigma_t^2) dt (Carr and Madan 1998,
"Towards a theory of volatility trading"; El Karoui, Jeanblanc and Shreve 1998). A strip of strikes has a Gamma S^2
that does not move with the price, and vega = Gamma S^2 I tau, so that a vega earns (I^2 - RV) / (2 I), RV the
annualised variance that comes. One strike depends on the path; at the money it earns I - sigma, which is never less.

Errors are relative, RV / F - 1, which is far more stable over time than RV - F: a vega's profit is then
(I^2 - F) / (2 I) - F / (2 I) * error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import PricingError

FloatArray = NDArray[np.float64]
MIN_ROWS = 24


def vol_edge(implied: ArrayLike, forecast_vol: ArrayLike) -> FloatArray:
    """Expected USD per vega sold (USD per 1.00) and held to expiry; arrays of one shape, volatilities a year."""
    i, f = np.asarray(implied, dtype=np.float64), np.asarray(forecast_vol, dtype=np.float64)
    for name, values in (("implied", i), ("forecast", f)):
        if not (np.isfinite(values).all() and (values > 0.0).all()):
            raise PricingError(f"{name} volatility must be a positive number, got {values!r}")
    return np.asarray((i * i - f * f) / (2.0 * i))


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Of relative variance errors, one row and column an expiry or horizon, in one fixed order.

    `covariance` is of one outcome, `mean_covariance` of the mean error's estimate: what is not known of the bias.
    """

    covariance: FloatArray
    mean_covariance: FloatArray

    def __post_init__(self) -> None:
        for name, matrix in (
            ("covariance", self.covariance),
            ("mean_covariance", self.mean_covariance),
        ):
            _require_covariance(name, matrix)
        if self.covariance.shape != self.mean_covariance.shape:
            raise PricingError(
                f"covariances are {self.covariance.shape} and {self.mean_covariance.shape}: one row an expiry each"
            )
        if np.linalg.cond(self.covariance) > 1e10:
            raise PricingError(
                "the errors' covariance is singular: shrink it (keeper.portfolio.correlation) or drop an expiry"
            )


def error_model(errors: ArrayLike, overlap: int, shrinkage: float = 0.0) -> ErrorModel:
    """From a history (rows, expiries) of RV / F - 1, rows at equal distances, each overlapping `overlap` - 1 others.

    The mean's covariance is Newey and West's (1987) with `overlap` lags over the rows: overlapping outcomes are not
    independent. `shrinkage` in [0, 1] draws correlations of outcomes towards 0. Raises PricingError for fewer than
    24 rows or 4 spans, NaN, or an error below -1, which no variance has.
    """
    e = np.asarray(errors, dtype=np.float64)
    if e.ndim != 2 or e.shape[1] == 0:
        raise PricingError(f"errors have shape {e.shape}: give rows of one value an expiry")
    if overlap < 1 or e.shape[0] < max(MIN_ROWS, 4 * overlap):
        raise PricingError(
            f"{e.shape[0]} rows of errors with an overlap of {overlap}: give at least {max(MIN_ROWS, 4 * overlap)}"
        )
    if not (np.isfinite(e).all() and (e >= -1.0).all()):
        raise PricingError("errors must be finite and at least -1: RV / F - 1 of variances")
    if not 0.0 <= shrinkage <= 1.0:
        raise PricingError(f"shrinkage must lie in [0, 1], got {shrinkage!r}")
    centred = e - e.mean(axis=0)
    rows = e.shape[0]
    covariance = centred.T @ centred / (rows - 1)
    keep = np.eye(e.shape[1]) + (1.0 - shrinkage) * (1.0 - np.eye(e.shape[1]))
    long_run = centred.T @ centred / rows
    for lag in range(1, overlap + 1):
        cross = centred[lag:].T @ centred[:-lag] / rows
        long_run = long_run + (1.0 - lag / (overlap + 1.0)) * (cross + cross.T)
    return ErrorModel(covariance * keep, long_run / rows)


def profit_model(
    implied: FloatArray, forecast_vol: FloatArray, errors: ErrorModel
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(edge, covariance, covariance of the edge's estimate) of profit per vega sold, one row an expiry."""
    edge = vol_edge(implied, forecast_vol)
    if edge.shape != (errors.covariance.shape[0],):
        raise PricingError(
            f"{edge.size} expiries and an error model of {errors.covariance.shape[0]}: give one row an expiry"
        )
    unit = forecast_vol * forecast_vol / (2.0 * implied)
    outer = np.outer(unit, unit)
    return edge, errors.covariance * outer, errors.mean_covariance * outer


def shrink_for_uncertainty(
    edge: FloatArray, covariance: FloatArray, edge_covariance: FloatArray
) -> float:
    """Share in [0, 1) of Kelly's size that is best when the edge is only estimated.

    c Omega^-1 m^ with m^ ~ N(m, Sigma) has expected growth c t2 - c^2/2 (t2 + tr(Omega^-1 Sigma)), t2 = m' Omega^-1 m,
    best at c = t2 / (t2 + tr) (Kan and Zhou 2007, "Optimal portfolio choice with parameter uncertainty";
    one bet: Baker and McHale 2013). t2 is not known: m^' Omega^-1 m^ - tr is its unbiased estimate, which makes
    c = 1 - tr / m^' Omega^-1 m^, and 0 where the edge is within its own error.
    """
    seen = float(edge @ np.linalg.solve(covariance, edge))
    noise = float(np.trace(np.linalg.solve(covariance, edge_covariance)))
    return max(0.0, 1.0 - noise / seen) if seen > 0.0 else 0.0


def drawdown_fraction(drawdown: float, probability: float) -> float:
    """Largest share of Kelly with which wealth ever falls by `drawdown` with at most this probability.

    At a share c of Kelly log wealth drifts by s^2 (c - c^2/2) with variance s^2 c^2 a unit of time, so that it ever
    reaches ln b with probability b^(2/c - 1): c = 2 / (1 + ln p / ln b), b = 1 - drawdown. Chin and Ingenoso (2006),
    "Risk formulae for proportional betting"; Thorp (2006), "The Kelly criterion in blackjack, sports betting and the
    stock market". Above c = 1 nothing is gained, so it ends there.
    """
    for name, value in (("drawdown", drawdown), ("probability", probability)):
        if not 0.0 < value < 1.0:
            raise PricingError(f"{name} must lie in (0, 1), got {value!r}")
    return min(1.0, 2.0 / (1.0 + math.log(probability) / math.log1p(-drawdown)))


def _require_covariance(name: str, matrix: FloatArray) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise PricingError(f"{name} has shape {matrix.shape}: it must be square")
    if not np.isfinite(matrix).all():
        raise PricingError(f"{name} holds a number that is not finite")
    top = float(np.abs(matrix).max())
    if np.abs(matrix - matrix.T).max() > 1e-9 * top:
        raise PricingError(f"{name} is not symmetric")
    if float(np.linalg.eigvalsh(matrix)[0]) < -1e-9 * top:
        raise PricingError(f"{name} has a negative eigenvalue: it is no covariance")
