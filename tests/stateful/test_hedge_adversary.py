"""I-06: over any week a thief of the keeper's, committer's and quoter's keys costs the vault no more than is stated."""

from __future__ import annotations

import pytest

from tests.stateful.thief_search import Search
from tests.stateful.thief_world import ThiefWorld

ATTEMPTS, SEED = 45, 1


@pytest.fixture(scope="module")
def world() -> ThiefWorld:
    return ThiefWorld()


def test_no_week_breaks_a_bound_and_breeding_finds_more_than_chance(world: ThiefWorld) -> None:
    """`make test-adversary` for the long run. The searches come near enough that a leak would show."""
    chance = Search(world, SEED).at_random(ATTEMPTS)
    bred = Search(world, SEED).guided(ATTEMPTS)
    assert bred.loss > chance.loss > 0
    assert max(chance.nearest["budget"], bred.nearest["budget"]) > 0.9
    assert bred.nearest["reserve"] > 0.4
