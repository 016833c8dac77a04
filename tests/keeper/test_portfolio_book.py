"""The book against sums done leg by leg in plain Python, and against its own repricing."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.portfolio.book import market_of, value_book
from tests.keeper.keeper_builders import (
    AAVE,
    FAR_S,
    NEAR_S,
    NOW_S,
    UNISWAP,
    WEEK_S,
    leg,
    snapshot,
    svi_slice,
)


def normal_cdf(x):
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def plain_value(option, snap):
    """One contract by the textbook, without numpy."""
    s = next(x for x in snap.slices if x.expiry_s == option.expiry_s)
    tau = (option.expiry_s - snap.timestamp_s) / 31_536_000
    forward = snap.spot_usd * math.exp(s.carry * tau)
    x = math.log(option.strike_usd / forward) - s.m
    w = s.a + s.b * (s.rho * x + math.hypot(x, s.sigma))
    vol = math.sqrt(w / ((s.expiry_s - s.committed_at_s) / 31_536_000))
    dev = vol * math.sqrt(tau)
    d1 = math.log(forward / option.strike_usd) / dev + dev / 2
    sign = 1 if option.is_call else -1
    n1, n2 = normal_cdf(sign * d1), normal_cdf(sign * (d1 - dev))
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    ratio = forward / snap.spot_usd
    return {
        "option_value_usd": sign * (forward * n1 - option.strike_usd * n2),
        "option_delta_eth": sign * n1 * ratio,
        "gamma_eth_per_usd": density / (forward * dev) * ratio**2,
        "vega_usd": forward * density * math.sqrt(tau),
        "theta_usd_per_year": -forward * density * vol / (2 * math.sqrt(tau)),
    }


def test_book_is_the_sum_of_its_legs():
    legs = (
        leg(200.0, -10.0),
        leg(170.0, -8.0, is_call=False),
        leg(210.0, 4.0, expiry_s=NEAR_S),
        leg(190.0, 0.5, is_call=False, expiry_s=NEAR_S),
    )
    slices = (svi_slice(NEAR_S, 1.2, carry=-0.4), svi_slice(FAR_S, 0.9, carry=0.15))
    snap = snapshot(legs=legs, slices=slices, timestamp_s=NOW_S + 1_800)
    book = value_book(snap)
    for name in (
        "option_value_usd",
        "option_delta_eth",
        "gamma_eth_per_usd",
        "vega_usd",
        "theta_usd_per_year",
    ):
        expected = sum(x.size * plain_value(x, snap)[name] for x in legs)
        assert getattr(book, name) == pytest.approx(expected, rel=1e-12), name


def test_hedge_is_base_of_account_and_venues():
    venues = (replace(UNISWAP, base_eth=0.25), replace(AAVE, base_eth=-3.0))
    book = value_book(snapshot(base_eth=2.0, venues=venues, legs=()))
    assert book.hedge_eth == -0.75
    assert book.delta_eth == -0.75
    assert (book.option_value_usd, book.gamma_eth_per_usd, book.vega_usd) == (0.0, 0.0, 0.0)


def test_volatility_stays_between_commits():
    """Total variance runs down with time left: the implied volatility an hour later is the same."""
    legs = (leg(190.0, 1.0),)
    fresh = snapshot(legs=legs)
    hour_later = snapshot(legs=legs, timestamp_s=NOW_S + 3_600)
    longer = (FAR_S - NOW_S) / (FAR_S - NOW_S - 3_600)
    # At the money, vega is proportional to sqrt(tau) up to the drift of d1.
    ratio = value_book(fresh).vega_usd / value_book(hour_later).vega_usd
    assert ratio == pytest.approx(math.sqrt(longer), rel=1e-4)


@pytest.mark.parametrize("expiry_s", [NOW_S - 14_400, NOW_S - 14_400 - WEEK_S])
def test_expired_legs_are_intrinsic_at_spot_without_greeks(expiry_s):
    legs = (
        leg(150.0, -2.0, expiry_s=expiry_s),
        leg(200.0, 3.0, is_call=False, expiry_s=expiry_s),
        leg(200.0, 5.0, expiry_s=expiry_s),
    )
    book = value_book(snapshot(legs=legs, slices=()))
    assert book.option_value_usd == pytest.approx(-2.0 * 40.0 + 3.0 * 10.0)
    greeks = (book.option_delta_eth, book.gamma_eth_per_usd, book.vega_usd, book.theta_usd_per_year)
    assert greeks == (0.0, 0.0, 0.0, 0.0)


def test_a_leg_expires_at_its_very_second():
    at = snapshot(legs=(leg(150.0, 1.0, expiry_s=NEAR_S),), timestamp_s=NEAR_S)
    assert value_book(at).option_delta_eth == 0.0
    assert value_book(replace(at, timestamp_s=NEAR_S - 1)).option_delta_eth == pytest.approx(1.0)


def test_proven_price_goes_before_spot():
    expiry_s = NOW_S - 14_400
    legs = (leg(150.0, 1.0, expiry_s=expiry_s),)
    snap = snapshot(legs=legs, slices=(), settlement_prices_usd=((expiry_s, 177.0),))
    assert value_book(snap).option_value_usd == pytest.approx(27.0)


def test_a_live_leg_without_a_slice_is_intrinsic_as_on_the_chain():
    legs = (leg(150.0, 1.0), leg(150.0, 1.0, is_call=False))
    book = value_book(snapshot(legs=legs, slices=()))
    assert (book.option_value_usd, book.option_delta_eth, book.vega_usd) == (40.0, 1.0, 0.0)


def test_legs_of_another_underlying_are_not_this_book():
    other = replace(leg(200.0, 100.0), underlying=2)
    assert value_book(snapshot(legs=(other,))) == value_book(snapshot(legs=()))


@given(
    st.lists(
        st.tuples(
            st.floats(100.0, 300.0),
            st.floats(-50.0, 50.0),
            st.booleans(),
            st.sampled_from([NEAR_S, FAR_S]),
        ),
        min_size=1,
        max_size=32,
    )
)
def test_greeks_are_the_slopes_of_the_value(rows):
    """Volatility held per leg: flat slices, so that a move of spot moves no volatility."""
    legs = tuple(leg(round(k, 8), s, is_call=c, expiry_s=e) for k, s, c, e in rows)
    slices = (svi_slice(NEAR_S, a=0.005, b=0.0), svi_slice(FAR_S, a=0.03, b=0.0))
    snap = snapshot(legs=legs, slices=slices)
    h = 0.01
    up, down = (value_book(replace(snap, spot_usd=190.0 + d)) for d in (h, -h))
    book = value_book(snap)
    size = sum(abs(x.size) for x in legs)
    slope = (up.option_value_usd - down.option_value_usd) / (2 * h)
    bend = (up.option_delta_eth - down.option_delta_eth) / (2 * h)
    assert book.option_delta_eth == pytest.approx(slope, abs=1e-6 * (size + 1.0))
    assert book.gamma_eth_per_usd == pytest.approx(bend, abs=1e-6 * (size + 1.0))


@given(st.floats(-20.0, 20.0))
def test_book_is_linear_in_size(scale):
    legs = snapshot().legs
    scaled = tuple(replace(x, size=x.size * scale) for x in legs)
    one, many = value_book(snapshot()), value_book(snapshot(legs=scaled))
    assert many.option_delta_eth == pytest.approx(scale * one.option_delta_eth, abs=1e-12)
    assert many.vega_usd == pytest.approx(scale * one.vega_usd, abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"spot_usd": math.nan}, "spot"),
        ({"spot_usd": 0.0}, "spot"),
        ({"spot_usd": math.inf, "legs": ()}, "spot"),
        ({"base_eth": math.nan}, "base"),
        ({"legs": (replace(leg(200.0, 1.0), size=math.nan),)}, "leg 0"),
        ({"legs": (replace(leg(200.0, 1.0), strike_usd=-1.0),)}, "leg 0"),
        ({"slices": (svi_slice(FAR_S, sigma=math.nan),)}, "slice of expiry"),
        ({"slices": (svi_slice(FAR_S, carry=math.nan),)}, "carry"),
        ({"slices": (svi_slice(FAR_S, carry=1e9),)}, "carry"),
        ({"settlement_prices_usd": ((NEAR_S, -1.0),)}, "settlement price"),
    ],
)
def test_bad_snapshots_are_named_and_never_become_a_book(changes, names):
    with pytest.raises(PricingError, match=names):
        value_book(snapshot(**changes))


def test_market_of_keeps_what_the_snapshot_says():
    market = market_of(snapshot(settlement_prices_usd=((NEAR_S, 150.0),)))
    assert market.settlement_or_spot(NEAR_S) == 150.0
    assert market.settlement_or_spot(FAR_S) == 190.0
