"""Shrunk correlations against the paper's formulas written out, their gain on known truth, and systemic readings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import DataError
from keeper.portfolio.correlation import (
    aligned_returns,
    correlations,
    standardised_shift,
    systemic_reading,
    turbulence,
)


def draw(seed, rows, assets, rho=0.6):
    rng = np.random.default_rng(seed)
    c = rho + (1 - rho) * np.eye(assets)
    s = np.linspace(0.5, 2.0, assets)
    return rng.standard_normal((rows, assets)) @ np.linalg.cholesky(c).T * s, c * np.outer(s, s)


def paper_shrinkage(x):
    """Appendix B of Ledoit and Wolf (2004), for returns without mean, in loops."""
    t, p = x.shape
    s = x.T @ x / t
    r = [s[i, j] / math.sqrt(s[i, i] * s[j, j]) for i in range(p) for j in range(p) if i < j]
    mean = sum(r) / len(r)
    pi = rho = gamma = 0.0
    for i in range(p):
        for j in range(p):
            f = s[i, i] if i == j else mean * math.sqrt(s[i, i] * s[j, j])
            pij = float(np.mean((x[:, i] * x[:, j] - s[i, j]) ** 2))
            pi += pij
            gamma += (f - s[i, j]) ** 2
            if i == j:
                rho += pij
                continue
            theta = [
                float(np.mean((x[:, k] ** 2 - s[k, k]) * (x[:, i] * x[:, j] - s[i, j])))
                for k in (i, j)
            ]
            rho += mean / 2 * math.sqrt(s[j, j] / s[i, i]) * theta[0]
            rho += mean / 2 * math.sqrt(s[i, i] / s[j, j]) * theta[1]
    return max(0.0, min(1.0, (pi - rho) / gamma / t))


@pytest.mark.parametrize(("rows", "assets"), [(30, 3), (60, 8), (500, 5)])
def test_equal_weights_are_ledoit_and_wolfs(rows, assets):
    """Of assets half of which have a market of their own, so that the target is wrong and its share inside (0, 1)."""
    x = draw(rows, rows, assets)[0]
    x[:, ::2] = draw(rows + 1, rows, assets)[0][:, ::2]
    stated = paper_shrinkage(x)
    assert 0.001 < stated < 0.95
    assert correlations(x, decay=1.0).shrinkage == pytest.approx(stated, rel=1e-9)


@pytest.mark.parametrize("decay", [1.0, 0.94])
def test_shrinkage_brings_it_nearer_to_the_truth(decay):
    lost = {"sample": 0.0, "shrunk": 0.0}
    for seed in range(40):
        x, truth = draw(seed, 60, 12)
        found = correlations(x, decay)
        w = decay ** np.arange(59, -1, -1)
        sample = (x * (w / w.sum())[:, None]).T @ x
        lost["sample"] += float(((sample - truth) ** 2).sum())
        lost["shrunk"] += float(((found.covariance - truth) ** 2).sum())
    assert lost["shrunk"] < 0.8 * lost["sample"]


@given(
    st.integers(0, 10_000),
    st.integers(2, 40),
    st.integers(2, 8),
    st.floats(0.5, 1.0),
    st.sampled_from(["common", "none"]),
)
def test_it_is_always_a_correlation_matrix(seed, rows, assets, decay, target):
    x = draw(seed, rows, assets, rho=0.3)[0]
    found = correlations(x, decay, target)
    assert np.diag(found.correlation) == pytest.approx(np.ones(assets))
    assert np.linalg.eigvalsh(found.covariance)[0] >= -1e-9 * found.covariance.max()
    assert np.abs(found.correlation).max() <= 1.0 + 1e-9
    assert 0.0 <= found.shrinkage <= 1.0
    assert 1.0 <= found.effective_rows <= rows + 1e-9
    scaled = correlations(x * 1e-3, decay, target)
    assert scaled.correlation == pytest.approx(found.correlation, abs=1e-9)
    w = decay ** np.arange(rows - 1, -1, -1)
    assert np.diag(found.covariance) == pytest.approx((w / w.sum()) @ (x * x))


def test_more_rows_shrink_less_unless_the_target_is_true():
    x = draw(1, 20_000, 4)[0]
    x[:, 3] = np.random.default_rng(2).standard_normal(20_000)
    few, many = correlations(x[:60], 1.0), correlations(x, 1.0)
    assert many.shrinkage < 0.02 < few.shrinkage
    independent = np.random.default_rng(3).standard_normal((2_000, 4))
    assert correlations(independent, 1.0, "none").shrinkage > 0.5


def test_the_newest_rows_weigh_most():
    calm, wild = draw(4, 300, 2, rho=0.0)[0], draw(5, 60, 2, rho=0.95)[0]
    found = correlations(np.vstack([calm, wild]), 0.94)
    assert found.correlation[0, 1] > 0.85
    assert correlations(np.vstack([calm, wild]), 1.0).correlation[0, 1] < 0.5
    assert found.effective_rows == pytest.approx(1.94 / 0.06, rel=1e-6)


def test_systemic_readings_at_both_ends():
    alone = systemic_reading(np.eye(10))
    assert (alone.largest_share, alone.absorption) == (pytest.approx(0.1), pytest.approx(0.2))
    assert alone.independent_bets == pytest.approx(10.0)
    one = systemic_reading(np.ones((10, 10)))
    assert (one.largest_share, one.absorption) == (pytest.approx(1.0), pytest.approx(1.0))
    assert one.independent_bets == pytest.approx(1.0)
    half = systemic_reading(0.5 + 0.5 * np.eye(4))
    assert half.largest_share == pytest.approx(2.5 / 4)


@given(st.integers(2, 12), st.floats(0.0, 0.99), st.floats(0.0, 0.99))
def test_more_correlation_is_more_systemic(assets, low, high):
    first, second = sorted((low, high))
    a, b = (systemic_reading(r + (1 - r) * np.eye(assets)) for r in (first, second))
    assert a.largest_share <= b.largest_share + 1e-12
    assert a.absorption <= b.absorption + 1e-12
    assert a.independent_bets >= b.independent_bets - 1e-9


def test_turbulence_is_one_on_average():
    x, truth = draw(7, 20_000, 3)
    assert np.mean([turbulence(row, truth) for row in x]) == pytest.approx(1.0, rel=0.02)
    assert turbulence(3 * np.sqrt(np.diag(truth)), truth) > 1.0


def test_a_shift_is_in_deviations_of_the_year():
    readings = np.r_[np.tile([0.4, 0.6], 118), np.full(16, 0.9)]
    assert standardised_shift(readings) > 2.0
    assert standardised_shift(-readings) < -2.0
    flat = np.tile([0.4, 0.6], 126)
    assert abs(standardised_shift(flat, short=14)) < 1e-9


def test_series_are_aligned_and_gaps_left_out():
    a = ([0, 60, 120, 180, 300, 360], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    b = ([60, 120, 180, 240, 300, 360], [1.0, 3.0, 3.0, 3.0, 9.0, 9.0])
    names, times, returns = aligned_returns({"a": a, "b": b}, 60)
    assert names == ("a", "b")
    assert list(times) == [120, 180, 360]
    assert returns[:, 0] == pytest.approx(np.full(3, math.log(2)))
    assert returns[:, 1] == pytest.approx([math.log(3), 0.0, 0.0])


GOOD = draw(0, 50, 3)[0]


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: correlations(GOOD[:, :1]), "2 assets"),
        (lambda: correlations(GOOD[:1]), "at least 2 rows"),
        (lambda: correlations([]), "shape"),
        (lambda: correlations(np.where(GOOD > 1, np.nan, GOOD)), "holds NaN"),
        (lambda: correlations(GOOD, 0.0), "decay"),
        (lambda: correlations(GOOD, math.nan), "decay"),
        (lambda: correlations(GOOD, 0.9, "identity"), "target"),
        (lambda: correlations(GOOD * [1.0, 0.0, 1.0]), "asset 1 never moves"),
        (lambda: systemic_reading(np.ones((2, 3))), "square"),
        (lambda: systemic_reading(np.eye(3) * 2), "ones"),
        (lambda: systemic_reading([[1.0, 0.5], [0.1, 1.0]]), "symmetric"),
        (lambda: systemic_reading([[1.0, 2.0], [2.0, 1.0]]), "negative eigenvalue"),
        (lambda: systemic_reading(np.eye(2) * math.nan), "finite"),
        (lambda: turbulence([1.0, 1.0], np.ones((2, 2))), "singular"),
        (lambda: turbulence([1.0], np.eye(2)), "do not fit"),
        (lambda: turbulence([1.0, math.nan], np.eye(2)), "NaN"),
        (lambda: standardised_shift(np.ones(10)), "10 readings"),
        (lambda: standardised_shift(np.ones(300)), "do not vary"),
        (lambda: standardised_shift(np.full(300, np.nan)), "NaN"),
        (lambda: aligned_returns({"a": ([0], [1.0])}, 60), "two or more"),
        (lambda: aligned_returns({"a": ([0, 60], [1.0, 1.0]), "b": ([9], [1.0])}, 60), "common"),
        (lambda: aligned_returns({"a": ([60, 0], [1.0, 1.0]), "b": ([9], [1.0])}, 60), "rise"),
        (lambda: aligned_returns({"a": ([0, 60], [1.0, -1.0]), "b": ([9], [1.0])}, 60), "positive"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, names):
    with pytest.raises(DataError, match=names):
        call()
