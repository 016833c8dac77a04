"""NAV: which slice, which width, and the fees that are taken on it."""

from typing import Any

import pytest
from brownie import ZERO_ADDRESS

from tests.brownie_fixtures import reverts_with, rolled_back
from tests.contracts.vault_world import (
    EPOCH,
    ETH,
    FEED_DEVIATION,
    MANAGEMENT_FEE,
    PERFORMANCE_FEE,
    UNWIND_COST,
    USD,
    VOL_DRIFT,
    VOL_UNCERTAINTY,
    WAD,
    WINDOW,
    VaultWorld,
    deploy,
    flat_slice,
)

SPOT = 2_000 * WAD
YEAR = 365 * 86_400


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


def width_of(world: VaultWorld, base: int = 0) -> int:
    """From the engine's Greeks and the age of the surface now."""
    delta, _, vega, _ = world.lens.greeksOf(world.vault, ETH)
    age = world.chain[-1].timestamp - world.market.lastCommit(ETH)
    vol = VOL_UNCERTAINTY + VOL_DRIFT * age // 3_600
    usd = abs(delta) * SPOT // WAD
    return (abs(vega) * vol + usd * FEED_DEVIATION + base * SPOT // WAD * UNWIND_COST) // WAD


def test_cash_alone_has_no_width(world: VaultWorld, alice: Any) -> None:
    assert world.vault.navBid() == world.vault.navAsk() == 100_000 * WAD
    assert world.vault.navWidth() == 0


@pytest.mark.parametrize(("fresh", "aged"), [(0.8, 0.5), (0.5, 0.8), (0.8, 0.8)])
@pytest.mark.parametrize("side", [1, -1])
def test_bid_takes_the_worse_slice_and_ask_the_other(
    world: VaultWorld, alice: Any, fresh: float, aged: float, side: int
) -> None:
    expiry = world.sell_option(2_200 * WAD, side * 20 * WAD, side * 2_000 * WAD)
    tau = expiry - world.chain[-1].timestamp
    world.market.setSlice(expiry, flat_slice(fresh, tau), {"from": world.admin})
    world.market.setReference(expiry, flat_slice(aged, tau), {"from": world.admin})
    legs = world.house.portfolioOf(world.vault)[4]
    values = [world.cash() + world.marks.optionValue(legs, which) for which in (0, 1)]
    width = world.vault.navWidth()
    assert abs(width - width_of(world)) <= 3
    assert world.vault.navBid() == min(values) - width
    assert world.vault.navAsk() == max(values) + width
    assert (max(values) - min(values) > 100 * WAD) == (fresh != aged)


def test_width_grows_with_age_and_holds_the_hedge(world: VaultWorld, alice: Any) -> None:
    world.sell_option(2_200 * WAD, 20 * WAD, 2_000 * WAD)
    young = world.vault.navWidth()
    world.pass_until(world.chain[-1].timestamp + 10 * 3_600)
    old = world.vault.navWidth()
    assert old > 2 * young
    assert abs(old - width_of(world)) <= 3
    world.give_base(3 * WAD)
    assert abs(world.vault.navWidth() - width_of(world, 3 * WAD)) <= 3


def two_epochs(world: VaultWorld, user: Any, vol: float, usdc: int) -> int:
    """One at a bent surface, one at an honest one; `user` joins and leaves with `usdc`. Gives the share's price."""
    expiry = world.sell_option(2_200 * WAD, 50 * WAD, 5_000 * WAD)
    if usdc:
        world.request_deposit(user, usdc)
    world.end_epoch()
    tau = expiry - world.chain[-1].timestamp
    world.market.setSlice(expiry, flat_slice(vol, tau), {"from": world.admin})
    world.market.setReference(expiry, flat_slice(0.8, tau), {"from": world.admin})
    world.pass_until(world.chain[-1].timestamp + 1)
    world.vault.processEpoch({"from": user})
    if usdc:
        world.vault.mint(world.vault.maxMint(user), user, user, {"from": user})
        world.request_redeem(user, world.share.balanceOf(user))
    world.end_epoch()
    world.market.setReference(expiry, 0, {"from": world.admin})
    world.refresh_surface(expiry)
    world.vault.processEpoch({"from": user})
    return int(world.lens.equityOf(world.vault) * WAD // world.share.totalSupply())


@pytest.mark.parametrize("vol", [1.6, 0.3])
def test_whoever_knows_the_next_surface_gains_nothing(
    world: VaultWorld, alice: Any, bob: Any, vol: float
) -> None:
    """NAV sandwich: in at a bent surface and out at an honest one, and those who stay have no less than without him."""
    with rolled_back():
        alone = two_epochs(world, bob, vol, 0)
    assert two_epochs(world, bob, vol, 50_000 * USD) >= alone


def test_window_opens_again_at_each_end(world: VaultWorld, alice: Any) -> None:
    vault = world.vault
    ends = vault.epochEndsAt()
    world.pass_until(ends + WINDOW)
    with pytest.raises(Exception, match="EpochWindowOver"):
        vault.processEpoch({"from": alice})
    assert vault.missedEpochs() == 1
    world.pass_until(ends + EPOCH - 2)
    with pytest.raises(Exception, match="EpochWindowOver"):
        vault.processEpoch({"from": alice})
    world.pass_until(ends + EPOCH)
    assert vault.missedEpochs() == 1
    vault.processEpoch({"from": alice})
    assert (vault.missedEpochs(), vault.epochEndsAt()) == (0, ends + 2 * EPOCH)


@pytest.mark.parametrize("what", ["commit", "trade"])
def test_not_in_a_block_with_a_commit_or_a_trade(world: VaultWorld, alice: Any, what: str) -> None:
    expiry = world.sell_option(2_200 * WAD, WAD, 100 * WAD)
    world.end_epoch()
    world.refresh_surface(expiry)
    world.chain.mine()
    if what == "commit":
        world.market.setSlice(expiry, flat_slice(0.8, EPOCH), {"from": world.admin})
    else:
        world.gain(WAD)
    now = world.chain[-1].timestamp
    assert [world.market.lastCommit(ETH) == now, world.house.lastVaultTrade() == now] == [
        what == "commit",
        what == "trade",
    ]
    with pytest.raises(Exception, match=f"MarkedInThisBlock: .*{now}"):
        world.vault.processEpoch({"from": alice})
    world.pass_until(now + 1)
    world.vault.processEpoch({"from": alice})


def test_fees_are_shares_of_the_recipient(world: VaultWorld, alice: Any, bob: Any) -> None:
    """Management on time, performance on the rise above the highest price, both against the recipient."""
    vault, share = world.vault, world.share
    vault.setFeeRecipient(bob, {"from": world.admin})
    since = vault.lastEpoch()[1]
    world.gain(10_000 * WAD)
    world.end_epoch()
    tx = vault.processEpoch({"from": alice})
    elapsed = tx.timestamp - since
    management = 100_000 * WAD * MANAGEMENT_FEE * elapsed // (YEAR * WAD)
    event = tx.events["FeesTaken"]
    assert event["management"] == management
    nav, supply = 110_000 * WAD, 100_000 * WAD + management
    rise = (nav + WAD) * WAD // (supply + WAD) - WAD
    due = supply * rise // WAD * PERFORMANCE_FEE // WAD
    assert abs(event["performance"] - supply * due // (nav - due)) <= 1
    assert share.balanceOf(bob) == management + event["performance"]
    worth = share.balanceOf(bob) * nav // share.totalSupply()
    assert 0.999 < worth / (due + nav * management // supply) <= 1
    high = vault.lastEpoch()[2]
    assert high == (nav + WAD) * WAD // (share.totalSupply() + WAD)
    # Without a new high there is no second performance fee, whatever happens between.
    world.gain(-5_000 * WAD)
    world.process()
    world.gain(5_000 * WAD)
    world.end_epoch()
    assert vault.processEpoch({"from": alice}).events["FeesTaken"]["performance"] == 0
    assert vault.lastEpoch()[2] == high


def test_recipient_named_late_gets_nothing_of_the_past(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    vault = world.vault
    world.gain(50_000 * WAD)
    assert "FeesTaken" not in world.process_tx().events
    vault.setFeeRecipient(bob, {"from": world.admin})
    event = world.process_tx().events["FeesTaken"]
    assert event["performance"] == 0
    assert event["management"] <= 100_000 * WAD * MANAGEMENT_FEE * (EPOCH + WINDOW) // (YEAR * WAD)
    vault.setFeeRecipient(ZERO_ADDRESS, {"from": world.admin})
    assert "FeesTaken" not in world.process_tx().events
    with reverts_with("AccessManagedUnauthorized", alice):
        vault.setFeeRecipient(alice, {"from": alice})
