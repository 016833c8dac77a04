"""A transaction's trace as a Mermaid sequence diagram: who calls whom, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eth_utils import keccak

from scripts.deployment import abi as codec
from scripts.deployment.artifacts import own

# Participants of others, with what is called of them here.
FOREIGN = {
    "USDC": ("balanceOf(address)", "transfer(address,uint256)"),
    "WETH": ("balanceOf(address)", "transfer(address,uint256)"),
    "Pool": ("slot0()", "swap(address,bool,int256,uint160,bytes)", "observe(uint32[])"),
}
# What these do inside is their own business, but for a pool that calls back whoever called it.
CLOSED = frozenset({"BookMarks", "MarketOracle", "VolSurface", "USDC", "WETH"})


def sequence(trace: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """Lines `A->>B: function` of a callTracer trace; `names` maps lower-case addresses to participants.

    Calls to an address without a name and those inside a contract of `CLOSED` are left out, and so is what a pool
    does but call back.
    """
    return list(_lines(trace, names))


def _lines(call: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    caller, callee = (names.get(str(call.get(key, "")).lower()) for key in ("from", "to"))
    if caller and callee:
        yield f"{caller}->>{callee}: {_function(callee, call['input'])}"
    if callee in CLOSED:
        return
    for inner in call.get("calls", ()):
        target = names.get(str(inner.get("to", "")).lower())
        if callee != "Pool" or target not in FOREIGN:
            yield from _lines(inner, names)


def _function(callee: str, data: str) -> str:
    """Name of the called function; its selector where nobody knows it."""
    selector = bytes.fromhex(data[2:10])
    for signature in FOREIGN.get(callee, ()):
        if keccak(text=signature)[:4] == selector:
            return signature.partition("(")[0]
    for entry in () if callee in FOREIGN else own(callee).abi:
        if entry["type"] == "function" and codec.selector(entry) == selector:
            return str(entry["name"])
    return "0x" + selector.hex()
