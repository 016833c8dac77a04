"""Trailing realised volatility: its value, its gaps, and that it never sees the future."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import DataError
from keeper.volatility.realised import trailing_realised_vol

HOUR = 3_600
START = 1_584_000_000


def path(hours, vol=0.8, seed=1):
    steps = np.random.default_rng(seed).standard_normal(hours) * vol * math.sqrt(1 / 8760)
    return START + HOUR * np.arange(hours + 1), 200.0 * np.exp(np.cumsum(np.r_[0.0, steps]))


def test_constant_step_is_known_exactly():
    """An hourly log return of +-1 % is 0.01 * sqrt(8760) a year."""
    closes = 200.0 * np.exp(0.01 * (np.arange(49) % 2))
    times = START + HOUR * np.arange(49)
    vol = trailing_realised_vol(times, closes, int(times[-1]), 24 * HOUR)
    assert vol == pytest.approx(0.01 * math.sqrt(8760), rel=1e-12)


def test_recovers_the_volatility_of_a_diffusion():
    times, closes = path(200_000)
    vol = trailing_realised_vol(times, closes, int(times[-1]), int(times[-1] - times[0]) + 1)
    assert vol == pytest.approx(0.8, rel=0.01)


def test_gaps_do_not_bias_it():
    """A third of the candles lost at random: the return over a gap comes with its true length."""
    times, closes = path(200_000)
    kept = np.random.default_rng(2).random(times.size) > 1 / 3
    vol = trailing_realised_vol(times[kept], closes[kept], int(times[-1]), 10**12)
    assert vol == pytest.approx(0.8, rel=0.01)


@given(st.integers(30, 300), st.integers(0, 2**31))
def test_the_future_changes_nothing(cut, seed):
    times, closes = path(400, seed=3)
    as_of = int(times[cut])
    altered = closes.copy()
    altered[cut + 1 :] *= np.random.default_rng(seed).uniform(0.5, 2.0, altered.size - cut - 1)
    seen = trailing_realised_vol(times, closes, as_of, 24 * HOUR)
    assert trailing_realised_vol(times, altered, as_of, 24 * HOUR) == seen
    assert trailing_realised_vol(times[: cut + 1], closes[: cut + 1], as_of, 24 * HOUR) == seen


def test_constant_prices_have_no_volatility():
    times = START + HOUR * np.arange(30)
    assert trailing_realised_vol(times, np.full(30, 200.0), int(times[-1]), 24 * HOUR) == 0.0


TIMES, CLOSES = path(40)


def changed(array, row, value):
    copy = np.array(array, dtype=float)
    copy[row] = value
    return copy


@pytest.mark.parametrize(
    ("times", "closes", "says"),
    [
        ([], [], "only 0 returns"),
        (TIMES[:5], CLOSES[:5], "only 4 returns"),
        (TIMES, CLOSES[:-1], "as long as each other"),
        (np.ones((2, 2)), np.ones((2, 2)), "1-d"),
        (TIMES, changed(CLOSES, 7, math.nan), "row 7"),
        (TIMES, changed(CLOSES, 7, -200.0), "row 7"),
        (TIMES, changed(CLOSES, 7, 0.0), "row 7"),
        (changed(TIMES, 7, math.inf), CLOSES, "row 7"),
        (changed(TIMES, 7, TIMES[6]), CLOSES, "row 7: .*drop duplicates"),
        (TIMES[::-1], CLOSES, "row 1: .*sort"),
    ],
)
def test_bad_candles_are_told_by_row(times, closes, says):
    with pytest.raises(DataError, match=says):
        trailing_realised_vol(times, closes, START + 40 * HOUR, 100 * HOUR)


@pytest.mark.parametrize("arguments", [(0, 12), (-1, 12), (HOUR, 0)])
def test_bad_windows_are_refused(arguments):
    with pytest.raises(DataError, match="must be positive"):
        trailing_realised_vol(TIMES, CLOSES, START, *arguments)


def test_history_that_is_too_old_is_refused():
    with pytest.raises(DataError, match="only 0 returns"):
        trailing_realised_vol(TIMES, CLOSES, START + 10**7, 24 * HOUR)
