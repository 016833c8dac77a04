"""The vault's account obeys the same auction after a stage in which its venues come home and everybody can look."""

from typing import Any

import pytest

from tests.contracts.auction_world import (
    HEALTHY,
    LAPSED,
    NONE,
    RUNNING,
    STAGE,
    UNWIND_DELAY_S,
    VAULT_DELAY_S,
    AuctionWorld,
    bid_args,
    bought,
    ending,
    new_world,
)
from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import FRESH_SLICE, SPOT_USD, WAD
from tests.contracts.core_env import BrownieBackend, refused


@pytest.fixture(scope="module")
def quiet(project: Any, accounts: Any) -> AuctionWorld:
    """The vault is short 20 calls, holds 2 WETH and 4 more in a venue, and is at initial margin and 100 USD."""
    world = new_world(BrownieBackend(project, accounts), vault=True)
    core = world.core
    core.fund(core.vault, 0, 2)
    core.venue.setPosition(4 * WAD, 0, {"from": core.gov})
    world.sell([(core.series(14, 2_200.0), 20)])
    return world


@pytest.fixture
def world(quiet: AuctionWorld) -> AuctionWorld:
    """ETH has risen: below maintenance."""
    quiet.core.set_spot(2_750.0)
    assert quiet.below_maintenance(quiet.core.vault)
    return quiet


@pytest.fixture
def staged(world: AuctionWorld) -> AuctionWorld:
    world.start()
    return world


@pytest.fixture
def opened(staged: AuctionWorld) -> AuctionWorld:
    staged.later(VAULT_DELAY_S)
    staged.core.auction.open({"from": staged.second})
    return staged


def test_start_begins_a_stage_and_sells_nothing(world: AuctionWorld) -> None:
    core = world.core
    tx = core.auction.start(core.vault, {"from": world.keeper})
    assert tx.events["StageStarted"]["starter"] == world.keeper
    assert world.phase() == STAGE
    refused(core.auction.bid, *bid_args(world), by=world.bidder, error="NotRunning")
    refused(core.auction.start, core.vault, by=world.second, error="AlreadyStarted")


def test_the_stage_lasts_its_time(staged: AuctionWorld) -> None:
    core = staged.core
    since = core.auction.auctionOf(core.vault)[1]
    staged.later(VAULT_DELAY_S - 60)
    refused(core.auction.open, by=staged.keeper, error="NotYet")
    core.warp(since + VAULT_DELAY_S)
    core.auction.open({"from": staged.second})
    phase, opened_at, starter, _ = core.auction.auctionOf(core.vault)
    assert (phase, starter) == (RUNNING, staged.keeper)
    assert opened_at >= since + VAULT_DELAY_S, "the price falls from now on"


def test_a_stage_that_nobody_ends_lapses(staged: AuctionWorld) -> None:
    core = staged.core
    staged.later(2 * VAULT_DELAY_S + 60)
    refused(core.auction.open, by=staged.keeper, error="NotStaged")
    refused(core.auction.unwind, core.venue, by=staged.keeper, error="NotStaged")
    assert ending(core.auction.cancel(core.vault, {"from": staged.second})) == LAPSED
    staged.start()
    assert staged.phase() == STAGE


def test_whoever_sees_it_recovered_resets_the_stage(staged: AuctionWorld) -> None:
    core = staged.core
    refused(core.auction.cancel, core.vault, by=staged.second, error="BelowMaintenance")
    staged.later(VAULT_DELAY_S // 2, usd=SPOT_USD)
    assert ending(core.auction.cancel(core.vault, {"from": staged.second})) == HEALTHY
    staged.later(VAULT_DELAY_S // 2, usd=2_750.0)
    refused(core.auction.open, by=staged.keeper, error="NotStaged")
    staged.start()
    refused(core.auction.open, by=staged.keeper, error="NotYet")


def test_it_must_be_below_maintenance_at_the_end_too(staged: AuctionWorld) -> None:
    core = staged.core
    staged.later(VAULT_DELAY_S, usd=SPOT_USD)
    refused(core.auction.open, by=staged.keeper, error="AboveMaintenance")
    assert core.venue.position() == (4 * WAD, 0), "its hedge stayed where it was"


def test_opening_brings_every_venue_home(opened: AuctionWorld) -> None:
    core = opened.core
    assert opened.phase() == RUNNING
    assert core.venue.position() == (0, 0)
    assert core.base(core.vault) == 6 * WAD
    core.check_books(list(core.legs(opened.other)))


def test_anyone_unwinds_from_the_governed_time_on(staged: AuctionWorld) -> None:
    core = staged.core
    refused(core.auction.unwind, core.venue, by=staged.bidder, error="NotYet")
    staged.later(UNWIND_DELAY_S)
    refused(core.auction.unwind, staged.keeper, by=staged.bidder, error="VenueUnknown")
    core.auction.unwind(core.venue, {"from": staged.bidder})
    assert core.base(core.vault) == 6 * WAD


def test_a_recovered_vault_keeps_its_hedge(staged: AuctionWorld) -> None:
    core = staged.core
    staged.later(UNWIND_DELAY_S, usd=SPOT_USD)
    refused(core.auction.unwind, core.venue, by=staged.bidder, error="AboveMaintenance")


def test_nobody_unwinds_without_a_stage(world: AuctionWorld) -> None:
    core = world.core
    refused(core.auction.unwind, core.venue, by=world.bidder, error="NotStaged")
    refused(core.auction.open, by=world.bidder, error="NotStaged")
    error = "AccessManagedUnauthorized"
    refused(core.clearinghouse.unwindVenue, core.venue, by=world.bidder, error=error)


def test_a_sold_slice_carries_its_share_of_the_hedge(opened: AuctionWorld) -> None:
    core = opened.core
    (series, size), *_ = core.legs(core.vault).items()
    share, _ = bought(opened.bid())
    assert 0 < share < WAD
    assert core.base(opened.bidder) == 6 * WAD * share // WAD
    assert core.legs(opened.bidder) == {series: -(-size * share // WAD)}
    equity, initial, _ = opened.margin(core.vault)
    assert abs(equity - initial) < wad(1)
    assert opened.phase() == NONE


def test_what_goes_out_again_comes_home_with_the_bid(opened: AuctionWorld) -> None:
    """A keeper who keeps on hedging, or anybody's dust, does not stop the auction."""
    core = opened.core
    core.venue.setPosition(WAD // 10, 0, {"from": core.gov})
    core.clearinghouse.touchVenue(core.venue, {"from": core.gov})
    opened.bid(share=wad(0.05))
    assert core.venue.position() == (0, 0)
    assert core.base(opened.bidder) == 61 * WAD // 10 // 20


def test_a_venue_that_does_not_let_go_stops_the_sale_unless_it_is_dust(
    opened: AuctionWorld,
) -> None:
    core = opened.core
    stuck = core.backend.deploy("MockVenue", core.usdc, core.weth, core.gov, WAD)
    core.clearinghouse.setVenue(stuck, True, {"from": core.gov})
    stuck.setPosition(0, 11 * WAD, {"from": core.gov})
    core.clearinghouse.touchVenue(stuck, {"from": core.gov})
    refused(core.auction.bid, *bid_args(opened), by=opened.bidder, error="VenuesNotEmpty")
    stuck.setPosition(10**15, 5 * WAD, {"from": core.gov})
    opened.bid(share=wad(0.05))
    assert opened.phase() == RUNNING


# ---------------------------------------------------------------- bent prices


def test_attack_a_bent_pool_or_fresh_slice_does_not_start_the_stage(quiet: AuctionWorld) -> None:
    core = quiet.core
    core.set_pool(3_500.0)
    quiet.bend(FRESH_SLICE, 3.0)
    equity, _, maintenance = quiet.margin(core.vault)
    assert equity < maintenance
    refused(core.auction.start, core.vault, by=quiet.keeper, error="AboveMaintenance")


def test_attack_a_bent_surface_is_looked_at_again_at_the_end(quiet: AuctionWorld) -> None:
    """Both slices bent for the start, as a stolen committer key could after the reference age; honest a while later."""
    core = quiet.core
    for slice_ in (0, 1):
        quiet.bend(slice_, 3.0)
    quiet.start()
    for slice_ in (0, 1):
        quiet.bend(slice_, 0.8)
    quiet.later(UNWIND_DELAY_S)
    refused(core.auction.unwind, core.venue, by=quiet.keeper, error="AboveMaintenance")
    quiet.later(VAULT_DELAY_S - UNWIND_DELAY_S)
    quiet.bend(FRESH_SLICE, 3.0)
    refused(core.auction.open, by=quiet.keeper, error="AboveMaintenance")
    assert ending(core.auction.cancel(core.vault, {"from": quiet.second})) == HEALTHY
