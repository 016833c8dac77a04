"""What anybody may do for the desk and the keeper does: settlement, the pool's mean, epochs, samples of the feed.

Each chore is found in the state of one block, never in a memory of what was done, so that whoever did it first, a
missed run or a restart change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.bindings import binding
from keeper.chain.client import BlockHead, NodeClient, Reverted
from keeper.chain.deployment import Deployment
from keeper.chain.multicall import Answers, Query, ask
from keeper.chain.open_legs import OpenLegs
from keeper.chain.rounds import FeedRounds, Round

HOUR_S = 3_600
# Accounts in one call of the clearinghouse: each costs up to 32 legs to walk.
BATCH = 8


@dataclass(frozen=True, slots=True)
class Chore:
    """One call that is due, and why."""

    contract: str
    function: str
    arguments: tuple[object, ...]
    why: str

    @property
    def data(self) -> bytes:
        """Calldata."""
        return binding(self.contract).encode(self.function, *self.arguments)


@dataclass(frozen=True, slots=True)
class Oracle:
    """What MarketOracle says at one block."""

    feed: str
    round_deadline_s: int
    first_phase: int
    sampled_phase: int
    sampled_at_s: int


@dataclass(frozen=True, slots=True)
class ChoreFinder:
    """Finds what is due. `vault` claims what it won; other winners are paid when they next touch their account."""

    node: NodeClient
    deployment: Deployment
    legs: OpenLegs

    def due(self, head: BlockHead) -> Iterator[Chore]:
        """By urgency: settlement first, which epochs need, then the epoch, whose window ends, then samples."""
        oracle = self._oracle(head)
        rounds = FeedRounds(self.node, oracle.feed, head)
        latest = rounds.latest()
        open_legs = self.legs.by_expiry(head)
        over = sorted(expiry for expiry in open_legs if expiry <= head.timestamp_s)
        for expiry in over:
            yield from self._settlement(expiry, open_legs[expiry], oracle, rounds, latest, head)
        yield from self._epoch(head)
        if latest is not None:
            yield from self._sample(oracle, rounds, latest)

    def _oracle(self, head: BlockHead) -> Oracle:
        asked = self._ask(
            head,
            *(("MarketOracle", f, (self._id,)) for f in ("market", "phases", "realisedVol")),
            ("MarketOracle", "parameters", ()),
        )
        ((market,), (first, sampled), (_, sampled_at, _), (parameters,)) = asked
        # IMarketOracle.Market and OracleParameters, by their order.
        return Oracle(market[0], parameters[3], first, sampled, sampled_at)

    # ------------------------------------------------------------ epochs

    def _epoch(self, head: BlockHead) -> Iterator[Chore]:
        """Where the vault would take it: window open, value readable. Empty epochs count as missed too."""
        chore = Chore("DeskVault", "processEpoch", (), "its window is open")
        to = self.deployment.address(chore.contract)
        try:
            self.node.call(to, chore.data, head.number, f"{chore.contract}.{chore.function}")
        except Reverted:
            return
        yield chore

    # ------------------------------------------------------------ samples

    def _sample(self, oracle: Oracle, rounds: FeedRounds, latest: Round) -> Iterator[Chore]:
        """The first usable round of the next hour that has one, of the oldest phase that has one."""
        moment = (oracle.sampled_at_s // HOUR_S + 1) * HOUR_S
        for phase in range(oracle.sampled_phase, latest.phase + 1):
            found = rounds.first_from(phase, moment, latest)
            if found is None:
                continue
            why = f"first round of the hour of {found.updated_at_s // HOUR_S * HOUR_S}"
            if phase == oracle.sampled_phase:
                yield Chore("MarketOracle", "poke", (self._id, found.id), why)
            else:
                older = range(oracle.sampled_phase, phase)
                shown = tuple(rounds.last_before(p, moment, latest) for p in older)
                yield Chore("MarketOracle", "pokeAcross", (self._id, found.id, shown), why)
            return

    # ------------------------------------------------------------ settlement

    def _settlement(
        self,
        expiry: int,
        shorts: dict[str, int],
        oracle: Oracle,
        rounds: FeedRounds,
        latest: Round | None,
        head: BlockHead,
    ) -> Iterator[Chore]:
        (final,), (proof, mean), (state,) = self._ask(
            head,
            ("MarketOracle", "settlementPrice", (self._id, expiry)),
            ("MarketOracle", "settlementProof", (self._id, expiry)),
            ("Clearinghouse", "settlementOf", (self._id, expiry)),
        )
        if final:
            yield from self._payout(expiry, shorts, state, head)
            return
        proven = None if latest is None else self._proof(expiry, oracle, rounds, latest)
        if proven is not None:
            yield proven
        elif proof[0] == 0 and mean == 0:
            yield Chore(
                "MarketOracle", "recordTwap", (self._id, expiry), "no round since the expiry"
            )
        elif proof[0] == 0 and head.timestamp_s > expiry + oracle.round_deadline_s:
            end = oracle.sampled_phase if latest is None else latest.phase
            shown = tuple(
                rounds.last_before(p, expiry, latest or Round(end << 64, 0, False))
                for p in range(oracle.first_phase, end + 1)
            )
            why = "no round until the deadline"
            yield Chore("MarketOracle", "settleByTwap", (self._id, expiry, shown), why)

    def _proof(
        self, expiry: int, oracle: Oracle, rounds: FeedRounds, latest: Round
    ) -> Chore | None:
        """By the earliest round at or after the expiry of any phase; with several phases, shown to be that."""
        phases = range(oracle.first_phase, latest.phase + 1)
        found = [r for p in phases if (r := rounds.first_from(p, expiry, latest)) is not None]
        if not found:
            return None
        best = min(found, key=lambda r: (r.updated_at_s, r.phase))
        if best.updated_at_s > expiry + oracle.round_deadline_s:
            return None
        why = f"round of {best.updated_at_s}"
        if len(phases) == 1:
            return Chore("MarketOracle", "proveSettlement", (self._id, expiry, best.id), why)
        shown = tuple(rounds.last_before(p, expiry, latest) for p in phases if p != best.phase)
        arguments = (self._id, expiry, best.id, shown)
        return Chore("MarketOracle", "proveSettlementAcross", arguments, why)

    def _payout(
        self, expiry: int, shorts: dict[str, int], state: Sequence[int], head: BlockHead
    ) -> Iterator[Chore]:
        """Convert whoever is short and not counted yet, then fix the factor, then the vault's claim."""
        open_short, _, _, factor = state
        if factor == 0 and open_short:
            waiting = self._not_counted(expiry, [a for a, short in shorts.items() if short], head)
            for i in range(0, len(waiting), BATCH):
                some = tuple(waiting[i : i + BATCH])
                why = f"{len(some)} of {len(waiting)} accounts with shorts"
                yield Chore("Clearinghouse", "convert", (self._id, expiry, some), why)
        elif factor == 0:
            yield Chore("Clearinghouse", "finalise", (self._id, expiry), "no short is open")
        else:
            vault = self.deployment.address("DeskVault")
            if vault.lower() in {account.lower() for account in shorts}:
                yield Chore("Clearinghouse", "claim", (self._id, expiry, (vault,)), "the vault won")

    def _not_counted(self, expiry: int, accounts: Sequence[str], head: BlockHead) -> list[str]:
        asked = (("Clearinghouse", "isCounted", (self._id, expiry, a)) for a in sorted(accounts))
        answers = self._ask(head, *asked)
        return [a for a, (counted,) in zip(sorted(accounts), answers, strict=True) if not counted]

    # ------------------------------------------------------------ reading

    @property
    def _id(self) -> int:
        return self.deployment.underlying

    def _ask(
        self, head: BlockHead, *asked: tuple[str, str, tuple[object, ...]]
    ) -> list[tuple[Any, ...]]:
        queries = [Query(c, self.deployment.address(c), f, a) for c, f, a in asked]
        answers: Answers = ask(self.node, self.deployment.multicall, queries, head.number)
        return [answers[query] for query in queries]
