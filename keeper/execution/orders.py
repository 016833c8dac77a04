"""A plan becomes a batch of orders over the venues.

What is held is sold before anything is borrowed, what is owed is repaid before anything is bought: gross exposure
stays next to net, as the contract wants it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from keeper.chain.calls import Order
from keeper.errors import Halt
from keeper.models import Snapshot, VenueKind, VenueState
from keeper.units import to_wad_down, to_wad_toward_zero, to_wad_up

# Floats of spot and slippage are good to 1e-16; this keeps a limit inside the contract's after both roundings.
_INSIDE = 1.0 - 1e-9
# A debt that is to go altogether grows until the block; the venue takes no more than is owed by then.
_INTEREST = 1.0 + 1e-6
# Part of the cash that a spot purchase may use: fees and a move of the price before it is mined.
_CASH_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class OrderRules:
    """`min_clip_eth` ETH; `max_slippage` share of spot, None for the contract's own; `restore_below_health`."""

    min_clip_eth: float
    max_slippage: float | None
    restore_below_health: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Orders in the order they must run, and the ETH that the plan wanted but no venue could take."""

    orders: tuple[Order, ...]
    left_over_eth: float

    @property
    def trades(self) -> bool:
        """Whether anything is bought or sold, collateral aside."""
        return any(order.base_wad for order in self.orders)


def build_batch(trade_eth: float, snapshot: Snapshot, rules: OrderRules) -> Batch:
    """Orders for a signed amount of ETH, and first a collateral order for each lending venue that is low.

    Raises Halt when it is not a number, or the deployment has no venue for it.
    """
    if not math.isfinite(trade_eth):
        raise Halt(f"the plan trades {trade_eth!r} ETH: the policy is at fault, nothing was sent")
    clips = (
        _sell(-trade_eth, snapshot, rules) if trade_eth < 0 else _buy(trade_eth, snapshot, rules)
    )
    limit = limit_price_wad(trade_eth, snapshot, rules)
    sign = math.copysign(1.0, trade_eth)
    orders = [_order(venue, sign * size, limit) for venue, size in clips]
    wanted = abs(trade_eth) - math.fsum(size for _, size in clips)
    return Batch((*_restorations(snapshot, rules, limit), *orders), sign * max(wanted, 0.0))


def limit_price_wad(trade_eth: float, snapshot: Snapshot, rules: OrderRules) -> int:
    """Worst acceptable price, WAD USD per ETH, rounded inside the contract's slippage limit."""
    own = snapshot.rules.max_slippage
    slippage = own if rules.max_slippage is None else min(rules.max_slippage, own)
    if trade_eth < 0:
        return to_wad_up(snapshot.spot_usd * (1.0 - slippage * _INSIDE))
    return to_wad_down(snapshot.spot_usd * (1.0 + slippage * _INSIDE))


def _sell(size: float, snapshot: Snapshot, rules: OrderRules) -> list[tuple[VenueState, float]]:
    held = _at_most(snapshot.base_eth)
    spot_part = min(size, held)
    clips = []
    spot = _venue(snapshot, VenueKind.UNISWAP_SPOT)
    if spot is not None and spot_part >= rules.min_clip_eth:
        clips.append((spot, spot_part))
        size -= spot_part
    short = _venue(snapshot, VenueKind.AAVE_SHORT)
    if short is not None and size >= rules.min_clip_eth:
        clips.append((short, size))
    return _some(clips, snapshot)


def _buy(size: float, snapshot: Snapshot, rules: OrderRules) -> list[tuple[VenueState, float]]:
    clips = []
    short = _venue(snapshot, VenueKind.AAVE_SHORT)
    if short is not None:
        repaid = min(size, _owed(short))
        if repaid >= rules.min_clip_eth:
            clips.append((short, repaid))
            size -= repaid
    spot = _venue(snapshot, VenueKind.UNISWAP_SPOT)
    if spot is not None:
        bought = min(size, max(snapshot.cash_usd, 0.0) * _CASH_SHARE / snapshot.spot_usd)
        if bought >= rules.min_clip_eth:
            clips.append((spot, bought))
    return _some(clips, snapshot)


def _some(
    clips: list[tuple[VenueState, float]], snapshot: Snapshot
) -> list[tuple[VenueState, float]]:
    if not snapshot.venues:
        raise Halt("the deployment record lists no hedge venue: deploy one and register it")
    return clips


def _order(venue: VenueState, base_eth: float, limit: int) -> Order:
    if venue.kind is VenueKind.AAVE_SHORT and base_eth == _owed(venue):
        base_eth *= _INTEREST
    return Order(venue.address, to_wad_toward_zero(base_eth), limit)


def _owed(short: VenueState) -> float:
    return max(-short.base_eth, 0.0)


def _restorations(snapshot: Snapshot, rules: OrderRules, limit: int) -> Sequence[Order]:
    return [
        Order(venue.address, 0, limit)
        for venue in snapshot.venues
        if venue.kind is VenueKind.AAVE_SHORT and venue.health < rules.restore_below_health
    ]


def _venue(snapshot: Snapshot, kind: VenueKind) -> VenueState | None:
    return next((venue for venue in snapshot.venues if venue.kind is kind), None)


def _at_most(amount: float) -> float:
    """A float that is not above the chain's integer, which the amount may have been rounded up from."""
    return max(math.nextafter(amount, 0.0), 0.0)
