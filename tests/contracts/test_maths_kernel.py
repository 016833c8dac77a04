"""The scenario kernel and its table: error, monotony on every breakpoint, puts, sizes, edges."""

import itertools
import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

from tests.brownie_fixtures import reverts_with

WAD = 10**18
YEAR_S = 365 * 86_400
PIECES = 512
# ScenarioSweep.TABLE_AT, bytes.
TABLE_AT = 2048
RANGE = 5.5
# Two tails, then the moves.
FACTORS = [WAD // 3, 3 * WAD, WAD // 2, *(WAD * i // 50 for i in range(40, 61)), 3 * WAD // 2]


@pytest.fixture(scope="module")
def maths(project: Any, accounts: Any) -> Any:
    return project.MathsHarness.deploy({"from": accounts[0]})


@pytest.fixture(scope="module")
def table(project: Any, accounts: Any) -> Any:
    return project.ScenarioTable.deploy({"from": accounts[0]})


def signed(word: int, bits: int) -> int:
    low = word & ((1 << bits) - 1)
    return low - (low >> (bits - 1) << bits)


@pytest.fixture(scope="module")
def pieces(table: Any) -> list[tuple[int, int, int]]:
    """(c0, c1, c2) of every piece from its own start, as signed integers."""
    import brownie

    code = bytes(brownie.web3.eth.get_code(table.address))
    assert len(code) == 1 + 32 * PIECES
    assert code[0] == 0
    out = []
    for i in range(PIECES):
        word = int.from_bytes(code[1 + 32 * i : 33 + 32 * i], "big")
        c0 = signed(word, 88)
        c1 = signed((word - c0) >> 88, 88)
        c2 = signed((word - c0 - (c1 << 88)) >> 176, 80)
        assert c0 % 4 == 0
        # Places count from where the table lies in memory.
        start = (i << 24) + (TABLE_AT << 19)
        c0 = c0 // 4 + c1 * start + c2 * start * start
        out.append((c0, c1 + 2 * c2 * start, c2))
    return out


def at(piece: tuple[int, int, int], f: int) -> int:
    """Q78, as the kernel's one multiplication yields it up to 2^-60."""
    c0, c1, c2 = piece
    return c0 + c1 * f + c2 * f * f


def test_the_table_is_monotone_in_zero_to_one_on_every_breakpoint(
    pieces: list[tuple[int, int, int]],
) -> None:
    """A quadratic that rises at both its ends rises between them: 512 pieces are the whole of the argument."""
    last = 1 << 24
    for piece in pieces:
        _, c1, c2 = piece
        assert c1 >= 0, piece
        assert c1 + 2 * c2 * last >= 0, piece
        # 2^38 (9e-13) above, so that noise from below never makes a value negative.
        assert 1 << 37 < at(piece, 0) <= at(piece, last - 1) <= (1 << 78) + (1 << 38)
    for left, right in itertools.pairwise(pieces):
        assert at(left, last - 1) <= at(right, 0)
        assert abs(at(left, last) - at(right, 0)) < 1 << 26  # 2^-52


def test_the_table_is_as_exact_as_stated(pieces: list[tuple[int, int, int]]) -> None:
    places = np.linspace(0, 1, 33)
    for i, (c0, c1, c2) in enumerate(pieces):
        d = -RANGE + (i + places) * 2 * RANGE / PIECES
        f = places * 2**24
        found = (c0 + c1 * f + c2 * f * f) / 2**78
        assert np.max(np.abs(found - ndtr(d))) < 3.3e-8


def drawn(count: int, seed: int) -> list[tuple]:
    draw = random.Random(seed)
    out = []
    for _ in range(count):
        forward, vol = draw.uniform(100, 10_000), draw.uniform(0.05, 3)
        tau = int(math.exp(draw.uniform(math.log(60), math.log(3 * YEAR_S))))
        s = vol * math.sqrt(tau / YEAR_S)
        strike = forward * math.exp(draw.uniform(-3, 3) * max(s, 0.05))
        out.append(
            (draw.random() < 0.5, int(forward * WAD), int(strike * WAD), int(vol * WAD), tau, WAD)
        )
    return out


def vols(option: tuple) -> tuple[int, int, int]:
    """As it is, twice it and half of it, in the harness's order."""
    return option[3], min(2 * option[3], 10 * WAD), option[3] // 2


def points(option: tuple, found: Any) -> Iterator[tuple[int, tuple, int, int]]:
    """(factor, option at a volatility, sum, error bound); tails have the second volatility alone."""
    for i, (factor, row) in enumerate(zip(FACTORS, found, strict=True)):
        for j, vol in enumerate(vols(option)):
            if i >= 2 or j == 1:
                yield factor, (*option[:3], vol, *option[4:]), row[j], row[3]
            else:
                assert row[j] == 0


def true_value(option: tuple, factor: int) -> float:
    call, forward, strike, vol, tau, _ = option
    f, k, sign = forward / WAD * factor / WAD, strike / WAD, 1 if call else -1
    s = vol / WAD * math.sqrt(tau / YEAR_S)
    if s < 2**-24:
        return max(sign * (f - k), 0.0)
    d1 = math.log(f / k) / s + s / 2
    return float(sign * (f * ndtr(sign * d1) - k * ndtr(sign * (d1 - s))))


@pytest.mark.parametrize("size", [WAD, -WAD, 25 * WAD // 10, -(10**24)])
def test_values_are_within_1e7_of_the_larger_of_forward_and_strike(
    maths: Any, table: Any, size: int
) -> None:
    for option in drawn(40, abs(size) % 97):
        found = maths.scenarios(table, option, size, FACTORS)
        for factor, moved, value, bound in points(option, found):
            larger = max(option[1] / WAD * factor / WAD, option[2] / WAD) * abs(size) / WAD
            error = abs(value / WAD - true_value(moved, factor) * size / WAD)
            assert error < 1e-7 * larger
            assert error < bound / WAD


def test_the_error_bound_is_that_of_the_sum(maths: Any, table: Any) -> None:
    """36e-9 of |size| (F + K), F at the greater of the spots, whatever the sign."""
    option = (True, 2_000 * WAD, 3_000 * WAD, WAD, 86_400, WAD)
    for size in (2 * WAD, -2 * WAD):
        found = maths.scenarios(table, option, size, [WAD // 2, 3 * WAD // 2])
        assert [row[3] for row in found] == [10_000 * 36 * 10**9, 15_000 * 36 * 10**9]


@pytest.mark.parametrize(("vol", "tau"), [(0, 86_400), (WAD, 0), (0, 0), (10 * WAD, 3650 * 86_400)])
def test_edges_of_the_domain_have_a_value(maths: Any, table: Any, vol: int, tau: int) -> None:
    for call, strike in itertools.product((True, False), (1_000, 2_000, 2_100, 2**28)):
        option = (call, 2_000 * WAD, strike * WAD, vol, tau, WAD)
        found = maths.scenarios(table, option, WAD, FACTORS)
        for factor, moved, value, _ in points(option, found):
            larger = max(2_000 * factor / WAD, strike)
            assert abs(value / WAD - true_value(moved, factor)) < 1e-7 * larger


@pytest.mark.parametrize("size", [2**126, -(2**126), 1, 0])
def test_every_size_that_a_leg_can_have(maths: Any, table: Any, size: int) -> None:
    for forward, strike in ((2**96, 2**95), (2_000 * WAD, 2_100 * WAD), (2, 1)):
        option = (True, forward, strike, WAD, 30 * 86_400, WAD)
        found = maths.scenarios(table, option, size, FACTORS)
        for factor, moved, value, _ in points(option, found):
            larger = max(forward / WAD * factor / WAD, strike / WAD) * abs(size) / WAD
            error = abs(value / WAD - true_value(moved, factor) * size / WAD)
            # A wei from the product of size and forward, one from the sum.
            assert error < 1e-7 * larger + 5 / WAD


def test_volatilities_may_be_in_any_order(maths: Any, table: Any) -> None:
    """The harness's second is the greatest; with a volatility above 5 both of the others are below."""
    option = (True, 2_000 * WAD, 2_000 * WAD, 8 * WAD, 86_400 * 365, WAD)
    for factor, moved, value, _ in points(option, maths.scenarios(table, option, WAD, FACTORS)):
        assert abs(value / WAD - true_value(moved, factor)) < 1e-7 * 6_000


@pytest.mark.parametrize(
    ("error", "place", "value"),
    [("ForwardOutOfRange", 1, 0), ("StrikeOutOfRange", 2, 2**96 + 1), ("TauOutOfRange", 4, 2**60)],
)
def test_out_of_domain_is_refused_by_name(
    maths: Any, table: Any, error: str, place: int, value: int
) -> None:
    option = [True, 2_000 * WAD, 2_000 * WAD, WAD, 86_400, WAD]
    option[place] = value
    with reverts_with(error, value):
        maths.scenarios(table, option, WAD, FACTORS)


OPTION = (True, 2_000 * WAD, 2_000 * WAD, WAD, 86_400, WAD)


@pytest.mark.parametrize("factor", [0, 10**15 - 1, 1_000 * WAD + 1, 2**256 - 1])
@pytest.mark.parametrize("place", [0, 1, 2, 4])
def test_factors_out_of_range_are_refused(maths: Any, table: Any, factor: int, place: int) -> None:
    factors = [WAD] * 5
    factors[place] = factor
    with reverts_with("FactorOutOfRange", factor):
        maths.scenarios(table, OPTION, WAD, factors)


def test_moves_out_of_order_are_refused_and_tails_have_no_order(maths: Any, table: Any) -> None:
    with reverts_with("FactorsNotAscending", WAD - 1):
        maths.scenarios(table, OPTION, WAD, [WAD, WAD, WAD, WAD - 1])
    maths.scenarios(table, OPTION, WAD, [3 * WAD, 2 * WAD, 10**15, WAD, WAD, 1_000 * WAD])


def test_a_table_that_is_none_is_refused(maths: Any, accounts: Any) -> None:
    with reverts_with("TableMissing", accounts[1].address):
        maths.scenarios(accounts[1], OPTION, WAD, FACTORS)
