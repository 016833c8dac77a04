"""Local chains for the demo and the tests: anvil or Ganache on a free port, stopped by process id.

Both start with the same accounts (the well-known test mnemonic), shanghai rules and a wide block gas limit,
so that a deployment gives the same addresses on either.
"""

from __future__ import annotations

import collections
import datetime as dt
import json
import re
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal

from keeper.errors import ConfigError, Retry

ROOT = Path(__file__).resolve().parents[1]
MNEMONIC = "test test test test test test test test test test test junk"
HARDFORK = "shanghai"
GAS_LIMIT = 100_000_000
ANVIL_CHAIN_ID = 31337
GANACHE_CHAIN_ID = 1337
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
PORT_ATTEMPTS = 5
LOG_LINES_KEPT = 60

NodeKind = Literal["anvil", "ganache"]
_LISTENING = re.compile(r"Listening on (?:http://)?127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What a local chain starts with.

    `timestamp_s` is the unix time of the first block (now if None); `base_fee_wei` its base fee (anvil only).
    """

    kind: NodeKind = "anvil"
    chain_id: int | None = None
    timestamp_s: int | None = None
    gas_limit: int = GAS_LIMIT
    accounts: int = 10
    balance_eth: int = 10_000
    base_fee_wei: int | None = None
    extra_arguments: tuple[str, ...] = ()

    @property
    def effective_chain_id(self) -> int:
        """The chain id that the node will report."""
        if self.chain_id is not None:
            return self.chain_id
        return ANVIL_CHAIN_ID if self.kind == "anvil" else GANACHE_CHAIN_ID


@dataclass(slots=True)
class Node:
    """A running local chain. Use as a context manager, or call `stop`."""

    settings: NodeSettings
    url: str
    process: subprocess.Popen[str]
    log: collections.deque[str] = field(repr=False)

    @property
    def pid(self) -> int:
        """Process id of the node itself, not of a launcher."""
        return self.process.pid

    def stop(self) -> None:
        """End this node's process and nothing else; calling it again does nothing."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_TIMEOUT_S)

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_node(settings: NodeSettings | None = None) -> Node:
    """Start a chain and return once it answers with the right chain id.

    Raises ConfigError where its npm package is not installed, Retry where it does not come up.
    """
    settings = settings or NodeSettings()
    command = _anvil_command(settings) if settings.kind == "anvil" else None
    for _ in range(PORT_ATTEMPTS):
        node = _launch(settings, command or _ganache_command(settings))
        if node is not None:
            return node
    raise Retry(f"{settings.kind} found no free port in {PORT_ATTEMPTS} attempts; try again")


def _launch(settings: NodeSettings, command: list[str]) -> Node | None:
    """One attempt; None where another process took the port first."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    log: collections.deque[str] = collections.deque(maxlen=LOG_LINES_KEPT)
    port: list[int] = []
    ready = threading.Event()
    threading.Thread(target=_drain, args=(process, log, port, ready), daemon=True).start()
    ready.wait(START_TIMEOUT_S)
    node = Node(settings, f"http://127.0.0.1:{port[0] if port else 0}", process, log)
    try:
        if not port:
            if any("EADDRINUSE" in line or "already in use" in line for line in log):
                return None
            raise Retry(
                f"{settings.kind} did not start in {START_TIMEOUT_S:.0f} s; it said:\n"
                + "".join(log)
            )
        actual = _chain_id(node.url)
        if actual != settings.effective_chain_id:
            raise Retry(
                f"{node.url} answers with chain id {actual}, not {settings.effective_chain_id}"
            )
    except BaseException:
        node.stop()
        raise
    return node


def _drain(
    process: subprocess.Popen[str],
    log: collections.deque[str],
    port: list[int],
    ready: threading.Event,
) -> None:
    """Keep reading, or the node blocks on a full pipe; learn the port on the way."""
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            log.append(line)
            if not port and (match := _LISTENING.search(line)):
                port.append(int(match[1]))
                ready.set()
    ready.set()


def _chain_id(url: str) -> int:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=START_TIMEOUT_S) as response:
            return int(json.load(response)["result"], 16)
    except (OSError, urllib.error.URLError, ValueError, KeyError) as error:
        raise Retry(f"node at {url} does not answer: {error}") from error


def _anvil_command(settings: NodeSettings) -> list[str]:
    # The binary itself, not npm's launcher: its process id is what `stop` needs.
    found = sorted((ROOT / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    if not found:
        raise ConfigError("anvil is not installed under node_modules: run `make setup`")
    command = [str(found[0]), "--host", "127.0.0.1", "--port", "0", "--hardfork", HARDFORK]
    command += [
        "--chain-id",
        str(settings.effective_chain_id),
        "--gas-limit",
        str(settings.gas_limit),
    ]
    command += ["--mnemonic", MNEMONIC, "--accounts", str(settings.accounts)]
    command += ["--balance", str(settings.balance_eth)]
    if settings.timestamp_s is not None:
        command += ["--timestamp", str(settings.timestamp_s)]
    if settings.base_fee_wei is not None:
        command += ["--block-base-fee-per-gas", str(settings.base_fee_wei)]
    return [*command, *settings.extra_arguments]


def _ganache_command(settings: NodeSettings) -> list[str]:
    program = ROOT / "node_modules" / "ganache" / "dist" / "node" / "cli.js"
    if not program.is_file():
        raise ConfigError("ganache is not installed under node_modules: run `make setup`")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["node", str(program), "--server.host", "127.0.0.1", "--server.port", str(port)]
    command += ["--chain.hardfork", HARDFORK, "--chain.chainId", str(settings.effective_chain_id)]
    command += ["--miner.blockGasLimit", str(settings.gas_limit)]
    command += ["--miner.callGasLimit", str(settings.gas_limit)]
    command += ["--wallet.mnemonic", MNEMONIC, "--wallet.totalAccounts", str(settings.accounts)]
    command += ["--wallet.defaultBalance", str(settings.balance_eth)]
    if settings.timestamp_s is not None:
        moment = dt.datetime.fromtimestamp(settings.timestamp_s, dt.UTC)
        command += ["--chain.time", moment.strftime("%Y-%m-%dT%H:%M:%SZ")]
    return [*command, *settings.extra_arguments]
