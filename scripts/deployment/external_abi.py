"""The few views of other people's contracts that the deployment reads, written as signatures."""

from __future__ import annotations

import re
from typing import Any

_SIGNATURE = re.compile(r"(\w+)\(([^)]*)\)\(([^)]*)\)")


def views(*signatures: str) -> list[dict[str, Any]]:
    """ABI of views given as `name(inputs)(outputs)`."""
    entries = []
    for text in signatures:
        match = _SIGNATURE.fullmatch(text)
        assert match is not None, text
        name, inputs, outputs = match.groups()
        entries.append(
            {
                "type": "function",
                "name": name,
                "stateMutability": "view",
                "inputs": [{"name": "", "type": kind} for kind in inputs.split(",") if kind],
                "outputs": [{"name": "", "type": kind} for kind in outputs.split(",") if kind],
            }
        )
    return entries


TOKEN = views("decimals()(uint8)", "symbol()(string)", "balanceOf(address)(uint256)")
FEED = views("decimals()(uint8)", "latestRoundData()(uint80,int256,uint256,uint256,uint80)")
POOL = views(
    "token0()(address)",
    "token1()(address)",
    "fee()(uint24)",
    "liquidity()(uint128)",
    "observe(uint32[])(int56[],uint160[])",
)
SAFE = views("getThreshold()(uint256)", "getOwners()(address[])")
PERP_HOUSE = views("getExchange()(address)", "getVault()(address)")
PERP_EXCHANGE = views("getMarketRegistry()(address)")
PERP_VAULT = views("getSettlementToken()(address)")
PERP_REGISTRY = views("hasPool(address)(bool)", "getFeeRatio(address)(uint24)")
# The configuration is a struct of one word, which is encoded as the word itself.
AAVE_POOL = views("getConfiguration(address)(uint256)", "ADDRESSES_PROVIDER()(address)")
