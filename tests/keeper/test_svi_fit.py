"""The fit itself: derivatives, recovery of known slices, independence of padding, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.pricing.smile_shape import (
    curve,
    density_factor,
    least_value,
    raw_slices,
    value_and_jacobian,
)
from keeper.pricing.surface_fit import vols_of
from keeper.pricing.svi import butterfly_density, implied_vol, total_variance
from keeper.pricing.svi_fit import FitSettings, Problem, Smiles, at_the_money, fit_smiles, minimise
from tests.keeper.surface_world import TRUTH, ssvi_slice, strikes_for, years

X = np.linspace(-3.0, 3.0, 9)


def rows(count: int = 4, seed: int = 3) -> np.ndarray:
    dice = np.random.default_rng(seed)
    usual = np.asarray(FitSettings().usual)
    return usual + dice.normal(0.0, 0.4, (count, 5)) * np.array([0.2, 1, 1, 1, 1])


def smiles_of(slices=TRUTH, count: int = 15, width: float = 0.005) -> Smiles:
    k = np.stack([strikes_for(one, count) for one in slices])
    mid = np.stack([implied_vol(one, row) for one, row in zip(slices, k, strict=True)])
    tau = np.array([years(one) for one in slices])
    return Smiles(k, mid, np.full_like(k, width), np.ones_like(k, dtype=bool), tau)


def fitted_vols(smiles: Smiles, k: np.ndarray, **settings) -> np.ndarray:
    fit = fit_smiles(smiles, FitSettings(**settings))
    return vols_of(raw_slices(fit.p, fit.scale), k, smiles.tau_years)


def difference(function, p: np.ndarray, i: int, h: float = 1e-6) -> np.ndarray:
    step = np.zeros(5)
    step[i] = h
    return (function(p + step) - function(p - step)) / (2 * h)


@pytest.mark.parametrize("i", range(5))
def test_derivatives_against_finite_differences(i):
    p, x, scale = rows(), np.tile(X, (4, 1)), np.array([0.05, 0.1, 0.3, 0.6])
    c = curve(p, x)
    _, g_jacobian = density_factor(p, x, scale)
    checks = (
        (c.jacobian, lambda q: value_and_jacobian(q, x)[0]),
        (c.slope_jacobian, lambda q: curve(q, x).slope),
        (c.bend_jacobian, lambda q: curve(q, x).bend),
        (g_jacobian, lambda q: density_factor(q, x, scale)[0]),
        (least_value(p)[1], lambda q: least_value(q)[0]),
    )
    for jacobian, function in checks:
        np.testing.assert_allclose(jacobian[:, i], difference(function, p, i), rtol=2e-6, atol=2e-7)


def test_slope_and_bend_are_derivatives_in_x():
    p, x, h = rows(), np.tile(X, (4, 1)), 1e-4
    up, here, down = (curve(p, x + s).y for s in (h, 0.0, -h))
    np.testing.assert_allclose(curve(p, x).slope, (up - down) / (2 * h), atol=1e-7)
    np.testing.assert_allclose(curve(p, x).bend, (up - 2 * here + down) / h**2, atol=1e-6)


def test_normalised_and_raw_slices_are_the_same_curve():
    """And the density factor is that of keeper.pricing.svi, written down a second time."""
    p, scale = rows(), np.array([0.05, 0.1, 0.3, 0.6])
    raw, k = raw_slices(p, scale), X * scale[:, None]
    np.testing.assert_allclose(
        raw.variance(k), value_and_jacobian(p, X + 0 * k)[0] * scale[:, None] ** 2
    )
    np.testing.assert_allclose(
        raw.density_factor(k), density_factor(p, X + 0 * k, scale)[0], rtol=1e-9
    )
    for i in range(4):
        one = ssvi_slice(3)
        one = type(one)(
            one.expiry_s, raw.a[i], raw.b[i], raw.rho[i], raw.m[i], raw.sigma[i], 0.0, 0
        )
        np.testing.assert_allclose(raw.variance(k)[i], total_variance(one, k[i]))
        np.testing.assert_allclose(raw.density_factor(k)[i], butterfly_density(one, k[i]))
    assert (raw.least_variance() <= raw.variance(k).min(axis=1)).all()
    np.testing.assert_allclose(raw.least_variance(), least_value(p)[0][:, 0] * scale**2, atol=1e-12)


def test_exact_quotes_are_met():
    """Without noise, with tight quotes, the true smile comes back: to a tenth of a point, with patience fully."""
    smiles = smiles_of(width=0.002)
    np.testing.assert_allclose(fitted_vols(smiles, smiles.k), smiles.mid_vol, atol=1e-3)
    np.testing.assert_allclose(fitted_vols(smiles, smiles.k, rounds=60), smiles.mid_vol, atol=3e-5)


@settings(max_examples=80)
@given(
    vol=st.floats(0.2, 2.0),
    rho=st.floats(-0.6, 0.6),
    eta=st.floats(0.3, 1.2),
    shift=st.floats(-0.1, 0.1),
)
def test_any_smile_is_met_between_its_quotes(vol, rho, eta, shift):
    """Every other quote left out: the fit is well inside the left-out quotes' band, which is 0.01 x volatility wide."""
    truth = tuple(
        ssvi_slice(days, vol, rho + shift * i / 4, eta) for i, days in enumerate((2, 9, 30, 80))
    )
    whole = smiles_of(truth, 17, width=0.01 * vol)
    half = np.zeros_like(whole.quoted)
    half[:, ::2] = True
    found = fitted_vols(whole.only(half), whole.k)
    assert np.abs(found - whole.mid_vol)[~half].max() < 0.008 * vol


def test_padding_counts_for_nothing():
    smiles = smiles_of()
    padded = Smiles(
        np.pad(smiles.k, ((0, 0), (0, 4)), constant_values=0.7),
        np.pad(smiles.mid_vol, ((0, 0), (0, 4)), constant_values=9.0),
        np.pad(smiles.half_width, ((0, 0), (0, 4)), constant_values=0.001),
        np.pad(smiles.quoted, ((0, 0), (0, 4))),
        smiles.tau_years,
    )
    np.testing.assert_allclose(
        fitted_vols(padded, smiles.k), fitted_vols(smiles, smiles.k), rtol=1e-7
    )


def test_a_slice_alone_and_a_single_quote_are_fitted():
    one = smiles_of(TRUTH[3:4])
    np.testing.assert_allclose(fitted_vols(one, one.k), one.mid_vol, atol=2e-3)
    quoted = np.zeros_like(one.quoted)
    quoted[0, 7] = True
    found = fitted_vols(one.only(quoted), one.k)
    assert found[0, 7] == pytest.approx(one.mid_vol[0, 7], abs=2e-3)
    assert np.isfinite(found).all()


def test_neighbours_lend_their_shape_to_a_sparse_slice():
    """Three quotes near the money: the skew further out comes from the expiries around."""
    smiles = smiles_of(tuple(ssvi_slice(d, rho=-0.6) for d in (20, 30, 45)))
    few = smiles.quoted.copy()
    few[1] = False
    few[1, 6:9] = True
    together = fitted_vols(smiles.only(few), smiles.k)[1]
    alone = Smiles(
        *(a[1:2] for a in (smiles.k, smiles.mid_vol, smiles.half_width, few)), smiles.tau_years[1:2]
    )
    apart = fitted_vols(alone, smiles.k[1:2])[0]
    miss = np.abs(together - smiles.mid_vol[1]).max(), np.abs(apart - smiles.mid_vol[1]).max()
    assert miss[0] < 0.01 < miss[1]


def test_an_outlier_does_not_pull_the_smile():
    smiles = smiles_of()
    mid = smiles.mid_vol.copy()
    mid[2, 4] += 0.10
    wrong = Smiles(smiles.k, mid, smiles.half_width, smiles.quoted, smiles.tau_years)
    found = fitted_vols(wrong, smiles.k)
    pull = np.abs(found - smiles.mid_vol)[2].max()
    loose = np.abs(fitted_vols(wrong, smiles.k, outlier=1e9) - smiles.mid_vol)[2].max()
    assert pull < 0.005 < 0.015 < loose


def test_the_loss_never_rises():
    smiles = smiles_of()
    fit = fit_smiles(smiles)
    problem: Problem = fit.problem
    start = rows(5, seed=9)
    losses = [problem.loss(minimise(problem, start, n))[0] for n in range(12)]
    assert (np.diff(np.array(losses), axis=0) <= 1e-9).all()
    assert (losses[-1] < losses[0]).all()


def test_at_the_money_between_quotes_and_for_one_quote():
    smiles = smiles_of(TRUTH, 14)  # none at k = 0
    weight = np.ones_like(smiles.k)
    level = at_the_money(smiles.k, smiles.mid_vol, weight)
    np.testing.assert_allclose(level, [float(implied_vol(one, 0.0)) for one in TRUTH], rtol=0.02)
    only = np.zeros_like(weight)
    only[:, 0] = 1.0
    np.testing.assert_allclose(
        at_the_money(smiles.k, smiles.mid_vol, only), smiles.mid_vol[:, 0], rtol=0.01
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("k", np.nan, "NaN"),
        ("mid_vol", -0.1, "positive"),
        ("half_width", -0.1, "positive"),
        ("tau_years", 0.0, "ascending"),
        ("quoted", False, "no quote"),
    ],
)
def test_bad_smiles_are_refused(field, value, message):
    good = smiles_of()
    arrays = {
        f: getattr(good, f).copy() for f in ("k", "mid_vol", "half_width", "quoted", "tau_years")
    }
    arrays[field][0] = value
    with pytest.raises(PricingError, match=message):
        Smiles(**arrays)


def test_shapes_must_fit():
    good = smiles_of()
    with pytest.raises(PricingError, match="shapes"):
        Smiles(good.k[:, :3], good.mid_vol, good.half_width, good.quoted, good.tau_years)
