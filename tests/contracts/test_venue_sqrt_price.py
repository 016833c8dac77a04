"""SqrtPrice against exact integers, and its bounds."""

import itertools
import math
from fractions import Fraction
from typing import Any

import pytest

from scripts.components import pool_math

WAD = 10**18
LOWEST, HIGHEST = 4295128740, 1461446703485210103287273052203988822378723970341
PRICES = [10**12, 10**15, 83 * WAD, 2000 * WAD, 2000 * WAD + 1, 123_456_789 * 10**9, 10**24, 10**30]
FEES = [0, 100, 500, 3000, 10000]


@pytest.fixture(scope="module")
def library(project: Any, accounts: Any) -> Any:
    return project.SqrtPriceHarness.deploy({"from": accounts[0]})


def exact_square(buy: bool, base_is_token0: bool, limit: int, fee: int) -> Fraction:
    """Square of the limiting root in Q96, without rounding."""
    keep = Fraction(10**6 - fee, 10**6)
    price = limit * keep if buy else limit / keep
    ratio = price / 10**30
    return (ratio if base_is_token0 else 1 / ratio) * 2**192


@pytest.mark.parametrize("limit", PRICES)
@pytest.mark.parametrize("fee", FEES)
def test_is_the_nearest_root_that_keeps_the_limit(library: Any, limit: int, fee: int) -> None:
    for buy, base_is_token0 in itertools.product((True, False), repeat=2):
        root = library.limit(buy, base_is_token0, limit, fee)
        square = exact_square(buy, base_is_token0, limit, fee)
        down = buy == base_is_token0
        ideal = math.isqrt(math.floor(square)) if down else math.isqrt(math.ceil(square) - 1) + 1
        ideal = min(max(ideal, LOWEST), HIGHEST)
        # The price itself is rounded to 1e-18 USD first, which a root feels only at tiny prices.
        slack = ideal // (2 * limit) + 1
        assert abs(root - ideal) <= slack
        clamped = root in (LOWEST, HIGHEST)
        assert clamped or (root * root <= square if down else root * root >= square)


@pytest.mark.parametrize("base_is_token0", [True, False])
def test_no_limit_is_the_end_of_the_pool(library: Any, base_is_token0: bool) -> None:
    far = library.limit(False, base_is_token0, 0, 500)
    assert far == (LOWEST if base_is_token0 else HIGHEST)
    assert library.limit(True, base_is_token0, 0, 500) == far
    assert library.limit(False, False, 10**10, 500) == HIGHEST
    assert library.limit(True, base_is_token0, 10**30, 500) != far


def test_python_twin_agrees_without_a_fee(library: Any) -> None:
    for price in (1, 83, 2000, 10**6):
        for base_is_token0 in (True, False):
            python = pool_math.sqrt_price_x96(pool_math.Decimal(price), base_is_token0)
            assert abs(library.limit(True, base_is_token0, price * WAD, 0) - python) <= 1
