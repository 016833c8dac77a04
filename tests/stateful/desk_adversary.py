"""An adversary who looks for money in the desk at constant market: I-09.

He knows everything and may use several accounts. Each episode builds a position in the manner of one plan, closes it
and counts: whatever the way, the accomplices together may not have more than before.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from tests.contracts.core_constants import DESK_PARAMETERS, WAD
from tests.stateful.desk_world import DeskWorld
from tests.stateful.revm import Reverted

MIN_SIZE = DESK_PARAMETERS[17]


def part(size: int, by: int) -> int:
    """About size / by, a whole number of the desk's least trades: dust could not be given back alone."""
    return max(abs(size) // by // MIN_SIZE, 1) * MIN_SIZE * (1 if size > 0 else -1)


class Adversary:
    """Plans by name; `best` is the most that any episode came to, WAD USD, never above zero."""

    def __init__(self, world: DeskWorld, seed: int) -> None:
        self.world, self.draw = world, random.Random(seed)
        self.best: int | None = None
        self.counts: Counter[str] = Counter()
        self.plans: tuple[Callable[[], None], ...] = (
            self.splits, self.round_trip, self.between_accounts, self.ladder, self.net_and_gross,
            self.lean_and_return, self.commit_between,
        )  # fmt: skip

    def run(self, trades: int) -> None:
        """Episodes until so many trades were tried. Raises AssertionError with the plan that paid."""
        end = self.world.trades + trades
        while self.world.trades < end:
            self.episode(self.draw.choice(self.plans))

    def episode(self, plan: Callable[[], None]) -> None:
        before = self.world.money()
        plan()
        self.world.close_all()
        gain = self.world.money() - before
        self.counts[plan.__name__] += 1
        self.best = gain if self.best is None else max(self.best, gain)
        assert gain <= 0, f"{plan.__name__} made {gain / WAD} USD"

    # ------------------------------------------------------------------ plans

    def _anyone(self) -> str:
        return self.draw.choice(self.world.who)

    def splits(self) -> None:
        """One trade in pieces must cost no less than at once."""
        legs, parts = self.world.random_legs(self.draw), self.draw.randint(2, 5)
        legs = [(s, size * parts) for s, size in legs]
        try:
            whole = self.world.quote(legs)
        except Reverted:
            return
        who, paid = self._anyone(), 0
        for _ in range(parts):
            premium = self.world.trade(who, [(s, size // parts) for s, size in legs])
            if premium is None:
                return
            paid += premium
        assert paid >= whole, f"{parts} pieces of {legs} save {(whole - paid) / WAD} USD"

    def round_trip(self) -> None:
        who, legs = self._anyone(), self.world.random_legs(self.draw)
        if self.world.trade(who, legs) is not None:
            self.world.trade(who, [(s, -size) for s, size in legs])

    def between_accounts(self) -> None:
        """One pushes the inventory, another takes the better price on the other side."""
        legs = self.world.random_legs(self.draw)
        self.world.trade(self.world.who[0], legs)
        for who in self.world.who[1:]:
            back = [(s, -part(size, self.draw.randint(1, 3))) for s, size in legs]
            self.world.trade(who, back)

    def ladder(self) -> None:
        for _ in range(self.draw.randint(2, 6)):
            self.world.trade(self._anyone(), self.world.random_legs(self.draw, 2))

    def net_and_gross(self) -> None:
        """In as one trade, out leg by leg, and the other way round."""
        who, legs = self._anyone(), self.world.random_legs(self.draw, 6)
        back = [(s, -size) for s, size in legs]
        once, singly = (legs, back) if self.draw.random() < 0.5 else (back, legs)
        if self.world.trade(who, once) is not None:
            for leg in self.draw.sample(singly, len(singly)):
                self.world.trade(who, [leg])

    def lean_and_return(self) -> None:
        """Far one way, so that the way back is paid for, in other series."""
        a, b = self.draw.sample(self.world.series, 2)
        size = round(self.draw.uniform(10, 500)) * WAD
        self.world.trade(self._anyone(), [(a, size)])
        self.world.trade(self._anyone(), [(b, -size)])
        self.world.trade(self._anyone(), [(a, -part(size, 2))])

    def commit_between(self) -> None:
        """A commit of the surface is sandwiched in one second: in before it, out after it, at another volatility."""
        for _ in range(2):
            self.world.trade(self._anyone(), self.world.random_legs(self.draw, 2))
        self.world.commit(self.draw.uniform(0.68, 0.82))
        self.world.trade(self._anyone(), self.world.random_legs(self.draw, 2))
