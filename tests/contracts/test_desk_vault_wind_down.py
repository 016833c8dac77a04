"""The vault's end: who may start it, what it allows, and that everybody is paid, a share like the next."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.vault_world import EPOCH, MISSED, STALE, USD, WAD, WINDOW, VaultWorld, deploy


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    return deploy(project, accounts, chain)


@pytest.fixture(scope="module")
def people(accounts: Any, world: VaultWorld) -> list[Any]:
    """Three with 50,000, 30,000 and 20,000 shares."""
    people = accounts[2:5]
    for person, usdc in zip(people, (50_000, 30_000, 20_000), strict=True):
        world.request_deposit(person, usdc * USD)
    world.process()
    for person in people:
        world.vault.mint(world.vault.maxMint(person), person, person, {"from": person})
    return people


def miss(world: VaultWorld, epochs: int = MISSED) -> None:
    """Let windows pass unused, to the second."""
    world.pass_until(world.vault.epochEndsAt() + WINDOW + (epochs - 1) * EPOCH)


def start(world: VaultWorld, person: Any) -> None:
    miss(world)
    world.vault.windDown({"from": person})


def surrender(world: VaultWorld, person: Any) -> None:
    world.vault.surrender(world.share.balanceOf(person), person, {"from": person})


def settle(world: VaultWorld, expiry: int, price: int) -> None:
    """By anyone: the price is proven, losers pay, winners are paid."""
    world.pass_until(expiry + 1)
    world.market.setSettlement(expiry, price, {"from": world.admin})
    accounts = [world.vault, world.sponsor]
    world.house.convert(1, expiry, accounts, {"from": accounts[1]})
    world.house.finalise(1, expiry, {"from": accounts[1]})
    world.house.claim(1, expiry, accounts, {"from": accounts[1]})


def test_starts_only_after_the_governed_number_of_missed_epochs(
    world: VaultWorld, people: list[Any]
) -> None:
    vault = world.vault
    miss(world)
    assert vault.missedEpochs() == MISSED
    tx = vault.windDown({"from": people[2]})
    assert tx.events["WindDownStarted"][0] == {"by": people[2], "missed": MISSED}
    assert vault.windingDown()
    with reverts_with("WindingDown"):
        vault.windDown({"from": people[2]})


def test_a_second_earlier_it_does_not_start(world: VaultWorld, people: list[Any]) -> None:
    vault = world.vault
    with reverts_with("EpochsNotMissed", 0, MISSED):
        vault.windDown({"from": people[0]})
    world.pass_until(vault.epochEndsAt() + WINDOW + (MISSED - 1) * EPOCH - 1)
    with reverts_with("EpochsNotMissed", MISSED - 1, MISSED):
        vault.windDown({"from": people[0]})
    for call in (vault.distribute, vault.unwindVenue, vault.surrender):
        args = {0: (), 1: (world.venue,), 2: (WAD, people[0])}[
            (vault.distribute, vault.unwindVenue, vault.surrender).index(call)
        ]
        with reverts_with("NotWindingDown"):
            call(*args, {"from": people[0]})
    # Whoever processes in time stops it.
    world.process()
    assert vault.missedEpochs() == 0


def test_nothing_new_but_every_way_out(world: VaultWorld, people: list[Any]) -> None:
    """Pending deposits come back, claims go on, epochs and requests end."""
    vault, (alice, bob, carol) = world.vault, people
    done = world.request_deposit(carol, 40 * USD)
    world.process()
    waiting = world.request_deposit(alice, 1_000 * USD)
    leaving = world.request_redeem(bob, 10_000 * WAD)
    world.market.setState(STALE, {"from": world.admin})
    start(world, carol)
    world.fund(alice, 100 * USD)
    with reverts_with("WindingDown"):
        vault.requestDeposit(100 * USD, alice, alice, {"from": alice})
    with reverts_with("WindingDown"):
        vault.requestRedeem(WAD, alice, alice, {"from": alice})
    with reverts_with("WindingDown"):
        vault.processEpoch({"from": alice})
    # The window of the epoch is open, which matters no more.
    world.pass_until(vault.epochEndsAt() + 4 * EPOCH)
    vault.cancelDepositRequest(waiting, alice, {"from": alice})
    vault.claimCancelDepositRequest(waiting, alice, alice, {"from": alice})
    assert world.usdc.balanceOf(alice) == 1_100 * USD
    vault.cancelRedeemRequest(leaving, bob, {"from": bob})
    vault.claimCancelRedeemRequest(leaving, bob, bob, {"from": bob})
    assert world.share.balanceOf(bob) == 30_000 * WAD
    assert vault.claimableDepositRequest(done, carol) == 40 * USD
    vault.mint(vault.maxMint(carol), carol, carol, {"from": carol})
    assert world.share.balanceOf(vault) == 0
    world.check_books()


def test_runs_to_its_end_with_everyone_paid(world: VaultWorld, people: list[Any]) -> None:
    """Calls open, a hedge at a venue, WETH in the account; the last of it settles weeks later."""
    vault, (alice, bob, carol) = world.vault, people
    expiry = world.sell_option(2_000 * WAD, 100 * WAD, 9_000 * WAD, days=20)
    world.give_base(5 * WAD)
    world.venue.setPosition(7 * WAD, 600 * WAD, {"from": world.admin})
    start(world, carol)
    surrender(world, alice)
    world.refresh_surface(expiry)
    tx = vault.distribute({"from": bob})
    first = tx.events["Distributed"]["assets"]
    assert 0 < first < 109_000 * USD
    assert tx.events["Distributed"]["base"] == 0
    _, initial, _ = world.house.marginOf(vault, 0)
    assert world.lens.equityOf(vault) >= initial
    assert vault.collect(alice, alice, {"from": alice}).return_value == (first // 2, 0)
    with reverts_with("NothingToCollect", alice):
        vault.collect(alice, alice, {"from": alice})
    with pytest.raises(Exception, match="LegStillLive"):
        vault.unwindVenue(world.venue, {"from": bob})
    settle(world, expiry, 2_150 * WAD)
    # No price is needed any more once the venue is home.
    vault.unwindVenue(world.venue, {"from": bob})
    world.market.setState(STALE, {"from": world.admin})
    surrender(world, carol)
    tx = vault.distribute({"from": bob})
    assert tx.events["Distributed"]["base"] == 12 * WAD
    surrender(world, bob)
    paid = {}
    for person, part in ((carol, 2), (bob, 3), (alice, 5)):
        vault.collect(person, person, {"from": person})
        paid[person] = world.usdc.balanceOf(person), world.weth.balanceOf(person)
        assert paid[person][1] == 12 * WAD * part // 10
    total = 100_000 + 9_000 + 600 - 150 * 100
    assert [paid[p][0] // USD for p in people] == [total * part // 10 for part in (5, 3, 2)]
    assert world.house.accountOf(vault) == (0, 0, 0)
    assert world.usdc.balanceOf(vault) <= 3
    assert world.share.totalSupply() == 100_000 * WAD
    with reverts_with("NothingFree"):
        vault.distribute({"from": bob})


def test_what_the_vault_owes_is_paid_before_its_holders(
    world: VaultWorld, people: list[Any]
) -> None:
    """The last settlement costs more than the cash that stayed: WETH is sold to whoever cures, the rest is theirs."""
    vault, sponsor = world.vault, world.sponsor
    expiry = world.sell_option(2_000 * WAD, 100 * WAD, 9_000 * WAD, days=20)
    world.give_base(12 * WAD)
    start(world, sponsor)
    world.refresh_surface(expiry)
    vault.distribute({"from": sponsor})
    settle(world, expiry, 2_350 * WAD)
    owed = -world.cash()
    assert 0 < owed < 24_000 * WAD
    with reverts_with("NothingFree"):
        vault.distribute({"from": sponsor})
    world.usdc.approve(world.house, 2**256 - 1, {"from": sponsor})
    world.usdc.mint(sponsor, owed, {"from": world.admin})
    world.house.cure(vault, owed * WAD // (2_000 * WAD), {"from": sponsor})
    world.pass_until(world.chain[-1].timestamp + 1_800)
    rest = -world.cash()
    if rest > 10**12:
        world.house.cure(vault, rest * WAD // (1_900 * WAD), {"from": sponsor})
    assert abs(world.cash()) <= 10**13
    world.gain(10**13)
    base = world.house.accountOf(vault)[1]
    assert vault.distribute({"from": sponsor}).events["Distributed"]["base"] == base > 0
    for person in people:
        surrender(world, person)
        vault.collect(person, person, {"from": person})
    held = [world.weth.balanceOf(person) for person in people]
    assert held == [base * part // 10 for part in (5, 3, 2)]


def test_nobody_gains_by_being_first(world: VaultWorld, people: list[Any]) -> None:
    vault, (alice, bob, _) = world.vault, people
    start(world, alice)
    surrender(world, alice)
    vault.distribute({"from": alice})
    vault.collect(alice, alice, {"from": alice})
    world.gain(500 * WAD)
    vault.distribute({"from": alice})
    surrender(world, bob)
    assert vault.surrendered(bob) == (30_000 * WAD, 30_150 * USD, 0)
    assert vault.surrendered(alice) == (50_000 * WAD, 250 * USD, 0)
    vault.collect(bob, bob, {"from": bob})
    vault.collect(alice, alice, {"from": alice})
    assert world.usdc.balanceOf(alice) * 3 == world.usdc.balanceOf(bob) * 5


def test_surrendered_shares_are_gone(world: VaultWorld, people: list[Any]) -> None:
    vault, (alice, bob, _) = world.vault, people
    start(world, alice)
    with reverts_with("AmountZero"):
        vault.surrender(0, alice, {"from": alice})
    with reverts_with("NotOwnerOrOperator", bob, alice):
        vault.surrender(WAD, alice, {"from": bob})
    vault.surrender(WAD, alice, {"from": alice})
    assert world.share.balanceOf(alice) == 49_999 * WAD
    with reverts_with("NotOwnerOrOperator", bob, alice):
        vault.collect(bob, alice, {"from": bob})
    vault.distribute({"from": bob})
    vault.setOperator(bob, True, {"from": alice})
    vault.collect(bob, alice, {"from": bob})
    assert world.usdc.balanceOf(bob) == USD
