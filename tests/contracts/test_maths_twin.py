"""BlackScholes equals its integer twin bit for bit and the plain Solidity within 1e-14; properties of both."""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from keeper.errors import PricingError
from keeper.pricing import contract_model
from keeper.pricing.contract_model import ContractGreeks
from tests.brownie_fixtures import reverts_with

WAD = 10**18
YEAR_S = 365 * 86_400
DAY = 86_400
FORWARD = 2_000 * WAD
# Prices may be out of order by what the fractions are wrong by.
SLACK = 2 * FORWARD // 10**15

Option = tuple[bool, int, int, int, int, int]
Price = Callable[..., ContractGreeks]


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


# ---------------------------------------------------------------- properties
# On the twin, which the first test holds to the contract: each takes the maths as an argument, so that the
# last test can hand it one with a bug.


def strikes() -> list[int]:
    return [FORWARD * i // 100 for i in range(40, 240)]


def parity(price: Price) -> None:
    for _, f, k, vol, tau, d in drawn(300, 2):
        call, put = (price(c, f, k, vol, tau, d) for c in (True, False))
        assert abs((call.price - put.price) * WAD - d * (f - k)) <= WAD
        if vol and tau and f != k:
            assert call.delta - put.delta == d


def bounded(price: Price) -> None:
    for call, f, k, vol, tau, d in drawn(600, 3):
        g = price(call, f, k, vol, tau, d)
        intrinsic = max(f - k, 0) if call else max(k - f, 0)
        assert d * intrinsic // WAD <= g.price <= d * (f if call else k) // WAD
        assert g.gamma >= 0
        assert g.vega >= 0 >= g.theta


def monotone_and_convex_in_strike(price: Price) -> None:
    found = [price(True, FORWARD, k, WAD, 14 * DAY, WAD).price for k in strikes()]
    falls = [b - a for a, b in itertools.pairwise(found)]
    assert all(fall <= SLACK for fall in falls)
    assert all(b - a >= -2 * SLACK for a, b in itertools.pairwise(falls))


def rising(price: Price) -> None:
    """A call in volatility, forward and time."""
    by_vol = [price(True, FORWARD, FORWARD, v * WAD // 50, DAY, WAD).price for v in range(1, 400)]
    by_forward = [price(True, f, FORWARD, WAD, DAY, WAD).price for f in strikes()]
    by_time = [price(True, FORWARD, FORWARD, WAD, t * 997, WAD).price for t in range(1, 400)]
    for series in (by_vol, by_forward, by_time):
        assert all(b > a - SLACK for a, b in itertools.pairwise(series))
        assert series[-1] > series[0]


def slopes_match(price: Price) -> None:
    """Central differences against delta, gamma and vega."""
    h, hv = FORWARD // 1_000, WAD // 1_000
    for k in strikes()[::10]:
        for tau in (7 * DAY, 90 * DAY):
            low, mid, high = (price(True, FORWARD + i * h, k, WAD, tau, WAD) for i in (-1, 0, 1))
            assert abs((high.price - low.price) * WAD // (2 * h) - mid.delta) < WAD // 20_000
            second = (high.delta - low.delta) * WAD // (2 * h)
            assert abs(second - mid.gamma) < mid.gamma // 500 + 10**10
            up, down = (price(True, FORWARD, k, WAD + i * hv, tau, WAD) for i in (1, -1))
            assert abs((up.price - down.price) * WAD // (2 * hv) - mid.vega) < FORWARD // 10**5


PROPERTIES = (parity, bounded, monotone_and_convex_in_strike, rising, slopes_match)


@pytest.mark.parametrize("holds", PROPERTIES)
def test_property_holds(holds: Callable[[Price], None]) -> None:
    holds(contract_model.greeks)


def wrong(**changes: Callable[[ContractGreeks, Sequence[Any]], int]) -> Price:
    """The maths with fields replaced."""

    def price(*option: Any) -> ContractGreeks:
        g = contract_model.greeks(*option)
        return replace(g, **{name: change(g, option) for name, change in changes.items()})

    return price


@pytest.mark.parametrize(
    ("holds", "bug"),
    [
        (parity, wrong(price=lambda g, o: g.price + 2 * o[0])),
        (bounded, wrong(price=lambda g, o: g.price - (o[0] and g.gamma == 0))),
        (monotone_and_convex_in_strike, wrong(price=lambda g, o: g.price + o[2] // 1_000 % WAD)),
        (rising, wrong(price=lambda g, o: g.price - o[3] * 150 * (o[4] == DAY))),
        (slopes_match, wrong(delta=lambda g, o: g.delta * 9_998 // 10_000)),
        (slopes_match, wrong(vega=lambda g, o: g.vega * 99 // 100)),
    ],
)
def test_a_planted_bug_is_seen(holds: Callable[[Price], None], bug: Price) -> None:
    with pytest.raises(AssertionError):
        holds(bug)
