"""Band policies: decide() beside the simulator's rules, published formulas, scaling, and what they refuse."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.errors import ConfigError, PricingError
from keeper.models import Book, Costs, Forecast
from keeper.policies import build_policy
from keeper.policies.calibration import Desk, calibrate
from keeper.policies.gas_band_formula import BandSetting, sum_and_difference, widths
from keeper.policies.live_legs import LiveLegs
from keeper.policies.whalley_wilmott import whalley_wilmott_half_width
from keeper.portfolio.book import value_book
from keeper.simulation import hedge_simulator as sim
from keeper.simulation.hedge_problem import HedgingProblem
from keeper.simulation.option_book import Leg
from keeper.units import SECONDS_PER_YEAR
from tests.keeper.keeper_builders import FAR_S, NEAR_S, NOW_S, RULES, leg, snapshot, svi_slice

YEARS = (FAR_S - NOW_S) / SECONDS_PER_YEAR
VOL = 0.8
FLAT = svi_slice(a=VOL**2 * YEARS, b=0.0)
FORECAST = Forecast(VOL, 3_600)
COSTS = Costs(4.0, 1e-3)
BANDS = ("gas_band", "zakamouline", "whalley_wilmott")
RULE_OF = {
    "gas_band": sim.gas_band_rule,
    "zakamouline": sim.zakamouline_rule,
    "whalley_wilmott": sim.whalley_wilmott_rule,
}
SHORT = ((200.0, -10.0, True),)
STRANGLE = ((210.0, -10.0, True), (170.0, -5.0, False))
MIXED = ((190.0, -10.0, True), (220.0, 6.0, True), (150.0, 1.0, False))


def desk(legs, hedge, spot=190.0, band=1e9):
    """A snapshot of flat volatility with `hedge` ETH, and its book."""
    shot = snapshot(
        legs=tuple(leg(k, size, is_call=call) for k, size, call in legs),
        slices=(FLAT,),
        spot_usd=spot,
        base_eth=hedge,
        venues=(),
        rules=replace(RULES, band_eth=band),
    )
    return shot, value_book(shot)


def problem_of(legs, risk_aversion, spot=190.0, costs=COSTS):
    """The same desk for the simulator, at its first step."""
    notional = spot * sum(abs(size) for _, size, _ in legs)
    own = tuple(Leg(call, strike, size) for strike, size, call in legs)
    steps = round(YEARS * SECONDS_PER_YEAR / 3_600)
    return HedgingProblem(
        own, spot, VOL, YEARS, steps, costs.fixed_usd, costs.proportional, risk_aversion / notional
    )


@pytest.mark.parametrize("legs", [SHORT, STRANGLE, MIXED, ((200.0, 10.0, True),)])
@pytest.mark.parametrize("name", BANDS)
@settings(max_examples=20, deadline=None)
@given(spot=st.floats(120.0, 300.0), hedge=st.floats(-20.0, 20.0))
def test_decide_is_the_simulators_rule(name, legs, spot, hedge):
    """The one formula at floats and at arrays; the tick is the simulator's step."""
    problem = problem_of(legs, 150.0, spot)
    tick = {"tick_s": problem.step_years * SECONDS_PER_YEAR} if name == "gas_band" else {}
    policy = build_policy(name, {"risk_aversion": 150.0, **tick})
    plan = policy.decide(*desk(legs, hedge, spot), FORECAST, COSTS)
    bands = RULE_OF[name](problem)(0, np.array([spot]))
    after = float(bands.after(np.array([hedge]))[0])
    if min(abs(hedge - bands.lower[0]), abs(hedge - bands.upper[0])) > 1e-6:
        assert hedge + plan.trade_eth == pytest.approx(after, abs=1e-7)


@pytest.mark.parametrize("name", BANDS)
@given(hedge=st.floats(-30.0, 30.0))
@settings(max_examples=30, deadline=None)
def test_after_its_trade_it_rests(name, hedge):
    policy = build_policy(name)
    first = policy.decide(*desk(STRANGLE, hedge), FORECAST, COSTS)
    second = policy.decide(*desk(STRANGLE, hedge + first.trade_eth), FORECAST, COSTS)
    assert abs(second.trade_eth) < 1e-9


@given(hedge=st.floats(-30.0, 30.0), band=st.floats(0.0, 3.0), aversion=st.floats(1.0, 1e4))
@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("name", ["gas_band", "zakamouline"])
def test_the_contract_would_take_every_trade(name, hedge, band, aversion):
    """I-05: inside the contract's band, or nearer to 0 on the same side of it."""
    policy = build_policy(name, {"risk_aversion": aversion})
    shot, book = desk(SHORT, hedge, band=band)
    plan = policy.decide(shot, book, FORECAST, COSTS)
    before, after = book.delta_eth, book.delta_eth + plan.trade_eth
    assert plan.trade_eth == 0.0 or (
        abs(after) <= band + 1e-9 or (abs(after) < abs(before) and after * before > 0.0)
    )


def test_a_split_leg_is_the_leg():
    split = ((200.0, -4.0, True), (200.0, -6.0, True))
    plans = [
        build_policy("gas_band").decide(*desk(x, 0.0), FORECAST, COSTS) for x in (SHORT, split)
    ]
    assert plans[0].trade_eth == pytest.approx(plans[1].trade_eth, rel=1e-12)
    assert plans[0].trade_eth > 0.0


@given(st.floats(1e-6, 1e-1), st.floats(0.0, 50.0), st.floats(0.0, 0.02), st.floats(1e-5, 1.0))
def test_widths_are_the_least_of_what_they_minimise(gamma, fixed, fee, aversion):
    """Step 1 by brute force around it: no neighbour of (H, b) is cheaper."""
    spot = 100.0
    setting = BandSetting(0.8, 1.0, 0.0, fixed, fee, aversion)
    if fixed * 1e6 < 1e-3 or fee < 1e-5:
        fixed, fee = 0.02, 5e-4
        setting = setting._replace(fixed_cost=fixed, proportional=fee)
    s, d = sum_and_difference(gamma, spot, setting)

    def burden(s, d):
        risk = aversion / 24 * (s * s + d * d)
        return risk + gamma**2 * (fixed / (s * d) + fee * spot / s)

    least = burden(s, d)
    for up, across in ((1.01, 1.0), (0.99, 1.0), (1.0, 1.01), (1.0, 0.99)):
        assert burden(s * up, d * across) >= least * (1 - 1e-9)


def test_without_gas_it_is_whalley_wilmott_and_without_fee_the_fourth_root():
    setting = BandSetting(0.8, 10.0, 0.0, 0.0, 1e-3, 2.0)
    outer, inner = widths(0.02, 1.0, 100.0, setting)
    assert outer == inner == pytest.approx(whalley_wilmott_half_width(0.02, 100.0, 1e-3, 2.0))
    assert outer == pytest.approx((1.5 * 1e-3 / 2.0 * 100.0 * 0.02**2) ** (1 / 3), rel=1e-12)
    setting = setting._replace(fixed_cost=0.02, proportional=0.0)
    outer, inner = widths(0.02, 1.0, 100.0, setting)
    assert outer == pytest.approx((12 * 0.02 * 0.02**2 / 2.0) ** 0.25, rel=1e-9)
    assert inner == pytest.approx(0.0, abs=1e-6)


def test_gas_weighs_less_on_a_larger_desk():
    """Per notional: gas does not grow with size, so a large desk keeps closer to its centre."""
    small = Desk(2_000.0, 0.8, 30 * 86_400, 3_600, 20.0, 5e-4, 1e5, 200.0)
    large = replace(small, notional_usd=1e7)
    bands = [calibrate(x).outer_eth / x.notional_usd for x in (small, large)]
    assert bands[0] > 1.5 * bands[1]
    free = [calibrate(replace(x, gas_usd=0.0)).outer_eth / x.notional_usd for x in (small, large)]
    assert free[0] == pytest.approx(free[1], rel=1e-9)


@pytest.mark.parametrize(
    ("name", "more"), [("gas_usd", 200.0), ("fee", 3e-3), ("vol", 0.4), ("horizon_s", 5 * 86_400)]
)
def test_dearer_trades_and_more_gamma_widen_the_band(name, more):
    base = Desk(2_000.0, 0.8, 30 * 86_400, 3_600, 20.0, 5e-4, 1e6, 200.0)
    assert calibrate(replace(base, **{name: more})).outer_eth > calibrate(base).outer_eth


@pytest.mark.parametrize(
    "bad", [{"vol": 0.0}, {"gas_usd": -1.0}, {"fee": 1.0}, {"notional_usd": math.nan}]
)
def test_a_desk_that_is_none_is_refused(bad):
    with pytest.raises(ConfigError):
        replace(Desk(2_000.0, 0.8, 86_400, 60, 20.0, 5e-4, 1e6, 200.0), **bad)


def test_interval_trades_when_due_and_only_then():
    policy = build_policy("interval", {"interval_s": 7_200, "offset_s": 1_800, "window_s": 600})
    due = NOW_S - NOW_S % 7_200 + 1_800
    book = Book(0.0, 7.0, -3.0, 0.0, 0.0, 0.0)
    trades = [
        policy.decide(snapshot(timestamp_s=due + s), book, FORECAST, COSTS).trade_eth
        for s in (-1, 0, 599, 600)
    ]
    assert trades == [0.0, -4.0, -4.0, 0.0]


@pytest.mark.parametrize(
    ("vol", "band"), [(0.4, 8.0), (0.8, 4.0), (1.6, 2.0), (9.0, 2.0), (0.0, 4.0)]
)
def test_vol_scaled_keeps_money_at_risk(vol, band):
    policy = build_policy("vol_scaled", {"band_eth": 4.0})
    book = Book(0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    assert policy.decide(snapshot(), book, Forecast(vol, 60), COSTS).band_eth == pytest.approx(band)


def test_without_live_options_the_gas_band_clears_what_is_left():
    shot = snapshot(legs=())
    plan = build_policy("gas_band").decide(shot, Book(0, 0.0, 7.0, 0, 0, 0), FORECAST, COSTS)
    assert plan.trade_eth == -7.0
    plan = build_policy("gas_band").decide(shot, Book(0, 0.0, 4.0, 0, 0, 0), FORECAST, COSTS)
    assert plan.trade_eth == 0.0


def test_a_trade_under_the_least_clip_waits():
    policy = build_policy("whalley_wilmott", {"min_clip_eth": 100.0})
    plan = policy.decide(*desk(SHORT, 0.0), FORECAST, COSTS)
    assert plan.trade_eth == 0.0
    assert "clip" in plan.reason


def test_legs_are_the_books():
    """Two expiries, skew and carry: delta and gamma of the fast loop are those of portfolio.book."""
    shot = snapshot(
        legs=(leg(200.0, -3.0), leg(180.0, 2.0, is_call=False, expiry_s=NEAR_S)),
        slices=(svi_slice(carry=0.05), svi_slice(NEAR_S, committed_at_s=NOW_S - 900)),
    )
    greeks, book = LiveLegs.of(shot).greeks(), value_book(shot)
    assert greeks.delta == pytest.approx(book.option_delta_eth, rel=1e-12)
    assert greeks.gamma == pytest.approx(book.gamma_eth_per_usd, rel=1e-12)


@pytest.mark.parametrize("name", [*BANDS, "vol_scaled"])
@pytest.mark.parametrize(
    ("forecast", "costs", "gamma", "says"),
    [
        (Forecast(math.nan, 60), COSTS, 0.0, "volatility"),
        (Forecast(-0.1, 60), COSTS, 0.0, "volatility"),
        (FORECAST, Costs(-1.0, 0.0), 0.0, "costs"),
        (FORECAST, Costs(math.inf, 0.0), 0.0, "costs"),
        (FORECAST, Costs(0.0, 1.0), 0.0, "costs"),
        (FORECAST, COSTS, math.nan, "gamma"),
    ],
)
def test_numbers_that_make_no_band_are_named(name, forecast, costs, gamma, says):
    shot, book = desk(SHORT, 0.0)
    bad = replace(book, gamma_eth_per_usd=gamma) if says == "gamma" else book
    with pytest.raises(PricingError, match=says):
        build_policy(name).decide(shot, bad, forecast, costs)


@pytest.mark.parametrize(
    "changes", [{"spot_usd": math.nan}, {"slices": (replace(FLAT, a=math.nan),)}]
)
@pytest.mark.parametrize("name", ["gas_band", "zakamouline"])
def test_a_market_that_has_no_greeks_is_refused(name, changes):
    shot, book = desk(SHORT, 0.0)
    with pytest.raises(PricingError):
        build_policy(name).decide(replace(shot, **changes), book, FORECAST, COSTS)


def test_legs_are_the_simulators():
    """Slope of gamma and the unwind's delta, which portfolio.book does not know."""
    shot, _ = desk(MIXED, 0.0)
    book, total_vol = problem_of(MIXED, 1.0).book, 1.3 * VOL * math.sqrt(YEARS)
    greeks, spot = LiveLegs.of(shot).greeks(1.3), np.array([190.0])
    assert greeks.speed == pytest.approx(book.delta_gamma(spot, total_vol)[2][0], rel=1e-9)
    assert greeks.gross_gamma == pytest.approx(book.gross_gamma(spot, total_vol)[0], rel=1e-9)
    assert LiveLegs.of(shot).unwind_delta(1.3) == pytest.approx(
        book.unwind_delta(spot, total_vol)[0], rel=1e-9
    )
    assert greeks.tau_years == pytest.approx(YEARS)


def test_the_unwinds_delta_is_the_slope_of_its_value():
    """The claim on S |payoff slope| by Monte Carlo at two spots, on the same normals."""
    book, total_vol, step = problem_of(STRANGLE, 1.0).book, 0.2, 0.5
    normals = np.random.default_rng(1).standard_normal(400_000)
    growth = np.exp(total_vol * normals - 0.5 * total_vol**2)

    def claim(spot):
        end = spot * growth
        slope = 10.0 * (end > 210.0) + 5.0 * (end < 170.0)
        return float((end * slope).mean())

    by_paths = (claim(190.0 + step) - claim(190.0 - step)) / (2 * step)
    closed = float(book.unwind_delta(np.array([190.0]), total_vol)[0])
    assert closed == pytest.approx(by_paths, abs=0.35)
