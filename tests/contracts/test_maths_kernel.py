"""The scenario kernel and its table: error, monotony on every breakpoint, puts, sizes, edges."""

import itertools
import math
import random
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

from tests.brownie_fixtures import reverts_with

WAD = 10**18
YEAR_S = 365 * 86_400
PIECES = 512
RANGE = 5.5
FACTORS = [WAD // 2, *(WAD * i // 50 for i in range(40, 61)), 3 * WAD // 2]


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
        start = i << 24
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


def points(option: tuple) -> list[tuple[int, tuple]]:
    """(factor, option at its volatility, twice it and half of it), in the harness's order."""
    vol = option[3]
    vols = (vol, min(2 * vol, 10 * WAD), vol // 2)
    return [(f, (*option[:3], v, *option[4:])) for f in FACTORS for v in vols]


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
        for (factor, moved), value in zip(points(option), found, strict=True):
            larger = max(option[1] / WAD * factor / WAD, option[2] / WAD) * abs(size) / WAD
            assert abs(value / WAD - true_value(moved, factor) * size / WAD) < 1e-7 * larger


@pytest.mark.parametrize(("vol", "tau"), [(0, 86_400), (WAD, 0), (0, 0), (10 * WAD, 3650 * 86_400)])
def test_edges_of_the_domain_have_a_value(maths: Any, table: Any, vol: int, tau: int) -> None:
    for call in (True, False):
        option = (call, 2_000 * WAD, 2_100 * WAD, vol, tau, WAD)
        found = maths.scenarios(table, option, WAD, FACTORS)
        for (factor, moved), value in zip(points(option), found, strict=True):
            assert abs(value / WAD - true_value(moved, factor)) < 1e-7 * 3_150


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
        maths.scenarios(table, option, WAD, [WAD])


def test_a_table_that_is_none_is_refused(maths: Any, accounts: Any) -> None:
    option = (True, 2_000 * WAD, 2_000 * WAD, WAD, 86_400, WAD)
    with reverts_with("TableMissing", accounts[1].address):
        maths.scenarios(accounts[1], option, WAD, [WAD])
