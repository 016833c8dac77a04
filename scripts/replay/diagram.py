"""A transaction's trace as a Mermaid sequence diagram: who calls whom, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.deployment import abi as codec
from scripts.deployment.artifacts import own

# The calls inside these are their own business.
CLOSED = frozenset({"RiskEngine", "MarketOracle", "VolSurface", "WETH", "USDC", "Pool"})
OPEN_TO_CALLBACKS = frozenset({"Pool"})


def sequence(trace: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """Lines `A->>B: function` of a callTracer trace; `names` maps lower-case addresses to participants.

    A call to an address without a name, and the calls inside a contract of `CLOSED`, are left out, but for a pool's
    call back.
    """
    return list(_lines(trace, names))


def _lines(call: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    caller, callee = (names.get(str(call.get(key, "")).lower()) for key in ("from", "to"))
    if caller and callee and call["type"] != "DELEGATECALL":
        yield f"{caller}->>{callee}: {_function(callee, call['input'])}"
    for inner in call.get("calls", ()):
        target = names.get(str(inner.get("to", "")).lower())
        back = callee in OPEN_TO_CALLBACKS and target not in CLOSED
        if callee not in CLOSED or back:
            yield from _lines(inner, names)


def _function(callee: str, data: str) -> str:
    """Name of the called function, from the contract's ABI; tokens, pools and feeds by what is called of them here."""
    selector = bytes.fromhex(data[2:10])
    for name in (callee, *EXTERNAL.get(callee, ())):
        for entry in _abi(name):
            if entry["type"] == "function" and codec.selector(entry) == selector:
                return str(entry["name"])
    return "0x" + selector.hex()


EXTERNAL = {
    "WETH": ("IERC20",),
    "USDC": ("IERC20",),
    "Pool": ("IUniswapV3Pool", "IUniswapV3PoolView"),
    "UniswapSpotVenue": (),
}


def _abi(name: str) -> list[dict[str, Any]]:
    if name in ("WETH", "USDC", "Pool"):
        return []
    return list(own(name).abi)
