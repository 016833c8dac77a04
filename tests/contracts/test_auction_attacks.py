"""LiquidationAuction against people who bend prices, drain insurance, or milk bounties."""

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.auction_world import (
    BOUNTY,
    BOUNTY_SHARE,
    FALL_S,
    INSURANCE_S,
    INSURANCE_SHARE,
    NONE,
    AuctionWorld,
    bid_args,
    new_world,
)
from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import AGED_SLICE, FRESH_SLICE, VOL, WAD
from tests.contracts.core_env import BrownieBackend, refused


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any) -> AuctionWorld:
    """The ower is short four calls of day 7, at initial margin and 100 USD."""
    world = new_world(BrownieBackend(project, accounts))
    world.sell([(world.core.series(7, 2_000.0), 4)])
    return world


def test_attack_the_pool_moves_and_the_feed_does_not(world: AuctionWorld) -> None:
    for usd in (3_000.0, 1_000.0):
        world.core.set_pool(usd)
        equity, initial, _ = world.margin(world.ower)
        assert equity >= initial
        refused(world.core.auction.start, world.ower, by=world.keeper, error="AboveMaintenance")


def test_attack_one_bent_slice_starts_nothing(world: AuctionWorld) -> None:
    for bent, honest in ((FRESH_SLICE, AGED_SLICE), (AGED_SLICE, FRESH_SLICE)):
        world.bend(bent, 3.0)
        world.bend(honest, VOL)
        equity, _, maintenance = world.margin(world.ower, bent)
        assert equity < maintenance, "bent far enough"
        refused(world.core.auction.start, world.ower, by=world.keeper, error="AboveMaintenance")


def test_attack_a_slice_bent_during_the_auction_makes_nothing_cheaper(world: AuctionWorld) -> None:
    """Once bent up, a short lot looks worse: its price follows the other slice."""
    world.core.set_spot(2_300.0)
    world.start()
    world.later(600)
    world.bend(FRESH_SLICE, 3.0)
    fresh, aged = (world.margin(world.ower, s) for s in (FRESH_SLICE, AGED_SLICE))
    assert fresh[0] < aged[0] < aged[2]
    quote = world.core.auction.quote(world.ower)
    cash = world.core.cash(world.ower)
    left = aged[0] * (FALL_S - 600) // FALL_S
    assert (quote[0], quote[4]) == (aged[0], AGED_SLICE)
    assert abs(quote[1] - (left - cash)) < wad(2), "seconds pass in between"
    world.bid()
    equity, initial, _ = world.margin(world.ower, AGED_SLICE)
    assert abs(equity - initial) < wad(0.1), "restored by the slice that needs less"


def test_attack_a_slice_bent_down_hides_nobody_for_long(world: AuctionWorld) -> None:
    """Whoever bends the fresh slice in his own favour is let go only while one slice says so."""
    world.core.set_spot(2_150.0)
    world.bend(FRESH_SLICE, 0.1)
    refused(world.core.auction.start, world.ower, by=world.keeper, error="AboveMaintenance")
    world.bend(FRESH_SLICE, VOL)
    world.start()


def test_attack_a_small_account_does_not_drain_insurance(world: AuctionWorld) -> None:
    """An account of its buyer's own, left to fall to the end: insurance adds no more than half its margin."""
    core = world.core
    core.fund(world.second, 1_000_000)
    small = world.keeper
    core.fund(small, 60)
    core.trade(small, world.second, [(core.series(7, 2_000.0), 0.1)])
    core.clearinghouse.withdrawCash(core.clearinghouse.freeCashOf(small), small, {"from": small})
    about = replace(world, ower=small)
    core.set_spot(2_300.0)
    core.auction.start(small, {"from": world.second})
    world.later(FALL_S + INSURANCE_S + 60)
    equity, initial, _ = world.margin(small)
    insurance = world.insurance()
    event = about.bid().events["SliceBought"]
    bound = initial * INSURANCE_SHARE // WAD + max(-equity, 0)
    bounty = initial * BOUNTY_SHARE // WAD
    assert insurance - world.insurance() == event["fromInsurance"] <= bound + bounty + wad(0.1)
    assert 0 < event["bounty"] <= bounty + wad(0.01) < BOUNTY // 10
    assert insurance > 100 * event["fromInsurance"]


def test_attack_starting_and_ending_earns_nothing(world: AuctionWorld) -> None:
    core = world.core
    core.set_spot(2_300.0)
    for _ in range(3):
        world.start()
        core.set_spot(2_000.0)
        core.auction.cancel(world.ower, {"from": world.keeper})
        core.set_spot(2_300.0)
    assert core.cash(world.keeper) == 0
    assert world.insurance() == 50_000 * WAD


def test_attack_crumbs_round_against_the_bidder(world: AuctionWorld) -> None:
    """The least slices: what the bidders are paid, less the mark of what they took, is the discount and no more."""
    core = world.core
    core.set_spot(2_500.0)
    world.start()
    core.auction.setParameters(tiny_shares(core), {"from": core.gov})
    sold, cash = core.legs(world.ower), core.cash(world.ower)
    for _ in range(5):
        world.bid(share=10**12)
    (series, size), *_ = sold.items()
    taken = core.legs(world.ower)[series] - size
    per_contract = cash * WAD // -size
    paid = cash - core.cash(world.ower)
    # A slice's contracts round down by less than a wei each time.
    slack = 5 * (per_contract // WAD + 1)
    assert paid <= taken * per_contract // WAD + slack, "its part of all the cash there is"
    core.check_books([series])


def tiny_shares(core: Any) -> tuple:
    given = list(core.auction.parameters())
    given[5] = 10**12
    return tuple(given)


def test_attack_the_clock_of_a_recovered_account_is_no_bargain(world: AuctionWorld) -> None:
    """Nobody ended the auction when it recovered; whoever bids at the end of the clock gets nothing."""
    core = world.core
    core.set_spot(2_300.0)
    world.start()
    world.later(FALL_S + INSURANCE_S, usd=2_050.0)
    assert not world.below_maintenance(world.ower)
    legs = core.legs(world.ower)
    assert "SliceBought" not in world.bid().events
    assert (core.legs(world.ower), world.phase()) == (legs, NONE)


def test_attack_a_seller_who_buys_through_a_friend_is_margined_all_the_same(
    world: AuctionWorld,
) -> None:
    core, friend = world.core, world.keeper
    core.set_spot(2_300.0)
    core.auction.start(world.ower, {"from": world.second})
    world.later(FALL_S + INSURANCE_S)
    refused(core.auction.bid, *bid_args(world), by=friend, error="BelowInitialMargin")
    assert core.legs(friend) == {}
