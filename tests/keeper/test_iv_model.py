"""Implied volatility and base fee of a replay follow their stated models, from past data only."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from keeper.errors import ConfigError
from keeper.pricing.svi import butterfly_density, find_arbitrage, implied_vol
from keeper.simulation.gas import BaseFeeModel
from keeper.simulation.implied_vol import ImpliedVolModel
from keeper.simulation.synthetic import SyntheticParameters, generate
from keeper.units import SECONDS_PER_YEAR
from keeper.volatility.realised import trailing_realised_vol

NOW = 1_583_712_000
EXPIRY = 1_584_086_400
MODEL = ImpliedVolModel()


@pytest.fixture(scope="module")
def closes():
    candles = generate(SyntheticParameters())
    stamps = np.array([t.timestamp() for t in candles["timestamp"]]) + 3600
    return stamps, candles["close"].to_numpy()


def test_it_is_the_factor_times_realised(closes):
    stamps, prices = closes
    model = ImpliedVolModel(floor=0.01, cap=50.0, factor=1.3)
    at = int(stamps[200])
    realised = trailing_realised_vol(stamps, prices, at, model.window_s)
    assert model.atm_vol(stamps, prices, at) == pytest.approx(1.3 * realised, rel=1e-14)


def test_floor_and_cap_hold(closes):
    stamps, prices = closes
    at = int(stamps[-1])
    assert ImpliedVolModel(floor=9.0, cap=10.0).atm_vol(stamps, prices, at) == 9.0
    assert ImpliedVolModel(floor=0.01, cap=0.02).atm_vol(stamps, prices, at) == 0.02


def test_the_future_is_not_looked_at(closes):
    stamps, prices = closes
    open_ended = ImpliedVolModel(floor=0.01, cap=99.0)
    for row in (20, 150, 249, 250, 260):
        at = int(stamps[row])
        changed = prices.copy()
        changed[row + 1 :] = np.nan
        assert MODEL.atm_vol(stamps, changed, at) == MODEL.atm_vol(stamps, prices, at)
        # A close is known at its own second and not one second before.
        moved = prices.copy()
        moved[row] *= 2.0
        assert MODEL.atm_vol(stamps, moved, at - 1) == MODEL.atm_vol(stamps, prices, at - 1)
        assert open_ended.atm_vol(stamps, moved, at) != open_ended.atm_vol(stamps, prices, at)


def test_without_history_it_is_the_floor(closes):
    stamps, prices = closes
    assert MODEL.atm_vol(stamps, prices, int(stamps[0])) == MODEL.floor
    assert MODEL.atm_vol([], [], NOW) == MODEL.floor


@pytest.mark.parametrize("vol", [0.1, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("left_s", [60, 3_300, 86_400, 7 * 86_400, 30 * 86_400])
def test_slices_hit_the_volatility_and_hold_no_arbitrage(vol, left_s):
    slice_ = MODEL.slice_at(vol, EXPIRY, EXPIRY - left_s)
    assert float(implied_vol(slice_, 0.0)) == pytest.approx(vol, rel=1e-12)
    deviations = np.linspace(-8, 8, 401) * vol * math.sqrt(left_s / SECONDS_PER_YEAR)
    assert (butterfly_density(slice_, deviations) >= 0).all()
    assert float(implied_vol(slice_, -0.1)) > float(implied_vol(slice_, 0.1)), (
        "skew is towards low strikes"
    )


def test_two_expiries_hold_no_calendar_arbitrage():
    pair = [MODEL.slice_at(1.2, EXPIRY + week * 604_800, NOW) for week in (0, 1)]
    assert find_arbitrage(pair) == []


def test_slices_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="no slice"):
        MODEL.slice_at(1.0, EXPIRY, EXPIRY)
    with pytest.raises(ConfigError, match="no slice"):
        MODEL.slice_at(math.nan, EXPIRY, NOW)
    with pytest.raises(ConfigError, match="wings too steep"):
        ImpliedVolModel(eta=1.7, cap=9.0).slice_at(9.0, NOW + SECONDS_PER_YEAR, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"window_s": 0},
        {"min_returns": 0},
        {"factor": 0.0},
        {"factor": math.inf},
        {"floor": 0.0},
        {"floor": 4.5},
        {"rho": 1.0},
        {"eta": 0.0},
        {"eta": 2.0},
    ],
)
def test_models_that_make_no_sense_are_refused(change):
    with pytest.raises(ConfigError, match="implied volatility model"):
        dataclasses.replace(MODEL, **change)


def test_base_fee_is_calm_then_spikes_then_is_capped():
    model = BaseFeeModel()
    assert model.base_fee_wei(200.5, 199.5, 200.0) == 20 * 10**9
    spike = model.base_fee_wei(206.0, 194.0, 200.0)
    assert spike == round(20e9 * (12.0 / 200.0) / model.calm_range)
    assert model.base_fee_wei(200.0, 1.0, 200.0) == 500 * 10**9
    squared = dataclasses.replace(model, exponent=2.0)
    assert squared.base_fee_wei(206.0, 194.0, 200.0) == round(20e9 * 4.0**2)


def test_base_fee_refuses_broken_candles_and_parameters():
    with pytest.raises(ConfigError, match="check the candle"):
        BaseFeeModel().base_fee_wei(190.0, 200.0, 195.0)
    with pytest.raises(ConfigError, match="check the candle"):
        BaseFeeModel().base_fee_wei(math.nan, 200.0, 195.0)
    with pytest.raises(ConfigError, match="positive"):
        BaseFeeModel(calm_gwei=0.0)
    with pytest.raises(ConfigError, match="cap_gwei"):
        BaseFeeModel(cap_gwei=10.0)
