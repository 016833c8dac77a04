"""The command line: `gammadesk`. Heavy imports wait until a command runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from keeper.depositor import commands as depositor
from keeper.errors import GammadeskError, SkipTick
from keeper.runtime import desk_commands, rfq_commands, roles_command, surface_commands
from keeper.runtime.command_options import (
    DEFAULT_CONFIG,
    BlockTime,
    ConfigPath,
    DryRun,
    LogStyle,
    is_dry,
    start,
)
from keeper.terminal import DEFAULT_VARIABLE, PasswordVariable, ask_hidden, prompt

if TYPE_CHECKING:
    from keeper.config import Config
    from keeper.runtime.service import Service
    from keeper.runtime.stance_service import Stancer
    from keeper.runtime.upkeep import UpkeepService


class ExitCodes(TyperGroup):
    """The one place where an error becomes a message on standard error and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command; errors raised on purpose end without a traceback."""
        try:
            return super().invoke(ctx)
        except GammadeskError as error:
            typer.echo(f"{type(error).__name__}: {error}", err=True)
            ctx.exit(error.exit_code)


app = typer.Typer(
    cls=ExitCodes, no_args_is_help=True, help="Keeper of an on-chain, delta-neutral options vault."
)
config_app = typer.Typer(no_args_is_help=True, help="The configuration file.")
key_app = typer.Typer(no_args_is_help=True, help="The keeper's encrypted key.")
surface_app = typer.Typer(no_args_is_help=True, help="The volatility surface.")
app.add_typer(config_app, name="config")
app.add_typer(key_app, name="key")
app.add_typer(surface_app, name="surface")
rfq_app = typer.Typer(no_args_is_help=True, help="Signed quotes.")
app.add_typer(rfq_app, name="rfq")

KeyFile = Annotated[Path, typer.Argument(help="Keystore to write; never overwritten.")]


@app.command()
def run(
    config: ConfigPath = DEFAULT_CONFIG,
    dry_run: DryRun = None,
    block_time: BlockTime = False,
    log: LogStyle = "console",
) -> None:
    """Ticks on the configured schedule until stopped."""
    from keeper.runtime.scheduler import STANCES, UPKEEP, run_forever

    settings = start(config, log)
    service, upkeep = _services(settings, dry_run, block_time)
    stances = (
        _stances(settings, dry_run, block_time, service) if settings.stances.interval_s else None
    )
    if settings.metrics.port is not None:
        service.metrics.serve(settings.metrics.port, settings.metrics.host)
    others: dict[str, tuple[Callable[[], object], float]] = {
        UPKEEP: (upkeep.run, settings.upkeep.interval_s)
    }
    if stances is not None:
        others[STANCES] = (stances.run, settings.stances.interval_s)
    halt = run_forever(service, settings.schedule, others)
    if halt is not None:
        raise halt


@app.command()
def once(
    config: ConfigPath = DEFAULT_CONFIG,
    dry_run: DryRun = None,
    block_time: BlockTime = False,
    log: LogStyle = "console",
) -> None:
    """One tick; exit code 3 when the tick must not act or what it sent did not succeed."""
    from keeper.execution.records import OutcomeKind
    from keeper.runtime.service import summary

    result = _services(start(config, log), dry_run, block_time)[0].run()
    for name, value in summary(result).items():
        typer.echo(f"{name}: {value}")
    good = (OutcomeKind.NOTHING, OutcomeKind.DRY_RUN, OutcomeKind.MINED_SUCCESS)
    if result.outcome.kind not in good:
        raise SkipTick(f"{result.outcome.kind.value}: {result.outcome.detail}")


@app.command()
def upkeep(
    config: ConfigPath = DEFAULT_CONFIG,
    dry_run: DryRun = None,
    block_time: BlockTime = False,
    log: LogStyle = "console",
) -> None:
    """Samples the feed, records means, proves and settles what is due; exit code 3 where one of them failed."""
    from keeper.execution.records import OutcomeKind
    from keeper.runtime.upkeep import summary

    done = _services(start(config, log), dry_run, block_time)[1].run()
    for one in done:
        typer.echo(", ".join(f"{name}: {value}" for name, value in summary(one).items()))
    typer.echo(f"{len(done)} chores")
    good = (OutcomeKind.DRY_RUN, OutcomeKind.MINED_SUCCESS)
    failed = [one.chore.function for one in done if one.outcome.kind not in good]
    if failed:
        raise SkipTick(f"not done: {', '.join(failed)}")


@app.command()
def status(
    config: ConfigPath = DEFAULT_CONFIG,
    block_time: BlockTime = False,
) -> None:
    """The vault's situation at the latest block, and the state of the journal."""
    from rich.console import Console

    from keeper.chain.reader import SnapshotReader, keeper_on_chain
    from keeper.runtime.assembly import connect
    from keeper.runtime.status import status_table

    desk = connect(_load(config), block_time)
    keeper = keeper_on_chain(desk.node, desk.deployment)
    snapshot = SnapshotReader(desk.node, desk.deployment, keeper).snapshot()
    Console().print(status_table(snapshot, desk.journal.counts(), desk.clock.now()))


@app.command()
def replay(
    config: ConfigPath = DEFAULT_CONFIG,
    last: Annotated[int, typer.Option(min=1, help="How many decisions to take again.")] = 100,
) -> None:
    """Takes recorded decisions again from what was stored; exit code 65 when one comes out differently."""
    from keeper.errors import DataError
    from keeper.runtime.assembly import connect
    from keeper.runtime.replay import replay as again

    decisions = connect(_load(config)).journal.decisions(last)
    different = [str(d.id) for d in decisions if not again(d).same]
    typer.echo(f"{len(decisions)} decisions taken again, {len(different)} differ")
    if different:
        raise DataError(
            f"decisions {', '.join(different)} come out differently: policy or pricing changed since"
        )


@config_app.command("example")
def config_example() -> None:
    """Prints a complete configuration file."""
    from keeper.config import Config

    typer.echo(Config.example_toml(), nl=False)


@key_app.command("new")
def key_new(path: KeyFile, password_env: PasswordVariable = DEFAULT_VARIABLE) -> None:
    """Draws a new key and writes it encrypted."""
    _write_key(path, password_env, None)


@key_app.command("import")
def key_import(path: KeyFile, password_env: PasswordVariable = DEFAULT_VARIABLE) -> None:
    """Encrypts an existing private key, which is asked for or read from standard input."""
    key = ask_hidden("Private key") if sys.stdin.isatty() else sys.stdin.readline()
    _write_key(path, password_env, key)


app.command()(roles_command.roles)
for depositor_command in depositor.COMMANDS:
    app.command()(depositor_command)
app.command("quote")(desk_commands.quote)
app.command("trade")(desk_commands.trade)
app.command("signal")(desk_commands.signal)
rfq_app.command("sign")(rfq_commands.sign)
rfq_app.command("fill")(rfq_commands.fill)
rfq_app.command("cancel")(rfq_commands.cancel)
surface_app.command("fit")(surface_commands.fit)
surface_app.command("show")(surface_commands.show)
surface_app.command("commit")(surface_commands.commit)


def _load(path: Path) -> Config:
    from keeper.config import Config

    return Config.load(path)


def _services(
    settings: Config, dry_run: bool | None, block_time: bool
) -> tuple[Service, UpkeepService]:
    from keeper.runtime.alerts import AppriseAlerts
    from keeper.runtime.assembly import build_tick, build_upkeep, connect, open_signer
    from keeper.runtime.metrics import Metrics
    from keeper.runtime.service import Service
    from keeper.runtime.upkeep import UpkeepService

    signer = None if is_dry(settings, dry_run) else open_signer(settings, prompt())
    desk = connect(settings, block_time)
    metrics, alerts = Metrics(), AppriseAlerts(settings.alerts.apprise_urls)
    tick, chores = build_tick(desk, signer), build_upkeep(desk, signer)
    return Service(tick.run, metrics, alerts), UpkeepService(chores.run, metrics, alerts)


def _stances(settings: Config, dry_run: bool | None, block_time: bool, service: Service) -> Stancer:
    from keeper.chain.keystore import load_signer, password_from
    from keeper.runtime.assembly import connect, open_signer
    from keeper.runtime.stance_service import build_stancer

    own, signer = settings.stances, None
    if not is_dry(settings, dry_run) and own.keystore is None:
        signer = open_signer(settings, prompt())
    elif not is_dry(settings, dry_run) and own.keystore is not None:
        signer = load_signer(own.keystore, password_from(own.password_env, prompt()))
    return build_stancer(connect(settings, block_time), signer, service.metrics, service.alerts)


def _write_key(path: Path, password_env: str, key: str | None) -> None:
    from keeper.chain.keystore import create_keystore, password_from

    address = create_keystore(path, password_from(password_env, prompt()), key)
    typer.echo(f"{path} holds the key of {address}")


if __name__ == "__main__":
    app()
