"""What forecasters say to input that they cannot use: a named error, never a silent NaN."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from keeper.errors import DataError
from keeper.volatility.bars import checked_bars
from keeper.volatility.baselines import Ewma, Har, Implied
from keeper.volatility.combine import Combination
from keeper.volatility.estimators import (
    bipower_variance,
    close_to_close,
    garman_klass,
    yang_zhang,
)
from keeper.volatility.forecast import forecast_vol
from keeper.volatility.gamma import GammaRegression
from keeper.volatility.garch import Garch
from keeper.volatility.panel import build_panel
from keeper.volatility.walk import walk_forward
from tests.keeper.volatility_world import DAY, HOUR, START, candles, daily_panel

FITTING = (Har(), Har(logs=False), Garch(), GammaRegression(), Ewma(corrected=True), Implied())
NAMES = [f"{type(m).__name__}-{m.name}" for m in FITTING]


@pytest.fixture(scope="module")
def constant():
    hours = 24 * 300
    bars = checked_bars(START + HOUR * np.arange(hours), *[np.full(hours, 5.0)] * 4, HOUR)
    return build_panel(bars)


@pytest.mark.parametrize("model", FITTING, ids=NAMES)
def test_constant_prices(model, constant):
    with pytest.raises(DataError, match=r"constant prices|more history"):
        model.fit([constant], 1)


@pytest.mark.parametrize("model", FITTING, ids=NAMES)
def test_short_history(model):
    with pytest.raises(DataError, match="more history"):
        model.fit([daily_panel(130).upto(60)], 1)


@pytest.mark.parametrize("model", FITTING, ids=NAMES)
def test_no_panel_and_mixed_panels(model):
    day, hour = daily_panel(200), build_panel(candles(np.full(400, 0.5)), HOUR)
    with pytest.raises(DataError, match="no panel"):
        model.fit([], 1)
    with pytest.raises(DataError, match="different periods"):
        model.fit([day, hour], 1)


@pytest.mark.parametrize("horizon", [0, -7])
def test_a_horizon_is_positive(horizon):
    with pytest.raises(DataError, match="horizon"):
        Har().fit([daily_panel(200)], horizon)


def test_a_forecast_that_is_not_there_is_an_error_and_not_nan():
    panel = daily_panel(300)
    fitted = GammaRegression().fit([panel], 1)
    assert 0.05 < forecast_vol(fitted, panel) < 5.0
    holed = panel.rv.copy()
    holed[-1] = math.nan
    with pytest.raises(DataError, match="no forecast"):
        forecast_vol(fitted, replace(panel, rv=holed))
    with pytest.raises(DataError, match="no forecast"):
        forecast_vol(fitted, panel.upto(20))


def test_without_an_index_the_gamma_regression_still_speaks():
    panel = daily_panel(300, implied=False)
    assert forecast_vol(GammaRegression().fit([panel], 7), panel) > 0.0
    with pytest.raises(DataError):
        Implied().fit([panel], 7)


@pytest.mark.parametrize(
    ("times", "vols", "message"),
    [
        ([START], [math.nan], "implied volatility nan"),
        ([START], [math.inf], "implied volatility inf"),
        ([START], [-0.5], "implied volatility -0.5"),
        ([START], [0.0], "implied volatility 0"),
        ([START, START], [0.5, 0.5], "must rise"),
        ([START, START + 1], [0.5], "differ"),
        ([START], None, "differ"),
    ],
)
def test_bad_index(times, vols, message):
    with pytest.raises(DataError, match=message):
        build_panel(candles(np.full(96, 0.5)), DAY, times, vols)


def test_periods_that_do_not_fit():
    bars = candles(np.full(96, 0.5))
    for period in (1_800, 5_400, 0, -3_600):
        with pytest.raises(DataError, match="multiple"):
            build_panel(bars, period)
    with pytest.raises(DataError, match="no whole period"):
        build_panel(candles(np.full(20, 0.5)))


def test_an_empty_window_is_named():
    bars = candles(np.full(96, 0.5)).window(0, START)
    assert len(bars) == 0
    with pytest.raises(DataError, match="no candles"):
        build_panel(bars)
    for estimate in (close_to_close, garman_klass, yang_zhang, bipower_variance):
        with pytest.raises(DataError, match="more history"):
            estimate(bars)


def test_rows_outside_the_panel():
    panel = daily_panel(150)
    for row in (-1, 150):
        with pytest.raises(DataError, match="outside"):
            panel.upto(row)
    with pytest.raises(DataError, match="ends earlier"):
        walk_forward(Ewma(), [panel], 1, START + 900 * DAY)


def test_parameters_without_sense():
    for make in (
        lambda: Ewma(0.0),
        lambda: Ewma(1.0),
        lambda: Ewma(math.nan),
        lambda: GammaRegression(shrinkage=0.0),
        lambda: GammaRegression(half_life_days=math.nan),
    ):
        with pytest.raises(DataError):
            make()
    with pytest.raises(DataError, match="at least one member"):
        Combination(()).fit([daily_panel(200)], 1)


@pytest.mark.parametrize("times", [1_000, 1e9])
def test_a_crash_is_survived(times):
    """One day with many times the usual variance: finite forecasts, all models."""
    panel = daily_panel(300)
    rv, ranges = panel.rv.copy(), panel.range_var.copy()
    rv[250] *= times
    ranges[250] *= times
    wild = replace(panel, rv=rv, range_var=ranges)
    for model in FITTING:
        found = model.fit([wild], 1).predict(wild)[120:]
        assert (found > 0.0).all(), model
        assert np.isfinite(found).all(), model
