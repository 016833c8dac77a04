"""The margin ladder's first three steps as orders: collateral, and moves between venues that leave the delta alone."""

from __future__ import annotations

from keeper.chain.calls import Order
from keeper.execution.orders import buy_back_wad
from keeper.execution.routing_terms import OrderRules, worst_price_usd
from keeper.models import Snapshot, VenueKind
from keeper.policies.margin_ladder import Action, Ladder, Step
from keeper.units import to_wad_down, to_wad_up


def collateral_orders(ladder: Ladder, snapshot: Snapshot, rules: OrderRules) -> tuple[Order, ...]:
    """An order of size 0 for each venue that the cash can bring to its target: less than that it would refuse."""
    limit = to_wad_down(worst_price_usd(True, snapshot, rules))
    mended = (a for a in ladder.actions if a.step is Step.TOP_UP)
    moved = {a.venue for a in ladder.actions if a.step in (Step.MIGRATE, Step.REDUCE)}
    stuck = ladder.missing_usd > 0.0
    return tuple(Order(a.venue, 0, limit) for a in mended if a.venue not in moved and not stuck)


def moves(ladder: Ladder, snapshot: Snapshot, rules: OrderRules) -> tuple[Order, ...]:
    """The first migration or reduction, whose two orders sum to nothing; one a batch, as the contract measures it.

    What brings cash or frees room comes first: a purchase out of collateral, then the sale elsewhere; or the sale of
    what is held, then the purchase that it pays for.
    """
    action = next((a for a in ladder.actions if a.step in (Step.MIGRATE, Step.REDUCE)), None)
    if action is None:
        return ()
    mended = next(v for v in snapshot.venues if v.address == action.venue)
    size = buy_back_wad(mended, action.eth)
    buy = Order(action.venue, size, to_wad_down(worst_price_usd(True, snapshot, rules)))
    sold_at = action.to if action.step is Step.MIGRATE else _spot_venue(snapshot, action)
    if not sold_at:
        return ()
    sell = Order(sold_at, -size, to_wad_up(worst_price_usd(False, snapshot, rules)))
    return (buy, sell) if action.step is Step.MIGRATE else (sell, buy)


def _spot_venue(snapshot: Snapshot, action: Action) -> str:
    """The cheapest place to sell what is held, another pool than the purchase's where there is one."""
    spots = [v for v in snapshot.venues if v.kind is VenueKind.UNISWAP_SPOT]
    pool = next((v.pool for v in snapshot.venues if v.address == action.venue), "")
    best = min(spots, key=lambda v: (v.fee, v.pool == pool), default=None)
    return best.address if best else ""
