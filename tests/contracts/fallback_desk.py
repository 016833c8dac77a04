"""A desk whose delta is far out of any band, and what its fallback tests do over and over."""

from typing import Any

from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import (
    FALLBACK_PARAMETERS,
    FOREVER,
    HEDGE_PARAMETERS,
    UNDERLYING,
    WAD,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core

BAND = HEDGE_PARAMETERS[0]
EMERGENCY, SILENCE, WAIT, LAPSE, PAUSE, SLICE, SLIPPAGE, SPENT, RESERVE, REFILL, RAMP, BOUNTY = (
    FALLBACK_PARAMETERS
)
ARM, HEDGE = (number.to_bytes(32, "big") for number in (1, 2))


def fallback_core(project: Any, accounts: Any) -> Core:
    """The vault holds 500,000 USDC and 20 WETH and is short 10 calls: delta about +14.5 ETH, far out of any band."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, 500_000, 20)
    core.fund(core.takers[0], 20_000)
    core.trade(core.vault, core.takers[0], [(core.series(7, 2_000), 10)], premium=800)
    core.warp(core.now + 1)
    return core


def delta(core: Core) -> int:
    return int(core.hedge.netDelta(UNDERLYING)[0])


def arm(core: Core) -> Any:
    return core.fallback.arm({"from": core.takers[3]})


def run(core: Core, by: Any = None) -> Any:
    tx = core.fallback.fallbackHedge({"from": by or core.takers[3]})
    if not core.cash(core.fallback):  # else the books have an account more
        core.check_books()
    return tx


def armed_and_waited(core: Core, more: int = 0) -> None:
    arm(core)
    core.warp(core.fallback.status()["readyAt"] + more)


def sell(core: Core, eth: float) -> Any:
    limits = core.hedge.epoch(), FOREVER, 10**12, b"\x01" * 32
    orders = [(core.venue, -wad(eth), 1_980 * WAD, b"")]
    return core.hedge.rebalance(orders, limits, {"from": core.keeper})


def small(core: Core) -> None:
    """Delta between the band and the emergency band."""
    sell(core, delta(core) / WAD - 1)
    assert BAND < delta(core) < EMERGENCY
