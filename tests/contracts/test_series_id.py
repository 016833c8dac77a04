"""SeriesId against keeper/units.py: round trip, order, refusals, payoff."""

import random
from typing import Any

import pytest

from keeper.units import decode_series, encode_series
from tests.brownie_fixtures import reverts_with

WAD = 10**18
DAY = 24 * 3600
EIGHT = 8 * 3600
LAST_EXPIRY = (2**40 - 1 - EIGHT) // DAY * DAY + EIGHT


@pytest.fixture(scope="module")
def maths(project: Any, accounts: Any) -> Any:
    return project.MathsHarness.deploy({"from": accounts[0]})


def drawn(seed: int) -> tuple[int, int, int, bool]:
    """Underlying, expiry, strike in 1e-8 USD, call or put."""
    draw = random.Random(seed)
    strike = draw.choice((draw.randint(1, 2**53), draw.randint(1, 10**12)))
    return draw.randint(1, 65535), draw.randrange(EIGHT, LAST_EXPIRY, DAY), strike, seed % 2 == 0


EDGES = [(1, EIGHT, 1, True), (65535, LAST_EXPIRY, 2**53, False)]


@pytest.mark.parametrize("parts", [*EDGES, *map(drawn, range(30))])
def test_round_trip_agrees_with_the_keeper(maths: Any, parts: tuple[int, int, int, bool]) -> None:
    underlying, expiry, strike, call = parts
    found = maths.encode(underlying, expiry, strike * 10**10, call)
    assert found == encode_series(underlying, expiry, strike / 10**8, call)
    assert decode_series(found) == (underlying, expiry, strike / 10**8, call)
    key = (underlying << 40) | expiry
    assert tuple(maths.decode(found)) == (underlying, expiry, strike * 10**10, call, key)


def test_no_two_series_share_an_id(maths: Any) -> None:
    """Incident 2: nothing of a series lies outside its id, and each field has bits of its own."""
    ids = {encode_series(u, e * DAY + EIGHT, k, c) for u in (1, 2) for e in (1, 2) for k in (1, 2)
           for c in (True, False)}  # fmt: skip
    assert len(ids) == 16


def test_order_is_by_underlying_then_expiry_then_strike() -> None:
    series = sorted(drawn(seed) for seed in range(40))
    ids = [encode_series(u, e, k / 10**8, c) for u, e, k, c in series]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    ("parts", "error", "values"),
    [
        ((0, EIGHT, WAD, True), "UnderlyingZero", ()),
        ((1, EIGHT + 1, WAD, True), "ExpiryOffGrid", (EIGHT + 1,)),
        ((1, 0, WAD, True), "ExpiryOffGrid", (0,)),
        ((1, DAY, WAD, True), "ExpiryOffGrid", (DAY,)),
        ((1, EIGHT, 0, True), "StrikeOutOfRange", (0,)),
        ((1, EIGHT, 10**10 * 2**64, True), "StrikeOutOfRange", (10**10 * 2**64,)),
        ((1, EIGHT, WAD + 1, True), "StrikeOffGrid", (WAD + 1,)),
        ((1, EIGHT, 2**256 - 1, True), "StrikeOffGrid", (2**256 - 1,)),
    ],
)
def test_malformed_parts_are_refused(
    maths: Any, parts: tuple[int, int, int, bool], error: str, values: tuple[int, ...]
) -> None:
    with reverts_with(error, *values):
        maths.encode(*parts)


@pytest.mark.parametrize(
    ("series", "error"),
    [
        (0, "UnderlyingZero"),
        (2**128 - 1, "ExpiryOffGrid"),
        ((1 << 112) | (EIGHT << 72), "StrikeOutOfRange"),
        ((1 << 112) | (EIGHT << 72) | (1 << 8) | 2, "StrikeOutOfRange"),
        ((1 << 112) | (EIGHT << 72) | (1 << 8) | 0x81, "StrikeOutOfRange"),
        ((1 << 112) | (1 << 8), "ExpiryOffGrid"),
    ],
)
def test_malformed_ids_are_refused(maths: Any, series: int, error: str) -> None:
    with reverts_with(error):
        maths.validateSeries(series)


@pytest.mark.parametrize("price", [0, 1, 1_999 * WAD, 2_000 * WAD, 2_000 * WAD + 1, 10**30])
def test_payoff(maths: Any, price: int) -> None:
    call, put = (encode_series(1, EIGHT, 2_000.0, c) for c in (True, False))
    assert maths.payoff(call, price) == max(price - 2_000 * WAD, 0)
    assert maths.payoff(put, price) == max(2_000 * WAD - price, 0)
