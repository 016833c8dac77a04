"""`gammadesk quote`, `trade` and `signal`. Heavy imports wait until a command runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.errors import DataError, SkipTick
from keeper.runtime.command_options import (
    DEFAULT_CONFIG,
    BlockTime,
    ConfigPath,
    DryRun,
    LogStyle,
    is_dry,
    own_address,
    send_job,
    start,
)

if TYPE_CHECKING:
    from rich.table import Table

    from keeper.runtime.desk_trade import Margin, QuotedTrade

Legs = Annotated[
    list[str],
    typer.Argument(
        help="ETH-25DEC26-3000-C:+2 buys two calls, :-2 sells them; several legs at once."
    ),
]
Account = Annotated[
    str | None,
    typer.Option("--account", help="Address whose margin is shown; by default the keystore's."),
]


def quote(
    legs: Legs,
    config: ConfigPath = DEFAULT_CONFIG,
    account: Account = None,
    log: LogStyle = "console",
) -> None:
    """What the desk asks for these legs: price, volatility, edge to the mark, margin of an account."""
    from keeper.chain.keystore import keystore_address
    from keeper.market.series_names import parse_legs
    from keeper.runtime.assembly import connect
    from keeper.runtime.desk_trade import DeskTrader

    wanted, settings = parse_legs(legs), start(config, log)
    desk = connect(settings)
    if account is None and settings.keeper.keystore is not None:
        account = keystore_address(settings.keeper.keystore)
    quoted = DeskTrader(desk.node, desk.deployment).quote(wanted, account, desk.node.head())
    _show(quoted)


def trade(
    legs: Legs,
    config: ConfigPath = DEFAULT_CONFIG,
    limit: Annotated[
        float | None,
        typer.Option(
            help="Most USD paid for all legs, negative: least received. Default: --slack."
        ),
    ] = None,
    slack: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Without --limit: worse than quoted, as a share."),
    ] = 0.005,
    deadline: Annotated[int, typer.Option(min=1, help="Seconds in which it may be mined.")] = 300,
    dry_run: DryRun = None,
    block_time: BlockTime = False,
    log: LogStyle = "console",
) -> None:
    """Trades with the desk from the keystore's clearing account; simulates unless --live."""
    from keeper.market.series_names import parse_legs
    from keeper.runtime.assembly import connect
    from keeper.runtime.desk_trade import DeskTrader
    from keeper.units import from_wad

    wanted, settings = parse_legs(legs), start(config, log)
    taker = own_address(settings)
    desk = connect(settings, block_time)
    trader, head = DeskTrader(desk.node, desk.deployment), desk.node.head()
    quoted = trader.quote(wanted, taker, head)
    _show(quoted)
    limit_wad = _limit_wad(quoted, limit, slack)
    until = max(desk.clock.now(), head.timestamp_s) + deadline
    job = trader.job(wanted, limit_wad, until, desk.journal.chain, head)
    typer.echo(f"limit {from_wad(limit_wad):,.2f} USD")
    outcome = send_job(desk, job, taker, dry_run, "not traded")
    paid = trader.paid_wad(outcome.logs)
    if paid is not None:
        typer.echo(f"{'paid' if paid >= 0 else 'received'} {abs(from_wad(paid)):,.2f} USD")


def signal(
    config: ConfigPath = DEFAULT_CONFIG,
    dry_run: DryRun = None,
    block_time: BlockTime = False,
    log: LogStyle = "console",
) -> None:
    """Is volatility rich or cheap, by expiry; with --live the quoter's key sets the desk's stances by it."""
    from rich.console import Console

    from keeper.runtime.assembly import connect
    from keeper.runtime.stances import signal_table, signals_now, stances_job

    settings = start(config, log)
    desk = connect(settings, block_time)
    signals = signals_now(desk)
    Console().print(signal_table(signals))
    if is_dry(settings, dry_run):
        return
    job = stances_job(
        signals, desk.deployment, desk.journal.chain, desk.node.head(), desk.clock.now()
    )
    send_job(desk, job, own_address(settings), dry_run, "stances are not set")


def _limit_wad(quoted: QuotedTrade, limit: float | None, slack: float) -> int:
    from keeper.units import from_wad, to_wad_down

    if limit is not None and not math.isfinite(limit):
        raise DataError(f"--limit {limit} is no amount")
    if limit is None:
        premium = quoted.premium_wad
        return premium + int(abs(premium) * round(slack * 10**9) // 10**9)
    if to_wad_down(limit) < quoted.premium_wad:
        raise SkipTick(
            f"the desk asks {from_wad(quoted.premium_wad):,.2f} USD, over the limit of {limit:,.2f}: nothing sent"
        )
    return to_wad_down(limit)


def _show(quoted: QuotedTrade) -> None:
    from rich.console import Console

    from keeper.units import from_wad

    Console().print(_legs_table(quoted))
    premium = from_wad(quoted.premium_wad)
    word = "pays" if premium >= 0 else "receives"
    typer.echo(f"together, on their net: the taker {word} {abs(premium):,.2f} USD")
    for name, margin in (("before", quoted.before), ("after", quoted.after)):
        if margin is not None:
            typer.echo(f"margin {name}: {_margin_line(margin)}")


def _margin_line(margin: Margin) -> str:
    short = "" if margin.equity_usd >= margin.initial_usd else ", BELOW INITIAL"
    return (
        f"equity {margin.equity_usd:,.2f}, initial {margin.initial_usd:,.2f}, "
        f"maintenance {margin.maintenance_usd:,.2f} USD{short}"
    )


def _legs_table(quoted: QuotedTrade) -> Table:
    from rich.table import Table

    title = f"Quotes at block {quoted.block_number}, spot {quoted.spot_usd:,.2f}: USD per contract, each leg alone"
    table = Table(title=title)
    for name in ("series", "size", "price", "mark", "volatility", "edge to mark"):
        table.add_column(name, justify="right", no_wrap=name == "series")
    for leg in quoted.legs:
        table.add_row(
            leg.name,
            f"{leg.size:+g}",
            f"{leg.price_usd:.4f}",
            f"{leg.mark_usd:.4f}",
            "none" if math.isnan(leg.implied_vol) else f"{100 * leg.implied_vol:.2f} %",
            f"{leg.edge_usd:.4f}",
        )
    return table
