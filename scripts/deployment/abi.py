"""ABI encoding without web3's contract objects: a deployment encodes every step again on each resume."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import astuple, is_dataclass
from typing import Any

import eth_abi
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils import function_signature_to_4byte_selector, to_checksum_address
from eth_utils.abi import collapse_if_tuple

from keeper.errors import ConfigError

Abi = Sequence[Mapping[str, Any]]


def encode_constructor(abi: Abi, args: Sequence[Any], name: str) -> bytes:
    """Constructor arguments, without the bytecode."""
    entry = next((item for item in abi if item["type"] == "constructor"), {"inputs": []})
    return _encode(entry["inputs"], args, f"{name} constructor")


def encode_call(abi: Abi, function: str, args: Sequence[Any]) -> bytes:
    """Selector and arguments of a call; `function` is a name, or a signature where names are overloaded."""
    entry = find_function(abi, function, len(args))
    return selector(entry) + _encode(entry["inputs"], args, signature(entry))


def decode_result(abi: Abi, function: str, argument_count: int, data: bytes) -> Any:
    """The single return value, or a tuple of several; addresses are checksummed, structs are tuples."""
    outputs = find_function(abi, function, argument_count)["outputs"]
    types = [collapse_if_tuple(item) for item in outputs]
    try:
        values = eth_abi.decode(types, data)
    except DecodingError as error:
        raise ConfigError(
            f"{function} returned {len(data)} bytes that are not {types}: {error}"
        ) from None
    decoded = tuple(_checksummed(item, value) for item, value in zip(outputs, values, strict=True))
    return decoded[0] if len(decoded) == 1 else decoded


def find_function(abi: Abi, function: str, argument_count: int) -> Mapping[str, Any]:
    """The ABI entry. Raises ConfigError where none or several fit."""
    by_signature = "(" in function
    found = [
        item
        for item in abi
        if item["type"] == "function"
        and (
            signature(item) == function
            if by_signature
            else item["name"] == function and len(item["inputs"]) == argument_count
        )
    ]
    if len(found) != 1:
        raise ConfigError(
            f"{len(found)} functions fit {function} with {argument_count} arguments; expected one"
        )
    return found[0]


def signature(entry: Mapping[str, Any]) -> str:
    """name(type,type) of a function or error."""
    return f"{entry['name']}({','.join(collapse_if_tuple(item) for item in entry['inputs'])})"


def selector(entry: Mapping[str, Any]) -> bytes:
    """First four bytes of call data."""
    return _selector(signature(entry))


@functools.cache
def _selector(text: str) -> bytes:
    return function_signature_to_4byte_selector(text)


def explain_revert(abi: Abi, data: bytes) -> str:
    """Custom error or message of revert data, or the hex where the ABI does not know it."""
    builtin = [
        {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
        {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
    ]
    for entry in [*abi, *builtin]:
        if entry["type"] == "error" and selector(entry) == data[:4]:
            try:
                values = eth_abi.decode(
                    [collapse_if_tuple(item) for item in entry["inputs"]], data[4:]
                )
            except DecodingError:
                break
            pairs = zip(entry["inputs"], values, strict=True)
            fields = ", ".join(f"{item['name']}={value}" for item, value in pairs)
            return f"{entry['name']}({fields})"
    return f"0x{data.hex()}" if data else "no reason given"


def _encode(inputs: Sequence[Mapping[str, Any]], args: Sequence[Any], what: str) -> bytes:
    if len(inputs) != len(args):
        names = ", ".join(item["name"] for item in inputs)
        raise ConfigError(f"{what} takes {len(inputs)} arguments ({names}), not {len(args)}")
    types = [collapse_if_tuple(item) for item in inputs]
    try:
        values = [_plain(item, value) for item, value in zip(inputs, args, strict=True)]
        return eth_abi.encode(types, values)
    except (EncodingError, TypeError, ValueError, OverflowError, KeyError) as error:
        raise ConfigError(f"arguments of {what} do not fit ({', '.join(types)}): {error}") from None


def _plain(item: Mapping[str, Any], value: Any) -> Any:
    """Structs by field name become tuples in ABI order, hex text becomes bytes."""
    kind: str = item["type"]
    if kind.endswith("]"):
        inner = {**item, "type": kind[: kind.rindex("[")]}
        return [_plain(inner, element) for element in value]
    if kind == "tuple":
        if is_dataclass(value) and not isinstance(value, type):
            value = astuple(value)
        if isinstance(value, Mapping):
            unknown = set(value) - {part["name"] for part in item["components"]}
            if unknown:
                raise ValueError(f"unknown fields {sorted(unknown)}")
            value = [value[part["name"]] for part in item["components"]]
        return tuple(
            _plain(part, element) for part, element in zip(item["components"], value, strict=True)
        )
    if kind.startswith("bytes") and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return value


def _checksummed(item: Mapping[str, Any], value: Any) -> Any:
    kind: str = item["type"]
    if kind.endswith("]"):
        inner = {**item, "type": kind[: kind.rindex("[")]}
        return [_checksummed(inner, element) for element in value]
    if kind == "tuple":
        return tuple(
            _checksummed(part, element)
            for part, element in zip(item["components"], value, strict=True)
        )
    return to_checksum_address(value) if kind == "address" else value
