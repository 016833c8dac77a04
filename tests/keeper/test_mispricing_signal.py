"""Rich or cheap by expiry: signs, bounds, and that nothing but multipliers comes out; forecasts with their errors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import DataError, PricingError
from keeper.market.vol_outlook import outlook
from keeper.pricing.vol_signal import SideSignal, SignalRules, VolForecast, side_signals
from keeper.volatility.baselines import Ewma
from keeper.volatility.panel import DAY_S, Panel
from tests.keeper.surface_world import NOW_S, TRUTH

RULES = SignalRules()
EXPIRY = TRUTH[3].expiry_s
IMPLIED = 0.6


def signal(forecast: float, error: float = 0.1, rules: SignalRules = RULES) -> SideSignal:
    (one,) = side_signals(TRUTH, {EXPIRY: VolForecast(forecast, error)}, rules)
    return one


def test_a_fair_price_moves_nothing():
    """Implied above the forecast by the usual premium is what sellers are always paid."""
    one = signal(IMPLIED * math.exp(-RULES.usual_premium))
    assert one.deviations == pytest.approx(0.0, abs=1e-9)
    for value in (
        one.spread_desk_buys,
        one.spread_desk_sells,
        one.limit_desk_buys,
        one.limit_desk_sells,
    ):
        assert value == pytest.approx(1.0, abs=1e-9)


def test_rich_volatility_is_sold_and_cheap_volatility_bought():
    rich, cheap = signal(0.4), signal(0.9)
    assert rich.deviations > 2.0 > -2.0 > cheap.deviations
    assert (rich.spread_desk_sells, rich.spread_desk_buys) == (
        RULES.least_spread,
        RULES.most_spread,
    )
    assert (cheap.spread_desk_buys, cheap.spread_desk_sells) == (
        RULES.least_spread,
        RULES.most_spread,
    )
    assert (rich.limit_desk_buys, rich.limit_desk_sells) == (RULES.least_limit, RULES.most_limit)
    assert (cheap.limit_desk_sells, cheap.limit_desk_buys) == (RULES.least_limit, RULES.most_limit)
    assert rich.implied_vol == pytest.approx(IMPLIED, abs=1e-9)


def test_uncertainty_weakens_the_signal():
    sure, unsure = signal(0.5, 0.1), signal(0.5, 0.4)
    assert sure.richness == unsure.richness == pytest.approx(math.log(0.6 / 0.5) - 0.05)
    assert sure.deviations > 2 * unsure.deviations
    assert sure.spread_desk_sells < unsure.spread_desk_sells < 1.0
    assert unsure.error == pytest.approx(math.hypot(0.4, 0.01))


@given(
    forecast=st.floats(1e-3, 20.0),
    error=st.floats(1e-6, 5.0),
    bounds=st.tuples(
        st.floats(0.1, 1.0), st.floats(1.0, 5.0), st.floats(0.0, 1.0), st.floats(1.0, 3.0)
    ),
)
def test_no_forecast_leaves_the_bounds(forecast, error, bounds):
    rules = replace(
        RULES,
        least_spread=bounds[0],
        most_spread=bounds[1],
        least_limit=bounds[2],
        most_limit=bounds[3],
    )
    one = signal(forecast, error, rules)
    for value in (one.spread_desk_buys, one.spread_desk_sells):
        assert bounds[0] - 1e-12 <= value <= bounds[1] + 1e-12
    for value in (one.limit_desk_buys, one.limit_desk_sells):
        assert bounds[2] - 1e-12 <= value <= bounds[3] + 1e-12
    assert (one.spread_desk_buys - 1.0) * (one.spread_desk_sells - 1.0) <= 0.0


@given(st.floats(0.1, 2.0), st.floats(0.1, 2.0))
def test_the_richer_the_wider_the_bid_and_the_tighter_the_ask(first, second):
    low, high = sorted((first, second))
    rich, cheap = signal(low), signal(high)
    assert rich.spread_desk_buys >= cheap.spread_desk_buys
    assert rich.spread_desk_sells <= cheap.spread_desk_sells
    assert rich.limit_desk_sells >= cheap.limit_desk_sells


def test_only_expiries_with_a_forecast_have_a_signal():
    forecasts = {s.expiry_s: VolForecast(0.5, 0.1) for s in TRUTH[1:3]} | {1: VolForecast(0.5, 0.1)}
    assert [s.expiry_s for s in side_signals(TRUTH, forecasts)] == [s.expiry_s for s in TRUTH[1:3]]


@pytest.mark.parametrize("bad", [{"vol": 0.0}, {"vol": math.nan}, {"log_error": 0.0}])
def test_a_forecast_that_is_none_is_refused(bad):
    with pytest.raises(PricingError):
        VolForecast(**({"vol": 0.5, "log_error": 0.1} | bad))


@pytest.mark.parametrize(
    "bad", [{"least_spread": 0.0}, {"most_spread": 0.9}, {"least_limit": 1.1}, {"full_at": 0.0}]
)
def test_bounds_that_do_not_hold_one_are_refused(bad):
    with pytest.raises(PricingError):
        SignalRules(**bad)


def panel(days: int = 700, vol: float = 0.6, spread: float = 0.5) -> Panel:
    """Daily variances around a constant level, log-normal with a known deviation; the last day ends now."""
    dice = np.random.default_rng(2)
    daily = vol**2 / 365 * np.exp(spread * dice.standard_normal(days) - spread**2 / 2)
    start = NOW_S - DAY_S * np.arange(days, 0, -1)
    return Panel(DAY_S, start, daily, daily, daily, daily, np.zeros(days), np.full(days, np.nan))


def test_the_outlook_knows_its_level_and_its_error():
    """Independent log-normal days: a one-day forecast of the mean is wrong by half of the days' own deviation."""
    found = outlook(panel(), [NOW_S + DAY_S, NOW_S + 30 * DAY_S], NOW_S, Ewma(0.99))
    near, far = (found[NOW_S + d * DAY_S] for d in (1, 30))
    assert near.vol == pytest.approx(0.6, rel=0.1)
    assert near.log_error == pytest.approx(0.25, rel=0.2)
    assert far.log_error < near.log_error / 2


def test_horizons_that_the_history_cannot_judge_have_no_forecast():
    expiries = [NOW_S - DAY_S, NOW_S + DAY_S, NOW_S + 36 * DAY_S]
    assert list(outlook(panel(), expiries, NOW_S, Ewma(0.99))) == [NOW_S + DAY_S]


def test_a_history_that_ended_long_ago_is_refused():
    with pytest.raises(DataError, match="the history ends"):
        outlook(panel(), [NOW_S + 9 * DAY_S], NOW_S + 3 * DAY_S, Ewma(0.99))
    with pytest.raises(DataError, match="the history ends"):
        outlook(panel(), [NOW_S + 9 * DAY_S], NOW_S - DAY_S, Ewma(0.99))
