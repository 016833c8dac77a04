"""The in-process chain as a node for the keeper: reads alone."""

# ruff: noqa: N802 - methods carry the names of the JSON-RPC interface

from __future__ import annotations

from typing import Any

from web3.providers.base import JSONBaseProvider

from keeper.chain.client import NodeClient
from tests.stateful.revm import Chain


class RevmProvider(JSONBaseProvider):
    """Answers at the latest block, whichever is asked for."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self.chain = chain

    def make_request(self, method: str, params: Any) -> Any:
        return {"jsonrpc": "2.0", "id": 1} | getattr(self, method)(*params)

    def eth_getBlockByNumber(self, _tag: str, _full: bool) -> Any:
        head = {"number": hex(self.chain.block), "timestamp": hex(self.chain.now)}
        return {"result": head | {"hash": f"0x{self.chain.block:064x}", "baseFeePerGas": "0x0"}}

    def eth_call(self, tx: dict[str, Any], _tag: str) -> Any:
        data = bytes.fromhex(tx["data"][2:])
        try:
            out = self.chain.evm.message_call(
                tx.get("from", self.chain.deployer), tx["to"], data, is_static=True
            )
        except RuntimeError as error:
            return {"error": {"code": 3, "message": f"execution reverted: {error}"}}
        return {"result": "0x" + bytes(out).hex()}


def node_of(chain: Chain) -> NodeClient:
    return NodeClient(RevmProvider(chain), "the chain in this process")
