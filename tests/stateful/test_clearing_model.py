"""The clearing room beside its model: thirty-three accounts, two underlyings, everything that can happen, at random.

After every step: each account equals the model's to the wei, wherever either side changed; the legs of every series
and its wrapped supply sum to zero until its settlement (I-01); recorded tokens equal all claims (I-02); no action of an
owner or a market has left an account below initial margin unless it was, and further (I-03, in the model's rule that
the contract must agree with); reducing is never refused for margin (I-07, likewise); every payout that is owed is in
the pot (I-12). Every life ends with the settlement of all that is open. `python -m tests.stateful` makes a long search.
"""

import os
from collections import Counter
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant

from keeper.simulation.clearing.settlement import NOTHING_PAID
from keeper.simulation.clearing.wad import expiry_key
from tests.contracts.core_constants import DAY, UNDERLYING, WAD
from tests.stateful.clearing_actions import ACTORS, Actions
from tests.stateful.clearing_auctions import Liquidations
from tests.stateful.clearing_events import Events, Key

STEPS = int(os.environ.get("STATEFUL_STEPS", "5000"))
STEPS_OF_A_LIFE = 50
# Where any failure will do, as for planted bugs, nobody reads the smallest.
PHASES = [Phase.generate] if os.environ.get("STATEFUL_SHRINK") == "no" else list(Phase)
LEGS_OF_AN_EXPIRY = 12


class ClearingMachine(Actions, Events, Liquidations, RuleBasedStateMachine):
    """What must hold after each of the actions. `counts` says what has been done in this process."""

    counts: ClassVar[Counter[str]] = Counter()
    worst_shadow = 0.0

    def teardown(self) -> None:
        """Settle everything, in an order of its own, and hold the invariants after each phase."""
        if not hasattr(self, "draw"):
            return
        w, counts = self.world, self.counts
        self._settle_all()
        assert not any(a.legs for a in w.model.accounts.values())
        assert not any(w.tokens.balances.values())
        self._months_later()
        counts["lives"] += 1
        counts["margins"] += w.marks.compared
        counts.update(w.done)
        ClearingMachine.worst_shadow = max(self.worst_shadow, w.marks.worst)
        counts["defaults"] += any(s.shortfall for s in w.model.settlements.values())
        counts["debts"] += any(a.owes for a in w.model.accounts.values())

    def _months_later(self) -> None:
        """Debts have grown, are cured in part, and deposits make losses good."""
        w = self.world
        w.warp(w.core.now + 45 * DAY)
        self._heal(UNDERLYING)
        for at, person in enumerate(w.who):
            if w.model.of(person).owes:
                self.accrue(at)
                self.cure(at, 900)
                self.deposit(at, 40, 0)
        self.books_hold()

    def _settle_all(self) -> None:
        w, draw = self.world, self.draw
        last = max((expiry for _, expiry in w.model.settlements), default=0)
        w.warp(max(w.core.now, last + 60))
        for phase in ("prove", "convert", "finalise", "claim"):
            for key in self.waiting(phase):
                if phase == "prove":
                    self.prove(draw.choice((-60, -10, 0, 5, 60)))
                else:
                    people = draw.sample(w.who, len(w.who)) if phase != "finalise" else []
                    assert not self._phase(phase, key, people)
                self.books_hold()
        for (person, series), amount in list(w.tokens.balances.items()):
            if amount:
                self._token("redeem", w.who.index(person), series, amount)
        self.books_hold()

    # ------------------------------------------------------------------ invariants

    @invariant()
    def after_every_step(self) -> None:
        if hasattr(self, "draw"):
            self.counts["steps"] += 1
            self.books_hold()

    def books_hold(self) -> None:
        self.world.compare_books()
        self.legs_sum_to_zero()
        self.tokens_equal_claims()
        self.every_payout_is_in_the_pot()

    def legs_sum_to_zero(self) -> None:
        """I-01, over accounts that were just found equal to the contract's, and the token's own supply."""
        w = self.world
        total = dict(w.model.wrapped)
        for account in w.model.accounts.values():
            for series, size in account.legs.items():
                total[series] = total.get(series, 0) + size
        for series, size in total.items():
            settling = w.model.marks.settlement_price(*expiry_key(series))
            assert size == 0 or settling, f"I-01 broken in {series}"
        for series, supply in w.model.wrapped.items():
            assert w.core.token.totalSupply(series) == supply >= 0

    def tokens_equal_claims(self) -> None:
        """I-02, in the contract's own totals, which the model must have too."""
        w, t = self.world, self.world.model.totals
        usdc, base, negative, insurance, pot = w.house.totals()
        assert (usdc, base, negative) == (t.usdc, t.base, t.negative)
        assert (insurance, pot) == (t.insurance, w.model.pot())
        assert usdc * 10**12 == w.model.claims_usdc()
        assert base == sum(a.base for a in w.model.accounts.values())
        assert negative == sum(max(-a.cash, 0) for a in w.model.accounts.values())
        assert w.core.usdc.balanceOf(w.house) == usdc + w.donated
        assert w.core.weth.balanceOf(w.house) == base + w.donated

    def every_payout_is_in_the_pot(self) -> None:
        """I-12: once the factor is fixed, an expiry's part of the pot pays its other winners, and only dust more."""
        for key, s in self.world.model.settlements.items():
            if s.factor:
                dust = s.pot - self.world.model.still_owed(key)
                assert 0 <= dust <= self._dust_of(key), (key, dust, s)

    def _dust_of(self, key: Key) -> int:
        """A wei for each leg and token rounded down, and for each USD owed one of the factor's.

        The least factor stands for less than two wei a USD and pays nothing, so all of that is left.
        """
        s = self.world.model.settlements[key]
        tokens = len(self.world.tokens.balances)
        of_the_factor = 2 if s.factor == NOTHING_PAID else 1
        return of_the_factor * (s.owed // WAD + 1) + LEGS_OF_AN_EXPIRY * (ACTORS + 1) + tokens + 3


ClearingMachine.TestCase.settings = settings(
    max_examples=max(STEPS // STEPS_OF_A_LIFE, 1),
    stateful_step_count=STEPS_OF_A_LIFE,
    deadline=None,
    derandomize=True,
    database=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)
TestClearing = ClearingMachine.TestCase
