"""Another desk's option chain, ours on another chain or somebody's with the same contracts, as quotes to compare with.

What can be asked of it is behind one protocol; keeper.runtime.desk_reader asks contracts on a node.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from keeper.errors import DataError
from keeper.pricing.option_chain import OptionChain
from keeper.units import SECONDS_PER_YEAR


@dataclass(frozen=True, slots=True)
class DeskQuote:
    """What the desk buys and sells one option at, in USD; NaN for a side that it refuses."""

    expiry_s: int
    strike_usd: float
    is_call: bool
    bid_usd: float
    ask_usd: float


@dataclass(frozen=True, slots=True)
class DeskBook:
    """A desk's listed series at one block, with the carry of each expiry that has a slice."""

    name: str
    read_at_s: int
    spot_usd: float
    carry: dict[int, float]
    quotes: tuple[DeskQuote, ...]


class DeskReader(Protocol):
    """Whoever can read a desk."""

    def book(self) -> DeskBook:
        """All listed series at one block. Retry when the node does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class DeskChains:
    """A desk as a source of chains. Forwards are the desk's own: spot x exp(carry x tau)."""

    reader: DeskReader
    underlying: str = "ETH"

    def chain(self) -> OptionChain:
        """DataError when the desk lists nothing. Series whose expiry has no slice have no forward, and are dropped."""
        book = self.reader.book()
        if not book.quotes:
            raise DataError(f"{book.name}: lists no series")
        expiries = [q.expiry_s for q in book.quotes]
        forward = {
            expiry: book.spot_usd
            * math.exp(book.carry.get(expiry, math.nan) * _years(expiry, book.read_at_s))
            for expiry in set(expiries)
        }
        return OptionChain(
            source=book.name,
            underlying=self.underlying,
            read_at_s=book.read_at_s,
            spot_usd=book.spot_usd,
            expiry_s=np.array(expiries, dtype=np.int64),
            strike_usd=np.array([q.strike_usd for q in book.quotes]),
            is_call=np.array([q.is_call for q in book.quotes], dtype=np.bool_),
            forward_usd=np.array([forward[expiry] for expiry in expiries]),
            bid_usd=np.array([q.bid_usd for q in book.quotes]),
            ask_usd=np.array([q.ask_usd for q in book.quotes]),
            quoted_at_s=np.full(len(expiries), float(book.read_at_s)),
        )


def _years(expiry_s: int, now_s: int) -> float:
    return (expiry_s - now_s) / SECONDS_PER_YEAR
