"""Slope of the smile and the delta along it, against differences of the price under the stated rule."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from keeper.errors import PricingError
from keeper.pricing import black76, smile_delta, svi
from keeper.units import SECONDS_PER_YEAR, WAD
from tests.keeper.keeper_builders import FAR_S, NOW_S, svi_slice

LIFE_S = FAR_S - NOW_S
YEARS = LIFE_S / SECONDS_PER_YEAR
SKEWED = {"a": 0.01, "b": 0.08, "rho": -0.5, "m": 0.03, "sigma": 0.12}
K = np.linspace(-0.9, 0.9, 19)


def exact_vol(k: mp.mpf) -> mp.mpf:
    a, b, rho, m, sigma = (mp.mpf(x) for x in SKEWED.values())
    return mp.sqrt((a + b * (rho * (k - m) + mp.sqrt((k - m) ** 2 + sigma**2))) / mp.mpf(YEARS))


def test_slope_is_the_derivative_of_the_volatility():
    vol, slope = smile_delta.vol_and_slope(svi_slice(FAR_S, **SKEWED), K)
    with mp.workdps(40):
        for k, v, s in zip(K, vol, slope, strict=True):
            assert v == pytest.approx(float(exact_vol(mp.mpf(k))), rel=1e-14)
            assert s == pytest.approx(float(mp.diff(exact_vol, mp.mpf(k))), rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("call", [True, False])
@pytest.mark.parametrize("strike", [1_400.0, 1_950.0, 2_000.0, 2_600.0])
def test_smile_delta_is_the_slope_of_the_price_when_the_smile_moves_with_the_forward(call, strike):
    """Sticky moneyness: at a moved forward the volatility is that of the new k = ln(K / F)."""
    slice_, forward = svi_slice(FAR_S, **SKEWED), 2_000.0

    def price(f: float) -> float:
        vol = svi.implied_vol(slice_, math.log(strike / f))
        return float(black76.greeks(call, f, strike, vol, YEARS).price)

    vol, slope = smile_delta.vol_and_slope(slice_, math.log(strike / forward))
    g = black76.greeks(call, forward, strike, vol, YEARS)
    found = float(smile_delta.smile_delta(g.delta, g.vega, slope, forward))
    h = 0.05
    assert found == pytest.approx((price(forward + h) - price(forward - h)) / (2 * h), abs=2e-8)
    assert abs(found - float(g.delta)) > 1e-3  # the rule matters here


def test_parity_of_smile_deltas():
    vol, slope = smile_delta.vol_and_slope(svi_slice(FAR_S, **SKEWED), K)
    strikes = 2_000.0 * np.exp(K)
    call, put = (black76.greeks(c, 2_000.0, strikes, vol, YEARS) for c in (True, False))
    both = [smile_delta.smile_delta(g.delta, g.vega, slope, 2_000.0) for g in (call, put)]
    assert both[0] - both[1] == pytest.approx(np.ones_like(K), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_contracts_integers_agree_with_the_floats(seed):
    draw = np.random.default_rng(seed)
    word = svi.pack_floats(
        draw.uniform(0.001, 0.1), draw.uniform(0, 0.5), draw.uniform(-0.9, 0.9),
        draw.uniform(-0.2, 0.2), draw.uniform(0.01, 0.5),
    )  # fmt: skip
    slice_ = svi.slice_from_word(word, FAR_S, 0.0, NOW_S)
    for k in draw.uniform(-1.5, 1.5, 20):
        vol, slope = smile_delta.vol_and_slope(slice_, k)
        vol_wad, slope_wad = smile_delta.vol_and_slope_wad(word, round(k * WAD), LIFE_S)
        assert vol_wad / WAD == pytest.approx(float(vol), rel=1e-10)
        assert slope_wad / WAD == pytest.approx(float(slope), rel=1e-9, abs=1e-10)
        delta = smile_delta.smile_delta_wad(WAD // 2, 100 * WAD, slope_wad, 2_000 * WAD)
        assert delta / WAD == pytest.approx(0.5 - 0.05 * slope_wad / WAD, abs=1e-15)


@pytest.mark.parametrize(("a", "vol"), [(0.0, 0.0), (60.0, 10.0)])
def test_no_slope_where_the_volatility_does_not_move(a, vol):
    slice_ = svi_slice(FAR_S, a=a, b=0.0)
    found, slope = smile_delta.vol_and_slope(slice_, K)
    assert found.tolist() == [vol] * K.size
    assert slope.tolist() == [0.0] * K.size
    word = svi.pack_floats(a, 0.0, 0.0, 0.0, 0.1)
    assert smile_delta.vol_and_slope_wad(word, 0, LIFE_S) == (int(vol) * WAD, 0)


@pytest.mark.parametrize("forward", [0.0, -1.0, math.nan])
def test_a_forward_that_is_none_is_refused(forward):
    with pytest.raises(PricingError, match="forward must be positive"):
        smile_delta.smile_delta(0.5, 1.0, 0.1, forward)


def test_integers_out_of_domain_are_refused():
    with pytest.raises(PricingError, match="forward must be positive"):
        smile_delta.smile_delta_wad(0, 0, 0, 0)
    with pytest.raises(PricingError, match="tau_at_commit_s must be positive"):
        smile_delta.vol_and_slope_wad(svi.pack_floats(0.1, 0.0, 0.0, 0.0, 0.1), 0, 0)
