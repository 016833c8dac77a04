"""The books: accounts, debts, recorded tokens. contracts/clearing/Accounts.sol.

I-02: recorded USDC x 1e12 = sum of cash + insurance + pot, and recorded WETH = sum of base, after every action.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from keeper.simulation.clearing.marks import Refused
from keeper.simulation.clearing.wad import ceil_div, expiry_key
from keeper.units import SECONDS_PER_YEAR, WAD, WAD_PER_USDC_UNIT

MAX_LEGS = 32
MAX_SIZE = 1 << 100
Key = tuple[int, int]
P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Account:
    """WAD cash (signed), wei of WETH, contracts by series, and what is owed beyond cash.

    `index` is the interest index when negative cash was last touched, `since` unix seconds when cash went negative
    (0 while it is not), `recovery` WAD USD of losses that others bore.
    """

    cash: int = 0
    base: int = 0
    legs: dict[int, int] = field(default_factory=dict)
    index: int = 0
    since: int = 0
    recovery: int = 0

    @property
    def owes(self) -> bool:
        """Negative cash, or losses to make good."""
        return self.cash < 0 or self.recovery != 0

    def copy(self) -> Account:
        """A copy that shares nothing."""
        return replace(self, legs=dict(self.legs))


@dataclass(frozen=True)
class DebtParameters:
    """IClearinghouse.DebtParameters: WAD but for `cure_ramp`, seconds."""

    cap: int = 1_000_000 * WAD
    rate: int = WAD // 10
    cure_discount: int = WAD // 20
    cure_ramp: int = 1_800


@dataclass
class Settlement:
    """One expiry on its way through the phases. `pot` is its own part of the pot, `counted` who is a net winner."""

    open_short: int = 0
    owed: int = 0
    shortfall: int = 0
    factor: int = 0
    pot: int = 0
    counted: set[str] = field(default_factory=set)


@dataclass
class Totals:
    """What belongs to nobody's account, and sums over all accounts. USDC in token units, the rest WAD."""

    usdc: int = 0
    base: int = 0
    negative: int = 0
    insurance: int = 0
    index: int = WAD
    index_at: int = 0


class Books:
    """All accounts. `now` is set by whoever drives the model."""

    def __init__(self, now: int, base_underlying: int = 1) -> None:
        self.now = now
        self.base_underlying = base_underlying
        self.accounts: dict[str, Account] = {}
        self.settlements: dict[Key, Settlement] = {}
        self.wrapped: dict[int, int] = {}
        self.totals = Totals(index_at=now)
        self.debts = DebtParameters()
        self._undo: dict[Any, Any] | None = None

    # ------------------------------------------------------------------ all or nothing

    def of(self, who: str) -> Account:
        """The account, kept as it was for an action that is refused later."""
        account = self.accounts.setdefault(who, Account())
        if self._undo is not None and who not in self._undo:
            self._undo[who] = account.copy()
        return account

    def settlement(self, key: Key) -> Settlement:
        """The settlement of an expiry, kept likewise."""
        settlement = self.settlements.setdefault(key, Settlement())
        if self._undo is not None and key not in self._undo:
            self._undo[key] = replace(settlement, counted=set(settlement.counted))
        return settlement

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What happens inside happens whole or, when it is refused, not at all. One inside another joins it."""
        if self._undo is not None:
            yield
            return
        self._undo = {}
        totals, wrapped = replace(self.totals), dict(self.wrapped)
        try:
            yield
        except Refused:
            self.totals, self.wrapped = totals, wrapped
            for key, value in self._undo.items():
                if isinstance(value, Account):
                    self.accounts[key] = value
                else:
                    self.settlements[key] = value
            raise
        finally:
            self._undo = None

    # ------------------------------------------------------------------ cash and base

    def move_cash(self, who: str, change: int) -> int:
        """New cash. Interest comes first; what the account has to make good is paid out of what is above zero."""
        account, t = self.of(who), self.totals
        before = account.cash
        interest = self.pending_interest(who)
        cash = before - interest + change
        recovered = min(max(cash, 0), account.recovery)
        cash -= recovered
        account.cash, account.recovery = cash, account.recovery - recovered
        t.insurance += interest + recovered
        t.negative += max(-cash, 0) - max(-before, 0)
        account.since = 0 if cash >= 0 else account.since or self.now
        account.index = self.current_index()
        return cash

    def move_cash_solvent(self, who: str, change: int) -> None:
        """Every way out but settlement: the result may not be negative."""
        if self.move_cash(who, change) < 0 and change < 0:
            raise Refused("CashShort")

    def current_index(self) -> int:
        """Simple interest: the index grows linearly at the rate."""
        t = self.totals
        return t.index + self.debts.rate * (self.now - t.index_at) // SECONDS_PER_YEAR

    def pending_interest(self, who: str) -> int:
        """Interest on negative cash since it was last touched, rounded up."""
        account = self.of(who)
        if account.cash >= 0:
            return 0
        return ceil_div(-account.cash * (self.current_index() - account.index), account.index)

    def net_cash(self, who: str) -> int:
        """Cash less everything that is owed and not yet taken."""
        account = self.of(who)
        return account.cash - self.pending_interest(who) - account.recovery

    def add_base(self, who: str, change: int) -> None:
        """WETH in or out of an account."""
        account = self.of(who)
        if account.base + change < 0:
            raise Refused("BaseShort")
        account.base += change

    def record_usdc(self, change: int) -> None:
        """Recorded USDC, token units: short only while debtors owe cash, and then the way out waits."""
        if self.totals.usdc + change < 0:
            raise Refused("TransferShort")
        self.totals.usdc += change

    def record_base(self, change: int) -> None:
        """Recorded WETH, wei."""
        if self.totals.base + change < 0:
            raise Refused("TransferShort")
        self.totals.base += change

    # ------------------------------------------------------------------ legs

    def add_to_leg(self, who: str, series: int, change: int) -> None:
        """Adds to a leg, opens or closes it, and keeps the expiry's open short size."""
        legs = self.of(who).legs
        before = legs.pop(series, 0)
        size = before + change
        if abs(size) > MAX_SIZE:
            raise Refused("AmountTooLarge")
        if size:
            if len(legs) == MAX_LEGS:
                raise Refused("TooManyLegs")
            legs[series] = size
        self.settlement(expiry_key(series)).open_short += max(-size, 0) - max(-before, 0)

    def live(self, series: int) -> None:
        """Refuses an expired series."""
        if expiry_key(series)[1] <= self.now:
            raise Refused("SeriesExpired")

    def set_debts(self, parameters: DebtParameters) -> None:
        """New parameters; interest until now is at the old rate."""
        self.totals.index, self.totals.index_at = self.current_index(), self.now
        self.debts = parameters

    # ------------------------------------------------------------------ what must always hold

    def claims_usdc(self) -> int:
        """Sum of cash, insurance and pot in WAD: I-02 holds it to recorded USDC."""
        pots = sum(s.pot for s in self.settlements.values())
        return sum(a.cash for a in self.accounts.values()) + self.totals.insurance + pots

    def pot(self) -> int:
        """What converted losers have paid and winners have not yet taken, WAD."""
        return sum(s.pot for s in self.settlements.values())


def atomic(
    action: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], R]:
    """The action happens whole or not at all."""

    @functools.wraps(action)
    def act(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.whole():
            return action(self, *args, **kwargs)

    return act


def units(usdc: int) -> int:
    """USDC token units as WAD."""
    return usdc * WAD_PER_USDC_UNIT
