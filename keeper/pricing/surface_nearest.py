"""The commit nearest to a wanted surface that the contract takes, for a market that ran further than a commit may go.

Each expiry goes from its last slice to the wanted one, field by field, as far as its own allowance and the multiples of
the realised volatility let it; where the expiries then cross, all stay back by one share. A commit is mined seconds
after it was made: it must be good at both ends of that time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from keeper.errors import PricingError
from keeper.models import SviSlice
from keeper.pricing.surface_checks import (
    annual_variance,
    checked_fields,
    commit_faults,
    expiry_faults,
    scan,
)
from keeper.pricing.surface_moves import (
    Note,
    Realised,
    SurfaceRules,
    nearer_vol,
    realised_range,
)
from keeper.pricing.svi import implied_vol, pack_floats, slice_from_word, unpack
from keeper.units import from_wad, to_wad_toward_zero

Input = tuple[int, int, int]  # expiry in unix seconds, word, carry in WAD
MINED_WITHIN_S = 60
_HALVINGS = 24


@dataclass(frozen=True, slots=True)
class HeldSlice:
    """What the surface holds of an expiry: `credit_s` is its allowance now, in seconds."""

    expiry_s: int
    word: int
    carry_wad: int
    committed_at_s: int
    credit_s: int

    def note(self, now_s: int) -> Note:
        """What the contract keeps beside the slice, with the allowance of now."""
        fields = unpack(self.word)
        variance = annual_variance(fields, self.expiry_s - self.committed_at_s)
        return Note(self.carry_wad, now_s, self.credit_s, variance, scan(fields, None))


@dataclass(frozen=True, slots=True)
class CommitTerms:
    """What a commit at `now_s` is held to: rules, the last commit by expiry, the oracle's realised volatility."""

    rules: SurfaceRules
    held: Mapping[int, HeldSlice]
    realised: Realised | None
    now_s: int

    def notes(self) -> dict[int, Note]:
        """Of every expiry of the last commit."""
        return {e: one.note(self.now_s) for e, one in self.held.items()}

    def faults(self, inputs: Sequence[Input]) -> list[str]:
        """What the contract would refuse now, in words; as `surface_checks.commit_faults`."""
        return commit_faults(inputs, self.notes(), self.rules, self.now_s, self.realised)


@dataclass(frozen=True, slots=True)
class NearestCommit:
    """`shares` is how far each expiry went, 1 all the way; `left_out`: new expiries that must wait, and why."""

    inputs: tuple[Input, ...]
    shares: Mapping[int, float]
    left_out: Mapping[int, str]


def nearest_commit(wanted: Sequence[SviSlice], terms: CommitTerms) -> NearestCommit:
    """Slices ascending, as of `terms.now_s`. PricingError where the contract takes not even its last ones again."""
    search = _Search(terms, terms.notes())
    moved: list[_Way] = []
    left_out: dict[int, str] = {}
    for one in wanted:
        way = _Way(search.target(one), terms.held.get(one.expiry_s), terms.now_s)
        if way.held is None:
            faults = search.alone(way.at(1.0))
            if faults:
                left_out[one.expiry_s] = faults[0]
                continue
        moved.append(way)
    shares = [search.furthest_alone(way) for way in moved]

    def inputs(share: float) -> list[Input]:
        return [way.at(share * own) for way, own in zip(moved, shares, strict=True)]

    common = _furthest(lambda s: not search.together(inputs(s)))
    found = inputs(common)
    faults = search.together(found)
    if faults:
        raise PricingError("no commit is near enough to the last: " + "; ".join(faults))
    reached = {w.target.expiry_s: common * own for w, own in zip(moved, shares, strict=True)}
    return NearestCommit(tuple(found), reached, left_out)


@dataclass(frozen=True, slots=True)
class _Way:
    """From the held slice, run down to now, to the target; a new expiry is at its target or not at all."""

    target: SviSlice
    held: HeldSlice | None
    now_s: int

    def at(self, share: float) -> Input:
        end = self.target
        if share == 1.0 or self.held is None:
            word, carry = _packed(end), to_wad_toward_zero(end.carry)
            return end.expiry_s, word, carry
        start = _run_down(self.held, self.now_s)

        def mixed(name: str) -> float:
            a, b = getattr(start, name), getattr(end, name)
            return float(a + share * (b - a))

        between = SviSlice(
            end.expiry_s,
            a=mixed("a"),
            b=mixed("b"),
            rho=mixed("rho"),
            m=mixed("m"),
            sigma=mixed("sigma"),
            carry=mixed("carry"),
            committed_at_s=self.now_s,
        )
        return end.expiry_s, _packed(between), to_wad_toward_zero(between.carry)


@dataclass(frozen=True, slots=True)
class _Search:
    terms: CommitTerms
    notes: Mapping[int, Note]

    def alone(self, one: Input) -> list[str]:
        """Faults of one expiry, whatever the others do."""
        return self._both(lambda now_s: self._expiry_faults(one, now_s))

    def furthest_alone(self, way: _Way) -> float:
        """Share of its way that an expiry may go by itself."""
        return _furthest(lambda share: not self.alone(way.at(share)))

    def together(self, inputs: Sequence[Input]) -> list[str]:
        """Faults of the whole commit."""
        t = self.terms
        return self._both(
            lambda now_s: commit_faults(inputs, self.notes, t.rules, now_s, t.realised)
        )

    def target(self, wanted: SviSlice) -> SviSlice:
        """The wanted slice, its level moved inside what the realised volatility leaves."""
        t, before = self.terms, self.notes.get(wanted.expiry_s)
        bounds = realised_range(t.realised, t.rules, t.now_s)
        vol = float(implied_vol(wanted, 0.0))
        if bounds[1] is None or not vol > 0.0:
            return wanted
        low, high = (math.sqrt(bound / 2**33) for bound in (bounds[0], bounds[1]))
        last = min(max(vol, low), high) if before is None else math.sqrt(before.variance / 2**33)
        wait = MINED_WITHIN_S / (wanted.expiry_s - t.now_s)
        factor = (nearer_vol(vol, last, low, high, wait) / vol) ** 2
        return replace(wanted, a=wanted.a * factor, b=wanted.b * factor)

    def _expiry_faults(self, one: Input, now_s: int) -> list[str]:
        t = self.terms
        return expiry_faults([one], self.notes, t.rules, now_s, t.realised)

    def _both(self, faults: Callable[[int], list[str]]) -> list[str]:
        try:
            return faults(self.terms.now_s) or faults(self.terms.now_s + MINED_WITHIN_S)
        except PricingError as error:
            return [str(error)]


def _run_down(held: HeldSlice, now_s: int) -> SviSlice:
    """At the volatilities that it was committed with, for the time that is left."""
    one = slice_from_word(held.word, held.expiry_s, from_wad(held.carry_wad), held.committed_at_s)
    left = (held.expiry_s - now_s) / (held.expiry_s - held.committed_at_s)
    return replace(one, a=one.a * left, b=one.b * left, committed_at_s=now_s)


def _packed(one: SviSlice) -> int:
    word = pack_floats(one.a, one.b, one.rho, one.m, one.sigma)
    checked_fields(word)
    return word


def _furthest(good: Callable[[float], bool]) -> float:
    """The largest share that halving finds good; 0, good or not, where none is."""
    if good(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if good(middle) else (low, middle)
    return low
