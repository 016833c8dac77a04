"""Series and legs as people write them: ETH-25DEC26-3000-C:+2.5 is long two and a half calls on ETH.

Name: underlying, date of expiry (08:00 UTC) as 25DEC26, 20261225 or 2026-12-25, strike in USD, C or P or a whole word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from keeper.errors import DataError
from keeper.units import SETTLEMENT_SECOND_OF_DAY, WAD, decode_series, encode_series

# Market ids of deployments: docs/deployment.md.
MARKETS: Mapping[str, int] = {"ETH": 1}
_NAME = re.compile(
    r"(?P<underlying>[A-Z]+)-(?P<date>\d{1,2}[A-Z]{3}\d{2}|\d{8}|\d{4}-\d{2}-\d{2})"
    r"-(?P<strike>\d+(\.\d+)?)-(?P<kind>C|P|CALL|PUT)"
)
_DATES = ("%d%b%y", "%Y%m%d", "%Y-%m-%d")
_EXAMPLE = "write ETH-25DEC26-3000-C:+2 for two calls bought, :-2 for two sold"


@dataclass(frozen=True, slots=True)
class NamedLeg:
    """A series and a signed size in WAD contracts, from the taker's side."""

    series: int
    size_wad: int


def parse_series(text: str) -> int:
    """SeriesId of a name; DataError says what is not understood."""
    found = _NAME.fullmatch(text.strip().upper())
    if found is None:
        raise DataError(f"{text!r} names no series: {_EXAMPLE}")
    underlying = MARKETS.get(found["underlying"])
    if underlying is None:
        raise DataError(
            f"{text!r}: no market of {found['underlying']}, one of {', '.join(MARKETS)}"
        )
    expiry_s = int(_day(found["date"], text).timestamp()) + SETTLEMENT_SECOND_OF_DAY
    return encode_series(underlying, expiry_s, float(found["strike"]), found["kind"][0] == "C")


def parse_leg(text: str) -> NamedLeg:
    """A series and its size; DataError says what is not understood."""
    name, _, size = text.rpartition(":")
    try:
        contracts = Decimal(size)
    except InvalidOperation:
        raise DataError(f"{text!r} has no size: {_EXAMPLE}") from None
    size_wad = contracts * WAD if contracts.is_finite() else Decimal(0)
    if size_wad == 0 or size_wad != int(size_wad):
        raise DataError(
            f"{text!r}: a size is a number of contracts other than 0, of at most 18 decimals"
        )
    return NamedLeg(parse_series(name), int(size_wad))


def parse_legs(texts: Sequence[str]) -> tuple[NamedLeg, ...]:
    """Ascending by series, as contracts take them. DataError where a series is named twice."""
    legs = sorted((parse_leg(text) for text in texts), key=lambda leg: leg.series)
    named = [leg.series for leg in legs]
    twice = {series_name(s) for s in named if named.count(s) > 1}
    if twice:
        raise DataError(f"{', '.join(sorted(twice))} is named twice: give one size for each series")
    return tuple(legs)


def series_name(series: int) -> str:
    """The name that `parse_series` reads back."""
    underlying, expiry_s, strike, is_call = decode_series(series)
    market = next((n for n, number in MARKETS.items() if number == underlying), f"#{underlying}")
    return f"{market}-{expiry_name(expiry_s)}-{strike:g}-{'C' if is_call else 'P'}"


def expiry_name(expiry_s: int) -> str:
    """25DEC26."""
    return f"{datetime.fromtimestamp(expiry_s, UTC):%d%b%y}".upper()


def _day(date: str, text: str) -> datetime:
    for form in _DATES:
        try:
            return datetime.strptime(date, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise DataError(f"{text!r}: {date} is no date")
