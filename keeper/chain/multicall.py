"""Several view calls at one block in one request, by Multicall3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eth_abi.abi import encode

from keeper.chain.bindings import binding, revert_reason
from keeper.chain.client import NodeClient, Reverted
from keeper.errors import Halt

_AGGREGATE = bytes.fromhex("82ad56cb")  # aggregate3((address,bool,bytes)[])
_WORD = 32

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
    data = calldata(tuple(queries))
    return answers(multicall, queries, node.call(multicall, data, block, "Multicall3.aggregate3"))


@lru_cache(maxsize=16)
def calldata(queries: tuple[Query, ...]) -> bytes:
    """Of Multicall3.aggregate3; a tick asks the same as the one before."""
    calls = [
        (q.address, True, binding(q.contract).encode(q.function, *q.arguments)) for q in queries
    ]
    return _AGGREGATE + encode(["(address,bool,bytes)[]"], [calls])


def answers(multicall: str, queries: Sequence[Query], result: bytes) -> Answers:
    """What Multicall3 returned, decoded by each view's own ABI."""
    try:
        results = _results(result, len(queries))
    except (IndexError, ValueError):
        raise Halt(f"{multicall} is not Multicall3: correct it in the deployment record") from None
    found = {}
    for query, (good, data) in zip(queries, results, strict=True):
        value = _answer(query, good, data)
        if value is not None:
            found[query] = value
    return found


def _results(data: bytes, count: int) -> list[tuple[bool, bytes]]:
    """(bool success, bytes data)[] of `count` elements."""
    start = _number(data, 0) + _WORD
    if _number(data, start - _WORD) != count:
        raise ValueError("another number of answers than of questions")
    found = []
    for i in range(count):
        at = start + _number(data, start + i * _WORD)
        good, body = _number(data, at), at + _number(data, at + _WORD)
        length = _number(data, body)
        if good > 1 or body + _WORD + length > len(data):
            raise ValueError("an answer reaches beyond the data")
        found.append((bool(good), data[body + _WORD : body + _WORD + length]))
    return found


def _number(data: bytes, at: int) -> int:
    if at + _WORD > len(data):
        raise IndexError(at)
    return int.from_bytes(data[at : at + _WORD], "big")


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
