"""BlackScholes equals its integer twin bit for bit and the plain Solidity within 1e-14."""

import random
from typing import Any

import pytest

from keeper.errors import PricingError
from keeper.pricing import contract_model
from tests.brownie_fixtures import reverts_with

WAD = 10**18
YEAR_S = 365 * 86_400
DAY = 86_400
FORWARD = 2_000 * WAD

Option = tuple[bool, int, int, int, int, int]


@pytest.fixture(scope="module")
def maths(project: Any, accounts: Any) -> Any:
    return project.MathsHarness.deploy({"from": accounts[0]})


def drawn(count: int, seed: int) -> list[Option]:
    """The whole domain, and every branch of it."""
    draw = random.Random(seed)
    out: list[Option] = []
    for i in range(count):
        forward = int(10 ** draw.uniform(0, 28.5))
        near = min(int(forward * 2 ** draw.uniform(-4, 4)) + 1, 2**96)
        strike = (near, near, forward, int(10 ** draw.uniform(0, 28.5)))[i % 4]
        tau = 0 if i % 37 == 0 else int(10 ** draw.uniform(0, 8.49))
        vol = 0 if i % 41 == 0 else int(10 ** draw.uniform(12, 19))
        out.append((i % 2 == 0, forward, strike, vol, tau, draw.choice((WAD, 9 * WAD // 10, 0))))
    return out


def test_every_integer_equals_the_twins(maths: Any) -> None:
    options = drawn(1_600, 1)
    for start in range(0, len(options), 400):
        batch = options[start : start + 400]
        greeks, prices = maths.greeks(batch), maths.prices(batch)
        for option, found, price in zip(batch, greeks, prices, strict=True):
            g = contract_model.greeks(*option)
            assert tuple(found) == (g.price, g.delta, g.gamma, g.vega, g.theta), option
            assert price == g.price


@pytest.mark.parametrize(
    ("place", "value"),
    [(1, 0), (1, 2**96 + 1), (2, 0), (3, 10 * WAD + 1), (4, 2**40), (5, WAD + 1)],
)
def test_both_refuse_alike(maths: Any, place: int, value: int) -> None:
    option = [True, FORWARD, FORWARD, WAD, DAY, WAD]
    option[place] = value
    with pytest.raises(PricingError):
        contract_model.greeks(*option)
    name = ("ForwardOut", "StrikeOut", "VolOut", "TauOut", "DiscountOut")[place - 1]
    with reverts_with(f"{name}OfRange", value):
        maths.greeks([option])


def test_plain_solidity_agrees_on_a_dense_grid(project: Any, accounts: Any, maths: Any) -> None:
    plain = project.PlainBlackScholes.deploy({"from": accounts[0]})
    options = [
        (call, FORWARD, FORWARD * moneyness // 100, vol * WAD // 100, tau, WAD)
        for call in (True, False)
        for moneyness in (40, 90, 100, 101, 250)
        for vol in (20, 150)
        for tau in (900, 7 * DAY, 3 * YEAR_S)
    ]
    for option, found in zip(options, maths.greeks(options), strict=True):
        price, delta, gamma, vega, theta = plain.greeks(*option)
        larger = max(option[1], option[2])
        assert abs(found[0] - price) * 10**14 <= larger
        assert abs(found[1] - delta) * 10**14 <= 2 * WAD
        assert abs(found[2] - gamma) * 10**11 <= gamma + 10**12
        assert abs(found[3] - vega) * 10**12 <= FORWARD * 2
        assert abs(found[4] - theta) * 10**11 <= abs(theta) + FORWARD


HARNESS = {
    "greeks": ("bool,uint256,uint256,uint256,uint256,uint256", "uint256,int256,uint256,uint256,int256"),
    "greeksGas": ("bool,uint256,uint256,uint256,uint256,uint256", "uint256"),
    "price": ("bool,uint256,uint256,uint256,uint256,uint256", "uint256"),
    "priceGas": ("bool,uint256,uint256,uint256,uint256,uint256", "uint256"),
    "cdf": ("int256", "uint256"),
    "packSlice": ("int256,uint256,int256,int256,uint256", "uint256"),
    "totalVariance": ("uint256,int256", "uint256"),
    "scenarioValuesGas": ("uint256,uint256", "uint256"),
}  # fmt: skip


def test_the_harness_has_exactly_the_stated_functions(project: Any, accounts: Any) -> None:
    harness = project.OptionMathHarness.deploy({"from": accounts[0]})
    found = {
        f["name"]: tuple(",".join(x["type"] for x in f[side]) for side in ("inputs", "outputs"))
        for f in harness.abi
        if f["type"] == "function"
    }
    assert found == HARNESS
    week = -(-7 * DAY * WAD // YEAR_S)
    option = (True, FORWARD, FORWARD, WAD, week, WAD)
    g = contract_model.greeks(*option[:4], 7 * DAY)
    assert tuple(harness.greeks(*option)) == (g.price, g.delta, g.gamma, g.vega, g.theta)
    assert harness.price(*option) == g.price
    for tau in (10**36, 10**36 + 1, 2**256 - 1):
        with pytest.raises(Exception, match="TauOutOfRange"):
            harness.price(*option[:4], tau, WAD)
    assert 0 < harness.priceGas(*option) < harness.greeksGas(*option)
    assert harness.scenarioValuesGas(2, 23) > harness.scenarioValuesGas(1, 23)
