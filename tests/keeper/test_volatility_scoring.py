"""QLIKE, Diebold-Mariano and the demotion rule."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from keeper.errors import DataError
from keeper.volatility.scoring import DemotionRule, diebold_mariano, qlike


def test_qlike_by_hand():
    assert qlike([2.0, 1.0, 1.0], [1.0, 1.0, 2.0]) == pytest.approx(
        [1 - math.log(2), 0.0, math.log(2) - 0.5]
    )


def test_qlike_is_least_at_the_true_mean():
    """Noise in the realised variance moves the loss, never the best forecast."""
    noisy = np.random.default_rng(1).gamma(2.0, 0.5, 50_000)
    level = np.linspace(0.8, 1.2, 81)
    losses = [qlike(noisy, np.full(noisy.size, x)).mean() for x in level]
    assert level[int(np.argmin(losses))] == pytest.approx(noisy.mean(), abs=0.006)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0])
def test_qlike_refuses(bad):
    for realised, forecast in (([1.0, bad], [1.0, 1.0]), ([1.0, 1.0], [1.0, bad])):
        with pytest.raises(DataError, match="row 1"):
            qlike(realised, forecast)


@pytest.mark.parametrize("pair", [([], []), ([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]])])
def test_qlike_refuses_shapes(pair):
    with pytest.raises(DataError, match="1-d"):
        qlike(*pair)


def test_diebold_mariano_agrees_with_statsmodels():
    """Newey-West of a mean is a regression on a constant."""
    dice = np.random.default_rng(3)
    gain = np.convolve(dice.standard_normal(606), np.ones(7) / 7, "valid") + 0.05
    base = np.abs(dice.standard_normal(gain.size)) + 1
    peer = sm.OLS(gain, np.ones(gain.size)).fit(
        cov_type="HAC", cov_kwds={"maxlags": 14, "use_correction": False}
    )
    assert diebold_mariano(base - gain, base, 7) == pytest.approx(peer.tvalues[0], rel=1e-9)


def test_overlap_is_not_taken_for_evidence():
    """Losses of overlapping targets: |t| above 2 about one time in twenty, not half of the times."""
    dice = np.random.default_rng(4)
    walks = [np.convolve(dice.standard_normal(1_029), np.ones(30), "valid") for _ in range(200)]
    often = np.mean([abs(diebold_mariano(w, np.zeros(w.size), 30)) > 1.96 for w in walks])
    assert often < 0.15
    naive = np.mean([abs(w.mean() / w.std() * math.sqrt(w.size)) > 1.96 for w in walks])
    assert naive > 0.5


def test_diebold_mariano_signs_and_edges():
    base = np.random.default_rng(5).random(200)
    assert diebold_mariano(base, base, 1) == 0.0
    assert diebold_mariano(base - 1.0, base, 1) > 1e6
    for mine, theirs, horizon in (
        (base[:10], base[:10], 7),
        (base, base[:-1], 1),
        (np.r_[base[:-1], math.nan], base, 1),
        (base, base, 0),
    ):
        with pytest.raises(DataError):
            diebold_mariano(mine, theirs, horizon)


def test_a_model_that_stops_winning_is_demoted_and_must_earn_its_place():
    dice = np.random.default_rng(6)
    noise, base = 0.3 * dice.standard_normal(900), np.ones(900)
    good, bad = base - 0.1 + noise, base + 0.1 + noise
    rule = DemotionRule(window=250)
    assert rule.judge(good, base, 1, promoted=True).promoted
    lost = rule.judge(np.r_[good, bad[:250]], np.r_[base, base[:250]], 1, promoted=True)
    assert not lost.promoted
    assert lost.t < 0.0
    even = noise - noise[-250:].mean()
    draw = base - 0.03 * even.std() + even
    between = rule.judge(draw, base, 1, promoted=True)
    assert 0.0 <= between.t < 1.0, "the case must lie between the bars"
    assert between.promoted
    assert not rule.judge(draw, base, 1, promoted=False).promoted
    assert rule.judge(good, base, 1, promoted=False).promoted


def test_a_rule_that_makes_no_sense_is_refused():
    for arguments in ({"window": 3}, {"demote_below": 2.0, "promote_above": 1.0}):
        with pytest.raises(DataError):
            DemotionRule(**arguments)
