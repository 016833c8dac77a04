"""I-05 by itself: a model of the delta rule in plain integers, and random books and batches to hold the contract to it.

Each trial names what the contract must do: the error that it must revert with, or none. Fills are at the oracle price,
so that no other rule can stop a batch.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from keeper.units import decode_series, unpack_leg
from tests.contracts.core_constants import FOREVER, HEDGE_PARAMETERS, HOUR, UNDERLYING, VOL, WAD
from tests.contracts.core_env import Core
from tests.stateful.core_revm import new_core
from tests.stateful.revm import Reverted

BAND, MIN_REDUCTION, CLIP = HEDGE_PARAMETERS[0], HEDGE_PARAMETERS[1], HEDGE_PARAMETERS[8]
GROSS_CAP = HEDGE_PARAMETERS[3]
DUST = 10**6
CAP = 40 * WAD
SPOT, PERP, OTHER = range(3)
BOOK_TRIALS = 250
Order = tuple[int, int]  # venue's place, WAD size


@dataclass
class State:
    """WAD: option delta, WETH of the account, positions of the two perpetuals, share of an order that is filled."""

    options: int
    base: int
    held: list[int]
    shares: list[int]

    @property
    def delta(self) -> int:
        return self.options + self.base + sum(self.held)

    @property
    def gross(self) -> int:
        return self.base + sum(map(abs, self.held))


@dataclass
class Tally:
    """What the trials came to; `expired` of them on books with legs past their expiry."""

    trials: int = 0
    expired: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def expected(s: State, orders: list[Order]) -> str:
    """Name of the error, or empty where the batch must pass. Changes `s` to what the batch leaves."""
    before, gross, base = s.delta, s.gross, s.base + sum(s.held)
    wrong, fills = False, []
    for venue, size in orders:
        right = s.delta < 0 if size > 0 else s.delta > 0
        if not right and len(orders) == 1:
            return "WrongSign"
        wrong = wrong or not right
        if venue == SPOT and -size > s.base:
            return "BaseShort"
        fill = abs(size) * s.shares[venue] // WAD * (1 if size > 0 else -1)
        fills.append(fill)
        if venue == SPOT:
            s.base += fill
        else:
            s.held[venue - 1] += fill
    filled, net = sum(map(abs, fills)), sum(fills)
    error = (
        _migration(before, gross, s, net) if wrong else _reduction(before, s.delta, filled)
    ) or _exposure(s, gross, base + net)
    return error or _caps(s, orders, fills)


def _reduction(before: int, later: int, filled: int) -> str:
    if abs(later) <= BAND:
        return ""
    if (before > 0) != (later > 0):
        return "DeltaOvershoot"
    share = -(-filled * MIN_REDUCTION // WAD)
    if abs(later) > abs(before) + DUST or abs(later) + share > abs(before) + DUST:
        return "DeltaNotReduced"
    return ""


def _migration(before: int, gross: int, s: State, net: int) -> str:
    if abs(net) > CLIP:
        return "WrongSign"
    if s.gross > gross + DUST:
        return "MigrationAddsGross"
    if abs(s.delta) > BAND and abs(s.delta) > abs(before) + DUST:
        return "MigrationAddsDelta"
    return ""


def _exposure(s: State, gross: int, net_base: int) -> str:
    over = s.gross > abs(net_base) + GROSS_CAP and s.gross > gross
    return "GrossExposureTooHigh" if over else ""


def _caps(s: State, orders: list[Order], fills: list[int]) -> str:
    for (venue, _), fill in zip(orders, fills, strict=True):
        if venue == SPOT or not any(s.held):
            continue
        held = s.held[venue - 1]
        if held and fill and (fill > 0) == (held > 0) and abs(held) > CAP:
            return "VenueOverCap"
    return ""


class RuleWorld:
    """A vault with a random option book, a spot venue and two perpetuals."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.core: Core = new_core()
        core, by = self.core, {"from": self.core.gov}
        core.fund(core.vault, 10_000_000, 500)
        for taker in core.takers[:2]:
            core.fund(taker, 5_000_000, 1_000)
        self.venues = [core.venue]
        for _ in (PERP, OTHER):
            venue = core.backend.deploy(
                "MockVenue", core.usdc, core.weth, core.clearinghouse, 2_000 * WAD
            )
            venue.setSynthetic(True, by)
            core.clearinghouse.setVenue(venue, True, by)
            core.hedge.setVenueCap(venue, CAP, by)
            self.venues.append(venue)
        self.tally = Tally()

    def run(self, trials: int) -> Tally:
        """Raises AssertionError with the whole trial where contract and model disagree."""
        chain = self.core.backend.chain
        while self.tally.trials < trials:
            if self.random.random() < 0.2:
                self._hour()
            book = chain.snapshot()
            self._book()
            expired = self._pass_an_expiry() if self.random.random() < 0.4 else False
            for _ in range(min(BOOK_TRIALS, trials - self.tally.trials)):
                before = chain.snapshot()
                self._trial()
                self.tally.expired += expired
                chain.revert(before)
            chain.revert(book)
        return self.tally

    def _hour(self) -> None:
        """Time passes for all books to come; feed and surface are renewed."""
        core = self.core
        core.warp(core.now + HOUR)
        core.set_spot(2_000.0)
        core.commit(core.slice(VOL, 14))

    def _book(self) -> None:
        """Legs at random; what WETH is left makes the account's base."""
        core, draw = self.core, self.random
        legs: dict[int, float] = {}
        for _ in range(draw.randint(0, 10)):
            series = core.series(
                draw.choice([days for days in (1, 7, 14) if core.expiry(days) > core.now]),
                draw.choice((1_600, 1_800, 2_000, 2_200, 2_600)),
                draw.random() < 0.5,
            )
            legs[series] = round(draw.uniform(-20, 20), 3) or 1.0
        for series, size in legs.items():
            core.trade(core.vault, core.takers[0], [(series, size)])
        left = draw.randrange(30 * WAD)
        core.clearinghouse.withdrawBase(
            core.base(core.vault) - left, core.vault, {"from": core.vault}
        )

    def _pass_an_expiry(self) -> bool:
        """The first expiry of the book goes by, proven or not; whether the book had one before the last."""
        core, draw = self.core, self.random
        days = [d for d in (1, 7) if core.expiry(d) > core.now]
        held = [
            d
            for d in days
            if any(core.expiry(d) == decode_series(s)[1] for s in core.legs(core.vault))
        ]
        if not held:
            return False
        settle = draw.random() < 0.5
        core.warp(core.expiry(held[0]) + draw.choice((1, 60, 5 * HOUR)))
        round_id = core.set_spot(2_000.0)
        core.commit(core.slice(VOL, 14))
        if settle:
            args = UNDERLYING, core.expiry(held[0]), round_id
            core.oracle.proveSettlement(*args, {"from": core.gov})
        live = [w for w in core.clearinghouse.portfolioOf(core.vault)[4] if self._ahead(w)]
        options = core.lens.greeksOf(core.vault, UNDERLYING)[0] - core.base(core.vault)
        assert options == core.marks.optionGreeks(UNDERLYING, live)[0], "an expired leg has a delta"
        return True

    def _ahead(self, word: int) -> bool:
        return decode_series(unpack_leg(word)[0])[1] > self.core.now

    def _trial(self) -> None:
        core, draw, by = self.core, self.random, {"from": self.core.gov}
        held = [draw.choice((0, 1, 1)) * draw.randrange(-50 * WAD, 50 * WAD) for _ in range(2)]
        shares = [draw.choice((WAD, WAD, WAD // 2, 0)) for _ in range(3)]
        for venue, base in zip(self.venues[1:], held, strict=True):
            venue.setPosition(base, 0, by)
        for venue, share in zip(self.venues, shares, strict=True):
            venue.setTerms(share, 0, by)
        delta = core.hedge.netDelta(UNDERLYING)[0]
        base = core.base(core.vault)
        state = State(delta - base - sum(held), base, held, shares)
        orders = self._orders(state)
        said = expected(state, orders)
        told = self._rebalance(orders)
        assert told == said, f"the rule says {said!r}, the contract {told!r}: {state} {orders}"
        if not told:
            assert core.hedge.netDelta(UNDERLYING)[0] == state.delta
        self.tally.trials += 1
        self.tally.outcomes[told or "passed"] += 1

    def _orders(self, s: State) -> list[Order]:
        draw = self.random
        kind = draw.random()
        if kind < 0.25:
            size = draw.randrange(1, 20 * WAD) * draw.choice((-1, 1))
            first, second = draw.sample((SPOT, PERP, OTHER), 2)
            miss = draw.choice((0, 0, CLIP // 2, 2 * CLIP)) * draw.choice((-1, 1))
            return [(first, size), (second, -size + miss or 1)]
        count = draw.choice((1, 1, 1, 2, 3))
        orders = []
        for _ in range(count):
            toward = -int(s.delta * draw.uniform(0, 1.6) / count)
            size = toward if kind < 0.8 else draw.randrange(-20 * WAD, 20 * WAD)
            orders.append((draw.choice((SPOT, PERP, OTHER)), size or 1))
        return orders

    def _rebalance(self, orders: list[Order]) -> str:
        core = self.core
        limits = core.hedge.epoch(), FOREVER, 2**100, b"\1" * 32
        batch = [
            (self.venues[v], size, 2_020 * WAD if size > 0 else 1_980 * WAD, b"")
            for v, size in orders
        ]
        try:
            core.hedge.rebalance(batch, limits, {"from": core.keeper})
        except Reverted as failure:
            return failure.name or failure.message
        return ""
