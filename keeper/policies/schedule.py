"""A large hedge in slices: the schedule of Almgren and Chriss on a pool whose price comes back.

X ETH are to be traded in N steps of length tau; x_k is what is left after step k and n_k = x_(k-1) - x_k the slice. A
slice of n pays half of psi n above the price that it finds, psi being the slope of the pool's price in USD per ETH
per ETH. Of that push a share p is permanent; of the rest a share r has been traded back by others when the next slice
comes, and what has not counts as permanent too: g = psi (p + (1 - p)(1 - r)). What is left is exposed to the price:

    cost(x) = sum 1/2 psi n_k^2 + g sum_k n_k (X - x_(k-1)) + 1/2 a s^2 sum_(k<N) x_k^2 + f N

with a the risk aversion per USD, s the standard deviation of the price in a step, f the gas of a slice. The second
sum is g/2 (X^2 - sum n^2), so that only e = (psi - g)/2 = psi (1 - p) r / 2 is paid for haste, and the optimum is

    x_k = X sinh(k' (N - k)) / sinh(k' N),    2 (cosh k' - 1) = a s^2 / (2 e).

Without recovery e = 0 and everything goes at once. The optimum is consistent in time: planned again from what is left,
it goes on as it was, so a schedule needs no memory but its end.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from pydantic import Field

from keeper.errors import PricingError
from keeper.policies.parameters import PolicyParameters


class SlicingRules(PolicyParameters):
    """How a hedge may be sliced."""

    step_s: int = Field(default=60, gt=0, description="seconds between two slices of a hedge")
    max_steps: int = Field(
        default=8, ge=1, le=100, description="most slices of one hedge; 1: everything at once"
    )
    risk_aversion: float = Field(
        default=200.0,
        ge=0.0,
        description="of the schedule, as the policy's own, times the notional of the live options in USD",
    )
    permanent: float = Field(
        default=0.1,
        ge=0.0,
        le=1.0,
        description="share of a push on a pool's price that the market takes over for good",
    )
    recovery: float = Field(
        default=0.8,
        ge=0.0,
        le=1.0,
        description="share of the rest that is traded back in a step, until it has been measured",
    )
    own_move: float = Field(
        default=0.5,
        gt=0.0,
        description="most that a slice pushes the price, in standard deviations of the price in a step",
    )
    gamma_drift: float = Field(
        default=0.5,
        gt=0.0,
        description="most drift of delta by gamma until the last slice, as a share of the contract's band",
    )


@dataclass(frozen=True, slots=True)
class Market:
    """psi USD per ETH per ETH; the permanent share; the share recovered in a step; s USD; a per USD; f USD."""

    impact: float
    permanent: float
    recovered: float
    step_deviation_usd: float
    risk_aversion: float
    slice_cost_usd: float

    def __post_init__(self) -> None:
        shares = (self.permanent, self.recovered)
        rest = (self.impact, self.step_deviation_usd, self.risk_aversion, self.slice_cost_usd)
        if not (all(0.0 <= s <= 1.0 for s in shares) and all(0.0 <= v < math.inf for v in rest)):
            raise PricingError(
                f"a market for slices must be of shares and numbers >= 0, got {self}"
            )

    @property
    def lasting(self) -> float:
        """g: the push that the next slice still finds."""
        return self.impact * (self.permanent + (1.0 - self.permanent) * (1.0 - self.recovered))

    @property
    def haste(self) -> float:
        """e: what is paid for haste."""
        return 0.5 * self.impact * (1.0 - self.permanent) * self.recovered


def left_after(total_eth: float, steps: int, market: Market) -> list[float]:
    """x_0 .. x_N of the optimum."""
    if steps < 1:
        raise PricingError(f"a schedule needs at least one step, got {steps}")
    if market.haste <= 0.0:
        return [total_eth] + [0.0] * steps
    ratio = market.risk_aversion * market.step_deviation_usd**2 / (4.0 * market.haste)
    k = math.acosh(1.0 + ratio) if ratio < 1e12 else math.inf
    return [total_eth * _share(k, steps, steps - i) for i in range(steps + 1)]


def schedule_cost(total_eth: float, left: list[float], market: Market) -> float:
    """The cost above, as it is paid slice by slice."""
    cost, pushed = 0.0, 0.0
    for before, after in itertools.pairwise(left):
        slice_eth = before - after
        cost += slice_eth * (pushed + 0.5 * market.impact * slice_eth)
        pushed += market.lasting * slice_eth
        cost += 0.5 * market.risk_aversion * (market.step_deviation_usd * after) ** 2
    slices = sum(before != after for before, after in itertools.pairwise(left))
    return cost + market.slice_cost_usd * max(slices, int(total_eth != 0.0))


def best_steps(total_eth: float, most: int, market: Market) -> int:
    """The number of slices, at most `most`, that costs least; the fewer where it makes no difference."""
    costs = [
        (schedule_cost(total_eth, left_after(total_eth, n, market), market), n)
        for n in range(1, max(most, 1) + 1)
    ]
    return min(costs)[1]


def _share(k: float, steps: int, ahead: int) -> float:
    """sinh(k ahead) / sinh(k steps), also where both overflow or vanish."""
    if ahead == 0:
        return 0.0
    if ahead == steps:
        return 1.0
    if k * steps < 1e-6:
        return ahead / steps
    if math.isinf(k):
        return 0.0
    return math.exp(k * (ahead - steps)) * math.expm1(-2 * k * ahead) / math.expm1(-2 * k * steps)
