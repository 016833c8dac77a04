"""Venue adapters: what never changes about them, and what their positions cost to keep."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from keeper.chain.client import NodeClient
from keeper.chain.deployment import Deployment, Venue
from keeper.chain.multicall import Answers, Query, ask
from keeper.chain.pools import PoolFacts
from keeper.models import VenueKind, VenueState
from keeper.units import from_wad

_NO_DEBT = 2**255
_RAY = 10**27
_PIPS = 1_000_000
_CONTRACT = {
    VenueKind.UNISWAP_SPOT: "UniswapSpotVenue",
    VenueKind.AAVE_SHORT: "AaveShortVenue",
    VenueKind.PERP_SHORT: "CuriePerpVenue",
}
# A perpetual pays its funding by the day, in proportion to how far its price is from the index.
_FUNDING_PER_YEAR = 365.0
# Both of Curie's virtual tokens have 18 decimals.
_VIRTUAL = {"scale": 1e18, "unit": 1.0}


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """A venue and where it trades. Addresses are empty where the adapter names none.

    `lender` is Aave's pool; `exchange` is Curie's, which tells the mark, and `pool` then the one of virtual tokens.
    """

    venue: Venue
    manager: str = ""
    pool: str = ""
    lender: str = ""
    exchange: str = ""
    quote_token: str = ""
    base_token: str = ""

    def queries(self) -> tuple[Query, ...]:
        """What is asked at every block."""
        at = self.venue.address
        always = (Query("IHedgeVenue", at, "position"), Query("IHedgeVenue", at, "health"))
        return (*always, *self._cap(), *self._lending(), *self._margin())

    def state(self, answers: Answers, spot_usd: float) -> VenueState:
        """The venue as the models know it."""
        at = self.venue.address
        base, quote = answers[Query("IHedgeVenue", at, "position")]
        (health,) = answers[Query("IHedgeVenue", at, "health")]
        ratio, carry = self._terms(answers, spot_usd)
        cap = next((answers[query][0] for query in self._cap()), None)
        return VenueState(
            address=at,
            kind=self.venue.kind,
            base_eth=from_wad(base),
            quote_usd=from_wad(quote),
            health=math.inf if health >= _NO_DEBT else from_wad(health),
            fee=self.venue.fee,
            pool=self.pool,
            carry_rate=carry,
            collateral_ratio=ratio,
            cap_eth=math.inf if cap is None else from_wad(cap),
            base_wad=base,
        )

    def _cap(self) -> tuple[Query, ...]:
        """What a venue that holds a position may hold."""
        if not self.venue.kind.shorts:
            return ()
        return (Query("HedgeManager", self.manager, "venueCap", (self.venue.address,)),)

    def _margin(self) -> tuple[Query, ...]:
        if not self.exchange:
            return ()
        mark = (self.base_token, 0)
        return (
            Query("CuriePerpVenue", self.venue.address, "parameters", (), optional=True),
            Query("IPerpExchange", self.exchange, "getSqrtMarkTwapX96", mark, optional=True),
        )

    def _lending(self) -> tuple[Query, ...]:
        if not self.lender:
            return ()
        at = self.venue.address
        return (
            Query("AaveShortVenue", at, "parameters", (), optional=True),
            Query("AaveShortVenue", at, "liquidation", (), optional=True),
            Query("IAavePool", self.lender, "getReserveData", (self.base_token,), optional=True),
            Query("IAavePool", self.lender, "getReserveData", (self.quote_token,), optional=True),
        )

    def _terms(self, answers: Answers, spot_usd: float) -> tuple[float, float]:
        """USD of collateral per USD owed at the venue's target, and what a short costs a year net of what it earns."""
        found = [answers.get(query) for query in (*self._lending(), *self._margin())]
        if not found or any(values is None for values in found):
            return 0.0, 0.0
        own, *rest = (values for values in found if values is not None)
        if self.exchange:
            ((root,),) = rest
            above = (root / 2**96) ** 2 / spot_usd - 1.0
            return from_wad(own[0][0]), -above * _FUNDING_PER_YEAR
        liquidation, base, quote = rest
        threshold = from_wad(liquidation[0])
        ratio = from_wad(own[0][0]) / threshold if threshold > 0.0 else 0.0
        borrow, supply = base[0][4] / _RAY, quote[0][2] / _RAY
        return ratio, borrow - ratio * supply


def read_facts(
    node: NodeClient, deployment: Deployment, block: int
) -> tuple[tuple[VenueFacts, ...], tuple[PoolFacts, ...]]:
    """Facts of all venues and of the pools that they trade on, in five requests at most."""
    multicall = deployment.multicall
    wanted = {v: _facts_queries(v) for v in deployment.venues}
    queries = [query for named in wanted.values() for query in named.values()]
    answers = ask(node, multicall, queries, block)
    manager = deployment.address("HedgeManager")
    venues = tuple(
        VenueFacts(
            v, manager, **{name: str(answers[q][0]) for name, q in named.items() if q in answers}
        )
        for v, named in wanted.items()
    )
    venues = _with_virtual_pools(node, multicall, venues, block)
    return venues, _pool_facts(node, multicall, venues, block)


def _facts_queries(venue: Venue) -> dict[str, Query]:
    """By the field of VenueFacts that they fill."""
    contract = _CONTRACT.get(venue.kind)
    if contract is None:
        return {}
    views = {"pool": "pool", "quote_token": "usdc", "base_token": "weth"}
    if venue.kind is VenueKind.PERP_SHORT:
        views = {"exchange": "exchange", "quote_token": "usdc", "base_token": "baseToken"}
    if venue.kind is VenueKind.AAVE_SHORT:
        views["lender"] = "aavePool"
    return {
        name: Query(contract, venue.address, view, (), optional=True)
        for name, view in views.items()
    }


def _with_virtual_pools(
    node: NodeClient, multicall: str, venues: tuple[VenueFacts, ...], block: int
) -> tuple[VenueFacts, ...]:
    """Each perpetual with the pool behind it, which the exchange's registry names."""
    by_exchange = {
        f: Query("IPerpExchange", f.exchange, "getMarketRegistry", (), optional=True)
        for f in venues
        if f.exchange
    }
    registries = ask(node, multicall, list(by_exchange.values()), block)
    by_registry = {
        f: Query("IPerpMarketRegistry", registries[q][0], "getPool", (f.base_token,), optional=True)
        for f, q in by_exchange.items()
        if q in registries
    }
    pools = ask(node, multicall, list(by_registry.values()), block)
    named = {f: str(pools[q][0]) for f, q in by_registry.items() if q in pools}
    return tuple(replace(f, pool=named.get(f, f.pool)) for f in venues)


def _pool_facts(
    node: NodeClient, multicall: str, venues: tuple[VenueFacts, ...], block: int
) -> tuple[PoolFacts, ...]:
    """Of each pool once."""
    names = ("token0", "fee", "tickSpacing")
    by_pool = {f.pool: f for f in venues if f.pool}
    queries = {
        pool: [Query("IUniswapV3Pool", pool, name, (), optional=True) for name in names]
        for pool in by_pool
    }
    answers = ask(node, multicall, [q for each in queries.values() for q in each], block)
    found = []
    for pool, facts in by_pool.items():
        if all(q in answers for q in queries[pool]):
            token0, fee, spacing = (answers[q][0] for q in queries[pool])
            first = str(token0).lower() == facts.base_token.lower()
            if facts.exchange:  # which takes a fee of its own and gives the pool's back
                found.append(PoolFacts(pool, first, facts.venue.fee, spacing, **_VIRTUAL))
            else:
                found.append(PoolFacts(pool, first, fee / _PIPS, spacing))
    return tuple(found)
