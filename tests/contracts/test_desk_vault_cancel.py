"""Cancelling as in ERC-7887: what comes back, what stays, who may, and when a request stands."""

from typing import Any

import pytest
from brownie import ZERO_ADDRESS

from tests.brownie_fixtures import reverts_with
from tests.contracts.vault_world import EPOCH, USD, WAD, WINDOW, VaultWorld, deploy


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    return deploy(project, accounts, chain)


@pytest.fixture(scope="module")
def alice(accounts: Any, world: VaultWorld) -> Any:
    world.invest(accounts[2], 100_000 * USD)
    return accounts[2]


@pytest.fixture(scope="module")
def bob(accounts: Any, world: VaultWorld) -> Any:
    world.invest(accounts[3], 100_000 * USD)
    return accounts[3]


def test_cancelled_deposit_comes_back_whole(world: VaultWorld, alice: Any, bob: Any) -> None:
    vault, usdc = world.vault, world.usdc
    had = usdc.balanceOf(alice)
    epoch = world.request_deposit(alice, 700 * USD)
    world.request_deposit(bob, 300 * USD)
    tx = vault.cancelDepositRequest(epoch, alice, {"from": alice})
    assert tx.events["CancelDepositRequest"][0] == {
        "controller": alice,
        "requestId": epoch,
        "sender": alice,
    }
    assert vault.pendingDepositRequest(epoch, alice) == 0
    assert vault.pendingCancelDepositRequest(epoch, alice) is False
    assert vault.claimableCancelDepositRequest(epoch, alice) == 700 * USD
    # Pulled, never pushed; nothing of it is a claimable deposit.
    assert usdc.balanceOf(alice) == had
    assert vault.maxDeposit(alice) == vault.claimableDepositRequest(epoch, alice) == 0
    assert vault.held() == (300 * USD, 700 * USD)
    world.check_books()
    tx = vault.claimCancelDepositRequest(epoch, bob, alice, {"from": alice})
    assert tx.events["CancelDepositClaim"][0] == {
        "controller": alice,
        "receiver": bob,
        "requestId": epoch,
        "sender": alice,
        "assets": 700 * USD,
    }
    assert usdc.balanceOf(bob) == 700 * USD
    assert vault.claimableCancelDepositRequest(epoch, alice) == 0
    with reverts_with("NoCancelation", epoch, alice):
        vault.claimCancelDepositRequest(epoch, bob, alice, {"from": alice})
    assert world.process()["depositedAssets"] == 300 * USD
    world.check_books()


def test_cancelled_redemption_gives_the_shares_back(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    vault, share = world.vault, world.share
    epoch = world.request_redeem(alice, 600 * WAD)
    world.request_redeem(bob, 100 * WAD)
    tx = vault.cancelRedeemRequest(epoch, alice, {"from": alice})
    assert tx.events["CancelRedeemRequest"]["sender"] == alice
    assert vault.claimableCancelRedeemRequest(epoch, alice) == 600 * WAD
    assert not vault.pendingCancelRedeemRequest(epoch, alice)
    assert world.process()["redeemedShares"] == 100 * WAD
    tx = vault.claimCancelRedeemRequest(epoch, alice, alice, {"from": alice})
    assert tx.events["CancelRedeemClaim"]["shares"] == 600 * WAD
    assert share.balanceOf(alice) == 100_000 * WAD
    vault.redeem(100 * WAD, bob, bob, {"from": bob})
    assert share.balanceOf(vault) == 0


def test_asks_again_after_cancelling(world: VaultWorld, alice: Any) -> None:
    """The new request of the same id is one of its own; each is claimed by its own function."""
    vault = world.vault
    epoch = world.request_deposit(alice, 700 * USD)
    vault.cancelDepositRequest(epoch, alice, {"from": alice})
    assert world.request_deposit(alice, 40 * USD) == epoch
    assert world.request_deposit(alice, 50 * USD) == epoch
    assert vault.pendingDepositRequest(epoch, alice) == 90 * USD
    vault.cancelDepositRequest(epoch, alice, {"from": alice})
    assert vault.claimableCancelDepositRequest(epoch, alice) == 790 * USD
    world.request_deposit(alice, 60 * USD)
    assert world.process()["depositedAssets"] == 60 * USD
    assert vault.maxDeposit(alice) == 60 * USD
    vault.deposit(60 * USD, alice, alice, {"from": alice})
    vault.claimCancelDepositRequest(epoch, alice, alice, {"from": alice})
    assert world.usdc.balanceOf(alice) == 790 * USD
    assert vault.held() == (0, 0)


def test_partial_fill_stays_when_the_rest_is_cancelled(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    """Incident 13: what was paid is his, what was not comes back, and the others' parts do not move."""
    vault = world.vault
    expiry = world.sell_option(2_200 * WAD, 300 * WAD, 30_000 * WAD)
    epoch = world.request_redeem(alice, 80_000 * WAD)
    world.request_redeem(bob, 80_000 * WAD)
    world.end_epoch()
    world.refresh_surface(expiry)
    event = vault.processEpoch({"from": bob}).events["EpochProcessed"]
    assert 0 < event["redeemedShares"] < 160_000 * WAD
    paid, pending = vault.maxWithdraw(alice), vault.pendingRedeemRequest(epoch, alice)
    others = vault.maxWithdraw(bob), vault.pendingRedeemRequest(epoch, bob)
    vault.redeem(vault.maxRedeem(alice) // 3, alice, alice, {"from": alice})
    world.pass_until(vault.epochEndsAt() - 1_000)
    vault.cancelRedeemRequest(epoch, alice, {"from": alice})
    assert vault.claimableCancelRedeemRequest(epoch, alice) == pending
    assert vault.pendingRedeemRequest(epoch, alice) == 0
    assert vault.maxWithdraw(bob) - others[0] in (0, 1)
    assert vault.pendingRedeemRequest(epoch, bob) - others[1] in (0, 1)
    vault.redeem(vault.maxRedeem(alice), alice, alice, {"from": alice})
    assert world.usdc.balanceOf(alice) == paid
    vault.claimCancelRedeemRequest(epoch, alice, alice, {"from": alice})
    assert world.share.balanceOf(alice) == 20_000 * WAD + pending
    # The place in the list is free again, and bob is filled to the end.
    world.buy_back(300 * WAD)
    assert world.process()["redeemedShares"] - others[1] in (0, 1)
    vault.redeem(vault.maxRedeem(bob), bob, bob, {"from": bob})
    assert vault.maxRedeem(bob) == vault.pendingRedeemRequest(epoch, bob) == 0
    assert vault.held()[1] <= 2
    world.check_books()


def test_only_controller_and_operator_cancel_and_claim(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    vault = world.vault
    epoch = world.request_deposit(alice, 100 * USD)
    with reverts_with("NotOwnerOrOperator", bob, alice):
        vault.cancelDepositRequest(epoch, alice, {"from": bob})
    with reverts_with("NotOwnerOrOperator", bob, alice):
        vault.cancelRedeemRequest(epoch, alice, {"from": bob})
    vault.setOperator(bob, True, {"from": alice})
    vault.cancelDepositRequest(epoch, alice, {"from": bob})
    with reverts_with("ZeroAddress"):
        vault.claimCancelDepositRequest(epoch, ZERO_ADDRESS, alice, {"from": alice})
    vault.claimCancelDepositRequest(epoch, alice, alice, {"from": bob})
    vault.setOperator(bob, False, {"from": alice})
    with reverts_with("NotOwnerOrOperator", bob, alice):
        vault.claimCancelRedeemRequest(epoch, bob, alice, {"from": bob})


def test_nothing_to_cancel(world: VaultWorld, alice: Any, bob: Any) -> None:
    vault = world.vault
    epoch = world.request_deposit(alice, 100 * USD)
    for controller, request_id in ((bob, epoch), (alice, epoch + 1)):
        with reverts_with("NothingPending", request_id, controller):
            vault.cancelDepositRequest(request_id, controller, {"from": controller})
    with reverts_with("NothingPending", epoch, alice):
        vault.cancelRedeemRequest(epoch, alice, {"from": alice})
    world.process()
    with reverts_with("NothingPending", epoch, alice):
        vault.cancelDepositRequest(epoch, alice, {"from": alice})
    assert vault.maxDeposit(alice) == 100 * USD


def test_request_stands_while_its_epoch_can_be_processed(world: VaultWorld, alice: Any) -> None:
    """Else it would be a free option on a price that is already seen. A window later it can be taken back."""
    vault = world.vault
    epoch = world.request_deposit(alice, 100 * USD)
    ends = vault.epochEndsAt()
    world.pass_until(ends)
    with reverts_with("RequestExecuting", epoch, ends + WINDOW):
        vault.cancelDepositRequest(epoch, alice, {"from": alice})
    # A request of the next epoch has not got that far.
    assert world.request_deposit(alice, 50 * USD) == epoch + 1
    vault.cancelDepositRequest(epoch + 1, alice, {"from": alice})
    world.pass_until(ends + EPOCH + WINDOW - 5)
    with reverts_with("RequestExecuting", epoch, ends + EPOCH + WINDOW):
        vault.cancelDepositRequest(epoch, alice, {"from": alice})
    world.pass_until(ends + EPOCH + WINDOW)
    vault.cancelDepositRequest(epoch, alice, {"from": alice})
    assert vault.claimableCancelDepositRequest(epoch, alice) == 100 * USD


def test_cancel_storm_fills_only_the_own_list(world: VaultWorld, alice: Any, bob: Any) -> None:
    """I-08: sixteen cancelations that were not claimed stop their controller and nobody else."""
    vault = world.vault
    for _ in range(16):
        epoch = world.request_deposit(alice, 10 * USD)
        vault.cancelDepositRequest(epoch, alice, {"from": alice})
    world.fund(alice, 10 * USD)
    with reverts_with("TooManyOpenRequests", alice, 16):
        vault.requestDeposit(10 * USD, alice, alice, {"from": alice})
    world.request_deposit(bob, 10 * USD)
    vault.claimCancelDepositRequest(epoch, alice, alice, {"from": alice})
    assert world.usdc.balanceOf(alice) == 170 * USD
    vault.requestDeposit(10 * USD, alice, alice, {"from": alice})
    assert world.process()["depositedAssets"] == 20 * USD
    world.check_books()
