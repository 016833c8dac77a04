"""Attacks on depositors, each of which must fail: inflation, donation, blocking, re-entry, sandwich, spam."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.vault_world import MIN_DEPOSIT, USD, WAD, VaultWorld, deploy


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    return deploy(project, accounts, chain)


@pytest.fixture(scope="module")
def victim(accounts: Any) -> Any:
    return accounts[2]


@pytest.fixture(scope="module")
def attacker(accounts: Any) -> Any:
    return accounts[3]


def leave(world: VaultWorld, user: Any) -> int:
    """Redeem every share and claim. Gives back USDC units."""
    world.request_redeem(user, world.share.balanceOf(user))
    world.process()
    most = world.vault.maxRedeem(user)
    return world.vault.redeem(most, user, user, {"from": user}).return_value


def test_first_depositor_pays_one_dollar_a_share(world: VaultWorld, victim: Any) -> None:
    """Incident 10, its honest half."""
    world.request_deposit(victim, 50 * USD)
    event = world.process()
    assert (event["mintedShares"], event["depositedAssets"]) == (50 * WAD, 50 * USD)
    assert world.vault.totalAssets() == 50 * USD
    assert world.vault.convertToAssets(WAD) == USD
    assert world.vault.convertToShares(USD) == WAD


@pytest.mark.parametrize("given", [1_000, 1_000_000])
def test_inflation_by_the_first_depositor(
    world: VaultWorld, victim: Any, attacker: Any, given: int
) -> None:
    """Incident 10: one share left in circulation, then money given away to the vault's account.

    The sponsor's transfer stands for any way of giving, e.g. trades at bad prices.
    """
    world.invest(attacker, MIN_DEPOSIT)
    world.request_redeem(attacker, MIN_DEPOSIT * 10**12 - 1)
    world.process()
    world.gain(given * WAD)
    world.invest(victim, 10_000 * USD)
    assert leave(world, victim) >= 10_000 * USD - 1
    assert leave(world, attacker) <= MIN_DEPOSIT


def test_donations_change_nothing(world: VaultWorld, victim: Any, attacker: Any) -> None:
    """Incident 10: tokens that nobody asked for count in nothing."""
    vault = world.vault
    world.invest(victim, 1_000 * USD)
    world.invest(attacker, 1_000 * USD)
    before = (vault.held(), vault.totalAssets(), vault.navBid(), vault.navAsk())
    world.fund(attacker, 900 * USD)
    world.usdc.transfer(vault, 500 * USD, {"from": attacker})
    world.usdc.transfer(world.house, 400 * USD, {"from": attacker})
    world.share.transfer(vault, 300 * WAD, {"from": attacker})
    assert (vault.held(), vault.totalAssets(), vault.navBid(), vault.navAsk()) == before
    world.process()
    assert (vault.held(), vault.totalAssets(), vault.navBid(), vault.navAsk()) == before
    assert leave(world, victim) == 1_000 * USD
    assert leave(world, attacker) == 700 * USD
    assert vault.maxWithdraw(vault) == vault.maxMint(vault) == 0
    assert world.usdc.balanceOf(vault) == 500 * USD
    assert world.share.totalSupply() == 300 * WAD


def test_blacklisted_recipient_blocks_nobody(world: VaultWorld, victim: Any, attacker: Any) -> None:
    """Incident 4, I-08: claims are pulled, each by its own transaction, to any receiver."""
    world.invest(victim, 1_000 * USD)
    world.invest(attacker, 1_000 * USD)
    for user in (attacker, victim):
        world.request_redeem(user, 1_000 * WAD)
    world.usdc.setBlocked(attacker, True, {"from": world.admin})
    world.process()
    with reverts_with("Blocked", attacker):
        world.vault.redeem(1_000 * WAD, attacker, attacker, {"from": attacker})
    tx = world.vault.redeem(1_000 * WAD, victim, victim, {"from": victim})
    assert tx.return_value == 1_000 * USD
    tx = world.vault.redeem(1_000 * WAD, world.admin, attacker, {"from": attacker})
    assert tx.return_value == 1_000 * USD
    world.check_books()


def test_reentry_from_the_token_is_refused(world: VaultWorld, victim: Any, attacker: Any) -> None:
    vault, usdc = world.vault, world.usdc
    world.invest(victim, 1_000 * USD)
    world.invest(attacker, 1_000 * USD)
    world.request_redeem(attacker, 1_000 * WAD)
    world.process()
    # The token itself is the operator, so that only the guard stands in its way.
    vault.setOperator(usdc, True, {"from": attacker})
    again = [
        vault.redeem.encode_input(500 * WAD, attacker, attacker),
        vault.withdraw.encode_input(500 * USD, attacker, attacker),
        vault.requestRedeem.encode_input(1, attacker, attacker),
        vault.processEpoch.encode_input(),
    ]
    guard = "0x3ee5aeb5"
    for data in again:
        usdc.setHook(vault, data, {"from": world.admin})
        vault.redeem(100 * WAD, attacker, attacker, {"from": attacker})
        assert not usdc.hookSucceeded()
        assert str(usdc.hookResult()) == guard
    assert usdc.balanceOf(attacker) == 400 * USD
    world.check_books()


def test_token_that_keeps_a_fee_is_refused(world: VaultWorld, victim: Any) -> None:
    world.fund(victim, 1_000 * USD)
    world.usdc.setFee(1, {"from": world.admin})
    with reverts_with("TransferShort", 100 * USD, 100 * USD - 1):
        world.vault.requestDeposit(100 * USD, victim, victim, {"from": victim})
    assert world.usdc.balanceOf(victim) == 1_000 * USD
    assert world.vault.held() == (0, 0)


def test_redemption_that_arrives_short_is_refused(world: VaultWorld, victim: Any) -> None:
    world.invest(victim, 1_000 * USD)
    world.request_redeem(victim, 100 * WAD)
    world.end_epoch()
    epoch = world.vault.currentEpoch()
    world.usdc.setFee(1, {"from": world.admin})
    with reverts_with("TransferShort", 100 * USD, 100 * USD - 1):
        world.vault.processEpoch({"from": victim})
    assert world.vault.currentEpoch() == epoch
    assert world.vault.pendingRedeemRequest(epoch, victim) == 100 * WAD


def test_request_and_epoch_in_one_step_see_no_price(
    world: VaultWorld, victim: Any, attacker: Any
) -> None:
    """Sandwich: a known jump cannot be bought by requesting and processing right after it."""
    world.invest(victim, 1_000 * USD)
    world.end_epoch()
    world.gain(-200 * WAD)
    world.request_deposit(attacker, 1_000 * USD)
    world.vault.processEpoch({"from": attacker})
    world.gain(200 * WAD)
    world.process()
    assert world.vault.maxMint(attacker) <= 1_000 * WAD
    assert leave(world, victim) >= 1_000 * USD


def test_round_trips_never_pay(world: VaultWorld, victim: Any, attacker: Any) -> None:
    """I-04: in and out at a crooked price, many times, leaves the others no poorer."""
    world.invest(victim, 1_000 * USD)
    world.gain(333 * WAD + 7)
    for amount in (MIN_DEPOSIT, MIN_DEPOSIT + 1, 77_777_777, 10**10 + 3):
        worth = world.vault.convertToAssets(1_000 * WAD)
        world.invest(attacker, amount)
        assert leave(world, attacker) <= amount
        assert world.vault.convertToAssets(1_000 * WAD) >= worth


def test_dust_spam_costs_only_the_spammer(world: VaultWorld, victim: Any, accounts: Any) -> None:
    """I-08: many small redemptions before a large one neither stop nor slow it."""
    world.invest(victim, 1_000 * USD)
    spammers = accounts[4:9]
    for spammer in spammers:
        world.share.transfer(spammer, 3, {"from": victim})
        world.request_redeem(spammer, 3)
    world.request_redeem(victim, 900 * WAD)
    event = world.process()
    assert event["redeemedShares"] == 900 * WAD + 15
    tx = world.vault.redeem(900 * WAD, victim, victim, {"from": victim})
    # The unit is what the pool of the id rounds off: the spam cost 0.000001 USD.
    assert tx.return_value == 900 * USD - 1
    for spammer in spammers:
        assert world.vault.maxWithdraw(spammer) == 0
        world.vault.redeem(3, spammer, spammer, {"from": spammer})
    world.check_books()


def test_griefing_an_epoch_takes_a_trade_in_every_block(
    world: VaultWorld, victim: Any, attacker: Any
) -> None:
    """Epoch griefing: a trade stops the epoch of its own second; the next one without a trade is open to anybody."""
    world.invest(victim, 100_000 * USD)
    expiry = world.sell_option(2_200 * WAD, WAD, 100 * WAD)
    world.request_redeem(victim, 1_000 * WAD)
    world.end_epoch()
    world.refresh_surface(expiry)
    world.chain.mine()
    for _ in range(5):
        # What stands for the spread of each trade goes to the vault.
        world.gain(WAD)
        with pytest.raises(Exception, match="MarkedInThisBlock"):
            world.vault.processEpoch({"from": victim})
        world.chain.sleep(1)
        world.chain.mine()
    nav = world.cash()
    event = world.vault.processEpoch({"from": attacker}).events["EpochProcessed"]
    assert event["redeemedShares"] == 1_000 * WAD
    assert nav == 100_105 * WAD


def test_epoch_cannot_be_held_up_by_requests(
    world: VaultWorld, victim: Any, attacker: Any, accounts: Any
) -> None:
    """Epoch griefing: whoever asks at the last second, or takes his request back just before, moves nobody else."""
    world.invest(victim, 1_000 * USD)
    mine = world.request_redeem(victim, 500 * WAD)
    for spammer in accounts[4:9]:
        world.request_deposit(spammer, MIN_DEPOSIT)
    world.pass_until(world.vault.epochEndsAt() - 1)
    for spammer in accounts[4:9]:
        world.vault.cancelDepositRequest(mine, spammer, {"from": spammer})
    event = world.process()
    assert (event["redeemedAssets"], event["depositedAssets"]) == (500 * USD, 0)
    assert world.vault.claimableRedeemRequest(mine, victim) == 500 * WAD


def test_borrowed_shares_do_not_vote(world: VaultWorld, victim: Any, attacker: Any) -> None:
    """Votes count at a past second: who borrows shares for a vote had none then, and nobody can count this second."""
    share, chain = world.share, world.chain
    world.invest(victim, 1_000 * USD)
    share.delegate(victim, {"from": victim})
    snapshot = chain[-1].timestamp
    chain.sleep(1)
    share.transfer(attacker, 1_000 * WAD, {"from": victim})
    share.delegate(attacker, {"from": attacker})
    now = chain[-1].timestamp
    assert share.getVotes(attacker) == 1_000 * WAD
    with reverts_with("ERC5805FutureLookup", now, now):
        share.getPastVotes(attacker, now)
    share.transfer(victim, 1_000 * WAD, {"from": attacker})
    chain.sleep(1)
    chain.mine()
    # Borrowed and given back within the second, they have counted at no second at all.
    assert share.getPastVotes(attacker, snapshot) == share.getPastVotes(attacker, now) == 0
    assert share.getPastVotes(victim, snapshot) == 1_000 * WAD
    # Nor do shares that are leaving.
    world.request_redeem(victim, 600 * WAD)
    assert share.getVotes(victim) == 400 * WAD
    assert share.getVotes(world.vault) == 0
