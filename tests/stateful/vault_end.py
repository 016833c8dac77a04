"""The end of every life: epochs are missed, the vault winds down, and everybody is paid, a share like the next."""

from typing import Any

from tests.stateful.vault_chain import EPOCH, MISSED, RECIPIENT, USERS
from tests.stateful.vault_model import SCALE


def wind_down(machine: Any) -> None:
    """From any state of a VaultMachine to empty books. Asserts I-02, I-08 and equal payment."""
    world, vault, share, usdc = machine.world, machine.vault, machine.share, machine.usdc
    if vault.missedEpochs() < MISSED:
        machine.refused("EpochsNotMissed", vault.windDown, sender=USERS[0])
    world.market.setSpot(2_000 * 10**18, sender=USERS[0])
    machine.wait(max(0, vault.epochEndsAt() - machine.chain.now) + (MISSED + 1) * EPOCH)
    vault.windDown(sender=USERS[-1])
    machine.refused("WindingDown", vault.processEpoch, sender=USERS[0])
    for user in reversed(USERS):
        for queue in (machine.model.deposits, machine.model.redemptions):
            for request_id in queue.waiting(user):
                machine.cancel_id(queue, user, request_id)
        machine.take_everything(user)
    holders = [who for who in (*USERS, RECIPIENT) if share.balanceOf(who)]
    shares = {who: share.balanceOf(who) for who in holders}
    supply, cash = share.totalSupply(), world.cash
    if not shares:
        return
    first, paid = holders[: len(holders) // 2], dict.fromkeys(holders, 0)
    for who in first:
        vault.surrender(shares[who], who, sender=who)
    # What is free goes out while the calls are open, the rest once they are gone.
    for closes in (False, True):
        if closes:
            if world.expiry:
                world.buy_calls_back()
            for who in holders[len(first) :]:
                vault.surrender(shares[who], who, sender=who)
        world.refresh_surface()
        if machine.house.freeCashOf(vault.address):
            vault.distribute(sender=USERS[0])
        for who in first if not closes else holders:
            if vault.surrendered(who)[1]:
                had = usdc.balanceOf(who)
                vault.collect(who, who, sender=who)
                paid[who] += usdc.balanceOf(who) - had
    assert world.cash < SCALE
    for who in holders:
        exact = cash // SCALE * shares[who] // supply
        assert exact - 2 <= paid[who] <= exact + 1, (who, paid[who], exact)
    assert sum(paid.values()) <= cash // SCALE
    machine.counts["wound down"] += 1
