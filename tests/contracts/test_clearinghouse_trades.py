"""Trades through a registered market: zero sum, and every refusal."""

from typing import Any

import pytest

from keeper.units import encode_series
from tests.contracts.clearinghouse_world import new_traders, trade_refused
from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import DESK, WAD
from tests.contracts.core_env import BrownieBackend, Core


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    return new_traders(BrownieBackend(project, accounts))


@pytest.fixture
def call(core: Core) -> int:
    return core.series(7, 2_200)


@pytest.fixture
def put(core: Core) -> int:
    return core.series(7, 1_800, call=False)


# ---------------------------------------------------------------- what a trade does


def test_legs_and_premium_move_and_sum_to_zero(core: Core, call: int, put: int) -> None:
    one, two = core.takers[:2]
    series = (call, put)
    core.trade(core.vault, one, [(call, 2), (put, -1.5)], premium=12.5)
    core.check_books(series)
    assert core.legs(one) == {call: 2 * WAD, put: -15 * WAD // 10}
    assert core.legs(core.vault) == {call: -2 * WAD, put: 15 * WAD // 10}
    assert core.cash(one) == 9_987 * WAD + WAD // 2
    core.trade(two, one, [(call, -0.5)], premium=-3)
    core.check_books(series)
    assert core.legs(two) == {call: WAD // 2}
    core.trade(core.vault, one, [(call, -1.5), (put, 1.5)])
    core.check_books(series)
    assert core.legs(one) == {}
    assert core.clearinghouse.sizeOf(core.vault, call) == -WAD // 2
    assert core.clearinghouse.sizeOf(one, call) == 0


def test_open_short_counts_each_short_once(core: Core, call: int, put: int) -> None:
    one, two = core.takers[:2]
    for maker, taker, legs, short in (
        (core.vault, one, [(call, 2)], 2), (core.vault, one, [(put, -1)], 3),
        (one, two, [(call, 1)], 3), (two, one, [(call, 1.5)], 3.5), (core.vault, one, [(call, -2.5)], 1.5),
        (core.vault, two, [(call, 0.5)], 1), (one, core.vault, [(put, -1)], 0),
    ):  # fmt: skip
        core.trade(maker, taker, legs)
        assert core.settlement(7)[0] == wad(short)
        core.check_books((call, put))


def test_one_series_twice_in_a_trade_is_its_sum(core: Core, call: int) -> None:
    core.trade(core.vault, core.takers[0], [(call, 2), (call, -0.5), (call, -1.5)])
    core.check_books((call,))
    assert core.legs(core.takers[0]) == {} == core.legs(core.vault)


def test_events_tell_every_leg(core: Core, call: int) -> None:
    tx = core.clearinghouse.trade(
        [(core.vault, core.takers[0], 7, [(call, WAD)])], {"from": core.market}
    )
    moved = [(e["account"], e["change"], e["size"]) for e in tx.events["LegMoved"]]
    assert moved == [(core.takers[0], WAD, WAD), (core.vault, -WAD, -WAD)]
    assert tx.events["PremiumPaid"]["amount"] == 7


# ---------------------------------------------------------------- refusals


def test_only_markets_move_legs(core: Core, call: int) -> None:
    for who in (core.takers[0], core.vault, core.gov, core.keeper):
        trade_refused(core, [(call, 1)], "OnlyMarket", who, DESK, by=who)


def test_an_account_cannot_trade_with_itself(core: Core, call: int) -> None:
    who = core.takers[0]
    trade_refused(core, [(call, 1)], "SelfTrade", who, maker=who)


def test_an_empty_size_is_refused(core: Core, call: int) -> None:
    trade_refused(core, [(call, 0)], "SizeZero", call)


@pytest.mark.parametrize("size", [2**100 + 1, -(2**100) - 1, 2**127 - 1, -(2**127)])
def test_a_huge_size_is_refused(core: Core, call: int, size: int) -> None:
    trade_refused(core, [], "AmountTooLarge", abs(size), raw=[(call, size)])


def test_an_expired_series_is_refused_from_its_second_on(core: Core) -> None:
    series = core.series(1, 2_000)
    core.warp(core.expiry(1) - 1)
    core.clearinghouse.trade.call(
        [(core.vault, core.takers[0], 0, [(series, WAD // 10)])], {"from": core.market}
    )
    core.warp(core.expiry(1))
    trade_refused(core, [(series, 0.1)], "SeriesExpired", series, core.expiry(1))


@pytest.mark.parametrize(
    ("bits", "error"),
    [(0, "UnderlyingZero"), (1 << 112, "ExpiryOffGrid"), ((1 << 112) | (28_800 << 72), "StrikeOutOfRange")],
)  # fmt: skip
def test_a_malformed_series_is_refused(core: Core, bits: int, error: str) -> None:
    trade_refused(core, [(bits, 1)], error)


def test_flags_beyond_call_and_put_are_refused(core: Core, call: int) -> None:
    """Incident 2: two ids for one series would each sum to zero and settle apart."""
    trade_refused(core, [(call | 2, 1)], "StrikeOutOfRange")


def test_a_series_of_an_unregistered_underlying_is_refused(core: Core) -> None:
    other = encode_series(2, core.expiry(7), 2_000.0, True)
    one, two = core.takers[:2]
    trade_refused(core, [(other, 1)], "MarketUnknown", 2)
    trade_refused(core, [(other, 1)], "MarketUnknown", 2, maker=one, taker=two)


def test_a_thirty_third_leg_is_refused(core: Core) -> None:
    one, two = core.takers[:2]
    names = [core.series(7, 1_000 + 10 * i) for i in range(33)]
    core.trade(one, two, [(s, -0.001) for s in names[:32]])
    core.check_books(names)
    trade_refused(core, [(names[32], 0.001)], "TooManyLegs", one, 33, maker=two, taker=one)
    core.trade(one, two, [(names[5], 0.001), (names[32], -0.001)])
    assert len(core.legs(one)) == 32
    core.check_books(names)
