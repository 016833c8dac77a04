"""Traders of the Clearinghouse: the vault and two takers with means, and trades that are refused."""

from typing import Any

from tests.contracts.core_accounts import to_legs, wad
from tests.contracts.core_env import Core, deploy_core, refused


def new_traders(backend: Any) -> Core:
    """The vault with 100,000 USDC; two takers with 10,000 USDC and 5 WETH each."""
    core = deploy_core(backend)
    core.fund(core.vault, 100_000)
    for who in core.takers[:2]:
        core.fund(who, 10_000, 5)
    return core


def trade_refused(core: Core, legs: list[tuple], error: str, *values: Any, **how: Any) -> None:
    maker, taker = how.get("maker", core.vault), how.get("taker", core.takers[0])
    trade = (maker, taker, wad(how.get("premium", 0)), how.get("raw") or to_legs(legs))
    refused(
        core.clearinghouse.trade, [trade], by=how.get("by", core.market), error=error, values=values
    )
