"""The command line: `gammadesk`. Heavy imports wait until a command runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from keeper.errors import GammadeskError, SkipTick
from keeper.runtime import surface_commands
from keeper.runtime.chain_options import Node, Record

if TYPE_CHECKING:
    from keeper.config import Config
    from keeper.runtime.assembly import Desk


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

ConfigPath = Annotated[
    Path, typer.Option("--config", "-c", help="Configuration file, see 'gammadesk config example'.")
]
DryRun = Annotated[
    bool | None,
    typer.Option("--dry-run/--live", help="Simulate only, or send. Default: [keeper] dry_run."),
]
BlockTime = Annotated[
    bool, typer.Option("--block-time", help="Take the chain's time for the clock (replays).")
]
LogStyle = Annotated[Literal["json", "console"], typer.Option("--log", help="Form of the logs.")]
KeyFile = Annotated[Path, typer.Argument(help="Keystore to write; never overwritten.")]

PasswordVariable = Annotated[
    str, typer.Option("--password-env", help="Environment variable that holds the password.")
]

DEFAULT_CONFIG = Path("keeper.toml")
DEFAULT_VARIABLE = "GAMMADESK_PASSWORD"


@app.command()
def run(
    config: ConfigPath = DEFAULT_CONFIG,
    dry_run: DryRun = None,
    block_time: BlockTime = False,
    log: LogStyle = "console",
) -> None:
    """Ticks on the configured schedule until stopped."""
    from keeper.runtime.scheduler import run_forever

    settings = _start(config, log)
    service = _service(settings, dry_run, block_time)
    if settings.metrics.port is not None:
        service.metrics.serve(settings.metrics.port, settings.metrics.host)
    halt = run_forever(service, settings.schedule)
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

    result = _service(_start(config, log), dry_run, block_time).run()
    for name, value in summary(result).items():
        typer.echo(f"{name}: {value}")
    good = (OutcomeKind.NOTHING, OutcomeKind.DRY_RUN, OutcomeKind.MINED_SUCCESS)
    if result.outcome.kind not in good:
        raise SkipTick(f"{result.outcome.kind.value}: {result.outcome.detail}")


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


@app.command()
def roles(deployment: Record, rpc: Node) -> None:
    """Who can call what, and after which delay; exit code 78 when somebody's key rules alone."""
    from rich.console import Console

    from keeper.chain.authority import AuthorityReader
    from keeper.errors import Halt
    from keeper.runtime import roles as view
    from keeper.runtime.chain_options import open_deployment

    state = AuthorityReader(*open_deployment(deployment, rpc)).read()
    console = Console()
    console.print(view.holders_table(state))
    console.print(view.functions_table(state))
    typer.echo(view.voting_line(state))
    faults = view.lone_rulers(state)
    if faults:
        raise Halt("; ".join(faults))


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
    key = _ask("Private key") if sys.stdin.isatty() else sys.stdin.readline()
    _write_key(path, password_env, key)


surface_app.command("fit")(surface_commands.fit)
surface_app.command("show")(surface_commands.show)


@surface_app.command("commit")
def surface_commit(
    file: Annotated[
        Path, typer.Argument(help="TOML or JSON with slices: expiry, a, b, rho, m, sigma, carry.")
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    dry_run: DryRun = None,
    log: LogStyle = "console",
) -> None:
    """Commits volatility slices; checked for arbitrage first."""
    from keeper.execution.records import OutcomeKind
    from keeper.execution.recovery import Recovery
    from keeper.runtime.assembly import connect, journaled_sender, open_signer
    from keeper.runtime.ports import DryRunSender
    from keeper.runtime.surface import SurfaceFile, commit_job, committer_on_chain

    settings = _start(config, log)
    surface, desk = SurfaceFile.load(file), connect(settings)
    job = commit_job(desk.node, desk.deployment, surface, desk.journal.chain, desk.clock.now())
    if _is_dry(settings, dry_run):
        outcome = DryRunSender(desk.node, committer_on_chain(desk.node, desk.deployment)).send(job)
    else:
        sender = journaled_sender(desk, open_signer(settings, _prompt()))
        Recovery(sender).reconcile()
        outcome = sender.send(job)
    typer.echo(f"{outcome.kind.value}: {outcome.detail or outcome.tx_hash}")
    if outcome.kind not in (OutcomeKind.DRY_RUN, OutcomeKind.MINED_SUCCESS):
        raise SkipTick(f"the surface is not committed: {outcome.detail}")


def _load(path: Path) -> Config:
    from keeper.config import Config

    return Config.load(path)


def _start(path: Path, log: Literal["json", "console"]) -> Config:
    from keeper.runtime.logs import configure_logs

    configure_logs(log)
    return _load(path)


def _is_dry(settings: Config, dry_run: bool | None) -> bool:
    return settings.keeper.dry_run if dry_run is None else dry_run


def _service(settings: Config, dry_run: bool | None, block_time: bool) -> Any:
    from keeper.runtime.alerts import AppriseAlerts
    from keeper.runtime.assembly import build_tick, connect, open_signer
    from keeper.runtime.metrics import Metrics
    from keeper.runtime.service import Service

    signer = None if _is_dry(settings, dry_run) else open_signer(settings, _prompt())
    desk: Desk = connect(settings, block_time)
    tick = build_tick(desk, signer)
    return Service(tick.run, Metrics(), AppriseAlerts(settings.alerts.apprise_urls))


def _prompt() -> Any:
    return (lambda: _ask("Keystore password")) if sys.stdin.isatty() else None


def _ask(what: str) -> str:
    return str(typer.prompt(what, hide_input=True))


def _write_key(path: Path, password_env: str, key: str | None) -> None:
    from keeper.chain.keystore import create_keystore, password_from

    address = create_keystore(path, password_from(password_env, _prompt()), key)
    typer.echo(f"{path} holds the key of {address}")


if __name__ == "__main__":
    app()
