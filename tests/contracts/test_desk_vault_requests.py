"""Requests: who may make them, what they move, which id they get, and what a refused one leaves."""

from typing import Any

import pytest
from brownie import ZERO_ADDRESS

from tests.brownie_fixtures import reverts_with
from tests.contracts.vault_world import MIN_DEPOSIT, MIN_REDEEM, USD, WAD, VaultWorld, deploy


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    return deploy(project, accounts, chain)


@pytest.fixture(scope="module")
def alice(accounts: Any, world: VaultWorld) -> Any:
    """Holds 1,000 shares and 5,000 USDC; she has approved nobody."""
    world.invest(accounts[2], 1_000 * USD)
    world.fund(accounts[2], 5_000 * USD)
    return accounts[2]


@pytest.fixture(scope="module")
def bob(accounts: Any, world: VaultWorld) -> Any:
    world.fund(accounts[3], 5_000 * USD)
    return accounts[3]


def test_first_epoch_is_one(project: Any, accounts: Any, chain: Any) -> None:
    fresh = deploy(project, accounts, chain)
    assert fresh.vault.currentEpoch() == 1
    assert fresh.request_deposit(accounts[2], MIN_DEPOSIT) == 1


def test_deposit_request_takes_usdc_and_waits(world: VaultWorld, alice: Any) -> None:
    vault = world.vault
    before = world.usdc.balanceOf(alice)
    epoch = vault.currentEpoch()
    tx = vault.requestDeposit(700 * USD, alice, alice, {"from": alice})
    assert tx.return_value == epoch
    assert tx.events["DepositRequest"][0] == {
        "controller": alice,
        "owner": alice,
        "requestId": epoch,
        "sender": alice,
        "assets": 700 * USD,
    }
    assert world.usdc.balanceOf(alice) == before - 700 * USD
    assert vault.pendingDepositRequest(epoch, alice) == 700 * USD
    assert vault.claimableDepositRequest(epoch, alice) == 0
    assert vault.maxDeposit(alice) == vault.maxMint(alice) == 0
    assert vault.held() == (700 * USD, 0)
    vault.requestDeposit(50 * USD, alice, alice, {"from": alice})
    assert vault.pendingDepositRequest(epoch, alice) == 750 * USD
    world.check_books()


def test_redeem_request_escrows_shares(world: VaultWorld, alice: Any) -> None:
    vault, share = world.vault, world.share
    supply, held = share.totalSupply(), share.balanceOf(vault)
    epoch = vault.currentEpoch()
    tx = vault.requestRedeem(400 * WAD, alice, alice, {"from": alice})
    assert tx.events["RedeemRequest"][0] == {
        "controller": alice,
        "owner": alice,
        "requestId": epoch,
        "sender": alice,
        "shares": 400 * WAD,
    }
    assert share.balanceOf(alice) == 600 * WAD
    assert share.balanceOf(vault) == held + 400 * WAD
    assert share.totalSupply() == supply
    assert vault.pendingRedeemRequest(epoch, alice) == 400 * WAD
    assert vault.claimableRedeemRequest(epoch, alice) == 0


def test_request_after_the_end_belongs_to_the_next_epoch(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    """Nobody asks and executes at a price that he already sees."""
    vault = world.vault
    epoch = vault.currentEpoch()
    vault.requestDeposit(100 * USD, alice, alice, {"from": alice})
    world.end_epoch()
    assert vault.requestDeposit(100 * USD, bob, bob, {"from": bob}).return_value == epoch + 1
    assert vault.requestRedeem(10 * WAD, alice, alice, {"from": alice}).return_value == epoch + 1
    event = world.process()
    assert event["depositedAssets"] == 100 * USD
    assert event["redeemedShares"] == 0
    assert vault.claimableDepositRequest(epoch, alice) == 100 * USD
    assert vault.pendingDepositRequest(epoch + 1, bob) == 100 * USD
    # Until the end of that epoch its number is the current one.
    assert vault.requestDeposit(100 * USD, bob, bob, {"from": bob}).return_value == epoch + 1
    event = world.process()
    assert event["depositedAssets"] == 200 * USD
    assert event["redeemedShares"] == 10 * WAD


@pytest.mark.parametrize("amount", [0, 1, MIN_DEPOSIT - 1])
def test_deposit_below_the_minimum_is_refused(world: VaultWorld, alice: Any, amount: int) -> None:
    before = world.usdc.balanceOf(alice)
    with reverts_with("RequestBelowMinimum", amount, MIN_DEPOSIT):
        world.vault.requestDeposit(amount, alice, alice, {"from": alice})
    assert world.usdc.balanceOf(alice) == before
    assert world.vault.held()[0] == 0


def test_redemption_below_the_minimum_is_refused_unless_it_is_everything(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    vault, share = world.vault, world.share
    with reverts_with("AmountZero"):
        vault.requestRedeem(0, alice, alice, {"from": alice})
    with reverts_with("RequestBelowMinimum", MIN_REDEEM - 1, MIN_REDEEM):
        vault.requestRedeem(MIN_REDEEM - 1, alice, alice, {"from": alice})
    share.transfer(bob, 5, {"from": alice})
    vault.requestRedeem(5, bob, bob, {"from": bob})
    assert share.balanceOf(bob) == 0
    assert vault.pendingRedeemRequest(vault.currentEpoch(), bob) == 5


def test_more_than_there_is_is_refused(world: VaultWorld, alice: Any, bob: Any) -> None:
    has = world.usdc.balanceOf(alice)
    with reverts_with("ERC20InsufficientBalance", alice, has, has + 1):
        world.vault.requestDeposit(has + 1, alice, alice, {"from": alice})
    with reverts_with("ERC20InsufficientBalance", alice, 1_000 * WAD, 1_000 * WAD + 1):
        world.vault.requestRedeem(1_000 * WAD + 1, alice, alice, {"from": alice})
    world.usdc.approve(world.vault, 0, {"from": bob})
    with reverts_with("ERC20InsufficientAllowance", world.vault, 0, MIN_DEPOSIT):
        world.vault.requestDeposit(MIN_DEPOSIT, bob, bob, {"from": bob})


def test_strangers_cannot_spend_an_allowance_given_to_the_vault(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    with reverts_with("NotOwnerOrOperator", bob, alice):
        world.vault.requestDeposit(100 * USD, bob, alice, {"from": bob})
    with reverts_with("NotOwnerOrOperator", bob, ZERO_ADDRESS):
        world.vault.requestDeposit(100 * USD, bob, ZERO_ADDRESS, {"from": bob})
    with reverts_with("ERC20InsufficientAllowance", bob, 0, 10 * WAD):
        world.vault.requestRedeem(10 * WAD, bob, alice, {"from": bob})


def test_nobody_gets_a_request_that_he_did_not_agree_to(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    """I-08: the ids of a controller are bounded, so strangers must not fill them with dust."""
    vault = world.vault
    with reverts_with("ControllerNotApproved", bob, alice):
        vault.requestDeposit(100 * USD, alice, bob, {"from": bob})
    with reverts_with("ControllerNotApproved", bob, ZERO_ADDRESS):
        vault.requestDeposit(100 * USD, ZERO_ADDRESS, bob, {"from": bob})
    with reverts_with("ControllerNotApproved", alice, bob):
        vault.requestRedeem(10 * WAD, bob, alice, {"from": alice})
    vault.setOperator(bob, True, {"from": alice})
    vault.requestDeposit(100 * USD, alice, bob, {"from": bob})
    assert vault.pendingDepositRequest(vault.currentEpoch(), alice) == 100 * USD


def test_operator_requests_for_its_principal(world: VaultWorld, alice: Any, bob: Any) -> None:
    vault = world.vault
    tx = vault.setOperator(bob, True, {"from": alice})
    assert tx.return_value is True
    assert tx.events["OperatorSet"][0] == {"controller": alice, "operator": bob, "approved": True}
    assert vault.isOperator(alice, bob)
    assert not vault.isOperator(bob, alice)
    epoch = vault.currentEpoch()
    tx = vault.requestDeposit(100 * USD, alice, alice, {"from": bob})
    assert tx.events["DepositRequest"]["sender"] == bob
    vault.requestRedeem(10 * WAD, alice, alice, {"from": bob})
    assert vault.pendingDepositRequest(epoch, alice) == 100 * USD
    assert vault.pendingRedeemRequest(epoch, alice) == 10 * WAD
    vault.setOperator(bob, False, {"from": alice})
    with reverts_with("NotOwnerOrOperator", bob, alice):
        vault.requestDeposit(100 * USD, alice, alice, {"from": bob})


def test_share_allowance_is_spent_unless_operator_or_infinite(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    vault, share = world.vault, world.share
    epoch = vault.currentEpoch()
    share.approve(bob, 30 * WAD, {"from": alice})
    tx = vault.requestRedeem(20 * WAD, bob, alice, {"from": bob})
    assert tx.events["RedeemRequest"]["owner"] == alice
    assert share.allowance(alice, bob) == 10 * WAD
    assert vault.pendingRedeemRequest(epoch, bob) == 20 * WAD
    with reverts_with("ERC20InsufficientAllowance", bob, 10 * WAD, 11 * WAD):
        vault.requestRedeem(11 * WAD, bob, alice, {"from": bob})
    vault.setOperator(bob, True, {"from": alice})
    vault.requestRedeem(15 * WAD, bob, alice, {"from": bob})
    assert share.allowance(alice, bob) == 10 * WAD
    vault.setOperator(bob, False, {"from": alice})
    share.approve(bob, 2**256 - 1, {"from": alice})
    vault.requestRedeem(15 * WAD, bob, alice, {"from": bob})
    assert share.allowance(alice, bob) == 2**256 - 1


def test_too_many_open_ids_stop_their_own_controller_only(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    vault = world.vault
    for _ in range(16):
        vault.requestDeposit(MIN_DEPOSIT, alice, alice, {"from": alice})
        world.process()
    with reverts_with("TooManyOpenRequests", alice, 16):
        vault.requestDeposit(MIN_DEPOSIT, alice, alice, {"from": alice})
    vault.requestDeposit(MIN_DEPOSIT, bob, bob, {"from": bob})
    world.process()
    claimable = vault.maxMint(alice)
    had = world.share.balanceOf(alice)
    vault.mint(claimable, alice, alice, {"from": alice})
    assert world.share.balanceOf(alice) == had + claimable
    vault.requestDeposit(MIN_DEPOSIT, alice, alice, {"from": alice})
    world.check_books()
