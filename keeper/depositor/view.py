"""What a depositor has and what comes next, for people."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from rich.table import Table

from keeper.chain.vault import Request, Side, VaultView
from keeper.depositor.plan import executing_until, next_id, shares, usdc
from keeper.depositor.send import Trial
from keeper.units import WAD

ETHER_DECIMALS = 18


def position_table(view: VaultView) -> Table:
    """Two columns: what, and how it stands."""
    table = Table(title=f"{view.account} in the vault", show_header=False)
    rows = [
        ("in the wallet", f"{usdc(view.usdc)}, {ether(view.wei)}"),
        ("shares", f"{shares(view.shares)}{_worth(view)}"),
        (
            "votes",
            f"{shares(view.votes)}{'' if view.votes else ' (nobody votes until it is delegated)'}",
        ),
        ("share price", price(view)),
        ("epoch", epoch(view)),
        *((f"{r.side.value} request {r.request_id}", _request(r)) for r in view.requests),
        ("to claim", _claimable(view)),
    ]
    if view.part.shares:
        rows.append(("given up", shares(view.part.shares)))
    for name, text in rows:
        table.add_row(name, text)
    return table


def epoch(view: VaultView) -> str:
    """When what waits is processed, and where a request made now belongs."""
    if view.winding_down:
        return "none: the vault winds down"
    until = executing_until(view)
    if view.now_s < view.ends_at_s:
        when = f"ends {moment(view.ends_at_s)}, then anybody may process it for {view.rules.window_s} s"
    elif until is not None:
        when = f"anybody may process it until {moment(until)}"
    else:
        late_s = (view.now_s - view.ends_at_s) % view.rules.epoch_length_s
        again = view.now_s - late_s + view.rules.epoch_length_s
        when = f"its window passed unused, the next opens {moment(again)}"
    return f"{view.epoch}, {when}; a request made now has id {next_id(view)}"


def price(view: VaultView) -> str:
    """Bid and ask now; a request executes at those of its epoch."""
    if view.bid_wad is None or view.ask_wad is None:
        return f"none now: {view.no_price}"
    bid, ask = (
        Decimal(value).scaleb(-18).quantize(Decimal("1e-6"))
        for value in (view.bid_wad, view.ask_wad)
    )
    return f"{bid} USD to leave, {ask} USD to join, now"


def cost(trial: Trial) -> str:
    """What a call would cost now."""
    if trial.gas is None:
        return f"{trial.call.what}: cannot be tried before the approval is mined"
    return f"{trial.call.what}: {trial.gas:,} gas, {ether(trial.cost_wei)} now"


def ether(wei: int) -> str:
    """For people, to the millionth."""
    return f"{Decimal(wei).scaleb(-ETHER_DECIMALS).quantize(Decimal('1e-6')):,f} ETH"


def moment(seconds: int) -> str:
    """UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _worth(view: VaultView) -> str:
    if view.bid_wad is None or not view.shares:
        return ""
    return f", {usdc(view.shares * view.bid_wad // WAD // 10**12)} at the bid"


def _request(request: Request) -> str:
    say = usdc if request.side is Side.DEPOSIT else shares
    parts = (
        (request.pending, "pending"),
        (request.claimable, "filled"),
        (request.cancelled, "cancelled, to be taken back"),
    )
    return "; ".join(f"{say(amount)} {what}" for amount, what in parts if amount)


def _claimable(view: VaultView) -> str:
    parts = []
    if view.claim_shares[1]:
        parts.append(shares(view.claim_shares[1]))
    if view.claim_assets[1]:
        parts.append(usdc(view.claim_assets[1]))
    if view.part.assets or view.part.base_wei:
        parts.append(f"{usdc(view.part.assets)} and {ether(view.part.base_wei)} of the wind-down")
    return ", ".join(parts) or "nothing"
