"""Where the Greeks are defined, how arrays are handled, and what is refused."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from keeper.errors import PricingError
from keeper.pricing import black76

NAMES = ("price", "delta", "gamma", "vega", "theta")


def test_no_rounding_leaves_the_bounds():
    """Deep in the money the formula alone falls below intrinsic by a unit in the last place, one in two hundred."""
    rng = np.random.default_rng(11)
    calls = rng.random(50_000) < 0.5
    forward = rng.uniform(50.0, 500.0, calls.size)
    strike = forward * np.exp(rng.uniform(-1.0, 1.0, calls.size))
    price = black76.price(calls, forward, strike, rng.uniform(0.05, 1.0, calls.size), 7 / 365)
    assert np.all(price >= np.maximum(np.where(calls, forward - strike, strike - forward), 0.0))
    assert np.all(price <= np.where(calls, forward, strike))


def test_extremes_give_no_nan_and_no_warning():
    calls = np.array([True, False] * 4)
    forward = np.array([1e-18, 1e-18, 1e12, 1e12, 1e-18, 1e12, 100.0, 100.0])
    strike = np.array([1e12, 1e12, 1e-18, 1e-18, 1e-18, 1e12, 100.0, 100.0])
    for vol, tau in itertools.product((1e-17, 1e-6, 1.0, 10.0), (1e-12, 3e-8, 1.0, 10.0)):
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            g = black76.greeks(calls, forward, strike, vol, tau)
        for name in NAMES:
            assert np.all(np.isfinite(getattr(g, name))), (name, vol, tau)


@pytest.mark.parametrize("count", [0, 1, 12_287, 12_288, 12_289, 40_001])
def test_blocks_are_seamless(count):
    rng = np.random.default_rng(count)
    calls = rng.random(count) < 0.5
    forward, strike = rng.uniform(50, 500, count), rng.uniform(50, 500, count)
    vol, tau = rng.uniform(0.1, 2, count), rng.uniform(0.0, 1, count)
    tau[::17] = 0.0
    g = black76.greeks(calls, forward, strike, vol, tau)
    for i in {0, count // 2, count - 1} & set(range(count)):
        alone = black76.greeks(bool(calls[i]), forward[i], strike[i], vol[i], tau[i])
        for name in NAMES:
            assert getattr(g, name)[i] == pytest.approx(getattr(alone, name), rel=1e-14, abs=0.0)
    assert g.price.shape == (count,)


def test_shapes_scalars_and_untouched_inputs():
    strikes = np.array([[90.0, 100.0], [110.0, 120.0]])
    before = strikes.copy()
    g = black76.greeks(True, 100.0, strikes, 0.5, 0.1)
    assert g.vega.shape == (2, 2)
    assert np.array_equal(strikes, before)
    assert black76.price(True, 100.0, 100.0, 0.5, 0.1).shape == ()


def test_spot_greeks_go_through_the_forward():
    spot, carry, tau, h = 200.0, 0.3, 0.25, 1e-3
    growth = math.exp(carry * tau)
    calls, strike = np.array([True, False]), 210.0
    g = black76.spot_greeks(calls, spot, spot * growth, strike, 0.8, tau)
    up = black76.greeks(calls, (spot + h) * growth, strike, 0.8, tau).price
    mid = black76.greeks(calls, spot * growth, strike, 0.8, tau).price
    down = black76.greeks(calls, (spot - h) * growth, strike, 0.8, tau).price
    assert g.delta == pytest.approx((up - down) / (2 * h), rel=1e-8)
    assert g.gamma == pytest.approx((up - 2 * mid + down) / h**2, rel=1e-3)


GOOD = {"is_call": True, "forward": 100.0, "strike": 100.0, "vol": 0.5, "tau_years": 0.1}


@pytest.mark.parametrize("name", ["forward", "strike", "vol", "tau_years"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e13])
def test_bad_numbers_are_named(name, value):
    bad = np.array([GOOD[name], value])
    with pytest.raises(PricingError, match=rf"^{name} must lie .* at position 1$"):
        black76.greeks(**{**GOOD, "is_call": np.array([True, True]), name: bad})


@pytest.mark.parametrize("name", ["forward", "strike"])
def test_zero_prices_are_refused(name):
    with pytest.raises(PricingError, match=name):
        black76.greeks(**{**GOOD, name: 0.0})


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"is_call": np.array([1, 0])}, "is_call"),
        ({"is_call": [True] * 3, "strike": np.ones(2)}, "strike"),
        ({"vol": np.ones((2, 1)), "forward": np.ones(2)}, "vol"),
        ({"forward": "dear"}, "forward"),
        ({"tau_years": None}, "tau_years"),
        ({"strike": [[1.0], [1.0, 2.0]]}, "strike"),
    ],
)
def test_bad_types_and_shapes_are_named(changes, name):
    with pytest.raises(PricingError, match=rf"^{name} "):
        black76.greeks(**{**GOOD, **changes})


@pytest.mark.parametrize("spot", [0.0, math.nan, np.ones(3)])
def test_bad_spot_is_named(spot):
    with pytest.raises(PricingError, match="spot"):
        black76.spot_greeks(np.array([True, False]), spot, 100.0, 100.0, 0.5, 0.1)
