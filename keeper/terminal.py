"""What every command asks a person at a terminal for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

PasswordVariable = Annotated[
    str, typer.Option("--password-env", help="Environment variable that holds the password.")
]

DEFAULT_VARIABLE = "GAMMADESK_PASSWORD"


def prompt() -> Callable[[], str] | None:
    """Asks for the keystore's password where somebody sits at a terminal."""
    return (lambda: ask_hidden("Keystore password")) if sys.stdin.isatty() else None


def ask_hidden(what: str) -> str:
    """A secret from the terminal."""
    return str(typer.prompt(what, hide_input=True))
