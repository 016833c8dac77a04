"""Accounts of the core contracts: what tests do with them, and what their books must hold."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from keeper.units import pack_leg
from tests.contracts.core_constants import DEBT_PARAMETERS, FRESH_SLICE, UNDERLYING, USDC, WAD


class CoreAccounts:
    """Deposits, trades, settlements and the books. Needs the contracts of Core and `now`, `expiry`, `set_spot`."""

    def fund(self, who: Any, usd: float = 0, eth: float = 0) -> None:
        """Mint tokens and deposit them into the account of `who`."""
        for token, amount, deposit in (
            (self.usdc, round(usd * USDC), self.clearinghouse.depositCash),
            (self.weth, wad(eth), self.clearinghouse.depositBase),
        ):
            if amount:
                token.mint(who, amount, {"from": who})
                token.approve(self.clearinghouse, 2**256 - 1, {"from": who})
                deposit(amount, {"from": who})

    def trade(self, maker: Any, taker: Any, legs: Sequence[tuple], premium: float = 0) -> None:
        """Through the registered market account. `legs` are (series, contracts)."""
        self.clearinghouse.trade(
            [(maker, taker, wad(premium), to_legs(legs))], {"from": self.market}
        )

    def margin(self, who: Any) -> tuple[int, int, int]:
        """(equity, initial, maintenance) by the fresh slice."""
        return tuple(map(int, self.clearinghouse.marginOf(who, FRESH_SLICE)))

    def set_debts(self, **changes: int) -> None:
        """DebtParameters with fields replaced by name."""
        fields = dict(zip(("cap", "rate", "discount", "ramp"), DEBT_PARAMETERS, strict=True))
        assert changes.keys() <= fields.keys()
        values = tuple((fields | changes).values())
        self.clearinghouse.setDebtParameters(values, {"from": self.gov})

    def cash(self, who: Any) -> int:
        return int(self.clearinghouse.accountOf(who)[0])

    def base(self, who: Any) -> int:
        return int(self.clearinghouse.accountOf(who)[1])

    def legs(self, who: Any) -> dict[int, int]:
        return {int(s): int(size) for s, size in self.clearinghouse.legsOf(who)}

    @property
    def everybody(self) -> list[Any]:
        return [self.vault, *self.takers]

    def prove(self, days: int, usd: float) -> None:
        """Let the expiry pass, push its first round and prove it."""
        self.warp(max(self.expiry(days) + 60, self.now))
        round_id = self.set_spot(usd, at=self.expiry(days) + 30)
        self.oracle.proveSettlement(UNDERLYING, self.expiry(days), round_id, {"from": self.gov})

    def settlement(self, days: int) -> tuple[int, ...]:
        """(openShort, owed, shortfall, payoutFactor)."""
        return tuple(map(int, self.clearinghouse.settlementOf(UNDERLYING, self.expiry(days))))

    def check_books(self, open_series: Sequence[int] = (), *others: str) -> None:
        """I-02 to the wei over everybody's accounts and those of `others`, and I-01 for the series named."""
        people = (*self.everybody, *others)
        books = [tuple(self.clearinghouse.accountOf(who)) for who in people]
        usdc, base, negative, insurance, pot = map(int, self.clearinghouse.totals())
        assert usdc * 10**12 == sum(b[0] for b in books) + insurance + pot
        assert base == sum(b[1] for b in books)
        assert negative == sum(-b[0] for b in books if b[0] < 0)
        assert self.usdc.balanceOf(self.clearinghouse) >= usdc
        assert self.weth.balanceOf(self.clearinghouse) >= base
        legs = [self.legs(who) for who in people]
        assert [b[2] for b in books] == [len(own) for own in legs]
        for series in open_series:
            assert sum(own.get(series, 0) for own in legs) == 0, f"I-01 broken in {series}"


def wad(value: float) -> int:
    """The decimal that is written, not the nearest float, in WAD."""
    return round(Decimal(str(value)) * WAD)


def to_legs(legs: Sequence[tuple]) -> list[tuple[int, int]]:
    """(series, contracts) to what the contracts take."""
    return [(series, wad(size)) for series, size in legs]


def to_packed(legs: Sequence[tuple]) -> list[int]:
    """(series, contracts) to the words that the risk engine takes."""
    return [pack_leg(*leg) for leg in to_legs(legs)]
