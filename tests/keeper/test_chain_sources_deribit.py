"""Deribit's book summaries in their documented shape, through ccxt's own parser; nothing goes over a network."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime

import ccxt
import numpy as np
import pytest

from keeper.errors import ConfigError, DataError, Retry
from keeper.market.deribit import DeribitChains, live
from keeper.pricing.surface_fit import fit_surface
from tests.keeper.surface_world import NOW_S, SPOT_USD, make_chain


def summary(name: str, bid, ask, forward: float, **changes) -> dict:
    """A record of public/get_book_summary_by_currency."""
    return {
        "mid_price": None,
        "volume_usd": 2836.83,
        "quote_currency": "ETH",
        "estimated_delivery_price": SPOT_USD,
        "creation_timestamp": (NOW_S - 2) * 1000 + 477,
        "base_currency": "ETH",
        "underlying_index": "ETH-27MAR26",
        "underlying_price": forward,
        "volume": 0.1,
        "interest_rate": 0.0,
        "price_change": 0.0,
        "open_interest": 364.1,
        "ask_price": ask,
        "bid_price": bid,
        "instrument_name": name,
        "mark_price": 0.04,
        "last": None,
        "low": None,
        "high": None,
    } | changes


def named(expiry_s: int, strike: float, is_call: bool) -> str:
    day = datetime.fromtimestamp(expiry_s, UTC)
    month = day.strftime("%b").upper()
    return f"ETH-{day.day}{month}{day:%y}-{strike:.0f}-{'C' if is_call else 'P'}"


def book() -> list[dict]:
    """The synthetic chain on whole strikes, in Deribit's units."""
    chain = make_chain()
    rows = zip(
        chain.expiry_s,
        chain.strike_usd,
        chain.is_call,
        chain.bid_usd / chain.forward_usd,
        chain.ask_usd / chain.forward_usd,
        chain.forward_usd,
        strict=True,
    )
    return [summary(named(int(e), k, c), b, a, f) for e, k, c, b, a, f in rows]


def exchange_with(monkeypatch, records=None, error: Exception | None = None):
    """The Deribit of ccxt, whose transport answers from here: its own parser does the rest."""

    def fetch(self, url, method="GET", headers=None, body=None):
        if error is not None:
            raise error
        if "get_book_summary_by_currency" in url:
            return {"jsonrpc": "2.0", "result": records, "usIn": 1, "usOut": 2, "testnet": False}
        if "get_currencies" in url:
            return {"result": [{"currency": "ETH", "coin_type": "ETH", "fee_precision": 6}]}
        return {"result": []}

    monkeypatch.setattr(ccxt.deribit, "fetch", fetch)
    monkeypatch.setattr(ccxt.deribit, "load_markets", lambda self, *a, **k: self.set_markets([]))
    monkeypatch.setattr(ccxt.deribit, "currency", lambda self, code: {"id": code, "code": code})
    return live("ETH")


def entries(records: list[dict]) -> dict:
    """What ccxt makes of them, as far as it is used."""
    return {str(i): {"info": record} for i, record in enumerate(records)}


def source(records: list[dict]) -> DeribitChains:
    return DeribitChains(lambda code: entries(records))


def test_the_documented_answer_becomes_a_chain_in_usd(monkeypatch):
    chain = exchange_with(monkeypatch, book()).chain(NOW_S)
    truth = make_chain()
    assert (chain.source, chain.underlying, chain.read_at_s) == ("Deribit", "ETH", NOW_S)
    assert chain.spot_usd == SPOT_USD
    order = np.lexsort((chain.strike_usd, chain.expiry_s))
    np.testing.assert_array_equal(chain.expiry_s[order], truth.expiry_s)
    np.testing.assert_allclose(chain.strike_usd[order], truth.strike_usd, atol=0.51)
    np.testing.assert_array_equal(chain.is_call[order], truth.is_call)
    np.testing.assert_allclose(chain.bid_usd[order], truth.bid_usd, rtol=1e-9)
    np.testing.assert_allclose(chain.ask_usd[order], truth.ask_usd, rtol=1e-9)
    assert chain.quoted_at_s[0] == pytest.approx(NOW_S - 2 + 0.477)


def test_a_surface_is_fitted_to_it():
    surface = fit_surface(source(book()).chain(NOW_S))
    assert len(surface.slices) == 5
    assert all(quality.rmse_vol < 0.02 for quality in surface.quality())


def test_missing_sides_are_null_or_zero():
    records = book()
    records[0] |= {"bid_price": None}
    records[1] |= {"ask_price": 0.0}
    chain = source(records).chain(NOW_S)
    assert math.isnan(chain.bid_usd[0])
    assert math.isnan(chain.ask_usd[1])
    assert fit_surface(chain).quotes.dropped["one_sided"] == 2


def test_a_summary_that_stands_still_is_stale():
    old = [record | {"creation_timestamp": (NOW_S - 3_600) * 1000} for record in book()]
    with pytest.raises(DataError, match="75 stale"):
        fit_surface(source(old).chain(NOW_S))


def test_other_currencies_are_left_out():
    records = [*book(), summary("BTC-27MAR26-90000-C", 0.1, 0.2, 90_000.0, base_currency="BTC")]
    assert len(source(records).chain(NOW_S)) == 75


@pytest.mark.parametrize(
    ("name", "expiry", "strike", "call"),
    [
        ("ETH-27MAR26-3000-C", datetime(2026, 3, 27, 8, tzinfo=UTC), 3000.0, True),
        ("ETH-1JAN27-450-P", datetime(2027, 1, 1, 8, tzinfo=UTC), 450.0, False),
        ("ETH-1JAN27-0d5-P", datetime(2027, 1, 1, 8, tzinfo=UTC), 0.5, False),
    ],
)
def test_names_of_instruments(name, expiry, strike, call):
    chain = source([summary(name, 0.01, 0.02, 3_000.0)]).chain(NOW_S)
    assert chain.expiry_s[0] == expiry.timestamp()
    assert (chain.strike_usd[0], bool(chain.is_call[0])) == (strike, call)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instrument_name": "ETH-PERPETUAL"}, "not the name of an option"),
        ({"instrument_name": "ETH-31FEB26-3000-C"}, "names no day"),
        ({"instrument_name": "ETH-27MRZ26-3000-C"}, "not the name of an option"),
        ({"bid_price": "cheap"}, "bid_price of .* is 'cheap'"),
    ],
)
def test_a_record_of_another_shape_is_refused(changes, message):
    with pytest.raises(DataError, match=message):
        source([summary("ETH-27MAR26-3000-C", 0.01, 0.02, 3_000.0) | changes]).chain(NOW_S)


def test_answers_that_are_none_are_refused():
    with pytest.raises(DataError, match="no option on ETH"):
        source([]).chain(NOW_S)
    with pytest.raises(DataError, match="not a mapping"):
        DeribitChains(lambda code: []).chain(NOW_S)
    with pytest.raises(DataError, match="has no record"):
        DeribitChains(lambda code: {"x": {"symbol": "x"}}).chain(NOW_S)
    with pytest.raises(DataError, match="estimated_delivery_price"):
        source([record | {"estimated_delivery_price": None} for record in book()]).chain(NOW_S)


def test_a_network_fault_asks_to_try_again(monkeypatch):
    with pytest.raises(Retry, match="does not answer"):
        exchange_with(monkeypatch, error=ccxt.RequestTimeout("slow")).chain(NOW_S)
    with pytest.raises(DataError, match="refuses"):
        exchange_with(monkeypatch, error=ccxt.BadSymbol("what")).chain(NOW_S)


def test_without_ccxt_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(ConfigError, match="pip install ccxt"):
        live()
