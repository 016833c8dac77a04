"""Implied volatility is as exact as the price: 50 digits, the rounding of the price, round trips, properties."""

from __future__ import annotations

import itertools
import math
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.pricing import black76
from keeper.pricing.implied_vol import Reason, implied_vol

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SWIG's own deprecations at import
    import QuantLib

VOLS = [1e-4, 0.01, 0.05, 0.2, 0.5, 0.8, 1.5, 3.0, 8.0]
TAUS = [1 / 31_536_000, 1 / 8760, 1 / 365, 7 / 365, 0.25, 1.0, 9.5]
LOG_RATIOS = [*np.linspace(-3.0, 3.0, 25), 1e-4, -1e-4, 1e-8, -1e-8, 1e-12]


def exact_price(is_call, f, k, vol, tau):
    f, k, vol, tau = map(mpmath.mpf, (f, k, vol, tau))
    s, sign = vol * mpmath.sqrt(tau), 1 if is_call else -1
    d1 = mpmath.log(f / k) / s + s / 2
    return sign * (f * mpmath.ncdf(sign * d1) - k * mpmath.ncdf(sign * (d1 - s)))


@pytest.fixture(scope="module")
def grid():
    """Columns is_call, forward, strike, vol, tau and the price of 50 digits, rounded once."""
    rows = []
    with mpmath.workdps(50):
        for is_call, f, x, vol, tau in itertools.product(
            (True, False), (1.0, 1900.0), LOG_RATIOS, VOLS, TAUS
        ):
            k = f * math.exp(x)
            rows.append((is_call, f, k, vol, tau, float(exact_price(is_call, f, k, vol, tau))))
    calls, *rest = map(np.array, zip(*rows, strict=True))
    return calls, *rest


def rounding(f, k, vol, tau, price):
    """How much of the volatility half a unit in the last place of the price is."""
    s = vol * np.sqrt(tau)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        slope = np.sqrt(f * k) * np.exp(-0.5 * ((np.log(f / k) / s) ** 2 + s * s / 4))
        return 0.5 * np.spacing(price) * math.sqrt(2 * math.pi) / (slope * s)


def test_as_exact_as_the_price_wherever_it_holds_information(grid):
    calls, f, k, vol, tau, price = grid
    found = implied_vol(calls, price, f, k, tau)
    floor = rounding(f, k, vol, tau, price)
    normal = price / np.sqrt(f * k) >= np.finfo(float).tiny
    below_bound = price < np.where(calls, f, k)
    informed = normal & below_bound & (floor < 0.9e-6)
    assert informed.sum() > 3_500
    assert np.all(found.reason[informed] == Reason.SOLVED)
    error = np.abs(found.vol / vol - 1.0)[informed]
    # Rounding of the price, and of the arithmetic: larger where s is small against the distance to the money.
    assert np.all(error <= 1.01 * floor[informed] + 1e-13 + 2e-16 / (vol * np.sqrt(tau))[informed])


def test_the_stated_goal(grid):
    """1e-9 wherever time value is over 1e-8 of spot, unless the price's own rounding is more than that."""
    calls, f, k, vol, tau, price = grid
    time_value = price - np.maximum(np.where(calls, f - k, k - f), 0.0)
    asked = (time_value > 1e-8 * f) & (rounding(f, k, vol, tau, price) < 5e-10)
    assert asked.sum() > 2_500
    error = np.abs(implied_vol(calls, price, f, k, tau).vol / vol - 1.0)[asked]
    assert error.max() <= 1e-9


def test_nothing_is_claimed_where_the_price_says_nothing(grid):
    calls, f, k, vol, tau, price = grid
    found = implied_vol(calls, price, f, k, tau)
    silent = rounding(f, k, vol, tau, price) > 1.1e-6
    assert silent.sum() > 500
    assert np.all(found.reason[silent] != Reason.SOLVED)
    assert np.all(np.isnan(found.vol) == (found.reason != Reason.SOLVED))


def test_against_quantlib_at_market_prices():
    rng = np.random.default_rng(5)
    n = 400
    calls, forward = rng.random(n) < 0.5, rng.uniform(500, 5_000, n)
    strike = forward * np.exp(rng.normal(0, 0.2, n))
    vol, tau = rng.uniform(0.2, 1.5, n), rng.uniform(1 / 365, 1, n)
    price = black76.price(calls, forward, strike, vol, tau)
    found = implied_vol(calls, price, forward, strike, tau).vol
    kinds = {True: QuantLib.Option.Call, False: QuantLib.Option.Put}
    checked = 0
    for i in np.flatnonzero(
        price - np.maximum(np.where(calls, 1, -1) * (forward - strike), 0) > 1e-3
    ):
        deviation = QuantLib.blackFormulaImpliedStdDev(
            kinds[bool(calls[i])], float(strike[i]), float(forward[i]), float(price[i]),
            1.0, 0.0, 0.5, 1e-12, 100,
        )  # fmt: skip
        assert found[i] == pytest.approx(deviation / math.sqrt(tau[i]), rel=1e-8)
        checked += 1
    assert checked > 300


@pytest.mark.parametrize("seed", range(3))
def test_round_trip_of_what_nobody_would_quote(seed):
    """Ratios to e^20, total volatility from 1e-6 to 10: whatever is solved prices back to the last digits."""
    rng = np.random.default_rng(seed)
    n = 50_000
    calls, forward = rng.random(n) < 0.5, 10.0 ** rng.uniform(-8, 3, n)
    strike = forward * np.exp(10.0 ** rng.uniform(-12, 1.3, n) * rng.choice((-1.0, 1.0), n))
    tau = 10.0 ** rng.uniform(-7, 0.9, n)
    vol = np.minimum(10.0 ** rng.uniform(-6, 1, n) / np.sqrt(tau), 10.0)
    price = black76.price(calls, forward, strike, vol, tau)
    found = implied_vol(calls, price, forward, strike, tau)
    assert not np.any(found.reason == Reason.NOT_SETTLED)
    solved = found.reason == Reason.SOLVED
    assert solved.sum() > 10_000
    back = black76.price(
        calls[solved],
        forward[solved],
        strike[solved],
        np.minimum(found.vol[solved], 10.0),
        tau[solved],
    )
    assert np.all(np.abs(back - price[solved]) <= 1e-14 * (forward + strike)[solved])


@given(
    st.booleans(),
    st.floats(1.0, 1e5),
    st.floats(-3.0, 3.0),
    st.floats(0.05, 3.0),
    st.floats(1 / 8760, 2.0),
    st.floats(0.9, 1.1),
)
def test_more_price_is_more_volatility_and_units_do_not_matter(is_call, forward, k, vol, tau, more):
    strike = forward * math.exp(k * vol * math.sqrt(tau))
    price = float(black76.price(is_call, forward, strike, vol, tau))
    intrinsic = max((forward - strike) * (1 if is_call else -1), 0.0)
    if price - intrinsic < 1e-6 * forward:
        return
    dearer = price + abs(more - 1.0) * (price - intrinsic)
    low, high = implied_vol(
        np.array([is_call, is_call]), np.array([price, dearer]), forward, strike, tau
    ).vol
    assert high >= low * (1 - 1e-9)
    scaled = implied_vol(is_call, price * 1024.0, forward * 1024.0, strike * 1024.0, tau)
    assert float(scaled.vol) == pytest.approx(low, rel=1e-12)
    assert low == pytest.approx(vol, rel=1e-9)


def test_parity_of_calls_and_puts():
    forward, strike, tau = 100.0, np.linspace(60.0, 160.0, 41), 0.2
    call = black76.price(np.full(41, True), forward, strike, 0.7, tau)
    put = call - (forward - strike)
    assert implied_vol(np.full(41, True), call, forward, strike, tau).vol == pytest.approx(
        implied_vol(np.full(41, False), put, forward, strike, tau).vol, rel=1e-11
    )
