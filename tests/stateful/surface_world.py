"""A surface in process (tests/stateful/revm.py) with the keeper's twin of its rules beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_abi import decode

from keeper.pricing import surface_checks as checks
from keeper.pricing import svi
from keeper.pricing.surface_moves import Note, Realised, SurfaceRules
from keeper.simulation.implied_vol import ImpliedVolModel
from tests.contracts.core_constants import HOUR, SPOT_USD, SURFACE_PARAMETERS, UNDERLYING, WAD
from tests.contracts.core_env import Core
from tests.stateful.core_revm import new_core
from tests.stateful.revm import Reverted

SPOT = round(SPOT_USD * WAD)
NAMES = (
    "minVol", "maxVol", "maxCarry", "maxSpotDeviation", "levelRate", "skewRate", "wingRate",
    "forwardRate", "realisedLow", "realisedHigh", "creditCap", "referenceAge", "minTenor",
    "realisedSamples", "realisedMaxDays", "listingCredit", "openMaxAge", "hedgeMaxAge",
    "closeMaxAge", "dailyDays", "weeklyDays", "monthlyDays",
)  # fmt: skip
PARAMETERS = dict(zip(NAMES, SURFACE_PARAMETERS, strict=True))


def rules_of(p: dict[str, int]) -> SurfaceRules:
    return SurfaceRules(
        p["minVol"], p["maxVol"], p["maxCarry"], p["levelRate"], p["skewRate"], p["wingRate"],
        p["forwardRate"], p["creditCap"], p["minTenor"], p["listingCredit"],
        p["realisedLow"], p["realisedHigh"], p["realisedSamples"], p["realisedMaxDays"],
    )  # fmt: skip


@dataclass
class SurfaceWorld:
    """`last` is what the twin believes the notes of the last commit to be, `history` every accepted commit."""

    core: Core
    parameters: dict[str, int] = field(default_factory=lambda: dict(PARAMETERS))
    last: dict[int, Note] = field(default_factory=dict)
    history: list[tuple[int, dict[int, tuple[int, int]]]] = field(default_factory=list)

    @property
    def surface(self) -> Any:
        return self.core.surface

    @property
    def now(self) -> int:
        return self.core.now

    def days(self, *days: int) -> list[int]:
        return [self.core.expiry(d) for d in days]

    def flat(self, expiries: Sequence[int], vol: float = 0.8, **how: float) -> list[tuple]:
        """SSVI slices at one volatility: `rho`, `eta`, `carry`, and `ago`, seconds since the smile was made."""
        model = ImpliedVolModel(rho=how.get("rho", -0.25), eta=how.get("eta", 0.5), cap=8.0)
        slices = []
        for expiry in expiries:
            s = model.slice_at(vol, expiry, self.now)
            word = svi.pack_floats(s.a, s.b, s.rho, s.m, s.sigma)
            slices.append((expiry, word, round(how.get("carry", 0.0) * WAD)))
        return slices

    def commit(self, inputs: Sequence[tuple]) -> None:
        """On the chain and in the twin."""
        self.surface.commit(UNDERLYING, SPOT, list(inputs), {"from": self.core.committer})
        self.last = {e: self._note_after(e, inputs) for e, _, _ in inputs}
        self.history.append((self.now, {e: (word, carry) for e, word, carry in inputs}))

    def refusal(self, inputs: Sequence[tuple]) -> tuple[str, tuple[Any, ...]]:
        """The error of a commit that must not be taken, with its values."""
        try:
            self.surface.commit(UNDERLYING, SPOT, list(inputs), {"from": self.core.committer})
        except Reverted as refused:
            return parse(refused.message)
        raise AssertionError("the commit was taken")

    def faults(self, inputs: Sequence[tuple]) -> list[str]:
        return checks.commit_faults(*self._asked(inputs))

    def set(self, **changes: int) -> None:
        self.parameters |= changes
        values = tuple(self.parameters[name] for name in NAMES)
        self.surface.setParameters(values, {"from": self.core.gov})

    def warp(self, seconds: int) -> None:
        self.core.warp(self.now + seconds)

    def slices(self, expiry: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        fresh, aged = self.surface.slices(UNDERLYING, expiry)
        return tuple(map(int, fresh)), tuple(map(int, aged))

    def realised(self) -> Realised:
        """What the oracle says now."""
        return Realised(*map(int, self.core.oracle.realisedVol(UNDERLYING)))

    def sample(self, moves: Sequence[float]) -> None:
        """One round and one sample an hour, each this much of a logarithm from the last; spot ends where it was."""
        by, usd = {"from": self.core.gov}, SPOT_USD
        for move in moves:
            self.warp(HOUR)
            usd *= math.exp(move)
            round_id = self.core.set_spot(usd)
            self.core.oracle.poke(UNDERLYING, round_id, by)
        self.core.set_spot(SPOT_USD)

    def _note_after(self, expiry: int, inputs: Sequence[tuple]) -> Note:
        return checks.notes_after(*self._asked(inputs))[expiry]

    def _asked(self, inputs: Sequence[tuple]) -> tuple[Any, ...]:
        rules = rules_of(self.parameters)
        return list(inputs), self.last, rules, self.now, self.realised()


def parse(message: str) -> tuple[str, tuple[Any, ...]]:
    """Name and values of a custom error in what pyrevm says."""
    name, _, rest = message.partition(" in ")
    data = bytes.fromhex(rest.partition("0x")[2].rstrip("}) \n"))
    return name, tuple(data[4 + i : 36 + i] for i in range(0, len(data) - 4, 32))


def number(word: bytes) -> int:
    return int(decode(["int256"], word)[0])


def new_world() -> SurfaceWorld:
    """A core whose surface is new: nothing was committed to it."""
    core = new_core(aged=False)
    core.surface = core.backend.deploy(
        "VolSurface", core.authority, core.oracle, core.committer, SURFACE_PARAMETERS
    )
    return SurfaceWorld(core)
