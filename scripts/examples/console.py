"""The deployed desk in brownie's console, and a depositor's way through it.

    $ brownie console --network development
    >>> run("examples/console")                              # the way of `main`, printed
    >>> from scripts.examples.console import desk
    >>> d = desk("deployments/31337.json")
    >>> d.vault.requestDeposit(1_000 * 10**6, me, me, {"from": me})

`desk` gives brownie contracts: everything of the record by its name, and by short names what a depositor needs.
docs/console.md tells more; tests/e2e runs `main`.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from scripts.components.artifacts import AAVE, packaged
from scripts.deployment.artifacts import own
from scripts.deployment.run import DEPLOYMENTS

USD = 10**6
SHORT = {"vault": "DeskVault", "share": "VaultShare", "governor": "DeskGovernor"}


def desk(record: str | Path) -> SimpleNamespace:
    """Contracts of a deployment record, on the network that brownie is connected to."""
    from brownie import Contract

    content = json.loads(Path(record).read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for name, address in content["contracts"].items():
        abi = own("DeskAuthority" if name == "AccessManager" else name).abi
        found[name] = Contract.from_abi(name, address, [*abi])
    found |= {short: found[name] for short, name in SHORT.items() if name in found}
    token = packaged(AAVE, "mocks/tokens/MintableERC20").abi
    found["usdc"] = Contract.from_abi("USDC", content["external"]["usdc"], [*token])
    feed = own("MockV3Aggregator").abi
    for name in ("feed", "usdc_feed"):
        found[name] = Contract.from_abi(name, content["external"][name], [*feed])
    return SimpleNamespace(**found)


def main(record: str | Path = DEPLOYMENTS / "31337.json") -> None:
    """Deposit, wait for the epoch, claim, vote, redeem, be paid: on a development chain."""
    from brownie import accounts

    d, me = desk(record), accounts[2]
    d.usdc.mint(me, 1_000 * USD, {"from": me})
    d.usdc.approve(d.vault, 1_000 * USD, {"from": me})
    d.vault.requestDeposit(1_000 * USD, me, me, {"from": me})
    print(f"pending {d.vault.pendingDepositRequest(d.vault.currentEpoch(), me) / USD} USDC")
    process(d, me)
    d.vault.deposit(d.vault.maxDeposit(me), me, me, {"from": me})
    d.share.delegate(me, {"from": me})
    print(f"shares {d.share.balanceOf(me) / 10**18}, votes {d.share.getVotes(me) / 10**18}")
    d.vault.requestRedeem(d.share.balanceOf(me), me, me, {"from": me})
    process(d, me)
    d.vault.redeem(d.vault.maxRedeem(me), me, me, {"from": me})
    print(f"paid {d.usdc.balanceOf(me) / USD} USDC")


def process(d: SimpleNamespace, who: Any) -> None:
    """The end of the epoch, fresh rounds of the development feeds, and what anybody may do then."""
    from brownie import chain

    chain.sleep(max(0, d.vault.epochEndsAt() - chain[-1].timestamp))
    for feed in (d.feed, d.usdc_feed):
        feed.updateAnswer(feed.latestAnswer(), {"from": who})
    d.vault.processEpoch({"from": who})
