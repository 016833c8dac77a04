"""Options that several commands share, how they become a configuration, and how a command sends what it made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from keeper.terminal import prompt

if TYPE_CHECKING:
    from keeper.config import Config
    from keeper.execution.records import Job, Outcome
    from keeper.runtime.assembly import Desk

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

DEFAULT_CONFIG = Path("keeper.toml")


def start(path: Path, log: Literal["json", "console"]) -> Config:
    """Logs in this form, and the configuration."""
    from keeper.config import Config
    from keeper.runtime.logs import configure_logs

    configure_logs(log)
    return Config.load(path)


def is_dry(settings: Config, dry_run: bool | None) -> bool:
    """What the option says, else the configuration."""
    return settings.keeper.dry_run if dry_run is None else dry_run


def own_address(settings: Config) -> str:
    """Whose key the configuration names; ConfigError where it names none."""
    from keeper.chain.keystore import keystore_address
    from keeper.errors import ConfigError

    if settings.keeper.keystore is None:
        raise ConfigError("[keeper] keystore is missing: name the key file of who acts")
    return keystore_address(settings.keeper.keystore)


def send_job(
    desk: Desk, job: Job, simulated_as: str, dry_run: bool | None, failure: str
) -> Outcome:
    """Sends one job by the keystore's key, after what is unresolved, or simulates it; says how it ended.

    SkipTick, which `failure` begins, unless it is simulated or mined.
    """
    from keeper.errors import SkipTick
    from keeper.execution.records import OutcomeKind
    from keeper.runtime.assembly import open_signer, sender_of

    signer = None if is_dry(desk.config, dry_run) else open_signer(desk.config, prompt())
    sender = sender_of(desk, signer, simulated_as)
    sender.reconcile()
    outcome = sender.send(job)
    typer.echo(f"{outcome.kind.value}: {outcome.detail or outcome.tx_hash}")
    if outcome.kind not in (OutcomeKind.DRY_RUN, OutcomeKind.MINED_SUCCESS):
        raise SkipTick(f"{failure}: {outcome.detail}")
    return outcome
