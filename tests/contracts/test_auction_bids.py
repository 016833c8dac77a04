"""LiquidationAuction: what a bid does to every account that it touches, and every bid that is refused.

Exact terms are held to the wei in tests/stateful/test_auction_properties.py, where no clock moves between two calls.
"""

from typing import Any

import pytest

from tests.contracts.auction_world import (
    FALL_S,
    INSURANCE_S,
    MIN_SHARE,
    NONE,
    RESTORED,
    SOLD_OUT,
    AuctionWorld,
    bid_args,
    bought,
    ending,
    new_world,
)
from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import AUCTION_PARAMETERS, WAD
from tests.contracts.core_env import BrownieBackend, refused

ZERO = "0x" + "00" * 20


@pytest.fixture(scope="module")
def quiet(project: Any, accounts: Any) -> AuctionWorld:
    """The ower is short four calls of day 7, at initial margin and 100 USD."""
    world = new_world(BrownieBackend(project, accounts))
    world.sell([(world.core.series(7, 2_000.0), 4)])
    return world


@pytest.fixture
def world(quiet: AuctionWorld) -> AuctionWorld:
    """ETH has risen: below maintenance, still solvent."""
    quiet.core.set_spot(2_300.0)
    return quiet


@pytest.fixture
def started(world: AuctionWorld) -> AuctionWorld:
    world.start()
    return world


def test_a_bid_takes_the_smallest_slice_that_restores(started: AuctionWorld) -> None:
    core = started.core
    started.later(600)
    sold, cash = core.legs(started.ower), core.cash(started.bidder)
    tx = started.bid()
    share, price = bought(tx)
    assert 0 < share < WAD
    equity, initial, _ = started.margin(started.ower)
    assert abs(equity - initial) < wad(0.05), "no more than it takes"
    assert ending(tx) == RESTORED
    assert started.phase() == NONE
    assert core.cash(started.bidder) - cash == -price > 0, "a short is taken over for money"
    (series, size), *_ = sold.items()
    assert core.legs(started.bidder) == {series: -(-size * share // WAD)}
    event = tx.events["SliceBought"]
    assert core.cash(started.keeper) == event["bounty"] > 0
    assert (event["fromInsurance"], event["share"], event["price"]) == (0, share, price)
    core.check_books([series])


def test_partial_fills_go_on_until_it_is_above_maintenance(started: AuctionWorld) -> None:
    lacking = []
    for _ in range(20):
        equity, initial, _ = started.margin(started.ower)
        lacking.append(initial - equity)
        tx = started.bid(share=wad(0.05), by=started.second)
        assert bought(tx)[0] == wad(0.05)
        if started.phase() == NONE:
            break
    assert ending(tx) == RESTORED
    assert len(lacking) > 2
    assert lacking == sorted(lacking, reverse=True)
    equity, _, maintenance = started.margin(started.ower)
    assert equity >= maintenance
    started.core.check_books(list(started.core.legs(started.other)))


def test_the_bounty_is_paid_once_over_all_fills(world: AuctionWorld) -> None:
    core, most = world.core, 3 * WAD
    given = list(AUCTION_PARAMETERS)
    given[6] = most
    core.auction.setParameters(given, {"from": core.gov})
    world.start()
    paid = 0
    for _ in range(20):
        event = world.bid(share=wad(0.08)).events["SliceBought"]
        paid += event["bounty"]
        assert core.cash(world.keeper) == paid <= most
        if world.phase() == NONE:
            break
        assert core.auction.auctionOf(world.ower)[3] == most - paid
    assert world.phase() == NONE
    assert paid == most


def test_at_the_end_of_the_fall_everything_goes_for_the_equity(started: AuctionWorld) -> None:
    core = started.core
    started.later(FALL_S)
    tx = started.bid()
    share, price = bought(tx)
    assert share == WAD
    assert ending(tx) == SOLD_OUT
    assert core.legs(started.ower) == {}
    assert core.cash(started.ower) == 0
    assert tx.events["SliceBought"]["fromInsurance"] == tx.events["SliceBought"]["bounty"]
    assert price < 0, "the account's cash went with its legs"


def test_insurance_adds_to_what_nobody_wants(started: AuctionWorld) -> None:
    core, insurance = started.core, started.insurance()
    started.later(FALL_S + INSURANCE_S // 2)
    core.set_spot(2_600.0)
    equity, _, _ = started.margin(started.ower)
    assert equity < 0
    tx = started.bid(share=wad(0.5))
    used = tx.events["SliceBought"]["fromInsurance"]
    assert insurance - started.insurance() == used > 0
    assert core.cash(started.keeper) == tx.events["SliceBought"]["bounty"] > 0
    core.check_books(list(core.legs(started.other)))


def test_the_bidder_is_margined_after_it(started: AuctionWorld) -> None:
    core = started.core
    core.fund(started.keeper, 10)
    refused(core.auction.bid, *bid_args(started), by=started.keeper, error="BelowInitialMargin")
    core.fund(started.keeper, 100_000)
    core.auction.bid(*bid_args(started), {"from": started.keeper})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"share": 0}, "ShareOutOfRange"),
        ({"share": WAD + 1}, "ShareOutOfRange"),
        ({"share": MIN_SHARE - 1}, "ShareTooSmall"),
        ({"deadline": 1}, "DeadlinePassed"),
        ({"limit": -(10**30)}, "PriceAboveLimit"),
        ({"limit": -(2**255)}, "PriceAboveLimit"),
        ({"lot": b"\1" * 32}, "LotChanged"),
    ],
)
def test_bids_are_refused_by_name(
    started: AuctionWorld, changes: dict[str, Any], error: str
) -> None:
    args = bid_args(started, **changes)
    refused(started.core.auction.bid, *args, by=started.bidder, error=error)


def test_bids_for_what_is_not_auctioned(world: AuctionWorld) -> None:
    args = bid_args(world)
    refused(world.core.auction.bid, *args, by=world.bidder, error="NotRunning")
    refused(world.core.auction.quote, world.ower, by=world.bidder, error="NotRunning")
    refused(world.core.auction.cancel, world.ower, by=world.bidder, error="NotRunning")


def test_neither_the_account_nor_the_vault_bids(started: AuctionWorld) -> None:
    core = started.core
    refused(core.auction.bid, *bid_args(started), by=started.ower, error="SelfBid")
    core.fund(core.vault, 1_000_000)
    refused(core.auction.bid, *bid_args(started), by=core.vault, error="VaultCannotBid")


def test_a_bid_can_name_the_lot_that_it_saw(started: AuctionWorld) -> None:
    core = started.core
    lot = core.auction.lotOf(started.ower)
    assert core.auction.quote(started.ower)[6] == lot
    core.trade(started.other, started.ower, [(core.series(7, 2_000.0), 1)], premium=300)
    args = bid_args(started, lot=lot)
    refused(core.auction.bid, *args, by=started.bidder, error="LotChanged")
