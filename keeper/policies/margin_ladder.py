"""What is done, in which order, before a venue's or the vault's margin nears its threshold.

    1. top up      cash of the vault becomes collateral of the venue that is low
    2. migrate     part of its short moves to a venue that needs less collateral for it
    3. reduce      held WETH is sold and the same amount of debt bought back: gross falls, net stays
    4. buy back    makers' quotes that lower gamma and vega: what margin is asked for
    5. stop        the desk quotes no new risk

Each step is taken as far as it goes, and the next only for what is still missing. The first three mend a venue, the
last two the vault's own margin, or a venue that the first three could not mend. Venues are watched by health (1.0 is
their own threshold), the vault by equity over maintenance margin. Nothing here waits for the threshold: every step
has a distance to it at which it begins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from keeper.models import Snapshot, VenueState
from keeper.policies.parameters import PolicyParameters

_CENT = 0.01


class Step(StrEnum):
    """In the order in which they are taken."""

    TOP_UP = "top_up"
    MIGRATE = "migrate"
    REDUCE = "reduce_gross"
    BUY_BACK = "buy_back"
    STOP = "stop_quoting"


class LadderRules(PolicyParameters):
    """Where each step begins."""

    mend_below: float = Field(
        default=1.3, gt=1.0, description="health of a venue under which it is mended"
    )
    keep_cash: float = Field(
        default=0.02,
        ge=0.0,
        lt=1.0,
        description="share of the vault's cash that no top-up touches: the next hedge needs some",
    )
    buy_back_below: float = Field(
        default=1.5,
        gt=1.0,
        description="equity over maintenance margin under which options are bought back by quotes",
    )
    stop_below: float = Field(
        default=1.25,
        gt=1.0,
        description="equity over maintenance margin under which the desk quotes no new risk",
    )
    min_clip_eth: float = Field(default=0.05, gt=0.0, description="no smaller move of a position")


@dataclass(frozen=True, slots=True)
class Action:
    """One step: what it moves, and how much of what was missing it covers, USD.

    `venue` is the one to be mended, `to` where a migrated short goes.
    """

    step: Step
    reason: str
    venue: str = ""
    to: str = ""
    eth: float = 0.0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """The actions that are due, in their order, and the USD of collateral that they leave missing."""

    actions: tuple[Action, ...]
    missing_usd: float = 0.0

    def has(self, step: Step) -> bool:
        """Whether a step is due."""
        return any(action.step is step for action in self.actions)

    @property
    def highest(self) -> int:
        """Number of the last step taken, 0 for none: what a person watches."""
        order = list(Step)
        return max((order.index(a.step) + 1 for a in self.actions), default=0)


def margin_ladder(snapshot: Snapshot, rules: LadderRules) -> Ladder:
    """Pure: everything is in the snapshot."""
    cash = max(snapshot.cash_usd, 0.0) * (1.0 - rules.keep_cash)
    held, actions, missing = max(snapshot.base_eth, 0.0), [], 0.0
    shorts = [v for v in snapshot.venues if v.kind.shorts]
    for venue in sorted(shorts, key=lambda v: v.health):
        if not venue.health < rules.mend_below:
            continue
        short_usd = _missing_usd(venue, snapshot)
        top = min(short_usd, cash)
        if top > 0.0 or venue.collateral_ratio == 0.0:
            why = f"health {venue.health:.3f} is under {rules.mend_below:g}"
            actions.append(Action(Step.TOP_UP, why, venue.address, usd=top))
        cash, rest = cash - top, short_usd - top
        for move in (_migrations, _reductions):
            for action in move(venue, rest, shorts, held, snapshot, rules):
                actions.append(action)
                rest = rest - action.usd if rest - action.usd > _CENT else 0.0
                held -= action.eth if action.step is Step.REDUCE else 0.0
        missing += rest
    actions += _for_the_vault(snapshot, missing, rules)
    order = list(Step)
    return Ladder(tuple(sorted(actions, key=lambda a: order.index(a.step))), missing)


def _missing_usd(venue: VenueState, snapshot: Snapshot) -> float:
    """Collateral up to the venue's own target; 0 where it is not known what that takes."""
    wanted = venue.collateral_ratio * max(-venue.base_eth, 0.0) * snapshot.spot_usd
    return max(wanted - venue.collateral_usd(snapshot.spot_usd), 0.0)


def _migrations(
    venue: VenueState,
    rest_usd: float,
    shorts: Sequence[VenueState],
    _held: float,
    snapshot: Snapshot,
    rules: LadderRules,
) -> list[Action]:
    """Bought back here out of the collateral, sold again where the same short ties up less."""
    found, left = [], max(-venue.base_eth, 0.0)
    others = [v for v in shorts if v.address != venue.address and v.collateral_ratio > 0.0]
    for other in sorted(others, key=lambda v: v.collateral_ratio):
        # Closing an ETH frees its share and pays for it; opening it there ties up the other's ratio.
        relief = snapshot.spot_usd * (venue.collateral_ratio - 1.0 - other.collateral_ratio)
        if rest_usd <= 0.0 or relief <= 0.0 or other.health < rules.mend_below:
            continue
        room = max(other.cap_eth - abs(other.base_eth), 0.0)
        eth = min(max(rest_usd / relief, rules.min_clip_eth), left, room)
        if eth >= rules.min_clip_eth:
            why = f"cash is short by {rest_usd:.2f} USD"
            found.append(Action(Step.MIGRATE, why, venue.address, other.address, eth, eth * relief))
            rest_usd, left = rest_usd - eth * relief, left - eth
    return found


def _reductions(
    venue: VenueState,
    rest_usd: float,
    _shorts: Sequence[VenueState],
    held: float,
    snapshot: Snapshot,
    rules: LadderRules,
) -> list[Action]:
    """What is held pays for what is owed."""
    relief = snapshot.spot_usd * max(venue.collateral_ratio, 1.0)
    eth = min(max(rest_usd / relief, rules.min_clip_eth), held, max(-venue.base_eth, 0.0))
    if rest_usd <= 0.0 or eth < rules.min_clip_eth:
        return []
    why = f"{rest_usd:.2f} USD of collateral are still missing"
    return [Action(Step.REDUCE, why, venue.address, "", eth, eth * relief)]


def _for_the_vault(snapshot: Snapshot, missing_usd: float, rules: LadderRules) -> list[Action]:
    """Margin of the vault, and what no venue could be mended by."""
    cover = _cover(snapshot)
    found = []
    stuck = missing_usd > 0.0
    if cover < rules.buy_back_below or stuck:
        why = (
            f"{missing_usd:.2f} USD of collateral cannot be found"
            if stuck
            else f"equity is {cover:.3f} times the maintenance margin"
        )
        found.append(Action(Step.BUY_BACK, why))
    if cover < rules.stop_below or stuck:
        found.append(Action(Step.STOP, found[0].reason if found else ""))
    return found


def _cover(snapshot: Snapshot) -> float:
    """Equity over maintenance margin; infinite where nothing is asked for or nothing was read."""
    asked = snapshot.maintenance_margin_usd
    return snapshot.equity_usd / asked if asked > 0.0 else math.inf
