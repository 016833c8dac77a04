"""What the keeper's upkeep names, the oracle takes: phases, holes, unusable rounds, late hours, every settlement."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from keeper.chain.client import BlockHead
from keeper.chain.deployment import Deployment
from keeper.chain.rounds import FeedRounds, Round
from keeper.runtime.chores import Chore, ChoreFinder
from tests.contracts.core_constants import DAY, FEED_DECIMALS, HOUR, ORACLE_PARAMETERS, UNDERLYING
from tests.contracts.core_env import Core
from tests.stateful.core_revm import new_core
from tests.stateful.revm_node import node_of

USD = 10**FEED_DECIMALS
PHASE = 1 << 64
DEADLINE_S = ORACLE_PARAMETERS[3]


@dataclass
class Holders:
    """In the place of OpenLegs: who is short what, by expiry."""

    open: dict[int, dict[str, int]] = field(default_factory=dict)

    def by_expiry(self, _head: BlockHead) -> Mapping[int, Mapping[str, int]]:
        return self.open


@dataclass
class World:
    core: Core
    finder: ChoreFinder
    holders: Holders

    @property
    def feed(self) -> Any:
        return self.core.feed

    def round(self, phase: int, number: int, at: int, usd: float = 2_000.0) -> int:
        """A round with this id at this second; 0 USD is one that is not usable."""
        by = {"from": self.core.gov}
        self.feed.setRound(phase * PHASE + number, round(usd * USD), at, by)
        return phase * PHASE + number

    def due(self) -> list[Chore]:
        return list(self.finder.due(self.finder.node.head()))

    def do(self, chore: Chore) -> None:
        """As anybody."""
        target = getattr(self.core, {"MarketOracle": "oracle"}[chore.contract])
        getattr(target, chore.function)(*chore.arguments, {"from": self.core.takers[2]})

    def finish(self, most: int = 200) -> list[str]:
        """Does what is due until nothing is; the oracle must take each."""
        done = []
        while chores := [c for c in self.due() if c.contract == "MarketOracle"]:
            self.do(chores[0])
            done.append(chores[0].function)
            assert len(done) < most
        return done

    def samples(self) -> int:
        return int(self.core.oracle.realisedVol(UNDERLYING)[2])

    def settled(self, expiry: int) -> int:
        return int(self.core.oracle.settlementPrice(UNDERLYING, expiry))


@pytest.fixture
def world() -> World:
    core = new_core(aged=False)
    multicall = core.backend.deploy("Multicall3").address
    names = ("HedgeManager", "OptionDesk", "VolSurface", "RiskEngine", "DeskVault")
    own = {"MarketOracle": core.oracle, "Clearinghouse": core.clearinghouse}
    contracts = dict.fromkeys(names, core.hedge.address) | {n: c.address for n, c in own.items()}
    deployment = Deployment(
        chain_id=1, genesis_hash="0x" + "00" * 32, contracts=contracts,
        external={"multicall3": multicall},
    )  # fmt: skip
    holders = Holders()
    node = node_of(core.backend.chain)
    return World(core, ChoreFinder(node, deployment, holders), holders)  # type: ignore[arg-type]


def test_every_hour_that_has_a_round_is_sampled_once(world: World) -> None:
    """Random rounds with holes and unusable ones: the oracle takes each sample named, and none is left."""
    rng, start, number = random.Random(3), world.core.start, 2
    hours = set()
    for minute in range(1, 40 * 60):
        if rng.random() < 0.03:
            number += 1 + (rng.randrange(1, 16) if rng.random() < 0.3 else 0)
            usable = rng.random() < 0.8
            world.round(1, number, start + 60 * minute, 2_000.0 + rng.random() if usable else 0.0)
            hours |= {(start + 60 * minute) // HOUR} if usable else set()
    world.core.warp(start + 40 * HOUR)
    hours -= {start // HOUR}
    assert world.finish() == ["poke"] * len(hours)
    assert world.samples() == len(hours)


def test_samples_go_on_across_phases(world: World) -> None:
    """Two aggregators later, one of them silent: the old phase's hours first, then across."""
    start = world.core.start
    for hour in (1, 2, 3):
        world.round(1, 2 + hour, start + hour * HOUR + 60)
    for number, hour in ((1, 6), (2, 7)):
        world.round(3, number, start + hour * HOUR + 120)
    world.core.warp(start + 8 * HOUR)
    assert world.finish() == ["poke", "poke", "poke", "pokeAcross", "poke"]
    assert world.samples() == 5
    assert tuple(world.core.oracle.phases(UNDERLYING)) == (1, 3)


@pytest.mark.parametrize("phases", [1, 2, 3])
def test_an_expiry_is_proven_by_the_earliest_round_of_any_phase(world: World, phases: int) -> None:
    expiry = world.core.expiry(1)
    world.holders.open = {expiry: {world.core.vault: 10**18}}
    world.core.warp(expiry + HOUR)
    for phase in range(1, phases + 1):
        world.round(phase, 3, expiry - 60 * phase, 1_900.0)
        world.round(phase, 5, expiry + 600 - 60 * phase, 2_000.0 + phase)
        world.round(phase, 6, expiry + 900, 2_500.0)
    done = [c for c in world.finish() if "poke" not in c]
    assert done == ["proveSettlement" if phases == 1 else "proveSettlementAcross"]
    assert world.settled(expiry) == (2_000 + phases) * 10**18


def test_without_a_round_the_mean_is_kept_then_settles(world: World) -> None:
    expiry = world.core.expiry(1)
    world.holders.open = {expiry: {world.core.vault: 10**18}}
    world.core.warp(expiry + 60)
    assert [c for c in world.finish() if "poke" not in c] == ["recordTwap"]
    world.core.warp(expiry + DEADLINE_S)
    assert world.finish() == []
    world.core.warp(expiry + DEADLINE_S + 1)
    late = world.round(1, 3, expiry + DEADLINE_S + 1)
    assert late
    assert [c for c in world.finish() if "poke" not in c] == ["settleByTwap"]
    assert world.settled(expiry) > 0


def test_nothing_is_due_before_the_expiry_or_without_legs(world: World) -> None:
    expiry = world.core.expiry(7)
    world.holders.open = {expiry: {world.core.vault: 10**18}}
    world.core.warp(expiry - 1)
    assert world.finish() == []
    world.holders.open = {}
    world.core.warp(expiry + DAY)
    assert world.finish() == []


def test_searches_against_a_plain_walk(world: World) -> None:
    """First from and last before a moment, over random rounds of a phase that has ended."""
    rng, times = random.Random(11), {}
    number, at = 0, world.core.start
    for _ in range(60):
        number += rng.choice([1, 1, 1, 2, 9, 16])
        at += rng.randrange(1, 5_000)
        times[number] = at
        world.round(2, number, at, 0.0 if rng.random() < 0.2 else 2_000.0)
    world.round(3, 1, at + 10)
    world.core.warp(at + 100)
    rounds = FeedRounds(world.finder.node, world.feed.address, world.finder.node.head())
    latest = rounds.latest()
    assert latest == Round(3 * PHASE + 1, at + 10, True)
    usable = {n for n in times if (r := rounds.get(2 * PHASE + n)) and r.usable}
    for moment in [0, at + 1, *(t + d for t in times.values() for d in (-1, 0, 1))]:
        first = rounds.first_from(2, moment, latest)
        expected = min((n for n in usable if times[n] >= moment), default=None)
        assert (first.id % PHASE if first else None) == expected
        last = max((n for n in times if times[n] < moment), default=0)
        assert rounds.last_before(2, moment, latest) == 2 * PHASE + last
