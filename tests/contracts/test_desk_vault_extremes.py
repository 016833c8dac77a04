"""The vault at its edges: worth nothing, without shares, left by everybody; and its parameters."""

from typing import Any

import pytest
from brownie import ZERO_ADDRESS

from tests.brownie_fixtures import reverts_with
from tests.contracts.vault_world import (
    ETH,
    PARAMETERS,
    USD,
    USDC_SCALE,
    WAD,
    VaultWorld,
    deploy,
)


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    return deploy(project, accounts, chain)


@pytest.fixture(scope="module")
def alice(accounts: Any, world: VaultWorld) -> Any:
    world.invest(accounts[2], 1_000 * USD)
    return accounts[2]


@pytest.fixture(scope="module")
def bob(accounts: Any) -> Any:
    return accounts[3]


def leave(world: VaultWorld, user: Any) -> int:
    """Redeem everything and claim it. Gives back USDC units."""
    world.request_redeem(user, world.share.balanceOf(user))
    world.process()
    return world.vault.redeem(world.vault.maxRedeem(user), user, user, {"from": user}).return_value


def test_nav_of_zero_fills_nobody_and_the_epoch_ends(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    vault = world.vault
    world.gain(-1_000 * WAD)
    epoch = vault.currentEpoch()
    world.request_deposit(bob, 100 * USD)
    world.request_redeem(alice, 500 * WAD)
    event = world.process()
    assert event["navBid"] == event["navAsk"] == 0
    assert event["mintedShares"] == event["redeemedShares"] == 0
    assert vault.currentEpoch() == epoch + 1
    assert vault.pendingDepositRequest(epoch, bob) == 100 * USD
    assert vault.pendingRedeemRequest(epoch, alice) == 500 * WAD
    assert vault.totalAssets() == vault.convertToAssets(WAD) == 0
    world.gain(500 * WAD)
    event = world.process()
    assert event["redeemedAssets"] == 250 * USD
    assert event["depositedAssets"] == 100 * USD
    world.check_books()


def test_redemptions_wait_while_a_share_is_worth_less_than_a_unit_of_usdc(
    world: VaultWorld, alice: Any
) -> None:
    """Nobody is bought out for nothing."""
    world.gain(-1_000 * WAD + 999 * USDC_SCALE)
    world.request_redeem(alice, 1_000 * WAD)
    assert world.process()["redeemedShares"] == 0
    world.gain(USDC_SCALE)
    event = world.process()
    assert (event["redeemedShares"], event["redeemedAssets"]) == (1_000 * WAD, 1_000)


def test_nobody_joins_an_account_that_owes(world: VaultWorld, alice: Any, bob: Any) -> None:
    expiry = world.sell_option(2_200 * WAD, WAD // 2, WAD)
    world.market.setSpot(6_000 * WAD, {"from": world.admin})
    epoch = world.vault.currentEpoch()
    world.request_deposit(bob, 5_000 * USD)
    world.request_redeem(alice, 500 * WAD)
    world.end_epoch()
    world.refresh_surface(expiry)
    assert world.lens.equityOf(world.vault) < 0
    event = world.vault.processEpoch({"from": bob}).events["EpochProcessed"]
    assert event["depositedAssets"] == event["redeemedAssets"] == 0
    assert world.vault.navBid() == 0
    assert world.vault.pendingDepositRequest(epoch, bob) == 5_000 * USD


def test_everybody_leaves_and_somebody_comes(world: VaultWorld, alice: Any, bob: Any) -> None:
    """Incident 9: no supply is a state like any other."""
    vault = world.vault
    assert leave(world, alice) == 1_000 * USD
    assert world.share.totalSupply() == 0
    assert vault.totalAssets() == 0
    assert vault.convertToShares(USD) == WAD
    assert vault.convertToAssets(WAD) == USD
    assert vault.navBid() == vault.navAsk() == 0
    world.process()
    assert world.invest(bob, 70 * USD) == 70 * WAD
    assert leave(world, bob) == 70 * USD
    world.check_books()


def test_gain_left_without_holders_is_nobodys_prey(world: VaultWorld, alice: Any, bob: Any) -> None:
    """Incident 9: what the account earns without holders goes to the virtual share, not to the next depositor."""
    leave(world, alice)
    world.gain(300 * WAD)
    world.invest(bob, 1_000 * USD)
    paid = leave(world, bob)
    assert 999_999_990 <= paid <= 1_000 * USD


@pytest.mark.parametrize("loss", [1, 137 * WAD + 13, 999 * WAD])
def test_last_to_leave_below_one_dollar_is_paid_in_full(
    world: VaultWorld, alice: Any, bob: Any, loss: int
) -> None:
    world.invest(bob, 500 * USD)
    world.gain(-loss)
    world.request_redeem(alice, world.share.balanceOf(alice))
    world.process()
    world.request_redeem(bob, world.share.balanceOf(bob))
    event = world.process()
    assert world.share.totalSupply() == 0
    paid = world.vault.maxWithdraw(alice) + world.vault.maxWithdraw(bob)
    assert (1_500 * WAD - loss) // USDC_SCALE - paid in (0, 1)
    assert event["redeemedShares"] == world.vault.maxRedeem(bob)


def test_absurd_price_leaves_deposits_pending_instead_of_stopping_epochs(
    world: VaultWorld, alice: Any, bob: Any
) -> None:
    """Deposits into an almost worthless vault multiply the supply; it is not let outgrow its field."""
    vault = world.vault
    world.gain(1 - world.cash())
    world.invest(bob, 10**8 * USD)
    world.gain(1 - world.cash())
    epoch = vault.currentEpoch()
    world.request_deposit(bob, 10**8 * USD)
    assert world.process()["mintedShares"] == 0
    assert vault.currentEpoch() == epoch + 1
    assert vault.pendingDepositRequest(epoch, bob) == 10**8 * USD
    world.check_books()


OUT_OF_RANGE = [
    ("epochLength", 0, 3_599),
    ("epochLength", 0, 7 * 86_400 + 1),
    ("epochWindow", 1, 599),
    ("epochWindow", 1, 43_201),
    ("surfaceMaxAge", 2, 59),
    ("surfaceMaxAge", 2, 86_401),
    ("missedToWindDown", 3, 1),
    ("missedToWindDown", 3, 61),
    ("minDeposit", 4, USD - 1),
    ("minDeposit", 4, 10**11 + 1),
    ("minRedeem", 5, 10**12 - 1),
    ("minRedeem", 5, 10**20 + 1),
    ("volUncertainty", 6, WAD + 1),
    ("volDrift", 7, 10**17 + 1),
    ("feedDeviation", 8, 10**17 + 1),
    ("unwindCost", 9, 10**17 + 1),
    ("managementFee", 10, 5 * 10**16 + 1),
    ("performanceFee", 11, 3 * 10**17 + 1),
]


@pytest.mark.parametrize(("name", "field", "value"), OUT_OF_RANGE)
def test_parameters_have_hard_ranges(world: VaultWorld, name: str, field: int, value: int) -> None:
    changed = list(PARAMETERS)
    changed[field] = value
    with pytest.raises(Exception, match=f"VaultParameterOutOfRange: {name}, {value}, "):
        world.vault.setParameters(changed, {"from": world.admin})
    assert world.vault.parameters() == PARAMETERS


def test_only_governance_sets_parameters(world: VaultWorld, alice: Any) -> None:
    changed = (7_200, 3_600, 600, 2, 20 * USD, 2 * WAD, 0, 0, 0, 0, 0, 0)
    with reverts_with("AccessManagedUnauthorized", alice):
        world.vault.setParameters(changed, {"from": alice})
    ends = world.vault.epochEndsAt()
    tx = world.vault.setParameters(changed, {"from": world.admin})
    assert tx.events["VaultParametersSet"]["parameters"] == changed
    assert world.vault.parameters() == changed
    assert world.vault.epochEndsAt() == ends
    world.process()
    assert world.vault.epochEndsAt() == ends + 7_200


def test_deployment_without_its_parts_is_refused(project: Any, world: VaultWorld) -> None:
    for oracle, surface in ((ZERO_ADDRESS, world.market), (world.market, ZERO_ADDRESS)):
        with reverts_with("ZeroAddress"):
            project.DeskVault.deploy(
                world.manager, world.house, oracle, surface, ETH, PARAMETERS, {"from": world.admin}
            )


def test_code_fits(world: VaultWorld) -> None:
    assert len(world.chain_code(world.vault)) <= 24_576
    assert len(world.chain_code(world.share)) <= 24_576
