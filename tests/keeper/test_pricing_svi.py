"""SVI against its definition, and the contract's word against integers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.pricing import svi
from keeper.units import WAD
from tests.keeper.keeper_builders import FAR_S, NEAR_S, NOW_S, WEEK_S, svi_slice

ONE_Q = 1 << 44

wad_slices = st.tuples(
    st.integers(-60 * WAD, 60 * WAD),
    st.integers(0, 16 * WAD - 1),
    st.integers(-WAD + 1, WAD - 1),
    st.integers(-60 * WAD, 60 * WAD),
    st.integers(1, 16 * WAD - 1),
)


def test_word_layout():
    """Each field in its own 51 bits: a at 204, b at 153, rho at 102, m at 51, sigma at 0."""
    word = svi.pack(WAD, WAD // 2, -WAD // 4, -2 * WAD, 3 * WAD)
    q = [ONE_Q, ONE_Q // 2, 2**51 - ONE_Q // 4, 2**51 - 2 * ONE_Q, 3 * ONE_Q]
    assert word == sum(
        field << shift for field, shift in zip(q, (204, 153, 102, 51, 0), strict=True)
    )
    assert svi.unpack(word).floats() == (1.0, 0.5, -0.25, -2.0, 3.0)


def test_word_and_variance_as_the_contract_returned_them():
    """Read once from contracts/libraries/Svi.sol, which agreed on 4,000 random slices as well."""
    word = svi.pack(
        -12345678901234567,
        234567890123456789,
        -456789012345678901,
        31415926535897932,
        271828182845904523,
    )
    assert word == 0x7FFCD6E9E0DF500781948518B5FE2C3F804B368004056FE485C8045968823745
    assert svi.total_variance_wad(word, -700000000000000001) == 249056181703736001
    assert svi.total_variance_wad(word, 0) == 55207064078331313
    assert svi.total_variance_wad(word, 123456789012345678) == 45110480625851323


@given(wad_slices)
def test_round_trip_is_within_half_a_unit(wads):
    q = svi.unpack(svi.pack(*wads))
    for given_wad, held in zip(wads, (q.a, q.b, q.rho, q.m, q.sigma), strict=True):
        assert abs(given_wad * ONE_Q - held * WAD) * 2 <= WAD


@given(wad_slices, st.integers(-3 * WAD, 3 * WAD))
def test_integer_variance_agrees_with_floats(wads, k):
    word = svi.pack(*wads)
    slice_ = svi.slice_from_word(word, FAR_S, 0.0, NOW_S)
    exact = float(svi.total_variance(slice_, k / WAD))
    size = 1.0 + abs(slice_.a) + slice_.b * (abs(k / WAD) + abs(slice_.m) + slice_.sigma)
    assert svi.total_variance_wad(word, k) / WAD == pytest.approx(exact, abs=2e-12 * size)


def test_total_variance_is_the_formula():
    s = svi_slice(a=0.02, b=0.1, rho=-0.4, m=0.05, sigma=0.2)
    for k in (-1.0, 0.0, 0.05, 0.7):
        x = k - 0.05
        expected = 0.02 + 0.1 * (-0.4 * x + math.sqrt(x * x + 0.04))
        assert float(svi.total_variance(s, k)) == pytest.approx(expected, rel=1e-15)


def test_total_variance_is_floored_at_zero():
    s = svi_slice(a=-1.0, b=0.1, rho=0.0, m=0.0, sigma=0.1)
    assert svi.total_variance(s, np.array([0.0, 0.5])).tolist() == [0.0, 0.0]
    word = svi.pack(-WAD, WAD // 10, 0, 0, WAD // 10)
    assert svi.total_variance_wad(word, 0) == 0


def test_vol_annualises_on_the_time_at_commit():
    s = svi_slice(FAR_S, a=0.01, b=0.0, rho=0.0, sigma=0.1)
    years = (FAR_S - NOW_S) / 31_536_000
    assert float(svi.implied_vol(s, 0.3)) == pytest.approx(math.sqrt(0.01 / years), rel=1e-15)


def test_vol_is_capped_as_on_the_chain():
    assert svi.implied_vol(svi_slice(FAR_S, a=50.0), np.zeros(2)).tolist() == [10.0, 10.0]


@pytest.mark.parametrize("committed", [FAR_S, FAR_S + 1])
def test_slice_committed_after_its_expiry_is_refused(committed):
    with pytest.raises(PricingError, match="not before its expiry"):
        svi.implied_vol(replace(svi_slice(FAR_S), committed_at_s=committed), 0.0)


@pytest.mark.parametrize("field", ["a", "b", "rho", "m", "sigma"])
def test_nan_in_a_slice_is_refused(field):
    with pytest.raises(PricingError, match="NaN or inf"):
        svi.implied_vol(svi_slice(**{field: math.nan}), 0.1)


GOOD = {"a": WAD // 100, "b": WAD // 10, "rho": -WAD // 3, "m": 0, "sigma": WAD // 5}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("b", -1),
        ("b", 16 * WAD),
        ("sigma", 0),
        ("sigma", 16 * WAD),
        ("rho", WAD),
        ("rho", -WAD),
        ("a", 65 * WAD),
        ("m", -65 * WAD),
        ("a", 0.01),
    ],
)
def test_pack_names_the_field_at_fault(field, value):
    with pytest.raises(PricingError, match=rf"^{field} "):
        svi.pack(**{**GOOD, field: value})


def test_floats_pack_to_the_nearest_unit_and_nan_is_refused():
    assert svi.pack_floats(0.01, 0.1, -0.25, 0.0, 0.2) == svi.pack(
        WAD // 100, WAD // 10, -WAD // 4, 0, WAD // 5
    )
    with pytest.raises(PricingError, match=r"^rho = nan"):
        svi.pack_floats(0.01, 0.1, math.nan, 0.0, 0.2)


@pytest.mark.parametrize("word", [-1, 1 << 256])
def test_a_word_has_256_bits(word):
    with pytest.raises(PricingError, match="256-bit"):
        svi.unpack(word)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"a": -WAD}, "least total variance"),
        ({"b": 2 * WAD}, "wing slope"),
        ({"sigma": 1}, "sigma rounds to 0"),
        ({"rho": WAD - 1}, r"rho rounds to \+-1"),
    ],
)
def test_what_the_contract_refuses_is_refused_before_sending(changes, fault):
    with pytest.raises(PricingError, match=fault):
        svi.validate_word(svi.pack(**{**GOOD, **changes}))


def test_wings_of_slope_two_are_just_allowed():
    svi.validate_word(svi.pack(**{**GOOD, "b": 3 * WAD // 2, "rho": -WAD // 3}))


def test_a_sound_surface_has_no_faults():
    later = svi_slice(FAR_S + WEEK_S, 0.85)
    assert svi.find_arbitrage([svi_slice(FAR_S), svi_slice(NEAR_S, 0.9), later]) == []


def test_empty_surface_and_duplicate_expiry_are_faults():
    assert svi.find_arbitrage([]) == ["no slices: a commit needs at least one expiry"]
    assert "twice" in svi.find_arbitrage([svi_slice(), svi_slice()])[0]


def test_calendar_arbitrage_is_found_where_it_is():
    near, far = svi_slice(NEAR_S, 3.0), svi_slice(FAR_S, 0.5)
    (fault,) = svi.find_arbitrage([far, near])
    assert fault.startswith("calendar: total variance falls")


def test_butterfly_arbitrage_is_found():
    """Vogt's slice: Gatheral and Jacquier (2014), example 3.1, fails g >= 0 near k = 0.8."""
    vogt = svi_slice(FAR_S, a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
    density = svi.butterfly_density(vogt, np.array([0.0, 0.8]))
    assert density[0] > 0.0 > density[1]
    assert "butterfly" in svi.find_arbitrage([vogt])[0]


def test_butterfly_density_is_that_of_the_prices():
    """g(k) exp(-d2^2/2) / sqrt(2 pi w) is the density of ln S: it must integrate to 1."""
    s = svi_slice(FAR_S, 0.9)
    k = np.linspace(-3.0, 3.0, 60_001)
    w = svi.total_variance(s, k)
    d2 = -k / np.sqrt(w) - np.sqrt(w) / 2
    density = svi.butterfly_density(s, k) * np.exp(-d2 * d2 / 2) / np.sqrt(2 * np.pi * w)
    assert np.trapezoid(density, k) == pytest.approx(1.0, abs=1e-6)
    assert np.trapezoid(density * np.exp(k), k) == pytest.approx(1.0, abs=1e-6)


def test_zero_variance_is_a_fault_not_a_warning():
    flat = svi_slice(a=0.0, b=0.0)
    assert "butterfly" in svi.find_arbitrage([flat])[0]
