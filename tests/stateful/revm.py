"""Contracts in an EVM inside this process (pyrevm): behaviour at thousands of calls a second, never gas."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyrevm
from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address

from scripts.setup import env

START = 1_700_000_000


class Reverted(Exception):
    """A call reverted; `selector` is the first four bytes of what it said, in hex."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@functools.cache
def artifact(name: str) -> Mapping[str, Any]:
    """Brownie's artifact of a contract of the project."""
    return json.loads((env.ROOT / "build" / "contracts" / f"{name}.json").read_text())


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

    def travel(self, seconds: int) -> None:
        self.now += seconds
        self.block += 1
        self.evm.set_block_env(
            pyrevm.BlockEnv(number=self.block, timestamp=self.now, gas_limit=2**63)
        )

    def deploy(self, name: str, *args: Any) -> "Contract":
        built = artifact(name)
        constructor = next((e for e in built["abi"] if e["type"] == "constructor"), None)
        encoded = encode(_types(constructor["inputs"]), args) if constructor else b""
        code = bytes.fromhex(built["bytecode"].removeprefix("0x")) + encoded
        return Contract(self, name, self.evm.deploy(self.deployer, code))


class Contract:
    """Functions of a deployed contract as methods: `c.f(*args)` reads, `c.f(*args, sender=a)` acts."""

    def __init__(self, chain: Chain, name: str, address: str) -> None:
        self.chain = chain
        self.address = to_checksum_address(address)
        self._functions = {
            (entry["name"], len(entry["inputs"])): entry
            for entry in artifact(name)["abi"]
            if entry["type"] == "function"
        }
        self._errors = {
            keccak(text=f"{e['name']}({','.join(_types(e['inputs']))})")[:4].hex(): e["name"]
            for e in artifact(name)["abi"]
            if e["type"] == "error"
        }

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not any(known == name for known, _ in self._functions):
            raise AttributeError(name)
        return functools.partial(self._call, name)

    def _call(self, name: str, *args: Any, sender: str | None = None) -> Any:
        entry = self._functions[name, len(args)]
        inputs = _types(entry["inputs"])
        selector = keccak(text=f"{name}({','.join(inputs)})")[:4]
        data = selector + encode(inputs, args)
        try:
            out = self.chain.evm.message_call(
                sender or self.chain.deployer, self.address, data, is_static=sender is None
            )
        except RuntimeError as error:
            raise Reverted(self._named(str(error))) from None
        values = decode(_types(entry["outputs"]), bytes(out))
        return values[0] if len(values) == 1 else values

    def _named(self, message: str) -> str:
        for selector, name in self._errors.items():
            if f"0x{selector}" in message:
                return f"{name} in {message}"
        return message
