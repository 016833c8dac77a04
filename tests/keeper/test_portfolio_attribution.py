"""Attribution: its terms on books whose answer is known, that they add up, and that nothing is absorbed."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.portfolio.attribution import (
    Activity,
    Attribution,
    HedgeFill,
    OptionTrade,
    State,
    Terms,
    as_dict,
    attribute,
    mark_value,
    state_of,
    total,
)
from keeper.portfolio.book import Market, value_book
from tests.keeper.keeper_builders import FAR_S, NEAR_S, NOW_S, leg, snapshot, svi_slice

HOUR = 3_600
LEGS = (leg(200.0, -10.0), leg(170.0, -8.0, is_call=False), leg(210.0, 4.0))


def market(hours=0, spot=190.0, vol=0.9, settled=None, carry=0.0):
    slices = {e: svi_slice(e, vol, carry=carry) for e in (NEAR_S, FAR_S)}
    return Market(NOW_S + hours * HOUR, spot, slices, settled or {})


def state(m, legs=LEGS, hedge=0.0, cash=10_000.0):
    """NAV by definition: cash, ETH at spot, options at mark."""
    return State(m, legs, hedge, cash + hedge * m.spot_usd + mark_value(legs, m))


def test_nothing_happens_nothing_is_earned():
    result = attribute(state(market()), state(market()), Activity())
    assert set(as_dict(result.terms).values()) == {0.0}
    assert result.nav_change_usd == 0.0
    assert result.residual_share == 0.0


def test_time_alone_is_theta():
    before, after = market(), market(hours=1)
    terms = attribute(state(before), state(after), Activity()).terms
    assert terms.theta == pytest.approx(mark_value(LEGS, after) - mark_value(LEGS, before))
    assert (terms.delta, terms.gamma, terms.vega, terms.hedge) == (0.0, 0.0, 0.0, 0.0)
    flat = snapshot(legs=LEGS, slices=tuple(before.slices.values()))
    assert terms.theta == pytest.approx(value_book(flat).theta_usd_per_year / 8760, rel=0.02)
    assert terms.theta > 0.0


def test_spot_alone_is_delta_and_gamma():
    """With a flat surface: delta x move, and gamma near half gamma x move squared."""
    slices = {FAR_S: svi_slice(FAR_S, a=0.02, b=0.0)}
    before, after = (Market(NOW_S, s, slices, {}) for s in (190.0, 192.0))
    terms = attribute(state(before), state(after), Activity()).terms
    book = value_book(snapshot(legs=LEGS, slices=tuple(slices.values())))
    assert terms.delta == pytest.approx(book.option_delta_eth * 2.0, rel=1e-12)
    assert terms.gamma == pytest.approx(book.gamma_eth_per_usd * 2.0, rel=0.05)
    assert (terms.theta, terms.vega) == (0.0, pytest.approx(0.0, abs=1e-9))
    assert terms.gamma < 0.0


def test_surface_alone_is_vega_and_volga():
    before, after = market(vol=0.90), market(vol=0.93)
    terms = attribute(state(before), state(after), Activity()).terms
    change = mark_value(LEGS, after) - mark_value(LEGS, before)
    assert terms.vega + terms.volga + terms.higher_order == pytest.approx(change)
    assert terms.vega == pytest.approx(change, rel=0.01)
    assert abs(terms.vega + terms.volga - change) < 0.1 * abs(terms.vega - change)
    assert (terms.theta, terms.delta, terms.gamma, terms.vanna) == (0.0, 0.0, 0.0, 0.0)


def test_spot_and_volatility_together_leave_vanna():
    """What moves by both at once, beyond each alone, is vanna up to third order."""
    both = attribute(state(market()), state(market(0, 192.0, 0.92)), Activity()).terms
    spot = attribute(state(market()), state(market(0, 192.0)), Activity()).terms
    smiles = [market(0, 192.0, v) for v in (0.9, 0.92)]
    at_moved = mark_value(LEGS, smiles[1]) - mark_value(LEGS, smiles[0])
    at_start = mark_value(LEGS, market(vol=0.92)) - mark_value(LEGS, market())
    assert (both.delta, both.gamma) == (spot.delta, spot.gamma)
    roll = spot.vega + spot.vanna + spot.volga
    assert both.vanna - spot.vanna == pytest.approx(at_moved - at_start, rel=0.1)
    assert both.vega + both.vanna + both.volga - roll == pytest.approx(at_moved, rel=0.003)
    assert abs(both.higher_order) < 0.15 * abs(both.vanna)


def test_carry_is_the_drift_of_the_forward_and_its_change():
    """A forward above spot comes down with time; a new carry moves it at once. Both by delta, to first order."""
    slow, fast = market(carry=0.4), market(1, carry=0.4)
    drift = attribute(state(slow), state(fast), Activity()).terms
    forwards = [190.0 * math.exp(0.4 * (FAR_S - NOW_S - h * HOUR) / 31_536_000) for h in (0, 1)]
    deltas = [
        value_book(snapshot(legs=LEGS, slices=tuple(m.slices.values()))).option_delta_eth
        for m in (slow, market())
    ]
    assert drift.carry == pytest.approx(deltas[0] * (forwards[1] - forwards[0]), rel=0.05)
    later = attribute(state(market()), state(market(carry=0.1)), Activity()).terms
    moved = 190.0 * (math.exp(0.1 * (FAR_S - NOW_S) / 31_536_000) - 1.0)
    assert later.carry == pytest.approx(deltas[1] * moved, rel=0.05)
    assert (later.theta, later.delta, later.gamma) == (0.0, 0.0, 0.0)


def test_hedge_earns_on_what_was_held_and_on_fills_from_their_own_spot():
    before = state(market(), legs=(), hedge=-5.0)
    after = State(market(1, 180.0), (), -2.0, before.nav_usd + 50.0 - 3.0 * 4.0)
    fill = HedgeFill(base_eth=3.0, quote_usd=-3.0 * 184.0 - 1.5, spot_usd=184.0, fee_usd=0.6)
    terms = attribute(before, after, Activity(fills=(fill,))).terms
    assert terms.hedge == pytest.approx(50.0 - 12.0)
    assert terms.fees == pytest.approx(-0.6)
    assert terms.slippage == pytest.approx(-0.9)


def test_funding_and_gas_that_the_book_paid_are_terms():
    before = state(market(), legs=(), hedge=-5.0)
    after = replace(before, nav_usd=before.nav_usd + 3.0 - 2.0)
    result = attribute(before, after, Activity(funding_usd=3.0, gas_usd=2.0))
    assert (result.terms.funding, result.terms.gas) == (3.0, -2.0)
    assert result.residual_usd == pytest.approx(0.0, abs=1e-9)


def test_option_trade_earns_its_edge_and_flows_are_no_profit():
    sold = (leg(220.0, -2.0),)
    end = market()
    premium = -mark_value(sold, end) + 7.0
    before = state(end)
    after = state(end, LEGS + sold, cash=10_000.0 + premium + 500.0)
    result = attribute(
        before, after, Activity(trades=(OptionTrade(sold, premium),), flows_usd=500.0)
    )
    assert result.terms.option_edge == pytest.approx(7.0)
    assert result.nav_change_usd == pytest.approx(7.0)
    assert result.residual_usd == pytest.approx(0.0, abs=1e-9)


def test_expiry_is_theta_and_gamma_then_the_proven_price():
    """Legs that expire in the interval end at the proven price; the settled book holds cash instead."""
    legs = (leg(185.0, -10.0, expiry_s=NEAR_S), leg(195.0, 4.0, is_call=False, expiry_s=NEAR_S))
    before = state(market(19), legs)
    end = market(21, 181.0, settled={NEAR_S: 183.0})
    after = State(end, (), 0.0, 10_000.0 + 4.0 * 12.0)
    result = attribute(before, after, Activity())
    assert result.terms.settlement == pytest.approx(4.0 * (12.0 - 14.0))
    assert result.terms.vega == 0.0
    assert result.residual_usd == pytest.approx(0.0, abs=1e-9)


def test_expired_and_unproven_legs_move_with_spot_as_settlement():
    legs = (leg(150.0, 2.0, expiry_s=NEAR_S),)
    before = state(market(21, 190.0), legs)
    waiting = attribute(before, state(market(22, 195.0), legs), Activity()).terms
    assert waiting.settlement == pytest.approx(10.0)
    assert (waiting.theta, waiting.delta, waiting.gamma) == (0.0, 0.0, 0.0)
    proven = market(22, 195.0, settled={NEAR_S: 188.0})
    assert attribute(before, state(proven, legs), Activity()).terms.settlement == pytest.approx(
        -4.0
    )


moves = st.tuples(
    st.integers(0, 60), st.floats(60.0, 400.0), st.floats(0.3, 3.0), st.floats(-0.5, 0.5)
)


@given(
    moves,
    st.lists(
        st.tuples(
            st.floats(100.0, 300.0),
            st.floats(-20.0, 20.0),
            st.booleans(),
            st.sampled_from([NEAR_S, FAR_S]),
        ),
        max_size=8,
    ),
    st.floats(-50.0, 50.0),
    st.lists(st.tuples(st.floats(-9.0, 9.0), st.floats(-20.0, 5.0)), max_size=3),
    st.floats(-5.0, 5.0),
    st.floats(-1e4, 1e4),
)
def test_terms_add_up_whatever_happens(move, rows, hedge, fills, interest, flows):
    """NAV built independently, from cash and positions: no residual is left, expiries and fills included."""
    hours, spot, vol, carry = move
    legs = tuple(leg(round(k, 8), s, is_call=c, expiry_s=e) for k, s, c, e in rows)
    before = state(market(carry=0.1), legs, hedge)
    end = market(
        hours, spot, vol, {NEAR_S: 175.0} if NOW_S + hours * HOUR >= NEAR_S else None, carry
    )
    done = tuple(HedgeFill(b, -b * spot + cost, spot) for b, cost in fills)
    cash = 10_000.0 + sum(f.quote_usd for f in done) + interest + flows
    after = state(end, legs, hedge + sum(f.base_eth for f in done), cash)
    result = attribute(before, after, Activity(fills=done, interest_usd=interest, flows_usd=flows))
    size = math.fsum(abs(v) for v in as_dict(result.terms).values())
    assert abs(result.residual_usd) <= 1e-9 * (1.0 + size + abs(before.nav_usd))


@given(st.floats(-1e4, 1e4))
def test_what_nobody_explains_is_the_residual(lost):
    after = state(market(1, 180.0, 1.1))
    known = attribute(state(market()), after, Activity())
    result = attribute(state(market()), replace(after, nav_usd=after.nav_usd + lost), Activity())
    assert result.terms == known.terms
    assert result.residual_usd - known.residual_usd == pytest.approx(lost, abs=1e-6)


def test_intervals_add_to_a_whole():
    markets = [market(), market(1, 185.0, 0.95), market(2, 170.0, 1.3), market(3, 176.0, 1.2)]
    parts = [attribute(state(a), state(b), Activity()) for a, b in itertools.pairwise(markets)]
    whole = total(parts)
    assert whole.nav_change_usd == pytest.approx(
        mark_value(LEGS, markets[-1]) - mark_value(LEGS, markets[0])
    )
    assert whole.terms.theta == pytest.approx(sum(p.terms.theta for p in parts))
    assert abs(whole.residual_usd) < 1e-9
    assert as_dict(total([]).terms) == dict.fromkeys(as_dict(whole.terms), 0.0)


def test_residual_share():
    terms = Terms(theta=1.0, delta=-2.0, hedge=3.0, slippage=-1.0)
    assert Attribution(terms, 1.0 + 0.07).residual_share == pytest.approx(0.01)
    zeros = Terms()
    assert Attribution(zeros, 0.0).residual_share == 0.0
    assert Attribution(zeros, 1.0).residual_share == math.inf


def test_state_of_a_snapshot():
    other = replace(leg(200.0, 100.0), underlying=2)
    s = state_of(snapshot(legs=(*LEGS, other)))
    assert s.legs == LEGS
    assert (s.hedge_eth, s.nav_usd, s.market.spot_usd) == (-1.0, 49_000.0, 190.0)


@pytest.mark.parametrize(
    ("before", "after", "activity", "names"),
    [
        ({}, {"market": market(-1)}, Activity(), "swap them"),
        ({"hedge_eth": math.nan}, {}, Activity(), "hedge_eth"),
        ({}, {"nav_usd": math.inf}, Activity(), "nav_usd after"),
        ({}, {}, Activity(interest_usd=math.nan), "interest_usd"),
        ({}, {}, Activity(flows_usd=math.nan), "flows_usd"),
        ({}, {}, Activity(fills=(HedgeFill(1.0, math.nan, 190.0),)), "fill 0 quote_usd"),
        ({}, {}, Activity(trades=(OptionTrade((), math.nan),)), "trade 0 premium_usd"),
        ({}, {}, Activity(funding_usd=math.inf), "funding_usd"),
        ({}, {}, Activity(gas_usd=-1.0), "gas_usd is -1.0"),
        ({}, {}, Activity(fills=(HedgeFill(1.0, 1.0, 1.0, -0.1),)), "fill 0 fee_usd"),
    ],
)
def test_bad_input_is_named(before, after, activity, names):
    start, end = replace(state(market()), **before), replace(state(market(1)), **after)
    with pytest.raises(PricingError, match=names):
        attribute(start, end, activity)
