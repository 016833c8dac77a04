"""Options that several commands share, and how they become a configuration and a password."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from keeper.config import Config

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


def prompt() -> Callable[[], str] | None:
    """Asks for the keystore's password where somebody sits at a terminal."""
    return (lambda: ask_hidden("Keystore password")) if sys.stdin.isatty() else None


def ask_hidden(what: str) -> str:
    """A secret from the terminal."""
    return str(typer.prompt(what, hide_input=True))
