"""Conversions at the chain's border: exact where they can be, and rounded the way their name says."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keeper import units
from keeper.errors import PricingError

amounts = st.one_of(st.floats(-1e15, 1e15), st.floats(-1.0, 1.0))


@given(amounts)
@example(1 / 3)
@example(-1 / 3)
def test_rounding_goes_where_the_name_says(value):
    exact = Fraction(value) * units.WAD
    assert units.to_wad_down(value) == math.floor(exact)
    assert units.to_wad_up(value) == math.ceil(exact)
    assert units.to_wad_toward_zero(value) == math.trunc(exact)
    assert units.to_usdc_down(value) == math.floor(Fraction(value) * units.USDC_UNIT)


@given(amounts)
def test_a_size_never_grows_by_conversion(value):
    wad = units.to_wad_toward_zero(value)
    assert abs(Fraction(wad, units.WAD)) <= abs(Fraction(value))


@given(st.integers(-(10**36), 10**36))
def test_from_wad_is_correctly_rounded(value):
    assert units.from_wad(value) == float(Fraction(value, units.WAD))
    assert units.from_usdc(value) == float(Fraction(value, units.USDC_UNIT))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "convert",
    [units.to_wad_down, units.to_wad_up, units.to_wad_toward_zero, units.to_usdc_down],
)
def test_what_is_no_number_is_refused(convert, value):
    with pytest.raises(PricingError, match="not a finite number"):
        convert(value)


def test_series_layout():
    """Underlying at bit 112, expiry at 72, strike in 1e-8 USD at 8, flags at 0."""
    series = units.encode_series(1, 1_584_691_200, 200.0, True)
    assert series == (1 << 112) + (1_584_691_200 << 72) + (20_000_000_000 << 8) + 1
    assert series < 1 << 128


@given(
    st.integers(1, 65_535),
    st.integers(1, 12_000_000),
    st.integers(1, 2**53),
    st.booleans(),
)
def test_series_round_trip(underlying, day, strike_units, is_call):
    expiry_s = day * 86_400 + 28_800
    strike = strike_units / 10**8
    series = units.encode_series(underlying, expiry_s, strike, is_call)
    assert units.decode_series(series) == (underlying, expiry_s, strike, is_call)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, 1_584_691_200, 200.0, True), "underlying"),
        ((65_536, 1_584_691_200, 200.0, True), "underlying"),
        ((1, 1_584_691_201, 200.0, True), "08:00"),
        ((1, -57_600, 200.0, True), "08:00"),
        ((1, 1_584_691_200, 0.0, True), "strike"),
        ((1, 1_584_691_200, 4e-9, True), "strike"),
        ((1, 1_584_691_200, 2e11, True), "strike"),
        ((1, 1_584_691_200, math.nan, True), "strike"),
        ((1, 1_584_691_200, math.inf, False), "strike"),
    ],
)
def test_series_outside_the_format_are_refused(arguments, says):
    with pytest.raises(PricingError, match=says):
        units.encode_series(*arguments)


@given(st.integers(0, 2**128 - 1), st.integers(-(2**127), 2**127 - 1))
def test_legs_round_trip_through_their_word(series, size):
    word = units.pack_leg(series, size)
    assert 0 <= word < 2**256
    assert units.unpack_leg(word) == (series, size)


@pytest.mark.parametrize("leg", [(-1, 0), (2**128, 0), (1, 2**127), (1, -(2**127) - 1)])
def test_legs_beyond_their_word_are_refused(leg):
    with pytest.raises(PricingError, match="does not fit"):
        units.pack_leg(*leg)
