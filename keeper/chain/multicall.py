"""Several view calls at one block in one request, by Multicall3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from keeper.chain.bindings import binding, revert_reason
from keeper.chain.client import NodeClient, Reverted
from keeper.errors import Halt

_AGGREGATE = bytes.fromhex("82ad56cb")  # aggregate3((address,bool,bytes)[])

Answers = dict["Query", tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Query:
    """One view call. The answer of one that is `optional` is left out where it reverts or is none of its ABI."""

    contract: str
    address: str
    function: str
    arguments: tuple[object, ...] = ()
    optional: bool = False


def ask(node: NodeClient, multicall: str, queries: Sequence[Query], block: int) -> Answers:
    """All answers. Reverted names the first that must not be missing; Halt where `multicall` is no Multicall3."""
    if not queries:
        return {}
    calls = [
        (q.address, True, binding(q.contract).encode(q.function, *q.arguments)) for q in queries
    ]
    data = _AGGREGATE + encode(["(address,bool,bytes)[]"], [calls])
    answer = node.call(multicall, data, block, "Multicall3.aggregate3")
    try:
        (results,) = decode(["(bool,bytes)[]"], answer)
    except (DecodingError, OverflowError):
        raise Halt(f"{multicall} is not Multicall3: correct it in the deployment record") from None
    found = {}
    for query, (good, result) in zip(queries, results, strict=True):
        value = _answer(query, good, result)
        if value is not None:
            found[query] = value
    return found


def _answer(query: Query, good: bool, result: bytes) -> tuple[Any, ...] | None:
    if not good and query.optional:
        return None
    if not good:
        raise Reverted(f"{query.contract}.{query.function}", revert_reason(result))
    try:
        return binding(query.contract).decode(query.function, result)
    except Halt:
        if query.optional:
            return None
        raise
