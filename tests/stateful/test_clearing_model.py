"""The Clearinghouse beside its model: deposits, trades, time, prices and the phases of settlement in random order.

After every step: the books equal the model's to the wei, the legs of every series sum to zero until its settlement
(I-01), recorded tokens equal the sum of all claims (I-02), and every payout that is owed is in the pot (I-12). Every
life ends with the settlement of all that is open. `STATEFUL_EXAMPLES=500` in the environment makes a long search.
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from tests.stateful.clearing_actions import EXPIRIES, STRIKES, TAKERS, ClearingActions
from tests.stateful.clearing_model import SCALE, WAD, expiry_of

FACTOR_DUST = 3


class ClearingMachine(ClearingActions):
    """What must hold after each of the actions."""

    def teardown(self) -> None:
        """Settle everything, in an order of its own, and hold the invariants after each phase."""
        if not hasattr(self, "core"):
            return
        for phase in ("prove", "convert", "finalise", "claim"):
            for _ in EXPIRIES:
                if phase != "claim" and not self._days(phase):
                    break
                self._settle(phase)
                self.books_equal_the_model()
                self.legs_sum_to_zero()
                self.tokens_equal_claims()
                self.every_payout_is_in_the_pot()
        assert all(not account.legs for account in self.model.accounts.values())
        for part in (300, 1000, 1100):
            if self.model.negative:
                self.cure(self.draw.randrange(TAKERS + 1), part)
                self.books_equal_the_model()
                self.tokens_equal_claims()

    def _settle(self, phase: str) -> None:
        everybody = self.draw.sample(range(TAKERS + 1), TAKERS + 1)
        last = self.draw.random() < 0.5
        if phase == "prove":
            self.prove(self.draw.choice((1_234, 2_000, 2_500, 40_000)))
        elif phase == "finalise":
            self.finalise(last)
        elif phase == "convert":
            self.convert(everybody, TAKERS + 1, last)
        else:
            self._claim_everywhere(everybody)

    def _claim_everywhere(self, everybody: list[int]) -> None:
        for day in self._days("claim"):
            self._claim(day, everybody)

    # ------------------------------------------------------------------ invariants

    @invariant()
    def books_equal_the_model(self) -> None:
        for person in self.who:
            account = self.model.accounts[person]
            assert self.house.accountOf(person) == (account.cash, account.base, len(account.legs))
            assert self.core.legs(person) == account.legs

    @invariant()
    def legs_sum_to_zero(self) -> None:
        """I-01, from the contract alone."""
        total: dict[int, int] = {}
        for person in self.who:
            for name, size in self.core.legs(person).items():
                total[name] = total.get(name, 0) + size
        for name, size in total.items():
            settling = self.model.settlements[expiry_of(name)].price
            assert size == 0 or settling, f"I-01 broken in {name}"
        for day in EXPIRIES:
            assert self.core.settlement(day)[0] == self.model.open_short(self.core.expiry(day))

    @invariant()
    def tokens_equal_claims(self) -> None:
        """I-02, from the contract alone and against the model."""
        books = [self.house.accountOf(person) for person in self.who]
        usdc, base, negative, insurance, pot = self.house.totals()
        assert usdc * SCALE == sum(b[0] for b in books) + insurance + pot
        assert base == sum(b[1] for b in books)
        assert self.core.usdc.balanceOf(self.house) == usdc + self.donated
        assert self.core.weth.balanceOf(self.house) == base + self.donated
        assert (negative, insurance, pot) == (
            self.model.negative,
            self.model.insurance,
            self.model.pot,
        )

    @invariant()
    def every_payout_is_in_the_pot(self) -> None:
        """I-12: once the factor is fixed, an expiry's part of the pot pays its other winners, and only dust more."""
        for day in EXPIRIES:
            s = self.model.settlements[self.core.expiry(day)]
            assert self.core.settlement(day)[1:] == (s.owed, s.shortfall, s.factor)
            if s.factor:
                dust = s.pot - self.model.still_owed(self.core.expiry(day))
                legs = (TAKERS + 1) * len(STRIKES) * 2
                assert 0 <= dust <= s.owed // WAD + legs + FACTOR_DUST


ClearingMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("STATEFUL_EXAMPLES", "50")),
    stateful_step_count=30,
    deadline=None,
    derandomize="STATEFUL_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
TestClearing = ClearingMachine.TestCase
