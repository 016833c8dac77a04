"""BlackScholes against mpmath at 50 digits and against the keeper's numpy, on dense grids."""

import itertools
import random
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from keeper.pricing import black76
from tests.brownie_fixtures import reverts_with

WAD = 10**18
YEAR = 365 * 24 * 3600
HOUR = 3600
DAY = 24 * HOUR
BATCH = 800
MAX_PRICE = 2**96

mp.mp.dps = 50

# In the order of the harness: call or put, forward, strike, volatility, seconds, discount.
Option = tuple[bool, int, int, int, int, int]


@pytest.fixture(scope="module")
def maths(project: Any, accounts: Any) -> Any:
    return project.MathsHarness.deploy({"from": accounts[0]})


def desk_grid() -> list[Option]:
    """What a desk can meet: a second to two years, 5 to 400 %, far in and out of the money."""
    forwards = [150 * WAD, 2_000 * WAD, 99_999_123456789123456789]
    ratios = [0.2, 0.5, 0.8, 0.95, 0.999, 1.0, 1.001, 1.05, 1.3, 2.0, 6.0]
    vols = [WAD // 20, WAD // 2, 8 * WAD // 10, 4 * WAD]
    taus = [1, HOUR, DAY, 7 * DAY, 90 * DAY, 730 * DAY]
    return [
        (call, f, int(f * r), v, t, WAD)
        for call, f, r, v, t in itertools.product((True, False), forwards, ratios, vols, taus)
    ]


def wide_draws(count: int, seed: int) -> list[Option]:
    """The whole domain that the natspec states."""
    draw = random.Random(seed)

    def price() -> int:
        return int(mp.mpf(10) ** draw.uniform(12, 28.5))

    return [
        (
            draw.random() < 0.5,
            (forward := price()),
            int(forward * 2 ** draw.uniform(-3, 3)) if draw.random() < 0.7 else price(),
            int(draw.uniform(0.001, 10) * WAD),
            int(mp.mpf(10) ** draw.uniform(0, 8.49)),
            WAD,
        )
        for _ in range(count)
    ]


def in_domain(options: list[Option]) -> list[Option]:
    return [o for o in options if o[2] <= MAX_PRICE and o[2] > 0]


def true_greeks(o: Option) -> tuple[mp.mpf, ...]:
    call, f, k, v, t, _ = o
    f, k, v = (mp.mpf(x) / WAD for x in (f, k, v))
    root = mp.sqrt(mp.mpf(t) / YEAR)
    s = v * root
    d1 = mp.log(f / k) / s + s / 2
    sign = 1 if call else -1
    price = sign * (f * mp.ncdf(sign * d1) - k * mp.ncdf(sign * (d1 - s)))
    phi = mp.npdf(d1)
    theta = -f * phi * v / (2 * root)
    return price, sign * mp.ncdf(sign * d1), phi / (f * s), f * phi * root, theta


def batched(call: Any, options: list[Option]) -> list[Any]:
    return [x for i in range(0, len(options), BATCH) for x in call(options[i : i + BATCH])]


def worst_errors(maths: Any, options: list[Option]) -> list[tuple[mp.mpf, Option]]:
    """Largest error of price, delta, gamma, vega, theta, each in the unit the natspec states, with where it is."""
    worst: list[tuple[mp.mpf, Option]] = [(mp.mpf(0), options[0])] * 5
    for o, found in zip(options, batched(maths.greeks, options), strict=True):
        forward, strike, s = (mp.mpf(x) / WAD for x in (o[1], o[2], o[3]))
        larger, root = max(forward, strike), mp.sqrt(mp.mpf(o[4]) / YEAR)
        # What each Greek is a multiple of: only the density or the distribution is approximated.
        units = (larger, 1, 1 / (forward * s * root), forward * root, forward * s / root)
        for i, (true, unit) in enumerate(zip(true_greeks(o), units, strict=True)):
            error = abs(true - mp.mpf(int(found[i])) / WAD)
            error = max(error - mp.mpf(2) / WAD, 0) / unit
            if error > worst[i][0]:
                worst[i] = (error, o)
    return worst


STATED = (mp.mpf("1e-15"), mp.mpf("2e-15"), *[mp.mpf("1e-15")] * 3)


@pytest.mark.parametrize(
    "options", [desk_grid(), in_domain(wide_draws(900, 1))], ids=["desk", "whole domain"]
)
def test_price_and_greeks_are_as_exact_as_stated(maths: Any, options: list[Option]) -> None:
    for (error, where), stated in zip(worst_errors(maths, options), STATED, strict=True):
        assert error < stated, where


def test_price_alone_equals_the_price_among_the_greeks(maths: Any) -> None:
    options = desk_grid()
    alone = batched(maths.prices, options)
    assert alone == [g[0] for g in batched(maths.greeks, options)]


def test_contract_and_keeper_agree(maths: Any) -> None:
    options = [o for o in desk_grid() if o[4] > 1]
    found = np.array([[int(x) for x in g] for g in batched(maths.greeks, options)]) / WAD
    call, f, k, v, t = (np.array(x) for x in list(zip(*options, strict=True))[:5])
    f, k, v = (x.astype(float) / WAD for x in (f, k, v))
    keeper = black76.greeks(call, f, k, v, t / YEAR)
    root = np.sqrt(t / YEAR)
    columns = (keeper.price, keeper.delta, keeper.gamma, keeper.vega, keeper.theta)
    units = (np.maximum(f, k), 1.0, 1 / (f * v * root), f * root, f * v / root)
    for i, (column, unit) in enumerate(zip(columns, units, strict=True)):
        assert np.max(np.abs(found[:, i] - column) / unit) < 1e-9


def test_put_call_parity(maths: Any) -> None:
    options = [o for o in desk_grid() if o[0]]
    calls = batched(maths.greeks, options)
    puts = batched(maths.greeks, [(False, *o[1:]) for o in options])
    for o, call, put in zip(options, calls, puts, strict=True):
        assert abs(int(call[0]) - int(put[0]) - (o[1] - o[2])) <= 1
        assert call[1] - put[1] == WAD
        assert tuple(call[2:]) == tuple(put[2:])


def test_bounds_hold_to_the_wei(maths: Any) -> None:
    options = desk_grid() + in_domain(wide_draws(400, 2))
    for (call, f, k, *_), g in zip(options, batched(maths.greeks, options), strict=True):
        intrinsic = max(f - k, 0) if call else max(k - f, 0)
        assert intrinsic <= g[0] <= (f if call else k)
        assert 0 <= (g[1] if call else -g[1]) <= WAD
        assert g[2] >= 0
        assert g[3] >= 0 >= g[4]


def test_price_moves_the_right_way(maths: Any) -> None:
    """In strike, forward, volatility and time; neighbours may tie within what rounding allows."""

    def prices(options: list[Option]) -> list[int]:
        return [int(p) for p in batched(maths.prices, options)]

    base = 2_000 * WAD
    steps = [base * (50 + i) // 100 for i in range(101)]
    slack = base // 10**15
    vols = [i * WAD // 50 for i in range(1, 150)]
    taus = [i * DAY for i in range(1, 150)]
    rising = [
        prices([(True, f, base, WAD, 7 * DAY, WAD) for f in steps]),
        prices([(False, base, k, WAD, 7 * DAY, WAD) for k in steps]),
        prices([(True, base, k, WAD, 7 * DAY, WAD) for k in reversed(steps)]),
        *(
            prices([(c, base, 21 * base // 20, v, 7 * DAY, WAD) for v in vols])
            for c in (True, False)
        ),
        *(prices([(c, base, 21 * base // 20, WAD, t, WAD) for t in taus]) for c in (True, False)),
    ]
    for series in rising:
        assert all(b >= a - slack for a, b in itertools.pairwise(series))
        assert series[-1] > series[0]


def test_discount_scales_the_price(maths: Any) -> None:
    options = [(*o[:5], WAD * 9 // 10) for o in desk_grid()]
    full = batched(maths.prices, desk_grid())
    for whole, part in zip(full, batched(maths.prices, options), strict=True):
        assert abs(part - int(whole) * 9 // 10) <= 1


@pytest.mark.parametrize(("vol", "tau"), [(0, 30 * DAY), (WAD, 0), (0, 0), (1, 1)])
@pytest.mark.parametrize("strike", [1_500, 2_000, 2_500])
def test_without_time_or_volatility_only_intrinsic_is_left(
    maths: Any, strike: int, vol: int, tau: int
) -> None:
    f, k = 2_000 * WAD, strike * WAD
    (call, put) = maths.greeks([(c, f, k, vol, tau, WAD) for c in (True, False)])
    assert tuple(call) == (max(f - k, 0), WAD * (f > k), 0, 0, 0)
    assert tuple(put) == (max(k - f, 0), -WAD * (k > f), 0, 0, 0)


def test_limits_of_delta(maths: Any) -> None:
    deep, far = maths.greeks(
        [(True, 2_000 * WAD, k * WAD, WAD // 2, 7 * DAY, WAD) for k in (500, 8_000)]
    )
    assert WAD - 1000 <= deep[1] <= WAD
    assert 0 <= far[1] <= 1000
    (long,) = maths.greeks([(True, 2_000 * WAD, 2_000 * WAD, 10 * WAD, 10 * YEAR, WAD)])
    assert long[0] == 2_000 * WAD


DOMAIN = [
    ("ForwardOutOfRange", 1, [0, MAX_PRICE + 1, 2**256 - 1]),
    ("StrikeOutOfRange", 2, [0, MAX_PRICE + 1, 2**256 - 1]),
    ("VolOutOfRange", 3, [10 * WAD + 1, 2**256 - 1]),
    ("TauOutOfRange", 4, [10 * YEAR + 1, 2**256 - 1]),
    ("DiscountOutOfRange", 5, [WAD + 1, 2**256 - 1]),
]


@pytest.mark.parametrize(
    ("error", "place", "value"), [(e, p, v) for e, p, values in DOMAIN for v in values]
)
def test_out_of_domain_is_refused_by_name(maths: Any, error: str, place: int, value: int) -> None:
    option = [True, 2_000 * WAD, 2_000 * WAD, WAD, DAY, WAD]
    option[place] = value
    for function in (maths.prices, maths.greeks):
        with reverts_with(error, value):
            function([option])


def test_the_edges_of_the_domain_are_inside(maths: Any) -> None:
    corners = [
        (c, f, k, v, t, WAD)
        for c, f, k, v, t in itertools.product(
            (True, False), (1, MAX_PRICE), (1, MAX_PRICE), (0, 1, 10 * WAD), (0, 1, 10 * YEAR)
        )
    ]
    assert len(maths.greeks(corners)) == len(corners)
