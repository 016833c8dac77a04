"""What must hold of any option price: of the contract's integers, and of the twin's, which are the same.

Each property is a function of the maths, so that the last test can hand it one with a bug; tests/mutants/maths plants
bugs in the contract itself, one for each property.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from keeper.pricing import contract_model
from keeper.pricing.contract_model import ContractGreeks

WAD = 10**18
DAY = 86_400
YEAR_S = 365 * DAY
FORWARD = 2_000 * WAD
# Prices may be out of order by what the fractions are wrong by.
SLACK = 2 * FORWARD // 10**15
BATCH = 400

Option = tuple[bool, int, int, int, int, int]
Maths = Callable[[Sequence[Option]], list[ContractGreeks]]
Property = Callable[[Maths], None]


def twin(options: Sequence[Option]) -> list[ContractGreeks]:
    return [contract_model.greeks(*option) for option in options]


@pytest.fixture(scope="module")
def contract(project: Any, accounts: Any) -> Maths:
    harness = project.MathsHarness.deploy({"from": accounts[0]})

    def found(options: Sequence[Option]) -> list[ContractGreeks]:
        batches = (options[i : i + BATCH] for i in range(0, len(options), BATCH))
        return [ContractGreeks(*map(int, g)) for b in batches for g in harness.greeks(b)]

    return found


def drawn(count: int, seed: int) -> list[Option]:
    """The whole domain, with strikes near and far."""
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


def parity(maths: Maths) -> None:
    options = drawn(300, 2)
    calls, puts = (maths([(c, *o[1:]) for o in options]) for c in (True, False))
    for (_, f, k, vol, tau, d), call, put in zip(options, calls, puts, strict=True):
        assert abs((call.price - put.price) * WAD - d * (f - k)) <= WAD
        if vol and tau and f != k:
            assert call.delta - put.delta == d


def bounded(maths: Maths) -> None:
    options = drawn(600, 3)
    for (call, f, k, _, _, d), g in zip(options, maths(options), strict=True):
        intrinsic = max(f - k, 0) if call else max(k - f, 0)
        assert d * intrinsic // WAD <= g.price <= d * (f if call else k) // WAD
        assert 0 <= (g.delta if call else -g.delta) <= d


def vega_and_gamma_not_negative(maths: Maths) -> None:
    """An integer below zero would come out of the contract as one above everything."""
    options = drawn(600, 4)
    for (_, f, _, vol, tau, _), g in zip(options, maths(options), strict=True):
        root = (tau / YEAR_S) ** 0.5
        assert 0 <= g.vega <= 0.4 * f * root + 1
        assert g.gamma >= 0
        assert g.gamma * f * vol / WAD * root <= 0.4 * WAD * WAD + f * vol / WAD
        assert 0 <= -g.theta <= (0.2 * f * vol / WAD / root + 1 if root else 0)


def strike_rows() -> Iterator[list[int]]:
    """Far apart over a thousandfold, and close together, also where the maths changes its way."""
    yield [FORWARD * i // 20 for i in range(1, 200)]
    yield [FORWARD * i for i in range(1, 60)]
    for thirds in (1.5, 9 / 7, 3, 7, 28, 112):
        centre = int(FORWARD * thirds) // 3
        yield [centre + i * FORWARD // 10**6 for i in range(-40, 41)]


def rows(maths: Maths) -> Iterator[list[int]]:
    for strikes, vol in itertools.product(strike_rows(), (WAD, 5 * WAD // 2)):
        yield [g.price for g in maths([(True, FORWARD, k, vol, YEAR_S, WAD) for k in strikes])]


def monotone_in_strike(maths: Maths) -> None:
    for found in rows(maths):
        assert all(b - a <= SLACK for a, b in itertools.pairwise(found))
        assert found[-1] < found[0]


def convex_in_strike(maths: Maths) -> None:
    for found in rows(maths):
        falls = [b - a for a, b in itertools.pairwise(found)]
        assert all(b - a >= -2 * SLACK for a, b in itertools.pairwise(falls))


def rises(maths: Maths, options: list[Option]) -> None:
    found = [g.price for g in maths(options)]
    assert all(b >= a - SLACK for a, b in itertools.pairwise(found))
    assert found[-1] > found[0]


def rising_in_volatility(maths: Maths) -> None:
    for strike in (FORWARD, FORWARD * 6 // 5, FORWARD * 3):
        rises(maths, [(True, FORWARD, strike, v * WAD // 50, DAY, WAD) for v in range(1, 400)])


def rising_in_forward(maths: Maths) -> None:
    for tau in (DAY, YEAR_S):
        rises(maths, [(True, FORWARD * i // 50, FORWARD, WAD, tau, WAD) for i in range(5, 250)])


def rising_in_time(maths: Maths) -> None:
    rises(maths, [(True, FORWARD, FORWARD, WAD, t * 997, WAD) for t in range(1, 400)])


def slopes_match(maths: Maths) -> None:
    """Central differences against delta, gamma, vega and theta, for calls and puts and with a discount."""
    h, hv, ht = FORWARD // 1_000, WAD // 1_000, 600
    for call, percent, tau in itertools.product((True, False), range(40, 240, 10), (7, 90)):
        k, t, d = FORWARD * percent // 100, tau * DAY, 9 * WAD // 10
        low, mid, high, dull, wild, near, far = maths(
            [
                *((call, FORWARD + i * h, k, WAD, t, d) for i in (-1, 0, 1)),
                *((call, FORWARD, k, WAD + i * hv, t, d) for i in (-1, 1)),
                *((call, FORWARD, k, WAD, t + i * ht, d) for i in (-1, 1)),
            ]
        )
        assert abs((high.price - low.price) * WAD // (2 * h) - mid.delta) < WAD // 20_000
        second = (high.delta - low.delta) * WAD // (2 * h)
        assert abs(second - mid.gamma) < mid.gamma // 500 + 10**10
        assert abs((wild.price - dull.price) * WAD // (2 * hv) - mid.vega) < FORWARD // 10**5
        per_year = (near.price - far.price) * YEAR_S // (2 * ht)
        assert abs(per_year - mid.theta) < FORWARD // 10**5


PROPERTIES = (
    parity, bounded, vega_and_gamma_not_negative, monotone_in_strike, convex_in_strike,
    rising_in_volatility, rising_in_forward, rising_in_time, slopes_match,
)  # fmt: skip
NAMES = [holds.__name__ for holds in PROPERTIES]


@pytest.mark.parametrize("holds", PROPERTIES, ids=NAMES)
def test_of_the_contract(contract: Maths, holds: Property) -> None:
    holds(contract)


@pytest.mark.parametrize("holds", PROPERTIES, ids=NAMES)
def test_of_the_twin(holds: Property) -> None:
    holds(twin)


def wrong(**changes: Callable[[ContractGreeks, Option], int]) -> Maths:
    """The maths with fields replaced."""

    def maths(options: Sequence[Option]) -> list[ContractGreeks]:
        return [
            replace(g, **{name: change(g, option) for name, change in changes.items()})
            for g, option in zip(twin(options), options, strict=True)
        ]

    return maths


@pytest.mark.parametrize(
    ("holds", "bug"),
    [
        (parity, wrong(price=lambda g, o: g.price + 2 * o[0])),
        (bounded, wrong(price=lambda g, o: g.price - (o[0] and g.gamma == 0))),
        (vega_and_gamma_not_negative, wrong(vega=lambda g, o: g.vega - (g.vega == 0))),
        (vega_and_gamma_not_negative, wrong(gamma=lambda g, o: (g.gamma - 1) % 2**256)),
        (monotone_in_strike, wrong(price=lambda g, o: g.price + (o[2] > FORWARD) * WAD // 10)),
        (convex_in_strike, wrong(price=lambda g, o: g.price - (o[2] > FORWARD) * 10**11)),
        (rising_in_volatility, wrong(price=lambda g, o: g.price - o[3] * 150)),
        (rising_in_forward, wrong(price=lambda g, o: g.price - (o[1] > FORWARD) * FORWARD // 50)),
        (rising_in_time, wrong(price=lambda g, o: g.price - o[4] * 10**16)),
        (slopes_match, wrong(delta=lambda g, o: g.delta * 9_998 // 10_000)),
        (slopes_match, wrong(gamma=lambda g, o: g.gamma * 99 // 100)),
        (slopes_match, wrong(vega=lambda g, o: g.vega * 99 // 100)),
        (slopes_match, wrong(theta=lambda g, o: g.theta * 99 // 100)),
    ],
)
def test_a_planted_bug_is_seen(holds: Property, bug: Maths) -> None:
    with pytest.raises(AssertionError):
        holds(bug)
