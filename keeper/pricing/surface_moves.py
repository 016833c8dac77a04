"""How far a slice of the surface moved, in seconds of allowance: contracts/libraries/SurfaceMoves.sol in its integers.

A note keeps annualised variance in Q33 and w(k)/w(0) in Q14; carry and rates are WAD; times are seconds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from keeper.errors import PricingError
from keeper.units import SECONDS_PER_YEAR, WAD

HOUR_S = 3600
DAY_S = 24 * HOUR_S
FREE = (1 << 32) - 1
_SHARES = ((DAY_S, 182574185835055371), (7 * DAY_S, 483045891539647952), (30 * DAY_S, WAD))


@dataclass(frozen=True, slots=True)
class SurfaceRules:
    """The parameters of VolSurface that a commit is held to: WAD and seconds, as IVolSurface.SurfaceParameters."""

    min_vol: int
    max_vol: int
    max_carry: int
    level_rate: int
    skew_rate: int
    wing_rate: int
    forward_rate: int
    credit_cap_s: int
    min_tenor_s: int
    listing_credit_s: int
    realised_low: int
    realised_high: int
    realised_samples: int
    realised_max_days: int


@dataclass(frozen=True, slots=True)
class Note:
    """What a commit leaves beside a slice. `shapes` at -3, -1, 1 and 3 standard deviations."""

    carry_wad: int
    at_s: int
    credit_s: int
    variance: int
    shapes: tuple[int, int, int, int]

    def earned(self, cap_s: int, now_s: int) -> int:
        """Seconds of allowance now; the largest number of 32 bits after a reset."""
        if self.credit_s == FREE:
            return FREE
        return min(self.credit_s + now_s - self.at_s, cap_s)


@dataclass(frozen=True, slots=True)
class Realised:
    """The oracle's estimate, IMarketOracle.realisedVol: WAD, unix seconds of its last sample, number of returns."""

    vol: int
    updated_at_s: int
    samples: int


def realised_range(
    realised: Realised | None, rules: SurfaceRules, now_s: int
) -> tuple[int, int | None]:
    """Annualised variances, Q33, that the multiples of the realised volatility leave; (0, None) where none binds."""
    if realised is None or realised.vol == 0 or realised.samples < rules.realised_samples:
        return 0, None
    if realised.updated_at_s + rules.realised_max_days * DAY_S < now_s:
        return 0, None
    low = round_up(realised.vol * rules.realised_low, WAD)
    high = realised.vol * rules.realised_high // WAD
    return round_up(low**2 << 33, WAD**2), (high**2 << 33) // WAD**2


def check_realised(variance: int, before: int | None, bounds: tuple[int, int | None]) -> None:
    """PricingError for a level outside `realised_range` that comes no nearer than `before`, None for the first."""
    low, high = bounds
    floor = low if before is None else min(low, before)
    ceiling = high if before is None or high is None else max(high, before)
    if variance >= floor and (ceiling is None or variance <= ceiling):
        return
    raise PricingError(
        f"at-the-money volatility {math.sqrt(variance / 2**33):.4f} is outside [{math.sqrt(low / 2**33):.4f}, "
        f"{math.sqrt((high or 0) / 2**33):.4f}], what realised volatility leaves, and comes no nearer"
    )


def seconds_for(before: Note, after: Note, tenor_s: int, rules: SurfaceRules) -> int:
    """Allowance that a move takes: that of its largest part, rounded up."""
    was, now = before.variance, after.variance
    gaps = [abs(a - b) for a, b in zip(before.shapes, after.shapes, strict=True)]
    most = max(
        round_up(abs(now - was) * WAD * HOUR_S, min(was, now) * rules.level_rate),
        round_up(max(gaps[1], gaps[2]) * WAD * HOUR_S, rules.skew_rate << 14),
        round_up(max(gaps[0], gaps[3]) * WAD * HOUR_S, rules.wing_rate << 14),
    )
    most = round_up(most * tenor_share_wad(tenor_s), WAD)
    shift = abs(after.carry_wad - before.carry_wad) * tenor_s * HOUR_S
    return max(most, round_up(shift, rules.forward_rate * SECONDS_PER_YEAR))


def tenor_share_wad(tenor_s: int) -> int:
    """Share of a rate's seconds that a move takes: sqrt(tenor / 30 days) at 1, 7 and 30 days, linear between."""
    if tenor_s <= DAY_S:
        return _SHARES[0][1]
    for (left_s, left), (right_s, right) in itertools.pairwise(_SHARES):
        if tenor_s <= right_s:
            return left + (right - left) * (tenor_s - left_s) // (right_s - left_s)
    return WAD


def between(notes: Mapping[int, Note], expiry_s: int, now_s: int) -> Note:
    """What the last commit, by expiry, says of an expiry that it does not hold. As SurfaceMoves.between."""
    low_s = max((e for e in notes if e < expiry_s), default=min(notes))
    high_s = min((e for e in notes if e > expiry_s), default=max(notes))
    if low_s > expiry_s or high_s < expiry_s:
        return notes[low_s if low_s > expiry_s else high_s]
    low, high = notes[low_s], notes[high_s]
    life_low, life_high = max(low_s - now_s, 0), high_s - now_s
    up, span = expiry_s - now_s - life_low, life_high - life_low
    left, right, total = life_low * (span - up), life_high * up, span * (expiry_s - now_s)
    carry = low.carry_wad * left + high.carry_wad * right
    shapes = [
        (a * (span - up) + b * up) // span for a, b in zip(low.shapes, high.shapes, strict=True)
    ]
    return Note(
        carry_wad=abs(carry) // total * (1 if carry >= 0 else -1),
        at_s=now_s,
        credit_s=0,
        variance=(low.variance * left + high.variance * right) // total,
        shapes=(shapes[0], shapes[1], shapes[2], shapes[3]),
    )


def reachable_vol(
    wanted: float, last: float, credit_s: int, tenor_s: int, level_rate_per_hour: float
) -> float:
    """The at-the-money volatility nearest to `wanted` that a commit may hold.

    `last` is that of the last commit, `credit_s` the expiry's allowance (VolSurface.credit); the rate is of variance.
    """
    # Parts are rounded up twice, and a note keeps variance to one part in 1e9.
    hours = max(credit_s - 2, 0) / HOUR_S / (tenor_share_wad(tenor_s) / WAD)
    reach = math.sqrt(1.0 + level_rate_per_hour * hours)
    return min(max(wanted, last / reach), last * reach)


def nearer_vol(wanted: float, last: float, low: float, high: float, wait: float = 0.0) -> float:
    """The volatility nearest to `wanted` that multiples of the realised volatility, `low` and `high`, allow.

    What was outside of them may come nearer and no further; a billionth more, since a note rounds. `wait` is the share
    of its life that a slice may wait for its block: its volatility runs up meanwhile.
    """
    floor = min(low, last) * (1.0 + 1e-9)
    ceiling = max(high, last) * math.sqrt(1.0 - wait) * (1.0 - 1e-9)
    return min(max(wanted, floor), ceiling)


def round_up(a: int, b: int) -> int:
    """A / b, both not negative, rounded up."""
    return -(-a // b)
