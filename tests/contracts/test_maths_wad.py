"""Wad and Gaussian against mpmath at 50 digits on dense grids; rounding named by every function."""

import itertools
import random
import re
from pathlib import Path
from typing import Any

import mpmath as mp
import pytest

from tests.brownie_fixtures import reverts_with

WAD = 10**18
EXP_ZERO = -41446531673892822313
EXP_MAX = 88 * WAD

mp.mp.dps = 50


@pytest.fixture(scope="module")
def maths(project: Any, accounts: Any) -> Any:
    return project.MathsHarness.deploy({"from": accounts[0]})


def grid(low: int, high: int, count: int, seed: int) -> list[int]:
    """Ends, evenly spaced and random points: what a formula gets wrong hides between round numbers."""
    draw = random.Random(seed)
    even = [low + (high - low) * i // count for i in range(count + 1)]
    return sorted({*even, *(draw.randint(low, high) for _ in range(count))})


def floor_wad(value: mp.mpf) -> int:
    return int(mp.floor(value * WAD))


def test_exp_is_within_one_unit_and_1e15_of_itself(maths: Any) -> None:
    x = [*grid(EXP_ZERO, 5 * WAD, 600, 1), *grid(5 * WAD, EXP_MAX, 400, 2), 0, 1, -1]
    for given, found in zip(x, maths.exps(x), strict=True):
        true = mp.exp(mp.mpf(given) / WAD) * WAD
        assert abs(true - found) <= 1 + true * mp.mpf(10) ** -15, given


def test_exp_at_its_edges(maths: Any) -> None:
    assert list(maths.exps([0, EXP_ZERO, EXP_ZERO + 1, -(2**255)])) == [WAD, 0, 1, 0]
    with reverts_with("ExpOverflow", EXP_MAX + 1):
        maths.exps([EXP_MAX + 1])


def test_exp_never_falls_when_x_grows(maths: Any) -> None:
    x = grid(-2 * WAD, 2 * WAD, 500, 3)
    x = sorted({y + d for y in x for d in (0, 1, 7)})
    found = maths.exps(x)
    assert all(a <= b for a, b in itertools.pairwise(found))


def test_ln_is_within_1e16_of_itself(maths: Any) -> None:
    draw = random.Random(4)
    x = [1, 2, WAD - 1, WAD, WAD + 1, 2**150 - 1]
    x += [int(mp.mpf(2) ** draw.uniform(0, 150)) for _ in range(800)]
    x += [WAD + draw.randint(-(10**12), 10**12) for _ in range(200)]
    for given, found in zip(x, maths.lns(x), strict=True):
        true = mp.log(mp.mpf(given) / WAD) * WAD
        assert abs(true - found) <= 1 + abs(true) * mp.mpf(10) ** -16, given


def test_ln_ratio_is_within_1e16_of_itself_also_near_one(maths: Any) -> None:
    draw = random.Random(5)
    near = [10**24 + i * 10**18 for i in range(-50, 51) if i]
    for x, found in zip(near, maths.lnRatios(near, [10**24] * len(near)), strict=True):
        true = mp.log(mp.mpf(x) / 10**24) * WAD
        assert abs(true - found) <= 1 + abs(true) * mp.mpf(10) ** -16
    a = [int(mp.mpf(2) ** draw.uniform(1, 149)) for _ in range(600)] + [1, 2**150 - 1, 7, 3]
    b = [int(mp.mpf(2) ** draw.uniform(1, 149)) for _ in range(600)] + [2**150 - 1, 1, 3, 7]
    for x, y, found in zip(a, b, maths.lnRatios(a, b), strict=True):
        true = mp.log(mp.mpf(x) / y) * WAD
        assert abs(true - found) <= 1 + abs(true) * mp.mpf(10) ** -16, (x, y)


def test_ln_ratio_of_a_swap_is_the_negative(maths: Any) -> None:
    draw = random.Random(6)
    a = [draw.randint(1, 2**140) for _ in range(200)]
    b = [draw.randint(1, 2**140) for _ in range(200)]
    forth, back = maths.lnRatios(a, b), maths.lnRatios(b, a)
    assert all(f == -g for f, g in zip(forth, back, strict=True))


@pytest.mark.parametrize("x", [0, -1, -(2**255)])
def test_ln_of_nothing_is_refused(maths: Any, x: int) -> None:
    with reverts_with("LnOfNonPositive", x):
        maths.lns([x])


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (0, 0)])
def test_ln_ratio_of_nothing_is_refused(maths: Any, pair: tuple[int, int]) -> None:
    with reverts_with("LnOfNonPositive", 0):
        maths.lnRatios([pair[0]], [pair[1]])


@pytest.mark.parametrize("pair", [(2**150, 1), (1, 2**150), (2**200, WAD), (2**255, 1)])
def test_ln_ratio_beyond_its_domain_is_refused_not_wrong(maths: Any, pair: tuple[int, int]) -> None:
    with reverts_with("LnOutOfRange", *pair):
        maths.lnRatios([pair[0]], [pair[1]])


def test_ln_beyond_its_domain_is_refused_not_wrong(maths: Any) -> None:
    with reverts_with("LnOutOfRange", 2**200, WAD):
        maths.lns([2**200])


def test_normal_distribution_is_within_1e15(maths: Any) -> None:
    x = [*grid(-10 * WAD, 10 * WAD, 700, 7), 0, 1, -1, 7071067811865475000, 9 * WAD, 9 * WAD + 1]
    cdf, pdf = maths.gaussians(x)
    worst_cdf = worst_pdf = mp.mpf(0)
    for given, n, phi in zip(x, cdf, pdf, strict=True):
        at = mp.mpf(given) / WAD
        worst_cdf = max(worst_cdf, abs(mp.ncdf(at) * WAD - n))
        worst_pdf = max(worst_pdf, abs(mp.npdf(at) * WAD - phi))
    assert worst_cdf < 1000, worst_cdf
    assert worst_pdf < 1000, worst_pdf


def test_normal_distribution_is_symmetric_monotone_and_bounded(maths: Any) -> None:
    x = grid(0, 10 * WAD, 600, 8)
    right, _ = maths.gaussians(x)
    left, _ = maths.gaussians([-y for y in x])
    assert all(r + lft == WAD for r, lft in zip(right[1:], left[1:], strict=True))
    assert right[0] == left[0] == WAD // 2
    assert all(a <= b for a, b in itertools.pairwise(right))
    assert maths.gaussians([2**200, -(2**200)]) == ([WAD, 0], [0, 0])


def test_the_tail_is_at_most_a_half_because_every_coefficient_says_so() -> None:
    """2 n(z) <= d(z) term by term for z >= 0, equal at z = 0, and d > 0: N is in [0, 1], no division is by 0."""
    source = Path("contracts/libraries/Gaussian.sol").read_text(encoding="utf-8")
    n, d = (
        [int(x) for x in re.findall(rf"{name} = (?:\({name} \* z\) / 1e18 \+ )?(\d+);", source)]
        for name in ("n", "d")
    )
    assert (len(n), len(d)) == (7, 8)
    assert all(2 * a <= b for a, b in zip(reversed(n), reversed(d[1:]), strict=True))
    assert 2 * n[-1] == d[-1]
    assert min(d) > 0


def test_normal_distribution_does_not_fall_at_its_breakpoints(maths: Any) -> None:
    for at in (7071067811865475000, 9 * WAD):
        x = [at + i * 10**j for j in range(12) for i in range(-9, 10)]
        for side in (1, -1):
            points = sorted({side * y for y in x})
            cdf, _ = maths.gaussians(points)
            assert all(0 <= a <= b <= WAD for a, b in itertools.pairwise(cdf))


def test_rounding_is_what_the_name_says(maths: Any) -> None:
    draw = random.Random(9)
    for _ in range(60):
        a, b = draw.randint(0, 10**30), draw.randint(1, 10**30)
        down, up, div_down, div_up = maths.roundings(a, b)
        assert (down, up) == (a * b // WAD, -(-a * b // WAD))
        assert (div_down, div_up) == (a * WAD // b, -(-a * WAD // b))
        a, b = draw.randint(-(10**30), 10**30), draw.randint(-(10**30), 10**30)
        zero = abs(a * b) // WAD * (1 if a * b >= 0 else -1)
        assert tuple(maths.products(a, b)) == (a * b // WAD, -(-a * b // WAD), zero)
