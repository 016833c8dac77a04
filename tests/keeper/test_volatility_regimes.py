"""Markov regimes: the filter against hmmlearn, recovery of known states, nothing of the future."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM

from keeper.errors import DataError
from keeper.volatility.regimes import fit_regimes, regimes_walk
from tests.keeper.volatility_world import DAY, START, altered_after, daily_panel

MEANS, SPREAD, STAY = np.array([-8.0, -6.5, -5.0]), 0.5, 0.95


@pytest.fixture(scope="module")
def chain():
    dice = np.random.default_rng(11)
    state = np.zeros(1_500, dtype=int)
    for row in range(1, state.size):
        stays = dice.random() < STAY
        state[row] = state[row - 1] if stays else (state[row - 1] + dice.integers(1, 3)) % 3
    return state, MEANS[state] + SPREAD * dice.standard_normal(state.size)


@pytest.fixture(scope="module")
def model(chain):
    return fit_regimes(chain[1])


def test_known_parameters_come_back(chain, model):
    assert model.mean == pytest.approx(MEANS, abs=0.1)
    assert model.deviation == pytest.approx(np.full(3, SPREAD), rel=0.15)
    assert np.diag(model.transition) == pytest.approx(np.full(3, STAY), abs=0.03)
    assert model.transition.sum(axis=1) == pytest.approx(np.ones(3))
    assert (model.filtered(chain[1]).argmax(axis=1) == chain[0]).mean() > 0.93


def test_filter_agrees_with_hmmlearn(chain, model):
    """The smoothed probability by hmmlearn of the last row of a prefix is the filtered one."""
    peer = GaussianHMM(3, covariance_type="diag")
    peer.startprob_, peer.transmat_ = model.start, model.transition
    peer.means_, peer.covars_ = model.mean[:, None], model.deviation[:, None] ** 2
    ours = model.filtered(chain[1])
    for end in (1, 2, 40, 333, 700):
        theirs = peer.predict_proba(chain[1][:end, None])[-1]
        assert ours[end - 1] == pytest.approx(theirs, abs=1e-9)


def test_maximum_is_as_good_as_hmmlearns(chain, model):
    peer = GaussianHMM(3, n_iter=300, tol=1e-4, random_state=1).fit(chain[1][:, None])
    assert model.log_likelihood > peer.score(chain[1][:, None]) - 5.0


def test_filtered_is_not_smoothed(chain, model):
    """A prefix gives bit for bit the same rows, though the future would change a smoothed one."""
    full = model.filtered(chain[1])
    assert np.array_equal(full[:600], model.filtered(chain[1][:600]))


def test_walk_sees_no_future():
    panel = daily_panel(500, implied=False)
    first = START + 400 * DAY
    ours, models = regimes_walk(panel, first)
    theirs, _ = regimes_walk(altered_after(panel, 450), first)
    assert np.isnan(ours[:399]).all()
    assert np.isfinite(ours[399:]).all()
    assert np.array_equal(ours[399:451], theirs[399:451])
    assert not np.array_equal(ours[451:], theirs[451:])
    assert all((np.diff(m.mean) > 0).all() for m in models)


def test_a_missing_row_only_moves_on(chain, model):
    values = chain[1][:50].copy()
    values[30] = math.nan
    filtered = model.filtered(values)
    assert filtered[30] == pytest.approx(filtered[29] @ model.transition)


def test_ahead_tends_to_the_long_run(model):
    long_run = model.ahead([1.0, 0.0, 0.0], 2_000)
    assert long_run @ model.transition == pytest.approx(long_run)
    assert model.ahead([0.2, 0.3, 0.5], 0) == pytest.approx([0.2, 0.3, 0.5])
    with pytest.raises(DataError):
        model.ahead([1.0, 0.0, 0.0], -1)


@pytest.mark.parametrize(
    ("values", "states", "message"),
    [
        (np.ones(500), 3, "do not vary"),
        (np.arange(50.0), 3, "known values"),
        (np.r_[np.arange(500.0), math.inf], 3, "infinities"),
        (np.full(500, math.nan), 3, "known values"),
        (np.ones((200, 2)), 3, "1-d"),
        ([], 2, "known values"),
        (np.arange(500.0), 1, "two states"),
    ],
)
def test_bad_input(values, states, message):
    with pytest.raises(DataError, match=message):
        fit_regimes(values, states)


def test_an_outlier_is_survived(chain):
    values = chain[1].copy()
    values[700] = 60.0
    assert np.isfinite(fit_regimes(values).filtered(values)).all()
