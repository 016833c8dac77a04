"""Variance estimators over candles that may have gaps. All annualised on 365 days unless said otherwise.

A candle's own range counts with the time that the candle covers; a return counts with the time that really
passed, a gap included. So nothing is filled in and none is biased by a gap for a diffusion. Limits: constant prices
give exactly 0; ranges from few trades are too narrow (Rogers, Zhou 1998), so range estimators read low on thin
markets; bipower variance and the jump share use neighbouring candles without a gap between them only.
"""

from __future__ import annotations

import numpy as np

from keeper.errors import DataError
from keeper.units import SECONDS_PER_YEAR
from keeper.volatility.bars import Bars, Floats

BIPOWER_SCALE = np.pi / 2.0


def close_to_close(bars: Bars) -> float:
    """Sum of squared log returns over elapsed time, mean taken as zero. Needs two candles."""
    _need(bars, 2)
    return _yearly(float(np.sum(np.diff(np.log(bars.close)) ** 2)), _elapsed(bars))


def parkinson(bars: Bars) -> float:
    """Parkinson (1980): ln(high/low)^2 / (4 ln 2). Assumes no drift."""
    terms = np.log(bars.high / bars.low) ** 2 / (4.0 * np.log(2.0))
    return _yearly(float(terms.sum()), _covered(bars))


def garman_klass(bars: Bars) -> float:
    """Garman and Klass (1980): half the squared range less (2 ln 2 - 1) squared bodies. Assumes no drift."""
    return _yearly(float(garman_klass_terms(bars).sum()), _covered(bars))


def garman_klass_terms(bars: Bars) -> Floats:
    """Variance of each candle over its own length; never negative because the range holds the body."""
    spread, body = np.log(bars.high / bars.low), np.log(bars.close / bars.open)
    return np.asarray(0.5 * spread**2 - (2.0 * np.log(2.0) - 1.0) * body**2)


def rogers_satchell(bars: Bars) -> float:
    """Rogers and Satchell (1991): unbiased whatever the drift."""
    return _yearly(float(_rogers_satchell_terms(bars).sum()), _covered(bars))


def yang_zhang(bars: Bars) -> float:
    """Yang and Zhang (2000): opening jumps + weighted open-to-close variance + Rogers-Satchell.

    Opening jumps are taken between neighbours without a gap only. Needs three such pairs.
    """
    joined = neighbours(bars)
    if int(joined.sum()) < 3:
        raise DataError(
            f"{int(joined.sum())} pairs of neighbouring candles, 3 needed: more history"
        )
    jumps = np.log(bars.open[1:] / bars.close[:-1])[joined]
    bodies = np.log(bars.close / bars.open)[1:][joined]
    count = jumps.size
    weight = 0.34 / (1.34 + (count + 1) / (count - 1))
    inside = _rogers_satchell_terms(bars)[1:][joined].mean()
    per_bar = jumps.var(ddof=1) + weight * bodies.var(ddof=1) + (1.0 - weight) * inside
    return _yearly(float(per_bar), bars.step_s)


def realised_variance(bars: Bars) -> float:
    """Sum of squared log returns, per whole window (not annualised), gaps spanned by their return."""
    _need(bars, 2)
    return float(np.sum(np.diff(np.log(bars.close)) ** 2))


def bipower_variance(bars: Bars) -> float:
    """Barndorff-Nielsen and Shephard (2004), annualised: pi/2 times the mean product of neighbours' moves."""
    return _yearly(float(_bipower_terms(bars).mean()), bars.step_s)


def jump_share(bars: Bars) -> float:
    """Part of the realised variance that jumps made, 0..1: 1 - bipower/realised, not below 0.

    Both over the same neighbouring returns. DataError where the price never moved: the share has no meaning.
    """
    terms = _bipower_terms(bars)
    joined = neighbours(bars)
    squares = np.diff(np.log(bars.close))[joined] ** 2
    if not squares.any():
        raise DataError("the price never moved: the jump share has no meaning on constant prices")
    return float(min(1.0, max(0.0, 1.0 - terms.mean() / squares.mean())))


def neighbours(bars: Bars) -> np.ndarray:
    """For each candle but the first: whether it opens when the one before closes."""
    return np.asarray(np.diff(bars.open_s) == bars.step_s)


def _bipower_terms(bars: Bars) -> Floats:
    joined = neighbours(bars)
    moves = np.abs(np.diff(np.log(bars.close)))
    both = joined[1:] & joined[:-1]
    if not both.any():
        raise DataError("no three candles without a gap between them: give more history")
    return np.asarray((BIPOWER_SCALE * moves[1:] * moves[:-1])[both])


def _rogers_satchell_terms(bars: Bars) -> Floats:
    up, down = np.log(bars.high / bars.open), np.log(bars.low / bars.open)
    body = np.log(bars.close / bars.open)
    return np.asarray(up * (up - body) + down * (down - body))


def _need(bars: Bars, count: int) -> None:
    if len(bars) < count:
        raise DataError(f"{len(bars)} candles, {count} needed: give more history")


def _covered(bars: Bars) -> float:
    _need(bars, 1)
    return float(len(bars) * bars.step_s)


def _elapsed(bars: Bars) -> float:
    return float(bars.open_s[-1] - bars.open_s[0])


def _yearly(total: float, seconds: float) -> float:
    return total / seconds * SECONDS_PER_YEAR
