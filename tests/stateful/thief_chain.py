"""The core on real pools: Uniswap v3 with two fee tiers and Aave v3 from their artifacts, production parameters.

core_env deploys as ever; where it asks for a pool or a feed, it gets the packages' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from scripts.components.aave import Aave, AaveSettings, deploy_aave
from scripts.components.pool_math import price_of, sqrt_price_x96, tick_range, usdc_beside
from scripts.components.tokens import Tokens
from scripts.components.uniswap import NO_DEADLINE, TICK_SPACING, Uniswap, deploy_uniswap
from scripts.deployment.parameters import Parameters, load_parameters
from scripts.deployment.scales import wad
from tests.contracts.core_constants import SPOT_USD, TWAP_WINDOW_S, UNDERLYING, USDC, WAD
from tests.contracts.core_env import Core, deploy_core
from tests.stateful.core_revm import PEOPLE, Proxy, RevmBackend, plain
from tests.stateful.revm import Contract, account
from tests.stateful.revm_components import (
    RevmRunner,
    aave_pool,
    uniswap_factory,
    uniswap_pool,
    uniswap_positions,
    uniswap_router,
)

FEES = (500, 3_000)
# The nearer tier is deep, the other thin, as on mainnet.
POOL_WETH = {500: 20_000 * WAD, 3_000: 5_000 * WAD}
RANGE = 4.0
# Deploys what is not ours and brings pools where they are wanted.
MARKET = account(900)
ENDLESS = 10**36


class Feed(Proxy):
    """Chainlink's test aggregator, spoken to as MockFeed is."""

    def push(self, answer: int, _at: int, by: Any) -> None:
        self.updateAnswer(answer, by)

    def latest(self) -> int:
        return int(self.latestRound())


class Pool(Proxy):
    """A Uniswap pool whose price is set by swapping to it."""

    def __init__(self, real: Proxy, router: Proxy, pair: tuple[str, str], fee: int) -> None:
        super().__init__(real.contract)
        self.router, self.pair, self.fee = router, pair, fee

    def usd(self) -> float:
        return float(price_of(int(self.slot0()[0]), base_is_token0=False))

    def move(self, usd: float) -> None:
        """To a price, by a swap of somebody who has enough."""
        self.setPrice(sqrt_price_x96(Decimal(repr(usd)), base_is_token0=False), {})

    def setPrice(self, root: int, _by: Any) -> None:  # noqa: N802 - as MockUniswapPool
        now = int(self.slot0()[0])
        if now == root:
            return
        # Token 0 goes in where the price falls.
        coin = self.pair if root < now else self.pair[::-1]
        order = (*coin, self.fee, MARKET, ENDLESS // 10**6, 0, root)
        self.router.exactInputSingle(order, {"from": MARKET})

    def setCumulative(self, _start: int, _change: int, _by: Any) -> None:  # noqa: N802
        """A real pool counts for itself."""


class MarketBackend(RevmBackend):
    """Real pools and feeds where core_env asks for its mocks."""

    def __init__(self) -> None:
        super().__init__(PEOPLE)
        self.runner = RevmRunner(self.chain, MARKET)
        self.uniswap: Uniswap
        self.pools: dict[int, Pool] = {}
        self.feeds: list[str] = []
        p = self.parameters = load_parameters()
        # The surface's come once it is aged: of those expiries not each is a Friday.
        sections = {"HedgeManager": p.hedge, "HedgeFallback": p.fallback, "OptionDesk": p.desk}
        self.structs = {name: tuple(part.struct().values()) for name, part in sections.items()}

    def deploy(self, name: str, *args: Any) -> Proxy:
        args = (*args[:-1], self.structs[name]) if name in self.structs else args
        if name == "MockFeed":
            feed = Feed(self.chain.deploy("MockV3Aggregator", *args[:2]))
            self.feeds.append(feed.address)
            return feed
        if name == "MockUniswapPool":
            return self._pools(plain(args))
        return super().deploy(name, *args)

    def tokens(self, usdc: str, weth: str) -> Tokens:
        return Tokens(usdc, weth, *self.feeds)

    def _pools(self, pair: tuple[str, str]) -> Proxy:
        """Both tiers, and as much history as the oracle's mean asks for."""
        usdc, weth = pair
        assert int(usdc, 16) < int(weth, 16)
        self.uniswap = deploy_uniswap(self.runner, self.tokens(usdc, weth))
        for fee in FEES:
            self.pools[fee] = self._pool(pair, fee)
        self.warp(self.now() + TWAP_WINDOW_S + 1)
        return self.pools[FEES[0]]

    def _pool(self, pair: tuple[str, str], fee: int) -> Pool:
        positions = uniswap_positions(self.chain, self.uniswap.positions)
        router = uniswap_router(self.chain, self.uniswap.router)
        by = {"from": MARKET}
        root = sqrt_price_x96(Decimal(SPOT_USD), base_is_token0=False)
        positions.createAndInitializePoolIfNecessary(*pair, fee, root, by)
        found = uniswap_factory(self.chain, self.uniswap.factory).getPool(*pair, fee)
        real = uniswap_pool(self.chain, found)
        real.increaseObservationCardinalityNext(200, by)
        for token in pair:
            for spender in (self.uniswap.positions, self.uniswap.router):
                self.endless(token, MARKET, spender)
        ticks = tick_range(root, RANGE, TICK_SPACING[fee])
        weth = POOL_WETH[fee]
        usdc = usdc_beside(weth, root, ticks, base_is_token0=False)
        positions.mint((*pair, fee, *ticks, usdc, weth, 0, 0, MARKET, NO_DEADLINE), by)
        return Pool(real, router, pair, fee)

    def endless(self, token: str, who: str, spender: str) -> None:
        contract = Contract(self.chain, "MockToken", token)
        contract.mint(who, ENDLESS, sender=who)
        contract.approve(spender, 2**256 - 1, sender=who)


@dataclass
class Market:
    """What the thief can trade against."""

    core: Core
    pools: dict[int, Pool]
    aave: Aave
    lender: Proxy
    spots: dict[int, Proxy]
    short: Proxy
    parameters: Parameters


def new_market() -> Market:
    """Everything deployed, the venues registered, parameters those of scripts/networks."""
    backend = MarketBackend()
    core = deploy_core(backend, base_is_token0=False)
    p = backend.parameters
    settings = AaveSettings(weth_supply=0)
    aave = deploy_aave(
        backend.runner, backend.tokens(core.usdc.address, core.weth.address), settings, MARKET
    )
    lender = aave_pool(backend.chain, aave.pool)
    for token, amount in ((core.weth, 5_000 * WAD), (core.usdc, 5_000_000 * USDC)):
        backend.endless(token.address, MARKET, aave.pool)
        lender.supply(token.address, amount, MARKET, 0, {"from": MARKET})
    spots = {
        fee: backend.deploy("UniswapSpotVenue", core.clearinghouse, pool, core.usdc, core.weth, 1)
        for fee, pool in backend.pools.items()
    }
    short = backend.deploy(
        "AaveShortVenue", core.authority, core.clearinghouse, core.oracle, aave.pool,
        backend.pools[FEES[0]], core.usdc, core.weth, UNDERLYING,
        tuple(p.aave_short.struct().values()),
    )  # fmt: skip
    market = Market(core, backend.pools, aave, lender, spots, short, p)
    _connect(market)
    return market


def _connect(m: Market) -> None:
    core, p, by = m.core, m.parameters, {"from": m.core.gov}
    core.clearinghouse.setVenue(core.venue, False, by)
    venues = [*m.spots.values(), m.short]
    for venue in venues:
        core.clearinghouse.setVenue(venue, True, by)
    core.hedge.setVenueCap(m.short, wad(p.hedge.venue_cap_eth), by)
    core.fallback.setVenues(venues, by)
    core.surface.setParameters(tuple(p.surface.struct().values()), by)
