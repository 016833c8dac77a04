"""The stress warning: it learns what is there to learn, its probabilities are true, it sees no future."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keeper.errors import DataError
from keeper.volatility.warning import fit_warning, stress_events, warning_features, warning_walk
from tests.keeper.volatility_world import DAY, START, altered_after, daily_panel


def events_by_one_cause(count, seed=1):
    """The chance of an event is a known function of the first of three features."""
    dice = np.random.default_rng(seed)
    x = dice.standard_normal((count, 3))
    chance = 1.0 / (1.0 + np.exp(2.0 - 1.5 * x[:, 0]))
    return x, (dice.random(count) < chance).astype(float), chance


@pytest.fixture(scope="module")
def panel():
    return daily_panel(800)


@pytest.mark.parametrize(
    ("rows", "method", "error"), [(900, "platt", 0.1), (4_000, "isotonic", 0.07)]
)
def test_probabilities_are_true(rows, method, error):
    x, events, _ = events_by_one_cause(rows)
    fitted = fit_warning(x, events)
    assert fitted.method == method
    fresh, hit, chance = events_by_one_cause(20_000, seed=2)
    said = fitted.probability(fresh)
    for part in np.array_split(np.argsort(said, kind="stable"), 5):
        assert said[part].mean() == pytest.approx(hit[part].mean(), abs=error)
    assert np.mean((said - hit) ** 2) < 0.9 * hit.mean() * (1 - hit.mean())
    assert np.corrcoef(said, chance)[0, 1] > 0.85


def test_nothing_to_learn_gives_the_base_rate():
    x, events, _ = events_by_one_cause(2_000)
    shuffled = np.random.default_rng(3).permutation(events)
    said = fit_warning(x, shuffled).probability(events_by_one_cause(2_000, 4)[0])
    assert said.mean() == pytest.approx(events.mean(), abs=0.05)
    assert said.std() < 0.08


def test_events_by_hand(panel):
    """A day counts when the next one has 2.5 times the usual variance, or jumps made most of a large one."""
    events = stress_events(panel, 1)
    for row in (100, 300, 500, 640):
        usual = panel.rv[row - 29 : row + 1].mean()
        later, smooth = panel.rv[row + 1], panel.bipower[row + 1]
        wanted = later > 2.5 * usual or (later > usual and smooth < 0.4 * later)
        assert events[row] == wanted
    assert np.isnan(events[-1])
    assert np.isnan(events[:29]).all()
    week = stress_events(panel, 7)
    assert week[200:700].mean() > events[200:700].mean()


def test_walk_sees_no_future(panel):
    first = START + 700 * DAY
    volume = np.exp(np.random.default_rng(8).standard_normal(len(panel)))
    changed = volume.copy()
    changed[761:] *= 9.0
    ours = warning_walk(panel, first, extras={"volume": volume})
    theirs = warning_walk(altered_after(panel, 760), first, extras={"volume": changed})
    assert np.isnan(ours[:699]).all()
    assert np.isfinite(ours[699:]).all()
    assert np.array_equal(ours[699:761], theirs[699:761])
    assert not np.array_equal(ours[761:], theirs[761:])


def test_an_unknown_column_is_taken_as_it_is(panel):
    """Depth that nobody recorded does not stop the warning."""
    blank = np.full(len(panel), math.nan)
    chance = warning_walk(panel, START + 770 * DAY, extras={"depth": blank})
    assert np.isfinite(chance[769:]).all()


def test_bad_extras_are_named(panel):
    for values in (np.ones(3), np.full(len(panel), math.inf)):
        with pytest.raises(DataError, match="gas"):
            warning_features(panel, {"gas": values})


def test_bad_input():
    x, events, _ = events_by_one_cause(600)
    cases = [
        (x, events[:-1], "600 rows"),
        (x[:50], events[:50], "300 needed"),
        (x, np.zeros(600), "0 events"),
        (x, np.ones(600), "389 events in the 389"),
        (x, events * 2.0, "0, 1 or NaN"),
        (np.full((600, 2), math.nan), events, "no finite"),
        (np.where(x > 3.0, math.inf, x), events, "infinities"),
        (x[:, 0], events, "2-d"),
        (np.empty((0, 3)), np.empty(0), "2-d"),
    ]
    for features, labels, message in cases:
        with pytest.raises(DataError, match=message):
            fit_warning(features, labels)


def test_an_event_definition_without_sense_is_refused(panel):
    for arguments in ({"horizon": 0}, {"multiple": 0.0}, {"jump": 1.5}, {"multiple": math.nan}):
        with pytest.raises(DataError):
            stress_events(panel, **arguments)
