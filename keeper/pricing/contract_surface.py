"""A fitted surface as the contract takes it: the same checks, on the packed words that would be sent."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from keeper.errors import PricingError
from keeper.models import SviSlice
from keeper.pricing.svi import (
    butterfly_density,
    pack_floats,
    slice_from_word,
    total_variance_wad,
    validate_word,
)
from keeper.units import SECONDS_PER_YEAR, WAD

DAY_S = 86_400
EXPIRY_SECOND_OF_DAY = 8 * 3600


@dataclass(frozen=True, slots=True)
class ContractRules:
    """VolSurface's parameters, and where SviChecks looks for arbitrage: in standard deviations sqrt(w(0)) of a slice.

    Calendar arbitrage is looked for on the nearer slice's grid. An empty grid checks nothing.
    """

    min_vol: float = 0.1
    max_vol: float = 5.0
    max_carry: float = 0.5
    butterfly_grid: tuple[float, ...] = (-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
    calendar_grid: tuple[float, ...] = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
    least_sigma: float = 2.0**-17
    most_sigma: float = 8.0
    most_m: float = 8.0

    def __post_init__(self) -> None:
        bounds = (*self.butterfly_grid, *self.calendar_grid, self.max_vol, self.max_carry)
        if not all(math.isfinite(v) for v in bounds) or not 0 <= self.min_vol <= self.max_vol:
            raise PricingError(f"contract rules out of range: {self}")


def contract_checks(slices: Sequence[SviSlice], rules: ContractRules, now_s: int) -> list[str]:
    """What the contract would refuse in a commit at `now_s`, in words; empty when it would take the slices.

    As VolSurface.commit: live expiries at 08:00 UTC, carry and at-the-money volatility in range, Svi.validate;
    and on the grids butterfly (density factor below 0) and calendar arbitrage (total variance falls).
    """
    if not slices:
        return ["no slices: a commit needs at least one expiry"]
    faults = [
        f"expiry {far.expiry_s} "
        + ("appears twice" if far.expiry_s == near.expiry_s else f"is not after {near.expiry_s}")
        for near, far in itertools.pairwise(slices)
        if far.expiry_s <= near.expiry_s
    ]
    words: list[int] = []
    for one in slices:
        try:
            words.append(pack_floats(one.a, one.b, one.rho, one.m, one.sigma))
            validate_word(words[-1])
        except PricingError as error:
            faults.append(f"expiry {one.expiry_s}: {error}")
            continue
        faults += [
            f"expiry {one.expiry_s}: {fault}" for fault in _alone(one, words[-1], rules, now_s)
        ]
    if not faults:
        faults = _calendar(slices, words, rules)
    return faults


def as_committed(slices: Sequence[SviSlice], rules: ContractRules) -> tuple[SviSlice, ...]:
    """The slices with their carry inside the contract's range, smiles moved so that strikes keep their volatility.

    Hours before an expiry a forward a few basis points off the spot is an annual carry of hundreds of percent.
    """
    moved = []
    for one in slices:
        carry = min(max(one.carry, -rules.max_carry), rules.max_carry)
        tau = (one.expiry_s - one.committed_at_s) / SECONDS_PER_YEAR
        moved.append(replace(one, carry=carry, m=one.m + (one.carry - carry) * tau))
    return tuple(moved)


def _alone(one: SviSlice, word: int, rules: ContractRules, now_s: int) -> list[str]:
    faults = []
    if one.expiry_s <= now_s:
        return [f"is over at {now_s}"]
    if one.expiry_s % DAY_S != EXPIRY_SECOND_OF_DAY:
        faults.append("is not at 08:00 UTC")
    if abs(one.carry) > rules.max_carry:
        faults.append(f"carry {one.carry:.4f} is outside +-{rules.max_carry:g}: use as_committed")
    life_s = one.expiry_s - now_s
    atm = math.isqrt(total_variance_wad(word, 0) * WAD * SECONDS_PER_YEAR // life_s) / WAD
    if not rules.min_vol <= atm <= rules.max_vol:
        faults.append(
            f"at-the-money volatility {atm:.4f} is outside [{rules.min_vol}, {rules.max_vol}]"
        )
    if not rules.least_sigma <= one.sigma <= rules.most_sigma or abs(one.m) > rules.most_m:
        faults.append(f"sigma {one.sigma:.3g} or m {one.m:.3g} is outside the contract's range")
    if rules.butterfly_grid:
        packed = slice_from_word(word, one.expiry_s, one.carry, one.committed_at_s)
        k = np.asarray(rules.butterfly_grid) * _deviation(word)
        density = butterfly_density(packed, k)
        worst = int(np.argmin(density))
        if density[worst] < 0.0:
            faults.append(f"butterfly: g = {density[worst]:.3g} at k = {k[worst]:.4f}")
    return faults


def _calendar(slices: Sequence[SviSlice], words: list[int], rules: ContractRules) -> list[str]:
    faults = []
    for (near, near_word), (far, far_word) in itertools.pairwise(zip(slices, words, strict=True)):
        for deviations in rules.calendar_grid:
            k = deviations * _deviation(near_word)
            k_wad = round(k * WAD)
            fall = total_variance_wad(near_word, k_wad) - total_variance_wad(far_word, k_wad)
            if fall > 0:
                faults.append(
                    f"calendar: total variance falls by {fall / WAD:.3g} from expiry {near.expiry_s} to "
                    f"{far.expiry_s} at k = {k:.4f}"
                )
    return faults


def _deviation(word: int) -> float:
    """sqrt(w(0)), one standard deviation of the logarithm."""
    return math.sqrt(total_variance_wad(word, 0) / WAD)
