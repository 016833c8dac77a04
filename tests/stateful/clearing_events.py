"""What happens to the Clearinghouse from outside: prices, volatility, time, dead feeds, settlement, hostile tokens."""

import random

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.contracts.core_constants import DAY, HOUR, MAX_AGE_S, UNDERLYING, USDC, WAD
from tests.stateful.clearing_actions import SPOTS, actors, underlyings
from tests.stateful.clearing_world import SECOND, World
from tests.stateful.revm import Reverted

# Moves of the spot in per cent, the largest more often than a market has them.
MOVES = (-60, -35, -12, -3, -1, 0, 1, 2, 9, 30, 60)
LOW, HIGH = 0.05, 20.0
PHASES = ("prove", "convert", "finalise", "claim")
FEEDS = ("young", "old", "broken")
Key = tuple[int, int]


class Events:
    """The market and everybody else. Needs `self.world` and `self.draw`."""

    world: World
    draw: random.Random

    # ------------------------------------------------------------------ market

    @rule(underlying=underlyings, move=st.sampled_from(MOVES))
    def move_price(self, underlying: int, move: int) -> None:
        self._heal(underlying)
        self.world.set_spot(underlying, self._moved(underlying, move))

    def _moved(self, underlying: int, move: int) -> float:
        first = SPOTS[underlying]
        now = self.world.spot(underlying)
        return round(min(max(now * (100 + move) / 100, first * LOW), first * HIGH), 8)

    @rule(
        underlying=underlyings,
        vol=st.sampled_from((0.2, 0.5, 0.8, 1.3, 2.5)),
        skew=st.sampled_from((0.0, 0.2)),
        carry=st.sampled_from((-0.1, 0.0, 0.05)),
    )
    def shock_volatility(self, underlying: int, vol: float, skew: float, carry: float) -> None:
        self._heal(underlying)
        self.world.commit(underlying, vol, skew, carry)

    @rule(
        minutes=st.sampled_from((1, 20, 180, 700, 1_500, 2_900)),
        young=st.sampled_from((True, True, True, False)),
    )
    def pass_time(self, minutes: int, young: bool) -> None:
        """With or without rounds of the feeds in between."""
        self.world.warp(self.world.core.now + 60 * minutes)
        if young:
            for underlying in SPOTS:
                self.world.refresh(underlying)

    @rule(underlying=underlyings)
    def break_or_heal_feed(self, underlying: int) -> None:
        """While it is broken nothing that needs a price goes through; settlement that was proven goes on."""
        feed = self.world.feeds[underlying]
        feed.setBroken(not feed.broken(), {"from": self.world.core.gov})

    def _heal(self, underlying: int) -> None:
        self.world.refresh(underlying)

    # ------------------------------------------------------------------ the vault's venue

    @rule(
        base=st.integers(-20, 20),
        health=st.sampled_from((0, 900, 1_050, 1_400)),
        penalty=st.sampled_from((0, 50)),
    )
    def move_venue(self, base: int, health: int, penalty: int) -> None:
        """Quote so that health is some thousandths of the threshold's, 0 for a venue without debt or threshold."""
        self._heal(UNDERLYING)
        spot = self.world.core.oracle.spot(UNDERLYING)[0]
        threshold = 8 * WAD // 10 if health else 0
        worth = abs(base) * spot
        quote = 500 * WAD
        if health and base < 0:
            quote = worth * WAD // threshold * health // 1_000
        elif health and base > 0:
            quote = -(worth * threshold // WAD * 1_000 // health)
        w = self.world
        w.set_venue(base * WAD, quote, threshold, penalty * WAD // 1_000)
        # The shadow looks at once: few trades are the vault's while its venue is near its threshold.
        for one in SPOTS:
            self._heal(one)
        w.marks.margin(w.model.portfolio(w.core.vault))

    # ------------------------------------------------------------------ settlement

    def waiting(self, phase: str) -> list[Key]:
        """Expiries with something in them that wait for a phase, oldest first."""
        model, now = self.world.model, self.world.core.now
        out = []
        for key, s in sorted(model.settlements.items(), key=lambda item: item[0][1]):
            proven = model.marks.settlement_price(*key) != 0
            waits = {
                "prove": not proven and key[1] <= now,
                "convert": proven and s.open_short > 0,
                "finalise": proven and s.open_short == 0 and not s.factor,
                "claim": s.factor > 0,
            }
            out += [key] if waits[phase] else []
        return out

    @precondition(lambda self: self.waiting("prove"))
    @rule(move=st.sampled_from(MOVES))
    def prove(self, move: int) -> None:
        self._prove(self.waiting("prove")[0], move)

    def _prove(self, key: Key, move: int) -> None:
        underlying, expiry = key
        self._heal(underlying)
        day = (expiry - (self.world.core.start - HOUR)) // DAY
        self.world.prove(underlying, day, self._moved(underlying, move))

    @rule(move=st.sampled_from(MOVES), claim=st.booleans(), feeds=st.sampled_from(FEEDS))
    def settle_the_next_expiry(self, move: int, claim: bool, feeds: str) -> None:
        """In one go, so that lives have debtors, recoveries and wrapped longs to pay before they end.

        What comes after the proof needs no price, so no feed that is old or broken holds it up (I-07).
        """
        model = self.world.model
        unproven = [k for k in model.settlements if not model.marks.settlement_price(*k)]
        if not unproven:
            return
        key = min(unproven, key=lambda k: k[1])
        self.world.warp(max(self.world.core.now, key[1] + 60))
        self._prove(key, move)
        self._let_feeds_be(feeds)
        for phase in ("convert", "finalise", *(["claim"] if claim else [])):
            # Everybody twice: who has been counted, or paid, is passed over.
            assert not self._phase(phase, key, [*self.world.who, *self.world.who])
        for underlying in SPOTS:
            self._heal(underlying)

    def _let_feeds_be(self, state: str) -> None:
        if state == "old":
            self.world.warp(self.world.core.now + 2 * MAX_AGE_S)
        for feed in self.world.feeds.values():
            feed.setBroken(state == "broken", {"from": self.world.core.gov})

    @rule(phase=st.sampled_from(("convert", "finalise", "claim")), pick=st.integers(0, 7))
    def phase_too_early_or_too_late(self, phase: str, pick: int) -> None:
        keys = sorted(self.world.model.settlements)
        if keys:
            self._phase(phase, keys[pick % len(keys)], self.world.who[pick : pick + 2])

    @precondition(lambda self: self.waiting("convert"))
    @rule(at=actors, many=st.sampled_from((1, 3, 10, 40)), last=st.booleans())
    def convert(self, at: int, many: int, last: bool) -> None:
        key = self.waiting("convert")[-1 if last else 0]
        people = self._people(at, many)
        self._phase("convert", key, [*people, people[0]])

    @precondition(lambda self: self.waiting("finalise"))
    @rule(last=st.booleans())
    def finalise(self, last: bool) -> None:
        self._phase("finalise", self.waiting("finalise")[-1 if last else 0], [])

    @precondition(lambda self: self.waiting("claim"))
    @rule(at=actors, many=st.sampled_from((1, 3, 10, 40)), last=st.booleans())
    def claim(self, at: int, many: int, last: bool) -> None:
        key = self.waiting("claim")[-1 if last else 0]
        people = self._people(at, many)
        self._phase("claim", key, [*people, people[0]])

    def _people(self, at: int, many: int) -> list[str]:
        who = self.world.who
        return [who[(at + 7 * n) % len(who)] for n in range(min(many, len(who)))]

    def _phase(self, name: str, key: Key, people: list[str]) -> str:
        args = key if name == "finalise" else (*key, people)
        return self.world.act(name, *args, sender=self.world.core.gov, model=args)

    # ------------------------------------------------------------------ hostile tokens

    @rule(amount=st.integers(1, 500 * USDC))
    def donate(self, amount: int) -> None:
        w = self.world
        for token in (w.core.usdc, w.core.weth):
            token.transfer(w.house, amount, {"from": w.core.gov})
        w.donated += amount

    @rule(at=actors, base=st.booleans())
    def token_takes_a_fee(self, at: int, base: bool) -> None:
        """A deposit that delivers less than it says is refused."""
        w, person = self.world, self.world.who[at]
        token = w.core.weth if base else w.core.usdc
        by = {"from": w.core.gov}
        token.setFee(10**15, by)
        deposit = w.house.depositBase if base else w.house.depositCash
        assert self._refusal(deposit, 10**9, sender=person) == "TransferShort"
        token.setFee(0, by)

    @rule(at=actors, base=st.booleans())
    def receiver_is_blocked(self, at: int, base: bool) -> None:
        """The token refuses one holder: only his own withdrawal fails, and whole."""
        w, person = self.world, self.world.who[at]
        token = w.core.weth if base else w.core.usdc
        by = {"from": w.core.gov}
        token.setBlocked(person, True, by)
        out = w.house.withdrawBase if base else w.house.withdrawCash
        refusal = self._refusal(out, 1, person, sender=person)
        early = {"CashShort", "BaseShort", "BelowInitialMargin", "FeedBroken", "TransferShort"}
        assert refusal in early | {"HolderBlocked"} or self._distrusted(), refusal
        token.setBlocked(person, False, by)

    @rule(at=actors, other=actors, base=st.booleans(), call=st.integers(0, 5))
    def token_calls_back(self, at: int, other: int, base: bool, call: int) -> None:
        """In the middle of a deposit the token calls any door of the house: all are shut."""
        w, person = self.world, self.world.who[at]
        token = w.core.weth if base else w.core.usdc
        key = max(w.model.settlements, default=(UNDERLYING, 8 * HOUR))
        doors = (
            ("withdrawCash", (1, w.who[other])),
            ("depositCash", (1,)),
            ("convert", (*key, [w.who[other]])),
            ("claim", (*key, [w.who[other]])),
            ("cure", (w.who[other], 1)),
            ("accrue", (w.who[other],)),
        )
        name, args = doors[call]
        token.setHook(w.house, w.house.contract.data_of(name, *args), {"from": w.core.gov})
        amount = 3 * 10**9
        deposit = "depositBase" if base else "depositCash"
        assert not w.act(deposit, amount, sender=person)
        assert token.hookResult()[:4].hex() == "3ee5aeb5", "ReentrancyGuardReentrantCall"

    def _refusal(self, function: object, *args: object, sender: str) -> str:
        try:
            function(*args, {"from": sender})
        except Reverted as failure:
            return failure.name
        raise AssertionError("a hostile token got its way")

    def _distrusted(self) -> bool:
        """An oracle state that lets no withdrawal of a risky account through."""
        for underlying in (UNDERLYING, SECOND):
            try:
                self.world.core.oracle.check(underlying, 1)
            except Reverted:
                return True
        return False
