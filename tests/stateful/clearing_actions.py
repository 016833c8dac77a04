"""What owners and markets can do to the Clearinghouse, done to it and to its model alike."""

import random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from keeper.simulation.clearing.accounts import DebtParameters
from keeper.simulation.clearing.house import Trade
from keeper.units import pack_leg
from tests.contracts.core_constants import UNDERLYING, USDC, WAD
from tests.stateful.clearing_world import SECOND, World
from tests.stateful.revm import Reverted

ACTORS = 32
# Days ahead of now, and strikes as shares of the first spot.
AHEAD = (1, 2, 3)
SPOTS = {UNDERLYING: 2_000.0, SECOND: 30_000.0}
STRIKES = (0.6, 0.9, 0.9999999999, 1.0, 1.15, 1.6)
STARTING_COUNT = 45
# Actors with the means to buy what is auctioned.
WHALES = 3

actors = st.integers(0, ACTORS)
underlyings = st.sampled_from((UNDERLYING, UNDERLYING, SECOND))
# Thousandths of what there is; 0 stands for one unit.
parts = st.sampled_from((0, 1, 10, 100, 250, 500, 900, 999, 1000, 1001, 1100))
# Thousandths of a contract, and crumbs.
sizes = st.one_of(
    st.sampled_from((50, 200, 1_000, 3_000, 9_000)).map(lambda n: n * WAD // 1_000),
    st.sampled_from((1, 3, WAD // 7, 10**12 + 1)),
)
signed = st.tuples(sizes, st.booleans()).map(lambda pair: pair[0] if pair[1] else -pair[0])
names = st.tuples(underlyings, st.sampled_from(AHEAD), st.sampled_from(STRIKES), st.booleans())
legs = st.lists(st.tuples(names, signed), min_size=1, max_size=3)
# Thousandths of the mark that the taker pays, or an odd sum.
premiums = st.sampled_from((900, 1_000, 1_050, 1_200, -40_000, 0, 700_000))
deals = st.tuples(actors, actors, legs, premiums)


class Actions:
    """Deposits, withdrawals, trades, tokens, slices. Needs `self.world`."""

    world: World
    draw: random.Random

    @initialize(
        seed=st.integers(0, 2**30),
        cap=st.sampled_from((0, 5_000, 1_000_000)),
        rich=st.booleans(),
    )
    def deploy(self, seed: int, cap: int, rich: bool) -> None:
        self.world = w = World.new(ACTORS)
        self.draw = random.Random(seed)
        w.warp(w.core.now + 60)
        for underlying in SPOTS:
            w.commit(underlying, 0.8, 0.1, 0.02)
        self.set_debts(cap, WAD // 10, 20)
        for number, person in enumerate(w.who):
            usd = 2_000_000 if number < WHALES else 60_000 if rich else 6_000
            self._fund(person, usd * USDC, (1 + number % 9) * WAD)
        for _ in range(STARTING_COUNT):
            self._deal_at_random()

    def _fund(self, person: str, usdc: int, base: int) -> None:
        assert not self.world.act("depositCash", usdc, sender=person)
        assert not self.world.act("depositBase", base, sender=person)

    def _deal_at_random(self) -> None:
        """A book to start from, so that no example is spent on empty accounts."""
        draw = self.draw
        maker, taker = draw.sample(range(ACTORS + 1), 2)
        some = [
            (
                (
                    draw.choice((1, 1, 2)),
                    draw.choice(AHEAD),
                    draw.choice(STRIKES),
                    draw.random() < 0.5,
                ),
                draw.choice((-1, 1)) * draw.randint(WAD // 10, 4 * WAD),
            )
            for _ in range(draw.randint(1, 3))
        ]
        self._trades([(maker, taker, some, draw.choice((900, 1_000, 1_100)))])

    def series(self, name: tuple[int, int, float, bool]) -> int:
        """SeriesId of (underlying, days ahead, strike over the first spot, call)."""
        underlying, ahead, strike, call = name
        core = self.world.core
        day = (core.now - (core.start - 3_600)) // 86_400 + ahead
        return core.series(day, round(SPOTS[underlying] * strike, 8), call, underlying)

    def of(self, at: int) -> Any:
        """The model's account of an actor."""
        return self.world.model.of(self.world.who[at])

    # ------------------------------------------------------------------ owners

    @rule(at=actors, usd=st.integers(0, 20_000), milli=st.integers(0, 5_000))
    def deposit(self, at: int, usd: int, milli: int) -> None:
        person = self.world.who[at]
        self.world.act("depositCash", usd * USDC + usd % 7, sender=person)
        self.world.act("depositBase", milli * 10**15 + milli % 3, sender=person)

    @rule(at=actors, part=parts, to=actors, base=st.booleans())
    def withdraw(self, at: int, part: int, to: int, base: bool) -> None:
        """A part of what is there, or of what is free."""
        w, person = self.world, self.world.who[at]
        account = w.model.of(person)
        held = account.base if base else max(account.cash, 0) // 10**12
        self._out("withdrawBase" if base else "withdrawCash", held * part // 1000 or 1, person, to)

    @rule(at=actors, over=st.sampled_from((-5, -1, 0, 1, 2, 10**6)))
    def withdraw_what_is_free(self, at: int, over: int) -> None:
        """To the unit of freeCashOf, which margin must allow, and beyond, which nothing may."""
        person = self.world.who[at]
        try:
            free = int(self.world.house.freeCashOf(person))
        except Reverted:
            return
        if free + over <= 0:
            return
        refusal = self._out("withdrawCash", free + over, person, at)
        short = {"BelowInitialMargin", "CashShort", "TransferShort"}
        assert refusal if over > 0 else refusal not in short, (free, over, refusal)

    def _out(self, name: str, amount: int, person: str, to: int) -> str:
        target = self.world.who[to]
        return self.world.act(name, amount, target, sender=person, model=(person, amount))

    # ------------------------------------------------------------------ trades

    @rule(some=st.lists(deals, min_size=1, max_size=3))
    def trade(self, some: list[tuple]) -> None:
        self._trades(some)

    @rule(at=actors, other=actors, part=st.sampled_from((100, 500, 1_000)), price=premiums)
    def reduce(self, at: int, other: int, part: int, price: int) -> None:
        """Sells an actor's whole live book, or a part of it, to another."""
        now = self.world.core.now
        book = [
            (s, -n * part // 1_000)
            for s, n in self.of(at).legs.items()
            if s >> 72 & (2**40 - 1) > now
        ]
        given = [(s, n) for s, n in book if n][:8]
        if given and at != other:
            self._send([(other, at, given, price)])

    def _trades(self, some: list[tuple]) -> None:
        self._send(
            [(m, t, [(self.series(n), size) for n, size in named], p) for m, t, named, p in some]
        )

    def _send(self, some: list[tuple]) -> None:
        w, who = self.world, self.world.who
        trades = [
            Trade(who[maker], who[taker], self._premium(given, price), tuple(given))
            for maker, taker, given, price in some
        ]
        args = [(t.maker, t.taker, t.premium, list(t.legs)) for t in trades]
        w.act("trade", args, sender=w.core.market, model=(trades,))

    def _premium(self, given: list[tuple[int, int]], price: int) -> int:
        """Thousandths of the mark if positive and small, else USD as they are."""
        if not 0 < price < 2_000:
            return price * WAD
        try:
            words = [pack_leg(*leg) for leg in given]
            return int(self.world.core.marks.optionValue(words, 0)) * price // 1_000
        except Reverted:
            return 10 * WAD

    # ------------------------------------------------------------------ tokens

    @rule(at=actors, pick=st.integers(0, 31), part=parts)
    def wrap(self, at: int, pick: int, part: int) -> None:
        book = sorted(self.of(at).legs.items())
        if book:
            series, size = book[pick % len(book)]
            self._token("wrap", at, series, abs(size) * part // 1000 or 1)

    @rule(pick=st.integers(0, 63), part=parts, to=actors)
    def move_tokens(self, pick: int, part: int, to: int) -> None:
        """Unwraps, redeems or transfers tokens of somebody."""
        w = self.world
        held = sorted(key for key, amount in w.tokens.balances.items() if amount)
        if not held:
            return
        person, series = held[pick % len(held)]
        amount = w.tokens.balances[person, series] * part // 1000
        at = w.who.index(person)
        self._token(("unwrap", "redeem", "transfer")[(pick + part) % 3], at, series, amount, to)

    def _token(self, name: str, at: int, series: int, amount: int, to: int = 0) -> None:
        w, person = self.world, self.world.who[at]
        mine = getattr(w.tokens, name)
        target = (w.who[to],) if name == "transfer" else ()
        refusal = w.both(
            lambda: mine(person, *target, series, amount),
            lambda: getattr(w.core.token, name)(*target, series, amount, {"from": person}),
        )
        w.done[f"{name} {refusal}".rstrip()] += 1

    # ------------------------------------------------------------------ slices

    @rule(
        at=actors,
        to=actors,
        share=st.sampled_from((1, WAD // 7, WAD // 2, WAD, WAD + 1, 0)),
        price=st.sampled_from((-5_000, -10, 0, 10, 800)),
        extra=st.sampled_from((0, 0, 1, 400, 10**9)),
        bounty=st.sampled_from((0, 0, 3, 500)),
    )
    def sell_slice(self, at: int, to: int, share: int, price: int, extra: int, bounty: int) -> None:
        w = self.world
        keeper = w.who[(at + to) % (ACTORS + 1)]
        args = w.who[at], w.who[to], share, price * WAD, extra * WAD, keeper, bounty * WAD
        w.act("sellSlice", *args, sender=w.seller, model=args)

    # ------------------------------------------------------------------ anyone

    @rule(at=actors, part=parts)
    def cure(self, at: int, part: int) -> None:
        """Somebody who owes, if there is one."""
        w = self.world
        owing = [p for p in w.who if w.model.of(p).cash < 0]
        person = owing[at % len(owing)] if owing else w.who[at]
        account = w.model.of(person)
        spot = 1_000 * WAD if w.model.now % 2 else 2_000 * WAD
        amount = max(-account.cash, 10**15) * WAD // spot * part // 1_000
        w.act("cure", person, amount, sender=w.core.gov, model=(person, amount))

    @rule(at=actors)
    def accrue(self, at: int) -> None:
        person = self.world.who[at]
        self.world.act("accrue", person, sender=self.world.core.gov, model=(person,))

    @rule(usd=st.sampled_from((0, 1, 300, 20_000)))
    def fund_insurance(self, usd: int) -> None:
        w, amount = self.world, usd * USDC + usd % 5
        w.act("fundInsurance", amount, sender=w.core.gov, model=(amount,))

    @rule(
        cap=st.sampled_from((0, 500, 1_000_000)),
        rate=st.sampled_from((0, WAD // 10, WAD)),
        discount=st.integers(0, 200),
    )
    def set_debts(self, cap: int, rate: int, discount: int) -> None:
        w = self.world
        words = cap * WAD, rate, discount * WAD // 1_000, 1_800
        w.house.setDebtParameters(words, {"from": w.core.gov})
        w.model.set_debts(DebtParameters(*words))
