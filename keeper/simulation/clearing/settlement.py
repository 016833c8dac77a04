"""Settlement of an expiry in three phases, so that nobody gains by being first. contracts/clearing/Settling.sol.

Losers pay into a pot (convert); once no short is left, insurance covers what it can and one payout factor is fixed
(finalise); winners take from the pot (claim). I-12: every payout is in the pot, whatever the order of claims.
"""

from __future__ import annotations

from collections.abc import Iterable

from keeper.simulation.clearing.accounts import Key, Settlement, atomic
from keeper.simulation.clearing.margin import Margined
from keeper.simulation.clearing.marks import Refused
from keeper.simulation.clearing.wad import (
    EXPIRY_SHIFT,
    expiry_key,
    expiry_prefix,
    mul_down,
    payoff,
)
from keeper.units import WAD

# The factor of an expiry whose losers had nothing: zero would mean "not fixed".
NOTHING_PAID = 1
# Credit where no mark can be read: the cap alone bounds it.
UNKNOWN_WORTH = 2**128 - 1


class Settled(Margined):
    """The three phases and what wrapped longs are paid."""

    @atomic
    def convert(self, underlying: int, expiry: int, accounts: Iterable[str]) -> None:
        """First phase, one batch of accounts."""
        price = self._proven(underlying, expiry)
        for who in accounts:
            self._convert((underlying, expiry), price, who)

    @atomic
    def finalise(self, underlying: int, expiry: int) -> int:
        """Second phase: the payout factor, WAD."""
        self._proven(underlying, expiry)
        s = self.settlement((underlying, expiry))
        if s.factor:
            raise Refused("AlreadyFinal")
        if s.open_short:
            raise Refused("NotAllConverted")
        used = min(self.totals.insurance, s.shortfall)
        self.totals.insurance -= used
        s.pot += used
        paid = s.owed - s.shortfall + used
        s.factor = max(paid * WAD // s.owed, NOTHING_PAID) if s.owed else WAD
        return s.factor

    @atomic
    def claim(self, underlying: int, expiry: int, accounts: Iterable[str]) -> None:
        """Third phase, one batch of accounts."""
        if not self.settlement((underlying, expiry)).factor:
            raise Refused("NotFinal")
        price = self._proven(underlying, expiry)
        for who in accounts:
            self._claim((underlying, expiry), price, who)

    @atomic
    def pay_wrapped(self, who: str, series: int, amount: int) -> int:
        """Credits an account with what wrapped contracts pay; they are gone then. WAD."""
        key = expiry_key(series)
        if not self.settlement(key).factor:
            raise Refused("NotFinal")
        price = self.marks.settlement_price(*key)
        gain = self._share(self.settlement(key), mul_down(amount, payoff(series, price)))
        self.wrapped[series] = self.wrapped.get(series, 0) - amount
        self._pay(who, key, gain)
        return gain

    def still_owed(self, key: Key) -> int:
        """I-12: what winners and wrapped longs that have not claimed will get, WAD."""
        s, price = self.settlements[key], self.marks.settlement_price(*key)
        holders = [who for who, account in self.accounts.items() if account.legs]
        accounts = sum(self._share(s, self.net_payoff(who, key, price)) for who in holders)
        tokens = sum(
            self._share(s, mul_down(amount, payoff(series, price)))
            for series, amount in self.wrapped.items()
            if expiry_key(series) == key
        )
        return accounts + tokens

    def net_payoff(self, who: str, key: Key, price: int) -> int:
        """Payoff of the account's legs of one expiry, each rounded down."""
        prefix = expiry_prefix(*key)
        legs = [(s, n) for s, n in self.of(who).legs.items() if s >> EXPIRY_SHIFT == prefix]
        return sum(mul_down(n, payoff(s, price)) for s, n in legs)

    # ------------------------------------------------------------------ one account at a time

    def _convert(self, key: Key, price: int, who: str) -> None:
        s = self.settlement(key)
        short = sum(-n for x, n in self.of(who).legs.items() if expiry_key(x) == key and n < 0)
        if who in s.counted or short == 0:
            return
        s.open_short -= short
        net = self.net_payoff(who, key, price)
        if net >= 0:
            # Kept whole until the factor is known.
            s.counted.add(who)
            return
        self._drop(who, key)
        shortfall = self._debit(who, -net, key, price)
        s.owed -= net
        s.shortfall += shortfall
        s.pot += -net - shortfall

    def _debit(self, who: str, loss: int, key: Key, price: int) -> int:
        """Takes a loss; what the account cannot stand behind is returned as shortfall, and owed to insurance."""
        account = self.of(who)
        before = self.move_cash(who, 0)
        debt = max(loss - before, 0)
        kept = self._covered_by_base(who, key, price)
        if kept < debt:
            room = max(self.debts.cap + max(-before, 0) - self.totals.negative, 0)
            kept += min(room, self._other_worth(who, kept))
        shortfall = min(max(debt - kept, 0), loss)
        self.move_cash(who, shortfall - loss)
        account.recovery += shortfall
        return shortfall

    def _covered_by_base(self, who: str, key: Key, price: int) -> int:
        """Debt that anyone could cure against the account's WETH at the full discount, WAD."""
        worth = mul_down(self.of(who).base, self._base_price(key, price))
        return mul_down(worth, WAD - self.debts.cure_discount)

    def _base_price(self, key: Key, price: int) -> int:
        """WETH is worth its own price, whatever underlying settles; nothing where that cannot be read."""
        if key[0] == self.base_underlying:
            return price
        try:
            return self.marks.price_for(self.base_underlying, "Settle")
        except Refused:
            return 0

    def _other_worth(self, who: str, covered: int) -> int:
        """What an account holds beyond cash and covering WETH, at its mark."""
        account = self.of(who)
        priced = covered != 0 or account.base == 0
        if priced and not account.legs and not (who == self.vault and self.hedges):
            return 0
        try:
            equity, _, _ = self.marks.margin(self.portfolio(who))
        except Refused:
            return UNKNOWN_WORTH
        return max(equity - account.cash - covered, 0)

    def _claim(self, key: Key, price: int, who: str) -> None:
        gain = self._share(self.settlement(key), self.net_payoff(who, key, price))
        if self._drop(who, key):
            self._pay(who, key, gain)

    def _share(self, s: Settlement, net: int) -> int:
        """At the least factor a gain of a USD would still be a wei, out of the pot of other expiries."""
        if net <= 0 or s.factor == NOTHING_PAID:
            return 0
        return min(mul_down(net, s.factor), self.pot())

    def _pay(self, who: str, key: Key, gain: int) -> None:
        self.settlement(key).pot -= gain
        self.move_cash(who, gain)

    def _drop(self, who: str, key: Key) -> int:
        account = self.of(who)
        kept = {s: n for s, n in account.legs.items() if expiry_key(s) != key}
        removed, account.legs = len(account.legs) - len(kept), kept
        return removed

    def _proven(self, underlying: int, expiry: int) -> int:
        price = self.marks.settlement_price(underlying, expiry)
        if price == 0:
            raise Refused("NotProven")
        return price
