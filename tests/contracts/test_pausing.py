"""I-07, docs/pausing.md: what each state of feed, surface and vault allows. One row a state, one column an action."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from brownie.exceptions import VirtualMachineError

from tests.brownie_fixtures import rolled_back
from tests.contracts.vault_world import (
    DEVIATING,
    ETH,
    FRESH,
    MISSED,
    STALE,
    SURFACE_MAX_AGE,
    USD,
    WAD,
    VaultWorld,
    deploy,
    series,
)

SEQUENCER_DOWN = 3
STRIKE = 2_200 * WAD
STATES = (
    "normal",
    "no new risk",
    "oracle stale",
    "surface stale",
    "sequencer down",
    "vault below margin",
    "winding down",
)
YES = "1111111"
# In the order of STATES. Cancels and claims, reducing and settling are open in every state. Adding risk is the clearing
# room's own rule, margin; that the desk opens nothing outside of "normal" is the desk's, and tested there.
TABLE = {
    "request a deposit": "1111110",
    "request a redemption": "1111110",
    "cancel a request": YES,
    "claim shares": YES,
    "claim USDC": YES,
    "claim a cancelation": YES,
    "process an epoch": "1000010",
    "add risk": "1111101",
    "reduce risk": YES,
    "bring a venue home": YES,
    "settle an expiry": YES,
    "start the wind-down": "0000000",
    "distribute": "0000001",
}


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    """Alice has something of everything: shares, a claim of each kind, a pending request and a cancelled one."""
    world = deploy(project, accounts, chain)
    alice, vault = accounts[2], world.vault
    world.invest(alice, 100_000 * USD)
    world.request_redeem(alice, 20_000 * WAD)
    world.request_deposit(alice, 1_000 * USD)
    world.process()
    epoch = world.request_deposit(alice, 2_000 * USD)
    vault.cancelDepositRequest(epoch, alice, {"from": alice})
    world.request_redeem(alice, 5_000 * WAD)
    world.fund(alice, 10_000 * USD)
    return world


@pytest.fixture(scope="module")
def expired(world: VaultWorld) -> int:
    """An expiry of others that has passed, and the calls of the vault that live on."""
    expiry = world.sell_option(2_000 * WAD, WAD, 50 * WAD, days=1)
    world.pass_until(expiry + 1)
    world.market.setSettlement(expiry, 2_100 * WAD, {"from": world.admin})
    return expiry


@pytest.fixture(scope="module")
def live(world: VaultWorld, expired: int) -> int:
    return world.sell_option(STRIKE, 50 * WAD, 5_000 * WAD)


def enter(world: VaultWorld, state: str, live: int) -> None:
    """Into the window of an epoch, in that state and in no other."""
    by = {"from": world.admin}
    world.end_epoch()
    world.refresh_surface(live)
    world.chain.mine()
    oracle = {"no new risk": DEVIATING, "oracle stale": STALE, "sequencer down": SEQUENCER_DOWN}
    world.market.setState(oracle.get(state, FRESH), by)
    if state == "surface stale":
        world.pass_until(world.chain[-1].timestamp + SURFACE_MAX_AGE + 60)
    if state == "vault below margin":
        world.market.setSpot(3_400 * WAD, by)
        equity, initial, _ = world.house.marginOf(world.vault, 0)
        assert 0 < equity < initial
    if state == "winding down":
        world.pass_until(world.vault.epochEndsAt() + (MISSED + 1) * 86_400)
        world.vault.windDown(by)


def actions(world: VaultWorld, alice: Any, expired: int, live: int) -> dict[str, Callable[[], Any]]:
    vault, house, by = world.vault, world.house, {"from": alice}
    admin = {"from": world.admin}
    pending = vault.currentEpoch()
    call = [(series(live, STRIKE, call=True), 40 * WAD)]
    back = [(series(live, STRIKE, call=True), -10 * WAD)]

    def settle() -> None:
        accounts = [vault, world.sponsor]
        house.convert(ETH, expired, accounts, by)
        house.finalise(ETH, expired, by)
        house.claim(ETH, expired, accounts, by)

    def cancel() -> None:
        """In a window its epoch's requests stand, whatever the state; after it they can be taken back."""
        world.leave_window()
        vault.cancelRedeemRequest(pending, alice, by)

    return {
        "request a deposit": lambda: vault.requestDeposit(100 * USD, alice, alice, by),
        "request a redemption": lambda: vault.requestRedeem(100 * WAD, alice, alice, by),
        "cancel a request": cancel,
        "claim shares": lambda: vault.deposit(1_000 * USD, alice, alice, by),
        "claim USDC": lambda: vault.redeem(20_000 * WAD, alice, alice, by),
        "claim a cancelation": lambda: vault.claimCancelDepositRequest(pending, alice, alice, by),
        "process an epoch": lambda: vault.processEpoch(by),
        "add risk": lambda: house.trade([(vault, world.sponsor, 0, call)], admin),
        "reduce risk": lambda: house.trade([(vault, world.sponsor, 0, back)], admin),
        "bring a venue home": lambda: house.unwindVenue(world.venue, admin),
        "settle an expiry": settle,
        "start the wind-down": lambda: vault.windDown(by),
        "distribute": lambda: vault.distribute(by),
    }


@pytest.mark.parametrize("state", STATES)
def test_what_a_state_allows(
    world: VaultWorld, accounts: Any, expired: int, live: int, state: str
) -> None:
    enter(world, state, live)
    allowed = {}
    for name, act in actions(world, accounts[2], expired, live).items():
        allowed[name] = False
        with rolled_back(), suppress(VirtualMachineError):
            act()
            allowed[name] = True
    column = STATES.index(state)
    assert allowed == {name: row[column] == "1" for name, row in TABLE.items()}
