"""A market whose feed is a proxy with phases, as Chainlink's, for tests of settlement.

Phase 5 is an aggregator from before the market, 6 that with which it was registered; later ones are confirmed by tests.
"""

from __future__ import annotations

from typing import Any

from tests.contracts.core_constants import FEED_DECIMALS, HOUR, MAX_AGE_S
from tests.contracts.core_env import Core, market_config

MARKET = 2
USD = 10**FEED_DECIMALS
E10 = 10**10
FIRST = 6


def phase(number: int, round_: int = 0) -> int:
    return (number << 64) | round_


class World:
    """A core with a second market, whose feed is the proxy. Times are seconds from the expiry of day 2."""

    def __init__(self, core: Core, zeros: bool) -> None:
        self.core, self.zeros = core, zeros
        self.expiry = core.expiry(2)
        core.warp(self.expiry - 2 * HOUR)
        old = self.aggregator((1_999, -5 * HOUR), (1_999, 1))
        self.proxy = core.backend.deploy("MockFeedProxy", old, FIRST - 1)
        self.proxy.confirm(self.aggregator((2_000, -3 * HOUR), (2_000, -2 * HOUR)), self.by)
        core.set_spot(2_000)
        config = market_config(core, feed=self.proxy, maxAge=3 * MAX_AGE_S)
        core.oracle.registerMarket(MARKET, core.weth, core.usdc, config, self.by)

    @property
    def by(self) -> dict[str, Any]:
        return {"from": self.core.gov}

    def aggregator(self, *rounds: tuple[float, int]) -> Any:
        """An aggregator with rounds 1, 2, ... of (USD, second)."""
        feed = self.core.backend.deploy("MockFeed", FEED_DECIMALS, 1, 1)
        feed.setZeros(self.zeros, self.by)
        self.add(feed, 1, *rounds)
        return feed

    def add(self, feed: Any, number: int, *rounds: tuple[float, int]) -> None:
        ids = range(number, number + len(rounds))
        answers = [round(usd * USD) for usd, _ in rounds]
        feed.load(list(ids), answers, [self.expiry + second for _, second in rounds], self.by)

    def of_phase(self, number: int) -> Any:
        return self.core.backend.project.MockFeed.at(self.proxy.phaseAggregators(number))

    def warp(self, second: int) -> None:
        self.core.warp(self.expiry + second)

    def prove(self, round_id: int) -> Any:
        return self.core.oracle.proveSettlement(MARKET, self.expiry, round_id, self.by)

    def across(self, round_id: int, *last: int) -> Any:
        return self.core.oracle.proveSettlementAcross(MARKET, self.expiry, round_id, last, self.by)

    def by_twap(self, *last: int) -> Any:
        return self.core.oracle.settleByTwap(MARKET, self.expiry, last, self.by)

    @property
    def price(self) -> int:
        """USD with the feed's decimals; 0 while not final."""
        price, rest = divmod(self.core.oracle.settlementPrice(MARKET, self.expiry), E10)
        assert rest == 0
        return price
