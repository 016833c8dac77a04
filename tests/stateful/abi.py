"""ABI coding for calls by the hundred thousand: a tenth of eth_abi's time, the same bytes (test_abi.py).

A codec is built once for a list of types. Values are not checked beyond their width: a wrong one raises OverflowError.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WORD = 32


@dataclass(frozen=True)
class Codec:
    """How one type is written and read. `head` bytes stand in place; a dynamic type has its offset there."""

    head: int
    dynamic: bool
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes, int], Any]


def codec_of(kinds: Sequence[str]) -> Codec:
    """Of a tuple of these types, as arguments and answers are."""
    parts = [_codec(kind) for kind in kinds]
    heads = sum(part.head for part in parts)
    dynamic = any(part.dynamic for part in parts)

    def encode(values: Sequence[Any]) -> bytes:
        if len(values) != len(parts):
            raise OverflowError(f"{len(values)} values for {kinds}")
        if not dynamic:
            return b"".join([part.encode(v) for part, v in zip(parts, values, strict=True)])
        return _with_tails(zip(parts, values, strict=True), heads)

    def decode(data: bytes, at: int) -> tuple[Any, ...]:
        out, here = [], at
        for part in parts:
            out.append(_read(part, data, here, at))
            here += part.head
        return tuple(out)

    return Codec(WORD if dynamic else heads, dynamic, encode, decode)


def _codec(kind: str) -> Codec:
    array = re.fullmatch(r"(.*)\[(\d*)\]", kind)
    if array:
        return codec_of([array[1]] * int(array[2])) if array[2] else _list_of(_codec(array[1]))
    if kind.startswith("("):
        return codec_of(_split(kind[1:-1]))
    if kind in ("bytes", "string"):
        return _bytes(kind)
    return _word(kind)


def _word(kind: str) -> Codec:
    if kind.startswith("int"):
        return Codec(
            WORD, False,
            lambda v: int(v).to_bytes(WORD, "big", signed=True),
            lambda data, at: int.from_bytes(data[at : at + WORD], "big", signed=True),
        )  # fmt: skip
    if kind.startswith("bytes"):
        width = int(kind.removeprefix("bytes"))
        return Codec(
            WORD, False,
            lambda v: bytes(v).ljust(WORD, b"\0"),
            lambda data, at: data[at : at + width],
        )  # fmt: skip
    if kind == "address":
        return Codec(
            WORD, False,
            lambda v: bytes(12) + bytes.fromhex(v[2:]),
            lambda data, at: "0x" + data[at + 12 : at + WORD].hex(),
        )  # fmt: skip
    if kind == "bool":
        return Codec(
            WORD, False,
            lambda v: int(bool(v)).to_bytes(WORD, "big"),
            lambda data, at: data[at + WORD - 1] != 0,
        )  # fmt: skip
    return Codec(
        WORD, False,
        lambda v: int(v).to_bytes(WORD, "big"),
        lambda data, at: int.from_bytes(data[at : at + WORD], "big"),
    )  # fmt: skip


def _bytes(kind: str) -> Codec:
    def encode(value: Any) -> bytes:
        raw = value.encode() if isinstance(value, str) else bytes(value)
        return len(raw).to_bytes(WORD, "big") + raw + bytes(-len(raw) % WORD)

    def decode(data: bytes, at: int) -> Any:
        length = int.from_bytes(data[at : at + WORD], "big")
        raw = data[at + WORD : at + WORD + length]
        return raw.decode() if kind == "string" else raw

    return Codec(WORD, True, encode, decode)


def _list_of(part: Codec) -> Codec:
    def encode(values: Sequence[Any]) -> bytes:
        count = len(values).to_bytes(WORD, "big")
        if not part.dynamic:
            return count + b"".join([part.encode(v) for v in values])
        return count + _with_tails(((part, v) for v in values), part.head * len(values))

    def decode(data: bytes, at: int) -> tuple[Any, ...]:
        count, start = int.from_bytes(data[at : at + WORD], "big"), at + WORD
        return tuple([_read(part, data, start + k * part.head, start) for k in range(count)])

    return Codec(WORD, True, encode, decode)


def _with_tails(pairs: Any, heads: int) -> bytes:
    head, tail = [], []
    offset = heads
    for part, value in pairs:
        word = part.encode(value)
        if part.dynamic:
            head.append(offset.to_bytes(WORD, "big"))
            tail.append(word)
            offset += len(word)
        else:
            head.append(word)
    return b"".join(head + tail)


def _read(part: Codec, data: bytes, here: int, start: int) -> Any:
    if part.dynamic:
        here = start + int.from_bytes(data[here : here + WORD], "big")
    return part.decode(data, here)


def _split(inner: str) -> list[str]:
    """The types of a tuple, at commas outside of brackets."""
    out, depth, begin = [], 0, 0
    for k, char in enumerate(inner):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            out.append(inner[begin:k])
            begin = k + 1
    return [*out, inner[begin:]] if inner else []
