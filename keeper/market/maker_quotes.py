"""Makers' signed option quotes from a file or over HTTP, checked row by row before anything looks at them.

    {"quotes": [{"id": "mm-1", "series": "0x...", "desk": "buy", "price_usd": 12.5, "size": 40, "lot": 0.1,
                 "min_clip": 1, "valid_until": 1584014700, "rfq": "0x...", "signature": "0x..."}]}

`desk` is the vault's side, prices are USD a contract, sizes contracts. `rfq` is the quote as the maker signed it,
ABI-encoded; the contract holds whoever fills it to that, so a row that claims a better price than it signed costs a
refused batch and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import urllib3
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from keeper.errors import DataError, PricingError, Retry
from keeper.policies.overlay_quotes import MakerQuote
from keeper.units import decode_series

_MOST_BYTES = 1_000_000
_WORD = 32


def _hex(value: str) -> str:
    body = value.removeprefix("0x")
    if not value.startswith("0x") or not body or len(body) % 2:
        raise ValueError("must be 0x and an even number of hexadecimal digits")
    bytes.fromhex(body)
    return value


def _series(value: str) -> str:
    if not value.startswith("0x") or not 0 < int(value, 16) < 1 << 128:
        raise ValueError("must be 0x and the hexadecimal id of a series")
    return value


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    id: str = Field(min_length=1, max_length=100)
    series: Annotated[str, AfterValidator(_series)]
    desk: Literal["buy", "sell"]
    price_usd: float = Field(ge=0.0)
    size: float = Field(gt=0.0)
    lot: float = Field(gt=0.0)
    min_clip: float = Field(default=0.0, ge=0.0)
    valid_until: int = Field(gt=0)
    rfq: Annotated[str, AfterValidator(_hex)]
    signature: Annotated[str, AfterValidator(_hex)]


@dataclass(frozen=True, slots=True)
class SignedQuote:
    """A maker's quote, and what the contract wants to see of it: `rfq` is abi.encode(Rfq)."""

    quote: MakerQuote
    rfq: bytes
    signature: bytes

    def order_data(self, share_wad: int) -> bytes:
        """abi.encode(Rfq, signature, share): the quote's body is moved as it is, its inner offsets are its own."""
        body = self.rfq[_WORD:]
        head = (3 * _WORD, 3 * _WORD + len(body), share_wad)
        padding = -len(self.signature) % _WORD
        tail = len(self.signature).to_bytes(_WORD, "big") + self.signature + bytes(padding)
        return b"".join(word.to_bytes(_WORD, "big") for word in head) + body + tail


@dataclass(frozen=True, slots=True)
class QuoteSource:
    """A file's path or an http(s) address; `gas` is what taking one quote adds to a batch, `gas_price` USD a gas."""

    where: str
    timeout_s: float = 2.0

    def read(self, gas_usd: float) -> tuple[SignedQuote, ...]:
        """Every quote. Retry where the source does not answer, DataError naming the row that is wrong."""
        rows = _rows(self._text(), self.where)
        quotes = tuple(_signed(row, gas_usd, f"{self.where}, quote {row.id}") for row in rows)
        names = [signed.quote.quote_id for signed in quotes]
        if len(set(names)) < len(names):
            raise DataError(f"{self.where} gives a quote id twice")
        return quotes

    def _text(self) -> str:
        try:
            if self.where.startswith(("http://", "https://")):
                body = _get(self.where, self.timeout_s)
            else:
                body = Path(self.where).read_bytes()
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise Retry(f"no quotes from {self.where} ({type(error).__name__})") from None
        if len(body) > _MOST_BYTES:
            raise DataError(f"{self.where} is over {_MOST_BYTES} bytes long")
        return body.decode("utf-8", "replace")


def _get(url: str, timeout_s: float) -> bytes:
    with urllib3.PoolManager(timeout=timeout_s, retries=False) as pool:
        answer = pool.request("GET", url, preload_content=False)
        if answer.status != 200:
            raise OSError(f"status {answer.status}")
        body: bytes = answer.read(_MOST_BYTES + 1)
        return body


def _rows(text: str, where: str) -> list[_Row]:
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{where} is not JSON: {error}") from None
    rows = tree.get("quotes") if isinstance(tree, dict) else None
    if not isinstance(rows, list):
        raise DataError(f'{where} must be an object with a list "quotes"')
    found = []
    for number, row in enumerate(rows):
        try:
            found.append(_Row.model_validate(row))
        except ValidationError as error:
            fault = error.errors()[0]
            place = ".".join(map(str, fault["loc"])) or "row"
            raise DataError(f"{where}, quote {number}: {place}: {fault['msg']}") from None
    return found


def _signed(row: _Row, gas_usd: float, where: str) -> SignedQuote:
    series = int(row.series, 16)
    underlying, expiry_s, strike_usd, is_call = decode_series(series)
    rfq = bytes.fromhex(row.rfq[2:])
    if len(rfq) < 2 * _WORD or len(rfq) % _WORD or int.from_bytes(rfq[:_WORD], "big") != _WORD:
        raise DataError(f"{where}: rfq is not the ABI encoding of one quote")
    try:
        quote = MakerQuote(
            quote_id=row.id,
            series_id=series,
            underlying=underlying,
            expiry_s=expiry_s,
            strike_usd=strike_usd,
            is_call=is_call,
            desk=row.desk,
            price_usd=row.price_usd,
            size=row.size,
            lot=row.lot,
            min_clip=row.min_clip,
            gas_usd=gas_usd,
            valid_until_s=float(row.valid_until),
        )
    except PricingError as error:
        raise DataError(f"{where}: {error}") from None
    return SignedQuote(quote, rfq, bytes.fromhex(row.signature[2:]))
