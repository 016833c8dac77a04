"""What VolSurface asks of a commit, in its own integers, so that nothing is sent that the chain refuses.

The steps are those of contracts/libraries/SviChecks.sol and VolSurface.commit; keeper.pricing.surface_moves has the
rate limits. Units: Q44 for variance, k and the fields of a slice; WAD where a name says so; seconds. Faults are
returned in words, the first of each expiry.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from keeper.errors import PricingError
from keeper.pricing.surface_moves import (
    DAY_S,
    FREE,
    HOUR_S,
    Note,
    Realised,
    SurfaceRules,
    between,
    check_realised,
    realised_range,
    round_up,
    seconds_for,
)
from keeper.pricing.svi import QuantisedSlice, unpack, validate_word
from keeper.units import SECONDS_PER_YEAR, WAD

_ONE = 1 << 44
# In halves of a standard deviation: every point, those whose shape is kept, those where the next expiry is looked at.
GRID = (-6, -4, -2, -1, 0, 1, 2, 4, 6)
SHAPE_POINTS = (-6, -2, 2, 6)
CALENDAR_POINTS = (-4, -2, 0, 2, 4)
_SHAPE_LIMIT = 1 << 22


def variance_at(q: QuantisedSlice, k: int) -> int:
    """w(k), Q44."""
    x = k - q.m
    return q.a + ((q.b * (((q.rho * x) >> 40) + _root(x, q.sigma))) >> 48)


def deviation(atm: int) -> int:
    """The grid's unit, sqrt(w(0)) to one part in a million, Q44. `atm` positive."""
    n = atm << 44
    e = 32 * (n > (1 << 80) - 1)
    e += 16 * ((n >> e) > (1 << 64) - 1)
    e += 8 * ((n >> e) > (1 << 56) - 1)
    e += 4 * ((n >> e) > (1 << 52) - 1)
    r = 1 << (24 + e // 2)
    for _ in range(5):
        r = (r + n // r) >> 1
    return r


def scan(near: QuantisedSlice, far: QuantisedSlice | None) -> tuple[int, int, int, int]:
    """Shapes of a slice. PricingError where it, or the step to the next expiry `far`, holds arbitrage on the grid."""
    atm = variance_at(near, 0)
    if atm <= 0:
        raise PricingError("butterfly: no variance at the money")
    s = deviation(atm)
    shapes = []
    for h in GRID:
        k = (h * s) >> 1
        w = _sound_point(near, k)
        if h in SHAPE_POINTS:
            shapes.append((w << 14) // atm)
            if shapes[-1] >= _SHAPE_LIMIT:
                raise PricingError(
                    f"w(k)/w(0) is {shapes[-1] >> 14} at k = {k / _ONE:.4f}: at most 256"
                )
        if far is not None and h in CALENDAR_POINTS and variance_at(far, k) < w:
            raise PricingError(
                f"calendar: the next expiry has {variance_at(far, k) / _ONE:.6g} at k = {k / _ONE:.4f}, "
                f"less than {w / _ONE:.6g}"
            )
    return shapes[0], shapes[1], shapes[2], shapes[3]


def checked_fields(word: int) -> QuantisedSlice:
    """The slice of a word; PricingError outside the hard ranges of SviChecks.load."""
    q = unpack(word)
    for name, value, limit in (("a", q.a, 16), ("m", q.m, 8)):
        if abs(value) > limit * _ONE:
            raise PricingError(f"{name} = {value / _ONE:.6g} is outside +-{limit}")
    if not 1 << 27 <= q.sigma <= 8 * _ONE:
        raise PricingError(f"sigma = {q.sigma / _ONE:.6g} is outside [2^-17, 8]")
    validate_word(word)
    return q


def annual_variance(q: QuantisedSlice, tenor_s: int) -> int:
    """Annualised variance at the money, Q33; 0 for none."""
    return max(variance_at(q, 0), 0) * SECONDS_PER_YEAR // tenor_s >> 11


def commit_faults(
    inputs: Sequence[tuple[int, int, int]],
    last: Mapping[int, Note],
    rules: SurfaceRules,
    now_s: int,
    realised: Realised | None = None,
) -> list[str]:
    """What a commit at `now_s` would be refused for; empty when it would be taken.

    `inputs` are (expiry, word, carry WAD), `last` the notes of the last commit by expiry, none before the first,
    `realised` what the oracle says, None for an estimate that binds nothing. The reference spot and the listing rule
    are the chain's to judge.
    """
    expiries = [expiry for expiry, _, _ in inputs]
    if not inputs or expiries != sorted(set(expiries)):
        return ["a commit holds at least one expiry, ascending"]
    faults = [
        f"expiry {e} is live and left out"
        for e in last
        if e > now_s + rules.min_tenor_s and e not in expiries
    ]
    return faults + expiry_faults(inputs, last, rules, now_s, realised)


def expiry_faults(
    inputs: Sequence[tuple[int, int, int]],
    last: Mapping[int, Note],
    rules: SurfaceRules,
    now_s: int,
    realised: Realised | None = None,
) -> list[str]:
    """Those faults of a commit that are not about what it leaves out; arguments as `commit_faults`."""
    outcomes = _outcomes(inputs, last, rules, now_s, realised).items()
    return [f"expiry {e}: {found}" for e, found in outcomes if isinstance(found, PricingError)]


def notes_after(
    inputs: Sequence[tuple[int, int, int]],
    last: Mapping[int, Note],
    rules: SurfaceRules,
    now_s: int,
    realised: Realised | None = None,
) -> dict[int, Note]:
    """What a commit at `now_s` leaves beside each slice; PricingError where `commit_faults` finds one."""
    faults = commit_faults(inputs, last, rules, now_s, realised)
    if faults:
        raise PricingError("; ".join(faults))
    outcomes = _outcomes(inputs, last, rules, now_s, realised)
    return {e: note for e, note in outcomes.items() if isinstance(note, Note)}


def _outcomes(
    inputs: Sequence[tuple[int, int, int]],
    last: Mapping[int, Note],
    rules: SurfaceRules,
    now_s: int,
    realised: Realised | None,
) -> dict[int, Note | PricingError]:
    bounds = realised_range(realised, rules, now_s)
    found: dict[int, Note | PricingError] = {}
    # Of the neighbours of a new expiry the nearer one counts as committed in the same call.
    neighbours = dict(last)
    following = [*(word for _, word, _ in inputs[1:]), None]
    for (expiry_s, word, carry), after in zip(inputs, following, strict=True):
        try:
            note = _note(expiry_s, word, carry, after, rules, now_s)
            found[expiry_s] = note = _held(note, expiry_s, last, neighbours, rules, now_s, bounds)
            if expiry_s in last:
                neighbours[expiry_s] = note
        except PricingError as error:
            found[expiry_s] = error
    return found


def _note(
    expiry_s: int, word: int, carry: int, following: int | None, rules: SurfaceRules, now_s: int
) -> Note:
    if expiry_s <= now_s or expiry_s % DAY_S != 8 * HOUR_S:
        raise PricingError(f"is not an 08:00 UTC after {now_s}")
    if abs(carry) > rules.max_carry:
        raise PricingError(f"carry {carry / WAD:.4f} is outside +-{rules.max_carry / WAD:g}")
    near = checked_fields(word)
    far = None if following is None else checked_fields(following)
    variance = annual_variance(near, expiry_s - now_s)
    low, high = round_up(rules.min_vol**2 << 33, WAD**2), (rules.max_vol**2 << 33) // WAD**2
    if not low <= variance <= high:
        raise PricingError(
            f"at-the-money volatility {math.sqrt(variance / 2**33):.4f} is outside "
            f"[{rules.min_vol / WAD:g}, {rules.max_vol / WAD:g}]"
        )
    return Note(carry, now_s, 0, variance, scan(near, far))


def _held(
    note: Note,
    expiry_s: int,
    last: Mapping[int, Note],
    neighbours: Mapping[int, Note],
    rules: SurfaceRules,
    now_s: int,
    bounds: tuple[int, int | None],
) -> Note:
    if not last:
        check_realised(note.variance, None, bounds)
        return note
    known = expiry_s in last
    before = last[expiry_s] if known else between(neighbours, expiry_s, now_s)
    check_realised(note.variance, before.variance, bounds)
    earned = before.earned(rules.credit_cap_s, now_s) if known else rules.listing_credit_s
    if earned == FREE:
        return note
    needed = seconds_for(before, note, expiry_s - now_s, rules)
    if needed > earned:
        raise PricingError(f"the move takes {needed} s of allowance, {earned} s are there")
    return replace(note, credit_s=earned - needed)


def _sound_point(q: QuantisedSlice, k: int) -> int:
    """w(k), positive, where the density factor g is not negative; 4 w^2 g in Q176."""
    x = k - q.m
    r = _root(x, q.sigma)
    w = q.a + ((q.b * (((q.rho * x) >> 40) + r)) >> 48)
    d = _toward_zero(x << 48, r)
    slope = (q.b * (q.rho + d)) >> 44
    g = ((w << 45) - k * slope) ** 2 - slope * slope * ((w << 44) + (w * w >> 2))
    if g < 0:
        g += (w * w * _toward_zero((q.b * ((1 << 88) - d * d)) >> 40, r)) << 45
    if g < 0 or w < 1:
        raise PricingError(f"butterfly: the density is negative at k = {k / _ONE:.4f}")
    return w


def _root(x: int, sigma: int) -> int:
    """sqrt(x^2 + sigma^2), Q48, by the steps of Svi.totalVariance."""
    n = x * x + sigma * sigma
    r = (215 * ((x if x >= 0 else -x - 1) + sigma)) >> 8
    for shift in (0, 2, 4, 6):
        r += (n << shift) // r
    return r


def _toward_zero(numerator: int, denominator: int) -> int:
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient
