"""The share: minted and burned by its vault alone, permit, votes on a clock of seconds, ERC-7575."""

from typing import Any

import pytest
from brownie import ZERO_ADDRESS
from eth_account import Account
from eth_account.messages import encode_typed_data

from tests.brownie_fixtures import reverts_with
from tests.contracts.vault_world import USD, WAD, VaultWorld, deploy

SIGNER_KEY = "0x" + "5a" * 32
TRANSFER_OF_VAULT = "0xf815c03d"


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    world = deploy(project, accounts, chain)
    world.invest(accounts[2], 1_000 * USD)
    return world


@pytest.fixture(scope="module")
def alice(accounts: Any) -> Any:
    return accounts[2]


def permit(world: VaultWorld, spender: Any, value: int, deadline: int) -> Any:
    """A permit signed by SIGNER_KEY, with its signer."""
    signer = Account.from_key(SIGNER_KEY)
    typed = {
        "domain": {
            "name": world.share.name(),
            "version": "1",
            "chainId": world.chain.id,
            "verifyingContract": world.share.address,
        },
        "primaryType": "Permit",
        "types": {
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ]
        },
        "message": {
            "owner": signer.address,
            "spender": spender.address,
            "value": value,
            "nonce": world.share.nonces(signer.address),
            "deadline": deadline,
        },
    }
    return signer, signer.sign_message(encode_typed_data(full_message=typed))


def test_is_an_erc20_of_18_decimals(world: VaultWorld, alice: Any, accounts: Any) -> None:
    share = world.share
    assert share.decimals() == 18
    assert share.totalSupply() == share.balanceOf(alice) == 1_000 * WAD
    share.transfer(accounts[3], WAD, {"from": alice})
    assert share.balanceOf(accounts[3]) == WAD


def test_only_the_vault_mints_burns_and_escrows(world: VaultWorld, alice: Any) -> None:
    for caller in (alice, world.admin):
        with reverts_with("OnlyVault", caller):
            world.share.mint(caller, 1, {"from": caller})
        with reverts_with("OnlyVault", caller):
            world.share.burn(1, {"from": caller})
        with reverts_with("OnlyVault", caller):
            world.share.escrow(alice, alice, 1, {"from": caller})


def test_names_its_vault_for_usdc_alone(world: VaultWorld) -> None:
    assert world.share.vault(world.usdc) == world.vault
    assert world.share.vault(world.weth) == ZERO_ADDRESS
    assert world.share.supportsInterface(TRANSFER_OF_VAULT)
    assert world.share.supportsInterface("0x01ffc9a7")
    assert not world.share.supportsInterface("0xffffffff")


def test_redeems_on_a_permit(world: VaultWorld, alice: Any, accounts: Any) -> None:
    share, bob = world.share, accounts[3]
    deadline = world.chain[-1].timestamp + 3_600
    signer, signed = permit(world, bob, 40 * WAD, deadline)
    share.transfer(signer.address, 100 * WAD, {"from": alice})
    args = (signer.address, bob, 40 * WAD, deadline, signed.v)
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    share.permit(*args, r, s, {"from": bob})
    world.vault.requestRedeem(40 * WAD, bob, signer.address, {"from": bob})
    assert share.balanceOf(signer.address) == 60 * WAD
    assert share.allowance(signer.address, bob) == 0
    with pytest.raises(Exception, match="ERC2612InvalidSigner"):
        share.permit(*args, r, s, {"from": bob})


def test_permit_ends_at_its_deadline(world: VaultWorld, accounts: Any) -> None:
    bob = accounts[3]
    deadline = world.chain[-1].timestamp - 1
    signer, signed = permit(world, bob, WAD, deadline)
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    with reverts_with("ERC2612ExpiredSignature", deadline):
        world.share.permit(signer.address, bob, WAD, deadline, signed.v, r, s, {"from": bob})


def test_votes_count_by_timestamp(world: VaultWorld, alice: Any, accounts: Any) -> None:
    share, chain = world.share, world.chain
    assert share.CLOCK_MODE() == "mode=timestamp"
    assert share.clock() == chain[-1].timestamp
    assert share.getVotes(alice) == 0
    share.delegate(alice, {"from": alice})
    at = chain[-1].timestamp
    assert share.getVotes(alice) == 1_000 * WAD
    chain.sleep(100)
    share.transfer(accounts[3], 300 * WAD, {"from": alice})
    assert share.getVotes(alice) == 700 * WAD
    assert share.getPastVotes(alice, at) == 1_000 * WAD
    assert share.getPastTotalSupply(at) == 1_000 * WAD


def test_escrowed_shares_have_no_vote(world: VaultWorld, alice: Any) -> None:
    share = world.share
    share.delegate(alice, {"from": alice})
    world.vault.requestRedeem(250 * WAD, alice, alice, {"from": alice})
    assert share.getVotes(alice) == 750 * WAD
    assert share.getVotes(world.vault) == 0
