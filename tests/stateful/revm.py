"""Contracts in an EVM inside this process (pyrevm): behaviour at thousands of calls a second, never gas.

Artifacts are brownie's, or forge's from the folder that GAMMADESK_ARTIFACTS names (`forge build --out`).
"""

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyrevm
from eth_utils import keccak, to_checksum_address

from scripts.setup import env
from tests.stateful.abi import Codec, codec_of

START = 1_700_000_000


class Reverted(Exception):
    """A call reverted; `name` is its custom error's, where any deployed contract knows it."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(f"{name} in {message}" if name else message)
        self.message = str(self)
        self.name = name


@functools.cache
def artifact(name: str) -> Mapping[str, Any]:
    """ABI and bytecode of a contract of the project, or of a package by its artifact's path in node_modules."""
    if "/" in name:
        return json.loads((env.ROOT / "node_modules" / f"{name}.json").read_text())
    forge = os.environ.get("GAMMADESK_ARTIFACTS")
    if not forge:
        return json.loads((env.ROOT / "build" / "contracts" / f"{name}.json").read_text())
    built = json.loads(next(Path(forge).glob(f"*.sol/{name}.json")).read_text())
    return {"abi": built["abi"], "bytecode": built["bytecode"]["object"]}


# Custom errors of everything deployed, by selector: a revert may come from deep inside.
_ERRORS: dict[str, str] = {}


def _type(item: Mapping[str, Any]) -> str:
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    inner = ",".join(_type(part) for part in item["components"])
    return f"({inner}){item['type'].removeprefix('tuple')}"


def _types(items: Sequence[Mapping[str, Any]]) -> list[str]:
    return [_type(item) for item in items]


def account(number: int) -> str:
    """A test account's address."""
    return to_checksum_address(keccak(text=f"account {number}")[12:])


class Chain:
    """One EVM with a clock in seconds. Contracts come from `deploy`."""

    def __init__(self, deployer: str) -> None:
        self.evm = pyrevm.EVM(gas_limit=2**63)
        self.deployer = deployer
        self.now = START
        self.block = 1
        self.travel(0)

    def snapshot(self) -> tuple[Any, int, int]:
        """Where `revert` goes back to, once."""
        return self.evm.snapshot(), self.now, self.block

    def revert(self, to: tuple[Any, int, int]) -> None:
        checkpoint, now, block = to
        self.evm.revert(checkpoint)
        self._set_time(now, block)

    def travel(self, seconds: int) -> None:
        self._set_time(self.now + seconds, self.block + 1)

    def _set_time(self, now: int, block: int) -> None:
        self.now, self.block = now, block
        self.evm.set_block_env(
            pyrevm.BlockEnv(number=self.block, timestamp=self.now, gas_limit=2**63)
        )

    def deploy(self, name: str, *args: Any) -> "Contract":
        built = artifact(name)
        constructor = next((e for e in built["abi"] if e["type"] == "constructor"), None)
        encoded = codec_of(_types(constructor["inputs"])).encode(args) if constructor else b""
        code = bytes.fromhex(built["bytecode"].removeprefix("0x")) + encoded
        return Contract(self, name, self.evm.deploy(self.deployer, code))


class Contract:
    """Functions of a deployed contract as methods: `c.f(*args)` reads, `c.f(*args, sender=a)` acts."""

    def __init__(self, chain: Chain, name: str, address: str) -> None:
        self.chain = chain
        self.address = to_checksum_address(address)
        self._functions = _functions(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not any(known == name for known, _ in self._functions):
            raise AttributeError(name)
        bound = functools.partial(self._call, name)
        setattr(self, name, bound)
        return bound

    def data_of(self, name: str, *args: Any) -> bytes:
        """Calldata of a call."""
        selector, inputs, _ = self._functions[name, len(args)]
        return bytes(selector + inputs.encode(args))

    def _call(self, name: str, *args: Any, sender: str | None = None) -> Any:
        selector, inputs, outputs = self._functions[name, len(args)]
        try:
            out = self.chain.evm.message_call(
                sender or self.chain.deployer,
                self.address,
                selector + inputs.encode(args),
                is_static=sender is None,
            )
        except RuntimeError as error:
            message = str(error)
            found = re.search("0x([0-9a-f]{8})", message)
            raise Reverted(message, _ERRORS.get(found[1], "") if found else "") from None
        values = outputs.decode(bytes(out), 0)
        return values[0] if len(values) == 1 else values


@functools.cache
def _functions(name: str) -> dict[tuple[str, int], tuple[bytes, Codec, Codec]]:
    """(selector, inputs, outputs) by name and number of arguments; notes the errors on the way."""
    found = {}
    for entry in artifact(name)["abi"]:
        if entry["type"] not in ("function", "error"):
            continue
        inputs = _types(entry["inputs"])
        selector = keccak(text=f"{entry['name']}({','.join(inputs)})")[:4]
        if entry["type"] == "error":
            _ERRORS[selector.hex()] = entry["name"]
        else:
            key = entry["name"], len(inputs)
            found[key] = selector, codec_of(inputs), codec_of(_types(entry["outputs"]))
    return found
