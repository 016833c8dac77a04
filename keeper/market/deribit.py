"""Deribit's option book through ccxt, in the documented shape of public/get_book_summary_by_currency.

Inverse options: prices are in the base currency and become USD at the option's own forward (`underlying_price`).
Tested on records in that shape, not against the live service.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from keeper.errors import ConfigError, DataError, Retry
from keeper.pricing.option_chain import OptionChain

Fetch = Callable[[str], Mapping[str, Mapping[str, Any]]]

_NAME = re.compile(r"([A-Z]+)-(\d{1,2})([A-Z]{3})(\d{2})-(\d+(?:d\d+)?)-([CP])")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}
_EXPIRY_HOUR = 8


@dataclass(frozen=True, slots=True)
class DeribitChains:
    """`fetch` is ccxt's `fetch_option_chain`: a currency code to option structures by symbol."""

    fetch: Fetch
    underlying: str = "ETH"

    def chain(self, now_s: int) -> OptionChain:
        """The book as it is. `now_s` is when it is asked for: a summary older than the quote rules allow is stale.

        Retry: the service did not answer. DataError: it answered with something else than its documentation says.
        """
        answer = self.fetch(self.underlying)
        if not isinstance(answer, Mapping):
            raise DataError(f"Deribit: option chain is {type(answer).__name__}, not a mapping")
        records = [_record(symbol, entry) for symbol, entry in answer.items()]
        records = [record for record in records if record["base_currency"] == self.underlying]
        if not records:
            raise DataError(f"Deribit: no option on {self.underlying} in the answer")
        names = [_parsed(record["instrument_name"]) for record in records]
        column = {name: _numbers(records, name) for name in _NUMBERS}
        forward = column["underlying_price"]
        return OptionChain(
            source="Deribit",
            underlying=self.underlying,
            read_at_s=now_s,
            spot_usd=_spot(column),
            expiry_s=np.array([n[0] for n in names], dtype=np.int64),
            strike_usd=np.array([n[1] for n in names]),
            is_call=np.array([n[2] for n in names], dtype=np.bool_),
            forward_usd=forward,
            bid_usd=_side(column["bid_price"]) * forward,
            ask_usd=_side(column["ask_price"]) * forward,
            quoted_at_s=column["creation_timestamp"] / 1000.0,
        )


def live(underlying: str = "ETH") -> DeribitChains:
    """Deribit's public service; needs no key. ConfigError when ccxt is not installed."""
    try:
        import ccxt  # type: ignore[import-untyped]
    except ImportError:
        raise ConfigError("Deribit needs ccxt: install it with 'pip install ccxt'") from None
    exchange = ccxt.deribit({"enableRateLimit": True})

    def fetch(code: str) -> Mapping[str, Mapping[str, Any]]:
        try:
            chain: Mapping[str, Mapping[str, Any]] = exchange.fetch_option_chain(code)
        except ccxt.NetworkError as error:
            raise Retry(f"Deribit does not answer: {error}") from None
        except ccxt.BaseError as error:
            raise DataError(f"Deribit refuses {code}: {error}") from None
        return chain

    return DeribitChains(fetch, underlying)


_NUMBERS = (
    "bid_price",
    "ask_price",
    "underlying_price",
    "estimated_delivery_price",
    "creation_timestamp",
)


def _record(symbol: str, entry: Any) -> Mapping[str, Any]:
    """Deribit's own record, which ccxt hands on as `info`: its parsed fields leave the times out."""
    info = entry.get("info") if isinstance(entry, Mapping) else None
    if not isinstance(info, Mapping) or not {"instrument_name", "base_currency"} <= set(info):
        raise DataError(f"Deribit: {symbol} has no record with instrument_name and base_currency")
    return info


def _parsed(name: object) -> tuple[int, float, bool]:
    """Expiry (08:00 UTC), strike and kind of an instrument such as ETH-27MAR26-3000-C; 0d5 is a strike of 0.5."""
    match = _NAME.fullmatch(str(name))
    if match is None or match[3] not in _MONTHS:
        raise DataError(f"Deribit: {name!r} is not the name of an option")
    try:
        day = datetime(
            2000 + int(match[4]), _MONTHS[match[3]], int(match[2]), _EXPIRY_HOUR, tzinfo=UTC
        )
    except ValueError:
        raise DataError(f"Deribit: {name!r} names no day") from None
    return int(day.timestamp()), float(match[5].replace("d", ".")), match[6] == "C"


def _numbers(records: list[Mapping[str, Any]], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A column; null becomes NaN. Text that is no number is refused."""
    values = []
    for record in records:
        value = record.get(name)
        try:
            values.append(math.nan if value is None else float(value))
        except (TypeError, ValueError):
            raise DataError(
                f"Deribit: {name} of {record['instrument_name']} is {value!r}, not a number"
            ) from None
    return np.array(values, dtype=np.float64)


def _side(price: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Deribit shows a missing side as null, and in places as 0."""
    return np.where(price == 0.0, np.nan, price)


def _spot(column: Mapping[str, np.ndarray[Any, np.dtype[np.float64]]]) -> float:
    """The index, which every record carries as the estimated delivery price."""
    known = column["estimated_delivery_price"]
    known = known[np.isfinite(known) & (known > 0.0)]
    if not known.size:
        raise DataError("Deribit: no record has an estimated_delivery_price to take for the spot")
    return float(np.median(known))
