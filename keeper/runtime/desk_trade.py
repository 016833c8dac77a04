"""What the desk quotes for legs, what that means, and the trade itself as a job for the sender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.bindings import Log, binding
from keeper.chain.client import BlockHead, NodeClient
from keeper.chain.deployment import Deployment
from keeper.chain.multicall import Query, ask
from keeper.errors import DataError
from keeper.execution.records import Job
from keeper.market.series_names import NamedLeg, series_name
from keeper.pricing.implied_vol import implied_vol
from keeper.runtime.codec import digest, to_json
from keeper.units import SECONDS_PER_YEAR, WAD, decode_series, from_wad

FRESH_SLICE = 0
_WORD = 1 << 128
_SERIES = _WORD - 1


@dataclass(frozen=True, slots=True)
class QuotedLeg:
    """A leg by itself, USD per contract. `edge_usd` is what the taker gives away against the mark, + is a cost."""

    name: str
    size: float
    price_usd: float
    mark_usd: float
    implied_vol: float  # NaN where the price holds none

    @property
    def edge_usd(self) -> float:
        """Against the mark, whichever side."""
        return (self.price_usd - self.mark_usd) * (1.0 if self.size > 0 else -1.0)


@dataclass(frozen=True, slots=True)
class Margin:
    """USD, by the fresh slice."""

    equity_usd: float
    initial_usd: float
    maintenance_usd: float


@dataclass(frozen=True, slots=True)
class QuotedTrade:
    """`premium_wad` is what the taker pays for all legs together, which are priced on their net; - is received."""

    block_number: int
    spot_usd: float
    legs: tuple[QuotedLeg, ...]
    premium_wad: int
    before: Margin | None
    after: Margin | None


@dataclass(frozen=True, slots=True)
class DeskTrader:
    """A desk seen by a taker. Legs ascend by series."""

    node: NodeClient
    deployment: Deployment

    def quote(self, legs: Sequence[NamedLeg], taker: str | None, head: BlockHead) -> QuotedTrade:
        """Everything at one block. DataError for a series that is not listed; Reverted names the desk's own reason."""
        self._require_listed(legs, head)
        all_legs = _tuples(legs)
        spot, premium, marks, *alone = self._ask(
            head,
            ("MarketOracle", "spot", (self.deployment.underlying,)),
            ("OptionDesk", "quote", (all_legs,)),
            ("BookMarks", "marks", (all_legs, FRESH_SLICE)),
            *(("OptionDesk", "quote", (_tuples([leg]),)) for leg in legs),
        )
        forwards = self._ask(head, *(self._forward_of(leg, int(spot[0])) for leg in legs))
        rows = tuple(
            _row(leg, int(own[0]), int(mark), int(forward[0]), head.timestamp_s)
            for leg, own, mark, forward in zip(legs, alone, marks[0], forwards, strict=True)
        )
        before, after = self._margins(legs, int(premium[0]), taker, head) if taker else (None, None)
        return QuotedTrade(
            head.number, from_wad(int(spot[0])), rows, int(premium[0]), before, after
        )

    def job(
        self, legs: Sequence[NamedLeg], limit_wad: int, deadline_s: int, chain: str, head: BlockHead
    ) -> Job:
        """The trade: at most `limit_wad` USD paid (negative: at least so much received), mined by the deadline."""
        to = self.deployment.address("OptionDesk")
        key = f"trade:{self.deployment.underlying}:{to.lower()}"
        orders = to_json([(leg.series, leg.size_wad) for leg in legs])
        return Job(
            work_id=digest([chain, key, head.hash, orders, str(limit_wad)]),
            key=key,
            what="OptionDesk.trade",
            to=to,
            data=binding("OptionDesk").encode("trade", _tuples(legs), limit_wad, deadline_s),
            block_number=head.number,
            deadline_s=deadline_s,
            snapshot_hash=digest([head.hash]),
            plan=to_json({"limit_premium_wad": str(limit_wad)}),
            orders=orders,
        )

    def paid_wad(self, logs: Sequence[Log]) -> int | None:
        """The premium of a mined trade, WAD USD; None where its event is not there."""
        event = binding("OptionDesk").find_event(
            "Traded", logs, self.deployment.address("OptionDesk")
        )
        return None if event is None else int(event["premium"])

    def _require_listed(self, legs: Sequence[NamedLeg], head: BlockHead) -> None:
        ((listed,),) = self._ask(head, ("OptionDesk", "listed", ()))
        missing = [series_name(leg.series) for leg in legs if leg.series not in listed]
        if missing:
            names = ", ".join(series_name(s) for s in sorted(listed)) or "nothing"
            raise DataError(f"not listed: {', '.join(missing)}; the desk lists {names}")

    def _forward_of(self, leg: NamedLeg, spot: int) -> tuple[str, str, tuple[object, ...]]:
        underlying, expiry_s, _, _ = decode_series(leg.series)
        return "VolSurface", "volAndForward", (underlying, expiry_s, spot, spot)

    def _margins(
        self, legs: Sequence[NamedLeg], premium: int, taker: str, head: BlockHead
    ) -> tuple[Margin, Margin]:
        ((book,),) = self._ask(head, ("Clearinghouse", "portfolioOf", (taker,)))
        answers = self._ask(
            head,
            *(
                ("RiskEngine", "margin", (p, FRESH_SLICE))
                for p in (book, _after(book, legs, premium))
            ),
        )
        before, after = (Margin(*(from_wad(int(v)) for v in answer)) for answer in answers)
        return before, after

    def _ask(
        self, head: BlockHead, *asked: tuple[str, str, tuple[object, ...]]
    ) -> list[tuple[Any, ...]]:
        queries = [Query(c, self.deployment.address(c), f, a) for c, f, a in asked]
        answers = ask(self.node, self.deployment.multicall, queries, head.number)
        return [answers[query] for query in queries]


def _after(book: tuple[Any, ...], legs: Sequence[NamedLeg], premium: int) -> tuple[Any, ...]:
    """IRiskEngine.Portfolio with a trade in it; its legs are words, size above series (SeriesId.sol)."""
    underlying, cash, base, hedges, held = book
    sizes = {word & _SERIES: _signed(word >> 128) for word in held}
    for leg in legs:
        sizes[leg.series] = sizes.get(leg.series, 0) + leg.size_wad
    words = tuple((size % _WORD << 128) | series for series, size in sizes.items() if size)
    return underlying, cash - premium, base, hedges, words


def _signed(size: int) -> int:
    return size - _WORD if size >= _WORD >> 1 else size


def _tuples(legs: Sequence[NamedLeg]) -> tuple[tuple[int, int], ...]:
    return tuple((leg.series, leg.size_wad) for leg in legs)


def _row(leg: NamedLeg, premium: int, mark: int, forward: int, now_s: int) -> QuotedLeg:
    _, expiry_s, strike, is_call = decode_series(leg.series)
    price = from_wad(premium * WAD // leg.size_wad)
    tau = (expiry_s - now_s) / SECONDS_PER_YEAR
    vol = float(implied_vol(is_call, price, from_wad(forward), strike, tau).vol)
    return QuotedLeg(series_name(leg.series), from_wad(leg.size_wad), price, from_wad(mark), vol)
