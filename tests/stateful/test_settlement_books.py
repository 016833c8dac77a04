"""Books of twenty accounts with spreads over several series and expiries, settled in one random order and in another.

Against the model to the wei at every phase, and against each other at the end: nobody gains by the order (I-12).
"""

import random
from typing import Any

import pytest

from tests.contracts.core_env import UNDERLYING, WAD, Core
from tests.stateful.clearing_model import ClearingModel, expiry_of
from tests.stateful.core_revm import new_core
from tests.stateful.revm import Reverted

DAYS = (1, 2)
STRIKES = (1_400.0, 1_900.0, 2_000.00000001, 2_300.0)
TRADES = 70


class Books:
    """One book: the vault without venues and nineteen takers, none of whom gets credit beyond his WETH."""

    def __init__(self, seed: int) -> None:
        self.core: Core = new_core()
        self.house = self.core.clearinghouse
        self.people = [*self.core.takers[:19], self.core.vault]
        self.model = ClearingModel(0, 5 * 10**16)
        draw = random.Random(seed)
        by = {"from": self.core.gov}
        self.house.setMaxNegativeCash(0, by)
        self.house.setVenue(self.core.venue, False, by)
        for person in self.people:
            self._fund(person, draw.randint(2_000, 30_000), draw.randint(1, 12))
        self._fund(self.core.vault, 40_000, 1)
        for _ in range(TRADES):
            self._trade(draw)

    def _fund(self, person: str, usd: int, eth: int) -> None:
        self.core.fund(person, usd, eth)
        self.model.accounts[person].cash += usd * WAD
        self.model.accounts[person].base += eth * WAD

    def _trade(self, draw: random.Random) -> None:
        """A spread, half of the time, or a call sold by the vault; what margin refuses does not happen."""
        maker, taker = draw.sample(self.people, 2)
        day, call = draw.choice(DAYS), draw.random() < 0.5
        if taker != self.core.vault and draw.random() < 0.3:
            maker, call = self.core.vault, True
        names = draw.sample(STRIKES, draw.randint(1, 2))
        sizes = [draw.randint(1, 6 * WAD) * sign for sign in (1, -1)]
        legs = [(self.core.series(day, k, call), s) for k, s in zip(names, sizes, strict=False)]
        premium = draw.randint(-100 * WAD, 100 * WAD)
        try:
            self.house.trade(maker, taker, legs, premium, {"from": self.core.market})
        except Reverted:
            return
        for name, size in legs:
            self.model.accounts[taker].move(name, size)
            self.model.accounts[maker].move(name, -size)
        self.model.accounts[taker].cash -= premium
        self.model.accounts[maker].cash += premium

    def run(self, prices: dict[int, int], order: random.Random) -> None:
        for day in DAYS:
            self.core.prove(day, float(prices[day]))
            expiry = self.core.expiry(day)
            self.model.settlements[expiry].price = prices[day] * WAD
            for person in order.sample(self.people, len(self.people)):
                self.model.convert(person, expiry, self._mark(person, expiry))
                self._send("convert", day, [person])
            self._send("finalise", day)
            self.model.finalise(expiry)
            for person in order.sample(self.people, len(self.people)):
                self._send("claim", day, [person])
                self.model.claim(person, expiry)
            self.check()

    def _mark(self, person: str, expiry: int) -> int | None:
        account = self.model.accounts[person]
        others = [(s, size) for s, size in account.legs.items() if expiry_of(s) != expiry]
        portfolio = (UNDERLYING, 0, account.base, 0, 0, others)
        return int(self.core.engine.equity(portfolio)) if others else None

    def _send(self, phase: str, day: int, *args: Any) -> None:
        function = getattr(self.house, phase)
        function(UNDERLYING, self.core.expiry(day), *args, {"from": self.core.gov})

    def check(self) -> None:
        usdc, base, negative, insurance, pot = self.house.totals()
        assert usdc == self.model.recorded
        assert base == sum(a.base for a in self.model.accounts.values())
        assert (negative, insurance, pot) == (self.model.negative, 0, self.model.pot)
        for person in self.people:
            assert self.core.cash(person) == self.model.accounts[person].cash
            assert self.core.legs(person) == self.model.accounts[person].legs

    def outcome(self) -> list[int]:
        return [self.core.cash(person) for person in self.people]


# Prices of the two expiries: calm, a rally and a fall, and one that ruins the sellers of calls.
MARKETS = [{1: 1_950, 2: 2_050}, {1: 2_600, 2: 1_100}, {1: 900, 2: 30_000}]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("prices", MARKETS, ids=["calm", "turn", "ruin"])
def test_twenty_accounts_end_with_the_same_in_any_order(prices: dict[int, int], seed: int) -> None:
    outcomes = []
    for order in (1, 2):
        books = Books(seed)
        busy = sum(bool(a.legs) for a in books.model.accounts.values())
        assert busy >= 15
        start = sum(books.outcome())
        books.run(prices, random.Random(order))
        outcomes.append(books.outcome())
        assert all(not a.legs for a in books.model.accounts.values())
        assert start - sum(outcomes[-1]) == books.model.pot
    assert outcomes[0] == outcomes[1]


def test_the_markets_reach_defaults_and_payments() -> None:
    """What the test above relies on: real payments, and factors below one in the ruin."""
    factors, owed = set(), 0
    for prices in (MARKETS[0], MARKETS[2]):
        books = Books(2)
        books.run(prices, random.Random(3))
        factors |= {s.factor for s in books.model.settlements.values()}
        owed += sum(s.owed for s in books.model.settlements.values())
    assert WAD in factors
    assert any(0 < factor < WAD for factor in factors)
    assert owed > 10_000 * WAD
