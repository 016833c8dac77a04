"""What the model must be told about the market: margin of a portfolio, and prices that may be acted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from keeper.errors import GammadeskError
from keeper.portfolio.book import Market
from keeper.portfolio.margin_shadow import ChainPortfolio, shadow_margin
from keeper.portfolio.stress_grid import StressParameters
from keeper.units import to_wad_down, to_wad_up

# IRiskEngine.Slice.
FRESH, REFERENCE = range(2)


class Refused(GammadeskError):
    """The model refuses an action, and nothing has changed. `name` is the contract's custom error."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the clearinghouse refuses this: {name}")
        self.name = name


class Marks(Protocol):
    """The engine and the oracle, as the Clearinghouse asks them. Every method may raise Refused."""

    def margin(self, portfolio: ChainPortfolio, slice_: int = FRESH) -> tuple[int, int, int]:
        """Equity, initial and maintenance margin, WAD USD, by the fresh or the reference slice."""
        ...

    def price_for(self, underlying: int, action: str) -> int:
        """Spot in WAD if it may be used for the action (Withdraw, Liquidate)."""
        ...

    def settlement_price(self, underlying: int, expiry: int) -> int:
        """Proven price in WAD, 0 while there is none."""
        ...


@dataclass
class ShadowMarks:
    """Marks from the margin shadow, for the simulator: every known price may be acted on."""

    markets: Mapping[int, Market]
    reference: Mapping[int, Market] | None = None
    parameters: StressParameters = field(default_factory=StressParameters)
    settled: dict[tuple[int, int], int] = field(default_factory=dict)

    def margin(self, portfolio: ChainPortfolio, slice_: int = FRESH) -> tuple[int, int, int]:
        """As RiskEngine.margin, rounded against the account. Without `reference` both slices are the same."""
        markets = self.markets if slice_ == FRESH or self.reference is None else self.reference
        found = shadow_margin(portfolio, markets, self.parameters)
        initial, maintenance = to_wad_up(found.initial_usd), to_wad_up(found.maintenance_usd)
        return to_wad_down(found.equity_usd), initial, maintenance

    def price_for(self, underlying: int, action: str) -> int:  # noqa: ARG002
        """The market's spot."""
        if underlying not in self.markets:
            raise Refused("MarketUnknown")
        return to_wad_down(self.markets[underlying].spot_usd)

    def settlement_price(self, underlying: int, expiry: int) -> int:
        """What `settled` says."""
        return self.settled.get((underlying, expiry), 0)
