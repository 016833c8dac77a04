"""Rounds of a Chainlink feed as contracts/libraries/Rounds.sol sees them: by phase, with holes, some unusable.

Searches are by halving: times rise within a phase. What a proof needs is named here, the contract judges it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keeper.chain.bindings import binding
from keeper.chain.client import BlockHead, NodeClient, Reverted

# RoundProver.MAX_HOLES: so many missing ids in a row are the end of a phase.
MAX_HOLES = 16
_PHASE = 1 << 64


@dataclass(frozen=True, slots=True)
class Round:
    """`id` holds the phase in its upper 16 of 80 bits. Only a usable round settles or is sampled."""

    id: int
    updated_at_s: int
    usable: bool

    @property
    def phase(self) -> int:
        """Of the proxy's aggregator."""
        return self.id >> 64


@dataclass(frozen=True, slots=True)
class FeedRounds:
    """A feed at one block."""

    node: NodeClient
    feed: str
    head: BlockHead

    def latest(self) -> Round | None:
        """None where the feed does not answer."""
        return self._ask("latestRoundData")

    def get(self, round_id: int) -> Round | None:
        """None where there is no such round, or another is answered."""
        found = self._ask("getRoundData", round_id)
        return found if found is not None and found.id == round_id and found.updated_at_s else None

    def first_from(self, phase: int, moment_s: int, latest: Round) -> Round | None:
        """The first usable round of a phase that is not before a moment."""
        end = self._end(phase, latest)
        number = self._first_number(phase, moment_s, end)
        while number <= end:
            found = self._at_or_after(phase, number, end)
            if found is None or found.usable:
                return found
            number = found.id % _PHASE + 1
        return None

    def last_before(self, phase: int, moment_s: int, latest: Round) -> int:
        """Id of the last round of a phase before a moment; number 0 of the phase where it has none."""
        number = self._first_number(phase, moment_s, self._end(phase, latest)) - 1
        while number > 0:
            if self.get(phase * _PHASE + number) is not None:
                return phase * _PHASE + number
            number -= 1
        return phase * _PHASE

    def _first_number(self, phase: int, moment_s: int, end: int) -> int:
        """The least number from which on no round of the phase is before the moment; end + 1 where all are."""

        def late(number: int) -> bool:
            found = self._at_or_after(phase, number, end)
            return found is None or found.updated_at_s >= moment_s

        return _least(1, end + 1, late)

    def _end(self, phase: int, latest: Round) -> int:
        """Number of the last round of a phase, 0 for none."""
        if phase == latest.phase:
            return latest.id % _PHASE
        reach = 1
        while self._at_or_after(phase, reach, reach + MAX_HOLES) is not None:
            reach *= 2
        gone = _least(1, reach, lambda n: self._at_or_after(phase, n, n + MAX_HOLES) is None)
        return gone - 1

    def _at_or_after(self, phase: int, number: int, end: int) -> Round | None:
        for candidate in range(number, min(number + MAX_HOLES, end) + 1):
            found = self.get(phase * _PHASE + candidate)
            if found is not None:
                return found
        return None

    def _ask(self, function: str, *arguments: object) -> Round | None:
        codec = binding("AggregatorV3Interface")
        data = codec.encode(function, *arguments)
        try:
            raw = self.node.call(self.feed, data, self.head.number, f"feed.{function}")
        except Reverted:
            return None
        round_id, answer, _, updated_at, _ = codec.decode(function, raw)
        usable = answer > 0 and 0 < updated_at <= self.head.timestamp_s
        return Round(round_id, updated_at, usable)


def _least(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The least number in [low, high) from which on a rising condition holds, `high` where it nowhere does."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
