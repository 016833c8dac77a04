"""Fully paid longs outside of accounts. contracts/OptionToken.sol: ERC-6909, id = SeriesId, 1e18 units a contract."""

from __future__ import annotations

from collections import defaultdict

from keeper.simulation.clearing.house import Clearinghouse
from keeper.simulation.clearing.marks import Refused


class OptionTokens:
    """Balances by holder and series; their sums are `house.wrapped` (I-01)."""

    def __init__(self, house: Clearinghouse) -> None:
        self.house = house
        self.balances: defaultdict[tuple[str, int], int] = defaultdict(int)

    def wrap(self, who: str, series: int, amount: int) -> None:
        """Long contracts of the account become tokens of its owner."""
        self.house.wrap(who, series, amount)
        self.balances[who, series] += amount

    def unwrap(self, who: str, series: int, amount: int) -> None:
        """Tokens become contracts in the holder's own account."""
        self._held(who, series, amount)
        self.house.unwrap(who, series, amount)
        self.balances[who, series] -= amount

    def redeem(self, who: str, series: int, amount: int) -> int:
        """After settlement tokens burn for what the factor pays, into the holder's account. WAD."""
        self._held(who, series, amount)
        gain = self.house.pay_wrapped(who, series, amount)
        self.balances[who, series] -= amount
        return gain

    def transfer(self, who: str, to: str, series: int, amount: int) -> None:
        """Tokens to another holder."""
        self._enough(who, series, amount)
        self.balances[who, series] -= amount
        self.balances[to, series] += amount

    def _held(self, who: str, series: int, amount: int) -> None:
        if amount == 0:
            raise Refused("AmountZero")
        self._enough(who, series, amount)

    def _enough(self, who: str, series: int, amount: int) -> None:
        if self.balances[who, series] < amount:
            raise Refused("ERC6909InsufficientBalance")
