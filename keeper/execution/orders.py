"""A plan becomes a batch of orders over the venues, by the cheapest split that the router finds.

What is held is sold before anything is borrowed, what is owed is repaid before anything is bought: gross exposure
stays next to net, as the contract wants it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from keeper.chain.calls import Order
from keeper.errors import Halt
from keeper.execution.routing import best_split
from keeper.execution.routing_records import Fill
from keeper.execution.routing_terms import (
    OrderRules,
    owed_eth,
    routing_problem,
    worst_price_usd,
)
from keeper.models import Snapshot, VenueKind, VenueState
from keeper.units import to_wad_down, to_wad_toward_zero, to_wad_up

# A debt that is to go altogether grows until the block; the venue takes no more than is owed by then.
_INTEREST = 1.0 + 1e-6
# A perpetual's remainder smaller than this rounds to no margin at all, and the contract refuses to leave it.
_REMAINDER_ETH = 1e-4


@dataclass(frozen=True, slots=True)
class Batch:
    """Orders in the order they must run, and the ETH that the plan wanted but no venue could take.

    `cost_usd` is what the fills are expected to lose against the oracle's price; `gas_usd` their gas.
    """

    orders: tuple[Order, ...]
    left_over_eth: float
    cost_usd: float = 0.0
    gas_usd: float = 0.0

    @property
    def trades(self) -> bool:
        """Whether anything is bought or sold, collateral aside."""
        return any(order.base_wad for order in self.orders)


def build_batch(
    trade_eth: float, snapshot: Snapshot, rules: OrderRules, first: tuple[Order, ...] = ()
) -> Batch:
    """Orders for a signed amount of ETH, after those of `first`: collateral for venues that are low.

    Raises Halt when it is not a number, or the deployment has no venue for it.
    """
    if not math.isfinite(trade_eth):
        raise Halt(f"the plan trades {trade_eth!r} ETH: the policy is at fault, nothing was sent")
    if not snapshot.venues:
        raise Halt("the deployment record lists no hedge venue: deploy one and register it")
    if abs(trade_eth) < rules.min_clip_eth:
        return Batch(first, trade_eth)
    problem = routing_problem(trade_eth, snapshot, rules)
    split = best_split(problem)
    sign = math.copysign(1.0, trade_eth)
    orders = [_order(fill, sign, snapshot, rules) for fill in split.fills]
    left = max(abs(trade_eth) - split.eth, 0.0)
    paid = math.fsum(fill.paid_usd for fill in split.fills)
    cost = sign * (paid - split.eth * snapshot.spot_usd)
    return Batch((*first, *orders), sign * left, cost, split.fixed_usd)


def limit_price_wad(
    trade_eth: float, snapshot: Snapshot, rules: OrderRules, marginal_usd: float = math.nan
) -> int:
    """Worst acceptable price, WAD USD per ETH, rounded inside the contract's slippage limit.

    With the price that a fill is planned to end at: no worse than that by more than the tolerance.
    """
    buy = trade_eth > 0
    worst = worst_price_usd(buy, snapshot, rules)
    if math.isfinite(marginal_usd):
        near = marginal_usd * (1.0 + (rules.price_tolerance if buy else -rules.price_tolerance))
        worst = min(worst, near) if buy else max(worst, near)
    return to_wad_down(worst) if buy else to_wad_up(worst)


def _order(fill: Fill, sign: float, snapshot: Snapshot, rules: OrderRules) -> Order:
    venue = next(v for v in snapshot.venues if v.address == fill.route.venue)
    limit = limit_price_wad(sign, snapshot, rules, fill.marginal_usd)
    size = buy_back_wad(venue, fill.eth) if sign > 0 else -to_wad_toward_zero(fill.eth)
    return Order(venue.address, size, limit)


def buy_back_wad(venue: VenueState, eth: float) -> int:
    """WAD size of a purchase at a venue; of all that it owes where nothing worth a position would be left."""
    owed = owed_eth(venue)
    if venue.kind is VenueKind.AAVE_SHORT and eth >= owed * (1.0 - 1e-12):
        return to_wad_toward_zero(owed * _INTEREST)
    if venue.kind is VenueKind.PERP_SHORT and eth > owed - _REMAINDER_ETH:
        return -venue.base_wad or to_wad_toward_zero(owed)
    return to_wad_toward_zero(eth)
