"""The margin shadow: what RiskEngine.margin answers for a portfolio, worked out from the same integers.

Contract: contracts/RiskEngine.sol; rule: contracts/interfaces/IRiskEngine.sol. Every option is priced by the Black
formula here and by a table of the normal distribution there, so the two differ by at most 1e-7 of the larger of
forward and strike a contract (ScenarioKernel), against 1e-6 of `gross_usd` that the tests hold them to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeper.errors import PricingError
from keeper.models import OptionLeg
from keeper.portfolio.book import Market
from keeper.portfolio.positions import Holdings, Portfolio, VenuePosition
from keeper.portfolio.stress_grid import Margin, StressParameters, scenario_margin
from keeper.units import decode_series, from_wad, pack_leg

# Health of a short without collateral: liquidated at every price, yet a number above zero.
_DEAD = 1e-300


@dataclass(frozen=True, slots=True)
class ChainHedge:
    """IRiskEngine.Hedge: WAD base and quote, liquidation threshold and penalty, market id of the base."""

    base: int
    quote: int
    threshold: int = 0
    penalty: int = 0
    underlying: int = 1


@dataclass(frozen=True, slots=True)
class ChainPortfolio:
    """IRiskEngine.Portfolio: WAD cash, wei of base, hedges, and legs as (series, WAD size)."""

    underlying: int
    cash: int
    base: int = 0
    hedges: tuple[ChainHedge, ...] = ()
    legs: tuple[tuple[int, int], ...] = ()

    def as_tuple(self) -> tuple[object, ...]:
        """As the contract's ABI takes it."""
        hedges = [(h.base, h.quote, h.threshold, h.penalty, h.underlying) for h in self.hedges]
        legs = [pack_leg(*leg) for leg in self.legs]
        return self.underlying, self.cash, self.base, hedges, legs


def parameters_of(words: Sequence[int]) -> StressParameters:
    """StressParameters of IRiskEngine.MarginParameters in its order of fields, WAD."""
    if len(words) != 9:
        raise PricingError(f"MarginParameters has 9 fields, got {len(words)}")
    move, up, down, tail, weight, floor, contingency, haircut, share = map(from_wad, words)
    return StressParameters(
        spot_move=move,
        vol_up=up,
        vol_down=down,
        tail_moves=(-tail, tail),
        tail_weight=weight,
        short_floor=floor,
        contingency=contingency,
        base_haircut=haircut,
        maintenance_share=share,
    )


def shadow_margin(
    portfolio: ChainPortfolio, markets: Mapping[int, Market], parameters: StressParameters
) -> Margin:
    """Equity, initial and maintenance margin in USD, as RiskEngine.margin to within 1e-6 of `gross_usd`.

    Raises PricingError when the portfolio names an underlying that `markets` lacks.
    """
    return scenario_margin(keeper_portfolio(portfolio, markets), parameters)


def keeper_portfolio(portfolio: ChainPortfolio, markets: Mapping[int, Market]) -> Portfolio:
    """The portfolio in floats, by underlying."""
    legs: dict[int, list[OptionLeg]] = {}
    for series, size in portfolio.legs:
        leg = option_leg(series, size)
        legs.setdefault(leg.underlying, []).append(leg)
    named = set(legs)
    if portfolio.base or portfolio.hedges:
        named.add(portfolio.underlying)
    missing = sorted(named - set(markets))
    if missing:
        raise PricingError(f"no market is given for underlyings {missing}")
    holdings = {}
    for underlying in sorted(named):
        market = markets[underlying]
        own = underlying == portfolio.underlying
        holdings[underlying] = Holdings(
            market=market,
            legs=tuple(legs.get(underlying, ())),
            base_eth=from_wad(portfolio.base) if own else 0.0,
            venues=tuple(venue_of(h, market.spot_usd) for h in portfolio.hedges) if own else (),
        )
    return Portfolio(from_wad(portfolio.cash), holdings)


def option_leg(series: int, size: int) -> OptionLeg:
    """A leg of the chain in floats."""
    underlying, expiry_s, strike_usd, is_call = decode_series(series)
    return OptionLeg(series, underlying, expiry_s, strike_usd, is_call, from_wad(size))


def venue_of(hedge: ChainHedge, spot_usd: float) -> VenuePosition:
    """A hedge with its health at the spot: what is held x threshold over what is owed."""
    base, quote = from_wad(hedge.base), from_wad(hedge.quote)
    held, owed = (quote, -base * spot_usd) if base < 0.0 else (base * spot_usd, -quote)
    if hedge.threshold == 0 or base == 0.0 or owed <= 0.0:
        health = math.inf
    else:
        health = max(held * from_wad(hedge.threshold) / owed, _DEAD)
    return VenuePosition(base, quote, health, from_wad(hedge.penalty))


def gross_usd(portfolio: ChainPortfolio, markets: Mapping[int, Market]) -> float:
    """USD that the portfolio is about, every part positive: what a relative error is relative to."""
    total = abs(from_wad(portfolio.cash))
    if portfolio.base or portfolio.hedges:
        spot = markets[portfolio.underlying].spot_usd
        total += from_wad(portfolio.base) * spot
        total += sum(
            abs(from_wad(h.base)) * spot + abs(from_wad(h.quote)) for h in portfolio.hedges
        )
    for series, size in portfolio.legs:
        leg = option_leg(series, size)
        total += abs(leg.size) * max(markets[leg.underlying].spot_usd, leg.strike_usd)
    return total
