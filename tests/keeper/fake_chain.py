"""A desk's contracts on the fake node: Multicall3 answered from a table of views, so that a test sets plain values."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from eth_abi import decode, encode

from keeper.chain.bindings import binding
from keeper.units import WAD, encode_series
from tests.keeper.fake_node import CHAIN_ID, FakeNode, RpcFault
from tests.keeper.keeper_builders import FAR_S, NOW_S

NAMES = (
    "Clearinghouse",
    "AccountLens",
    "MarketOracle",
    "VolSurface",
    "HedgeManager",
    "DeskVault",
    "Multicall3",
)
ADDRESSES = {name: "0x" + f"{i + 1:02x}" * 20 for i, name in enumerate(NAMES)}
SPOT_VENUE, SHORT_VENUE = "0x" + "c1" * 20, "0x" + "c2" * 20
OTHERS = (
    *("IHedgeVenue", "UniswapSpotVenue", "AaveShortVenue", "CuriePerpVenue"),
    *("IUniswapV3Pool", "IAavePool", "IPerpExchange", "IPerpMarketRegistry"),
)
POOL, LENDER, WETH, USDC = ("0x" + byte * 20 for byte in ("b1", "b2", "b3", "b4"))
PERP_VENUE, EXCHANGE, REGISTRY, VIRTUAL = ("0x" + byte * 20 for byte in ("c3", "b5", "b6", "b7"))
CALL = encode_series(1, FAR_S, 200.0, True)
SLICE_WORD = (
    (17592186044 << 204) | (35184372088 << 153) | ((2**51 - 5277655813324) << 102) | 1759218604441
)


class FakeChain(FakeNode):
    """`views` maps (contract or venue address, function, *arguments) to return values; a missing one reverts."""

    def __init__(self, keeper: str) -> None:
        super().__init__(timestamp=NOW_S)
        self.keeper = keeper
        self.on_call = self._call
        self.rebalances: list[tuple[Any, ...]] = []
        self.reverts: bytes | None = None
        self.multicalls = 0
        self.views: dict[tuple[Any, ...], tuple[Any, ...]] = {
            ("legsOf",): ([(CALL, -10 * WAD)],),
            ("accountOf",): (50_000 * WAD, 2 * WAD, 1),
            ("hedgeOf",): (-WAD, 50_900 * WAD),
            ("equityOf",): (49_000 * WAD,),
            ("spot",): (190 * WAD, NOW_S - 60),
            ("state",): (0,),
            ("poolPrice",): (190 * WAD,),
            ("lastCommit",): (NOW_S,),
            ("parameters",): (
                (
                    5 * WAD,
                    WAD // 2,
                    WAD // 100,
                    100 * WAD,
                    12 * WAD // 10,
                    10_000 * WAD,
                    3,
                    7_200,
                    WAD // 100,
                ),
            ),
            ("epoch",): (4,),
            ("budgetLeft",): (9_000 * WAD,),
            ("venueCap",): (100 * WAD,),
            ("netDelta",): (-7 * WAD, 5 * WAD),
            ("keeper",): (keeper,),
            ("committer",): (keeper,),
            ("position", SPOT_VENUE): (0, 0),
            ("health", SPOT_VENUE): (2**256 - 1,),
            ("position", SHORT_VENUE): (-3 * WAD, 900 * WAD),
            ("health", SHORT_VENUE): (18 * WAD // 10,),
            ("sliceOf", FAR_S): ((SLICE_WORD, WAD // 100, NOW_S),),
            ("settlementPrice", FAR_S): (0,),
        }

    def add_market(self, base_is_token0: bool = True) -> None:
        """A Uniswap pool behind both venues and Aave behind the short: no ticks, 0.05 %, rates of 3 % and 1 %."""
        for venue in (SPOT_VENUE, SHORT_VENUE):
            self.views |= {
                ("pool", venue): (POOL,),
                ("usdc", venue): (USDC,),
                ("weth", venue): (WETH,),
            }
        root = math.isqrt(190 * 2**192 // 10**12)
        tick = math.floor(math.log(190 / 1e12) / math.log(1.0001))
        if not base_is_token0:
            root, tick = math.isqrt(10**12 * 2**192 // 190), -tick - 1
        reserve = [(0,), 0, 10**25, 0, 3 * 10**25, 0, 0, 0, *(["0x" + "00" * 20] * 4), 0, 0, 0]
        self.views |= {
            ("aavePool", SHORT_VENUE): (LENDER,),
            ("token0", POOL): (WETH if base_is_token0 else USDC,),
            ("fee", POOL): (500,),
            ("tickSpacing", POOL): (10,),
            ("slot0", POOL): (root, tick, 0, 0, 0, 0, True),
            ("liquidity", POOL): (7 * 10**16,),
            ("tickBitmap",): (0,),
            ("parameters", SHORT_VENUE): ((16 * WAD // 10, 2 * WAD, WAD // 100),),
            ("liquidation", SHORT_VENUE): (8 * WAD // 10, WAD // 20),
            ("getReserveData",): (tuple(reserve),),
        }

    def add_perp(self, mark_usd: int) -> dict[str, Any]:
        """A perpetual short of 2 ETH, on a pool without ticks; returns its entry in the record."""
        at, root = PERP_VENUE, math.isqrt(mark_usd * 2**192)
        self.views |= {
            ("exchange", at): (EXCHANGE,),
            ("baseToken", at): (WETH,),
            ("usdc", at): (USDC,),
            ("position", at): (-2 * WAD, 480 * WAD),
            ("health", at): (3 * WAD,),
            ("parameters", at): ((25 * WAD // 100, WAD, WAD // 100),),
            ("getSqrtMarkTwapX96",): (root,),
            ("getMarketRegistry",): (REGISTRY,),
            ("getPool",): (VIRTUAL,),
            ("token0", VIRTUAL): (WETH,),
            ("fee", VIRTUAL): (3_000,),
            ("tickSpacing", VIRTUAL): (60,),
            ("slot0", VIRTUAL): (root, math.floor(math.log(mark_usd, 1.0001)), 0, 0, 0, 0, True),
            ("liquidity", VIRTUAL): (3 * 10**22,),
            ("tickBitmap",): (0,),
            ("hedgeOf",): (-3 * WAD, 51_380 * WAD),
        }
        return {"address": at, "kind": "perp_short", "fee": 0.001}

    def add_surface(self) -> None:
        """A surface to which nothing was committed, and an oracle without realised volatility."""
        shares = (WAD // 20, 4 * WAD, WAD // 2, WAD // 50, WAD // 5, WAD // 20, WAD // 5)
        levels, times = (3 * WAD // 1_000, WAD // 5, 5 * WAD), (10_800, 3_600, 7_200)
        rest = (48, 7, 43_200, 7_200, 21_600, 2_592_000, 3, 50, 190)
        self.views |= {
            ("parameters", ADDRESSES["VolSurface"]): ((*shares, *levels, *times, *rest),),
            ("expiries",): ([],),
            ("realisedVol",): (0, 0, 0),
        }

    def set(self, function: str, *values: Any, key: Any = None) -> None:
        self.views[(function,) if key is None else (function, key)] = values

    def _call(self, tx: dict[str, Any], _block: int) -> bytes:
        data = bytes.fromhex(tx["data"][2:])
        if tx["to"] == ADDRESSES["Multicall3"]:
            self.multicalls += 1
            (calls,) = decode(["(address,bool,bytes)[]"], data[4:])
            results = [self._answer(target, inner) for target, _, inner in calls]
            return encode(["(bool,bytes)[]"], [results])
        good, answer = self._answer(tx["to"], data)
        if not good:
            raise RpcFault("execution reverted", 3, "0x" + answer.hex())
        return answer

    def _answer(self, target: str, data: bytes) -> tuple[bool, bytes]:
        own = next((n for n, a in ADDRESSES.items() if a == target), None)
        known = (binding(name).functions.values() for name in ((own,) if own else OTHERS))
        entry = next(e for each in known for e in each if e.key == data[:4])
        arguments = decode(entry.types, data[4:])
        if entry.name in ("rebalance", "commit"):
            if self.reverts is not None:
                return False, self.reverts
            self.rebalances.append(arguments)
            return True, b""
        for key in ((entry.name, target), (entry.name, *arguments[-1:]), (entry.name,)):
            if key in self.views:
                return True, encode(entry.outputs, self.views[key])
        return False, b""


def error_data(contract: str, name: str, *values: Any) -> bytes:
    """Revert data of a custom error."""
    entry = next(e for e in binding(contract).errors if e.name == name)
    return entry.key + encode(entry.types, values)


def write_record(path: Path, node: FakeNode, **changes: Any) -> Path:
    """A deployment record of this chain."""
    record = {
        "format": 1,
        "chain_id": CHAIN_ID,
        "genesis_hash": node.blocks[0].hash,
        "complete": True,
        "contracts": {n: a for n, a in ADDRESSES.items() if n != "Multicall3"},
        "external": {"multicall3": ADDRESSES["Multicall3"], "feed": "0x" + "dd" * 20},
        "venues": [
            {"address": SPOT_VENUE, "kind": "uniswap_spot", "fee": 0.0005},
            {"address": SHORT_VENUE, "kind": "aave_short", "fee": 0.0005},
        ],
        "underlying": 1,
        "steps": {},
    } | changes
    path.write_text(json.dumps(record))
    return path
