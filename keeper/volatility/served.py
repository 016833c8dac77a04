"""The forecast that is served: the model's while it beats the baseline, else the baseline's, by DemotionRule.

At each row only losses are judged whose target was complete by then, so a model that stops winning is replaced when a
desk could have known, and what this serves can be scored out of sample like any other forecast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import DataError
from keeper.volatility.bars import Floats
from keeper.volatility.baselines import Har
from keeper.volatility.forecast import MIN_TRAINING_ROWS
from keeper.volatility.gamma import GammaRegression
from keeper.volatility.panel import Panel
from keeper.volatility.scoring import DemotionRule, qlike
from keeper.volatility.walk import walk_forward

# The slow level that the design of the model needs before its first row.
WARM_UP = 90


@dataclass(frozen=True, slots=True)
class Served:
    """One value a row: variance forecast, and whether it is the model's."""

    forecast: Floats
    promoted: NDArray[np.bool_]

    @property
    def switches(self) -> int:
        """How often the model won or lost its place."""
        return int(np.count_nonzero(np.diff(self.promoted.astype(np.int8))))


def serve(
    model: ArrayLike,
    baseline: ArrayLike,
    target: ArrayLike,
    horizon: int,
    rule: DemotionRule | None = None,
    *,
    promoted: bool = False,
) -> Served:
    """Rows in the order of time; row i's target is complete at row i + horizon, and NaN where it never was.

    A model starts in the place that `promoted` says, and a row without the model's forecast takes the baseline's.
    DataError for columns that differ, a horizon under one, or a rule whose window is too short for it.
    """
    mine, theirs, truth = (np.asarray(x, dtype=np.float64) for x in (model, baseline, target))
    if mine.ndim != 1 or not mine.shape == theirs.shape == truth.shape or horizon < 1:
        raise DataError(f"columns {mine.shape}, {theirs.shape}, {truth.shape}, horizon {horizon}")
    own = rule or DemotionRule()
    scored = (mine > 0.0) & (theirs > 0.0) & (truth > 0.0)
    losses, base_losses = np.full((2, mine.size), np.nan)
    losses[scored] = qlike(truth[scored], mine[scored])
    base_losses[scored] = qlike(truth[scored], theirs[scored])
    # What Diebold-Mariano asks for: four times its lags.
    needed = 4 * max(2 * horizon, math.ceil(math.cbrt(own.window)))
    if own.window < needed:
        raise DataError(f"window {own.window} is too short for horizon {horizon}: {needed} or more")
    out, places = theirs.copy(), np.zeros(mine.size, dtype=np.bool_)
    rows = np.flatnonzero(scored)
    for row in range(mine.size):
        matured = rows[: np.searchsorted(rows, row - horizon, side="right")][-own.window :]
        if matured.size >= needed:
            promoted = own.judge(losses[matured], base_losses[matured], horizon, promoted).promoted
        if promoted and np.isfinite(mine[row]):
            out[row], places[row] = mine[row], True
    return Served(out, places)


def serve_panel(panel: Panel, horizon: int, rows: int) -> Served:
    """What a desk that served since `rows` periods ago would have served at each row: NaN before, no hindsight after.

    The model is the gamma regression on the asset's own history, the baseline log-HAR, both fitted anew each month.
    DataError where the history is too short to train before its last row.
    """
    warm = WARM_UP + MIN_TRAINING_ROWS + horizon
    first = max(len(panel) - rows, warm)
    if first >= len(panel):
        raise DataError(f"{len(panel)} periods of history, more than {warm} are needed")
    first_target_s = int(panel.start_s[first]) + panel.period_s
    mine, theirs = (
        walk_forward(model, [panel], horizon, first_target_s)
        for model in (GammaRegression(), Har())
    )
    # What Diebold-Mariano asks for at long horizons.
    rule = DemotionRule(window=max(DemotionRule().window, 8 * horizon))
    return serve(mine, theirs, panel.target(horizon), horizon, rule)
