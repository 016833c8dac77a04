"""How forecasts are judged: QLIKE, Diebold-Mariano with autocorrelation, and the rule that demotes a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import DataError
from keeper.volatility.bars import Floats


def qlike(realised: ArrayLike, forecast: ArrayLike) -> Floats:
    """Loss of each forecast: realised/forecast - ln(realised/forecast) - 1, zero where they agree.

    Robust to noise in the realised variance (Patton 2011). DataError for different shapes, no entry at all, NaN,
    and anything not positive.
    """
    truth, guess = np.asarray(realised, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != guess.shape or truth.size == 0:
        raise DataError(
            f"realised {truth.shape} and forecast {guess.shape} must be equal, 1-d, not empty"
        )
    for name, values in (("realised", truth), ("forecast", guess)):
        bad = ~(np.isfinite(values) & (values > 0.0))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise DataError(
                f"{name} variance {values[row]:g} in row {row} must be finite and positive"
            )
    ratio = truth / guess
    return np.asarray(ratio - np.log(ratio) - 1.0)


def diebold_mariano(losses: ArrayLike, baseline_losses: ArrayLike, horizon: int) -> float:
    """Statistic t of the mean of baseline - model; positive where the model is better.

    Newey-West with Bartlett weights over max(2*horizon, n^(1/3)) lags, since h-period targets overlap. DataError for
    different shapes, NaN, or fewer than four times as many entries as lags. Equal losses give 0.
    """
    mine, theirs = (
        np.asarray(losses, dtype=np.float64),
        np.asarray(baseline_losses, dtype=np.float64),
    )
    if mine.ndim != 1 or mine.shape != theirs.shape:
        raise DataError(f"losses {mine.shape} and baseline {theirs.shape} must be 1-d and equal")
    gain = theirs - mine
    if not np.isfinite(gain).all():
        raise DataError("losses must be finite")
    lags = max(2 * horizon, int(np.ceil(np.cbrt(max(gain.size, 1)))))
    if horizon < 1 or gain.size < 4 * lags:
        raise DataError(f"{gain.size} losses at horizon {horizon}: at least {4 * lags} are needed")
    centred = gain - gain.mean()
    spread = float(centred @ centred)
    for lag in range(1, lags + 1):
        spread += 2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag])
    if spread <= 0.0:
        return 0.0 if gain.mean() == 0.0 else float(np.copysign(np.inf, gain.mean()))
    return float(gain.sum() / np.sqrt(spread))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model may be used; `t` is Diebold-Mariano against the baseline over the window that decided."""

    promoted: bool
    t: float
    reason: str


@dataclass(frozen=True, slots=True)
class DemotionRule:
    """A model serves while it beats the baseline over the last `window` matured forecasts.

    It loses its place when t falls below `demote_below`, and gets it back only above `promote_above`: the gap
    between them keeps it from flickering.
    """

    window: int = 250
    demote_below: float = 0.0
    promote_above: float = 1.0

    def __post_init__(self) -> None:
        if self.window < 8 or self.demote_below > self.promote_above:
            raise DataError("window must be at least 8 and demote_below <= promote_above")

    def judge(
        self, losses: ArrayLike, baseline_losses: ArrayLike, horizon: int, promoted: bool
    ) -> Verdict:
        """Verdict from losses in the order of time, all of them matured; DataError as diebold_mariano."""
        mine = np.asarray(losses, dtype=np.float64)[-self.window :]
        theirs = np.asarray(baseline_losses, dtype=np.float64)[-self.window :]
        t = diebold_mariano(mine, theirs, horizon)
        bar = self.demote_below if promoted else self.promote_above
        keeps = t >= bar
        word = "at or above" if keeps else "below"
        return Verdict(keeps, t, f"t {t:.2f} over the last {mine.size} forecasts is {word} {bar:g}")
