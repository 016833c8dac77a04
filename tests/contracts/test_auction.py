"""LiquidationAuction: which accounts may be auctioned and when, how auctions end, hard ranges of the parameters."""

from typing import Any

import pytest

from tests.contracts.auction_world import (
    BOUNTY,
    FALL_S,
    HEALTHY,
    INSURANCE_S,
    LAPSE_S,
    LAPSED,
    NONE,
    RUNNING,
    AuctionWorld,
    bid_args,
    ending,
    new_world,
)
from tests.contracts.core_constants import AUCTION_PARAMETERS, DAY, HOUR, WAD
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


# ---------------------------------------------------------------- starting


def test_an_account_below_maintenance_is_auctioned_by_anyone(world: AuctionWorld) -> None:
    tx = world.core.auction.start(world.ower, {"from": world.keeper})
    assert dict(tx.events["AuctionStarted"]) == {
        "account": world.ower,
        "starter": world.keeper,
        "bounty": BOUNTY,
    }
    phase, since, starter, bounty = world.core.auction.auctionOf(world.ower)
    assert (phase, since, starter, bounty) == (RUNNING, tx.timestamp, world.keeper, BOUNTY)


def test_accounts_at_maintenance_are_left_alone(quiet: AuctionWorld) -> None:
    auction, by = quiet.core.auction, quiet.keeper
    refused(auction.start, quiet.ower, by=by, error="AboveMaintenance")
    quiet.core.set_spot(2_120.0)
    equity, initial, maintenance = quiet.margin(quiet.ower)
    assert maintenance <= equity < initial, "between the two margins"
    refused(auction.start, quiet.ower, by=by, error="AboveMaintenance")


def test_nothing_is_started_twice(started: AuctionWorld) -> None:
    auction = started.core.auction
    refused(auction.start, started.ower, by=started.second, error="AlreadyStarted")
    started.later(FALL_S + INSURANCE_S + LAPSE_S)
    refused(auction.start, started.ower, by=started.second, error="AlreadyStarted")


def test_an_auction_that_lapsed_is_started_anew(started: AuctionWorld) -> None:
    core = started.core
    started.later(FALL_S + INSURANCE_S + LAPSE_S + 60)
    refused(core.auction.bid, *bid_args(started), by=started.bidder, error="NotRunning")
    core.auction.start(started.ower, {"from": started.second})
    assert core.auction.auctionOf(started.ower)[2] == started.second
    started.later(FALL_S + INSURANCE_S + LAPSE_S + 60)
    assert ending(core.auction.cancel(started.ower, {"from": started.second})) == LAPSED


def test_accounts_without_live_legs_have_nothing_to_sell(world: AuctionWorld) -> None:
    """Cash and WETH alone, nothing at all, or expired legs: `cure` and settlement are for those."""
    core = world.core
    core.fund(world.keeper, 10, 1)
    for who in (world.keeper, ZERO, core.auction):
        refused(core.auction.start, who, by=world.keeper, error="NothingToSell")
    core.warp(core.expiry(7))
    core.set_spot(2_300.0)
    refused(core.auction.start, world.ower, by=world.keeper, error="NothingToSell")


def test_a_feed_that_cannot_be_trusted_starts_and_sells_nothing(started: AuctionWorld) -> None:
    core = started.core
    core.feed.push(0, core.now, {"from": core.gov})
    for function, args in (
        (core.auction.start, (started.other,)),
        (core.auction.bid, bid_args(started)),
        (core.auction.cancel, (started.ower,)),
    ):
        refused(function, *args, by=started.bidder, error="FeedAnswerInvalid")


# ---------------------------------------------------------------- ending


def test_an_account_that_recovers_is_let_go(started: AuctionWorld) -> None:
    core = started.core
    refused(core.auction.cancel, started.ower, by=started.ower, error="BelowMaintenance")
    core.fund(started.ower, 1_000)
    tx = core.auction.cancel(started.ower, {"from": started.second})
    assert ending(tx) == HEALTHY
    assert started.phase() == NONE
    refused(core.auction.start, started.ower, by=started.keeper, error="AboveMaintenance")
    assert core.cash(started.keeper) == 0, "starting alone earns nothing"


def test_a_bid_for_a_recovered_account_ends_it_and_buys_nothing(started: AuctionWorld) -> None:
    core = started.core
    core.fund(started.ower, 1_000)
    cash = core.cash(started.bidder)
    tx = started.bid()
    assert "SliceBought" not in tx.events
    assert ending(tx) == HEALTHY
    assert (core.cash(started.bidder), core.legs(started.bidder)) == (cash, {})
    assert started.phase() == NONE


def test_an_auction_whose_legs_have_expired_can_be_ended(started: AuctionWorld) -> None:
    core = started.core
    core.auction.setParameters(
        (*AUCTION_PARAMETERS[:2], 7 * DAY, *AUCTION_PARAMETERS[3:]), {"from": core.gov}
    )
    core.warp(core.expiry(7))
    core.set_spot(2_300.0)
    refused(core.auction.bid, *bid_args(started), by=started.bidder, error="NothingToSell")
    assert ending(core.auction.cancel(started.ower, {"from": started.second})) == HEALTHY


# ---------------------------------------------------------------- parameters

LIMITS = {
    "fallTime": (300, DAY),
    "insuranceTime": (300, DAY),
    "lapse": (600, 7 * DAY),
    "vaultDelay": (HOUR, 7 * DAY),  # the unwind delay is an hour
    "unwindDelay": (0, 2 * HOUR),
    "minShare": (10**12, 10**17),
    "bounty": (0, 1_000 * WAD),
    "bountyShare": (0, 5 * 10**16),
    "insuranceShare": (0, 2 * WAD),
    "dust": (10**16, 10_000 * WAD),
}


@pytest.mark.parametrize("name", LIMITS)
def test_parameters_have_hard_ranges(quiet: AuctionWorld, name: str) -> None:
    core, place = quiet.core, list(LIMITS).index(name)
    low, high = LIMITS[name]
    for value, fits in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        given = (*AUCTION_PARAMETERS[:place], value, *AUCTION_PARAMETERS[place + 1 :])
        if fits:
            core.auction.setParameters(given, {"from": core.gov})
            assert tuple(core.auction.parameters()) == given
        elif value >= 0:
            error = "AuctionParameterOutOfRange"
            refused(core.auction.setParameters, given, by=core.gov, error=error)
    refused(
        core.auction.setParameters,
        AUCTION_PARAMETERS,
        by=quiet.bidder,
        error="AccessManagedUnauthorized",
    )


def test_constructor_refuses_missing_parts(quiet: AuctionWorld) -> None:
    from tests.brownie_fixtures import reverts_with

    core = quiet.core
    for parts in ((ZERO, core.oracle), (core.clearinghouse, ZERO)):
        with reverts_with("ZeroAddress"):
            core.backend.deploy("LiquidationAuction", core.authority, *parts, AUCTION_PARAMETERS)
