"""A book with a trade in it, in the contract's words."""

import pytest

from keeper.market.series_names import NamedLeg
from keeper.runtime.desk_trade import _after
from keeper.units import WAD, encode_series

A, B = (encode_series(1, 1_798_185_600, strike, True) for strike in (3000.0, 4000.0))


def word(series: int, size: int) -> int:
    return (size % 2**128 << 128) | series


@pytest.mark.parametrize("size", [-3 * WAD, 2 * WAD, -(2**120)])
def test_legs_add_up_and_flat_ones_go(size: int) -> None:
    book = (1, 100 * WAD, 5, (), (word(A, size), word(B, WAD)))
    legs = (NamedLeg(A, WAD), NamedLeg(B, -WAD))
    assert _after(book, legs, 7) == (1, 100 * WAD - 7, 5, (), (word(A, size + WAD),))
    assert _after(book, (NamedLeg(A, -size),), -7)[4] == (word(B, WAD),)
