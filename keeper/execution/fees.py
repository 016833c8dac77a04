"""EIP-1559 fees as pure functions of base fee, elapsed time and caps. Integers of wei per gas throughout."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.errors import ConfigError, SkipTick
from keeper.units import GWEI

# Blocks may raise the base fee by an eighth each: twice leaves room for five full ones.
BASE_FEE_HEADROOM = 2
ESCALATION_S = 60
# Nodes ask for +10 %; an eighth covers those that ask for +12.5 %.
BUMP_NUMERATOR, BUMP_DENOMINATOR = 9, 8


@dataclass(frozen=True, slots=True)
class FeeRules:
    """Caps and the tip to begin with, wei per gas."""

    priority_wei: int
    max_priority_wei: int
    max_base_fee_wei: int
    max_fee_wei: int

    def __post_init__(self) -> None:
        if not 0 <= self.priority_wei <= self.max_priority_wei:
            raise ConfigError(
                "gas.priority_fee_gwei must be within 0 and gas.max_priority_fee_gwei"
            )
        if not 0 < self.max_base_fee_wei <= self.max_fee_wei:
            raise ConfigError(
                "gas.max_fee_gwei must be at least gas.max_base_fee_gwei, both positive"
            )


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers, wei per gas; `max_wei` includes the tip."""

    max_wei: int
    priority_wei: int


def fees(base_fee_wei: int, elapsed_s: int, rules: FeeRules) -> Fees:
    """Offer after waiting `elapsed_s`: the tip grows by itself every minute up to its cap.

    Raises SkipTick when the base fee is over its cap.
    """
    if base_fee_wei > rules.max_base_fee_wei:
        raise SkipTick(
            f"base fee {base_fee_wei / GWEI:.3f} gwei is over the cap of "
            f"{rules.max_base_fee_wei / GWEI:.3f} gwei: wait, or raise gas.max_base_fee_gwei"
        )
    grown = rules.priority_wei + rules.priority_wei * max(elapsed_s, 0) // ESCALATION_S
    priority = min(grown, rules.max_priority_wei)
    most = min(BASE_FEE_HEADROOM * base_fee_wei + priority, rules.max_fee_wei)
    return Fees(most, min(priority, most))


def replacement(previous: Fees, base_fee_wei: int, elapsed_s: int, rules: FeeRules) -> Fees | None:
    """Offer for the same nonce, both parts at least +12.5 %; None while the caps do not allow it."""
    try:
        wanted = fees(base_fee_wei, elapsed_s, rules)
    except SkipTick:
        return None
    priority = max(wanted.priority_wei, bumped(previous.priority_wei))
    most = max(wanted.max_wei, bumped(previous.max_wei), priority)
    if priority > rules.max_priority_wei or most > rules.max_fee_wei:
        return None
    return Fees(most, priority)


def bumped(value_wei: int) -> int:
    """The least offer that replaces one of `value_wei`: an eighth more, rounded up, and never the same."""
    return max(-(-value_wei * BUMP_NUMERATOR // BUMP_DENOMINATOR), value_wei + 1)
