"""A Safe from its own npm artifacts: a wallet that acts when enough of its owners have signed."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.components.artifacts import SAFE, packaged
from scripts.components.runner import Runner

ZERO_ADDRESS = "0x" + "00" * 20


def deploy_safe(runner: Runner, name: str, owners: Sequence[str], threshold: int) -> str:
    """Four steps: singleton, fallback handler, the proxy that is the wallet, its owners. Returns the wallet."""
    safe = packaged(SAFE, "Safe")
    singleton = runner.deploy(f"{name}.singleton", safe)
    handler = runner.deploy(
        f"{name}.handler", packaged(SAFE, "handler/CompatibilityFallbackHandler")
    )
    wallet = runner.deploy(f"{name}.wallet", packaged(SAFE, "proxies/SafeProxy"), [singleton])
    no_call = [ZERO_ADDRESS, b"", handler, ZERO_ADDRESS, 0, ZERO_ADDRESS]
    runner.call(f"{name}.owners", wallet, safe.abi, "setup", [[*owners], threshold, *no_call])
    return wallet
