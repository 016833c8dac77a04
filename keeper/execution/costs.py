"""What a policy may count on a hedge to cost: the router asked for one of the band's size."""

from __future__ import annotations

from keeper.execution.orders import build_batch
from keeper.execution.routing_terms import OrderRules
from keeper.models import Costs, Snapshot
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
