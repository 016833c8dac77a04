"""Makers' option quotes and the desk's limits, as the overlay reads them, and a snapshot's readings beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from keeper.errors import PricingError
from keeper.models import OptionLeg, Snapshot
from keeper.portfolio.book import LegArrays, forward_and_vol, leg_greeks, market_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MakerQuote:
    """One level of one maker, from the desk's side: it may `buy` at the ask or `sell` at the bid.

    `price_usd` a contract; `size`, `min_clip` and `lot` in contracts: a trade is 0, or a whole number of lots in
    [min_clip, size]. `gas_usd` is paid once when the quote is used at all, `valid_until_s` is unix time.
    """

    quote_id: str
    series_id: int
    underlying: int
    expiry_s: int
    strike_usd: float
    is_call: bool
    desk: Literal["buy", "sell"]
    price_usd: float
    size: float
    lot: float
    min_clip: float = 0.0
    gas_usd: float = 0.0
    valid_until_s: float = math.inf

    def __post_init__(self) -> None:
        positive = {"strike_usd": self.strike_usd, "size": self.size, "lot": self.lot}
        other = {"price_usd": self.price_usd, "min_clip": self.min_clip, "gas_usd": self.gas_usd}
        for name, value in positive.items():
            if not 0.0 < value < math.inf:
                raise PricingError(f"quote {self.quote_id}: {name} must be positive, got {value!r}")
        for name, value in other.items():
            if not 0.0 <= value < math.inf:
                raise PricingError(f"quote {self.quote_id}: {name} must be >= 0, got {value!r}")
        if self.desk not in ("buy", "sell"):
            raise PricingError(
                f"quote {self.quote_id}: desk must be buy or sell, got {self.desk!r}"
            )
        if not self.valid_until_s > 0.0:
            raise PricingError(f"quote {self.quote_id}: valid until {self.valid_until_s!r}")
        if self.least_lots > self.most_lots:
            raise PricingError(
                f"quote {self.quote_id}: no whole number of lots of {self.lot:g} lies between the least clip "
                f"{self.min_clip:g} and the size {self.size:g}"
            )

    @property
    def sign(self) -> float:
        """+1 when the desk buys."""
        return 1.0 if self.desk == "buy" else -1.0

    @property
    def least_lots(self) -> int:
        """Fewest lots of a trade."""
        return max(1, math.ceil(self.min_clip / self.lot - 1e-9))

    @property
    def most_lots(self) -> int:
        """Most lots of a trade."""
        return math.floor(self.size / self.lot + 1e-9)

    def leg(self, lots: float) -> OptionLeg:
        """The position that a trade of `lots` adds."""
        return OptionLeg(
            self.series_id,
            self.underlying,
            self.expiry_s,
            self.strike_usd,
            self.is_call,
            self.sign * self.lot * lots,
        )


@dataclass(frozen=True, slots=True)
class Range:
    """Where a reading must lie; infinite ends mean no limit."""

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise PricingError(f"a range from {self.low!r} to {self.high!r} is empty")

    def breach(self, value: float) -> float:
        """How far `value` lies outside, 0 inside."""
        return max(self.low - value, value - self.high, 0.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """Gamma in ETH per USD and vega in USD per 1.00 of volatility, of options in one underlying.

    `expiry_gamma` and `expiry_vega` hold for every expiry by itself; `by_expiry` overrules them for one (unix
    seconds) with its own (gamma, vega).
    """

    gamma: Range = field(default_factory=Range)
    vega: Range = field(default_factory=Range)
    expiry_gamma: Range = field(default_factory=Range)
    expiry_vega: Range = field(default_factory=Range)
    by_expiry: dict[int, tuple[Range, Range]] = field(default_factory=dict)

    def of_expiry(self, expiry_s: int) -> tuple[Range, Range]:
        """(gamma, vega) ranges of one expiry."""
        return self.by_expiry.get(expiry_s, (self.expiry_gamma, self.expiry_vega))


@dataclass(frozen=True, slots=True)
class Reading:
    """One limited figure: what the book has, what one lot of each quote adds, and its range."""

    name: str
    now: float
    per_lot: FloatArray
    range: Range


@dataclass(frozen=True, slots=True)
class Market:
    """Quotes that can be used, in columns of one value a quote: cost and premium in USD a lot, delta in ETH a lot."""

    quotes: tuple[MakerQuote, ...]
    cost: FloatArray
    premium: FloatArray
    delta: FloatArray
    readings: tuple[Reading, ...]
    refused: tuple[tuple[str, str], ...]


def read_market(
    snapshot: Snapshot, quotes: Sequence[MakerQuote], limits: Limits, only_reducing: bool
) -> Market:
    """Quotes and the book in the terms of the limits; what cannot be used is listed with its reason.

    The cost of a lot is what its price is worse than the desk's mark; a price through the mark costs nothing and
    earns nothing: the overlay mends a book, it does not chase the marks. `only_reducing` leaves out legs that lower
    neither |gamma| nor |vega|, which the contract refuses. Raises PricingError for a quote id given twice.
    """
    ids = [quote.quote_id for quote in quotes]
    if len(set(ids)) != len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise PricingError(f"quote {twice} is given twice: ids must be unique")
    own = [leg for leg in snapshot.legs if leg.underlying == snapshot.underlying]
    book = _per_contract(own, snapshot)
    held = np.array([leg.size for leg in own])
    gamma, vega = (float(held @ column) if own else 0.0 for column in book[2:4])
    refused = {q.quote_id: why for q in quotes if (why := _unusable(q, snapshot))}
    usable = [q for q in quotes if q.quote_id not in refused]
    if only_reducing:
        grows = [q for q in usable if min(q.sign * gamma, q.sign * vega) >= 0.0]
        refused |= {q.quote_id: "lowers neither |gamma| nor |vega|" for q in grows}
        usable = [q for q in usable if q.quote_id not in refused]
    value, delta, *each = _per_contract([q.leg(1.0) for q in usable], snapshot)
    lot = np.array([q.sign * q.lot for q in usable])
    price = np.array([q.price_usd for q in usable])
    now = snapshot.timestamp_s
    terms = _Terms(
        np.array([leg.expiry_s if leg.expiry_s > now else 0 for leg in own], dtype=np.int64),
        np.array([q.expiry_s for q in usable], dtype=np.int64),
        held,
        lot,
        tuple(zip(book[2:4], each, strict=True)),
    )
    return Market(
        quotes=tuple(usable),
        cost=np.maximum(lot * (price - value), 0.0),
        premium=lot * price,
        delta=lot * delta,
        readings=tuple(_readings(terms, limits)),
        refused=tuple(sorted(refused.items())),
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """Expiry (0 when over) and size of the book's legs and of one lot of each quote; (gamma, vega) of both."""

    book_expiry: NDArray[np.int64]
    quote_expiry: NDArray[np.int64]
    held: FloatArray
    lot: FloatArray
    greeks: tuple[tuple[FloatArray, FloatArray], ...]


def _readings(terms: _Terms, limits: Limits) -> list[Reading]:
    """Gamma and vega in all and by expiry, those that are limited."""
    sums = [("", terms.held, terms.lot, (limits.gamma, limits.vega))]
    every = {*terms.book_expiry.tolist(), *terms.quote_expiry.tolist()} - {0}
    for expiry_s in sorted(every):
        mine = terms.held * (terms.book_expiry == expiry_s)
        theirs = terms.lot * (terms.quote_expiry == expiry_s)
        sums.append((f" of {expiry_s}", mine, theirs, limits.of_expiry(expiry_s)))
    rows = [
        Reading(greek + suffix, float(held @ book) if held.size else 0.0, lot * each, limit)
        for suffix, held, lot, ranges in sums
        for greek, (book, each), limit in zip(("gamma", "vega"), terms.greeks, ranges, strict=True)
    ]
    return [row for row in rows if math.isfinite(row.range.low) or math.isfinite(row.range.high)]


def _unusable(quote: MakerQuote, snapshot: Snapshot) -> str:
    if quote.underlying != snapshot.underlying:
        return f"is of underlying {quote.underlying}"
    if quote.expiry_s <= snapshot.timestamp_s:
        return "its option has expired"
    if quote.valid_until_s < snapshot.timestamp_s:
        return "no longer holds"
    if all(s.expiry_s != quote.expiry_s for s in snapshot.slices):
        return "the surface has no slice of its expiry"
    return ""


def _per_contract(
    legs: Iterable[OptionLeg], snapshot: Snapshot
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Mark, delta, gamma and vega per contract; expired legs have no Greeks."""
    columns, market = LegArrays.of(list(legs)), market_of(snapshot)
    g = leg_greeks(columns, market, *forward_and_vol(columns, market))
    live = np.where(columns.expiry_s > market.timestamp_s, 1.0, 0.0)
    return g.price, g.delta * live, g.gamma * live, g.vega * live
