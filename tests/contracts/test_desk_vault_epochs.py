"""Epochs: when they may be processed, at what price, in what order, and with how much cash."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.vault_world import (
    DEVIATING,
    EPOCH,
    ETH,
    FEED_DEVIATION,
    FRESH,
    STALE,
    SURFACE_MAX_AGE,
    USD,
    USDC_SCALE,
    VOL_DRIFT,
    VOL_UNCERTAINTY,
    WAD,
    VaultWorld,
    deploy,
)

SPOT = 2_000 * WAD
OPEN = 0


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    return deploy(project, accounts, chain)


@pytest.fixture(scope="module")
def alice(accounts: Any, world: VaultWorld) -> Any:
    world.invest(accounts[2], 100_000 * USD)
    return accounts[2]


@pytest.fixture(scope="module")
def bob(accounts: Any) -> Any:
    return accounts[3]


@pytest.fixture(scope="module")
def carol(accounts: Any) -> Any:
    return accounts[4]


def shares_for(assets: int, nav: int, supply: int) -> int:
    return assets * USDC_SCALE * (supply + WAD) // (nav + WAD)


def assets_for(shares: int, nav: int, supply: int) -> int:
    if nav < supply:
        return shares * nav // supply // USDC_SCALE
    return shares * (nav + WAD) // (supply + WAD) // USDC_SCALE


def test_epoch_must_be_over(world: VaultWorld, alice: Any) -> None:
    ends = world.vault.epochEndsAt()
    world.chain.sleep(ends - world.chain[-1].timestamp - 60)
    with pytest.raises(Exception, match="EpochNotOver"):
        world.vault.processEpoch({"from": alice})
    world.end_epoch()
    world.vault.processEpoch({"from": alice})
    with pytest.raises(Exception, match="EpochNotOver"):
        world.vault.processEpoch({"from": alice})


@pytest.mark.parametrize("state", [DEVIATING, STALE])
def test_oracle_must_be_fresh(world: VaultWorld, alice: Any, state: int) -> None:
    world.end_epoch()
    world.market.setState(state, {"from": world.admin})
    with reverts_with("ActionNotAllowed", 1, state, OPEN):
        world.vault.processEpoch({"from": alice})
    world.market.setState(FRESH, {"from": world.admin})
    world.vault.processEpoch({"from": alice})


def test_old_surface_matters_only_with_open_legs(world: VaultWorld, alice: Any) -> None:
    world.process()
    expiry = world.sell_option(2_500 * WAD, WAD, 20 * WAD)
    world.end_epoch()
    with pytest.raises(Exception, match="SurfaceTooOld"):
        world.vault.processEpoch({"from": alice})
    world.refresh_surface(expiry)
    world.chain.sleep(SURFACE_MAX_AGE - 30)
    world.vault.processEpoch({"from": alice})


def test_expired_leg_must_have_its_price(world: VaultWorld, alice: Any) -> None:
    expiry = world.sell_option(2_500 * WAD, WAD, 20 * WAD, days=1)
    world.end_epoch(after=expiry + 60)
    world.refresh_surface(expiry + 7 * EPOCH)
    with reverts_with("ExpiryNotProven", ETH, expiry):
        world.vault.processEpoch({"from": alice})
    world.market.setSettlement(expiry, 2_600 * WAD, {"from": world.admin})
    event = world.vault.processEpoch({"from": alice}).events["EpochProcessed"]
    assert event["navBid"] == event["navAsk"] == world.cash() - 100 * WAD


def test_expiry_that_cannot_be_proven_stops_nobody_for_good(world: VaultWorld, alice: Any) -> None:
    expiry = world.sell_option(1_900 * WAD, WAD, 20 * WAD, days=1)
    world.end_epoch(after=expiry + EPOCH)
    world.refresh_surface(expiry + 7 * EPOCH)
    event = world.vault.processEpoch({"from": alice}).events["EpochProcessed"]
    assert event["navBid"] == world.cash() - (SPOT - 1_900 * WAD)


def test_joins_at_ask_and_leaves_at_bid_before_the_own_flows(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    vault = world.vault
    expiry = world.sell_option(2_200 * WAD, 5 * WAD, 400 * WAD)
    world.request_deposit(bob, 10_000 * USD)
    world.request_redeem(alice, 20_000 * WAD)
    world.end_epoch()
    world.refresh_surface(expiry)
    supply = world.share.totalSupply()
    committed = world.market.lastCommit(ETH)
    event = vault.processEpoch({"from": bob}).events["EpochProcessed"]
    vol = VOL_UNCERTAINTY + VOL_DRIFT * (world.chain[-1].timestamp - committed) // 3_600
    bid, ask = event["navBid"], event["navAsk"]
    greeks = world.lens.greeksOf(vault, ETH)
    width = abs(greeks[2]) * vol // WAD
    width += abs(greeks[0]) * SPOT // WAD * FEED_DEVIATION // WAD
    assert abs((ask - bid) // 2 - width) <= 2
    assert width > 10 * WAD
    assert event["mintedShares"] == shares_for(10_000 * USD, ask, supply)
    assert event["redeemedAssets"] == assets_for(20_000 * WAD, bid, supply)
    assert event["redeemedShares"] == 20_000 * WAD
    mid = (bid + ask) // 2 + 10_000 * WAD - event["redeemedAssets"] * USDC_SCALE
    assert abs(vault.totalAssets() * USDC_SCALE - mid) < USDC_SCALE
    assert vault.navBid() < vault.totalAssets() * USDC_SCALE < vault.navAsk()
    world.check_books()


def test_deposits_of_an_epoch_pay_its_redemptions(world: VaultWorld, alice: Any, bob: Any) -> None:
    """Netting: with all cash tied up, one leaves with the money of the one who comes."""
    expiry = world.sell_option(2_200 * WAD, 320 * WAD, 32_000 * WAD)
    assert world.house.freeCashOf(world.vault) < 5_000 * USD
    world.request_redeem(alice, 20_000 * WAD)
    world.request_deposit(bob, 40_000 * USD)
    world.end_epoch()
    world.refresh_surface(expiry)
    event = world.vault.processEpoch({"from": bob}).events["EpochProcessed"]
    assert event["redeemedShares"] == 20_000 * WAD
    assert event["depositedAssets"] == 40_000 * USD
    _, initial, _ = world.house.marginOf(world.vault, 0)
    assert world.lens.equityOf(world.vault) >= initial
    world.check_books()


def test_cash_short_pays_what_there_is_and_the_rest_waits(
    world: VaultWorld, alice: Any, bob: Any, carol: Any
) -> None:
    """Incident 13: oldest id first, pro rata inside one id, no epoch is skipped."""
    vault = world.vault
    for user, usdc in ((bob, 30_000), (carol, 10_000)):
        world.invest(user, usdc * USD)
    expiry = world.sell_option(2_200 * WAD, 390 * WAD, 39_000 * WAD)
    world.request_redeem(bob, 30_000 * WAD)
    world.request_redeem(carol, 10_000 * WAD)
    first = vault.currentEpoch()
    free = world.house.freeCashOf(vault)
    assert 0 < free < 35_000 * USD
    world.end_epoch()
    world.refresh_surface(expiry)
    free = world.house.freeCashOf(vault)
    event = vault.processEpoch({"from": alice}).events["EpochProcessed"]
    # A second later the legs are worth a little less.
    assert abs(event["redeemedAssets"] - free) < free // 100_000
    assert 0 < event["redeemedShares"] < 40_000 * WAD
    assert abs(vault.maxWithdraw(bob) - 3 * vault.maxWithdraw(carol)) <= 3
    assert abs(vault.maxRedeem(bob) - 3 * vault.maxRedeem(carol)) <= 3
    assert vault.maxWithdraw(bob) + vault.maxWithdraw(carol) <= event["redeemedAssets"]
    left = vault.pendingRedeemRequest(first, carol)
    assert left + vault.claimableRedeemRequest(first, carol) == 10_000 * WAD
    # A later id gets nothing before the older one is whole.
    world.request_redeem(alice, 1_000 * WAD)
    second = vault.currentEpoch()
    world.buy_back(10 * WAD)
    world.end_epoch()
    world.refresh_surface(expiry)
    vault.processEpoch({"from": alice})
    assert vault.pendingRedeemRequest(second, alice) == 1_000 * WAD
    assert 0 < vault.pendingRedeemRequest(first, carol) < left
    # With enough cash both ids are filled in one epoch, each claim at its own rate.
    world.buy_back(380 * WAD)
    world.process()
    assert vault.pendingRedeemRequest(first, bob) == vault.pendingRedeemRequest(first, carol) == 0
    assert vault.pendingRedeemRequest(second, alice) == 0
    for user in (alice, bob, carol):
        vault.redeem(vault.maxRedeem(user), user, user, {"from": user})
    assert vault.held()[1] <= 2
    world.check_books()


def test_one_epoch_looks_at_a_bounded_number_of_ids(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    """While the vault is worth nothing deposits wait; afterwards the backlog is filled, 8 ids an epoch."""
    vault = world.vault
    nav = world.cash()
    world.gain(-nav)
    for _ in range(11):
        world.request_deposit(bob, 100 * USD)
        assert world.process()["depositedAssets"] == 0
    assert vault.held()[0] == 1_100 * USD
    world.gain(nav)
    assert world.process()["depositedAssets"] == 800 * USD
    assert world.process()["depositedAssets"] == 300 * USD
    assert vault.maxDeposit(bob) == 1_100 * USD
    assert vault.held()[0] == 0


def test_gas_of_an_epoch_does_not_depend_on_the_number_of_requests(
    world: VaultWorld, alice: Any, accounts: Any
) -> None:
    used = []
    for users in (accounts[5:6], accounts[5:10]):
        for user in users:
            world.request_deposit(user, 100 * USD)
        world.request_redeem(alice, 10 * WAD)
        world.end_epoch()
        used.append(world.vault.processEpoch({"from": alice}).gas_used)
    # Nothing near the 20,000 that touching one request's slot would cost.
    assert abs(used[1] - used[0]) < 5_000


def test_late_processing_keeps_the_grid_of_ends(world: VaultWorld, alice: Any) -> None:
    vault = world.vault
    epoch, ends = vault.currentEpoch(), vault.epochEndsAt()
    world.chain.sleep(ends - world.chain[-1].timestamp + 3 * EPOCH + 77)
    vault.processEpoch({"from": alice})
    assert vault.currentEpoch() == epoch + 1
    assert vault.epochEndsAt() == ends + 4 * EPOCH
