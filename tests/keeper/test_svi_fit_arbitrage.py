"""No fit holds butterfly or calendar arbitrage where anybody quotes, whatever the quotes say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.pricing import svi_arbitrage
from keeper.pricing.smile_shape import RawSlices, raw_slices
from keeper.pricing.surface_fit import vols_of
from keeper.pricing.svi import butterfly_density
from keeper.pricing.svi_arbitrage import Strikes, find_violations, without_arbitrage
from keeper.pricing.svi_fit import Smiles, fit_smiles
from tests.keeper.surface_world import TRUTH, ssvi_slice
from tests.keeper.test_svi_fit import smiles_of

# Axel Vogt's slice: butterfly arbitrage with well-behaved parameters (Gatheral and Jacquier (2014), section 3.1).
VOGT = (-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)


def raw_of(*slices) -> RawSlices:
    columns = ("a", "b", "rho", "m", "sigma")
    return RawSlices(*(np.array([getattr(s, name) for s in slices]) for name in columns))


def points(*k: float, slices: int = 2) -> Strikes:
    row = np.tile(np.array(k), (slices, 1))
    return Strikes.of(row, np.ones_like(row, dtype=bool))


def fitted(smiles: Smiles):
    fit = fit_smiles(smiles)
    strikes = Strikes.of(smiles.k, smiles.quoted)
    before = find_violations(raw_slices(fit.p, fit.scale), strikes)
    after, refitted = without_arbitrage(fit, strikes)
    return before, after, refitted, strikes


def test_vogts_butterfly_is_found():
    near = raw_of(ssvi_slice(1))
    vogt = RawSlices(*(np.array([value]) for value in VOGT))
    k = np.linspace(-1.5, 1.5, 31)
    assert find_violations(vogt, points(*k, slices=1)).butterfly == (0,)
    assert find_violations(near, points(*np.linspace(-0.1, 0.1, 31), slices=1)).butterfly == ()
    one = replace(ssvi_slice(1), **dict(zip(("a", "b", "rho", "m", "sigma"), VOGT, strict=True)))
    np.testing.assert_allclose(vogt.density_factor(k[None])[0], butterfly_density(one, k))


def test_a_calendar_spread_is_found_where_either_is_quoted_and_nowhere_else():
    """The far smile is cheaper on the left only; a point at which neither is quoted does not count."""
    near, far = ssvi_slice(10, 0.6, rho=0.0), ssvi_slice(12, 0.56, rho=0.7)
    raw = raw_of(near, far)
    assert find_violations(raw, points(-0.15, 0.0)).calendar == ((0, 1),)
    assert find_violations(raw, points(0.15)).calendar == ()
    k, quoted = np.array([[-0.15, 0.0], [0.15, 0.2]]), np.array([[True, False], [True, True]])
    assert find_violations(raw, Strikes.of(k, quoted)).calendar == ((0, 1),)
    quoted[0, 0] = False
    assert find_violations(raw, Strikes.of(k, quoted)).calendar == ()


def test_pairs_that_are_not_neighbours_are_compared():
    """The middle slice is quoted elsewhere, and high enough there; near and far contradict each other."""
    raw = raw_of(ssvi_slice(10, 0.7), ssvi_slice(11, 0.9), ssvi_slice(12, 0.5))
    k = np.zeros((3, 1))
    only = Strikes(np.zeros(1), np.array([[True], [False], [True]]))
    assert (0, 2) in find_violations(raw, only).calendar
    assert set(find_violations(raw, Strikes.of(k, k == 0.0)).calendar) == {(0, 2), (1, 2)}


def test_grid_points_belong_to_their_slice():
    strikes = Strikes.of(np.zeros((2, 1)), np.ones((2, 1), dtype=bool), np.array([[0.1], [0.2]]))
    np.testing.assert_array_equal(strikes.k, [0.0, 0.1, 0.2])
    np.testing.assert_array_equal(strikes.owner, [[True, True, False], [True, False, True]])


def test_a_clean_fit_is_left_alone():
    before, after, refitted, _ = fitted(smiles_of())
    assert (len(before), refitted) == (0, 0)
    fit = fit_smiles(smiles_of())
    np.testing.assert_array_equal(after.a, raw_slices(fit.p, fit.scale).a)


def test_contradicting_expiries_meet_half_way():
    """Total variance is quoted to fall by 4 %: both slices move, each by about half, none by more than two thirds."""
    truth = (ssvi_slice(10, 0.60), ssvi_slice(11, 0.60 * np.sqrt(0.96 * 10 / 11)))
    smiles = smiles_of(truth)
    before, after, refitted, strikes = fitted(smiles)
    assert before.calendar == ((0, 1),)
    assert refitted == 2
    assert len(find_violations(after, strikes)) == 0
    change = vols_of(after, smiles.k, smiles.tau_years) / smiles.mid_vol - 1.0
    assert (change[0] < -0.003).all()
    assert (change[1] > 0.003).all()
    assert np.abs(change).max() < 0.0134


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), noise=st.floats(0.0, 0.4), count=st.integers(1, 12))
def test_no_quotes_whatever_give_arbitrage(seed, noise, count):
    """Mids that are mostly noise: smiles that no model made, terms that fall. The fit stays free of arbitrage."""
    dice = np.random.default_rng(seed)
    days = np.cumsum(dice.uniform(0.2, 20.0, 5))
    smiles = smiles_of(tuple(ssvi_slice(float(d), 0.6) for d in days), count)
    mid = smiles.mid_vol * np.exp(dice.normal(0.0, noise, smiles.mid_vol.shape))
    mid *= np.exp(dice.normal(0.0, noise, (5, 1)))
    quoted = dice.random(mid.shape) < 0.8
    quoted[:, 0] = True
    wild = Smiles(smiles.k, mid, smiles.half_width, quoted, smiles.tau_years)
    _, after, _, strikes = fitted(wild)
    assert len(find_violations(after, strikes)) == 0
    assert (after.least_variance() >= -1e-12).all()


def test_force_ends_what_penalties_do_not(monkeypatch):
    """With no refit allowed the repair alone frees the surface, and only ever flattens and lifts."""
    monkeypatch.setattr(svi_arbitrage, "REFITS", 0)
    smiles = smiles_of((ssvi_slice(10, 0.7), ssvi_slice(11, 0.5), ssvi_slice(12, 0.6)))
    before, after, _, strikes = fitted(smiles)
    assert before.calendar
    assert len(find_violations(after, strikes)) == 0
    raw = raw_slices(*(lambda f: (f.p, f.scale))(fit_smiles(smiles)))
    assert (after.a >= raw.a - 1e-15).all()
    vogt = RawSlices(*(np.array([value]) for value in VOGT))
    wide = points(*np.linspace(-1.5, 1.5, 61), slices=1)
    flat = svi_arbitrage._repaired(vogt, wide)
    assert len(find_violations(flat, wide)) == 0
    assert flat.variance(np.zeros((1, 1))) == pytest.approx(vogt.variance(np.zeros((1, 1))))


def test_what_cannot_be_freed_is_refused(monkeypatch):
    monkeypatch.setattr(svi_arbitrage, "REPAIRS", 1)
    vogt = RawSlices(*(np.array([value]) for value in VOGT))
    with pytest.raises(PricingError, match="cannot be freed"):
        svi_arbitrage._repaired(vogt, points(*np.linspace(-1.5, 1.5, 61), slices=1))


def test_truth_holds_none():
    """The slices that the other tests build on."""
    raw = raw_of(*TRUTH)
    assert len(find_violations(raw, points(*np.linspace(-1.0, 1.0, 101), slices=len(TRUTH)))) == 0
