"""Makers' quotes: read strictly, taken in the same batch as the hedge, and never a reason not to hedge."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import dataclass, replace

import pytest
from eth_abi import decode, encode

from keeper.chain.bindings import binding
from keeper.errors import ConfigError, DataError, Retry, SkipTick
from keeper.execution.records import OutcomeKind
from keeper.policies.alarm import AlarmParameters
from keeper.policies.overlay import OverlayParameters
from keeper.policies.overlay_quotes import Limits, Range
from keeper.portfolio.book import value_book
from keeper.runtime.maker_quotes import QuoteSource
from keeper.runtime.overlay import QuoteDesk
from keeper.runtime.replay import replay
from keeper.units import WAD
from tests.keeper.keeper_builders import FAR_S, NOW_S, leg
from tests.keeper.runtime_world import FakeSender, agreed, fakes

RFQ = "(address,address,(uint128,int128)[],int256,uint256,uint64)"
ANY = "0x" + "00" * 20
LEGS = [(leg(200.0, 1.0).series_id, 12 * WAD)]
BODY = ("0x" + "07" * 20, ANY, LEGS, 9 * 12 * WAD, 5, NOW_S + 60)
SIGNATURE = bytes(range(65))
ADAPTER = "0x" + "5a" * 20


def encoded(legs, premium) -> str:
    return "0x" + encode([RFQ], [(BODY[0], ANY, legs, premium, 5, NOW_S + 60)]).hex()


def row(**changes):
    return {
        "id": "a",
        "lot": 0.5,
        "rfq": "0x" + encode([RFQ], [BODY]).hex(),
        "signature": "0x" + SIGNATURE.hex(),
    } | changes


def source(tmp_path, *rows, text=None) -> QuoteSource:
    path = tmp_path / "quotes.json"
    path.write_text(json.dumps({"quotes": rows}) if text is None else text)
    return QuoteSource(str(path))


def test_a_quote_is_read_with_its_series(tmp_path):
    (signed,) = source(tmp_path, row()).read(3.0)
    quote = signed.quote
    assert (quote.expiry_s, quote.strike_usd, quote.is_call) == (FAR_S, 200.0, True)
    assert (quote.desk, quote.valid_until_s) == ("buy", NOW_S + 60)
    assert (quote.price_usd, quote.size, quote.lot, quote.gas_usd) == (9.0, 12.0, 0.5, 3.0)


def test_the_order_carries_quote_signature_and_share(tmp_path):
    (signed,) = source(tmp_path, row()).read(0.0)
    data = signed.order_data(WAD // 4)
    assert data == encode([RFQ, "bytes", "uint256"], [BODY, SIGNATURE, WAD // 4])


def test_quotes_over_http():
    body = json.dumps({"quotes": [row()]}).encode()

    class Maker(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Maker)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        where = f"http://127.0.0.1:{server.server_port}/quotes"
        assert len(QuoteSource(where).read(0.0)) == 1
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    with pytest.raises(Retry, match="no quotes from"):
        QuoteSource(where, 0.5).read(0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rfq": "0x12"}, "ABI encoding"),
        ({"rfq": "12"}, "rfq"),
        ({"rfq": encoded(LEGS * 2, WAD)}, "one series"),
        ({"rfq": encoded(LEGS, -WAD)}, "would be paid"),
        ({"rfq": encoded([(1, WAD)], WAD)}, "underlying|expiry|legs|strike|market"),
        ({"extra": 1}, "extra"),
        ({"lot": 50.0}, "no whole number of lots"),
    ],
)
def test_a_row_that_is_wrong_is_named(tmp_path, changes, message):
    text = json.dumps({"quotes": [row(**changes)]})
    with pytest.raises(DataError, match=message):
        source(tmp_path, text=text).read(0.0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"quotes": 1}'])
def test_a_file_that_is_something_else(tmp_path, text):
    with pytest.raises(DataError, match="quotes"):
        source(tmp_path, text=text).read(0.0)


def test_an_id_given_twice(tmp_path):
    with pytest.raises(DataError, match="twice"):
        source(tmp_path, row(), row()).read(0.0)


# ------------------------------------------------------------ in the tick


def desk(found: QuoteSource, most_gamma: float, alarm: float = 3.0) -> QuoteDesk:
    limits = Limits(gamma=Range(-most_gamma, most_gamma))
    parameters, warned = OverlayParameters(), AlarmParameters(weight=alarm)
    return QuoteDesk(found, ADAPTER, limits, parameters, warned, 1, lambda data, block: True)


def orders_of(job):
    entry = binding("HedgeManager").functions["rebalance"]
    return decode(entry.types, job.data[4:])[0]


def test_gamma_is_bought_and_the_rest_of_the_delta_hedged_in_one_batch(tmp_path):
    state = agreed(base_eth=8.0)
    book = value_book(state)
    world = fakes(tmp_path, state)
    tick = replace(world.tick, quotes=desk(source(tmp_path, row()), 0.5 * -book.gamma_eth_per_usd))
    result = tick.run()
    assert result.outcome.kind is OutcomeKind.MINED_SUCCESS, result.outcome.detail
    (trade,) = result.plan.options.trades
    first, *rest = orders_of(world.sender.jobs[0])
    assert (first[0], first[1], first[2]) == (ADAPTER, 0, 0)
    _, signature, share = decode([RFQ, "bytes", "uint256"], first[3])
    assert signature == SIGNATURE
    assert share == pytest.approx(trade.leg.size * WAD / 12.0, rel=1e-12)
    after = value_book(replace(state, legs=(*state.legs, trade.leg)))
    assert abs(after.gamma_eth_per_usd) <= 0.5 * -book.gamma_eth_per_usd + 1e-9
    hedged = sum(order[1] for order in rest) / WAD
    assert hedged == pytest.approx(-after.delta_eth, abs=1e-4)
    assert all(replay(decision).same for decision in world.journal.decisions(3))


def test_a_warning_buys_gamma_that_calm_leaves(tmp_path):
    state = agreed()
    limit = 1.2 * -value_book(state).gamma_eth_per_usd
    world = fakes(tmp_path, state)
    calm = replace(world.tick, quotes=desk(source(tmp_path, row()), limit))
    assert calm.run().plan.options.trades == ()
    warned = replace(calm, forecaster=Warned(world.tick.forecaster))
    assert warned.run().plan.options.trades != ()


def test_margin_that_is_short_buys_back_what_calm_leaves(tmp_path):
    state = agreed(equity_usd=1_400.0, maintenance_margin_usd=1_000.0)
    limit = 1.2 * -value_book(state).gamma_eth_per_usd
    world = fakes(tmp_path, state)
    tick = replace(world.tick, quotes=desk(source(tmp_path, row()), limit))
    assert tick.run().plan.options.trades != ()


@pytest.mark.parametrize("text", ["{", '{"quotes": []}'])
def test_without_quotes_the_delta_is_hedged_all_the_same(tmp_path, text):
    world = fakes(tmp_path)
    plain = world.tick.run().plan.trade_eth
    tick = replace(world.tick, quotes=desk(source(tmp_path, text=text), 1e-9))
    result = tick.run()
    assert result.plan.trade_eth == plain
    assert result.plan.options.trades == ()


def dated(quote_id: str, premium: int) -> dict:
    return row(id=quote_id, rfq=encoded(LEGS, premium))


@dataclass
class Picky(FakeSender):
    """Sends batches that hold none of the words it dislikes; the chain reverts the others."""

    dislikes: tuple[bytes, ...] = ()

    def send(self, job):
        self.jobs.append(job)
        if any(word in job.data for word in self.dislikes):
            raise SkipTick("HedgeManager.rebalance reverts with SignatureInvalid")
        return self.outcome


CHEAP, DEAR = 9 * 12 * WAD, 10 * 12 * WAD


@pytest.mark.parametrize("alone", [True, False])
def test_a_quote_that_the_chain_refuses_stops_neither_the_hedge_nor_other_quotes(tmp_path, alone):
    """Whether the adapter says so of the quote by itself, or only of the batch."""
    state = agreed(base_eth=8.0)
    world = fakes(tmp_path, state)
    bad = CHEAP.to_bytes(32, "big")
    sender = Picky(dislikes=(bad,))
    found = desk(
        source(tmp_path, dated("bad", CHEAP), dated("good", DEAR)),
        0.5 * -value_book(state).gamma_eth_per_usd,
    )
    found = replace(found, takes=lambda data, block: not alone or bad not in data)
    result = replace(world.tick, quotes=found, sender=sender).run()
    assert result.outcome.kind is OutcomeKind.MINED_SUCCESS
    assert len(sender.jobs) == 2
    assert [trade.quote_id for trade in result.plan.options.trades] == ["good"]
    assert all(replay(decision).same for decision in world.journal.decisions(3))


def test_where_no_batch_with_quotes_passes_the_hedge_goes_alone(tmp_path):
    state = agreed(base_eth=8.0)
    world = fakes(tmp_path, state)
    plain = world.tick.run().plan.trade_eth
    sender = Picky(dislikes=(bytes.fromhex(ADAPTER[2:]),))
    rows = [dated(f"q{i}", CHEAP + i) for i in range(9)]
    limit = 0.5 * -value_book(state).gamma_eth_per_usd
    result = replace(world.tick, quotes=desk(source(tmp_path, *rows), limit), sender=sender).run()
    assert result.outcome.kind is OutcomeKind.MINED_SUCCESS
    assert len(sender.jobs) == 3
    assert result.plan.options.trades == ()
    assert result.plan.trade_eth == plain


class Warned:
    def __init__(self, forecaster) -> None:
        self.forecaster = forecaster

    def forecast(self, snapshot):
        forecast, source = self.forecaster.forecast(snapshot)
        return replace(forecast, stress=0.9), source


def test_quotes_without_a_range_are_refused(tmp_path):
    from keeper.config import Config

    text = Config.example_toml() + "\n"
    wrong = text.replace('# quotes = "quotes.json"', 'quotes = "quotes.json"')
    assert wrong != text
    with pytest.raises(ConfigError, match="max_gamma or max_vega"):
        Config.from_toml(wrong, tmp_path)
