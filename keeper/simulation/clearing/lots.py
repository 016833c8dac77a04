"""What an auction sells of an account, its price and its smallest share. contracts/clearing/Lots.sol.

Derived in contracts/interfaces/ILiquidationAuction.sol.
"""

from __future__ import annotations

from dataclasses import dataclass

from keeper.portfolio.margin_shadow import ChainPortfolio
from keeper.simulation.clearing.wad import ceil_div, mul_up
from keeper.units import WAD


@dataclass(frozen=True)
class Lot:
    """An account as an auction sees it; equity, initial and maintenance by the fresh and the reference slice."""

    portfolio: ChainPortfolio
    kept: int
    kept_margin: int
    equity: tuple[int, int]
    initial: tuple[int, int]
    maintenance: tuple[int, int]

    @property
    def below_maintenance(self) -> bool:
        """By both slices: who bends the surface must wait until its reference has bent too."""
        return all(e < m for e, m in zip(self.equity, self.maintenance, strict=True))

    def price(self, elapsed: int, fall_time: int) -> int:
        """Of the whole lot, rounded up; at least what the account cannot pay."""
        worth, cash = max(self.equity), self.portfolio.cash
        left = ceil_div(max(worth, 0) * (fall_time - elapsed), fall_time)
        return max(left - cash - self.kept, min(-cash, 0))

    def share(self, slice_: int, price: int, bounty: int, bounty_share: int) -> int:
        """Smallest that restores initial margin by one slice: E - f D - B(f) >= (1 - f) I + f J. Rounded up.

        0 where a sale, bounty paid, would not lower what the account lacks.
        """
        equity, initial = self.equity[slice_], self.initial[slice_]
        lacking = initial - equity
        relief = initial - self.kept_margin - equity + self.portfolio.cash + self.kept + price
        most = mul_up(initial, bounty_share) if bounty else 0
        if relief <= most:
            return 0
        whole = ceil_div((lacking + bounty) * WAD, relief)
        return min(whole, ceil_div(lacking * WAD, relief - most), WAD)

    def means(self, price: int, paid: int, sold: int) -> int:
        """What the account can pay a bounty from after the sale: cash, and no more than equity."""
        discount = max(self.equity) - self.portfolio.cash - self.kept - price
        left = max(self.equity) - mul_up(discount, sold)
        return max(min(left, paid + max(self.portfolio.cash, 0)), 0)
