"""Rows of docs/conformance.md that no other test is about: views that never revert, conversions, tokens."""

from typing import Any

import pytest
from brownie import ZERO_ADDRESS

from tests.contracts.vault_world import STALE, USD, WAD, VaultWorld, deploy

OF_ONE = ("maxDeposit", "maxMint", "maxRedeem", "maxWithdraw")
OF_ID = tuple(
    f"{state}{kind}Request"
    for kind in ("Deposit", "Redeem")
    for state in ("pending", "claimable", "pendingCancel", "claimableCancel")
)


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    """Something pending, something claimable and something cancelled, at a price that is no round number."""
    world = deploy(project, accounts, chain)
    alice, vault = accounts[2], world.vault
    world.invest(alice, 1_000 * USD)
    world.gain(137 * WAD + 13)
    world.request_deposit(alice, 70 * USD)
    world.request_redeem(alice, 30 * WAD)
    world.process()
    epoch = world.request_deposit(alice, 50 * USD)
    vault.cancelDepositRequest(epoch, alice, {"from": alice})
    world.request_deposit(alice, 20 * USD)
    return world


def test_views_do_not_depend_on_the_caller(world: VaultWorld, accounts: Any) -> None:
    alice, vault = accounts[2], world.vault
    for caller in (alice, accounts[5], vault):
        by = {"from": caller}
        assert [getattr(vault, name)(alice, by) for name in OF_ONE] == [
            getattr(vault, name)(alice) for name in OF_ONE
        ]
        for request_id in (2, 3):
            for name in OF_ID:
                view = getattr(vault, name)
                assert view(request_id, alice, by) == view(request_id, alice)


def test_views_of_nothing_are_zero(world: VaultWorld, accounts: Any) -> None:
    most = 2**256 - 1
    for who in (ZERO_ADDRESS, accounts[9], world.vault):
        assert [getattr(world.vault, name)(who) for name in OF_ONE] == [0] * 4
        for request_id in (0, 1, most):
            assert [getattr(world.vault, name)(request_id, who) for name in OF_ID] == [0] * 8


def test_asset_and_share_are_tokens(world: VaultWorld) -> None:
    assert world.vault.asset() == world.usdc
    assert world.vault.share() == world.share
    assert (world.usdc.decimals(), world.share.decimals()) == (6, 18)


def test_conversions_never_revert(world: VaultWorld, accounts: Any) -> None:
    """Not even without a feed; and they are the last epoch's, so nobody moves them in between."""
    vault = world.vault
    before = vault.totalAssets(), vault.convertToShares(USD), vault.convertToAssets(WAD)
    world.market.setState(STALE, {"from": world.admin})
    world.market.setSpot(0, {"from": world.admin})
    world.gain(-500 * WAD)
    by = {"from": accounts[7]}
    after = vault.totalAssets(by), vault.convertToShares(USD, by), vault.convertToAssets(WAD, by)
    assert after == before
    for amount in (0, 1, 2**100):
        vault.convertToShares(amount)
        vault.convertToAssets(amount)


@pytest.mark.parametrize("amount", [1, 999_999, 77_777_777, 10**15 + 7])
def test_conversions_round_down(world: VaultWorld, amount: int) -> None:
    vault = world.vault
    assert 1.13 < vault.convertToAssets(WAD) / USD < 1.14
    assert vault.convertToAssets(vault.convertToShares(amount)) <= amount
    shares = amount * 10**6
    assert vault.convertToShares(vault.convertToAssets(shares)) <= shares
