"""The core contracts against small mocks, wired as a deployment would, with helpers for tests.

Contracts are called alike on brownie's node and in process (tests/stateful): `contract.f(*args, {"from": who})`
sends, `contract.f(*args)` reads. Money is WAD unless a name says otherwise; times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from eth_utils import function_signature_to_4byte_selector

from keeper.units import encode_series
from tests.contracts.core_accounts import CoreAccounts
from tests.contracts.core_constants import (
    AUCTION,
    AUCTION_PARAMETERS,
    DAY,
    DEBT_PARAMETERS,
    DESK,
    DESK_PARAMETERS,
    EARLIER_S,
    FALLBACK_PARAMETERS,
    FEED_DECIMALS,
    HEDGE_PARAMETERS,
    HOUR,
    LIQUIDATOR,
    MARGIN_PARAMETERS,
    MAX_AGE_S,
    MAX_DEVIATION,
    ORACLE_PARAMETERS,
    QUOTE_MAX_AGE_S,
    SPOT_USD,
    SURFACE_PARAMETERS,
    TOKEN,
    TWAP_WINDOW_S,
    UNDERLYING,
    VOL,
    WAD,
    ZERO_ADDRESS,
)
from tests.contracts.core_market import CoreMarket


class Backend(Protocol):
    """Where contracts run. `people` are addresses or accounts, [0] deploys."""

    people: Sequence[Any]

    def deploy(self, name: str, *args: Any) -> Any: ...

    def attach(self, name: str, address: Any) -> Any: ...

    def now(self) -> int: ...

    def warp(self, to: int) -> None: ...


class BrownieBackend:
    """Brownie's project on the session's node."""

    def __init__(self, project: Any, accounts: Any) -> None:
        self.project, self.people = project, accounts

    def deploy(self, name: str, *args: Any) -> Any:
        return getattr(self.project, name).deploy(*args, {"from": self.people[0]})

    def attach(self, name: str, address: Any) -> Any:
        return getattr(self.project, name).at(address)

    def now(self) -> int:
        import brownie

        return int(brownie.chain[-1].timestamp)

    def warp(self, to: int) -> None:
        """Mine a block at exactly `to`; calls read its time."""
        self.at(to)
        self.request("evm_mine", [])

    def at(self, moment: int) -> None:
        """Give the next block the time `moment`."""
        self.request("evm_setNextBlockTimestamp", [moment])

    @staticmethod
    def request(method: str, params: list[Any]) -> None:
        import brownie

        answer = brownie.web3.provider.make_request(method, params)
        assert "error" not in answer, answer


@dataclass
class Core(CoreMarket, CoreAccounts):
    """Everything that is deployed, and who is who."""

    backend: Any
    authority: Any
    usdc: Any
    weth: Any
    feed: Any
    quote: Any
    pool: Any
    oracle: Any
    surface: Any
    engine: Any
    marks: Any
    clearinghouse: Any
    lens: Any
    desk: Any
    rfq: Any
    hedge: Any
    fallback: Any
    venue: Any
    token: Any
    auction: Any
    gov: Any
    keeper: Any
    committer: Any
    vault: Any
    market: Any
    takers: list[Any]
    start: int
    base_first: bool

    @property
    def now(self) -> int:
        return int(self.backend.now())

    def warp(self, to: int) -> None:
        self.backend.warp(to)

    def expiry(self, days: int) -> int:
        """08:00 UTC, `days` after the deployment's day. Day 0 is one hour before the deployment."""
        return self.start - HOUR + days * DAY

    def series(self, days: int, strike: float, call: bool = True, underlying: int = 1) -> int:
        return encode_series(underlying, self.expiry(days), strike, call)


def deploy_core(
    backend: Any, spot: float = SPOT_USD, base_is_token0: bool = True, aged: bool = True
) -> Core:
    """Deploy and wire everything by 09:00 UTC of the next day, spot and slices of days 1, 7 and 14 set.

    The slices are committed `referenceAge` and a bit before, so that the desk opens at once; if not `aged`, everything
    is of that very moment.
    """
    people = list(backend.people)
    gov, keeper, committer, vault, market, *takers = people
    start = (backend.now() // DAY + 1) * DAY + 9 * HOUR
    backend.warp(start - (HOUR + EARLIER_S if aged else 0))
    new = backend.deploy
    authority = new("AccessManager", gov)
    usdc, weth = new("MockToken", "USDC", 6), new("MockToken", "WETH", 18)
    feed = new("MockFeed", FEED_DECIMALS, round(spot * 10**FEED_DECIMALS), backend.now())
    quote = new("MockFeed", FEED_DECIMALS, 10**FEED_DECIMALS, backend.now())
    pair = (weth, usdc) if base_is_token0 else (usdc, weth)
    pool = new("MockUniswapPool", *pair)
    usdc_usd = (quote, FEED_DECIMALS, QUOTE_MAX_AGE_S)
    oracle = new("MarketOracle", authority, usdc_usd, ZERO_ADDRESS, ORACLE_PARAMETERS)
    surface = new("VolSurface", authority, oracle, committer, SURFACE_PARAMETERS)
    engine = new("RiskEngine", authority, oracle, surface, MARGIN_PARAMETERS)
    marks = backend.attach("BookMarks", engine.bookMarks())
    house = new("Clearinghouse", authority, usdc, weth, oracle, engine, UNDERLYING)
    lens = new("AccountLens", house)
    quoter = committer
    args = authority, house, oracle, surface, engine, vault, quoter, DESK_PARAMETERS
    desk = new("OptionDesk", *args)
    rfq = new("RfqMarket", house, desk)
    hedge = new(
        "HedgeManager",
        authority,
        house,
        oracle,
        surface,
        vault,
        UNDERLYING,
        keeper,
        HEDGE_PARAMETERS,
    )
    fallback = new("HedgeFallback", authority, hedge, house, oracle, vault, FALLBACK_PARAMETERS)
    venue = new("MockVenue", usdc, weth, house, round(spot * WAD))
    token = new("OptionToken", house)
    auction = new("LiquidationAuction", authority, house, oracle, AUCTION_PARAMETERS)
    core = Core(
        backend, authority, usdc, weth, feed, quote, pool, oracle, surface, engine, marks, house, lens, desk, rfq,
        hedge, fallback, venue, token, auction, gov, keeper, committer, vault, market, takers, start,
        base_is_token0,
    )  # fmt: skip
    core.set_spot(spot)
    by = {"from": gov}
    oracle.registerMarket(UNDERLYING, weth, usdc, market_config(core), by)
    house.setVault(vault, hedge, by)
    house.setDebtParameters(DEBT_PARAMETERS, by)
    for allowed, kind in (
        (market, DESK),
        (desk, DESK),
        (rfq, DESK),
        (token, TOKEN),
        (auction, AUCTION),
    ):
        house.setMarket(allowed, kind, by)
    unwind = function_signature_to_4byte_selector("unwindVenue(address)")
    authority.setTargetFunctionRole(house, [unwind], LIQUIDATOR, by)
    for allowed in (gov, auction):
        authority.grantRole(LIQUIDATOR, allowed, 0, by)
    house.setVenue(venue, True, by)
    hedge.setFallback(fallback, by)
    hedge.setQuoteAdapter(rfq, by)
    hedge.setVenueCap(venue, 10_000 * WAD, by)
    fallback.setVenues([venue], by)
    core.commit(*(core.slice(VOL, days) for days in (1, 7, 14)), spot=spot)
    if aged:
        core.warp(start)
        core.set_spot(spot)
    return core


def market_config(core: Core, **changes: Any) -> tuple:
    """IMarketOracle.Market of the mocks, with fields replaced by name."""
    fields: dict[str, Any] = {
        "feed": core.feed,
        "feedDecimals": FEED_DECIMALS,
        "maxAge": MAX_AGE_S,
        "twapWindow": TWAP_WINDOW_S,
        "pool": core.pool,
        "baseIsToken0": core.base_first,
        "maxDeviation": MAX_DEVIATION,
    }
    assert changes.keys() <= fields.keys()
    return tuple((fields | changes).values())


def refused(
    function: Any, *args: Any, by: Any, error: str, values: Sequence[Any] | None = None
) -> None:
    """The call reverts with the custom error, with exactly `values` when given."""
    from tests.brownie_fixtures import reverts_with

    with reverts_with(error, *(values or ())):
        function.call(*args, {"from": by})
