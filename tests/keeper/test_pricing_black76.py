"""Greeks five ways: textbook, limits, finite differences, parity and convexity, Monte Carlo; and QuantLib."""

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

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SWIG's own deprecations at import
    import QuantLib

NAMES = ("price", "delta", "gamma", "vega", "theta")

# Haug (1998), "The complete guide to option pricing formulas", pages 2-8 and 24:
# is_call, strike, spot, dividend yield, rate, years, vol, value.
HAUG_VALUES = [
    (True, 65.0, 60.0, 0.00, 0.08, 0.25, 0.30, 2.1334),
    (False, 95.0, 100.0, 0.05, 0.10, 0.50, 0.20, 2.4648),
    (False, 19.0, 19.0, 0.10, 0.10, 0.75, 0.28, 1.7011),
    (True, 19.0, 19.0, 0.10, 0.10, 0.75, 0.28, 1.7011),
    (True, 1.60, 1.56, 0.08, 0.06, 0.50, 0.12, 0.0291),
    (True, 100.0, 90.0, 0.10, 0.10, 0.10, 0.15, 0.0205),
    (False, 100.0, 110.0, 0.10, 0.10, 0.50, 0.35, 5.7963),
]
# The same book, pages 11-16: greek, is_call, strike, spot, dividend yield, rate, years, vol, value.
HAUG_GREEKS = [
    ("delta", True, 100.0, 105.0, 0.10, 0.10, 0.5, 0.36, 0.5946),
    ("delta", False, 100.0, 105.0, 0.10, 0.10, 0.5, 0.36, -0.3566),
    ("gamma", True, 60.0, 55.0, 0.00, 0.10, 0.75, 0.30, 0.0278),
    ("vega", False, 60.0, 55.0, 0.00, 0.10, 0.75, 0.30, 18.9358),
]


def one(is_call, forward, strike, vol, tau):
    g = black76.greeks(np.array([is_call]), forward, strike, vol, tau)
    return {name: float(getattr(g, name)[0]) for name in NAMES}


@pytest.mark.parametrize("row", HAUG_VALUES)
def test_textbook_values(row):
    is_call, strike, spot, q, r, tau, vol, value = row
    forward = spot * math.exp((r - q) * tau)
    discounted = math.exp(-r * tau) * one(is_call, forward, strike, vol, tau)["price"]
    assert discounted == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize("row", HAUG_GREEKS)
def test_textbook_greeks(row):
    name, is_call, strike, spot, q, r, tau, vol, value = row
    forward = spot * math.exp((r - q) * tau)
    g = black76.spot_greeks(np.array([is_call]), spot, forward, strike, vol, tau)
    assert math.exp(-r * tau) * getattr(g, name)[0] == pytest.approx(value, abs=5e-5)


def test_textbook_theta():
    """Haug (1998) pages 11-16: put on an index, theta -31.1924 a year; ours holds forward and discount fixed."""
    strike, spot, q, r, tau, vol = 405.0, 430.0, 0.05, 0.07, 1 / 12, 0.20
    forward, discount = spot * math.exp((r - q) * tau), math.exp(-r * tau)
    g = black76.spot_greeks(np.array([False]), spot, forward, strike, vol, tau)
    carried = discount * (g.theta[0] + r * g.price[0] - (r - q) * spot * g.delta[0])
    assert carried == pytest.approx(-31.1924, abs=5e-3)


def grid(forwards, strikes, taus):
    """Every combination, and the scale of each Greek: price in forwards, the others at the money."""
    vols = [0.01, 0.05, 0.2, 0.5, 0.8, 1.5, 3.0, 8.0]
    ratios = np.exp(np.linspace(-2.0, 2.0, strikes))
    rows = list(itertools.product([True, False], forwards, ratios, vols, taus))
    calls, forward, ratio, vol, tau = (np.array(c) for c in zip(*rows, strict=True))
    one_, root = np.ones_like(forward), np.sqrt(tau)
    scale = (forward, one_, 1.0 / (forward * vol * root), forward * root, forward * vol / root)
    return (calls, forward, forward * ratio, vol, tau), np.stack(scale)


def worst_error(columns, scale, oracle):
    g = black76.greeks(*columns)
    rows = [oracle(bool(c), *map(float, r)) for c, *r in zip(*columns, strict=True)]
    error = np.abs(np.stack([getattr(g, n) for n in NAMES]) - np.array(rows, dtype=float).T) / scale
    return error.max()


def by_quantlib(is_call, f, k, vol, t):
    kind = QuantLib.Option.Call if is_call else QuantLib.Option.Put
    b = QuantLib.BlackCalculator(QuantLib.PlainVanillaPayoff(kind, k), f, vol * math.sqrt(t), 1.0)
    return b.value(), b.deltaForward(), b.gammaForward(), b.vega(t), b.theta(f, t)


def by_mpmath(is_call, *rest):
    f, k, vol, t = map(mpmath.mpf, rest)
    sign, s = (1 if is_call else -1), vol * mpmath.sqrt(t)
    d1 = mpmath.log(f / k) / s + s / 2
    delta, density = sign * mpmath.ncdf(sign * d1), mpmath.npdf(d1)
    price = f * delta - sign * k * mpmath.ncdf(sign * (d1 - s))
    vega = f * density * mpmath.sqrt(t)
    return price, delta, density / (f * s), vega, -vega * vol / (2 * t)


def test_against_quantlib_on_a_dense_grid():
    columns, scale = grid([1.0, 190.0, 4200.0], 41, [1 / 8760, 1 / 365, 7 / 365, 0.25, 1.0, 9.5])
    assert columns[0].size > 11_000
    assert worst_error(columns, scale, by_quantlib) <= 1e-12


def test_against_40_digits_down_to_one_second():
    """QuantLib's delta loses five digits at one second to expiry; this does not."""
    columns, scale = grid([190.0], 17, [1 / 31_536_000, 1 / 8760, 7 / 365, 9.5])
    with mpmath.workdps(40):
        assert worst_error(columns, scale, by_mpmath) <= 3e-15


options = st.tuples(
    st.floats(1.0, 1e5),
    st.floats(-1.5, 1.5),
    st.floats(0.05, 3.0),
    st.floats(1 / 8760, 2.0),
)


@given(options)
def test_put_call_parity(o):
    forward, k, vol, tau = o
    strike = forward * math.exp(k)
    call, put = one(True, forward, strike, vol, tau), one(False, forward, strike, vol, tau)
    size = forward + strike
    assert call["price"] - put["price"] == pytest.approx(forward - strike, abs=1e-14 * size)
    assert call["delta"] - put["delta"] == pytest.approx(1.0, abs=1e-14)
    for name in ("gamma", "vega", "theta"):
        assert call[name] == put[name]


@given(options, st.booleans(), st.floats(1.0001, 2.0))
def test_monotonicity_and_bounds(o, is_call, up):
    forward, k, vol, tau = o
    strike = forward * math.exp(k)
    base = one(is_call, forward, strike, vol, tau)
    slack = 1e-13 * (forward + strike)
    intrinsic = max(0.0, (forward - strike) * (1 if is_call else -1))
    assert intrinsic <= base["price"] <= (forward if is_call else strike)
    assert one(is_call, forward, strike, vol * up, tau)["price"] >= base["price"] - slack
    assert one(is_call, forward, strike, vol, tau * up)["price"] >= base["price"] - slack
    moved = one(is_call, forward * up, strike, vol, tau)["price"] - base["price"]
    assert moved * (1 if is_call else -1) >= -slack
    assert abs(moved) <= forward * (up - 1.0) + slack
    assert 0.0 <= abs(base["delta"]) <= 1.0
    assert base["gamma"] >= 0.0
    assert base["vega"] >= 0.0
    assert base["theta"] <= 0.0


@given(options, st.booleans(), st.floats(1.01, 1.5))
def test_convex_in_strike(o, is_call, width):
    forward, k, vol, tau = o
    low, high = forward * math.exp(k) / width, forward * math.exp(k) * width
    prices = [one(is_call, forward, x, vol, tau)["price"] for x in (low, (low + high) / 2, high)]
    assert prices[1] <= (prices[0] + prices[2]) / 2 + 1e-13 * (forward + high)


@given(options, st.booleans())
def test_finite_differences(o, is_call):
    forward, k, vol, tau = o
    k = max(-2.5, min(2.5, k / (vol * math.sqrt(tau)))) * vol * math.sqrt(tau)
    strike = forward * math.exp(k)
    g = one(is_call, forward, strike, vol, tau)

    def at(df=0.0, dv=0.0, dt=0.0):
        return one(is_call, forward + df, strike, vol + dv, tau + dt)

    root = math.sqrt(tau)
    h = forward * vol * root * 1e-4
    slope = (at(df=h)["price"] - at(df=-h)["price"]) / (2 * h)
    bend = (at(df=h)["delta"] - at(df=-h)["delta"]) / (2 * h)
    by_vol = (at(dv=vol * 1e-4)["price"] - at(dv=-vol * 1e-4)["price"]) / (2e-4 * vol)
    by_time = (at(dt=tau * 1e-4)["price"] - at(dt=-tau * 1e-4)["price"]) / (2e-4 * tau)
    assert slope == pytest.approx(g["delta"], abs=1e-6)
    assert bend == pytest.approx(g["gamma"], abs=1e-6 / (forward * vol * root))
    assert by_vol == pytest.approx(g["vega"], abs=1e-6 * forward * root)
    assert -by_time == pytest.approx(g["theta"], abs=1e-6 * forward * vol / root)


def test_monte_carlo():
    forward, strike, vol, tau = 190.0, np.array([150.0, 190.0, 240.0]), 0.9, 30 / 365
    z = np.random.default_rng(7).standard_normal(400_000)
    end = forward * np.exp(vol * math.sqrt(tau) * z - vol * vol * tau / 2)[:, None]
    for is_call, sign in ((True, 1.0), (False, -1.0)):
        payoffs = np.maximum(sign * (end - strike), 0.0)
        pathwise_delta = sign * (payoffs > 0.0) * end / forward
        likelihood_vega = payoffs * (((z * z - 1.0) / vol) - math.sqrt(tau) * z)[:, None]
        g = black76.greeks(np.full(3, is_call), forward, strike, vol, tau)
        for sample, value in (
            (payoffs, g.price),
            (pathwise_delta, g.delta),
            (likelihood_vega, g.vega),
        ):
            error = sample.std(axis=0) / math.sqrt(z.size)
            assert np.all(np.abs(sample.mean(axis=0) - value) < 4.0 * error)


@pytest.mark.parametrize(("vol", "tau"), [(0.0, 0.5), (0.8, 0.0), (0.0, 0.0), (1e-19, 0.5)])
def test_no_uncertainty_left_is_intrinsic(vol, tau):
    calls = np.array([True, True, True, False, False, False])
    forward = np.array([110.0, 100.0, 90.0, 110.0, 100.0, 90.0])
    g = black76.greeks(calls, forward, 100.0, vol, tau)
    assert g.price.tolist() == [10.0, 0.0, 0.0, 0.0, 0.0, 10.0]
    assert g.delta.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
    for name in ("gamma", "vega", "theta"):
        assert getattr(g, name).tolist() == [0.0] * 6


def test_far_options_keep_their_relative_accuracy():
    """Deep out of the money, against 40 digits by mpmath: the tail must not be 1 - (1 - tiny)."""
    with mpmath.workdps(40):
        exact = float(by_mpmath(True, 100.0, 500.0, 0.8, 0.0625)[0])
    assert 0.0 < exact < 1e-12
    assert one(True, 100.0, 500.0, 0.8, 0.0625)["price"] == pytest.approx(exact, rel=1e-11)
