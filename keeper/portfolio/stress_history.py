"""Named market shocks of the past: windows, and what spot and volatility did in them, measured from candles.

A scenario is the worst move of spot within `horizon_s` (a desk that cannot trade for so long) inside the window, and
the rise of volatility over the window: of the implied-volatility index where it is known, else of realised volatility
(exponentially weighted, 6 % a day as RiskMetrics), which moves about as a 30-day index does. Both count as moves at
30 days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import DataError
from keeper.portfolio.positions import Portfolio
from keeper.portfolio.tail_risk import FactorMoves, portfolio_profits
from keeper.volatility.bars import Bars

DAY_S = 86_400
_DAILY_DECAY = 0.94
_HISTORY_S = 20 * DAY_S


@dataclass(frozen=True, slots=True)
class Window:
    """A shock by name, unix seconds; `upwards` when the shock was a rally."""

    name: str
    start_s: int
    end_s: int
    upwards: bool = False


@dataclass(frozen=True, slots=True)
class HistoricalScenario:
    """Relative moves: of spot within the horizon, of implied volatility at 30 days over the window."""

    name: str
    spot_move: float
    vol_move: float

    def __post_init__(self) -> None:
        for label, value in (("spot", self.spot_move), ("volatility", self.vol_move)):
            if not (math.isfinite(value) and value > -1.0):
                raise DataError(f"{self.name}: {label} move {value!r} must be a number above -1")


def _utc(date: str) -> int:
    return int(np.datetime64(date, "s").astype(np.int64))


WINDOWS = tuple(
    Window(name, _utc(start), _utc(end), upwards)
    for name, start, end, upwards in (
        ("pandemic crash, March 2020", "2020-03-07", "2020-03-18", False),
        ("New Year rally, January 2021", "2020-12-31", "2021-01-06", True),
        ("leverage unwind, May 2021", "2021-05-12", "2021-05-27", False),
        ("lender failures, June 2022", "2022-06-06", "2022-06-21", False),
        ("exchange failure, November 2022", "2022-11-04", "2022-11-15", False),
        ("fund approval rally, May 2024", "2024-05-19", "2024-05-26", True),
        ("carry unwind, August 2024", "2024-08-01", "2024-08-10", False),
        ("upgrade rally, May 2025", "2025-05-06", "2025-05-13", True),
        ("liquidation cascade, October 2025", "2025-10-07", "2025-10-15", False),
        ("sell-off, February 2026", "2026-01-28", "2026-02-11", False),
    )
)

# Of ETH within 24 hours, as `measure` gives them from hourly candles of the spot and daily closes of the volatility
# index (realised volatility before 2021-03-24); a test measures them again where market data are at hand.
ETH_SCENARIOS = (
    HistoricalScenario("pandemic crash, March 2020", -0.533, 1.115),
    HistoricalScenario("New Year rally, January 2021", 0.454, 0.400),
    HistoricalScenario("leverage unwind, May 2021", -0.450, 0.516),
    HistoricalScenario("lender failures, June 2022", -0.236, 0.596),
    HistoricalScenario("exchange failure, November 2022", -0.265, 1.080),
    HistoricalScenario("fund approval rally, May 2024", 0.241, 0.294),
    HistoricalScenario("carry unwind, August 2024", -0.278, 0.389),
    HistoricalScenario("upgrade rally, May 2025", 0.287, 0.205),
    HistoricalScenario("liquidation cascade, October 2025", -0.216, 0.159),
    HistoricalScenario("sell-off, February 2026", -0.187, 0.767),
)


def measure(
    window: Window,
    bars: Bars,
    horizon_s: int = DAY_S,
    index_s: ArrayLike | None = None,
    index_vol: ArrayLike | None = None,
) -> HistoricalScenario:
    """The scenario of a window. The index, if given, is (time known, level) and must reach a day back before it.

    Spot moves from a close to a low (a high for a rally) at most `horizon_s` later. Raises DataError where the
    candles do not cover the window and 20 days before it, or a horizon is not positive.
    """
    if horizon_s <= 0 or window.end_s <= window.start_s:
        raise DataError(f"{window.name}: needs a positive horizon and an end after its start")
    past = bars.window(window.start_s - _HISTORY_S, window.end_s)
    inside = bars.window(window.start_s, window.end_s)
    whole = (window.end_s - window.start_s + _HISTORY_S) / bars.step_s
    if len(past) < 0.9 * whole or len(inside) < 2:
        raise DataError(
            f"{window.name}: {len(past)} candles where {whole:.0f} are needed: the history does not cover it"
        )
    return HistoricalScenario(
        window.name,
        _worst_move(inside, horizon_s, window.upwards),
        _vol_move(window, past, index_s, index_vol),
    )


def _worst_move(bars: Bars, horizon_s: int, upwards: bool) -> float:
    """From each close to the extreme of the candles that open within the horizon after it."""
    known = bars.open_s + bars.step_s
    ends = np.searchsorted(bars.open_s, known + horizon_s - bars.step_s, side="right")
    moves = [0.0]
    for row, end in enumerate(ends.tolist()):
        if end > row + 1:
            ahead = slice(row + 1, end)
            reached = float(bars.high[ahead].max() if upwards else bars.low[ahead].min())
            moves.append(reached / float(bars.close[row]) - 1.0)
    return max(moves) if upwards else min(moves)


def _vol_move(
    window: Window, past: Bars, index_s: ArrayLike | None, index_vol: ArrayLike | None
) -> float:
    """Highest level inside the window over the last one before it, less 1; never below 0."""
    if index_s is not None and index_vol is not None:
        times = np.asarray(index_s, dtype=np.float64)
        levels = np.asarray(index_vol, dtype=np.float64)
        if times.shape != levels.shape or times.ndim != 1:
            raise DataError("the index needs one level a time")
        if not (np.isfinite(levels).all() and (levels > 0.0).all()):
            raise DataError("a level of the index is not a positive number")
        before = (times <= window.start_s) & (times > window.start_s - 3 * DAY_S)
        inside = (times > window.start_s) & (times <= window.end_s + DAY_S)
        if before.any() and inside.any():
            return max(float(levels[inside].max() / levels[before][-1]) - 1.0, 0.0)
    decay = _DAILY_DECAY ** (past.step_s / DAY_S)
    variance = np.empty(len(past))
    squares = np.log(past.close / past.open) ** 2
    variance[0] = float(squares[: DAY_S // past.step_s + 1].mean())
    for row in range(1, len(past)):
        variance[row] = decay * variance[row - 1] + (1.0 - decay) * float(squares[row])
    start = int(np.searchsorted(past.open_s, window.start_s))
    if not variance[start - 1] > 0.0:
        raise DataError(f"{window.name}: prices stand still before it")
    return max(math.sqrt(float(variance[start:].max()) / float(variance[start - 1])) - 1.0, 0.0)


def historical_stress(
    portfolio: Portfolio, scenarios: Mapping[int, Sequence[HistoricalScenario]]
) -> dict[str, float]:
    """P&L in USD of the portfolio in every scenario; the same name happens to all underlyings at once.

    Raises DataError for an underlying of the portfolio without scenarios, or lists that do not name the same ones.
    """
    lists = {u: tuple(rows) for u, rows in scenarios.items()}
    names = {tuple(row.name for row in rows) for rows in lists.values()}
    if len(names) != 1 or not next(iter(names)):
        raise DataError("every underlying needs the same named scenarios in the same order")
    moves = {
        u: FactorMoves(
            np.array([row.spot_move for row in rows]), np.array([row.vol_move for row in rows])
        )
        for u, rows in lists.items()
    }
    return dict(zip(names.pop(), portfolio_profits(portfolio, moves).tolist(), strict=True))
