"""Another desk as a source: premiums of its contracts become two sides, on its own forwards."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from eth_abi import decode, encode

from keeper.chain.bindings import RevertReason, binding
from keeper.chain.client import BlockHead, Reverted
from keeper.errors import DataError, PricingError
from keeper.market.desk_chains import DeskBook, DeskChains
from keeper.pricing.mispricing import Side, judge
from keeper.pricing.option_chain import QuoteRules
from keeper.pricing.quote_choice import choose_quotes
from keeper.pricing.surface_fit import fit_surface
from keeper.pricing.svi import pack_floats
from keeper.runtime.desk_reader import OnChainDesk
from keeper.runtime.surface import slices_on_chain
from keeper.units import WAD, encode_series, from_wad
from tests.keeper.surface_world import DAYS, NOW_S, SPOT_USD, TRUTH, make_chain, years

ETH, BTC = 1, 2
CARRY = 0.02


@dataclass
class FakeDesk:
    """Answers the views of the three contracts from plain values; WAD at the boundary, as the chain does."""

    quotes: dict[int, tuple[float, float]]  # series -> bid, ask; NaN is a side that is refused
    held: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    underlying: int = ETH
    sizes: set[int] = field(default_factory=set)

    def address(self, name: str) -> str:
        return name

    def head(self) -> BlockHead:
        return BlockHead(number=7, hash="0x7", timestamp_s=NOW_S, base_fee_wei=1)

    def call(self, to: str, data: bytes, block: int, what: str) -> bytes:
        assert block == 7
        entry = next(e for e in binding(to).functions.values() if e.key == data[:4])
        answer = getattr(self, entry.name)(*decode(entry.types, data[4:]))
        if answer is None:
            raise Reverted(what, RevertReason("PastCutoff", ()))
        return encode(entry.outputs, answer)

    def spot(self, underlying):
        return (int(SPOT_USD) * WAD, NOW_S)

    def listed(self):
        return (list(self.quotes),)

    def quote(self, legs):
        ((series, size),) = legs
        self.sizes.add(abs(size))
        bid, ask = self.quotes[series]
        premium = ask if size > 0 else -bid
        return None if math.isnan(premium) else (round(premium * abs(size)),)

    def volAndForward(self, underlying, expiry, strike, spot):  # noqa: N802
        assert (underlying, strike, spot) == (ETH, SPOT_USD * WAD, SPOT_USD * WAD)
        tau = (expiry - NOW_S) / (365 * 86_400)
        return (round(spot * math.exp(CARRY * tau)), WAD)

    def sliceOf(self, underlying, expiry):  # noqa: N802
        return (self.held.get(expiry, (0, 0, 0)),)


def listed(chain) -> dict[int, tuple[float, float]]:
    rows = zip(
        chain.expiry_s, chain.strike_usd, chain.is_call, chain.bid_usd, chain.ask_usd, strict=True
    )
    return {
        encode_series(ETH, int(e), round(float(k), 2), bool(c)): (float(b), float(a))
        for e, k, c, b, a in rows
    }


def reader(desk: FakeDesk, **options) -> OnChainDesk:
    return OnChainDesk(desk, desk, **options)


def test_two_premiums_are_a_bid_and_an_ask_per_option():
    chain = make_chain()
    desk = FakeDesk(listed(chain))
    book = reader(desk, size=2.5).book()
    assert desk.sizes == {5 * WAD // 2}
    np.testing.assert_allclose([q.bid_usd for q in book.quotes], chain.bid_usd, rtol=1e-12)
    np.testing.assert_allclose([q.ask_usd for q in book.quotes], chain.ask_usd, rtol=1e-12)
    assert [q.is_call for q in book.quotes] == list(chain.is_call)
    assert book.carry == {s.expiry_s: pytest.approx(CARRY, rel=1e-9) for s in TRUTH}
    assert (book.read_at_s, book.spot_usd) == (NOW_S, SPOT_USD)


def test_a_refused_side_is_missing_and_others_stay():
    chain = make_chain()
    quotes = listed(chain)
    first = next(iter(quotes))
    quotes[first] = (math.nan, quotes[first][1])
    found = DeskChains(reader(FakeDesk(quotes))).chain()
    assert math.isnan(found.bid_usd[0])
    assert np.isfinite(found.ask_usd).all()


def test_other_underlyings_and_dead_series_are_left_out():
    chain = make_chain()
    strange = {
        encode_series(BTC, TRUTH[0].expiry_s, 3000.0, True): (1.0, 2.0),
        encode_series(ETH, NOW_S - 86_400 + 8 * 3600, 3000.0, True): (1.0, 2.0),
    }
    assert len(reader(FakeDesk(listed(chain) | strange)).book().quotes) == len(chain)


def test_the_desk_is_judged_by_an_outside_surface():
    """A desk that quotes one call half as dear again: that one is found, to be sold to it, and no other."""
    outside = fit_surface(make_chain())
    dear = make_chain()
    quotes = listed(dear)
    series = list(quotes)[3 * 15 + 10]
    bid, ask = quotes[series]
    quotes[series] = (bid * 1.5, ask * 1.5)
    desk = choose_quotes(
        DeskChains(reader(FakeDesk(quotes))).chain(), QuoteRules(least_quotes=1, most_width=1.0)
    )
    worst = judge(desk, outside)[0]
    assert (worst.side, worst.expiry_s) == (Side.SELL, TRUTH[3].expiry_s)
    assert worst.strike_usd == pytest.approx(dear.strike_usd[3 * 15 + 10], abs=0.01)
    assert worst.edge_usd > 0.0
    assert all(m.edge_usd < 0.0 for m in judge(desk, outside)[1:])


def test_an_empty_desk_and_a_bad_size_are_refused():
    with pytest.raises(DataError, match="lists no series"):
        DeskChains(reader(FakeDesk({}))).chain()
    with pytest.raises(PricingError, match="size"):
        reader(FakeDesk({}), size=0.0).book()


def test_an_expiry_without_a_slice_is_dropped():
    book = reader(FakeDesk(listed(make_chain()))).book()
    carry = {e: c for e, c in book.carry.items() if e != TRUTH[0].expiry_s}

    class Known:
        def book(self) -> DeskBook:
            return DeskBook(book.name, book.read_at_s, book.spot_usd, carry, book.quotes)

    quotes = choose_quotes(DeskChains(Known()).chain())
    assert quotes.dropped["malformed"] == 15
    assert len(quotes.expiry_s) == len(DAYS) - 1


def test_slices_of_the_listed_expiries_are_read_back():
    held = {
        s.expiry_s: (pack_floats(s.a, s.b, s.rho, s.m, s.sigma), WAD // 50, NOW_S - 60)
        for s in TRUTH[:2]
    }
    desk = FakeDesk(listed(make_chain()), held)
    slices = slices_on_chain(desk, desk)
    assert [s.expiry_s for s in slices] == [s.expiry_s for s in TRUTH[:2]]
    assert slices[0].a == pytest.approx(TRUTH[0].a, abs=1e-12)
    assert (slices[0].carry, slices[0].committed_at_s) == (from_wad(WAD // 50), NOW_S - 60)
    with pytest.raises(DataError, match="no slice"):
        slices_on_chain(FakeDesk(listed(make_chain())), FakeDesk({}))
    assert years(slices[0]) > 0
