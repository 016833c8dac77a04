"""Calldata, results, events and custom errors of the contracts, from the ABIs in the package.

Raw eth_abi codecs: a call through a web3 contract object costs milliseconds, this costs microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from keeper.chain.words import Misfit, plan_of
from keeper.errors import Halt

PACKAGE = "keeper.chain.abi"

_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x32: "array index out of range",
    0x41: "out of memory",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One function, event or error: its selector (or topic) and the types on both sides."""

    name: str
    key: bytes
    names: tuple[str, ...]
    types: tuple[str, ...]
    indexed: tuple[bool, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """A log entry of a receipt."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class RevertReason:
    """Why a call reverted: a custom error with named arguments, a string, a panic, or bare data."""

    name: str
    arguments: tuple[tuple[str, object], ...]

    def __str__(self) -> str:
        """As Name(argument=value, ...)."""
        return f"{self.name}({', '.join(f'{key}={value}' for key, value in self.arguments)})"


class Binding:
    """Codec of one contract's ABI. Functions go by name, and by signature too where a name is overloaded."""

    def __init__(self, name: str, abi: Sequence[dict[str, Any]]) -> None:
        self.name = name
        functions = [e for e in abi if e["type"] == "function"]
        self.functions = {e["name"]: _entry(e) for e in functions}
        names = [e["name"] for e in functions]
        overloaded = [e for e in functions if names.count(e["name"]) > 1]
        self.functions |= {_signature(e): _entry(e) for e in overloaded}
        self._structs = {
            e["name"]: tuple(c["name"] for c in e["outputs"][0].get("components", ()))
            for e in functions
            if len(e.get("outputs", ())) == 1
        }
        self.events = {e["name"]: _entry(e) for e in abi if e["type"] == "event"}
        self.errors = tuple(_entry(e) for e in abi if e["type"] == "error")

    def encode(self, function: str, *arguments: object) -> bytes:
        """Calldata of a call; Halt when the arguments do not fit the ABI."""
        entry = self.functions[function]
        try:
            return entry.key + encode(entry.types, arguments)
        except (EncodingError, OverflowError, TypeError) as error:
            raise Halt(f"{self.name}.{function} does not take {arguments!r}: {error}") from error

    def decode(self, function: str, data: bytes) -> tuple[Any, ...]:
        """Return values of a call; Halt when the answer is not of this contract."""
        entry = self.functions[function]
        plan = plan_of(entry.outputs)
        try:
            return tuple(decode(entry.outputs, data)) if plan is None else plan(data)
        except (DecodingError, OverflowError, Misfit) as error:
            raise Halt(
                f"{self.name}.{function} answered 0x{data.hex()[:40]}, which its ABI does not describe: "
                f"check the addresses in the deployment record and that the ABIs are of this deployment"
            ) from error

    def struct_names(self, function: str) -> tuple[str, ...]:
        """Names of the fields of the struct that a view returns."""
        return self._structs[function]

    def find_event(self, event: str, logs: Sequence[Log], address: str) -> dict[str, Any] | None:
        """Arguments of the first such event that `address` emitted, or None."""
        entry = self.events[event]
        for log in logs:
            if log.address.lower() == address.lower() and log.topics[:1] == (entry.key,):
                return _event_arguments(entry, log)
        return None


def _entry(item: dict[str, Any]) -> Entry:
    inputs, outputs = item["inputs"], item.get("outputs", ())
    digest = bytes(keccak(text=_signature(item)))
    return Entry(
        name=item["name"],
        key=digest if item["type"] == "event" else digest[:4],
        names=tuple(i["name"] for i in inputs),
        types=tuple(collapse_if_tuple(i) for i in inputs),
        indexed=tuple(bool(i.get("indexed")) for i in inputs),
        outputs=tuple(collapse_if_tuple(o) for o in outputs),
    )


def _signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(collapse_if_tuple(i) for i in item['inputs'])})"


def _event_arguments(entry: Entry, log: Log) -> dict[str, Any]:
    parts = list(zip(entry.names, entry.types, entry.indexed, strict=True))
    plain = [kind for _, kind, indexed in parts if not indexed]
    data, topics = iter(decode(plain, log.data)), iter(log.topics[1:])
    return {
        name: decode([kind], next(topics))[0] if indexed else next(data)
        for name, kind, indexed in parts
    }


@cache
def binding(name: str) -> Binding:
    """The codec of a contract whose ABI is in the package."""
    source = resources.files(PACKAGE) / f"{name}.json"
    try:
        return Binding(name, json.loads(source.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise Halt(
            f"the package holds no ABI of {name}: reinstall, or run 'make abi' in a checkout"
        ) from None


@cache
def _errors() -> dict[bytes, Entry]:
    names = (p.name for p in resources.files(PACKAGE).iterdir() if p.name.endswith(".json"))
    return {e.key: e for name in names for e in binding(name.removesuffix(".json")).errors}


def revert_reason(data: bytes) -> RevertReason:
    """Name and arguments behind revert data, whichever of our contracts it came from."""
    selector, body = data[:4], data[4:]
    try:
        if selector == bytes.fromhex("08c379a0"):
            return RevertReason("Error", (("message", decode(["string"], body)[0]),))
        if selector == bytes.fromhex("4e487b71"):
            code = decode(["uint256"], body)[0]
            return RevertReason("Panic", (("code", _PANICS.get(code, hex(code))),))
        entry = _errors().get(selector)
        if entry is not None:
            values = decode(entry.types, body)
            return RevertReason(entry.name, tuple(zip(entry.names, values, strict=True)))
    except (DecodingError, OverflowError, UnicodeDecodeError):
        pass
    return RevertReason("UnknownError", (("data", "0x" + data.hex()),))
