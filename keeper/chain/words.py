"""Decoding of plain ABI answers: words, tuples of words, arrays of such tuples.

Many times faster than the general decoder, which gets what is not plain and therefore has no plan here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

WORD = 32

Reader = Callable[[bytes, int], Any]
Plan = Callable[[bytes], tuple[Any, ...]]


class Misfit(ValueError):
    """Data that no such types encode to."""


@cache
def plan_of(kinds: tuple[str, ...]) -> Plan | None:
    """A decoder for these types; None where one of them is not plain."""
    parts = [_part(kind) for kind in kinds]
    if any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    offsets, at = [], 0
    for _, size in known:
        offsets.append(at)
        at += size
    readers = [(reader, offset) for (reader, _), offset in zip(known, offsets, strict=True)]
    least = at

    def decode(data: bytes) -> tuple[Any, ...]:
        if len(data) < least:
            raise Misfit(f"{len(data)} bytes where at least {least} belong")
        return tuple(reader(data, offset) for reader, offset in readers)

    return decode


def _part(kind: str) -> tuple[Reader, int] | None:
    """Reader of one value and the bytes that it takes in the head."""
    if kind.endswith("[]"):
        element = _static(kind[:-2])
        return None if element is None else (_array(*element), WORD)
    return _static(kind)


def _static(kind: str) -> tuple[Reader, int] | None:
    if not kind.startswith("("):
        reader = _word(kind)
        return None if reader is None else (reader, WORD)
    if not kind.endswith(")"):
        return None
    parts = [_static(inner) for inner in _split(kind[1:-1])]
    if any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    size = sum(width for _, width in known)

    def read(data: bytes, at: int) -> tuple[Any, ...]:
        values = []
        for reader, width in known:
            values.append(reader(data, at))
            at += width
        return tuple(values)

    return read, size


def _array(element: Reader, size: int) -> Reader:
    def read(data: bytes, at: int) -> tuple[Any, ...]:
        start = int.from_bytes(data[at : at + WORD], "big")
        count = int.from_bytes(data[start : start + WORD], "big")
        first = start + WORD
        if first > len(data) or count > (len(data) - first) // size:
            raise Misfit("an array reaches beyond the answer")
        return tuple(element(data, first + i * size) for i in range(count))

    return read


def _word(kind: str) -> Reader | None:
    if kind == "address":
        return _address
    if kind == "bool":
        return _bool
    if kind == "bytes32":
        return lambda data, at: data[at : at + WORD]
    found = re.fullmatch(r"(u?)int(\d+)", kind)
    if found is None:
        return None
    bits, signed = int(found[2]), not found[1]
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)

    def read(data: bytes, at: int) -> int:
        value = int.from_bytes(data[at : at + WORD], "big", signed=signed)
        if not low <= value < high:
            raise Misfit(f"{value} is no {kind}")
        return value

    return read


def _address(data: bytes, at: int) -> str:
    if any(data[at : at + 12]):
        raise Misfit("a word is no address")
    return "0x" + data[at + 12 : at + WORD].hex()


def _bool(data: bytes, at: int) -> bool:
    value = int.from_bytes(data[at : at + WORD], "big")
    if value > 1:
        raise Misfit(f"{value} is no bool")
    return bool(value)


def _split(inner: str) -> Sequence[str]:
    """Types of a tuple, at its own level."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(inner):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(inner[start:i])
            start = i + 1
    return [*parts, inner[start:]]
