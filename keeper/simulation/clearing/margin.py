"""The one margin rule, for every account alike. contracts/clearing/Margining.sol. I-03, I-07."""

from __future__ import annotations

from keeper.portfolio.margin_shadow import ChainHedge, ChainPortfolio
from keeper.simulation.clearing.accounts import Books
from keeper.simulation.clearing.marks import Marks, Refused
from keeper.simulation.clearing.wad import underlying_of


class Margined(Books):
    """Books with portfolios. `hedges` are the vault's venues that hold something."""

    def __init__(self, now: int, marks: Marks, vault: str = "", base_underlying: int = 1) -> None:
        super().__init__(now, base_underlying)
        self.marks = marks
        self.vault = vault
        self.hedges: tuple[ChainHedge, ...] = ()

    def portfolio(self, who: str) -> ChainPortfolio:
        """Everything in an account, cash less what it owes."""
        account = self.of(who)
        return ChainPortfolio(
            underlying=self.base_underlying,
            cash=self.net_cash(who),
            base=account.base,
            hedges=self.hedges if who == self.vault else (),
            legs=tuple(account.legs.items()),
        )

    def surplus(self, portfolio: ChainPortfolio) -> int:
        """Equity less initial margin, WAD."""
        equity, initial, _ = self.marks.margin(portfolio)
        return equity - initial

    def require_initial(self, who: str) -> None:
        """For what can only take from an account."""
        if self.surplus(self.portfolio(who)) < 0:
            raise Refused("BelowInitialMargin")

    def require_no_worse(self, who: str, before: ChainPortfolio) -> None:
        """After trades: initial margin is met, or less of it is missing than before them."""
        surplus = self.surplus(self.portfolio(who))
        if surplus < 0 and surplus <= self.surplus(before):
            raise Refused("BelowInitialMargin")

    def require_withdrawable(self, who: str) -> None:
        """An account that carries risk needs initial margin, at prices that may be trusted with a withdrawal."""
        if not self.carries_risk(who):
            return
        self.marks.price_for(self.base_underlying, "Withdraw")
        for underlying in {underlying_of(s) for s in self.of(who).legs} - {self.base_underlying}:
            self.marks.price_for(underlying, "Withdraw")
        self.require_initial(who)

    def carries_risk(self, who: str) -> bool:
        """Cash and WETH of anybody else owe nothing and need no price."""
        account = self.of(who)
        return bool(account.legs) or account.owes or (who == self.vault and bool(self.hedges))
