"""Fixtures of every test that runs contracts under brownie; conftests import what they offer.

The node is this session's own, on a free port: with several workers each has its own.
`NODE=ganache` in the environment runs the same tests on Ganache.
"""

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from web3.middleware import Web3Middleware

from scripts.nodes import Node, NodeSettings, start_node
from scripts.setup import env

env.prepare()

import brownie  # noqa: E402  (looks for the compiler while it is imported)
from brownie import network  # noqa: E402
from brownie._config import CONFIG  # noqa: E402
from brownie.exceptions import VirtualMachineError  # noqa: E402
from brownie.network import rpc  # noqa: E402
from brownie.network.rpc import anvil, ganache  # noqa: E402

RECEIPT_TRIES, RECEIPT_PAUSE_S = 100, 0.005


class ReceiptAfterNonce(Web3Middleware):
    """Asks again for a receipt that is not there yet.

    Anvil counts a transaction in its sender's nonce some milliseconds before it has the receipt;
    brownie, which sees the one without the other, takes the transaction for dropped.
    """

    def wrap_make_request(self, make_request: Any) -> Any:
        def asked_again(method: Any, params: Any) -> Any:
            response = make_request(method, params)
            for _ in range(RECEIPT_TRIES if method == "eth_getTransactionReceipt" else 0):
                if response.get("result") is not None:
                    break
                time.sleep(RECEIPT_PAUSE_S)
                response = make_request(method, params)
            return response

        return asked_again


class StillAnvil:
    """Brownie's anvil, on which time stands still unless a test moves it: no test depends on how fast it runs."""

    def __init__(self) -> None:
        anvil._request("anvil_setBlockTimestampInterval", [0])

    def __getattr__(self, name: str) -> Any:
        return getattr(anvil, name)

    def sleep(self, seconds: int) -> int:
        """Anvil adds no seconds of its own, nor those of evm_increaseTime, while an interval is set."""
        if seconds:
            moment = brownie.web3.eth.get_block("latest").timestamp + seconds
            anvil._request("evm_setNextBlockTimestamp", [moment])
        return seconds


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    kind = os.environ.get("NODE", "anvil")
    extra = ("--chain.vmErrorsOnRPCResponse", "true") if kind == "ganache" else ()
    with start_node(NodeSettings(kind=kind, base_fee_wei=0, extra_arguments=extra)) as started:
        yield started


@pytest.fixture(scope="session")
def project(node: Node) -> Iterator[Any]:
    """The compiled contracts, `project.<ContractName>`, connected to the session's node."""
    loaded = env.load_project()
    CONFIG.networks["development"]["host"] = node.url
    CONFIG.argv["silent"] = True  # else every transaction prints three lines into each failure
    # Not attached as "its" process, brownie starts no undo thread whose snapshots
    # would race with those of the tests; only the backend for time travel is named.
    network.connect("development", launch_rpc=False)
    rpc.backend = StillAnvil() if node.settings.kind == "anvil" else ganache
    brownie.chain._network_connected()
    brownie.web3.middleware_onion.inject(ReceiptAfterNonce, layer=0)
    # Brownie collects garbage at each rollback; of all that is loaded by now nothing is garbage.
    gc.collect()
    gc.freeze()
    yield loaded
    network.disconnect(kill_rpc=False)


@pytest.fixture(scope="session")
def chain(project: Any) -> Any:
    return brownie.chain


@pytest.fixture(scope="session")
def accounts(project: Any) -> Any:
    return brownie.accounts


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo on the chain what happened in the with block; may be nested."""
    before = brownie.chain._take_snapshot()
    try:
        yield
    finally:
        brownie.chain._revert(before)


@pytest.fixture(scope="module", autouse=True)
def module_isolation(project: Any) -> Iterator[None]:
    """Deployments of module-scoped fixtures end with their module."""
    with rolled_back():
        yield


@pytest.fixture(autouse=True)
def isolation(module_isolation: None) -> Iterator[None]:
    """Each test starts from the chain that the module's fixtures left."""
    with rolled_back():
        yield


@contextmanager
def reverts_with(error: str, *args: object) -> Iterator[None]:
    """Expect the custom error `error`, with exactly `args` when any are given.

    For `require(..., "text")` and panics give the whole text, as brownie shows it.
    """
    try:
        yield
    except VirtualMachineError as failure:
        message = failure.revert_msg or ""
        name, separator, values = message.partition(": ")
        found = name if separator else message
        expected = ", ".join(str(arg) for arg in args)
        if message != error and found != error:
            pytest.fail(f"reverted with {message!r}, expected {error}", pytrace=False)
        if args and values.lower() != expected.lower():  # addresses come without a checksum
            pytest.fail(f"{error}({values}), expected {error}({expected})", pytrace=False)
    else:
        pytest.fail(f"did not revert, expected {error}", pytrace=False)
