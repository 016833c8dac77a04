"""The overlay's alternative: move the desk's own quotes until takers bring the vega, instead of paying makers.

Arrivals, as in Avellaneda and Stoikov (2008), "High-frequency trading in a limit order book", Quantitative Finance
8(3), section 3.2: takers hit a quote at distance d from the fair volatility as a Poisson process of rate
A exp(-k d) on each side, every trade of the same vega. With bid and ask at distances h - m and h + m (the mid moved by
m towards the wanted side), or h - m and h (the wanted side alone), the net number of trades in a time T is a Skellam
variable with means A exp(-k d) T. What moving costs is the edge given up against quotes left where they are, plus
what waiting outside of the limits is worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy.optimize import minimize_scalar
from scipy.stats import skellam

from keeper.errors import PricingError

Manner = Literal["mid", "one_side"]
MANNERS: tuple[Manner, Manner] = ("mid", "one_side")
# Beyond this many mean lives of the book A exp(k m) overflows what anybody quotes.
_MAX_EXPONENT = 50.0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Takers of the desk's quotes. Distances are in volatility (0.01 is one point), money in USD.

    `rate_per_hour` is A on each side, `decay` is k per 1.00 of volatility, `vega_usd` of one trade per 1.00 of
    volatility, `half_spread` the present distance of both quotes. `waiting_usd_per_hour` is what an hour outside of
    the limits is worth avoiding.
    """

    rate_per_hour: float
    decay: float
    vega_usd: float
    half_spread: float
    waiting_usd_per_hour: float = 0.0

    def __post_init__(self) -> None:
        numbers = {
            "rate_per_hour": self.rate_per_hour,
            "decay": self.decay,
            "vega_usd": self.vega_usd,
        }
        for name, value in numbers.items():
            if not 0.0 < value < math.inf:
                raise PricingError(f"{name} must be a positive number, got {value!r}")
        if not 0.0 <= self.half_spread < math.inf:
            raise PricingError(f"half_spread must be >= 0, got {self.half_spread!r}")
        if not 0.0 <= self.waiting_usd_per_hour < math.inf:
            raise PricingError(
                f"waiting_usd_per_hour must be >= 0, got {self.waiting_usd_per_hour!r}"
            )

    def flows(self, move: float, manner: Manner) -> tuple[float, float]:
        """Trades per hour on the wanted side and on the other."""
        wanted = self.rate_per_hour * math.exp(-self.decay * (self.half_spread - move))
        away = self.half_spread + (move if manner == "mid" else 0.0)
        return wanted, self.rate_per_hour * math.exp(-self.decay * away)

    def edge_per_hour(self, move: float, manner: Manner) -> float:
        """USD an hour that both sides earn against the fair volatility."""
        wanted, other = self.flows(move, manner)
        away = self.half_spread + (move if manner == "mid" else 0.0)
        return self.vega_usd * (wanted * (self.half_spread - move) + other * away)


@dataclass(frozen=True, slots=True)
class QuoteMove:
    """How far to move (volatility, towards the wanted side), the expected time and cost, and the odds by a deadline.

    `net_per_hour` is vega gained an hour, USD per 1.00. `cost_usd` = edge given up + waiting, over the expected
    time. `in_time` is the probability that the net trades of the deadline's hours reach what is wanted.
    """

    manner: Manner
    move: float
    hours: float
    net_per_hour: float
    edge_given_up_usd: float
    waiting_usd: float
    in_time: float

    @property
    def cost_usd(self) -> float:
        """What it is expected to cost."""
        return self.edge_given_up_usd + self.waiting_usd


def move_for(
    vega_usd: float, hours: float, arrivals: Arrivals, manner: Manner = "mid"
) -> QuoteMove:
    """The move whose expected net flow brings |vega_usd| in `hours`: closed form.

    mid: 2 A e^(-kh) sinh(k m) v = vega / T; one side: A e^(-kh) (e^(k m) - 1) v = vega / T. The sign of `vega_usd`
    says which side is wanted (+ the desk's bid). Raises PricingError for a vega or time that is not a number, and
    where the quotes would have to move by more than 50 / k.
    """
    wanted = _checked(vega_usd, hours)
    still = arrivals.rate_per_hour * math.exp(-arrivals.decay * arrivals.half_spread)
    need = wanted / (arrivals.vega_usd * hours * still) if still > 0.0 else math.inf
    exponent = math.asinh(need / 2.0) if manner == "mid" else math.log1p(need)
    if exponent > _MAX_EXPONENT:
        raise PricingError(
            f"takers would have to come exp({exponent:.3g}) times as often: wait longer than {hours:g} h"
        )
    return _outcome(wanted, exponent / arrivals.decay, hours, arrivals, manner)


def cheapest_move(
    vega_usd: float, deadline_h: float, arrivals: Arrivals, manner: Manner = "mid"
) -> QuoteMove:
    """The move of least expected cost among those expected to be done by the deadline.

    A faster move gives up more edge an hour for fewer hours; without a worth of waiting that is seldom worth it.
    """
    wanted = _checked(vega_usd, deadline_h)
    slowest = move_for(vega_usd, deadline_h, arrivals, manner).move
    fastest = slowest + 5.0 / arrivals.decay

    def cost(move: float) -> float:
        return _outcome(wanted, move, deadline_h, arrivals, manner).cost_usd

    found = minimize_scalar(cost, bounds=(slowest, fastest), method="bounded")
    move = min((slowest, float(found.x)), key=cost)
    return _outcome(wanted, move, deadline_h, arrivals, manner)


def _outcome(
    wanted: float, move: float, deadline_h: float, arrivals: Arrivals, manner: Manner
) -> QuoteMove:
    near, far = arrivals.flows(move, manner)
    net = arrivals.vega_usd * (near - far)
    if wanted == 0.0:
        return QuoteMove(manner, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    hours = wanted / net if net > 0.0 else math.inf
    lost = arrivals.edge_per_hour(0.0, manner) - arrivals.edge_per_hour(move, manner)
    needed = math.ceil(wanted / arrivals.vega_usd - 1e-9)
    return QuoteMove(
        manner=manner,
        move=move,
        hours=hours,
        net_per_hour=net,
        edge_given_up_usd=lost * hours,
        waiting_usd=arrivals.waiting_usd_per_hour * hours,
        in_time=float(skellam.sf(needed - 1, near * deadline_h, far * deadline_h)),
    )


def _checked(vega_usd: float, hours: float) -> float:
    if not math.isfinite(vega_usd):
        raise PricingError(f"vega to attract is {vega_usd!r}: it must be a finite number")
    if not 0.0 < hours < math.inf:
        raise PricingError(f"hours must be a positive number, got {hours!r}")
    return abs(vega_usd)
