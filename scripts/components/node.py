"""Calls and transactions on a node that signs for its own accounts.

Past web3's contract objects, whose middleware costs milliseconds a call: a replay makes thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from hexbytes import HexBytes
from web3 import Web3
from web3.types import RPCEndpoint, TxReceipt

from keeper.errors import Halt
from scripts.deployment import abi as codec

# Given, because Ganache's default is too low and estimating costs a call. Aave's largest part takes 5.3 million.
GAS_LIMIT = 10_000_000
TIMEOUT_S = 120.0
POLL_S = 0.002


def rpc(web3: Web3, method: str, *params: Any) -> Any:
    """Result of one request. Raises Halt with the node's own words where it refuses."""
    answer = web3.provider.make_request(RPCEndpoint(method), list(params))
    if "error" in answer:
        raise Halt(f"{method}: {cast(dict[str, Any], answer['error']).get('message')}")
    return answer["result"]


def read(web3: Web3, address: str, abi: codec.Abi, function: str, args: Sequence[Any] = ()) -> Any:
    """Result of a view at the latest block; a tuple where it returns several values. Raises Halt where it reverts."""
    data = "0x" + codec.encode_call(abi, function, args).hex()
    result = rpc(web3, "eth_call", {"to": address, "data": data}, "latest")
    return codec.decode_result(abi, function, len(args), bytes.fromhex(result[2:]))


def send(
    web3: Web3,
    account: str,
    address: str,
    abi: codec.Abi,
    function: str,
    args: Sequence[Any] = (),
    value: int = 0,
) -> TxReceipt:
    """Mine one call of a contract. `value` in wei. Raises Halt where it reverts."""
    return transact(web3, account, function, address, codec.encode_call(abi, function, args), value)


def transact(
    web3: Web3, account: str, what: str, address: str | None, data: bytes, value: int = 0
) -> TxReceipt:
    """Mine one transaction, a creation where there is no address; `what` names it in the error."""
    fields = {
        "from": account,
        "data": "0x" + data.hex(),
        "value": hex(value),
        "gas": hex(GAS_LIMIT),
    }
    if address is not None:
        fields["to"] = address
    try:
        sent = rpc(web3, "eth_sendTransaction", fields)
    except Halt as refusal:
        raise Halt(f"{what} failed: {refusal}") from None
    receipt = web3.eth.wait_for_transaction_receipt(HexBytes(sent), TIMEOUT_S, POLL_S)
    if receipt["status"] != 1:
        reason = _reason(web3, fields)
        raise Halt(f"{what} reverted in transaction {sent}: {reason}")
    return receipt


def _reason(web3: Web3, fields: dict[str, str]) -> str:
    """What the node says to the same call made again."""
    try:
        rpc(web3, "eth_call", fields, "latest")
    except Halt as refusal:
        return str(refusal)
    return "no reason given"
