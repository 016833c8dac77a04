"""Value at risk and expected shortfall of a portfolio by full revaluation, and tests of whether they were right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy
from scipy.stats import chi2

from keeper.errors import DataError
from keeper.portfolio.positions import Portfolio
from keeper.portfolio.revalue import scenario_values

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FactorMoves:
    """Scenarios of one underlying: relative moves of spot, and of implied volatility at 30 days, one row each."""

    spot: FloatArray
    vol: FloatArray


@dataclass(frozen=True, slots=True)
class TailRisk:
    """USD, positive is a loss. `level` is the confidence, 0.99 looks at the worst 1 %."""

    level: float
    value_at_risk: float
    expected_shortfall: float
    worst: float
    scenarios: int


def tail_risk(profit: ArrayLike, level: float) -> TailRisk:
    """Of equally likely profits. VaR is the smallest loss whose exceedance is no likelier than 1 - level.

    Expected shortfall is the mean of the worst 1 - level of them, the last one counted in part (Acerbi and Tasche
    2002, "On the coherence of expected shortfall"), so it is coherent and never below VaR. Raises DataError for no
    profit, NaN, or a level outside of (0, 1).
    """
    values = np.asarray(profit, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise DataError(f"profits of shape {values.shape} must be finite numbers, at least one")
    if not 0.0 < level < 1.0:
        raise DataError(f"level must lie in (0, 1), got {level!r}")
    ordered = np.sort(values)
    count = (1.0 - level) * values.size
    whole = min(math.floor(count + 1e-9), values.size - 1)
    part = max(count - whole, 0.0)
    tail = math.fsum(ordered[:whole]) + part * float(ordered[whole])
    at = whole if part > 1e-9 else max(whole - 1, 0)
    return TailRisk(level, -float(ordered[at]), -tail / count, -float(ordered[0]), int(values.size))


def portfolio_profits(
    portfolio: Portfolio, moves: Mapping[int, FactorMoves], later_s: int = 0
) -> FloatArray:
    """P&L in USD of each scenario, the same row of every underlying's moves happening together.

    Raises DataError for an underlying without moves or moves of different lengths.
    """
    missing = sorted(set(portfolio.holdings) - set(moves))
    if missing or not moves:
        raise DataError(f"no moves for underlying {missing or 'any'}: give one column each")
    sizes = {column.size for m in moves.values() for column in (m.spot, m.vol)}
    if len(sizes) != 1:
        raise DataError(f"moves have lengths {sorted(sizes)}: scenarios must be joint")
    total = np.zeros(sizes.pop())
    for underlying, held in portfolio.holdings.items():
        own = moves[underlying]
        now = float(scenario_values(held, [0.0], [0.0])[0])
        total += scenario_values(held, own.spot, own.vol, later_s) - now
    return total


@dataclass(frozen=True, slots=True)
class Coverage:
    """Exceptions of a VaR against what its level allows, with p-values; low ones reject.

    `kupiec` tests their number (Kupiec 1995), `independence` that one does not follow another (Christoffersen 1998,
    first-order Markov), `conditional` both at once.
    """

    periods: int
    exceptions: int
    expected: float
    kupiec: float
    independence: float
    conditional: float


def coverage(hits: ArrayLike, level: float) -> Coverage:
    """`hits`: True for each period whose loss exceeded the VaR stated before it, in order."""
    h = np.asarray(hits)
    if h.dtype != np.bool_ or h.ndim != 1 or h.size < 2:
        raise DataError("hits must be a column of at least two booleans")
    if not 0.0 < level < 1.0:
        raise DataError(f"level must lie in (0, 1), got {level!r}")
    n, x, p = int(h.size), int(h.sum()), 1.0 - level
    number = 2.0 * (_log_likelihood(x, n, x / n) - _log_likelihood(x, n, p))
    counts = np.zeros((2, 2))
    np.add.at(counts, (h[:-1].astype(int), h[1:].astype(int)), 1.0)
    rows = counts.sum(axis=1)
    apart = sum(
        _log_likelihood(counts[i, 1], rows[i], counts[i, 1] / rows[i])
        for i in (0, 1)
        if rows[i] > 0
    )
    ones = float(counts[:, 1].sum())
    together = _log_likelihood(ones, n - 1.0, ones / (n - 1.0))
    chained = max(2.0 * (apart - together), 0.0)
    number = max(number, 0.0)
    return Coverage(
        periods=n,
        exceptions=x,
        expected=p * n,
        kupiec=float(chi2.sf(number, 1)),
        independence=float(chi2.sf(chained, 1)),
        conditional=float(chi2.sf(number + chained, 2)),
    )


def _log_likelihood(hits: float, periods: float, probability: float) -> float:
    return float(xlogy(hits, probability) + xlogy(periods - hits, 1.0 - probability))


def shortfall_ratio(
    profit: ArrayLike, shortfall: ArrayLike, hits: ArrayLike, level: float
) -> float:
    """Losses beyond VaR over what expected shortfall said of them: 1 is right, above it said too little.

    The sum of loss / shortfall over exceptions divided by the number of them that the level expects: 1 - Z2 of Acerbi
    and Szekely (2014), "Back-testing expected shortfall", which judges frequency and size together.
    """
    made, said = np.asarray(profit, dtype=np.float64), np.asarray(shortfall, dtype=np.float64)
    h = np.asarray(hits)
    if not made.shape == said.shape == h.shape or made.ndim != 1 or made.size == 0:
        raise DataError("profit, shortfall and hits must be columns of one length")
    if not (np.isfinite(made).all() and np.isfinite(said).all() and (said > 0.0).all()):
        raise DataError("profits must be finite and stated shortfalls positive")
    if h.dtype != np.bool_ or not 0.0 < level < 1.0:
        raise DataError("hits must be booleans and level in (0, 1)")
    return float((-made[h] / said[h]).sum()) / (made.size * (1.0 - level))
