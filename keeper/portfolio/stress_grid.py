"""Stress grid and scenario margin of the contract's shape: spot moves x volatility moves, and weighted tails.

The parameters are one record, so that they can be kept equal to the risk engine's. Each underlying's grid is taken
by itself and the worst losses are added: no credit for correlation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from keeper.errors import PricingError
from keeper.portfolio.positions import Holdings, Portfolio
from keeper.portfolio.revalue import CONTRACT_SCALE, TenorScale, scenario_values

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StressParameters:
    """Moves are shares of spot, volatility moves relative at 30 days.

    `spot_steps` moves to either side, equally spaced up to `spot_move`, each at volatility as it is, up and down;
    then `tail_moves` at volatility up, of whose loss `tail_weight` counts. `contingency` is a share of spot a short
    contract, added; `short_floor` is the least that counts in place of a smaller worst loss, also a share of spot a
    short contract. `base_haircut` is a share of the value of base held outside venues, added.
    """

    spot_move: float = 0.20
    spot_steps: int = 3
    vol_up: float = 0.45
    vol_down: float = 0.30
    tail_moves: tuple[float, ...] = (-0.50, 0.50)
    tail_weight: float = 0.35
    contingency: float = 0.01
    short_floor: float = 0.03
    base_haircut: float = 0.05
    maintenance_share: float = 0.75
    scale: TenorScale = CONTRACT_SCALE

    def __post_init__(self) -> None:
        ranges = {
            "spot_move": (self.spot_move, 0.0, 0.99),
            "vol_up": (self.vol_up, 0.0, 10.0),
            "vol_down": (self.vol_down, 0.0, 0.99),
            "tail_weight": (self.tail_weight, 0.0, 1.0),
            "contingency": (self.contingency, 0.0, 1.0),
            "short_floor": (self.short_floor, 0.0, 1.0),
            "base_haircut": (self.base_haircut, 0.0, 1.0),
            "maintenance_share": (self.maintenance_share, 0.0, 1.0),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise PricingError(f"{name} must lie in [{low:g}, {high:g}], got {value!r}")
        if self.spot_steps < 1:
            raise PricingError(f"spot_steps must be at least 1, got {self.spot_steps}")
        for move in self.tail_moves:
            if not (math.isfinite(move) and move > -1.0):
                raise PricingError(f"tail move {move!r} must be a number above -1")

    def scenarios(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(spot move, volatility move, weight of the loss), one value a scenario; tails last."""
        steps = np.arange(-self.spot_steps, self.spot_steps + 1) * (
            self.spot_move / self.spot_steps
        )
        vols = (0.0, self.vol_up, -self.vol_down)
        tails = np.array(self.tail_moves, dtype=np.float64)
        spot = np.concatenate([np.repeat(steps, len(vols)), tails])
        vol = np.concatenate([np.tile(vols, steps.size), np.full(tails.size, self.vol_up)])
        weight = np.concatenate(
            [np.ones(steps.size * len(vols)), np.full(tails.size, self.tail_weight)]
        )
        return spot, vol, weight


@dataclass(frozen=True, slots=True)
class GridResult:
    """One underlying. `profit_usd` is each scenario's P&L before weights, in the order of `scenarios()`."""

    profit_usd: FloatArray
    worst_loss_usd: float
    worst_scenario: int | None
    floor_usd: float
    contingency_usd: float
    haircut_usd: float

    @property
    def initial_usd(self) -> float:
        """What must be covered: the larger of worst loss and floor, plus contingency and haircut of the base."""
        return max(self.worst_loss_usd, self.floor_usd) + self.contingency_usd + self.haircut_usd


@dataclass(frozen=True, slots=True)
class Margin:
    """USD, of the whole portfolio, with each underlying's grid."""

    equity_usd: float
    initial_usd: float
    maintenance_usd: float
    grids: dict[int, GridResult]

    @property
    def utilisation(self) -> float:
        """Initial margin as a share of equity; inf when there is no equity to cover one."""
        if self.equity_usd > 0.0:
            return self.initial_usd / self.equity_usd
        return math.inf if self.initial_usd > 0.0 else 0.0


def present_value(held: Holdings) -> float:
    """Worth now, USD: a venue below its threshold has not been liquidated yet; in a scenario it counts as if."""
    whole = replace(held, venues=tuple(replace(v, health=math.inf) for v in held.venues))
    return float(scenario_values(whole, [0.0], [0.0])[0])


def stress_grid(held: Holdings, parameters: StressParameters) -> GridResult:
    """P&L of one underlying over the grid: options, base, venues and instruments together."""
    spot, vol, weight = parameters.scenarios()
    now = present_value(held)
    profit = scenario_values(held, spot, vol, scale=parameters.scale) - now
    losses = -profit * weight
    row = int(np.argmax(losses))
    market = held.market
    short = -math.fsum(
        leg.size for leg in held.legs if leg.size < 0.0 and leg.expiry_s > market.timestamp_s
    )
    bears = losses[row] > 0.0
    return GridResult(
        profit_usd=profit,
        worst_loss_usd=float(losses[row]) if bears else 0.0,
        worst_scenario=row if bears else None,
        floor_usd=parameters.short_floor * short * market.spot_usd,
        contingency_usd=parameters.contingency * short * market.spot_usd,
        haircut_usd=parameters.base_haircut * max(held.base_eth, 0.0) * market.spot_usd,
    )


def scenario_margin(portfolio: Portfolio, parameters: StressParameters | None = None) -> Margin:
    """Equity, initial and maintenance margin: worst losses of all underlyings added."""
    used = parameters or StressParameters()
    grids = {u: stress_grid(held, used) for u, held in sorted(portfolio.holdings.items())}
    values = [present_value(held) for held in portfolio.holdings.values()]
    equity = math.fsum((portfolio.cash_usd, *values))
    initial = math.fsum(grid.initial_usd for grid in grids.values())
    return Margin(equity, initial, initial * used.maintenance_share, grids)
