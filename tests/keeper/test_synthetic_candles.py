"""The bundled week is what its parameters say."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from keeper.errors import ConfigError
from keeper.simulation.synthetic import COLUMNS, SyntheticParameters, generate

LONG_CALM = SyntheticParameters(
    hours=20_000,
    history_hours=0,
    jumps_per_year=0.0,
    crash_return=0.0,
    crash_hour=0,
    first_price_usd=5_000.0,
)


def test_same_parameters_give_the_same_candles_and_another_seed_others():
    p = SyntheticParameters()
    assert generate(p).equals(generate(p))
    assert not generate(p).equals(generate(dataclasses.replace(p, seed=p.seed + 1)))


def test_candles_are_hourly_whole_and_consistent():
    p = SyntheticParameters()
    candles = generate(p)
    assert tuple(candles.columns) == COLUMNS
    assert len(candles) == p.history_hours + p.hours
    stamps = candles["timestamp"].astype("int64").to_numpy()
    unit = np.diff(stamps)[0]
    assert (np.diff(stamps) == unit).all()
    assert candles["timestamp"].iloc[p.history_hours].timestamp() == p.start_s
    assert (candles["low"] <= candles[["open", "close"]].min(axis=1)).all()
    assert (candles["high"] >= candles[["open", "close"]].max(axis=1)).all()
    assert (candles["low"] > 0).all()
    assert np.array_equal(candles["close"].to_numpy()[:-1], candles["open"].to_numpy()[1:])
    assert candles["open"].iloc[p.history_hours] == p.first_price_usd


def test_the_crash_is_in_its_hour_and_of_its_size():
    p = SyntheticParameters()
    candles = generate(p)
    moves = np.log(candles["close"].to_numpy() / candles["open"].to_numpy())
    assert int(np.argmin(moves)) == p.history_hours + p.crash_hour
    without = generate(dataclasses.replace(p, crash_return=0.0))
    other = np.log(without["close"].to_numpy() / without["open"].to_numpy())
    row = p.history_hours + p.crash_hour
    assert moves[row] - other[row] == pytest.approx(math.log(0.6), abs=5e-4)


def test_diffusion_has_the_stated_volatility():
    closes = generate(LONG_CALM)["close"].to_numpy()
    realised = np.std(np.diff(np.log(closes))) * math.sqrt(365 * 24)
    # 20,000 returns: the standard error of a volatility is 1/sqrt(2n) = 0.5 %.
    assert realised == pytest.approx(LONG_CALM.volatility, rel=0.02)


def test_jumps_add_the_variance_that_merton_states():
    p = dataclasses.replace(LONG_CALM, jumps_per_year=400.0, jump_mean=-0.01, jump_std=0.03)
    closes = generate(p)["close"].to_numpy()
    realised = np.std(np.diff(np.log(closes))) * math.sqrt(365 * 24)
    expected = math.sqrt(p.volatility**2 + p.jumps_per_year * (p.jump_mean**2 + p.jump_std**2))
    assert expected > 1.2 * p.volatility
    assert realised == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hours": 0}, "hours must be at least 1"),
        ({"crash_hour": 168}, "crash_hour must lie in"),
        ({"crash_return": -1.0}, "crash_return must be above -1"),
        ({"volatility": -0.1}, "must not be negative"),
        ({"volatility": math.nan}, "volatility must be a finite number"),
        ({"first_price_usd": 0.0}, "first_price_usd must be positive"),
        ({"start_s": 1_704_067_201}, "full hour"),
        ({"volume_eth_per_hour": 0.0}, "volume_eth_per_hour must be positive"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(SyntheticParameters(), **change)


def test_a_price_that_would_round_to_nothing_is_refused():
    with pytest.raises(ConfigError, match="raise first_price_usd"):
        generate(SyntheticParameters(first_price_usd=0.004))
