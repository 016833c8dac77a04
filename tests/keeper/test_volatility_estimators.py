"""Variance estimators: known values, unbiased on a diffusion with gaps, drift, jumps, and every kind of bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keeper.errors import DataError
from keeper.volatility import estimators as est
from keeper.volatility.bars import checked_bars
from tests.keeper.volatility_world import HOUR, START, YEAR_HOURS, candles, without

ALL = (
    est.close_to_close,
    est.parkinson,
    est.garman_klass,
    est.rogers_satchell,
    est.yang_zhang,
    est.bipower_variance,
)
RANGES = (est.parkinson, est.garman_klass, est.rogers_satchell)


def one(open_, high, low, close):
    return checked_bars([START], [open_], [high], [low], [close], HOUR)


def test_one_candle_by_hand():
    """Open 100, high 110, low 95, close 105."""
    bar = one(100.0, 110.0, 95.0, 105.0)
    high, low, close = (math.log(x / 100.0) for x in (110.0, 95.0, 105.0))
    year = YEAR_HOURS
    assert est.parkinson(bar) == pytest.approx((high - low) ** 2 / (4 * math.log(2)) * year)
    wanted = 0.5 * (high - low) ** 2 - (2 * math.log(2) - 1) * close**2
    assert est.garman_klass(bar) == pytest.approx(wanted * year)
    wanted = high * (high - close) + low * (low - close)
    assert est.rogers_satchell(bar) == pytest.approx(wanted * year)


def test_alternating_closes_by_hand():
    """Hourly moves of +-1 %: every estimator from closes gives 1e-4 an hour, bipower times pi/2."""
    prices = 100.0 * np.exp(0.01 * (np.arange(50) % 2))
    opens = np.r_[prices[0], prices[:-1]]
    bars = checked_bars(
        START + HOUR * np.arange(50), opens, np.maximum(opens, prices), np.minimum(opens, prices), prices, HOUR
    )  # fmt: skip
    assert est.close_to_close(bars) == pytest.approx(1e-4 * YEAR_HOURS)
    assert est.realised_variance(bars) == pytest.approx(49e-4)
    assert est.bipower_variance(bars) == pytest.approx(math.pi / 2 * 1e-4 * YEAR_HOURS)
    assert est.jump_share(bars) == 0.0


@pytest.mark.parametrize("estimate", ALL, ids=lambda f: f.__name__)
@pytest.mark.parametrize("gapped", [False, True])
def test_unbiased_on_a_diffusion(estimate, gapped):
    """60 % a year; 400 steps inside a candle, ranges read a little low for the finite steps."""
    bars = candles(np.full(6_000, 0.6), seed=3, inner=400)
    if gapped:
        bars = without(bars, np.random.default_rng(5).random(len(bars)) > 0.2)
    low = 0.06 if estimate in (*RANGES, est.yang_zhang) else 0.0
    noise = 0.08 if gapped else 0.05
    assert estimate(bars) == pytest.approx(0.36 * (1 - low / 2), rel=noise + low / 2)


def test_a_gap_counts_with_its_time():
    """Twelve hours of moves in one return over twelve hours: as much as hour by hour, in the mean."""
    bars = candles(np.full(24_000, 0.6), seed=4, inner=2)
    sparse = without(bars, np.arange(len(bars)) % 12 == 0)
    assert est.close_to_close(sparse) == pytest.approx(0.36, rel=0.08)


def test_ranges_say_more_than_closes():
    """The spread of daily Garman-Klass estimates is well below that of close-to-close ones."""
    days = [candles(np.full(24, 0.6), seed=s, inner=100) for s in range(150)]
    closes, ranges = (
        np.array([f(d) for d in days]) for f in (est.close_to_close, est.garman_klass)
    )
    assert ranges.std() < 0.65 * closes.std()


def test_drift_moves_parkinson_but_not_rogers_satchell():
    still, moving = (candles(np.full(3_000, 0.6), 9, 200, drift) for drift in (0.0, 0.01))
    assert est.rogers_satchell(moving) == pytest.approx(est.rogers_satchell(still), rel=0.08)
    assert est.parkinson(moving) > 1.4 * est.parkinson(still)


def test_a_jump_is_seen_as_one():
    bars = candles(np.full(200, 0.5), seed=2)
    jump = np.where(np.arange(200) >= 100, 1.15, 1.0)
    jumped = checked_bars(
        bars.open_s, bars.open * jump, bars.high * jump, bars.low * jump, bars.close * jump, HOUR
    )
    made_by_jump = math.log(1.15) ** 2 / est.realised_variance(jumped)
    assert est.jump_share(bars) < 0.2
    assert est.jump_share(jumped) == pytest.approx(made_by_jump, abs=0.15)


def test_constant_prices_are_exactly_zero():
    bars = checked_bars(START + HOUR * np.arange(10), *[np.full(10, 5.0)] * 4, HOUR)
    assert [f(bars) for f in ALL] == [0.0] * len(ALL)
    with pytest.raises(DataError, match="never moved"):
        est.jump_share(bars)


def test_too_few_candles_say_so():
    bar = one(100.0, 110.0, 95.0, 105.0)
    for estimate in (est.close_to_close, est.yang_zhang, est.bipower_variance, est.jump_share):
        with pytest.raises(DataError, match="more history"):
            estimate(bar)
    lonely = without(candles(np.full(30, 0.5)), np.arange(30) % 2 == 0)
    with pytest.raises(DataError, match="gap"):
        est.bipower_variance(lonely)


GOOD = {
    "open_s": [0.0, 3600.0, 7200.0],
    "open_": [100.0, 101.0, 102.0],
    "high": [103.0, 104.0, 105.0],
    "low": [99.0, 98.0, 97.0],
    "close": [101.0, 102.0, 103.0],
    "step_s": HOUR,
}
BAD = [
    ("close", [101.0, math.nan, 103.0], "row 1: close nan"),
    ("open_", [100.0, math.inf, 102.0], "row 1: open inf"),
    ("low", [99.0, 98.0, -97.0], "row 2: low -97"),
    ("low", [0.0, 98.0, 97.0], "row 0: low 0"),
    ("high", [103.0, 101.5, 105.0], "row 1: high is below"),
    ("low", [99.0, 101.5, 97.0], "row 1: low is above"),
    ("open_s", [0.0, 3600.0, 3600.0], "row 2: opens less than"),
    ("open_s", [0.0, 7200.0, 3600.0], "row 2: opens less than"),
    ("open_s", [0.0, 1800.0, 7200.0], "row 1: opens less than"),
    ("open_s", [0.0, math.nan, 7200.0], "row 1: time nan"),
    ("close", [101.0, 102.0], "close has shape"),
    ("close", [[101.0, 102.0, 103.0]], "close has shape"),
    ("step_s", 0, "step_s must be positive"),
]


@pytest.mark.parametrize(("column", "value", "message"), BAD)
def test_bad_candles_are_named(column, value, message):
    checked_bars(**GOOD)
    with pytest.raises(DataError, match=message):
        checked_bars(**{**GOOD, column: value})


def test_no_candles_are_named():
    with pytest.raises(DataError, match="no candles"):
        checked_bars([], [], [], [], [], HOUR)
