"""The clearing model on marks of the margin shadow alone, as the simulator runs it, and the shadow's bad input."""

from __future__ import annotations

import pytest

from keeper.errors import PricingError
from keeper.models import SviSlice
from keeper.portfolio.book import Market
from keeper.portfolio.margin_shadow import (
    ChainHedge,
    ChainPortfolio,
    parameters_of,
    shadow_margin,
    venue_of,
)
from keeper.portfolio.stress_grid import StressParameters
from keeper.simulation.clearing.house import Clearinghouse, Trade
from keeper.simulation.clearing.liquidation import Auctions
from keeper.simulation.clearing.marks import Refused, ShadowMarks
from keeper.units import SECONDS_PER_YEAR, WAD, encode_series

NOW_S = 1_700_006_400
EXPIRY_S = NOW_S + 7 * 86_400 + 8 * 3_600
CALL = encode_series(1, EXPIRY_S, 2_000.0, True)
KEY = (1, EXPIRY_S)


def market(spot: float) -> Market:
    """A flat volatility of 0.8."""
    variance = 0.64 * (EXPIRY_S - NOW_S) / SECONDS_PER_YEAR
    flat = SviSlice(EXPIRY_S, variance, 0.0, 0.0, 0.0, 0.1, 0.0, NOW_S)
    return Market(NOW_S, spot, {EXPIRY_S: flat}, {})


def house(spot: float = 2_000.0) -> Clearinghouse:
    """Seller and buyer with 3,000 and 1,000 USD, and a whale."""
    made = Clearinghouse(NOW_S, ShadowMarks({1: market(spot)}))
    for who, usd in (("seller", 3_000), ("buyer", 1_000), ("whale", 1_000_000)):
        made.deposit_cash(who, usd * 10**6)
    return made


def sell(room: Clearinghouse, contracts: int) -> None:
    room.trade([Trade("seller", "buyer", 90 * contracts * WAD, ((CALL, contracts * WAD),))])


def test_margin_holds_the_trade_and_leaves_no_trace_of_a_refusal() -> None:
    room = house()
    with pytest.raises(Refused, match="BelowInitialMargin"):
        sell(room, 11)
    assert not room.of("seller").legs
    assert room.of("buyer").cash == 1_000 * WAD
    sell(room, 5)
    with pytest.raises(Refused, match="BelowInitialMargin"):
        room.withdraw_cash("seller", 2_500 * 10**6)
    assert room.claims_usdc() == room.totals.usdc * 10**12


def test_a_default_is_auctioned_or_settled_by_the_factor() -> None:
    room = house()
    sell(room, 5)
    room.marks.markets = {1: market(2_600.0)}
    auctions = Auctions(room)
    auctions.start("seller", "whale")
    room.now += 1_800
    share, _ = auctions.bid("whale", "seller", WAD // 2, 10**24)
    assert share == WAD // 2
    room.now = EXPIRY_S
    room.marks.settled[KEY] = 3_500 * WAD
    people = ["seller", "buyer", "whale"]
    with pytest.raises(Refused, match="NotAllConverted"):
        room.finalise(*KEY)
    room.convert(*KEY, people)
    factor = room.finalise(*KEY)
    assert 0 < factor < WAD
    room.claim(*KEY, people)
    owed = room.settlements[KEY]
    assert room.of("buyer").cash == 550 * WAD + 7_500 * WAD * factor // WAD
    assert room.of("seller").recovery == owed.shortfall > 0
    assert room.claims_usdc() == room.totals.usdc * 10**12
    assert owed.pot == room.pot() <= owed.owed // WAD + 10


def test_a_venue_has_the_health_that_the_contract_reads() -> None:
    short = venue_of(ChainHedge(-10 * WAD, 22_000 * WAD, 9 * WAD // 10), 2_000.0)
    assert short.health == pytest.approx(0.99)
    assert venue_of(ChainHedge(-WAD, -WAD, WAD // 2), 2_000.0).health < 1e-200
    assert venue_of(ChainHedge(5 * WAD, 0, WAD // 2), 2_000.0).health == float("inf")


def test_bad_input_is_named() -> None:
    with pytest.raises(PricingError, match="9 fields, got 5"):
        parameters_of([WAD] * 5)
    with pytest.raises(PricingError, match=r"no market is given for underlyings \[1\]"):
        shadow_margin(ChainPortfolio(1, 0, WAD), {}, StressParameters())
    room = house()
    room.marks.markets = {}
    with pytest.raises(Refused, match="MarketUnknown"):
        room.marks.price_for(1, "Withdraw")
