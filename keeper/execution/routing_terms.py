"""A snapshot in the router's terms: which routes there are, how far each goes, what it costs and the cash it needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from keeper.execution.routing_depth import pool_curve, unknown_depth
from keeper.execution.routing_records import Problem, Route, Stage
from keeper.models import PoolDepth, Snapshot, VenueKind, VenueState
from keeper.units import SECONDS_PER_YEAR, WAD

# Floats of spot and slippage are good to 1e-16; this keeps a limit inside the contract's after both roundings.
_INSIDE = 1.0 - 1e-9
# Part of the cash that a batch may use: fees, and what prices and debts do before it is mined.
_CASH_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class OrderRules:
    """`min_clip_eth` ETH; `max_slippage` share of spot, None for the contract's own.

    `price_tolerance` is by which share a fill's limit may be worse than the price it is planned to end at. A position
    is expected to stay for `holding_s`; cash that it ties up would earn `cash_rate` a year. `gas_*` is what one more
    venue of a kind adds to a batch, at the block's base fee and `priority_fee_wei`.
    """

    min_clip_eth: float
    max_slippage: float | None
    price_tolerance: float = 0.002
    holding_s: float = 172_800.0
    cash_rate: float = 0.04
    gas_spot: int = 130_000
    gas_short: int = 530_000
    gas_perp: int = 2_800_000
    priority_fee_wei: int = 0


def worst_price_usd(buy: bool, snapshot: Snapshot, rules: OrderRules) -> float:
    """Worst acceptable price in USD per ETH: inside the contract's slippage limit, and our own."""
    own = snapshot.rules.max_slippage
    slippage = own if rules.max_slippage is None else min(rules.max_slippage, own)
    return snapshot.spot_usd * (1.0 + (slippage if buy else -slippage) * _INSIDE)


def routing_problem(trade_eth: float, snapshot: Snapshot, rules: OrderRules) -> Problem:
    """How to trade a signed amount: what is open is closed first, the rest opens."""
    buy, worst = trade_eth > 0, worst_price_usd(trade_eth > 0, snapshot, rules)
    depths = {_pool(v): _depth(v, snapshot) for v in snapshot.venues}
    routes = tuple(
        route for venue in snapshot.venues for route in _routes(venue, buy, worst, snapshot, rules)
    )
    size = abs(trade_eth)
    closing = [route for route in routes if route.stage is Stage.CLOSE]
    if buy:
        open_now = math.fsum(route.cap_eth for route in closing)
    else:
        open_now = max((route.cap_eth for route in closing), default=0.0)
    first = min(size, open_now)
    first = first if first >= rules.min_clip_eth else 0.0
    reach = math.fsum(
        pool_curve(depths[r.pool], buy, worst).until(r.cap_eth).capacity for r in closing
    )
    stuck = max(first - reach, 0.0)
    later = size - first + min(stuck, _gross_room(snapshot) / 2.0)
    cash = snapshot.cash_usd * _CASH_SHARE - _owed_collateral(snapshot)
    return Problem(
        buy=buy,
        routes=routes,
        totals=(first, later if later >= rules.min_clip_eth else 0.0),
        worst_usd=worst,
        clip_eth=rules.min_clip_eth,
        cash_usd=max(cash, 0.0),
        depths=depths,
    )


def owed_eth(venue: VenueState) -> float:
    """ETH that a venue's short owes."""
    return max(-venue.base_eth, 0.0)


def _routes(
    venue: VenueState, buy: bool, worst: float, snapshot: Snapshot, rules: OrderRules
) -> list[Route]:
    fixed = _gas(venue, rules) * (snapshot.base_fee_wei + rules.priority_fee_wei) / WAD
    years = rules.holding_s / SECONDS_PER_YEAR

    def route(stage: Stage, cap: float, carry: float, cash: float) -> Route:
        usd = fixed * snapshot.spot_usd
        return Route(venue.address, _pool(venue), stage, cap, usd, carry, cash)

    if not venue.kind.shorts and buy:
        # Held WETH is nobody's: it goes back through the cheapest pool, whichever it came from.
        back = min(v.fee for v in snapshot.venues if not v.kind.shorts)
        return [route(Stage.OPEN, _most(snapshot, worst), back + rules.cash_rate * years, worst)]
    if not venue.kind.shorts:
        held = max(math.nextafter(snapshot.base_eth, 0.0), 0.0)
        return [route(Stage.CLOSE, held, 0.0, -worst)] if held > 0.0 else []
    if buy:
        owed = owed_eth(venue)
        freed = max(venue.quote_usd, 0.0) / owed if owed > 0.0 else 0.0
        needs = max(worst - freed, 0.0) if venue.kind is VenueKind.AAVE_SHORT else 0.0
        return [route(Stage.CLOSE, owed, 0.0, needs)] if owed > 0.0 else []
    tied = venue.collateral_ratio
    carry = venue.fee + (venue.carry_rate + rules.cash_rate * tied) * years
    dear = max(_dear(snapshot), _depth(venue, snapshot).price_usd)
    # A perpetual's sale brings no cash; margin makes up for what its limit is worse than the price.
    brings = worst if venue.kind is VenueKind.AAVE_SHORT else worst - dear
    needs = max(tied * dear - brings, 0.0) if tied > 0.0 else 0.0
    room = min(max(venue.cap_eth - owed_eth(venue), 0.0), _most(snapshot, worst))
    return [route(Stage.OPEN, room, carry, needs)]


def _most(snapshot: Snapshot, worst: float) -> float:
    """ETH that everything the vault is worth could trade several times over: no limit, yet a number."""
    return 100.0 * (abs(snapshot.equity_usd) + abs(snapshot.cash_usd) + snapshot.spot_usd) / worst


def _owed_collateral(snapshot: Snapshot) -> float:
    """USD that venues short of their own target will take out of the cash, less what they could spare.

    What is spare counts only where one venue shorts: another could not use it.
    """
    shorts = [v for v in snapshot.venues if v.kind.shorts and v.collateral_ratio > 0.0]
    missing = [
        v.collateral_ratio * owed_eth(v) * _dear(snapshot) - v.collateral_usd(snapshot.spot_usd)
        for v in shorts
    ]
    if len(missing) == 1:
        return missing[0]
    return math.fsum(max(usd, 0.0) for usd in missing)


def _dear(snapshot: Snapshot) -> float:
    """A lending venue takes the dearer of two oracles: room for the other one."""
    return snapshot.spot_usd * 1.002


def _gross_room(snapshot: Snapshot) -> float:
    """ETH by which gross may still exceed |net|."""
    bases = [snapshot.base_eth, *(venue.base_eth for venue in snapshot.venues)]
    excess = math.fsum(abs(base) for base in bases) - abs(math.fsum(bases))
    return max(snapshot.rules.gross_cap_eth - excess, 0.0)


def _gas(venue: VenueState, rules: OrderRules) -> int:
    if venue.kind is VenueKind.UNISWAP_SPOT:
        return rules.gas_spot
    return rules.gas_short if venue.kind is VenueKind.AAVE_SHORT else rules.gas_perp


def _pool(venue: VenueState) -> str:
    return venue.pool or venue.address


def _depth(venue: VenueState, snapshot: Snapshot) -> PoolDepth:
    known = next((d for d in snapshot.depths if d.address == venue.pool), None)
    return known or unknown_depth(_pool(venue), snapshot.spot_usd, venue.fee)
