"""Historical shocks measured from candles: on made-up ones whose answer is known, and on the market's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import DataError
from keeper.portfolio.book import Market
from keeper.portfolio.positions import Holdings, Portfolio
from keeper.portfolio.stress_history import (
    ETH_SCENARIOS,
    WINDOWS,
    HistoricalScenario,
    Window,
    historical_stress,
    measure,
)
from keeper.volatility.bars import checked_bars
from scripts.bench.volatility import DATA, load_asset, load_index
from tests.keeper.keeper_builders import FAR_S, NOW_S, leg, svi_slice

HOUR, DAY = 3_600, 86_400
START = 40 * DAY
SHOCK = Window("shock", START, START + 5 * DAY)


def candles(moves, calm=0.001, wild=0.0):
    """Hourly candles: `calm` steps up and down for 40 days, then `moves`, each an hour's factor."""
    steps = np.tile([1 + calm, 1 / (1 + calm)], 40 * 12)
    factors = np.r_[steps, moves, np.ones(5 * 24 - len(moves))]
    close = 100.0 * np.cumprod(factors)
    open_ = np.r_[100.0, close[:-1]]
    high, low = np.maximum(open_, close) * (1 + wild), np.minimum(open_, close) * (1 - wild)
    times = HOUR * np.arange(close.size)
    return checked_bars(times, open_, high, low, close, HOUR)


def test_the_worst_move_lies_within_the_horizon():
    """10 % down, a day of nothing, 20 % down: within a day 20 %, within three 28 %."""
    bars = candles([1.0, 0.9, *[1.0] * 30, 0.8])
    assert measure(SHOCK, bars).spot_move == pytest.approx(-0.2)
    assert measure(SHOCK, bars, 3 * DAY).spot_move == pytest.approx(-0.28)
    assert measure(SHOCK, bars, HOUR).spot_move == pytest.approx(-0.2)
    up = Window("rally", START, START + 5 * DAY, upwards=True)
    rally = candles([1.0, 1.1, 1.1])
    assert measure(up, rally).spot_move == pytest.approx(0.21)
    assert measure(SHOCK, rally).spot_move == 0.0


def test_a_wick_counts_as_reached():
    bars = candles([1.0, 0.9], wild=0.05)
    assert measure(SHOCK, bars).spot_move == pytest.approx(0.9 * 0.95 - 1)


@given(st.lists(st.floats(0.8, 1.25), min_size=2, max_size=60), st.integers(1, 40), st.booleans())
def test_the_move_is_that_of_every_pair_looked_at(moves, hours, upwards):
    bars = candles(moves)
    window = Window("any", START, START + 5 * DAY, upwards)
    found = measure(window, bars, hours * HOUR).spot_move
    inside = bars.window(START, START + 5 * DAY)
    extreme = inside.high if upwards else inside.low
    pairs = [
        extreme[j] / inside.close[i] - 1
        for i in range(len(inside))
        for j in range(i + 1, min(i + hours, len(inside) - 1) + 1)
    ]
    assert found == pytest.approx((max if upwards else min)([0.0, *pairs]))


def test_volatility_is_the_indexs_where_known_and_realised_else():
    bars = candles([0.9, 1.1, 0.9, 1.1])
    times = np.arange(35, 46) * DAY
    index = np.full(times.size, 0.5)
    index[7:] = 0.8
    assert measure(SHOCK, bars, DAY, times, index).vol_move == pytest.approx(0.6)
    assert measure(SHOCK, bars, DAY, times, np.linspace(0.9, 0.3, 11)).vol_move == 0.0
    fallback = measure(SHOCK, bars, DAY, times[:2], index[:2])
    assert fallback == measure(SHOCK, bars)
    decay = 0.94 ** (1 / 24)
    calm, big = math.log(1.001) ** 2, [math.log(0.9) ** 2, math.log(1.1) ** 2]
    variance = calm
    for square in big * 2:
        variance = decay * variance + (1 - decay) * square
    assert fallback.vol_move == pytest.approx(math.sqrt(variance / calm) - 1, rel=1e-6)


def test_the_future_beyond_the_window_changes_nothing():
    bars = candles([0.9, 1.1, 0.7])
    short = Window("short", START, START + 2 * HOUR)
    assert measure(short, bars).spot_move == 0.0
    assert measure(Window("one", START, START + 3 * HOUR), bars).spot_move == pytest.approx(-0.3)


def test_stress_of_a_portfolio_by_name():
    market = Market(NOW_S, 100.0, {FAR_S: svi_slice()}, {})
    held = Holdings(market, (leg(100.0, -1.0),), base_eth=2.0)
    linear = Portfolio(0.0, {1: Holdings(market, base_eth=2.0)})
    scenarios = {1: ETH_SCENARIOS}
    made = historical_stress(linear, scenarios)
    assert list(made) == [row.name for row in ETH_SCENARIOS]
    for row in ETH_SCENARIOS:
        assert made[row.name] == pytest.approx(200.0 * row.spot_move)
    options = historical_stress(Portfolio(0.0, {1: held}), scenarios)
    assert options["New Year rally, January 2021"] < made["New Year rally, January 2021"]
    quiet = [HistoricalScenario("jump of volatility", 0.0, 0.5)]
    assert historical_stress(Portfolio(0.0, {1: held}), {1: quiet})["jump of volatility"] < 0.0


needs_data = pytest.mark.skipif(
    not (DATA / "eth_usdt_spot_1h.parquet").exists(),
    reason="no market data: set GAMMADESK_DATA to its folder",
)


@needs_data
def test_the_library_is_what_the_market_did():
    bars, index = load_asset("eth")[0], load_index("eth")
    for window, stated in zip(WINDOWS, ETH_SCENARIOS, strict=True):
        found = measure(window, bars, DAY, *index)
        assert found.name == stated.name
        assert found.spot_move == pytest.approx(stated.spot_move, abs=6e-4)
        assert found.vol_move == pytest.approx(stated.vol_move, abs=6e-4)


FLAT = candles([1.0], calm=0.0)
INDEX = np.arange(35, 46) * DAY


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: measure(SHOCK, FLAT, 0), "positive horizon"),
        (lambda: measure(Window("back", 5, 5), FLAT), "end after its start"),
        (lambda: measure(Window("far", START * 9, START * 9 + DAY), FLAT), "does not cover"),
        (lambda: measure(Window("early", DAY, 2 * DAY), FLAT), "does not cover"),
        (lambda: measure(SHOCK, FLAT), "stand still"),
        (lambda: measure(SHOCK, FLAT, DAY, INDEX, INDEX[:3]), "one level a time"),
        (lambda: measure(SHOCK, FLAT, DAY, INDEX, np.full(11, math.nan)), "not a positive"),
        (lambda: HistoricalScenario("x", math.nan, 0.0), "spot move nan"),
        (lambda: HistoricalScenario("x", 0.0, -1.0), "volatility move"),
        (lambda: historical_stress(Portfolio(), {}), "same named"),
        (lambda: historical_stress(Portfolio(), {1: ()}), "same named"),
        (lambda: historical_stress(Portfolio(), {1: ETH_SCENARIOS, 2: ETH_SCENARIOS[:2]}), "same"),
    ],
)
def test_bad_input_is_named(call, names):
    with pytest.raises(DataError, match=names):
        call()
