"""The overlay against brute force, and what it says where its ranges cannot be met."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.models import Costs, Forecast
from keeper.policies.delta_band import DeltaBand
from keeper.policies.overlay import (
    GammaVegaOverlay,
    OverlayParameters,
    OverlayPlan,
    Status,
    solve_overlay,
)
from keeper.policies.overlay_programme import Effort, Hedge, Programme
from keeper.policies.overlay_quotes import Limits, Range, read_market
from keeper.policies.overlay_solver import cheapest, shadow_prices
from keeper.portfolio.book import value_book
from tests.keeper.keeper_builders import FAR_S, NEAR_S, NOW_S, leg
from tests.keeper.overlay_world import COSTS, FORECAST, SNAP, brute_force, narrowed, quote


def overlay(quotes, limits, **parameters):
    return GammaVegaOverlay(limits, tuple(quotes), DeltaBand(), OverlayParameters(**parameters))


def solve(quotes, limits, snap=SNAP, **parameters):
    return solve_overlay(
        snap, value_book(snap), FORECAST, COSTS, overlay(quotes, limits, **parameters)
    )


quote_strategy = st.builds(
    lambda i, strike, desk, price, size, lot, clip, gas, near: quote(
        str(i), strike, desk, price, size * lot, lot,
        min_clip=clip * lot, gas_usd=gas, expiry=NEAR_S if near else FAR_S,
    ),
    st.just(0), st.sampled_from([180.0, 190.0, 200.0, 220.0]), st.sampled_from(["buy", "buy", "sell"]),
    st.floats(4.0, 30.0), st.integers(2, 5), st.sampled_from([1.0, 4.0]), st.integers(1, 2),
    st.sampled_from([0.0, 3.0]), st.booleans(),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(quote_strategy, min_size=1, max_size=4),
    st.floats(0.05, 1.1),
    st.floats(0.05, 1.1),
    st.floats(0.02, 1.0),
    st.integers(1, 3),
    st.sampled_from([math.inf, 60.0]),
    st.sampled_from([0.2, 2.0, 5.0]),
)
def test_it_is_the_optimum_of_brute_force(quotes, gamma, vega, width, max_legs, budget, band):
    """Ranges from a share of the book's own (negative) gamma and vega upwards."""
    quotes = [replace(q, quote_id=str(i)) for i, q in enumerate(quotes)]
    book = value_book(SNAP)
    lows = book.gamma_eth_per_usd * gamma, book.vega_usd * vega
    limits = Limits(
        Range(lows[0], lows[0] + width * abs(book.gamma_eth_per_usd)),
        Range(lows[1], lows[1] + width * abs(book.vega_usd)),
    )
    same = {"max_legs": max_legs, "budget": budget, "band": band}
    best, breaches = brute_force(quotes, limits, **same)
    narrow = brute_force(quotes, narrowed(limits), **{**same, "band": band - 1e-2})[0]
    premium = {} if budget == math.inf else {"max_premium_usd": budget}
    asked = {"max_legs": max_legs, "delta_band_eth": band, **premium}
    found = solve(quotes, limits, only_reducing=False, **asked)
    inside = not limits.gamma.breach(book.gamma_eth_per_usd) + limits.vega.breach(book.vega_usd)
    left = [row.missing for row in found.readings]
    assert (found.status is Status.INSIDE) == inside
    if inside:
        assert found.trades == ()
    elif found.status is Status.OPTIMAL:
        assert max(left) == 0.0
        assert best - 1e-6 <= found.cost_usd
        assert narrow is None or found.cost_usd <= narrow * (1 + 1e-6) + 1e-6
        assert found.bound_usd <= found.cost_usd + 1e-6
    else:
        assert found.status in (Status.SHORT, Status.NONE)
        assert narrow is None
        assert best is not None or max(left) > 0.0
        assert not [b for b in breaches if b[0] < left[0] - 1e-5 and b[1] < left[1] - 1e-2]


WIDE = Limits(Range(-0.25, 0.25), Range(-60.0, 60.0))
MANY = [
    quote("a", 200.0, price=9.0, size=12.0, gas_usd=2.0),
    quote("b", 190.0, price=13.5, size=8.0, gas_usd=2.0),
    quote("c", 195.0, price=6.0, size=9.0, expiry=NEAR_S, gas_usd=2.0),
]


def test_the_plan_holds_the_trades_and_the_delta_policys_own():
    plan = overlay(MANY, WIDE).decide(SNAP, value_book(SNAP), FORECAST, COSTS)
    assert isinstance(plan, OverlayPlan)
    assert plan.options.status is Status.OPTIMAL
    after = replace(SNAP, legs=(*SNAP.legs, *(t.leg for t in plan.options.trades)))
    book = value_book(after)
    assert -0.25 <= book.gamma_eth_per_usd <= 0.25
    assert -60.0 <= book.vega_usd <= 60.0
    assert book.delta_eth == pytest.approx(plan.options.delta_after_eth)
    alone = DeltaBand().decide(after, book, FORECAST, COSTS)
    assert (plan.trade_eth, plan.band_eth) == (alone.trade_eth, alone.band_eth)
    assert plan.diagnostics["overlay_cost_usd"] == plan.options.cost_usd
    for row in plan.options.readings:
        reached = {"gamma": book.gamma_eth_per_usd, "vega": book.vega_usd}[row.name]
        assert row.after == pytest.approx(reached)


def test_the_delta_left_over_is_part_of_the_price():
    """Call and put of one strike bring the same vega; which one is cheap depends on the delta that they leave."""
    call = quote("call", 190.0, price=0.0, size=30.0)
    series = leg(190.0, 1.0, is_call=False).series_id
    put = replace(call, quote_id="put", series_id=series, is_call=False)
    limits = Limits(vega=Range(-60.0))
    for hedge, wanted in ((-40.0, "call"), (40.0, "put")):
        snap = replace(SNAP, base_eth=hedge)
        marks = {q.quote_id: value_book(replace(SNAP, legs=(q.leg(1),))) for q in (call, put)}
        quotes = [
            replace(q, price_usd=marks[q.quote_id].option_value_usd + 0.1) for q in (call, put)
        ]
        found = solve(quotes, limits, snap=snap, delta_band_eth=0.0)
        assert {t.quote_id for t in found.trades} == {wanted}
        assert found.hedge_cost_usd > 25.0


def test_a_dearer_quote_that_saves_a_hedge_is_taken():
    """Calls alone leave delta a hair outside of the band: the fixed cost of a hedge is worth a few puts."""
    call = quote("call", 190.0, price=0.0, size=30.0)
    put = replace(call, quote_id="put", series_id=call.series_id - 1, is_call=False)
    marks = [value_book(replace(SNAP, legs=(q.leg(1),))).option_value_usd for q in (call, put)]
    quotes = [
        replace(q, price_usd=mark + edge)
        for q, mark, edge in zip((call, put), marks, (0.1, 0.3), strict=True)
    ]
    limits = Limits(vega=Range(-60.0))
    calls = solve(quotes[:1], limits, delta_band_eth=3.0)
    snap = replace(SNAP, base_eth=SNAP.base_eth + 3.01 - calls.delta_after_eth)
    for fixed, hedged in ((0.0, True), (25.0, False)):
        desk = overlay(quotes, limits, delta_band_eth=3.0)
        found = solve_overlay(snap, value_book(snap), FORECAST, Costs(fixed, 0.001), desk)
        assert (found.hedge_cost_usd > 0.0) == hedged
        assert ({t.quote_id for t in found.trades} == {"call"}) == hedged


def test_each_expiry_may_have_its_own_range():
    """The near expiry must be mended by the near quote, though the far one is the cheaper vega."""
    tight = replace(WIDE, by_expiry={NEAR_S: (Range(-0.05, 0.05), Range())})
    found = solve(MANY, tight)
    assert found.status is Status.OPTIMAL
    near = next(row for row in found.readings if row.name == f"gamma of {NEAR_S}")
    assert near.low <= near.after <= near.high < abs(near.before)
    assert any(t.leg.expiry_s == NEAR_S for t in found.trades)
    assert found.cost_usd >= solve(MANY, WIDE).cost_usd
    everywhere = replace(WIDE, expiry_vega=Range(-30.0, 30.0))
    for row in solve(MANY, everywhere).readings:
        assert row.low <= row.after <= row.high


def test_what_cannot_be_met_is_explained_and_approached():
    few = [quote("a", size=3.0), quote("c", 195.0, price=6.0, size=2.0, expiry=NEAR_S)]
    found = solve(few, WIDE)
    assert found.status is Status.SHORT
    book = value_book(SNAP)
    vega = found.readings[1]
    assert abs(vega.after) < abs(book.vega_usd)
    assert vega.missing == pytest.approx(-60.0 - vega.after)
    assert vega.reachable == pytest.approx(vega.after)
    assert f"by {vega.missing:.6g}" in found.reason
    assert sum(t.leg.size for t in found.trades) == 5.0
    idle = overlay(few, WIDE, best_effort=False).decide(SNAP, book, FORECAST, COSTS)
    assert idle.options.trades == ()
    assert idle.trade_eth == DeltaBand().decide(SNAP, book, FORECAST, COSTS).trade_eth


def test_nothing_is_done_inside_or_without_a_quote():
    assert solve(MANY, Limits()).status is Status.INSIDE
    assert solve([], WIDE).status is Status.NONE
    assert solve([], WIDE).readings[0].missing > 0.0
    sells = [quote("s", desk="sell", price=20.0)]
    only_worse = solve(sells, WIDE)
    assert only_worse.status is Status.NONE
    assert only_worse.refused == (("s", "lowers neither |gamma| nor |vega|"),)


def test_quotes_that_cannot_be_used_say_why():
    snap = replace(SNAP, timestamp_s=NEAR_S + 60)
    bad = [
        replace(MANY[0], quote_id="other", underlying=2),
        replace(MANY[2], quote_id="gone"),
        replace(MANY[0], quote_id="late", valid_until_s=float(NOW_S)),
        replace(MANY[0], quote_id="blind", expiry_s=FAR_S + 7 * 86_400),
    ]
    found = solve([*bad, MANY[0]], WIDE, snap=snap)
    reasons = dict(found.refused)
    assert reasons["other"] == "is of underlying 2"
    assert reasons["gone"] == "its option has expired"
    assert reasons["late"] == "no longer holds"
    assert reasons["blind"] == "the surface has no slice of its expiry"
    assert "a" not in reasons


def test_shadow_prices_are_what_a_wider_range_saves():
    """Against the programme solved again with the range moved out a little, lots divisible and legs as they are."""
    limits = Limits(vega=Range(-60.0, 60.0))
    market = read_market(SNAP, MANY, limits, only_reducing=True)
    hedge = Hedge(value_book(SNAP).delta_eth, 50.0, 190.0, 0.0, 0.0)
    programme = Programme(market, hedge, Effort(4, math.inf, 5.0))
    lots = cheapest(programme).lots
    price = shadow_prices(programme, lots)[0]
    used = np.flatnonzero(lots)
    per_vega = market.cost[used] / market.readings[0].per_lot[used]
    assert per_vega.min() * (1 - 1e-9) <= price <= per_vega.max() * (1 + 1e-9)
    assert price > 0.0
    loose = Programme(
        read_market(SNAP, MANY, Limits(vega=Range(-1e4, 1e4)), True),
        hedge,
        Effort(4, math.inf, 5.0),
    )
    assert shadow_prices(loose, np.array([1, 0, 0])) == [0.0]


def test_a_mark_that_is_beaten_earns_nothing():
    """A quote far through the mark is taken for its vega and not for its gift."""
    found = solve([quote("gift", price=0.01, size=100.0, gas_usd=0.5)], WIDE)
    assert found.status is Status.OPTIMAL
    assert found.trades[0].edge_cost_usd == 0.0
    assert found.cost_usd >= 0.5


def test_out_of_time_is_said():
    found = solve(MANY, WIDE, time_limit_s=1e-9)
    assert found.status is Status.NONE
    assert "nothing found in 1e-09 s" in found.reason


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: quote(price=math.nan), "price_usd"),
        (lambda: quote(size=math.inf), "size"),
        (lambda: quote(size=0.0), "size"),
        (lambda: quote(lot=-1.0), "lot"),
        (lambda: quote(strike=0.0), "strike"),
        (lambda: quote(gas_usd=-1.0), "gas_usd"),
        (lambda: quote(desk="hold"), "buy or sell"),
        (lambda: quote(size=5.0, lot=2.0, min_clip=5.0), "whole number of lots"),
        (lambda: quote(valid_until_s=math.nan), "valid until"),
        (lambda: Range(1.0, 0.0), "empty"),
        (lambda: Range(math.nan, 0.0), "empty"),
        (lambda: solve([MANY[0], MANY[0]], WIDE), "quote a is given twice"),
        (lambda: solve(MANY, WIDE, snap=replace(SNAP, legs=(leg(200.0, math.nan),))), "size nan"),
    ],
)
def test_bad_input_is_named(call, names):
    with pytest.raises(PricingError, match=names):
        call()


def test_bad_book_forecast_and_costs_are_named():
    desk, book = overlay(MANY, WIDE), value_book(SNAP)
    for args, names in (
        ((replace(book, hedge_eth=math.nan), FORECAST, COSTS), "net delta"),
        ((book, Forecast(math.nan, 1), COSTS), "forecast"),
        ((book, FORECAST, Costs(math.inf, 0.0)), "costs"),
    ):
        with pytest.raises(PricingError, match=names):
            desk.decide(SNAP, *args)
