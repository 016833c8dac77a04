"""Claims: the four functions of ERC-4626 with a controller, their events, rounding and refusals."""

from typing import Any

import pytest
from brownie import ZERO_ADDRESS
from eth_utils import function_signature_to_4byte_selector

from tests.brownie_fixtures import reverts_with
from tests.contracts.vault_world import STALE, USD, WAD, VaultWorld, deploy


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    return deploy(project, accounts, chain)


@pytest.fixture(scope="module")
def alice(accounts: Any, world: VaultWorld) -> Any:
    """Two executed deposits at different prices (epochs 2 and 3) and one executed redemption."""
    alice = accounts[2]
    world.invest(alice, 1_000 * USD)
    world.request_deposit(alice, 300 * USD)
    world.process()
    world.gain(650 * WAD)
    world.request_deposit(alice, 500 * USD)
    world.request_redeem(alice, 200 * WAD)
    world.process()
    return alice


@pytest.fixture(scope="module")
def bob(accounts: Any) -> Any:
    return accounts[3]


def interface_id(*signatures: str) -> str:
    """ERC-165: the exclusive or of the selectors."""
    value = 0
    for signature in signatures:
        value ^= int.from_bytes(function_signature_to_4byte_selector(signature), "big")
    return f"0x{value:08x}"


OPERATOR = ("setOperator(address,bool)", "isOperator(address,address)")
ASYNC_DEPOSIT = (
    "requestDeposit(uint256,address,address)",
    "pendingDepositRequest(uint256,address)",
    "claimableDepositRequest(uint256,address)",
    "deposit(uint256,address,address)",
    "mint(uint256,address,address)",
)
ASYNC_REDEEM = (
    "requestRedeem(uint256,address,address)",
    "pendingRedeemRequest(uint256,address)",
    "claimableRedeemRequest(uint256,address)",
)
CANCEL_DEPOSIT, CANCEL_REDEEM = (
    (
        f"cancel{kind}Request(uint256,address)",
        f"pendingCancel{kind}Request(uint256,address)",
        f"claimableCancel{kind}Request(uint256,address)",
        f"claimCancel{kind}Request(uint256,address,address)",
    )
    for kind in ("Deposit", "Redeem")
)
VAULT_7575 = (
    "asset()",
    "share()",
    "convertToShares(uint256)",
    "convertToAssets(uint256)",
    "totalAssets()",
    "maxDeposit(address)",
    "previewDeposit(uint256)",
    "deposit(uint256,address)",
    "maxMint(address)",
    "previewMint(uint256)",
    "mint(uint256,address)",
    "maxWithdraw(address)",
    "previewWithdraw(uint256)",
    "withdraw(uint256,address,address)",
    "maxRedeem(address)",
    "previewRedeem(uint256)",
    "redeem(uint256,address,address)",
)


@pytest.mark.parametrize(
    ("stated", "signatures"),
    [
        ("0x01ffc9a7", ("supportsInterface(bytes4)",)),
        ("0xe3bc4e65", OPERATOR),
        ("0xce3bbe50", ASYNC_DEPOSIT),
        ("0x620ee8e4", ASYNC_REDEEM),
        ("0x2f0a18c5", VAULT_7575),
        ("0x8bf840e3", CANCEL_DEPOSIT),
        ("0xe76cffc7", CANCEL_REDEEM),
    ],
)
def test_interface_ids_of_the_standards(
    world: VaultWorld, stated: str, signatures: tuple[str, ...]
) -> None:
    assert interface_id(*signatures) == stated
    assert world.vault.supportsInterface(stated)


def test_other_interface_ids_are_denied(world: VaultWorld) -> None:
    for other in ("0xffffffff", "0x00000000", "0x36372b07"):
        assert not world.vault.supportsInterface(other)


@pytest.mark.parametrize("name", ["Deposit", "Mint", "Redeem", "Withdraw"])
def test_previews_revert(world: VaultWorld, name: str) -> None:
    with reverts_with("PreviewUnsupported"):
        getattr(world.vault, f"preview{name}")(0)


def test_maxima_are_the_sum_of_claimable_requests(world: VaultWorld, alice: Any) -> None:
    vault = world.vault
    assert [vault.claimableDepositRequest(i, alice) for i in range(1, 5)] == [
        0,
        300 * USD,
        500 * USD,
        0,
    ]
    assert vault.maxDeposit(alice) == 800 * USD
    assert vault.claimableRedeemRequest(3, alice) == vault.maxRedeem(alice) == 200 * WAD
    assert vault.pendingDepositRequest(3, alice) == vault.pendingRedeemRequest(3, alice) == 0


def test_deposit_claims_oldest_first_each_at_its_own_rate(world: VaultWorld, alice: Any) -> None:
    """300 USD bought 300 shares; 500 USD were paid after the price had risen by half."""
    vault, share = world.vault, world.share
    had = share.balanceOf(alice)
    late = vault.maxMint(alice) - 300 * WAD
    assert 333 * WAD < late < 334 * WAD
    assert vault.deposit(100 * USD, alice, {"from": alice}).return_value == 100 * WAD
    assert vault.claimableDepositRequest(2, alice) == 200 * USD
    tx = vault.deposit(250 * USD, alice, alice, {"from": alice})
    assert tx.return_value == 200 * WAD + late * 50 // 500
    assert vault.claimableDepositRequest(2, alice) == 0
    assert vault.claimableDepositRequest(3, alice) == 450 * USD
    vault.deposit(450 * USD, alice, alice, {"from": alice})
    assert share.balanceOf(alice) == had + 300 * WAD + late
    assert vault.maxDeposit(alice) == vault.maxMint(alice) == 0
    world.check_books()


def test_mint_gives_exactly_the_shares(world: VaultWorld, alice: Any) -> None:
    vault, share = world.vault, world.share
    had, most = share.balanceOf(alice), vault.maxMint(alice)
    assert vault.mint(10 * WAD, alice, {"from": alice}).return_value == 10 * USD
    assert vault.mint(1, alice, {"from": alice}).return_value == 1
    assert share.balanceOf(alice) == had + 10 * WAD + 1
    left = most - 10 * WAD - 1
    assert vault.maxMint(alice) == left
    assert vault.mint(left, alice, {"from": alice}).return_value == 790 * USD - 1
    assert share.balanceOf(alice) == had + most
    assert vault.maxDeposit(alice) == 0


def test_redeem_and_withdraw_pay_usdc(world: VaultWorld, alice: Any, bob: Any) -> None:
    vault, usdc = world.vault, world.usdc
    most = vault.maxWithdraw(alice)
    assert 299 * USD < most < 301 * USD
    tx = vault.redeem(50 * WAD, bob, alice, {"from": alice})
    assert tx.return_value == most // 4
    assert tx.events["Withdraw"][0] == {
        "sender": alice,
        "receiver": bob,
        "owner": alice,
        "assets": most // 4,
        "shares": 50 * WAD,
    }
    assert usdc.balanceOf(bob) == most // 4
    left = vault.maxWithdraw(alice)
    assert left == most - most // 4
    used = vault.withdraw(left - 1, alice, alice, {"from": alice}).return_value
    assert used == -(-150 * WAD * (left - 1) // left)
    assert vault.maxWithdraw(alice) == 1
    assert vault.withdraw(1, alice, alice, {"from": alice}).return_value == 150 * WAD - used
    assert vault.maxRedeem(alice) == 0
    assert vault.held() == (0, 0)
    world.check_books()


def test_events_name_the_controller_first(world: VaultWorld, alice: Any, bob: Any) -> None:
    world.vault.setOperator(bob, True, {"from": alice})
    tx = world.vault.deposit(300 * USD, bob, alice, {"from": bob})
    assert tx.events["Deposit"][0] == {
        "sender": alice,
        "owner": bob,
        "assets": 300 * USD,
        "shares": 300 * WAD,
    }
    assert world.share.balanceOf(bob) == 300 * WAD
    tx = world.vault.redeem(WAD, bob, alice, {"from": bob})
    assert tx.events["Withdraw"]["sender"] == bob
    assert tx.events["Withdraw"]["owner"] == alice


@pytest.mark.parametrize("function", ["deposit", "mint", "redeem", "withdraw"])
def test_refused_claims(world: VaultWorld, alice: Any, bob: Any, function: str) -> None:
    vault = world.vault
    claim = getattr(vault, function)
    most = getattr(vault, f"max{function.capitalize()}")(alice)
    if function in ("deposit", "mint"):
        claim = claim["uint256,address,address"]
    with reverts_with("NotOwnerOrOperator", bob, alice):
        claim(1, bob, alice, {"from": bob})
    with reverts_with("ZeroAddress"):
        claim(1, ZERO_ADDRESS, alice, {"from": alice})
    with reverts_with("AmountZero"):
        claim(0, alice, alice, {"from": alice})
    with reverts_with("ClaimTooLarge", most + 1, most):
        claim(most + 1, alice, alice, {"from": alice})
    with reverts_with("ClaimTooLarge", 1, 0):
        claim(1, bob, bob, {"from": bob})
    assert getattr(vault, f"max{function.capitalize()}")(alice) == most
    world.check_books()


def test_pending_requests_cannot_be_claimed(world: VaultWorld, alice: Any, bob: Any) -> None:
    world.request_deposit(bob, 100 * USD)
    with reverts_with("ClaimTooLarge", 1, 0):
        world.vault.deposit(1, bob, bob, {"from": bob})
    world.request_redeem(alice, 10 * WAD)
    world.vault.redeem(200 * WAD, alice, alice, {"from": alice})
    with reverts_with("ClaimTooLarge", 1, 0):
        world.vault.redeem(1, alice, alice, {"from": alice})


def test_claims_and_requests_need_no_oracle(world: VaultWorld, alice: Any) -> None:
    """I-07: a stale oracle stops epochs, never claims."""
    world.market.setState(STALE, {"from": world.admin})
    world.market.setSpot(0, {"from": world.admin})
    vault = world.vault
    vault.deposit(vault.maxDeposit(alice), alice, {"from": alice})
    vault.withdraw(vault.maxWithdraw(alice), alice, alice, {"from": alice})
    world.request_redeem(alice, 10 * WAD)
    world.check_books()
