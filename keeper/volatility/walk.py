"""Expanding-window evaluation: parameters of a month come from what was known when it began, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from keeper.errors import DataError
from keeper.volatility.bars import Floats
from keeper.volatility.forecast import Forecaster
from keeper.volatility.panel import Panel


def walk_forward(
    model: Forecaster, panels: Sequence[Panel], horizon: int, first_target_s: int
) -> Floats:
    """Forecasts for every row of panels[0] from the one before `first_target_s` on; NaN before.

    Parameters are estimated anew at the end of each calendar month on all rows that had ended by then, other
    panels cut at the same moment. The last `horizon` rows are forecast too; their target is not known yet.
    """
    own = panels[0]
    forecasts = np.full(len(own), np.nan)
    for begin, end in refits(own, first_target_s):
        now = int(own.start_s[begin])
        cut = [
            own.upto(begin),
            *(_known(panel, now) for panel in panels[1:] if panel.start_s[0] <= now),
        ]
        fitted = model.fit(cut, horizon)
        forecasts[begin:end] = fitted.predict(own.upto(end - 1))[begin:end]
    return forecasts


def refits(panel: Panel, first_target_s: int) -> Iterator[tuple[int, int]]:
    """Row ranges that share parameters: rows whose next period lies in the same calendar month (UTC)."""
    nexts = panel.start_s + panel.period_s
    first = int(np.searchsorted(nexts, first_target_s))
    if first >= len(panel):
        raise DataError(f"no row before {first_target_s}: the panel ends earlier")
    months = nexts.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    edges = np.flatnonzero(np.diff(months)) + 1
    bounds = [first, *(int(edge) for edge in edges if edge > first), len(panel)]
    yield from pairwise(bounds)


def _known(panel: Panel, start_s: int) -> Panel:
    """The panel's rows that began by `start_s`, so had ended with the row that begins there."""
    return panel.upto(int(np.searchsorted(panel.start_s, start_s, side="right")) - 1)
