"""Gas of hedging: rebalances over each kind of venue, and what an automation network asks.

A key that names one venue is measured while only that venue holds anything; `_beside_short` is the same with the short
on Aave open beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from keeper.units import WAD, to_wad_toward_zero
from scripts.components import market
from scripts.components.curie import deploy_curie, provide
from scripts.components.runner import DirectRunner
from scripts.components.tokens import Tokens
from scripts.components.uniswap import PoolSettings, Uniswap, create_pool
from scripts.deployment.artifacts import own
from scripts.replay.chain import Mined
from scripts.replay.world import ANYONE, DEPLOYER, MAKER, World

HOUR_S = 3600
UNDERLYING = 1
SPOT, SHORT = 0, 1
SECOND_FEE = 3000
PERP_WETH = 20_000
VENUE_CAP = 3_000 * WAD

Measure = Callable[..., Mined]


class HedgingGas:
    """`keeper` is a node's account that is the hedge manager's keeper."""

    def __init__(self, world: World, measure: Measure, keeper: str, price_usd: float) -> None:
        self.world, self.measure, self.keeper = world, measure, keeper
        self.price_e8 = int(Decimal(repr(price_usd)).scaleb(8))
        self.venues = [venue.address for venue in world.deployment.venues]

    def delta(self) -> int:
        """WAD ETH."""
        delta, _ = self.world.chain.read(self.world.contracts.hedger, "netDelta", UNDERLYING)
        return int(delta)

    def level(self, key: str | None, *venues: str, buys: bool | None = None) -> None:
        """One batch that takes the delta away, over the venues in equal parts."""
        delta = self.delta()
        if buys is not None and (delta < 0) is not buys:
            raise AssertionError(f"{key}: the delta {delta / WAD} has the wrong sign")
        part = -delta // len(venues)
        self.batch(key, [(venue, part) for venue in venues])

    def batch(self, key: str | None, orders: list[tuple[str, int]]) -> None:
        """(venue, WAD size) each, with limits half a percent off the feed's price."""
        chain, c = self.world.chain, self.world.contracts
        price, _ = chain.read(c.oracle, "spot", UNDERLYING)
        priced = [
            (venue, base, price * (1009 if base > 0 else 991) // 1000, b"")
            for venue, base in orders
        ]
        limits = (chain.read(c.hedger, "epoch"), chain.now_s() + HOUR_S, 2**100, b"\0" * 32)
        if key:
            self.measure(key, self.keeper, c.hedger, "rebalance", priced, limits)
        else:
            chain.send(self.keeper, c.hedger, "rebalance", priced, limits)

    def buy_first(self, eth: float) -> None:
        """Makes balance slots non-zero, so that a measured swap is the usual one and not the first ever."""
        self.batch(None, [(self.venues[SPOT], to_wad_toward_zero(eth))])

    def upkeep(self) -> None:
        """`checkUpkeep` sent as a transaction, so that its cold reads count."""
        anyone = self.world.chain.account(ANYONE)
        self.measure(
            "check_upkeep_16legs", anyone, self.world.contracts.fallback, "checkUpkeep", b""
        )

    def second_pool(self) -> str:
        """A pool of another fee tier beside the first, and its venue."""
        external = self.world.external
        uniswap = Uniswap(
            *(external[f"uniswap_{n}"] for n in ("factory", "positions", "router", "quoter"))
        )
        settings = PoolSettings(self.price_e8, 500 * WAD, SECOND_FEE, observations=50)
        runner = self._runner()
        market.ensure_ether(self.world.chain.web3, runner.account, 1_000 * WAD)
        pool = create_pool(runner, uniswap, self._tokens(), settings, runner.account)
        args = [external["house"], pool, external["usdc"], external["weth"], UNDERLYING]
        return self._register(runner.deploy("second spot", own("UniswapSpotVenue"), args))

    def perp(self) -> tuple[str, str]:
        """Perpetual Curie with a maker in its market; the venue and its market's price feed."""
        external, chain = self.world.external, self.world.chain
        runner, tokens = self._runner(), self._tokens()
        curie = deploy_curie(
            runner, tokens, external["feed"], external["uniswap_factory"], self.price_e8
        )
        for _ in range(3):
            chain.pass_until(chain.now_s() + HOUR_S)
            self.world.push_round(float(Decimal(self.price_e8).scaleb(-8)))
        provide(runner, curie, tokens, runner.account, self.price_e8, PERP_WETH * WAD)
        args = [
            external["authority"],
            external["house"],
            self.world.contracts.oracle.address,
            curie.clearing_house,
            curie.base,
            external["usdc"],
            UNDERLYING,
            self.world.parameters.perp.struct(),
        ]
        return self._register(runner.deploy("perp", own("CuriePerpVenue"), args)), curie.feed

    def _register(self, venue: str) -> str:
        chain, c = self.world.chain, self.world.contracts
        admin = chain.account(DEPLOYER)
        chain.send(admin, c.clearing, "setVenue", venue, True)
        chain.send(admin, c.hedger, "setVenueCap", venue, VENUE_CAP)
        return venue

    def _runner(self) -> DirectRunner:
        chain = self.world.chain
        return DirectRunner(chain.web3, chain.account(MAKER))

    def _tokens(self) -> Tokens:
        e = self.world.external
        return Tokens(e["usdc"], e["weth"], e["feed"], e["usdc_feed"])
