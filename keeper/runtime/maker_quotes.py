"""Makers' signed option quotes from a file or over HTTP, checked row by row before anything looks at them.

    {"quotes": [{"id": "mm-1", "lot": 0.1, "min_clip": 1, "rfq": "0x...", "signature": "0x..."}]}

`rfq` is abi.encode(IRfqMarket.Rfq), the quote as the maker signed it; series, side, price, size and end are read from
it, so a row cannot promise what was not signed. Only quotes of one series are taken. Sizes in contracts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import urllib3
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from keeper.chain.rfq import decode_rfq
from keeper.errors import DataError, PricingError, Retry
from keeper.policies.overlay_quotes import MakerQuote
from keeper.units import decode_series, from_wad

_MOST_BYTES = 1_000_000
_WORD = 32


def _hex(value: str) -> str:
    body = value.removeprefix("0x")
    if not value.startswith("0x") or not body or len(body) % 2:
        raise ValueError("must be 0x and an even number of hexadecimal digits")
    bytes.fromhex(body)
    return value


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    id: str = Field(min_length=1, max_length=100)
    lot: float = Field(gt=0.0)
    min_clip: float = Field(default=0.0, ge=0.0)
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
    rfq = bytes.fromhex(row.rfq[2:])
    try:
        signed = decode_rfq(rfq)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    legs, premium = signed.legs, signed.premium_wad
    if len(legs) != 1 or legs[0][1] == 0:
        raise DataError(f"{where}: has {len(legs)} legs, quotes of one series are taken")
    series, size = legs[0][0], from_wad(legs[0][1])
    if premium * size < 0:
        raise DataError(f"{where}: whoever buys would be paid")
    try:
        underlying, expiry_s, strike_usd, is_call = decode_series(series)
        quote = MakerQuote(
            quote_id=row.id,
            series_id=series,
            underlying=underlying,
            expiry_s=expiry_s,
            strike_usd=strike_usd,
            is_call=is_call,
            desk="buy" if size > 0 else "sell",
            price_usd=from_wad(premium) / size,
            size=abs(size),
            lot=row.lot,
            min_clip=row.min_clip,
            gas_usd=gas_usd,
            valid_until_s=float(signed.deadline_s),
        )
    except PricingError as error:
        raise DataError(f"{where}: {error}") from None
    return SignedQuote(quote, rfq, bytes.fromhex(row.signature[2:]))
