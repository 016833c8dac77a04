"""A replay that ends in wind-down: nobody processes epochs any more, and everybody is paid all the same."""

from __future__ import annotations

from scripts.replay.chain import ReplayFailure, Target, events
from scripts.replay.depositors import Depositors
from scripts.replay.world import ANYONE, USDC_UNIT, WEI, World


def wind_down(world: World, depositors: Depositors, price_usd: float) -> float:
    """Start to end, by somebody without any role. Returns USD into the vault, so less than zero."""
    chain, vault = world.chain, world.contracts.vault
    anyone = chain.account(ANYONE)
    parameters = world.parameters.vault
    last_s = (parameters.missed_to_wind_down - 1) * parameters.epoch_length_s
    chain.pass_until(chain.read(vault, "epochEndsAt") + parameters.epoch_window_s + last_s)
    world.push_round(price_usd)
    chain.send(anyone, vault, "windDown")
    _distribute(world)
    for venue in world.deployment.venues:
        target = Target.own("MockVenue", venue.address)
        if any(chain.read(target, "position")):
            chain.send(anyone, vault, "unwindVenue", venue.address)
    _distribute(world)
    flow = sum(_collect(world, depositors, i, price_usd) for i in range(len(depositors.amounts)))
    surrendered = sum(
        chain.read(vault, "surrendered", depositors.account(i))[0]
        for i in range(len(depositors.amounts))
    )
    depositors.supply = chain.read(world.contracts.share, "totalSupply") - surrendered
    return -flow


def _distribute(world: World) -> None:
    """What is free, if anything is."""
    chain, c = world.chain, world.contracts
    _, base, legs = chain.read(c.clearing, "accountOf", c.vault.address)
    if chain.read(c.clearing, "freeCashOf", c.vault.address) or (base and not legs):
        chain.send(chain.account(ANYONE), c.vault, "distribute")


def _collect(world: World, depositors: Depositors, index: int, price_usd: float) -> float:
    """Gives every share up and takes the part of it. Returns its USD, WETH at the last price."""
    chain, c, who = world.chain, world.contracts, depositors.account(index)
    shares = chain.read(c.share, "balanceOf", who)
    if not shares:
        raise ReplayFailure(f"depositor {index} has no shares to surrender")
    chain.send(who, c.vault, "surrender", shares, who)
    mined = chain.send(who, c.vault, "collect", who, who)
    (got,) = events(c.vault, "Collected", mined.logs)
    usd: float = got["assets"] / USDC_UNIT + got["base"] / WEI * price_usd
    depositors.paid[index] = round(usd * USDC_UNIT)
    return usd
