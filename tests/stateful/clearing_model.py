"""The Clearinghouse's books in Python integers: what a sequence of actions must leave, to the wei.

Written from IClearinghouse and the three phases, not from the contract. Marks come from outside: what an account's
other legs and venues are worth is held against numpy by another test.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from keeper.units import decode_series

WAD = 10**18
SCALE = 10**12
STRIKE_UNIT = 10**10

Legs = dict[int, int]


def payoff(series: int, price: int) -> int:
    """WAD per contract at a settlement price in WAD."""
    strike = ((series >> 8) & (2**64 - 1)) * STRIKE_UNIT
    return max(price - strike if series & 1 else strike - price, 0)


def expiry_of(series: int) -> int:
    return decode_series(series)[1]


@dataclass
class Account:
    """WAD cash (signed), wei of WETH, contracts by series."""

    cash: int = 0
    base: int = 0
    legs: Legs = field(default_factory=dict)

    def collateral(self) -> tuple[int, int]:
        """(cash, base) that its shorts need; each put's strike rounded up."""
        cash = base = 0
        for series, size in self.legs.items():
            if size < 0 and series & 1:
                base -= size
            elif size < 0:
                cash += -(-payoff(series, 0) * -size // WAD)
        return cash, base

    def covered(self) -> bool:
        cash, base = self.collateral()
        return self.cash >= cash and self.base >= base

    def net(self, expiry: int, price: int) -> int:
        """Payoff of the legs of one expiry, each rounded down."""
        return sum(size * payoff(s, price) // WAD for s, size in self.of(expiry).items())

    def of(self, expiry: int) -> Legs:
        return {s: size for s, size in self.legs.items() if expiry_of(s) == expiry}

    def short(self, expiry: int) -> int:
        return sum(-size for size in self.of(expiry).values() if size < 0)

    def drop(self, expiry: int) -> None:
        self.legs = {s: size for s, size in self.legs.items() if expiry_of(s) != expiry}

    def move(self, series: int, change: int) -> None:
        size = self.legs.pop(series, 0) + change
        if size:
            self.legs[series] = size


@dataclass
class Settlement:
    """One expiry on its way through the phases, and its own part of the pot."""

    expiry: int
    price: int = 0
    owed: int = 0
    shortfall: int = 0
    factor: int = 0
    pot: int = 0
    counted: set[str] = field(default_factory=set)

    def gain(self, account: Account) -> int:
        """What a winner gets; a factor of one stands for zero."""
        net = max(account.net(self.expiry, self.price), 0)
        return net * self.factor // WAD if self.factor > 1 else 0


class Settlements(dict[int, Settlement]):
    """Settlements by expiry, made when first asked for."""

    def __missing__(self, expiry: int) -> Settlement:
        self[expiry] = Settlement(expiry)
        return self[expiry]


class ClearingModel:
    """All accounts, with the insurance fund and what is settled."""

    def __init__(self, cap: int, discount: int) -> None:
        self.accounts: dict[str, Account] = defaultdict(Account)
        self.settlements = Settlements()
        self.insurance = 0
        self.cap = cap
        self.discount = discount

    @property
    def negative(self) -> int:
        return sum(-a.cash for a in self.accounts.values() if a.cash < 0)

    @property
    def pot(self) -> int:
        return sum(s.pot for s in self.settlements.values())

    @property
    def recorded(self) -> int:
        """USDC units that must have been received: I-02."""
        total = sum(a.cash for a in self.accounts.values()) + self.insurance + self.pot
        assert total % SCALE == 0
        return total // SCALE

    def open_short(self, expiry: int) -> int:
        """Contracts short in accounts that have not converted."""
        counted = self.settlements[expiry].counted
        return sum(a.short(expiry) for who, a in self.accounts.items() if who not in counted)

    def convert(self, who: str, expiry: int, mark: int | None) -> None:
        """`mark` is what else the account holds beyond cash and WETH, None for a bare account."""
        account, s = self.accounts[who], self.settlements[expiry]
        if who in s.counted or not account.short(expiry):
            return
        net = account.net(expiry, s.price)
        if net >= 0:
            s.counted.add(who)
            return
        account.drop(expiry)
        loss = -net
        short = min(max(loss - account.cash - self._credit(account, s.price, mark), 0), loss)
        account.cash -= loss - short
        s.owed += loss
        s.shortfall += short
        s.pot += loss - short

    def _credit(self, account: Account, price: int, mark: int | None) -> int:
        """How far below zero an account may go: its WETH at the discount, then what else it has, up to the cap."""
        weth = account.base * price // WAD * (WAD - self.discount) // WAD
        if mark is None:
            return weth
        room = max(self.cap + max(-account.cash, 0) - self.negative, 0)
        # The WETH beyond its discounted value counts as something else that it has.
        return weth + min(room, max(mark - weth, 0))

    def finalise(self, expiry: int) -> None:
        s = self.settlements[expiry]
        used = min(self.insurance, s.shortfall)
        self.insurance -= used
        s.pot += used
        s.factor = (s.owed - s.shortfall + used) * WAD // s.owed if s.owed else WAD
        s.factor = max(s.factor, 1)

    def claim(self, who: str, expiry: int) -> None:
        account, s = self.accounts[who], self.settlements[expiry]
        gain = s.gain(account)
        account.drop(expiry)
        account.cash += gain
        s.pot -= gain

    def still_owed(self, expiry: int) -> int:
        """I-12: what the winners who have not claimed will get."""
        s = self.settlements[expiry]
        return sum(s.gain(account) for account in self.accounts.values())
