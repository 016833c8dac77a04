"""Settlement of thousands of accounts by pages, in one order and in another: nobody gains by being first (I-12).

Sellers deposit just what a short call needs and defaults are found late or early; the same people end with the same
cash, to the wei, and the waterfall (losers, insurance, payout factor, recovery) adds up.
"""

import random
from dataclasses import dataclass

import pytest

from tests.contracts.core_constants import UNDERLYING, USDC, WAD
from tests.contracts.core_env import Core
from tests.stateful.core_revm import new_core
from tests.stateful.revm import Reverted

DAY_OF_EXPIRY = 1
STRIKE = 2_000.0
PRICE = 2_600
PAYOFF = (PRICE - 2_000) * WAD
PAGE = 100
INSURANCE = 300 * USDC


@dataclass
class Book:
    """Sellers and buyers of one call; seller i sold to buyer i."""

    core: Core
    sellers: list[str]
    buyers: list[str]
    sizes: list[int]

    @property
    def house(self):
        return self.core.clearinghouse

    def settle(self, convert: list[str], claim: list[str]) -> None:
        """Both phases by pages; before the last page of the first nothing can be final, or paid."""
        key, by = (UNDERLYING, self.core.expiry(DAY_OF_EXPIRY)), {"from": self.core.gov}
        for at in range(0, len(convert), PAGE):
            for function, args in (
                (self.house.finalise, ()),
                (self.house.claim, (self.buyers[:1],)),
            ):
                with pytest.raises(Reverted, match=r"NotAllConverted|NotFinal"):
                    function(*key, *args, by)
            self.house.convert(*key, convert[at : at + PAGE], by)
        self.house.finalise(*key, by)
        for at in range(0, len(claim), PAGE):
            self.house.claim(*key, claim[at : at + PAGE], by)

    def cash(self) -> dict[str, int]:
        return {who: self.core.cash(who) for who in (*self.sellers, *self.buyers)}


def new_book(pairs: int, insurance: int = INSURANCE) -> Book:
    """Every fifth seller has little more than initial margin, the others plenty."""
    core = new_core(5 + 2 * pairs)
    sellers, buyers = core.takers[:pairs], core.takers[pairs:]
    draw = random.Random(pairs)
    sizes = [WAD if at % 5 == 0 else draw.randint(WAD // 2, WAD) for at in range(pairs)]
    name = core.series(DAY_OF_EXPIRY, STRIKE)
    deals = []
    for at, (seller, buyer) in enumerate(zip(sellers, buyers, strict=True)):
        core.fund(seller, usd=500 if at % 5 == 0 else 5_000)
        core.fund(buyer, usd=100)
        deals.append((seller, buyer, 10 * WAD, [(name, sizes[at])]))
    for at in range(0, pairs, 50):
        core.clearinghouse.trade(deals[at : at + 50], {"from": core.market})
    core.usdc.mint(core.gov, insurance, {"from": core.gov})
    core.usdc.approve(core.clearinghouse, insurance, {"from": core.gov})
    core.clearinghouse.fundInsurance(insurance, {"from": core.gov})
    core.prove(DAY_OF_EXPIRY, float(PRICE))
    return Book(core, list(sellers), list(buyers), sizes)


@pytest.mark.parametrize("pairs", [1_050])
def test_thousands_of_accounts_settle_alike_in_any_order(pairs: int) -> None:
    first, second = new_book(pairs), new_book(pairs)
    draw = random.Random(3)
    everybody = [*first.sellers, *first.buyers]
    defaulters = {s for at, s in enumerate(first.sellers) if at % 5 == 0}
    first.settle(sorted(everybody, key=lambda who: who in defaulters), first.buyers)
    shuffled = draw.sample(everybody, len(everybody))
    late = draw.sample(second.buyers, pairs)
    second.settle(sorted(shuffled, key=lambda who: who not in defaulters), late)
    assert first.cash() == second.cash()
    assert_waterfall(first)


def assert_waterfall(book: Book) -> None:
    """Owed = paid by losers + insurance + what winners lack; the pot keeps dust alone; every winner has his share."""
    core, house = book.core, book.house
    _, owed, shortfall, factor = core.settlement(DAY_OF_EXPIRY)
    usdc, _, negative, insurance, pot = house.totals()
    used = INSURANCE * 10**12 - insurance
    assert 0 < factor < WAD
    assert used == INSURANCE * 10**12
    assert factor == (owed - shortfall + used) * WAD // owed
    paid = 0
    for buyer, size in zip(book.buyers, book.sizes, strict=True):
        gain = size * PAYOFF // WAD * factor // WAD
        assert core.cash(buyer) == 90 * WAD + gain
        paid += gain
    assert paid + pot == owed - shortfall + used
    assert pot <= owed // WAD + 2 * len(book.buyers)
    recoveries = sum(house.debtOf(seller)[1] for seller in book.sellers)
    assert (recoveries, negative) == (shortfall, 0)
    assert usdc * 10**12 == sum(book.cash().values()) + insurance + pot


def test_a_default_found_last_costs_the_first_claimer_what_it_costs_the_last() -> None:
    """Nobody is paid before the last seller has been looked at, and then all by one factor."""
    book = new_book(10, insurance=USDC)
    defaulter = book.sellers[0]
    key, by = (UNDERLYING, book.core.expiry(DAY_OF_EXPIRY)), {"from": book.core.gov}
    book.house.convert(*key, [*book.sellers[1:], *book.buyers], by)
    eager = book.buyers[9]
    with pytest.raises(Reverted, match="NotFinal"):
        book.house.claim(*key, [eager], by)
    with pytest.raises(Reverted, match="NotAllConverted"):
        book.house.finalise(*key, by)
    assert book.core.cash(eager) == 90 * WAD
    book.house.convert(*key, [defaulter], by)
    book.house.finalise(*key, by)
    book.house.claim(*key, [eager], by)
    book.house.claim(*key, book.buyers, by)
    factor = book.core.settlement(DAY_OF_EXPIRY)[3]
    assert factor < WAD
    shares = {
        (book.core.cash(buyer) - 90 * WAD) * WAD // (size * PAYOFF // WAD)
        for buyer, size in zip(book.buyers, book.sizes, strict=True)
    }
    assert all(factor - 2 <= share <= factor for share in shares)
    recovered_later(book, defaulter)


def recovered_later(book: Book, defaulter: str) -> None:
    """A defaulter's next deposit pays insurance first."""
    owed = book.house.debtOf(defaulter)[1]
    insurance = book.house.totals()[3]
    assert owed > 0
    book.core.fund(defaulter, usd=50)
    assert book.core.cash(defaulter) == 0
    assert book.house.debtOf(defaulter)[1] == owed - 50 * WAD
    assert book.house.totals()[3] == insurance + 50 * WAD
