"""Venue adapters: what never changes about them, and what their positions cost to keep."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
}


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """A venue and where it trades. Addresses are empty where the adapter names none."""

    venue: Venue
    pool: str = ""
    lender: str = ""
    quote_token: str = ""
    base_token: str = ""

    def queries(self) -> tuple[Query, ...]:
        """What is asked at every block."""
        at = self.venue.address
        always = (Query("IHedgeVenue", at, "position"), Query("IHedgeVenue", at, "health"))
        return always if not self.lender else (*always, *self._lending())

    def state(self, answers: Answers) -> VenueState:
        """The venue as the models know it."""
        at = self.venue.address
        base, quote = answers[Query("IHedgeVenue", at, "position")]
        (health,) = answers[Query("IHedgeVenue", at, "health")]
        ratio, carry = self._terms(answers)
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
        )

    def _lending(self) -> tuple[Query, ...]:
        at = self.venue.address
        return (
            Query("AaveShortVenue", at, "parameters", (), optional=True),
            Query("AaveShortVenue", at, "liquidation", (), optional=True),
            Query("IAavePool", self.lender, "getReserveData", (self.base_token,), optional=True),
            Query("IAavePool", self.lender, "getReserveData", (self.quote_token,), optional=True),
        )

    def _terms(self, answers: Answers) -> tuple[float, float]:
        """USD of collateral per USD owed at the target health, and what the short costs a year net of what it earns."""
        found = [answers.get(query) for query in self._lending()] if self.lender else []
        if not found or any(values is None for values in found):
            return 0.0, 0.0
        own, liquidation, base, quote = (values for values in found if values is not None)
        threshold = from_wad(liquidation[0])
        ratio = from_wad(own[0][0]) / threshold if threshold > 0.0 else 0.0
        borrow, supply = base[0][4] / _RAY, quote[0][2] / _RAY
        return ratio, borrow - ratio * supply


def read_facts(
    node: NodeClient, deployment: Deployment, block: int
) -> tuple[tuple[VenueFacts, ...], tuple[PoolFacts, ...]]:
    """Facts of all venues and of the pools that they trade on, in three requests at most."""
    multicall = deployment.multicall
    wanted = {v: _facts_queries(v) for v in deployment.venues}
    queries = [query for named in wanted.values() for query in named.values()]
    answers = ask(node, multicall, queries, block)
    venues = tuple(
        VenueFacts(v, **{name: str(answers[q][0]) for name, q in named.items() if q in answers})
        for v, named in wanted.items()
    )
    pools = {f.pool: f.base_token for f in venues if f.pool}
    return venues, _pool_facts(node, multicall, pools, block)


def _facts_queries(venue: Venue) -> dict[str, Query]:
    """By the field of VenueFacts that they fill."""
    contract = _CONTRACT.get(venue.kind)
    if contract is None:
        return {}
    views = {"pool": "pool", "quote_token": "usdc", "base_token": "weth"}
    if venue.kind is VenueKind.AAVE_SHORT:
        views["lender"] = "aavePool"
    return {
        name: Query(contract, venue.address, view, (), optional=True)
        for name, view in views.items()
    }


def _pool_facts(
    node: NodeClient, multicall: str, pools: dict[str, str], block: int
) -> tuple[PoolFacts, ...]:
    names = ("token0", "fee", "tickSpacing")
    queries = {
        pool: [Query("IUniswapV3Pool", pool, name, (), optional=True) for name in names]
        for pool in pools
    }
    answers = ask(node, multicall, [q for each in queries.values() for q in each], block)
    found = []
    for pool, base in pools.items():
        if all(q in answers for q in queries[pool]):
            token0, fee, spacing = (answers[q][0] for q in queries[pool])
            found.append(PoolFacts(pool, str(token0).lower() == base.lower(), fee / _PIPS, spacing))
    return tuple(found)
