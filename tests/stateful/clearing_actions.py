"""What can happen to the Clearinghouse, done to it and to its model alike."""

import random
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.contracts.core_env import FEED_DECIMALS, HOUR, UNDERLYING, USDC, WAD
from tests.stateful.clearing_model import SCALE, Account, ClearingModel, expiry_of
from tests.stateful.core_revm import new_core
from tests.stateful.revm import Reverted

TAKERS = 6
STRIKES = (1_500.0, 1_999.99999999, 2_400.0)
EXPIRIES = (1, 2, 3)

anybody = st.integers(0, TAKERS)
usd_units = st.one_of(st.integers(1, 30_000 * USDC), st.integers(1, 100))
weis = st.one_of(st.integers(1, 10 * WAD), st.integers(1, 1000))
# Thousandths of what there is; 0 stands for one unit.
parts = st.one_of(st.just(1000), st.integers(0, 1100), st.just(0))
sizes = st.one_of(st.integers(1, 8 * WAD), st.integers(1, 5))
series = st.tuples(st.sampled_from(EXPIRIES), st.sampled_from(STRIKES), st.booleans())
legs = st.lists(st.tuples(series, sizes, st.booleans()), min_size=1, max_size=4)
premiums = st.one_of(st.integers(-500 * WAD, 500 * WAD), st.integers(-70_000 * WAD, 70_000 * WAD))
deals = st.tuples(anybody, anybody, legs, premiums)
prices = st.sampled_from((300, 1_500, 1_750, 2_000, 2_001, 2_400, 3_333, 9_000, 60_000))
orders = st.permutations(range(TAKERS + 1))


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


class ClearingActions(RuleBasedStateMachine):
    """Six takers and the vault; the market account moves legs between any two of them."""

    @initialize(
        seed=st.integers(0, 2**20),
        venue=st.booleans(),
        cap=st.sampled_from((0, 5_000, 1_000_000)),
        rich=st.booleans(),
    )
    def deploy(self, seed: int, venue: bool, cap: int, rich: bool) -> None:
        self.core = core = new_core()
        self.house = core.clearinghouse
        self.who = [*core.takers[:TAKERS], core.vault]
        self.model = ClearingModel(cap * WAD, 5 * 10**16)
        self.donated = 0
        by = {"from": core.gov}
        core.clearinghouse.setMaxNegativeCash(cap * WAD, by)
        self.venue = venue
        if not venue:
            core.clearinghouse.setVenue(core.venue, False, by)
        for person in (*self.who, core.gov):
            for token in (core.usdc, core.weth):
                token.mint(person, 10**40, {"from": person})
                token.approve(self.house, 2**256 - 1, {"from": person})
        for number, person in enumerate(self.who):
            self._deposit(person, (60_000 if rich else 9_000) * USDC, (9 + number) * WAD)
        self.draw = random.Random(seed)
        self._open_books(self.draw)

    def _open_books(self, draw: random.Random) -> None:
        """A book to settle, so that no example is spent on empty accounts."""
        for _ in range(14):
            maker, taker = draw.sample(range(TAKERS + 1), 2)
            some = [
                ((draw.choice(EXPIRIES), draw.choice(STRIKES), draw.random() < 0.6),
                 draw.choice((draw.randint(1, 4 * WAD), draw.randint(WAD, 9 * WAD))), draw.random() < 0.5)
                for _ in range(draw.randint(1, 3))
            ]  # fmt: skip
            self._deal(
                maker, taker, some, draw.choice((1, 100)) * draw.randint(-300 * WAD, 300 * WAD)
            )

    def _deposit(self, person: str, usdc: int, base: int) -> None:
        self.house.depositCash(usdc, {"from": person})
        self.house.depositBase(base, {"from": person})
        self.model.accounts[person].cash += usdc * SCALE
        self.model.accounts[person].base += base

    def refuses(self, function: Any, *args: Any, sender: str, names: tuple[str, ...]) -> None:
        with pytest.raises(Reverted) as failure:
            function(*args, {"from": sender})
        assert any(name in failure.value.message for name in names), failure.value

    # ------------------------------------------------------------------ owners

    @rule(at=anybody, usdc=usd_units, base=weis)
    def deposit(self, at: int, usdc: int, base: int) -> None:
        self._deposit(self.who[at], usdc, base)

    @rule(at=st.integers(0, TAKERS - 1), part=parts)
    def withdraw_cash(self, at: int, part: int) -> None:
        account = self.model.accounts[self.who[at]]
        amount = max(account.cash // SCALE * part // 1000, 1)
        self._withdraw(
            self.who[at],
            self.house.withdrawCash,
            amount,
            Account(account.cash - amount * SCALE, account.base, account.legs),
        )

    @rule(at=st.integers(0, TAKERS - 1), part=parts)
    def withdraw_base(self, at: int, part: int) -> None:
        account = self.model.accounts[self.who[at]]
        amount = max(account.base * part // 1000, 1)
        self._withdraw(
            self.who[at],
            self.house.withdrawBase,
            amount,
            Account(account.cash, account.base - amount, account.legs),
        )

    def _withdraw(self, person: str, function: Any, amount: int, later: Account) -> None:
        before = self.model.accounts[person]
        there = before.cash - later.cash <= self.model.recorded * SCALE
        if there and later.base >= 0 and later.cash >= min(before.cash, 0) and later.covered():
            function(amount, person, {"from": person})
            self.model.accounts[person] = later
        else:
            names = ("CashShort", "BaseShort", "CollateralShort", "TransferShort")
            self.refuses(function, amount, person, sender=person, names=names)

    @rule(amount=st.integers(1, 500 * USDC))
    def donate(self, amount: int) -> None:
        self.core.usdc.transfer(self.house, amount, {"from": self.core.gov})
        self.core.weth.transfer(self.house, amount, {"from": self.core.gov})
        self.donated += amount

    @rule(amount=st.integers(1, 3_000 * USDC))
    def fund_insurance(self, amount: int) -> None:
        self.house.fundInsurance(amount, {"from": self.core.gov})
        self.model.insurance += amount * SCALE

    # ------------------------------------------------------------------ trades

    @rule(some=st.lists(deals, min_size=1, max_size=4))
    def trade(self, some: list[tuple]) -> None:
        for maker, taker, named, premium in some:
            self._deal(maker, taker, named, premium)

    def _deal(self, one: int, two: int, named: list[tuple], premium: int) -> None:
        maker, taker = self.who[one], self.who[two]
        given = [(self.core.series(*name), size if buys else -size) for name, size, buys in named]
        if maker == taker:
            args = (maker, taker, given, premium)
            self.refuses(self.house.trade, *args, sender=self.core.market, names=("SelfTrade",))
            return
        after = {p: self._copy(p) for p in (maker, taker)}
        for name, size in given:
            after[taker].move(name, size)
            after[maker].move(name, -size)
        after[taker].cash -= premium
        after[maker].cash += premium
        payer = taker if premium > 0 else maker
        fits = all(expiry_of(name) > self.core.now for name, _ in given)
        fits &= premium == 0 or after[payer].cash >= 0
        fits &= all(a.covered() for p, a in after.items() if p != self.core.vault)
        refusal = ""
        try:
            self.house.trade(maker, taker, given, premium, {"from": self.core.market})
        except Reverted as failure:
            refusal = failure.message
        vault_short = "BelowInitialMargin" in refusal and self.core.vault in after
        assert vault_short or fits == (refusal == ""), refusal
        if not refusal:
            self.model.accounts.update(after)

    def _copy(self, person: str) -> Account:
        account = self.model.accounts[person]
        return Account(account.cash, account.base, dict(account.legs))

    # ------------------------------------------------------------------ market and time

    @rule(hours=st.integers(0, 9), price=prices)
    def pass_time(self, hours: int, price: int) -> None:
        self.core.warp(self.core.now + hours * HOUR)
        self.core.set_spot(float(price))

    def _days(self, phase: str) -> list[int]:
        """Expiries that wait for a phase, oldest first."""
        found = []
        for day in EXPIRIES:
            s = self.model.settlements[self.core.expiry(day)]
            unconverted = self.model.open_short(self.core.expiry(day)) > 0
            waits = {"prove": not s.price, "convert": s.price and unconverted,
                     "finalise": s.price and not unconverted and not s.factor, "claim": s.factor > 0}  # fmt: skip
            found += [day] if waits[phase] else []
        return found

    @precondition(lambda self: self._days("prove"))
    @rule(price=prices)
    def prove(self, price: int) -> None:
        day = self._days("prove")[0]
        expiry = self.core.expiry(day)
        self.core.warp(max(self.core.now, expiry + 60))
        first, by = int(self.core.feed.latest()) + 2, {"from": self.core.gov}
        self.core.feed.setRound(first - 1, price * 10**FEED_DECIMALS, expiry - 100, by)
        self.core.feed.setRound(first, price * 10**FEED_DECIMALS, expiry + 30, by)
        self.core.oracle.proveSettlement(UNDERLYING, expiry, first, by)
        self.core.set_spot(float(price))
        self.model.settlements[expiry].price = price * WAD

    # ------------------------------------------------------------------ settlement

    def _args(self, day: int) -> tuple[int, int]:
        return UNDERLYING, self.core.expiry(day)

    @rule(phase=st.sampled_from(("convert", "finalise", "claim")), day=st.sampled_from(EXPIRIES))
    def phase_too_early_or_too_late(self, phase: str, day: int) -> None:
        s = self.model.settlements[self.core.expiry(day)]
        shorts = self.model.open_short(self.core.expiry(day))
        wrong = {
            "convert": {"NotProven": not s.price},
            "finalise": {"NotProven": not s.price, "AlreadyFinal": s.factor, "NotAllConverted": shorts},
            "claim": {"NotFinal": not s.factor},
        }[phase]  # fmt: skip
        names = tuple(name for name, holds in wrong.items() if holds)
        if names:
            args = (*self._args(day), *([self.who] if phase != "finalise" else []))
            self.refuses(getattr(self.house, phase), *args, sender=self.who[0], names=names)

    @precondition(lambda self: self._days("convert"))
    @rule(order=orders, many=st.integers(1, TAKERS + 1), last=st.booleans())
    def convert(self, order: list[int], many: int, last: bool) -> None:
        day = self._days("convert")[-1 if last else 0]
        for person in [self.who[i] for i in order[:many]]:
            self.model.convert(person, self.core.expiry(day), self._mark(person, day))
            self.house.convert(*self._args(day), [person, person], {"from": person})
        if self.model.open_short(self.core.expiry(day)):
            names, args = ("NotAllConverted",), self._args(day)
            self.refuses(self.house.finalise, *args, sender=self.who[0], names=names)

    @precondition(lambda self: self._days("finalise"))
    @rule(last=st.booleans())
    def finalise(self, last: bool) -> None:
        day = self._days("finalise")[-1 if last else 0]
        self.house.finalise(*self._args(day), {"from": self.who[0]})
        self.model.finalise(self.core.expiry(day))

    @precondition(lambda self: self._days("claim"))
    @rule(order=orders, many=st.integers(1, TAKERS + 1), last=st.booleans())
    def claim(self, order: list[int], many: int, last: bool) -> None:
        self._claim(self._days("claim")[-1 if last else 0], order[:many])

    def _claim(self, day: int, order: list[int]) -> None:
        people = [self.who[i] for i in order]
        self.house.claim(*self._args(day), [*people, people[0]], {"from": people[0]})
        for person in people:
            self.model.claim(person, self.core.expiry(day))

    def _mark(self, person: str, day: int) -> int | None:
        """Equity beyond cash once the legs of the expiry are gone, as the engine sees it."""
        account, expiry = self.model.accounts[person], self.core.expiry(day)
        legs = [(s, size) for s, size in account.legs.items() if expiry_of(s) != expiry]
        if not legs and not (person == self.core.vault and self.venue):
            return None
        return int(self.core.engine.equity((UNDERLYING, 0, account.base, 0, 0, legs)))

    @precondition(lambda self: self.model.negative)
    @rule(at=anybody, part=parts)
    def cure(self, at: int, part: int) -> None:
        owing = [p for p in self.who if self.model.accounts[p].cash < 0]
        person, by = owing[at % len(owing)], self.core.gov
        account = self.model.accounts[person]
        sound = next((p for p in self.who if self.model.accounts[p].cash >= 0), None)
        if sound:
            self.refuses(self.house.cure, sound, 1, sender=by, names=("NoDebt",))
        self.core.set_spot(float(self.core.oracle.spot(UNDERLYING)[0] // WAD))
        spot = self.core.oracle.spot(UNDERLYING)[0]
        price = ceil_div(spot * (WAD - self.model.discount), WAD)
        amount = max(-account.cash * WAD // price * part // 1000, 1)
        cost = ceil_div(ceil_div(amount * price, WAD), SCALE)
        if cost > -(account.cash // SCALE) or amount > account.base:
            names = ("CureTooLarge", "BaseShort")
            self.refuses(self.house.cure, person, amount, sender=by, names=names)
            return
        self.house.cure(person, amount, {"from": by})
        account.cash += cost * SCALE
        account.base -= amount
