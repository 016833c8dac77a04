"""What a policy may count on a hedge to cost, and how it pushes the price: the router asked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from keeper.chain.calls import Order
from keeper.execution.orders import build_batch
from keeper.execution.routing_terms import OrderRules
from keeper.models import Costs, Snapshot, VenueKind
from keeper.units import WAD


def expected_costs(snapshot: Snapshot, rules: OrderRules, gas_per_rebalance: int) -> Costs:
    """Gas of one rebalance at the block's base fee, and the dearer side of a hedge as large as the band.

    Never under the cheapest venue's fee, which a pool that stands on the right side of the oracle seems to beat; the
    dearest venue's where nothing of that size can be traded at all.
    """
    price_wei = snapshot.base_fee_wei + rules.priority_fee_wei
    fixed = gas_per_rebalance * price_wei / WAD * snapshot.spot_usd
    fees = [venue.fee for venue in snapshot.venues]
    if not fees:
        return Costs(fixed, 0.0)
    size = max(snapshot.rules.band_eth, rules.min_clip_eth)
    sides = [build_batch(trade, snapshot, rules) for trade in (size, -size)]
    traded = [(b.cost_usd, (size - abs(b.left_over_eth)) * snapshot.spot_usd) for b in sides]
    shares = [cost / usd for cost, usd in traded if usd > 0.0]
    return Costs(fixed, max(*shares, min(fees)) if shares else max(fees))


def gas_of(
    orders: Sequence[Order], snapshot: Snapshot, rules: OrderRules, gas_per_rebalance: int
) -> int:
    """Gas that a batch is expected to stay under: a rebalance of one order, and what each further one may add."""
    perps = {v.address for v in snapshot.venues if v.kind is VenueKind.PERP_SHORT}
    dear = sum(order.venue in perps for order in orders)
    further = max(len(orders) - dear - 1, 0)
    return gas_per_rebalance + further * rules.gas_short + dear * rules.gas_perp


def impact_of(trade_eth: float, snapshot: Snapshot, rules: OrderRules) -> float:
    """Slope of the marginal price over a trade, USD per ETH per ETH, from the router's costs of it and of its half."""
    if abs(trade_eth) < 2.0 * rules.min_clip_eth:
        return 0.0
    whole, half = (build_batch(size, snapshot, rules) for size in (trade_eth, trade_eth / 2.0))
    filled = abs(trade_eth) - abs(whole.left_over_eth)
    if filled < abs(trade_eth) * (1.0 - 1e-9):
        half = build_batch(math.copysign(filled / 2.0, trade_eth), snapshot, rules)
    if filled <= 0.0:
        return 0.0
    return max(4.0 * (whole.cost_usd - 2.0 * half.cost_usd) / filled**2, 0.0)
