"""Marks for the model from the contracts: exact to the wei, and held against the keeper's margin shadow."""

from collections.abc import Mapping

from keeper.models import SviSlice
from keeper.portfolio.book import Market
from keeper.portfolio.margin_shadow import (
    ChainPortfolio,
    gross_usd,
    parameters_of,
    shadow_margin,
)
from keeper.simulation.clearing.marks import FRESH, Refused
from tests.contracts.core_constants import MARGIN_PARAMETERS, WAD
from tests.contracts.core_env import Core
from tests.stateful.revm import Reverted

SECOND = 2
MARGIN_DUST_USD = 1e-12
SHADOW_TOLERANCE = 1e-6
ACTIONS = ("Open", "Withdraw", "Hedge", "Close", "Liquidate", "Settle", "Claim")


class ChainMarks:
    """marks.Marks from the contracts, each margin compared with the keeper's shadow."""

    # One answer in so many is compared: the shadow takes longer than everything else in a step.
    compare_every = 1

    def __init__(self, core: Core, slices: Mapping[int, Mapping[int, SviSlice]]) -> None:
        self.core = core
        self.parameters = parameters_of(MARGIN_PARAMETERS)
        self.slices = slices
        self.proven: dict[tuple[int, int], int] = {}
        self.worst = 0.0
        self.asked = self.compared = 0

    def margin(self, portfolio: ChainPortfolio, slice_: int = FRESH) -> tuple[int, int, int]:
        """RiskEngine.margin, after the shadow has agreed; what the reference slice is, the surface's tests ask."""
        try:
            found = self.core.engine.margin(portfolio.as_tuple(), slice_)
        except Reverted as failure:
            raise Refused(failure.name) from None
        self.asked += 1
        if slice_ == FRESH and self.asked % self.compare_every == 0:
            self._compare(portfolio, found)
        return tuple(found)

    def _compare(self, portfolio: ChainPortfolio, found: tuple[int, int, int]) -> None:
        named = {series >> 112 for series, _ in portfolio.legs}
        if portfolio.base or portfolio.hedges:
            # Else its feed may be dead: the engine does not ask it either.
            named.add(portfolio.underlying)
        markets = {u: self.market(u) for u in named}
        shadow = shadow_margin(portfolio, markets, self.parameters)
        unit = gross_usd(portfolio, markets) or 1.0
        expected = (shadow.equity_usd, shadow.initial_usd, shadow.maintenance_usd)
        for mine, theirs in zip(expected, found, strict=True):
            # A portfolio of a few wei is margined to the wei, which says nothing in relative terms.
            error = max(abs(mine - theirs / WAD) - MARGIN_DUST_USD, 0.0) / unit
            assert error <= SHADOW_TOLERANCE, f"shadow {expected} != engine {found}: {portfolio}"
            self.worst = max(self.worst, error)
        self.compared += 1

    def market(self, underlying: int) -> Market:
        """What the shadow values against: spot, slices and proven prices of now."""
        spot = self.core.oracle.spot(underlying)[0] / WAD
        settled = {e: p / WAD for (u, e), p in self.proven.items() if u == underlying}
        return Market(self.core.now, spot, self.slices[underlying], settled)

    def price_for(self, underlying: int, action: str) -> int:
        """MarketOracle.check."""
        try:
            return int(self.core.oracle.check(underlying, ACTIONS.index(action)))
        except Reverted as failure:
            raise Refused(failure.name) from None

    def settlement_price(self, underlying: int, expiry: int) -> int:
        """What was proven."""
        return self.proven.get((underlying, expiry), 0)
