"""`gammadesk rfq sign`, `fill` and `cancel`. Heavy imports wait until a command runs."""

from __future__ import annotations

import math
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.errors import DataError
from keeper.runtime.command_options import (
    DEFAULT_CONFIG,
    BlockTime,
    ConfigPath,
    DryRun,
    LogStyle,
    own_address,
    send_job,
    start,
)
from keeper.terminal import prompt

if TYPE_CHECKING:
    from keeper.config import Config
    from keeper.runtime.assembly import Desk

MARKET = "RfqMarket"
Legs = Annotated[list[str], typer.Argument(help="As of 'gammadesk trade', from the taker's side.")]
File = Annotated[Path, typer.Argument(help="A signed quote, JSON.")]


def sign(
    legs: Legs,
    premium: Annotated[
        float, typer.Option(help="USD that the taker pays for all of it, negative: receives.")
    ],
    out: Annotated[Path, typer.Option("--out", help="JSON file to write.")],
    config: ConfigPath = DEFAULT_CONFIG,
    taker: Annotated[
        str | None, typer.Option(help="Who alone may fill it; by default anybody.")
    ] = None,
    for_vault: Annotated[
        bool, typer.Option("--for-vault", help="A quote of the desk itself, by its quoter's key.")
    ] = False,
    valid: Annotated[int, typer.Option(min=1, help="Seconds in which it may be filled.")] = 60,
    nonce: Annotated[
        int | None,
        typer.Option(min=0, help="By default drawn: quotes of one share what is filled."),
    ] = None,
    block_time: BlockTime = False,
) -> None:
    """Signs a quote with the keystore's key and writes it; nothing is sent."""
    from keeper.chain.rfq import NOBODY, SignedRfq
    from keeper.market.series_names import parse_legs
    from keeper.runtime.assembly import connect, open_signer
    from keeper.units import to_wad_up

    wanted, settings = parse_legs(legs), start(config, "console")
    if not math.isfinite(premium):
        raise DataError(f"--premium {premium} is no amount")
    desk, signer = connect(settings, block_time), open_signer(settings, prompt())
    try:
        rfq = SignedRfq(
            chain_id=desk.deployment.chain_id,
            market=desk.deployment.address(MARKET),
            maker=desk.deployment.address("DeskVault") if for_vault else signer.address,
            taker=taker or NOBODY,
            legs=[(leg.series, leg.size_wad) for leg in wanted],
            premium=to_wad_up(premium),
            nonce=secrets.randbits(64) if nonce is None else nonce,
            deadline=desk.clock.now() + valid,
        )
    except ValueError as error:
        raise DataError(f"no quote: {error}") from None
    signed = rfq.model_copy(update={"signature": signer.sign_typed(rfq.typed_data())})
    out.write_text(signed.model_dump_json(indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{out}: signed by {signer.address}, nonce {signed.nonce}, until {signed.deadline}")


def fill(
    file: File,
    config: ConfigPath = DEFAULT_CONFIG,
    share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the quote.")] = 1.0,
    dry_run: DryRun = None,
    block_time: BlockTime = False,
    log: LogStyle = "console",
) -> None:
    """Fills a signed quote from the keystore's clearing account, at its own premium; simulates unless --live."""
    from keeper.chain.rfq import SignedRfq
    from keeper.runtime.assembly import connect
    from keeper.units import from_wad, to_wad_down

    settings, rfq = start(config, log), SignedRfq.load(file)
    desk = connect(settings, block_time)
    here = (desk.deployment.chain_id, desk.deployment.address(MARKET).lower())
    if (rfq.chain_id, rfq.market) != here:
        raise DataError(f"{file} is for {rfq.market} on chain {rfq.chain_id}, not for this desk")
    share_wad = to_wad_down(share)
    limit = rfq.premium_of_wad(share_wad)
    typer.echo(f"{share:.2%} for {from_wad(limit):,.2f} USD")
    _send(settings, desk, "fill", rfq.fill_data(share_wad, limit), rfq.deadline, dry_run)


def cancel(
    nonces: Annotated[list[int], typer.Argument(min=0, help="Nonces of quotes to end.")],
    config: ConfigPath = DEFAULT_CONFIG,
    for_vault: Annotated[
        bool, typer.Option("--for-vault", help="The desk's own quotes, by its quoter's key.")
    ] = False,
    dry_run: DryRun = None,
    block_time: BlockTime = False,
    log: LogStyle = "console",
) -> None:
    """Ends quotes by their nonces; simulates unless --live."""
    from keeper.chain.rfq import cancel_data
    from keeper.runtime.assembly import connect

    settings = start(config, log)
    desk = connect(settings, block_time)
    maker = desk.deployment.address("DeskVault") if for_vault else own_address(settings)
    _send(settings, desk, "cancel", cancel_data(maker, nonces), desk.clock.now() + 300, dry_run)


def _send(
    settings: Config, desk: Desk, function: str, data: bytes, deadline_s: int, dry_run: bool | None
) -> None:
    from keeper.execution.records import Job
    from keeper.runtime.codec import digest, to_json

    to, head = desk.deployment.address(MARKET), desk.node.head()
    key = f"rfq:{function}:{to.lower()}"
    job = Job(
        work_id=digest([desk.journal.chain, key, head.hash, data]),
        key=key,
        what=f"{MARKET}.{function}",
        to=to,
        data=data,
        block_number=head.number,
        deadline_s=deadline_s,
        snapshot_hash=digest([head.hash]),
        plan=to_json({"function": function}),
        orders=to_json(data),
    )
    send_job(desk, job, own_address(settings), dry_run, "not done")
