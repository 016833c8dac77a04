"""The edge of a vega sold, its errors, and the shares of Kelly that uncertainty and drawdown leave: by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.policies.sizing_edge import (
    ErrorModel,
    drawdown_fraction,
    error_model,
    profit_model,
    shrink_for_uncertainty,
    vol_edge,
)

STEPS, TAU = 400, 30 / 365


def hedged_profit(sold, real, strikes, weights):
    """Mean profit per vega of out-of-the-money options sold at one volatility, hedged often, by gamma's integral."""
    rng = np.random.default_rng(5)
    s, t = np.full(4_000, 100.0), TAU / STEPS
    profit, vega = np.zeros_like(s), 0.0
    for k in range(STEPS):
        v = sold * math.sqrt(TAU - k * t)
        gamma = np.zeros_like(s)
        for strike, weight in zip(strikes, weights, strict=True):
            d1 = np.log(s / strike) / v + v / 2
            gamma += weight * np.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi) * s / v
        if k == 0:
            vega = gamma[0] * sold * TAU
        move = np.exp(real * math.sqrt(t) * rng.standard_normal(s.size) - real * real * t / 2)
        profit += 0.5 * gamma * (sold * sold * t - (move - 1) ** 2)
        s = s * move
    return profit.mean() / vega


@pytest.mark.parametrize("real", [0.55, 0.8])
def test_the_edge_is_what_a_strip_of_hedged_options_earns(real):
    strikes = np.exp(np.linspace(math.log(20), math.log(500), 160))
    found = hedged_profit(0.7, real, strikes, 1 / strikes)
    assert found == pytest.approx(float(vol_edge(0.7, real)), rel=0.02)


@pytest.mark.parametrize("real", [0.55, 0.8])
def test_one_strike_earns_no_less_than_the_edge_at_the_money(real):
    """There it is I - sigma, which exceeds (I^2 - sigma^2) / 2I by (I - sigma)^2 / 2I."""
    found = hedged_profit(0.7, real, [100.0], [2.0])
    assert found == pytest.approx(0.7 - real, rel=0.03)
    assert found > float(vol_edge(0.7, real))


def test_shrinking_grows_faster_than_betting_the_estimate():
    """Growth over many estimated edges, by its own formula: m'x - x' Omega x / 2."""
    rng = np.random.default_rng(2)
    m, omega, sigma = np.array([0.10, 0.03]), np.diag([0.09, 0.06]), np.diag([0.004, 0.003])
    growth = {"plain": 0.0, "shrunk": 0.0}
    for _ in range(4_000):
        seen = rng.multivariate_normal(m, sigma)
        kelly = np.linalg.solve(omega, seen)
        for name, c in (("plain", 1.0), ("shrunk", shrink_for_uncertainty(seen, omega, sigma))):
            growth[name] += (m @ (c * kelly) - 0.5 * c * c * kelly @ omega @ kelly) / 4_000
    assert growth["shrunk"] > growth["plain"] + 0.005


@pytest.mark.parametrize("c", [0.3, 0.7, 1.0])
def test_the_drawdown_formula_by_simulation(c):
    """Log wealth at a share c of Kelly, s = 0.2 a step: ever down by 30 % with probability 0.7^(2/c - 1)."""
    rng, paths = np.random.default_rng(11), 20_000
    s = 0.05
    wealth, least = np.zeros(paths), np.zeros(paths)
    for _ in range(8_000):
        wealth += s * s * (c - c * c / 2) + s * c * rng.standard_normal(paths)
        np.minimum(least, wealth, out=least)
    seen = float(np.mean(least <= math.log(0.7) + 0.58 * s * c))
    stated = 0.7 ** (2 / c - 1)
    assert seen == pytest.approx(stated, rel=0.05, abs=0.004)
    assert drawdown_fraction(0.3, stated) == pytest.approx(c)


def test_the_model_of_a_history():
    """Newey and West's variance of the mean against simulation: moving averages of 5 shocks, 3 of them shared."""
    rng = np.random.default_rng(8)
    means, stated = [], []
    for _ in range(300):
        shocks = 0.1 * rng.standard_normal((604, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
        rows = sum(shocks[k : 600 + k] for k in range(5)) / math.sqrt(5)
        means.append(rows.mean(axis=0))
        stated.append(error_model(rows, overlap=8).mean_covariance)
    seen = np.cov(np.array(means).T)
    assert np.mean(stated, axis=0) == pytest.approx(seen, rel=0.3)
    model = error_model(rows, overlap=5, shrinkage=1.0)
    assert model.covariance[0, 1] == 0.0
    assert model.covariance[0, 0] == pytest.approx(rows[:, 0].var(ddof=1))


@given(st.floats(0.2, 1.5), st.floats(0.2, 1.5), st.floats(0.05, 2.0), st.floats(0.0, 3.0))
def test_a_surer_edge_keeps_more_of_kelly(implied, forecast, deviation, doubt):
    """One bet: 1 - (standard error / edge)^2, and 0 where the edge is within its error."""
    one = np.array([[deviation**2]])
    edge, covariance, own = profit_model(
        np.array([implied]), np.array([forecast]), ErrorModel(one, doubt**2 * one)
    )
    share = shrink_for_uncertainty(edge, covariance, own)
    if edge[0] == 0.0:
        assert share == 0.0
    else:
        error = doubt * deviation * forecast**2 / (2 * implied)
        assert share == pytest.approx(max(0.0, 1 - (error / edge[0]) ** 2), abs=1e-9)
    assert 0.0 <= share <= 1.0


I2 = np.eye(2)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: ErrorModel(np.ones((2, 2)), I2), "singular"),
        (lambda: ErrorModel(I2, np.eye(3)), "one row"),
        (lambda: ErrorModel(np.array([[1.0, 2.0], [2.0, 1.0]]), I2), "negative eigenvalue"),
        (lambda: ErrorModel(np.array([[1.0, 0.5], [0.1, 1.0]]), I2), "not symmetric"),
        (lambda: ErrorModel(I2 * math.nan, I2), "not finite"),
        (lambda: ErrorModel(np.ones(2), I2), "square"),
        (lambda: error_model(np.zeros((10, 1)), 1), "10 rows"),
        (lambda: error_model(np.zeros((30, 1)), 10), "overlap of 10"),
        (lambda: error_model(np.full((50, 1), math.nan), 1), "finite"),
        (lambda: error_model(np.full((50, 1), -1.5), 1), "at least -1"),
        (lambda: error_model(np.zeros(50), 1), "shape"),
        (lambda: error_model(np.zeros((50, 1)), 1, 1.5), "shrinkage"),
        (lambda: error_model(np.zeros((50, 1)), 1), "singular"),
        (lambda: drawdown_fraction(0.0, 0.5), "drawdown"),
        (lambda: drawdown_fraction(0.5, math.nan), "probability"),
        (lambda: vol_edge(math.nan, 0.5), "implied"),
        (lambda: vol_edge(0.5, [0.5, -1.0]), "forecast"),
    ],
)
def test_bad_input_is_named(call, names):
    with pytest.raises(PricingError, match=names):
        call()
