"""Series and legs as people write them."""

import pytest

from keeper.errors import DataError
from keeper.market.series_names import parse_leg, parse_legs, parse_series, series_name
from keeper.units import WAD, encode_series

EXPIRY_S = 1_798_185_600  # 2026-12-25 08:00 UTC


@pytest.mark.parametrize(
    "text",
    ["ETH-25DEC26-3000-C", "eth-20261225-3000-call", " ETH-2026-12-25-3000.00-C ", "ETH-25Dec26-3000-CALL"],
)  # fmt: skip
def test_forms_of_one_name(text: str) -> None:
    assert parse_series(text) == encode_series(1, EXPIRY_S, 3000.0, True)


@pytest.mark.parametrize(("strike", "is_call"), [(0.5, True), (1234.25, False), (99_000.0, True)])
def test_names_read_back(strike: float, is_call: bool) -> None:
    series = encode_series(1, EXPIRY_S, strike, is_call)
    assert parse_series(series_name(series)) == series


@pytest.mark.parametrize(
    ("text", "size"), [("+2", 2 * WAD), ("-0.25", -WAD // 4), ("1e-3", WAD // 1000), ("3", 3 * WAD)]
)
def test_sizes_are_exact_and_signed(text: str, size: int) -> None:
    assert parse_leg(f"ETH-25DEC26-3000-P:{text}").size_wad == size


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ETH-25DEC26-3000-C", "no size"),
        ("ETH-25DEC26-3000-C:", "no size"),
        ("ETH-25DEC26-3000-C:two", "no size"),
        ("ETH-25DEC26-3000-C:0", "other than 0"),
        ("ETH-25DEC26-3000-C:nan", "other than 0"),
        ("ETH-25DEC26-3000-C:inf", "other than 0"),
        ("ETH-25DEC26-3000-C:1e-19", "18 decimals"),
        ("ETH-25DEC26-3000:1", "names no series"),
        ("ETH-25DEC26-3000-X:1", "names no series"),
        ("ETH-25DEC26--3000-C:1", "names no series"),
        ("ETH-31FEB26-3000-C:1", "is no date"),
        ("ETH-20261325-3000-C:1", "is no date"),
        ("DOGE-25DEC26-3000-C:1", "no market of DOGE"),
        ("", "no size"),
    ],
)
def test_what_is_not_understood_is_said(text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        parse_leg(text)


def test_legs_ascend_and_none_is_named_twice() -> None:
    legs = parse_legs(["ETH-25DEC26-3000-C:1", "ETH-25DEC26-2000-P:-1", "ETH-24DEC26-9000-C:2"])
    assert [leg.series for leg in legs] == sorted(leg.series for leg in legs)
    with pytest.raises(DataError, match="ETH-25DEC26-3000-C is named twice"):
        parse_legs(["ETH-25DEC26-3000-C:1", "ETH-20261225-3000-C:-1"])
