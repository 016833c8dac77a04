"""Calldata of what the keeper sends, and what its receipts say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.chain.bindings import Log, binding


@dataclass(frozen=True, slots=True)
class Order:
    """IHedgeManager.Order: WAD ETH (+ buys, 0 restores collateral) and WAD USD per ETH."""

    venue: str
    base_wad: int
    limit_price_wad: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Limits:
    """IHedgeManager.Limits: fencing epoch, unix seconds, wei per gas, the journal's work id."""

    epoch: int
    deadline_s: int
    max_base_fee_wei: int
    work_id: bytes


@dataclass(frozen=True, slots=True)
class SliceInput:
    """IVolSurface.SliceInput: packed slice and WAD carry per year."""

    expiry_s: int
    word: int
    carry_wad: int


@dataclass(frozen=True, slots=True)
class Rebalanced:
    """The event of a mined rebalance, WAD throughout."""

    delta_before_wad: int
    delta_after_wad: int
    filled_base_wad: int
    nav_change_wad: int
    spot_wad: int
    budget_left_wad: int


def rebalance_data(orders: Sequence[Order], limits: Limits) -> bytes:
    """Calldata of HedgeManager.rebalance."""
    return binding("HedgeManager").encode(
        "rebalance",
        [(o.venue, o.base_wad, o.limit_price_wad, o.data) for o in orders],
        (limits.epoch, limits.deadline_s, limits.max_base_fee_wei, limits.work_id),
    )


def commit_data(underlying: int, reference_spot_wad: int, slices: Sequence[SliceInput]) -> bytes:
    """Calldata of VolSurface.commit; slices ascending by expiry."""
    return binding("VolSurface").encode(
        "commit",
        underlying,
        reference_spot_wad,
        [(s.expiry_s, s.word, s.carry_wad) for s in slices],
    )


def rebalanced(logs: Sequence[Log], hedge_manager: str) -> Rebalanced | None:
    """What a rebalance did, from its receipt's logs; None when it is not there."""
    found = binding("HedgeManager").find_event("Rebalanced", logs, hedge_manager)
    if found is None:
        return None
    return Rebalanced(
        delta_before_wad=found["deltaBefore"],
        delta_after_wad=found["deltaAfter"],
        filled_base_wad=found["filledBase"],
        nav_change_wad=found["navChange"],
        spot_wad=found["spot"],
        budget_left_wad=found["budgetLeft"],
    )
