"""What a portfolio holds: options, spot, venue positions and other instruments, by underlying."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from keeper.errors import PricingError
from keeper.models import OptionLeg, Snapshot
from keeper.portfolio.book import Market, market_of


class Instrument(Protocol):
    """Anything whose worth depends on the spot alone, such as a concentrated-liquidity position."""

    def value(self, spot_usd: float) -> float:
        """USD."""
        ...

    def delta(self, spot_usd: float) -> float:
        """ETH, or the underlying's own unit."""
        ...

    def gamma(self, spot_usd: float) -> float:
        """ETH per USD."""
        ...


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """A position at a hedge venue. `health` is 1.0 at the venue's own threshold, inf without debt.

    `penalty` is the share of the repaid base that a liquidation costs.
    """

    base_eth: float
    quote_usd: float
    health: float = math.inf
    penalty: float = 0.05

    def __post_init__(self) -> None:
        if not (math.isfinite(self.base_eth) and math.isfinite(self.quote_usd)):
            raise PricingError(f"venue holds {self.base_eth!r} base and {self.quote_usd!r} quote")
        if not self.health > 0.0 or not 0.0 <= self.penalty < 1.0:
            raise PricingError(
                f"venue has health {self.health!r}, penalty {self.penalty!r}: "
                "need health > 0 and 0 <= penalty < 1"
            )


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything in one underlying. `base_eth` is what is held outside venues."""

    market: Market
    legs: tuple[OptionLeg, ...] = ()
    base_eth: float = 0.0
    venues: tuple[VenuePosition, ...] = ()
    instruments: tuple[Instrument, ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.base_eth):
            raise PricingError(f"base is {self.base_eth!r}: it must be a finite number of ETH")
        if len({leg.underlying for leg in self.legs}) > 1:
            raise PricingError("legs of several underlyings in one holding: give each its own")


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Cash in USD and holdings by market id."""

    cash_usd: float = 0.0
    holdings: Mapping[int, Holdings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not math.isfinite(self.cash_usd):
            raise PricingError(f"cash is {self.cash_usd!r}: it must be a finite number of USD")
        for underlying, held in self.holdings.items():
            wrong = next((leg for leg in held.legs if leg.underlying != underlying), None)
            if wrong is not None:
                raise PricingError(
                    f"series {wrong.series_id} of underlying {wrong.underlying} is filed under {underlying}"
                )


def portfolio_of(snapshot: Snapshot, instruments: tuple[Instrument, ...] = ()) -> Portfolio:
    """The vault as the snapshot shows it. A venue without a health that is a number > 0 raises PricingError."""
    legs = tuple(leg for leg in snapshot.legs if leg.underlying == snapshot.underlying)
    venues = tuple(VenuePosition(v.base_eth, v.quote_usd, v.health) for v in snapshot.venues)
    held = Holdings(market_of(snapshot), legs, snapshot.base_eth, venues, instruments)
    return Portfolio(snapshot.cash_usd, {snapshot.underlying: held})
