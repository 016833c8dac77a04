"""Ways to kill a deployment at a chosen moment, shared by the deployment tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

KINDS = ("before send", "after send", "after receipt", "while recording")
SENDS = ("eth_sendTransaction", "eth_sendRawTransaction")


class Killed(BaseException):
    """Not an Exception: nothing in the code under test may catch it, as nothing catches SIGKILL."""


class KillingProvider(HTTPProvider):
    """Dies around its n-th send (1 is the first); counts what it forwarded. `at` 0 never dies."""

    def __init__(self, url: str, at: int = 0, kind: str = "", process: bool = False) -> None:
        super().__init__(url, exception_retry_configuration=None)
        self.at, self.kind, self.process = at, kind, process
        self.reached = self.sent = 0
        self.armed = False

    def die(self) -> None:
        if self.process:
            os.kill(os.getpid(), 9)
        self.at = 0
        self.armed = False
        raise Killed(f"{self.kind} {self.reached}")

    def make_request(self, method: RPCEndpoint, params: Any) -> Any:
        if method not in SENDS:
            response = super().make_request(method, params)
            found = method == "eth_getTransactionReceipt" and response.get("result")
            if self.armed and self.kind == "after receipt" and found:
                self.die()
            return response
        self.reached += 1
        mine = self.reached == self.at
        if mine and self.kind == "before send":
            self.die()
        response = super().make_request(method, params)
        self.sent += 1
        if mine and self.kind == "after send":
            self.die()
        self.armed = self.armed or mine
        return response

    def on_fsync(self, handle: int) -> None:
        """Stands in for os.fsync: dies with half a record written and nothing renamed."""
        if self.armed and self.kind == "while recording":
            self.die()


def connect(url: str) -> Web3:
    return Web3(HTTPProvider(url, exception_retry_configuration=None))


def all_transactions(web3: Web3) -> list[dict[str, Any]]:
    """Every transaction of the chain, in order."""
    head = web3.eth.block_number
    blocks = (web3.eth.get_block(number, full_transactions=True) for number in range(head + 1))
    return [dict(transaction) for block in blocks for transaction in block["transactions"]]


def npm_artifact(path: str) -> Path:
    return Path(__file__).resolve().parents[2] / "node_modules" / path
