"""Every Greek at its limits, and gamma and theta by Monte Carlo (the others: test_pricing_black76, _cross_greeks)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keeper.pricing import black76

ALL = ("price", "delta", "gamma", "vega", "theta", "vanna", "volga")


def one(is_call, forward, strike, vol, tau):
    g = black76.greeks(is_call, forward, strike, vol, tau, cross=True)
    return {name: float(getattr(g, name)) for name in ALL}


@pytest.mark.parametrize("is_call", [True, False])
def test_far_from_the_money_an_option_is_a_forward_or_nothing(is_call):
    sign = 1.0 if is_call else -1.0
    deep = one(is_call, 100.0, 100.0 * math.exp(-4.0 * sign), 0.5, 0.25)
    gone = one(is_call, 100.0, 100.0 * math.exp(4.0 * sign), 0.5, 0.25)
    assert deep["price"] == pytest.approx(sign * (100.0 - 100.0 * math.exp(-4.0 * sign)), rel=1e-14)
    assert deep["delta"] == sign
    assert gone["price"] == pytest.approx(0.0, abs=1e-40)
    assert gone["delta"] == pytest.approx(0.0, abs=1e-40)
    for name in ALL[2:]:
        assert abs(deep[name]) < 1e-40
        assert abs(gone[name]) < 1e-40


@pytest.mark.parametrize("is_call", [True, False])
def test_at_the_money_a_short_option_is_bacheliers(is_call):
    """As s = vol sqrt(tau) goes to 0, to relative s^2/8 at most (Brenner and Subrahmanyam, 1988)."""
    forward, vol = 100.0, 0.8
    for tau in (1e-4, 1e-6, 1e-8):
        root, g = math.sqrt(tau), one(is_call, forward, forward, vol, tau)
        s = vol * root
        peak = 1.0 / math.sqrt(2.0 * math.pi)
        limits = {
            "price": forward * s * peak,
            "delta": (0.5 if is_call else -0.5) + s * peak / 2,
            "gamma": peak / (forward * s),
            "vega": forward * root * peak,
            "theta": -forward * vol * peak / (2 * root),
            "vanna": peak * root / 2,
            "volga": -forward * root * peak * s * s / (4 * vol),
        }
        for name, limit in limits.items():
            assert g[name] == pytest.approx(limit, rel=0.2 * s * s + 1e-11), (name, tau)


@pytest.mark.parametrize("is_call", [True, False])
def test_without_end_of_volatility_the_price_is_its_bound(is_call):
    g = one(is_call, 100.0, 80.0, 10.0, 10.0)
    assert g["price"] == pytest.approx(100.0 if is_call else 80.0, rel=1e-14)
    assert g["delta"] == pytest.approx(1.0 if is_call else 0.0, abs=1e-14)
    for name in ALL[2:]:
        assert abs(g[name]) < 1e-38


def test_gamma_and_theta_by_monte_carlo():
    """Likelihood-ratio weights on the payoff: second order in the forward, first in the time left."""
    forward, strike, vol, tau = 190.0, np.array([150.0, 190.0, 240.0]), 0.9, 30 / 365
    s = vol * math.sqrt(tau)
    z = np.random.default_rng(23).standard_normal(400_000)[:, None]
    end = forward * np.exp(s * z - s * s / 2)
    by_forward = (z * z - 1.0 - s * z) / (forward * s) ** 2
    by_time = ((z * z - 1.0) / vol - math.sqrt(tau) * z) * vol / (2.0 * tau)
    for is_call, sign in ((True, 1.0), (False, -1.0)):
        payoffs = np.maximum(sign * (end - strike), 0.0)
        g = black76.greeks(np.full(3, is_call), forward, strike, vol, tau)
        for sample, value in ((payoffs * by_forward, g.gamma), (-payoffs * by_time, g.theta)):
            error = sample.std(axis=0) / math.sqrt(z.size)
            assert np.all(np.abs(sample.mean(axis=0) - value) < 4.0 * error)
