"""`gammadesk deposit | redeem | cancel | claim | position`. Heavy imports wait until a command runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.depositor.access import Node, Record, open_deployment
from keeper.terminal import DEFAULT_VARIABLE, PasswordVariable, prompt

if TYPE_CHECKING:
    from keeper.chain.vault import Call, VaultReader, VaultView
    from keeper.depositor.send import OneByOne
    from keeper.execution.fees import FeeRules

    Plan = Callable[[VaultReader, VaultView], list[Call]]

Keystore = Annotated[
    Path | None,
    typer.Option(
        "--keystore",
        "-k",
        envvar="GAMMADESK_KEYSTORE",
        help="Encrypted key of the account, see 'gammadesk key'.",
    ),
]
Account = Annotated[
    str | None, typer.Option("--account", help="Address to look from, where no key is at hand.")
]
Live = Annotated[bool, typer.Option("--live/--dry-run", help="Send, or only try out (default).")]
MaxFee = Annotated[int, typer.Option("--max-fee-gwei", min=1, help="The most to pay for a gas.")]
Id = Annotated[int | None, typer.Option("--id", min=1, help="One request; by default all.")]

DEFAULT_FEE_GWEI = 100


def deposit(
    amount: Annotated[str, typer.Argument(help="USDC, or 'all'.")],
    record: Record,
    rpc: Node,
    keystore: Keystore = None,
    account: Account = None,
    password_env: PasswordVariable = DEFAULT_VARIABLE,
    live: Live = False,
    max_fee_gwei: MaxFee = DEFAULT_FEE_GWEI,
) -> None:
    """Asks to deposit USDC at the end of an epoch; approves exactly that amount where it is needed."""
    from keeper.depositor import plan

    session = _Session(record, rpc, keystore, account)
    session.run(
        lambda calls, view: plan.deposit(calls, view, amount), live, password_env, max_fee_gwei
    )


def redeem(
    amount: Annotated[str, typer.Argument(help="Shares, or 'all'.")],
    record: Record,
    rpc: Node,
    keystore: Keystore = None,
    account: Account = None,
    password_env: PasswordVariable = DEFAULT_VARIABLE,
    live: Live = False,
    max_fee_gwei: MaxFee = DEFAULT_FEE_GWEI,
) -> None:
    """Asks to redeem shares at the end of an epoch; in a vault that winds down, gives them up for their part."""
    from keeper.depositor import plan

    session = _Session(record, rpc, keystore, account)
    session.run(
        lambda calls, view: plan.redeem(calls, view, amount), live, password_env, max_fee_gwei
    )


def cancel(
    record: Record,
    rpc: Node,
    request_id: Id = None,
    keystore: Keystore = None,
    account: Account = None,
    password_env: PasswordVariable = DEFAULT_VARIABLE,
    live: Live = False,
    max_fee_gwei: MaxFee = DEFAULT_FEE_GWEI,
) -> None:
    """Cancels what is pending; 'claim' takes it back."""
    from keeper.depositor import plan

    session = _Session(record, rpc, keystore, account)
    session.run(
        lambda calls, view: plan.cancel(calls, view, request_id), live, password_env, max_fee_gwei
    )


def claim(
    record: Record,
    rpc: Node,
    keystore: Keystore = None,
    account: Account = None,
    password_env: PasswordVariable = DEFAULT_VARIABLE,
    live: Live = False,
    max_fee_gwei: MaxFee = DEFAULT_FEE_GWEI,
) -> None:
    """Takes everything that waits: shares, USDC, what was cancelled, what a wind-down pays."""
    from keeper.depositor import plan

    _Session(record, rpc, keystore, account).run(plan.claim, live, password_env, max_fee_gwei)


def position(record: Record, rpc: Node, keystore: Keystore = None, account: Account = None) -> None:
    """What the account has, what is pending, what can be claimed, and when the epoch ends."""
    from rich.console import Console

    from keeper.depositor.view import position_table

    Console().print(position_table(_Session(record, rpc, keystore, account).view()))


COMMANDS = (deposit, redeem, cancel, claim, position)


class _Session:
    """One account at one vault, through a node that serves its chain."""

    def __init__(self, record: Path, rpc: str, keystore: Path | None, account: str | None) -> None:
        from keeper.chain.vault import VaultReader

        self.keystore = keystore
        self.account = _account(keystore, account)
        self.node, self.deployment = open_deployment(record, rpc)
        self.reader = VaultReader(self.node, self.deployment)

    def view(self) -> VaultView:
        return self.reader.view(self.account)

    def run(self, plan: Plan, live: bool, password_env: str, max_fee_gwei: int) -> None:
        """Look, plan, try out; then send, if that is wanted, and look again."""
        from rich.console import Console

        from keeper.depositor.send import fee_rules, try_out
        from keeper.depositor.view import cost, epoch, position_table, price

        view = self.view()
        calls = plan(self.reader, view)
        typer.echo(f"epoch {epoch(view)}\nshare price {price(view)}")
        for trial in try_out(self.node, self.account, calls):
            typer.echo(cost(trial))
        if not live:
            typer.echo("dry run, nothing sent: --live sends")
            return
        sender = self._sender(password_env, fee_rules(max_fee_gwei))
        for call in calls:
            receipt = sender.send(call)
            typer.echo(f"{call.what}: block {receipt.block_number}, {receipt.gas_used:,} gas")
        Console().print(position_table(self.view()))

    def _sender(self, password_env: str, rules: FeeRules) -> OneByOne:
        from keeper.chain.keystore import load_signer, password_from
        from keeper.depositor.send import OneByOne
        from keeper.errors import ConfigError, KeystoreError

        if self.keystore is None:
            raise ConfigError("no key to sign with: name one by --keystore or GAMMADESK_KEYSTORE")
        password = password_from(password_env, prompt())
        signer = load_signer(self.keystore, password)
        if signer.address != self.account:
            raise KeystoreError(
                f"{self.keystore} says {self.account} and holds the key of {signer.address}: import the key again"
            )
        return OneByOne(self.node, signer, self.deployment.chain_id, rules)


def _account(keystore: Path | None, account: str | None) -> str:
    """Whose position it is: the key's, or the address that was given where it is the same or there is no key."""
    from keeper.chain.keystore import checked_address, keystore_address
    from keeper.errors import ConfigError

    given = None if account is None else checked_address(account)
    if keystore is None:
        if given is None:
            raise ConfigError(
                "whose position? name a key by --keystore, or an address by --account"
            )
        return given
    own = keystore_address(keystore)
    if given not in (None, own):
        raise ConfigError(f"{keystore} is of {own}, --account says {given}: drop one of them")
    return own
