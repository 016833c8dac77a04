"""The served forecast: the model while it wins, the baseline else, by what had matured only."""

from __future__ import annotations

import numpy as np
import pytest

from keeper.errors import DataError
from keeper.volatility.scoring import DemotionRule, qlike
from keeper.volatility.served import serve

RULE = DemotionRule(window=120)


def world(days=900, turn=450, seed=4):
    """A model that knows the variance up to `turn` and is wild afterwards; a baseline that is middling throughout."""
    dice = np.random.default_rng(seed)
    variance = np.exp(0.5 * dice.standard_normal(days))
    target = variance * dice.chisquare(20, days) / 20
    error = np.where(np.arange(days) < turn, 0.05, 1.5)
    model = variance * np.exp(error * dice.standard_normal(days))
    return model, np.full(days, 1.0), target


def test_a_winner_serves_and_a_loser_is_replaced_in_time():
    model, base, target = world()
    served = serve(model, base, target, 1, RULE)
    assert not served.promoted[:20].any(), "the place must be earned"
    assert served.promoted[200:450].all()
    assert not served.promoted[650:].any(), "it must be lost within the window"
    assert served.switches == 2
    assert np.array_equal(served.forecast, np.where(served.promoted, model, base))
    loss = {
        name: qlike(target, forecast).mean()
        for name, forecast in (("served", served.forecast), ("model", model), ("base", base))
    }
    assert loss["served"] < min(loss["model"], loss["base"])


@pytest.mark.parametrize("horizon", [1, 7])
def test_no_look_ahead(horizon):
    """Whatever happens from row i on changes nothing that was served until i; targets mature a horizon later."""
    model, base, target = world()
    served = serve(model, base, target, horizon, RULE)
    for row in (150, 451, 520, 700):
        altered = [x.copy() for x in (model, base, target)]
        for column in altered[:2]:
            column[row + 1 :] *= 5.0
        altered[2][row - horizon + 1 :] *= 7.0
        again = serve(*altered, horizon, RULE)
        assert np.array_equal(again.forecast[: row + 1], served.forecast[: row + 1])
        assert np.array_equal(again.promoted[: row + 1], served.promoted[: row + 1])


def test_what_just_matured_counts():
    """The other side of the test above: the target that is complete at a row does change what is served there."""
    model, base, target = world()
    served = serve(model, base, target, 1, RULE)
    first = int(np.flatnonzero(served.promoted)[0])
    altered = target.copy()
    altered[:first] = base[:first]
    assert not serve(model, base, altered, 1, RULE).promoted[first]


def test_a_missing_model_is_the_baseline():
    model, base, target = world(turn=900)
    model[300:310] = np.nan
    served = serve(model, base, target, 1, RULE, promoted=True)
    assert np.array_equal(served.forecast[300:310], base[300:310])
    assert served.promoted[299]
    assert served.promoted[310]


@pytest.mark.parametrize(
    ("columns", "horizon", "rule"),
    [
        ((np.ones(9), np.ones(8), np.ones(9)), 1, RULE),
        ((np.ones((3, 3)),) * 3, 1, RULE),
        ((np.ones(9),) * 3, 0, RULE),
        ((np.ones(9),) * 3, 30, RULE),
    ],
)
def test_bad_input_is_refused(columns, horizon, rule):
    with pytest.raises(DataError):
        serve(*columns, horizon, rule)
