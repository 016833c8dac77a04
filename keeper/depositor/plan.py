"""What a command would send, or why it must not: the vault's own checks, made on what was read before."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation, Overflow
from typing import Protocol

from keeper.chain.vault import CLAIM_SHARES, Call, Side, VaultView
from keeper.errors import DataError, SkipTick

USDC_DECIMALS, SHARE_DECIMALS = 6, 18
ALL = "all"
EXACT = Context(prec=100)  # the usual 28 digits are too few for share units


class Refused(SkipTick):
    """The vault would refuse it, or it cannot be paid; nothing was sent."""


class Calls(Protocol):
    """Makes calldata; VaultReader in service."""

    def approve(self, units: int) -> Call:
        """USDC units for the vault."""
        ...

    def to_vault(self, what: str, function: str, *args: object, waits: bool = False) -> Call:
        """Any call of the vault."""
        ...


def deposit(calls: Calls, view: VaultView, amount: str) -> list[Call]:
    """An approval of exactly the amount where it is missing, then the request."""
    units = parse(amount, USDC_DECIMALS, "USDC", view.usdc)
    _open(view)
    if units < view.rules.min_deposit:
        raise Refused(
            f"{usdc(units)} is below the vault's minimum of {usdc(view.rules.min_deposit)}: deposit more"
        )
    if units > view.usdc:
        raise Refused(f"{view.account} holds {usdc(view.usdc)}, not {usdc(units)}")
    short = view.allowance < units
    request = calls.to_vault(
        f"request to deposit {usdc(units)}",
        "requestDeposit",
        units,
        view.account,
        view.account,
        waits=short,
    )
    return [calls.approve(units), request] if short else [request]


def redeem(calls: Calls, view: VaultView, amount: str) -> list[Call]:
    """The request; of a vault that winds down, giving the shares up."""
    units = parse(amount, SHARE_DECIMALS, "shares", view.shares)
    if units > view.shares:
        raise Refused(f"{view.account} holds {shares(view.shares)}, not {shares(units)}")
    if view.winding_down:
        return [calls.to_vault(f"give up {shares(units)}", "surrender", units, view.account)]
    if units < view.rules.min_redeem and units != view.shares:
        raise Refused(
            f"{shares(units)} is below the vault's minimum of {shares(view.rules.min_redeem)}: redeem more, or 'all'"
        )
    what = f"request to redeem {shares(units)}"
    return [calls.to_vault(what, "requestRedeem", units, view.account, view.account)]


def cancel(calls: Calls, view: VaultView, request_id: int | None) -> list[Call]:
    """What is pending, of one id or of all."""
    pending = [r for r in view.requests if r.pending and request_id in (None, r.request_id)]
    if not pending:
        which = "no request" if request_id is None else f"no request of id {request_id}"
        raise Refused(f"{which} of {view.account} is pending: see 'gammadesk position'")
    until = executing_until(view)
    stuck = [r.request_id for r in pending if until and r.request_id <= view.epoch]
    if stuck:
        raise Refused(
            f"epoch {view.epoch} can be processed until {until}, and requests {stuck} stand until then: cancel later"
        )
    functions = {Side.DEPOSIT: "cancelDepositRequest", Side.REDEEM: "cancelRedeemRequest"}
    return [
        calls.to_vault(
            f"cancel {r.side.value} request {r.request_id}",
            functions[r.side],
            r.request_id,
            view.account,
        )
        for r in pending
    ]


def claim(calls: Calls, view: VaultView) -> list[Call]:
    """Everything that is there for the account, to the account."""
    who = view.account
    plan = []
    assets, minted = view.claim_shares
    if minted:
        plan.append(calls.to_vault(f"claim {shares(minted)}", CLAIM_SHARES, assets, who, who))
    given, paid = view.claim_assets
    if given:
        plan.append(calls.to_vault(f"claim {usdc(paid)}", "redeem", given, who, who))
    functions = {Side.DEPOSIT: "claimCancelDepositRequest", Side.REDEEM: "claimCancelRedeemRequest"}
    plan += [
        calls.to_vault(
            f"take back what request {r.request_id} had left",
            functions[r.side],
            r.request_id,
            who,
            who,
        )
        for r in view.requests
        if r.cancelled
    ]
    if view.part.assets or view.part.base_wei:
        plan.append(calls.to_vault("collect from the wind-down", "collect", who, who))
    if not plan:
        raise Refused(f"nothing is there for {who} to claim: see 'gammadesk position'")
    return plan


def executing_until(view: VaultView) -> int | None:
    """End of the window in which the current epoch may be processed now, unix seconds; None outside of one."""
    if view.winding_down or view.now_s < view.ends_at_s:
        return None
    into_s = (view.now_s - view.ends_at_s) % view.rules.epoch_length_s
    return view.now_s - into_s + view.rules.window_s if into_s < view.rules.window_s else None


def next_id(view: VaultView) -> int:
    """The id that a request gets now."""
    return view.epoch + (view.now_s >= view.ends_at_s)


def parse(text: str, decimals: int, what: str, everything: int) -> int:
    """Token units of an amount that people write. DataError where it is none, or has digits that would be lost."""
    if text == ALL:
        if everything == 0:
            raise Refused(f"there are no {what} of this account")
        return everything
    try:
        units = Decimal(text).scaleb(decimals, EXACT)
    except (InvalidOperation, Overflow):
        raise DataError(f"{text!r} is no amount of {what}: write a number, or 'all'") from None
    if not units.is_finite() or units <= 0:
        raise DataError(f"{text} is no amount of {what}: it must be above zero")
    if units != units.to_integral_value():
        raise DataError(f"{text} has more than {decimals} decimals, which {what} do not have")
    return int(units)


def usdc(units: int) -> str:
    """For people, exact."""
    return f"{Decimal(units).scaleb(-USDC_DECIMALS, EXACT):,f} USDC"


def shares(units: int) -> str:
    """For people, exact."""
    return f"{Decimal(units).scaleb(-SHARE_DECIMALS, EXACT).normalize(EXACT):,f} shares"


def _open(view: VaultView) -> None:
    if view.winding_down:
        raise Refused("the vault winds down: nobody joins any more")
