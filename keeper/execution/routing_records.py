"""The router's question and its answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from keeper.errors import Halt
from keeper.models import PoolDepth

_MOST_ROUTES = 12


class Stage(IntEnum):
    """What a fill does to the position of its venue."""

    CLOSE = 0
    OPEN = 1


@dataclass(frozen=True, slots=True)
class Route:
    """One way to trade: at most `cap_eth` through a pool, at `fixed_usd` once and `carry` of the money on top.

    `cash_per_eth` is the USD of cash that each ETH ties up while the batch runs.
    """

    venue: str
    pool: str
    stage: Stage
    cap_eth: float
    fixed_usd: float = 0.0
    carry: float = 0.0
    cash_per_eth: float = 0.0


@dataclass(frozen=True, slots=True)
class Problem:
    """How to buy or sell `totals` ETH, by stage, no marginal price worse than `worst_usd`, no fill under `clip_eth`."""

    buy: bool
    routes: tuple[Route, ...]
    totals: tuple[float, float]
    worst_usd: float
    clip_eth: float
    cash_usd: float
    depths: Mapping[str, PoolDepth]


@dataclass(frozen=True, slots=True)
class Fill:
    """Part of a split: ETH through a route, the USD that it moves there, and the pool's price, with fee, at its end."""

    route: Route
    eth: float
    marginal_usd: float
    paid_usd: float


@dataclass(frozen=True, slots=True)
class Split:
    """Fills in the order they run. `money_usd` is what they cost or bring with carry; `fixed_usd` is the gas."""

    fills: tuple[Fill, ...]
    money_usd: float
    fixed_usd: float

    @property
    def eth(self) -> float:
        """Everything that is traded, unsigned."""
        return math.fsum(fill.eth for fill in self.fills)


def require_sense(problem: Problem) -> None:
    """Halt for a problem that is none: the message says which part."""
    numbers = [*problem.totals, problem.worst_usd, problem.clip_eth]
    numbers += [v for r in problem.routes for v in (r.cap_eth, r.fixed_usd)]
    if not all(0.0 <= value < math.inf for value in numbers):
        raise Halt(
            f"a hedge of {problem.totals!r} ETH cannot be routed: a size or a limit is no number"
        )
    if len(problem.routes) > _MOST_ROUTES:
        raise Halt(
            f"{len(problem.routes)} routes are more than the {_MOST_ROUTES} whose subsets are tried"
        )
    names = [route.venue for route in problem.routes]
    unknown = [route.pool for route in problem.routes if route.pool not in problem.depths]
    if unknown or len(set(names)) < len(names):
        raise Halt(f"routes {names} name a venue twice, or pools without a depth: {unknown}")
