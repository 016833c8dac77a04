"""Where a price gives no volatility: which reason, in its own row only; shapes, blocks and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keeper.errors import PricingError
from keeper.pricing import black76, implied_kernel
from keeper.pricing.implied_vol import Reason, implied_vol

GOOD = {"is_call": True, "price": 8.0, "forward": 100.0, "strike": 100.0, "tau_years": 0.25}

CASES = [
    ({}, Reason.SOLVED),
    ({"price": math.nan}, Reason.NOT_FINITE),
    ({"forward": math.inf}, Reason.NOT_FINITE),
    ({"strike": -math.inf}, Reason.NOT_FINITE),
    ({"tau_years": math.nan}, Reason.NOT_FINITE),
    ({"price": math.nan, "forward": -1.0}, Reason.NOT_FINITE),
    ({"price": -1e-9}, Reason.OUT_OF_DOMAIN),
    ({"forward": 0.0}, Reason.OUT_OF_DOMAIN),
    ({"strike": -5.0}, Reason.OUT_OF_DOMAIN),
    ({"strike": 1e13}, Reason.OUT_OF_DOMAIN),
    ({"tau_years": -0.1}, Reason.OUT_OF_DOMAIN),
    ({"tau_years": 11.0}, Reason.OUT_OF_DOMAIN),
    ({"tau_years": 0.0}, Reason.EXPIRED),
    ({"tau_years": 0.0, "price": 200.0}, Reason.EXPIRED),
    ({"strike": 80.0, "price": 19.0}, Reason.BELOW_INTRINSIC),
    ({"is_call": False, "strike": 120.0, "price": 19.0}, Reason.BELOW_INTRINSIC),
    ({"price": 100.0}, Reason.ABOVE_BOUND),
    ({"price": 130.0}, Reason.ABOVE_BOUND),
    ({"is_call": False, "strike": 50.0, "price": 50.0}, Reason.ABOVE_BOUND),
    ({"price": 0.0}, Reason.NO_INFORMATION),
    ({"strike": 150.0, "price": 0.0}, Reason.NO_INFORMATION),
    ({"strike": 80.0, "price": 20.0}, Reason.NO_INFORMATION),
    ({"strike": 80.0, "price": np.nextafter(20.0, 21.0)}, Reason.NO_INFORMATION),
    ({"strike": 80.0, "price": np.nextafter(20.0, 19.0)}, Reason.NO_INFORMATION),
    ({"price": np.nextafter(100.0, 99.0)}, Reason.NO_INFORMATION),
    ({"strike": 150.0, "price": 5e-324}, Reason.NO_INFORMATION),
]


@pytest.mark.parametrize(("changes", "reason"), CASES)
def test_each_reason(changes, reason):
    found = implied_vol(**{**GOOD, **changes})
    assert Reason(int(found.reason)) is reason
    assert math.isnan(float(found.vol)) == (reason is not Reason.SOLVED)


def test_a_bad_row_spoils_itself_only():
    rows = [{**GOOD, **changes} for changes, _ in CASES]
    columns = {name: np.array([row[name] for row in rows]) for name in GOOD}
    with np.errstate(all="raise"):
        found = implied_vol(**columns)
    assert [Reason(int(code)) for code in found.reason] == [reason for _, reason in CASES]
    assert found.vol[0] == implied_vol(**GOOD).vol
    assert np.isfinite(found.vol).sum() == 1


def test_a_price_a_hair_below_intrinsic_is_not_called_arbitrage():
    """Prices that come from the formula may lie a unit in the last place off."""
    found = implied_vol(True, np.array([20.0 - 3e-15, 20.0 - 1e-9]), 100.0, 80.0, 0.25)
    assert [Reason(int(code)) for code in found.reason] == [
        Reason.NO_INFORMATION,
        Reason.BELOW_INTRINSIC,
    ]


def test_high_volatility_is_returned_as_it_is():
    price = black76.price(True, 100.0, 100.0, 10.0, 0.04)
    found = implied_vol(True, price, 100.0, 100.0, 0.01)
    assert float(found.vol) == pytest.approx(20.0, rel=1e-12)


@pytest.mark.parametrize("count", [0, 1, 6143, 6144, 6145, 20_001])
def test_blocks_are_seamless(count):
    rng = np.random.default_rng(count)
    calls, vol, tau = (
        rng.random(count) < 0.5,
        rng.uniform(0.3, 2, count),
        rng.uniform(0.05, 1, count),
    )
    forward = rng.uniform(90, 110, count)
    price = black76.price(calls, forward, 100.0, vol, tau)
    price[::19] = math.nan
    found = implied_vol(calls, price, forward, 100.0, tau)
    assert found.vol.shape == found.reason.shape == (count,)
    good = found.reason == Reason.SOLVED
    assert good.sum() == count - len(price[::19])
    assert found.vol[good] == pytest.approx(vol[good], rel=1e-10)


def test_shapes_scalars_and_untouched_inputs():
    strikes = np.array([[90.0, 100.0], [110.0, 120.0]])
    prices = black76.price(False, 100.0, strikes, 0.5, 0.1)
    before = prices.copy()
    found = implied_vol(False, prices, 100.0, strikes, 0.1)
    assert found.vol == pytest.approx(np.full((2, 2), 0.5), rel=1e-12)
    assert found.reason.tolist() == [[0, 0], [0, 0]]
    assert np.array_equal(prices, before)
    assert implied_vol(**GOOD).vol.shape == ()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"is_call": np.array([1, 0])}, "is_call"),
        ({"is_call": [True] * 3, "price": np.ones(2)}, "price"),
        ({"price": "dear"}, "price"),
        ({"strike": [[1.0], [1.0, 2.0]]}, "strike"),
    ],
)
def test_bad_types_and_shapes_are_named(changes, name):
    with pytest.raises(PricingError, match=rf"^{name} "):
        implied_vol(**{**GOOD, **changes})


def test_what_does_not_settle_says_so(monkeypatch):
    monkeypatch.setattr(implied_kernel, "MOST_STEPS", 1)
    found = implied_vol(True, np.array([8.0, 1e-6]), 100.0, 100.0 * math.exp(0.02), 0.25)
    assert Reason.NOT_SETTLED in [Reason(int(code)) for code in found.reason]
    assert math.isnan(float(found.vol[found.reason == Reason.NOT_SETTLED][0]))
