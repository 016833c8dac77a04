"""Black-Scholes with interest and yield: textbook pages, QuantLib with its rates, finite differences, bad input."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.pricing import black_scholes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SWIG's own deprecations at import
    import QuantLib

NAMES = ("price", "delta", "gamma", "vega", "theta", "vanna", "volga")

# Haug (2007), "The complete guide to option pricing formulas", chapters 1 and 2:
# greek, is_call, spot, strike, years, rate, yield, vol, value, half a unit of its last digit.
HAUG = [
    ("price", True, 60.0, 65.0, 0.25, 0.08, 0.00, 0.30, 2.1334, 5e-5),
    ("price", False, 100.0, 95.0, 0.50, 0.10, 0.05, 0.20, 2.4648, 5e-5),
    ("price", True, 1.56, 1.60, 0.50, 0.06, 0.08, 0.12, 0.0291, 5e-5),
    ("delta", True, 105.0, 100.0, 0.50, 0.10, 0.10, 0.36, 0.5946, 5e-5),
    ("delta", False, 105.0, 100.0, 0.50, 0.10, 0.10, 0.36, -0.3566, 5e-5),
    ("gamma", True, 55.0, 60.0, 0.75, 0.10, 0.00, 0.30, 0.0278, 5e-5),
    ("vega", False, 55.0, 60.0, 0.75, 0.10, 0.00, 0.30, 18.9358, 5e-5),
    ("theta", False, 430.0, 405.0, 1 / 12, 0.07, 0.05, 0.20, -31.1924, 5e-3),
    ("vanna", False, 90.0, 80.0, 0.25, 0.05, 0.00, 0.20, -1.0008, 5e-4),
    ("volga", False, 90.0, 130.0, 0.75, 0.05, 0.05, 0.28, 92.3444, 5e-4),
]


@pytest.mark.parametrize("row", HAUG, ids=lambda row: f"{row[0]}-{row[-2]}")
def test_textbook(row):
    name, is_call, spot, strike, tau, rate, dividend, vol, value, slack = row
    g = black_scholes.greeks(is_call, spot, strike, vol, tau, rate=rate, dividend_yield=dividend)
    assert float(getattr(g, name)) == pytest.approx(value, abs=slack)


def by_quantlib(is_call, s, k, vol, t, r, q):
    kind = QuantLib.Option.Call if is_call else QuantLib.Option.Put
    forward, discount = s * math.exp((r - q) * t), math.exp(-r * t)
    payoff = QuantLib.PlainVanillaPayoff(kind, k)
    b = QuantLib.BlackCalculator(payoff, forward, vol * math.sqrt(t), discount)
    return b.value(), b.delta(s), b.gamma(s), b.vega(t), b.theta(s, t)


def test_against_quantlib_on_a_grid():
    ratios, vols = np.exp(np.linspace(-1.0, 1.0, 21)), [0.05, 0.2, 0.8, 2.0]
    for r, q in ((0.0, 0.0), (0.05, 0.0), (0.02, 0.3), (-0.01, -0.5)):
        rows = list(
            itertools.product([True, False], [2.0, 1900.0], ratios, vols, [1 / 365, 0.25, 2.0])
        )
        calls, spot, ratio, vol, tau = (np.array(c) for c in zip(*rows, strict=True))
        strike = spot * ratio
        g = black_scholes.greeks(calls, spot, strike, vol, tau, rate=r, dividend_yield=q)
        expected = [
            by_quantlib(bool(c), *map(float, row), r, q)
            for c, *row in zip(calls, spot, strike, vol, tau, strict=True)
        ]
        root = np.sqrt(tau)
        carried = np.exp(abs(r - q) * tau) * np.exp(abs(r) * tau)
        scale = (spot, 1.0, 1.0 / (spot * vol * root), spot * root, spot * (vol / root + 1.0))
        for name, column, size in zip(NAMES, np.array(expected).T, scale, strict=False):
            assert np.max(np.abs(getattr(g, name) - column) / (size * carried)) <= 1e-12, (
                name,
                r,
                q,
            )


options = st.tuples(
    st.booleans(),
    st.floats(50.0, 5_000.0),
    st.floats(-1.0, 1.0),
    st.floats(0.1, 2.0),
    st.floats(1 / 365, 2.0),
    st.floats(-0.1, 0.3),
    st.floats(-0.2, 0.5),
)


@given(options)
def test_finite_differences(o):
    """Each Greek is the slope of the one below it: every step is checked against a value that has been."""
    is_call, spot, k, vol, tau, r, q = o
    strike = spot * math.exp(k * vol * math.sqrt(tau))

    def at(ds=0.0, dv=0.0, dt=0.0):
        return black_scholes.greeks(
            is_call, spot + ds, strike, vol + dv, tau + dt, rate=r, dividend_yield=q
        )

    def slope(name, **step):
        ((key, h),) = step.items()
        up, down = at(**{key: h}), at(**{key: -h})
        return float(getattr(up, name) - getattr(down, name)) / (2 * h)

    g, root, growth = at(), math.sqrt(tau), math.exp((abs(r) + abs(q)) * tau)
    hs, hv, ht = spot * vol * root * 1e-4, vol * 1e-4, tau * 1e-4
    assert slope("price", ds=hs) == pytest.approx(float(g.delta), abs=1e-6 * growth)
    assert slope("delta", ds=hs) == pytest.approx(
        float(g.gamma), abs=1e-6 * growth / (spot * vol * root)
    )
    assert slope("price", dv=hv) == pytest.approx(float(g.vega), abs=1e-6 * growth * spot * root)
    assert -slope("price", dt=ht) == pytest.approx(
        float(g.theta), abs=1e-6 * growth * spot * (vol / root + 1.0)
    )
    assert slope("delta", dv=hv) == pytest.approx(float(g.vanna), abs=1e-6 * growth / vol)
    assert slope("vega", ds=hs) == pytest.approx(float(g.vanna), abs=1e-6 * growth / vol)
    assert slope("vega", dv=hv) == pytest.approx(
        float(g.volga), abs=1e-6 * growth * spot * root / vol
    )


@given(options)
def test_parity(o):
    _, spot, k, vol, tau, r, q = o
    strike = spot * math.exp(k)
    call, put = (
        black_scholes.greeks(kind, spot, strike, vol, tau, rate=r, dividend_yield=q)
        for kind in (True, False)
    )
    held, owed = spot * math.exp(-q * tau), strike * math.exp(-r * tau)
    assert float(call.price - put.price) == pytest.approx(held - owed, abs=1e-13 * (held + owed))
    assert float(call.delta - put.delta) == pytest.approx(math.exp(-q * tau), rel=1e-13)
    carried = (abs(r) + abs(q) + 1.0) * (held + owed)
    assert float(call.theta - put.theta) == pytest.approx(q * held - r * owed, abs=1e-12 * carried)
    for name in ("gamma", "vega", "vanna", "volga"):
        assert getattr(call, name) == getattr(put, name)


@pytest.mark.parametrize("name", ["rate", "dividend_yield"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -10.5])
def test_bad_rates_are_named(name, value):
    with pytest.raises(PricingError, match=name):
        black_scholes.greeks(True, 100.0, 100.0, 0.5, 0.1, **{name: value})


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"spot": 0.0}, "spot"),
        ({"spot": math.nan}, "spot"),
        ({"tau_years": -1.0}, "tau_years"),
        ({"tau_years": math.inf}, "tau_years"),
        ({"spot": np.ones(2), "tau_years": np.ones(3)}, "tau_years"),
        ({"vol": 11.0}, "vol"),
        ({"strike": "far"}, "strike"),
        ({"rate": 10.0, "tau_years": 10.0}, "forward"),
    ],
)
def test_bad_input_is_named(changes, name):
    good = {"is_call": True, "spot": 100.0, "strike": 100.0, "vol": 0.5, "tau_years": 0.1}
    with pytest.raises(PricingError, match=rf"^{name} "):
        black_scholes.greeks(**{**good, **changes})
