"""What guards look at, how strict they are, and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from keeper.models import Book, Costs, Plan, Snapshot


class GuardLimits(BaseModel):
    """How strict the guards are. Unknown keys, NaN and numbers in quotes are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    max_snapshot_age_s: int = Field(
        default=60, gt=0, description="seconds a block's time may lag the clock"
    )
    max_clock_lead_s: int = Field(
        default=15, ge=0, description="seconds a block's time may be ahead of the clock"
    )
    max_oracle_age_s: int = Field(
        default=4500, gt=0, description="seconds since the feed's last round; heartbeat plus slack"
    )
    max_surface_age_s: int = Field(
        default=7200,
        gt=0,
        description="seconds since the last surface commit; the contract's own limit holds too",
    )
    delta_tolerance_eth: float = Field(
        default=0.01, gt=0.0, description="most ETH by which the chain's delta and ours may differ"
    )
    min_budget_usd: float = Field(
        default=0.0,
        ge=0.0,
        description="loss budget in USD that must be left after the plan's expected cost",
    )
    min_keeper_balance_eth: float = Field(
        default=0.02, ge=0.0, description="ETH that the keeper's own account must hold for gas"
    )
    max_trade_eth: float = Field(
        default=500.0, gt=0.0, description="most ETH that one plan may trade"
    )


@dataclass(frozen=True, slots=True)
class GuardContext:
    """All that a guard may look at. `now_s` is the caller's clock, unix seconds: guards read none themselves."""

    snapshot: Snapshot
    book: Book
    plan: Plan
    costs: Costs
    limits: GuardLimits
    max_base_fee_wei: int
    now_s: int


@dataclass(frozen=True, slots=True)
class Check:
    """A guard's answer. `age_s` is the age of what it judged, `way_out` what makes it pass again.

    A check that is not `blocking` only warns: refusing to hedge would do more harm than what it saw.
    """

    guard: str
    ok: bool
    reason: str
    way_out: str
    age_s: int = 0
    blocking: bool = True


Guard = Callable[[GuardContext], Check]


@dataclass(frozen=True, slots=True)
class Verdict:
    """All answers together: ok when no blocking guard refused."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether the plan may be sent."""
        return not any(c.blocking and not c.ok for c in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it may not, each with its way out; empty when it may."""
        return tuple(
            f"{c.guard}: {c.reason}; {c.way_out}" for c in self.checks if c.blocking and not c.ok
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What does not block but wants somebody's attention."""
        return tuple(
            f"{c.guard}: {c.reason}; {c.way_out}"
            for c in self.checks
            if not c.blocking and not c.ok
        )
