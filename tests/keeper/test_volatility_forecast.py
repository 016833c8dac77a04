"""Panels and forecasters: exact where the answer is known, no look-ahead, named errors."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from arch import arch_model

from keeper.volatility.baselines import Ewma, Har, Implied
from keeper.volatility.combine import Combination
from keeper.volatility.estimators import garman_klass_terms
from keeper.volatility.features import design
from keeper.volatility.forecast import forecast_vol, mean_corrected, trailing_mean
from keeper.volatility.gamma import GammaRegression
from keeper.volatility.garch import Garch, _FittedGarch
from keeper.volatility.panel import build_panel
from keeper.volatility.scoring import qlike
from keeper.volatility.walk import refits, walk_forward
from tests.keeper.volatility_world import (
    DAY,
    HOUR,
    START,
    altered_after,
    candles,
    daily_panel,
    wandering_vols,
    without,
)

MODELS = (
    Ewma(),
    Ewma(0.98, ranges=True, corrected=True),
    Implied(),
    Har(logs=False, corrected=False),
    Har(logs=False),
    Har(),
    Har(implied=True),
    Garch(),
    Garch(leverage=True),
    GammaRegression(),
    Combination((Ewma(0.98, ranges=True), Implied(), GammaRegression())),
)
NAMES = [f"{type(m).__name__}-{m.name}" for m in MODELS]
FIRST = START + 400 * DAY


@pytest.fixture(scope="module")
def panel():
    return daily_panel()


@pytest.mark.parametrize("horizon", [1, 7, 30])
@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_no_forecast_changes_when_the_future_does(model, horizon, panel):
    """Another world after row 470, in the middle of a month: bit-identical up to it, and different after."""
    other = daily_panel(500, seed=9)
    ours = walk_forward(model, [panel, other], horizon, FIRST)
    theirs = walk_forward(
        model, [altered_after(panel, 470), altered_after(other, 470)], horizon, FIRST
    )
    assert np.isfinite(ours[399:]).all()
    assert np.array_equal(ours[399:471], theirs[399:471])
    assert not np.array_equal(ours[471:], theirs[471:])


def test_the_look_ahead_test_can_fail(panel):
    """A forecaster that peeks one day is caught by the comparison above."""

    class Peeking(Ewma):
        def predict(self, panel):
            return np.r_[panel.rv[1:], panel.rv[-1]]

    ours, theirs = (
        walk_forward(Peeking(), [p], 1, FIRST)[399:471] for p in (panel, altered_after(panel, 470))
    )
    assert not np.array_equal(ours, theirs)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_predicting_late_is_predicting_now(model, panel):
    """Rows of a long panel are those of a short one: no row looks past itself."""
    fitted = model.fit([panel.upto(600)], 7)
    full = fitted.predict(panel)
    assert np.array_equal(full[: 500 + 1], fitted.predict(panel.upto(500)), equal_nan=True)


def test_other_panels_are_cut_at_the_same_moment(panel):
    """The lent history may not know more than the borrower."""
    later = daily_panel(700, seed=9)
    seen = []

    class Spy(Ewma):
        def fit(self, panels, horizon):
            seen.append([int(p.start_s[-1]) for p in panels])
            return self

    walk_forward(Spy(), [panel.upto(600), later], 1, FIRST)
    assert seen
    assert all(own == lent for own, lent in seen)


def test_panel_against_plain_loops():
    vols = wandering_vols(12)
    bars = candles(vols, inner=8)
    panel = build_panel(bars)
    logs = np.log(np.r_[bars.open[0], bars.close])
    for day in range(12):
        moves = np.diff(logs)[24 * day : 24 * day + 24]
        assert panel.rv[day] == pytest.approx(sum(m * m for m in moves))
        assert panel.ret[day] == pytest.approx(moves.sum())
        hours = garman_klass_terms(bars)[24 * day : 24 * day + 24]
        assert panel.range_var[day] == pytest.approx(hours.sum())
        assert panel.tail[day] == pytest.approx(4 * hours[18:].sum())
    before = np.diff(logs)[24 * 5 - 1 : 24 * 6]
    ladder = [abs(a * b) for a, b in pairwise(before)]
    assert panel.bipower[5] == pytest.approx(math.pi / 2 * sum(ladder))
    assert panel.target(3)[4] == pytest.approx(panel.rv[5:8].mean())
    assert np.isnan(panel.target(3)[-3:]).all()


def test_gaps_stay_gaps():
    """Three missing hours are spanned by their return; a day with ten candles is not a day."""
    bars = candles(np.full(24 * 6, 0.6))
    hour = np.arange(len(bars))
    keep = ~np.isin(hour, (30, 31, 32)) & ~((hour >= 72) & (hour < 86))
    panel = build_panel(without(bars, keep))
    day = np.log(bars.close[24:48][[*range(6), *range(9, 24)]] / 1.0)
    moves = np.diff(np.r_[np.log(bars.close[23]), day])
    assert panel.rv[1] == pytest.approx(float(moves @ moves))
    assert np.isnan([panel.rv[3], panel.range_var[3], panel.ret[3]]).all()
    assert np.isfinite(panel.rv[[0, 1, 2, 4, 5]]).all()


def test_an_index_is_known_at_its_days_end_and_grows_old():
    bars = candles(np.full(24 * 8, 0.6))
    panel = build_panel(bars, DAY, [START + 2 * DAY, START + 3 * DAY + 1], [0.5, 0.8])
    found = np.sqrt(panel.implied * 365)
    wanted = [math.nan, 0.5, 0.5, 0.8, 0.8, math.nan, math.nan, math.nan]
    assert found == pytest.approx(wanted, nan_ok=True)


def test_gamma_regression_has_the_least_qlike_of_its_kind(panel):
    """Scaling or tilting the fitted forecast, on the rows it was fitted on, only makes it worse."""
    model = GammaRegression(shrinkage=1e-9, half_life_days=1e9)
    found = model.fit([panel], 1).predict(panel)
    target = panel.target(1)
    known = np.isfinite(found) & np.isfinite(target)
    y, f = target[known], found[known]
    least = qlike(y, f).mean()
    assert np.mean(y / f) == pytest.approx(1.0, abs=1e-6)
    tail = np.log(panel.tail / panel.range_var)[known]
    for tilt in (0.02, -0.02):
        assert qlike(y, f * math.exp(tilt)).mean() > least
        assert qlike(y, f * np.exp(tilt * (tail - tail.mean()))).mean() > least
    assert least < qlike(y, y.mean() * np.ones(y.size)).mean()


def test_gamma_regression_beats_the_baseline_on_a_world_that_it_fits(panel):
    target, losses = panel.target(1), []
    for model in (Har(), GammaRegression()):
        forecast = walk_forward(model, [panel], 1, FIRST)
        known = np.isfinite(forecast) & np.isfinite(target)
        losses.append(qlike(target[known], forecast[known]).mean())
    assert losses[1] < losses[0]


def test_har_recovers_its_own_weights():
    """Realised variance made by a HAR without noise is forecast exactly."""
    panel = daily_panel(400, implied=False)
    rv = panel.rv.copy()
    for row in range(30, rv.size):
        rv[row] = (
            1e-5
            + 0.3 * rv[row - 1]
            + 0.3 * rv[row - 7 : row].mean()
            + 0.3 * rv[row - 30 : row].mean()
        )
    forced = replace(panel, rv=rv)
    found = Har(logs=False, corrected=False).fit([forced], 1).predict(forced)
    assert found[200:-1] == pytest.approx(rv[201:], rel=1e-6)


@pytest.mark.parametrize("leverage", [False, True])
def test_garch_filter_and_projection_agree_with_arch(panel, leverage):
    returns = panel.ret * 100.0
    peer = arch_model(
        returns, mean="Zero", vol="GARCH", p=1, o=int(leverage), q=1, rescale=False
    ).fit(disp="off", show_warning=False)
    theirs = peer.forecast(horizon=30).variance.to_numpy()[-1]
    ours = Garch(leverage, corrected=False).fit([panel], 30).predict(panel)
    assert ours[-1] == pytest.approx(theirs.mean() / 1e4, rel=1e-6)
    one = Garch(leverage, corrected=False).fit([panel], 1).predict(panel)
    volatility = np.asarray(peer.conditional_volatility)
    assert one[100:-1] == pytest.approx(volatility[101:] ** 2 / 1e4, rel=1e-4)


def test_garch_projection_by_hand():
    fitted = _FittedGarch(1e-5, 0.1, 0.0, 0.8, 2, 1e-4)
    panel = replace(daily_panel(40, implied=False).upto(0), ret=np.array([0.02]))
    first = 1e-5 + 0.1 * 4e-4 + 0.8 * 1e-4
    second = 1e-5 + 0.9 * first
    assert fitted.predict(panel)[0] == pytest.approx((first + second) / 2)


def test_mean_correction_puts_the_level_right(panel):
    scaled = mean_corrected(Ewma(), panel, 7)
    target, found = panel.target(7), scaled.predict(panel)
    known = np.isfinite(target) & np.isfinite(found)
    assert np.mean(target[known] / found[known]) == pytest.approx(1.0)


def test_a_combination_does_without_a_silent_member():
    """Before the index exists the rest speaks alone."""
    panel = daily_panel(400)
    fitted = Combination((Ewma(0.9), Implied())).fit([panel], 1)
    found = fitted.predict(panel)
    assert np.isfinite(found).all()
    assert np.isnan(panel.implied[:99]).all()


def test_hours_ahead():
    """One hour and six hours ahead by the same code, hour of the day seen."""
    vols = np.tile(np.where(np.arange(24) < 12, 0.3, 0.9), 60)
    panel = build_panel(candles(vols, inner=60), HOUR)
    forecast = GammaRegression().fit([panel], 1).predict(panel)[24 * 30 :]
    coming = (np.arange(24 * 30, 24 * 60) + 1) % 24
    night, noon = forecast[coming == 6].mean(), forecast[coming == 18].mean()
    assert noon / night == pytest.approx(9.0, rel=0.35)
    assert forecast_vol(GammaRegression().fit([panel], 6), panel) > 0.2


def test_the_season_is_that_of_the_period_to_come():
    """2021-01-01 was a Friday: at its end Saturday is next, at its first hour's end one o'clock is."""
    days = design(daily_panel(40, implied=False))[:, -6:]
    assert [row.tolist() for row in days[:3]] == [
        [0, 0, 0, 0, 1, 0],  # Saturday; Tuesday is the first column, Monday has none
        [0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0],
    ]
    hours = design(build_panel(candles(np.full(72, 0.5)), HOUR))[:, -7:]
    assert hours[0, :2] == pytest.approx([math.sin(math.pi / 12), math.cos(math.pi / 12)])
    assert hours[[22, 23, 70, 71], -1].tolist() == [0, 1, 1, 0]


def test_months_share_parameters(panel):
    ranges = list(refits(panel, FIRST))
    assert ranges[0][0] == 399
    assert ranges[-1][1] == len(panel)
    for begin, end in ranges:
        months = (panel.start_s[begin:end] + DAY).astype("datetime64[s]").astype("datetime64[M]")
        assert len(set(months.tolist())) == 1


def test_trailing_mean_passes_over_what_is_missing():
    values = np.array([1.0, math.nan, 3.0, 5.0, math.nan, math.nan])
    assert trailing_mean(values, 3) == pytest.approx(
        [math.nan, math.nan, 2.0, 4.0, 4.0, math.nan], nan_ok=True
    )
    assert np.isnan(trailing_mean(values, 9)).all()
