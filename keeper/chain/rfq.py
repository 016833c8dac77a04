"""A signed quote of IRfqMarket, decoded."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from keeper.errors import DataError

_RFQ = "(address,address,(uint128,int128)[],int256,uint256,uint64)"


@dataclass(frozen=True, slots=True)
class Rfq:
    """IRfqMarket.Rfq, WAD; legs are (series, size) from the taker's side."""

    maker: str
    taker: str
    legs: tuple[tuple[int, int], ...]
    premium_wad: int
    nonce: int
    deadline_s: int


def decode_rfq(data: bytes) -> Rfq:
    """From abi.encode(Rfq); DataError where it is none."""
    try:
        ((maker, taker, legs, premium, nonce, deadline),) = decode([_RFQ], data)
    except (DecodingError, OverflowError):
        raise DataError("rfq is not the ABI encoding of one quote") from None
    return Rfq(maker, taker, tuple(legs), premium, nonce, deadline)
