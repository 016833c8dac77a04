"""Gas, funding and depth as columns: by hand, no look-ahead, age, bad input."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from keeper.errors import DataError
from keeper.volatility.market_features import illiquidity, known_at_end, premium
from keeper.volatility.panel import build_panel
from tests.keeper.volatility_world import DAY, HOUR, START, candles, without

DAYS = 12


@pytest.fixture(scope="module")
def bars():
    return candles(np.full(24 * DAYS, 0.6), inner=4)


@pytest.fixture(scope="module")
def panel(bars):
    return build_panel(bars)


def test_a_value_counts_from_when_it_is_known(panel):
    ends = START + DAY * np.arange(1, DAYS + 1)
    assert np.array_equal(known_at_end(panel, ends, np.arange(DAYS)), np.arange(DAYS))
    late = known_at_end(panel, ends + 1, np.arange(DAYS))
    assert math.isnan(late[0])
    assert np.array_equal(late[1:], np.arange(DAYS - 1))


def test_what_is_known_later_changes_nothing_before(panel):
    dice = np.random.default_rng(3)
    times = START + np.sort(dice.integers(0, DAY * DAYS, 200)) + np.arange(200)
    values = dice.standard_normal(200)
    whole = known_at_end(panel, times, values)
    for row in range(DAYS):
        altered = np.where(times > panel.start_s[row] + DAY, 99.0, values)
        again = known_at_end(panel, times, altered)
        assert np.array_equal(again[: row + 1], whole[: row + 1], equal_nan=True)


def test_an_old_value_is_none(panel):
    known = known_at_end(panel, [START + DAY], [5.0])
    assert known[:3].tolist() == [5.0] * 3
    assert np.isnan(known[3:]).all()
    assert np.isfinite(known_at_end(panel, [START + DAY], [5.0], max_age_s=1e9)).all()
    skipped = known_at_end(panel, [START + DAY, START + 2 * DAY], [5.0, math.nan])
    assert skipped[1] == 5.0


def test_illiquidity_by_hand(bars, panel):
    volume = np.random.default_rng(5).uniform(1e5, 1e6, len(bars))
    volume[30:40] = 0.0
    found = illiquidity(panel, bars, volume)
    for row in (0, 1, 7):
        day = slice(24 * row, 24 * row + 24)
        traded = volume[day] > 0
        moved = np.abs(np.log(bars.close[day] / bars.open[day]))[traded]
        assert found[row] == pytest.approx(math.log((moved / volume[day][traded]).mean()))
    thin = illiquidity(panel, bars, volume / 10.0)
    assert thin - found == pytest.approx(np.full(DAYS, math.log(10.0)))
    assert np.isnan(illiquidity(panel, bars, np.zeros(len(bars)))).all()


def test_premium_by_hand_and_over_shared_candles_only(bars, panel):
    dear = replace(bars, close=bars.close * np.exp(1e-4 * (np.arange(len(bars)) // 24)))
    assert premium(panel, bars, dear) == pytest.approx(1e-4 * np.arange(DAYS), abs=1e-15)
    shown = without(dear, np.arange(len(bars)) >= 36)
    found = premium(panel, bars, shown)
    assert math.isnan(found[0])
    assert found[1:] == pytest.approx(1e-4 * np.arange(1, DAYS), abs=1e-15)
    later = replace(shown, open_s=shown.open_s + HOUR * 24 * DAYS)
    assert np.isnan(premium(panel, bars, later)).all()


def test_bad_input_is_refused(bars, panel):
    for times, values in (
        ([1.0, 2.0], [1.0]),
        ([2.0, 1.0], [1.0, 1.0]),
        ([1.0, 1.0], [1.0, 1.0]),
        ([math.nan], [1.0]),
        ([1.0], [math.inf]),
    ):
        with pytest.raises(DataError):
            known_at_end(panel, times, values)
    for volume in (np.ones(3), np.full(len(bars), -1.0), np.full(len(bars), math.nan)):
        with pytest.raises(DataError):
            illiquidity(panel, bars, volume)
    assert np.isnan(known_at_end(panel, [], [])).all()
