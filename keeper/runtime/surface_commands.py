"""`gammadesk surface fit`, `show` and `commit`. Heavy imports wait until a command runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.runtime.command_options import (
    DEFAULT_CONFIG,
    ConfigPath,
    DryRun,
    LogStyle,
    send_job,
    start,
)

if TYPE_CHECKING:
    from keeper.models import SviSlice
    from keeper.pricing.option_chain import OptionChain
    from keeper.pricing.surface_fit import FittedSurface

DERIBIT = "deribit"
SHOWN = 10

Source = Annotated[
    str, typer.Argument(help="A .parquet or .csv file of option chains, or 'deribit'.")
]
Plot = Annotated[Path | None, typer.Option("--plot", help="HTML page with the pictures, to write.")]


def fit(
    source: Source,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Surface file for 'surface commit': .toml or .json."),
    ] = None,
    at: Annotated[
        datetime | None, typer.Option("--at", help="Moment of the file, UTC; by default its last.")
    ] = None,
    delay_s: Annotated[
        int,
        typer.Option("--delay", help="Seconds from a file's timestamp to the reading of quotes."),
    ] = 0,
    underlying: Annotated[str, typer.Option(help="What the options are on.")] = "ETH",
    max_carry: Annotated[
        float, typer.Option(help="Largest annual carry that the contract takes.")
    ] = 0.5,
    plot: Plot = None,
) -> None:
    """Fits a surface to an option chain, says how good it is, and what is mispriced after costs."""
    from rich.console import Console

    from keeper.pricing.contract_surface import ContractRules, as_committed, contract_checks
    from keeper.pricing.mispricing import mispriced
    from keeper.pricing.surface_fit import fit_surface
    from keeper.runtime.surface_tables import mispricing_table, quality_table

    chain = _chain(source, at, delay_s, underlying)
    surface = fit_surface(chain)
    rules = ContractRules(max_carry=max_carry)
    slices = as_committed(surface.slices, rules)
    faults = contract_checks(slices, rules, chain.read_at_s)
    console = Console()
    console.print(quality_table(surface))
    dropped = ", ".join(f"{n} {reason}" for reason, n in surface.quotes.dropped.items() if n)
    typer.echo(f"not used: {dropped or 'nothing'}")
    typer.echo(f"refitted against arbitrage: {surface.refitted} slices")
    for fault in faults:
        typer.echo(f"the contract would refuse: {fault}")
    found = mispriced(surface)
    typer.echo(f"mispriced after costs: {len(found)} options")
    if found:
        console.print(mispricing_table(found[:SHOWN]))
    _write(surface, slices, plot, out)


def show(
    file: Annotated[
        Path | None, typer.Argument(help="A surface file; by default what is on the chain.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    plot: Plot = None,
) -> None:
    """The slices of a surface file, or those that the contract holds for the desk's series."""
    from rich.console import Console

    from keeper.errors import DataError
    from keeper.runtime.surface import SurfaceFile, slices_on_chain
    from keeper.runtime.surface_tables import slice_table

    if file is not None:
        now_s = int(time.time())
        slices = tuple(entry.as_slice(now_s) for entry in SurfaceFile.load(file).slices)
        slices = tuple(sorted(slices, key=lambda s: s.expiry_s))
        over = [s.expiry_s for s in slices if s.expiry_s <= now_s]
        if over:
            raise DataError(f"{file}: expiries {over} are over: fit anew")
    else:
        from keeper.config import Config
        from keeper.runtime.assembly import connect

        desk = connect(Config.load(config))
        slices = slices_on_chain(desk.node, desk.deployment)
    Console().print(slice_table(slices))
    if plot is not None:
        from keeper.report.surface import term_figure, write_page

        write_page([term_figure(slices)], "Volatility surface", plot)
        typer.echo(f"pictures: {plot}")


def commit(
    file: Annotated[
        Path, typer.Argument(help="TOML or JSON with slices: expiry, a, b, rho, m, sigma, carry.")
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    nearest: Annotated[
        bool,
        typer.Option("--nearest", help="Go as far towards the file as the contract's rates allow."),
    ] = False,
    dry_run: DryRun = None,
    log: LogStyle = "console",
) -> None:
    """Commits volatility slices; what the contract would refuse is said first, and nothing sent."""
    from rich.console import Console

    from keeper.chain.surface_state import read_surface
    from keeper.runtime.assembly import connect
    from keeper.runtime.surface import (
        SurfaceFile,
        commit_inputs,
        commit_job,
        committer_on_chain,
        nearest_inputs,
        wanted_slices,
    )
    from keeper.runtime.surface_tables import nearest_table

    settings = start(config, log)
    surface, desk = SurfaceFile.load(file), connect(settings)
    state = read_surface(desk.node, desk.deployment)
    wanted = wanted_slices(surface, state.head.timestamp_s)
    if nearest:
        found = nearest_inputs(wanted, state.terms)
        Console().print(nearest_table(wanted, found))
        inputs = found.inputs
    else:
        inputs = commit_inputs(wanted, state.terms)
    job = commit_job(inputs, state, desk.deployment, desk.journal.chain, desk.clock.now())
    committer = committer_on_chain(desk.node, desk.deployment)
    send_job(desk, job, committer, dry_run, "the surface is not committed")


def _write(
    surface: FittedSurface, slices: tuple[SviSlice, ...], plot: Path | None, out: Path | None
) -> None:
    if plot is not None:
        from keeper.report.surface import write_surface

        write_surface(surface, plot)
        typer.echo(f"pictures: {plot}")
    if out is not None:
        from keeper.runtime.surface import write_slices

        write_slices(slices, out)
        typer.echo(f"surface file: {out}")


def _chain(source: str, at: datetime | None, delay_s: int, underlying: str) -> OptionChain:
    if source == DERIBIT:
        from keeper.market.deribit import live

        return live(underlying).chain(int(time.time()))
    from keeper.market.chain_files import ChainFile

    moment = None if at is None else int(at.replace(tzinfo=UTC).timestamp())
    return ChainFile(Path(source), underlying, delay_s=delay_s).chain(moment)
