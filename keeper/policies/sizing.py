"""How much volatility to sell or buy at each expiry: fractional Kelly on the edge, capped by margin and drawdown.

Kelly's size for small bets maximises m'x - x' Omega x / (2 W) over vegas x (wealth W, edge m and covariance Omega of
profit per vega until expiry): x = W Omega^-1 m. A share c of it is the same problem at W c. Here c is the least of

* the desk's own fraction times the share that uncertainty of the edge leaves (`shrink_for_uncertainty`), and
* the share at which the desk's drawdown is reached with its probability (`drawdown_fraction`),

and W c falls in a line to 0 as equity falls from its peak to the floor (the form of Grossman and Zhou 1993, "Optimal
investment strategies for controlling drawdowns"). Selling earns the bid's edge and buying the ask's, measured from
what is held, so that small edges trade nothing. Margin and a loss limit are constraints of the same programme.
Positions of different expiries are held to their own ends: the sum is taken as one bet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from keeper.errors import PricingError
from keeper.policies.parameters import PolicyParameters
from keeper.policies.sizing_edge import (
    ErrorModel,
    FloatArray,
    drawdown_fraction,
    profit_model,
    shrink_for_uncertainty,
    vol_edge,
)
from keeper.policies.sizing_solver import Programme, optimise


@dataclass(frozen=True, slots=True)
class ExpiryView:
    """One expiry. Volatilities a year; `vega_sold` (USD per 1.00) is held now, + sold; margins USD per vega."""

    expiry_s: int
    bid_vol: float
    ask_vol: float
    forecast_vol: float
    vega_sold: float
    margin_per_vega_sold: float
    margin_per_vega_bought: float
    max_vega: float = math.inf

    def __post_init__(self) -> None:
        if not 0.0 < self.bid_vol <= self.ask_vol < math.inf:
            raise PricingError(
                f"expiry {self.expiry_s}: bid {self.bid_vol!r} and ask {self.ask_vol!r} must be 0 < bid <= ask"
            )
        if not 0.0 < self.forecast_vol < math.inf:
            raise PricingError(f"expiry {self.expiry_s}: forecast is {self.forecast_vol!r}")
        if not math.isfinite(self.vega_sold) or not self.max_vega >= 0.0:
            raise PricingError(
                f"expiry {self.expiry_s}: vega {self.vega_sold!r}, at most {self.max_vega!r}"
            )
        for margin in (self.margin_per_vega_sold, self.margin_per_vega_bought):
            if not 0.0 <= margin < math.inf:
                raise PricingError(f"expiry {self.expiry_s}: margin per vega is {margin!r}")


@dataclass(frozen=True, slots=True)
class Capital:
    """USD. `peak_usd` is the highest equity so far, `other_margin_usd` what everything else takes."""

    equity_usd: float
    peak_usd: float
    other_margin_usd: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.equity_usd) and 0.0 < self.peak_usd < math.inf):
            raise PricingError(f"equity {self.equity_usd!r} or peak {self.peak_usd!r} is no amount")
        if self.equity_usd > self.peak_usd:
            raise PricingError(
                f"equity {self.equity_usd:.6g} is above its peak {self.peak_usd:.6g}"
            )
        if not 0.0 <= self.other_margin_usd < math.inf:
            raise PricingError(f"other margin is {self.other_margin_usd!r}")


class SizingParameters(PolicyParameters):
    """The desk's appetite."""

    kelly_fraction: float = Field(default=0.5, gt=0.0, le=1.0, description="share of Kelly's size")
    max_drawdown: float = Field(
        default=0.2, gt=0.0, lt=1.0, description="fall from the peak after which nothing is held"
    )
    drawdown_probability: float = Field(
        default=0.05, gt=0.0, lt=1.0, description="with which that fall may ever come"
    )
    margin_utilisation: float = Field(
        default=0.6, gt=0.0, le=1.0, description="most initial margin, as a share of equity"
    )
    loss_multiple: float = Field(
        default=3.0, gt=0.0, description="standard deviations of profit that a bad period costs"
    )
    loss_share: float = Field(
        default=0.5, gt=0.0, le=1.0, description="share of the way to the floor that it may cost"
    )


@dataclass(frozen=True, slots=True)
class SizedExpiry:
    """`target_vega_sold` and `trade_vega_sold` in USD per 1.00 of volatility; `edge` USD per vega at mid."""

    expiry_s: int
    target_vega_sold: float
    trade_vega_sold: float
    edge: float


@dataclass(frozen=True, slots=True)
class SizingPlan:
    """Sizes with what bounds them: `binding` names "uncertainty", "drawdown", "margin", "loss", "size".

    `fraction` is the share of Kelly's size before constraints, `capital_usd` the wealth that it was taken of.
    `margin_price` is what one more USD of margin would earn over the period.
    """

    expiries: tuple[SizedExpiry, ...]
    fraction: float
    uncertainty_share: float
    capital_usd: float
    expected_profit_usd: float
    deviation_usd: float
    margin_usd: float
    margin_price: float
    binding: tuple[str, ...]


def size_book(
    views: Sequence[ExpiryView],
    capital: Capital,
    errors: ErrorModel,
    parameters: SizingParameters | None = None,
) -> SizingPlan:
    """Sizes for `views`, in the order of the error model's rows.

    Raises PricingError for no view, an expiry given twice, or an error model of another size.
    """
    own = parameters or SizingParameters()
    bid, ask, forecast = _columns(views)
    edge, covariance, doubt = profit_model(0.5 * (bid + ask), forecast, errors)
    share = shrink_for_uncertainty(edge, covariance, doubt)
    cap = drawdown_fraction(own.max_drawdown, own.drawdown_probability)
    fraction = min(own.kelly_fraction * share, cap)
    floor = (1.0 - own.max_drawdown) * capital.peak_usd
    surplus = max(capital.equity_usd - floor, 0.0)
    at_work = capital.equity_usd * surplus / (own.max_drawdown * capital.peak_usd)
    programme = _programme(views, covariance, at_work * fraction, capital, own, surplus)
    found, price = np.zeros(len(views)), 0.0
    tight: tuple[str, ...] = ()
    if programme.aversion < math.inf and programme.margin > 0.0:
        best = optimise(programme)
        found, price = best.x, best.margin_price
        tight = _binding(programme, found, price, best.aversion)
    return SizingPlan(
        expiries=tuple(
            SizedExpiry(view.expiry_s, float(x), float(x) - view.vega_sold, float(e))
            for view, x, e in zip(views, found, edge, strict=True)
        ),
        fraction=fraction,
        uncertainty_share=share,
        capital_usd=at_work,
        expected_profit_usd=float(edge @ found),
        deviation_usd=programme.deviation_of(found),
        margin_usd=programme.margin_of(found),
        margin_price=price,
        binding=(*_fraction_bounds(share, own.kelly_fraction, cap, surplus), *tight),
    )


def _columns(views: Sequence[ExpiryView]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Bid, ask and forecast volatility. Raises PricingError for no view or an expiry given twice."""
    names = [view.expiry_s for view in views]
    if not names or len(set(names)) != len(names):
        raise PricingError(f"expiries {names} must be at least one, each given once")
    rows = np.array([(view.bid_vol, view.ask_vol, view.forecast_vol) for view in views])
    return rows[:, 0], rows[:, 1], rows[:, 2]


def _programme(
    views: Sequence[ExpiryView],
    covariance: FloatArray,
    wealth: float,
    capital: Capital,
    own: SizingParameters,
    surplus: float,
) -> Programme:
    """The programme for Kelly's size of `wealth`; infinite aversion where there is none."""
    bid, ask, forecast = _columns(views)
    most = np.array([view.max_vega for view in views])
    room = own.margin_utilisation * capital.equity_usd - capital.other_margin_usd
    return Programme(
        sell=vol_edge(bid, forecast),
        buy=-vol_edge(ask, forecast),
        start=np.array([view.vega_sold for view in views]),
        covariance=covariance,
        aversion=1.0 / wealth if wealth > 0.0 else math.inf,
        margin_sold=np.array([view.margin_per_vega_sold for view in views]),
        margin_bought=np.array([view.margin_per_vega_bought for view in views]),
        margin=max(room, 0.0),
        deviation=own.loss_share * surplus / own.loss_multiple,
        low=-most,
        high=most,
    )


def _fraction_bounds(share: float, fraction: float, cap: float, surplus: float) -> tuple[str, ...]:
    if surplus == 0.0 or cap < fraction * share:
        return ("drawdown",)
    return ("uncertainty",) if share < 1.0 else ()


def _binding(programme: Programme, x: FloatArray, price: float, aversion: float) -> tuple[str, ...]:
    names = ["margin"] if price > 0.0 else []
    if aversion > programme.aversion:
        names.append("loss")
    if (np.abs(x) >= programme.high).any():
        names.append("size")
    return tuple(names)
