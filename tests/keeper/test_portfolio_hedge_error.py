"""The hedge-error bound by simulation at 180 and 720 steps, and on a book's own path."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.portfolio.hedge_error import (
    at_the_money_hedge_error,
    path_hedge_error,
    read_hedge_error,
)
from keeper.simulation.hedge_problem import HedgingProblem, Leg
from keeper.simulation.hedge_simulator import interval_rule, simulate
from keeper.simulation.paths import lognormal_paths

SPOT, VOL, YEARS = 100.0, 0.8, 30 / 365


def problem(steps, strike=100.0):
    leg = (Leg(True, strike, -1.0),)
    return HedgingProblem(leg, SPOT, VOL, YEARS, steps, 0.0, 0.0, 1.0, free_unwind=True)


def vega(strike=100.0):
    d1 = math.log(SPOT / strike) / (VOL * math.sqrt(YEARS)) + VOL * math.sqrt(YEARS) / 2
    return SPOT * math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi) * math.sqrt(YEARS)


@pytest.mark.parametrize("steps", [180, 720])
def test_hedging_at_equal_steps_leaves_the_bound(steps):
    """ANCHORS' free check of any simulator: within 1 % there, 3 % asked here."""
    setting = problem(steps)
    paths = lognormal_paths(SPOT, VOL, YEARS, steps, 20_000, seed=4)
    made = simulate(setting, interval_rule(setting, 1), paths).profit
    bound = at_the_money_hedge_error(vega(), VOL, steps)
    assert made.std() == pytest.approx(bound, rel=0.03)
    assert made.mean() == pytest.approx(0.0, abs=4 * bound / math.sqrt(20_000))


@pytest.mark.parametrize("strike", [85.0, 100.0, 115.0])
def test_the_path_form_holds_away_from_the_money_too(strike):
    """The root mean square of the paths' own bounds is the standard deviation of what hedging left."""
    steps = 360
    setting = problem(steps, strike)
    paths = lognormal_paths(SPOT, VOL, YEARS, steps, 3_000, seed=9)
    made = simulate(setting, interval_rule(setting, 1), paths).profit
    gamma = np.array(
        [
            setting.book.delta_gamma(paths[k], VOL * math.sqrt(setting.years_left(k)))[1]
            for k in range(steps)
        ]
    )
    bounds = [
        path_hedge_error(gamma[:, j], paths[:-1, j], VOL, setting.step_years) for j in range(3_000)
    ]
    assert made.std() == pytest.approx(math.sqrt(np.mean(np.square(bounds))), rel=0.06)
    if strike == 100.0:
        stated = at_the_money_hedge_error(vega(), VOL, steps)
        assert math.sqrt(np.mean(np.square(bounds))) == pytest.approx(stated, rel=0.04)


def test_a_desk_that_hedges_less_often_reads_above_one():
    """The same gamma and daily looks, hedged at every fourth only: twice the error that its looks would leave."""
    rng = np.random.default_rng(3)
    gamma, dt, looks = 0.01, 1 / 365, 8_000
    sd = VOL * math.sqrt(dt)
    returns = sd * rng.standard_normal(looks)
    each = 0.5 * gamma * SPOT**2 * (returns**2 - sd**2)
    assert read_hedge_error(each, gamma, SPOT, VOL, dt).ratio == pytest.approx(1.0, rel=0.05)
    grouped = returns.reshape(-1, 4).sum(axis=1)
    lumps = 0.5 * gamma * SPOT**2 * (grouped**2 - 4 * sd**2)
    seldom = np.zeros(looks)
    seldom[3::4] = lumps
    assert read_hedge_error(seldom, gamma, SPOT, VOL, dt).ratio == pytest.approx(2.0, rel=0.06)
    whole = path_hedge_error(np.full(looks // 4, gamma), SPOT, VOL, 4 * dt)
    assert math.sqrt(np.sum(lumps**2)) == pytest.approx(whole, rel=0.06)


@given(st.floats(-1e6, 1e6), st.floats(0.0, 5.0), st.integers(1, 10_000))
def test_four_times_the_hedges_halve_it(v, sigma, n):
    one = at_the_money_hedge_error(v, sigma, n)
    assert at_the_money_hedge_error(v, sigma, 4 * n) == pytest.approx(one / 2)
    assert at_the_money_hedge_error(-v, sigma, n) == one >= 0.0


def test_no_gamma_explains_no_error():
    assert read_hedge_error([0.0, 0.0], 0.0, SPOT, VOL, 0.1).ratio == 0.0
    assert read_hedge_error([1.0, 0.0], 0.0, SPOT, VOL, 0.1).ratio == math.inf


@pytest.mark.parametrize(
    "call",
    [
        lambda: at_the_money_hedge_error(math.nan, 0.5, 10),
        lambda: at_the_money_hedge_error(1.0, -0.5, 10),
        lambda: at_the_money_hedge_error(1.0, 0.5, 0),
        lambda: path_hedge_error([], SPOT, VOL, 0.1),
        lambda: path_hedge_error(0.1, SPOT, VOL, 0.1),
        lambda: path_hedge_error([0.1, 0.2], [SPOT], VOL, 0.1),
        lambda: path_hedge_error([0.1, math.inf], SPOT, VOL, 0.1),
        lambda: path_hedge_error([0.1], 0.0, VOL, 0.1),
        lambda: path_hedge_error([0.1], SPOT, VOL, -0.1),
        lambda: read_hedge_error([math.nan], 0.1, SPOT, VOL, 0.1),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(PricingError):
        call()
