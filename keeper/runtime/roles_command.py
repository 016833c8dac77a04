"""`gammadesk roles`. Heavy imports wait until the command runs."""

from __future__ import annotations

import typer

from keeper.depositor.access import Node, Record, open_deployment


def roles(deployment: Record, rpc: Node) -> None:
    """Who can call what, and after which delay; exit code 78 when somebody's key rules alone."""
    from rich.console import Console

    from keeper.chain.authority import AuthorityReader
    from keeper.errors import Halt
    from keeper.runtime import roles as view

    state = AuthorityReader(*open_deployment(deployment, rpc)).read()
    console = Console()
    console.print(view.holders_table(state))
    console.print(view.functions_table(state))
    typer.echo(view.voting_line(state))
    faults = view.lone_rulers(state)
    if faults:
        raise Halt("; ".join(faults))
