"""A desk in process with accomplices who trade, all in one second unless somebody says otherwise."""

from __future__ import annotations

import random
from typing import Any

from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import FOREVER, UNDERLYING, WAD
from tests.contracts.core_env import Core
from tests.stateful.core_revm import new_core
from tests.stateful.desk_model import DeskModel, Risk
from tests.stateful.revm import Reverted

STRIKES = (1_600.0, 1_900.0, 2_000.0, 2_100.0, 2_500.0)
DAYS = (7, 14)
ANY_PREMIUM = 2**200


class DeskWorld:
    """The vault with ten million, accomplices with as much each, twenty series listed."""

    def __init__(self, accomplices: int = 3) -> None:
        self.core: Core = new_core()
        core = self.core
        self.commit(0.7)
        self.series = sorted(
            core.series(d, strike, call)
            for d in DAYS
            for strike in STRIKES
            for call in (True, False)
        )
        core.desk.list(self.series, {"from": core.gov})
        self.who = core.takers[:accomplices]
        for account in (core.vault, *self.who):
            core.fund(account, 10_000_000, 1_000)
        core.warp(core.now + 3_700)
        self.commit(0.75)
        core.set_spot(2_000.0, pool_usd=2_004.0)
        self.trades = 0

    def commit(self, level: float) -> None:
        """All three expiries at about this volatility; governance has freed the rates."""
        core = self.core
        core.commit(
            *(
                core.slice(level + d / 100, d, carry=0.03, skew=0.2)
                for d in (1, 7, 14)
                if core.expiry(d) > core.now
            )
        )

    def money(self) -> int:
        """Cash of all accomplices, WAD USD."""
        return sum(self.core.cash(who) for who in self.who)

    def held(self) -> dict[str, dict[int, int]]:
        return {who: self.core.legs(who) for who in self.who}

    def trade(self, who: str, legs: list[tuple[int, int]]) -> int | None:
        """Premium that was paid, or None where the desk refused."""
        self.trades += 1
        try:
            return int(self.core.desk.trade(legs, ANY_PREMIUM, FOREVER, {"from": who}))
        except Reverted:
            return None

    def quote(self, legs: list[tuple[int, int]]) -> int:
        return int(self.core.desk.quote(legs))

    def close_all(self) -> None:
        """Everybody gives back what he holds, leg by leg."""
        for who, legs in self.held().items():
            for series, size in sorted(legs.items()):
                assert self.trade(who, [(series, -size)]) is not None, (who, series, size)

    def random_legs(self, draw: random.Random, most: int = 4) -> list[tuple[int, int]]:
        names = sorted(draw.sample(self.series, draw.randint(1, most)))
        return [(s, draw.choice((-1, 1)) * wad(round(10 ** draw.uniform(-2, 2), 2))) for s in names]

    def other_spot(self) -> int:
        core = self.core
        return int(core.oracle.poolPrice(UNDERLYING)) * int(core.oracle.quoteUsd()) // WAD

    def marked(
        self, legs: list[tuple[int, int]]
    ) -> tuple[Risk, Risk, list[tuple[int, int, int]], int]:
        """The engine's marks of a trade, with the vault's WETH and venues in its delta."""
        core = self.core
        spot = int(core.oracle.spot(UNDERLYING)[0])
        _, _, base, hedges, packed = core.clearinghouse.portfolioOf(core.vault)
        risk, change, marks = core.marks.ofTrade(packed, legs, spot, self.other_spot())
        hedged = (base + sum(h[0] for h in hedges)) * WAD
        return (risk[0] + hedged, *risk[1:]), tuple(change), list(marks), spot

    def modelled(self, legs: list[tuple[int, int]], **kwargs: Any) -> tuple[int, int, int]:
        before, change, marks, spot = self.marked(legs)
        return DeskModel(**kwargs).price(legs, marks, (before, change), spot)
