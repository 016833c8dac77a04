"""Vanna and volga: 40 digits, limits, finite differences, symmetry, Monte Carlo; and the kernel's normal tail.

The textbook's values are in test_pricing_black_scholes.py.
"""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.pricing import black76
from keeper.pricing.black_kernel import MillsScratch

BASE = ("price", "delta", "gamma", "vega", "theta")


def one(is_call, forward, strike, vol, tau):
    return black76.greeks(is_call, forward, strike, vol, tau, cross=True)


def test_the_normal_tail_keeps_its_relative_accuracy():
    x = np.concatenate([np.linspace(0.0, 1.0, 400), np.linspace(1.0, 38.4, 1_600)])
    scratch = MillsScratch(x.size)
    scratch.x[:] = x
    with mpmath.workdps(40):
        exact = np.array([float(mpmath.ncdf(-v) / mpmath.npdf(v)) for v in map(mpmath.mpf, x)])
    error = np.abs(scratch.ratio() / exact - 1.0)
    assert error.max() <= 2e-14
    assert error[x < 1.0].max() <= 8e-16


def test_against_40_digits_on_a_dense_grid():
    taus = [1 / 31_536_000, 1 / 8760, 7 / 365, 0.25, 9.5]
    vols = [0.01, 0.2, 0.8, 3.0, 8.0]
    rows = list(
        itertools.product([True, False], [1.0, 190.0], np.exp(np.linspace(-2, 2, 33)), vols, taus)
    )
    calls, forward, ratio, vol, tau = (np.array(c) for c in zip(*rows, strict=True))
    strike = forward * ratio
    g = one(calls, forward, strike, vol, tau)
    exact = []
    with mpmath.workdps(40):
        for f, k, v, t in zip(forward, strike, vol, tau, strict=True):
            f_, k_, v_, t_ = map(mpmath.mpf, (f, k, v, t))
            s = v_ * mpmath.sqrt(t_)
            d1 = mpmath.log(f_ / k_) / s + s / 2
            d2, density = d1 - s, mpmath.npdf(d1)
            exact.append((-density * d2 / v_, f_ * density * mpmath.sqrt(t_) * d1 * d2 / v_))
    vanna, volga = np.array(exact, dtype=float).T
    assert np.max(np.abs(g.vanna - vanna) * vol) <= 3e-15
    assert np.max(np.abs(g.volga - volga) * vol / (forward * np.sqrt(tau))) <= 1e-14


def test_the_other_greeks_are_those_of_the_plain_call():
    rng = np.random.default_rng(3)
    n = 30_011
    calls, vol, tau = rng.random(n) < 0.5, rng.uniform(0, 2, n), rng.uniform(0, 1, n)
    tau[::13] = 0.0
    forward, strike = rng.uniform(50, 500, n), rng.uniform(50, 500, n)
    plain, full = (
        black76.greeks(calls, forward, strike, vol, tau),
        one(calls, forward, strike, vol, tau),
    )
    for name in BASE:
        assert np.array_equal(getattr(plain, name), getattr(full, name))
    for i in (0, 13, 12_000, n - 1):
        alone = one(calls[i], forward[i], strike[i], vol[i], tau[i])
        assert float(alone.vanna) == pytest.approx(full.vanna[i], rel=1e-13)
        assert float(alone.volga) == pytest.approx(full.volga[i], rel=1e-13)


options = st.tuples(
    st.floats(1.0, 1e5), st.floats(-2.5, 2.5), st.floats(0.05, 3.0), st.floats(1 / 8760, 2.0)
)


@given(options, st.booleans())
def test_finite_differences(o, is_call):
    forward, k, vol, tau = o
    root = math.sqrt(tau)
    strike = forward * math.exp(k * vol * root)
    g = one(is_call, forward, strike, vol, tau)
    hv, hf = vol * 1e-4, forward * vol * root * 1e-4
    up, down = (
        one(is_call, forward, strike, vol + hv, tau),
        one(is_call, forward, strike, vol - hv, tau),
    )
    right, left = (
        one(is_call, forward + hf, strike, vol, tau),
        one(is_call, forward - hf, strike, vol, tau),
    )
    assert float(up.delta - down.delta) / (2 * hv) == pytest.approx(float(g.vanna), abs=1e-6 / vol)
    assert float(right.vega - left.vega) / (2 * hf) == pytest.approx(float(g.vanna), abs=1e-6 / vol)
    slope = float(up.vega - down.vega) / (2 * hv)
    assert slope == pytest.approx(float(g.volga), abs=1e-6 * forward * root / vol)


@given(options)
def test_symmetry(o):
    """A put is a call with forward and strike exchanged: volga is the same, calls and puts share both."""
    forward, k, vol, tau = o
    strike = forward * math.exp(k * vol * math.sqrt(tau))
    call, put = one(True, forward, strike, vol, tau), one(False, forward, strike, vol, tau)
    mirrored = one(False, strike, forward, vol, tau)
    assert (call.vanna, call.volga) == (put.vanna, put.volga)
    size = forward * math.sqrt(tau) / vol
    assert float(mirrored.volga) == pytest.approx(float(call.volga), rel=1e-9, abs=1e-12 * size)
    # Euler: the price is homogeneous in forward and strike, and so is vega.
    by_strike = float(mirrored.vanna)
    assert forward * float(call.vanna) + strike * by_strike == pytest.approx(
        float(call.vega), rel=1e-9, abs=1e-12 * (forward + strike) / vol
    )


def test_monte_carlo():
    """Likelihood-ratio weights: of volatility alone on the pathwise delta, and of second order on the payoff."""
    forward, strike, vol, tau = 190.0, np.array([150.0, 190.0, 240.0]), 0.9, 30 / 365
    root = math.sqrt(tau)
    z = np.random.default_rng(17).standard_normal(400_000)[:, None]
    end = forward * np.exp(vol * root * z - vol * vol * tau / 2)
    once = (z * z - 1.0) / vol - root * z
    twice = once * once + (1.0 - 3.0 * z * z) / vol**2 + 3.0 * root * z / vol - tau
    for is_call, sign in ((True, 1.0), (False, -1.0)):
        payoffs = np.maximum(sign * (end - strike), 0.0)
        g = one(np.full(3, is_call), forward, strike, vol, tau)
        delta = sign * (payoffs > 0.0) * end / forward
        for sample, value in ((delta * once, g.vanna), (payoffs * twice, g.volga)):
            error = sample.std(axis=0) / math.sqrt(z.size)
            assert np.all(np.abs(sample.mean(axis=0) - value) < 4.0 * error)


@pytest.mark.parametrize(("vol", "tau"), [(0.0, 0.5), (0.8, 0.0), (0.0, 0.0), (1e-19, 0.5)])
def test_nothing_uncertain_has_neither(vol, tau):
    g = one(np.array([True, False]), np.array([110.0, 100.0]), 100.0, vol, tau)
    assert g.vanna.tolist() == g.volga.tolist() == [0.0, 0.0]


def test_extremes_give_no_nan_and_no_warning():
    calls = np.array([True, False] * 4)
    forward = np.array([1e-18, 1e-18, 1e12, 1e12, 1e-18, 1e12, 100.0, 100.0])
    strike = np.array([1e12, 1e12, 1e-18, 1e-18, 1e-18, 1e12, 100.0, 100.0])
    for vol, tau in itertools.product((1e-17, 1e-6, 1.0, 10.0), (1e-12, 3e-8, 1.0, 10.0)):
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            g = one(calls, forward, strike, vol, tau)
        assert np.all(np.isfinite(g.vanna))
        assert np.all(np.isfinite(g.volga))


def test_vanna_goes_through_the_forward():
    spot, growth, h = 200.0, math.exp(0.3 * 0.25), 1e-5
    args = (np.array([True, False]), spot, spot * growth, 210.0)
    g = black76.spot_greeks(*args, 0.8, 0.25, cross=True)
    up, down = (black76.spot_greeks(*args, 0.8 + s * h, 0.25) for s in (1, -1))
    assert g.vanna == pytest.approx((up.delta - down.delta) / (2 * h), rel=1e-7)
    assert g.volga == pytest.approx((up.vega - down.vega) / (2 * h), rel=1e-6)
