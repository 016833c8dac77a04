"""How commands that need no configuration file name a deployment: its record and a node, by option or environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keeper.chain.client import NodeClient
    from keeper.chain.deployment import Deployment

Record = Annotated[
    Path,
    typer.Option(
        "--deployment",
        "-d",
        envvar="GAMMADESK_DEPLOYMENT",
        help="Deployment record, <chain id>.json.",
    ),
]
Node = Annotated[str, typer.Option("--rpc", envvar="GAMMADESK_RPC", help="URL of a node.")]


def open_deployment(record: Path, rpc: str) -> tuple[NodeClient, Deployment]:
    """A node and the deployment that it was checked to serve. ConfigError, Halt or Retry say what is wrong."""
    from keeper.chain.client import NodeClient
    from keeper.chain.deployment import Deployment

    deployment = Deployment.load(record)
    node = NodeClient.connect(rpc)
    deployment.require_chain(node)
    return node, deployment
