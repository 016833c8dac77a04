"""Svi.volAndSlope and smileDelta against their integer twins and against differences of the contract's own prices."""

import math
import random
from typing import Any

import pytest

from keeper.pricing import smile_delta, svi

WAD = 10**18
DAY = 86_400
YEAR_S = 365 * DAY
FORWARD = 2_000 * WAD
WORD = svi.pack_floats(0.01, 0.08, -0.5, 0.03, 0.12)
TAU = 40 * DAY


@pytest.fixture(scope="module")
def maths(project: Any, accounts: Any) -> Any:
    return project.MathsHarness.deploy({"from": accounts[0]})


def words(count: int) -> list[int]:
    draw = random.Random(11)
    out = [svi.pack_floats(0, 0, 0, 0, 0.1), svi.pack_floats(60, 1, 0.5, 0, 1)]
    while len(out) < count:
        out.append(
            svi.pack_floats(
                draw.uniform(-0.01, 0.2), draw.uniform(0, 1), draw.uniform(-0.99, 0.99),
                draw.uniform(-1, 1), draw.uniform(1e-6, 1),
            )
        )  # fmt: skip
    return out


def test_volatility_and_slope_equal_the_twins_bit_for_bit(maths: Any) -> None:
    draw = random.Random(12)
    for word in words(25):
        k = [0, 1, -1, 10 * WAD, -10 * WAD, *(draw.randint(-3 * WAD, 3 * WAD) for _ in range(40))]
        for tau in (1, DAY, 400 * DAY):
            vols, slopes = maths.volsAndSlopes(word, k, tau)
            twins = [smile_delta.vol_and_slope_wad(word, x, tau) for x in k]
            assert list(zip(vols, slopes, strict=True)) == twins
            assert list(vols) == [maths.sviVol(word, x, tau) for x in k[:3]] + list(vols)[3:]


def test_slope_is_that_of_the_volatility(maths: Any) -> None:
    k = [i * WAD // 20 for i in range(-20, 21)]
    h = WAD // 10_000
    _, slopes = maths.volsAndSlopes(WORD, k, TAU)
    (up, _), (down, _) = (maths.volsAndSlopes(WORD, [x + d for x in k], TAU) for d in (h, -h))
    for slope, high, low in zip(slopes, up, down, strict=True):
        assert abs((high - low) * WAD // (2 * h) - slope) < WAD // 10**5


@pytest.mark.parametrize("call", [True, False])
@pytest.mark.parametrize("strike", [1_400, 1_950, 2_000, 2_600])
def test_smile_delta_is_the_slope_of_the_price_at_sticky_moneyness(
    maths: Any, call: bool, strike: int
) -> None:
    """Price at F(1 +- h) with the volatility of the new k = ln(K / F), by the contract alone."""

    def at(forward: int) -> tuple[int, int, Any]:
        k = round(math.log(strike * WAD / forward) * WAD)
        (vol,), (slope,) = maths.volsAndSlopes(WORD, [k], TAU)
        (found,) = maths.greeks([(call, forward, strike * WAD, vol, TAU, WAD)])
        return vol, slope, found

    h = FORWARD // 20_000
    _, slope, (_, delta, _, vega, _) = at(FORWARD)
    found = maths.smileDelta(delta, vega, slope, FORWARD)
    assert found == smile_delta.smile_delta_wad(delta, vega, slope, FORWARD)
    difference = (at(FORWARD + h)[2][0] - at(FORWARD - h)[2][0]) * WAD // (2 * h)
    assert abs(found - difference) < WAD // 10**6
    assert abs(found - delta) > WAD // 1_000


def test_volatility_is_the_exact_root_on_both_sides_of_its_fast_range(maths: Any) -> None:
    """From 0.01 % to 1,000 %: every multiple of the square's unit is rounded down alike."""
    draw = random.Random(13)
    for _ in range(60):
        w = 10 ** draw.uniform(-9, 1.9)
        word = svi.pack_floats(w, 0, 0, 0, 0.1)
        for tau in (3_600, 30 * DAY, YEAR_S):
            square = svi.total_variance_wad(word, 0) * WAD * YEAR_S // tau
            assert maths.sviVol(word, 0, tau) == min(math.isqrt(square), 10 * WAD)
