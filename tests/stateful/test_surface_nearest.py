"""The commit nearest to a wanted surface: taken at once or a minute later, and in the end it is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from keeper.chain.surface_state import rules_of
from keeper.errors import PricingError
from keeper.models import SviSlice
from keeper.pricing.surface_moves import FREE
from keeper.pricing.surface_nearest import (
    MINED_WITHIN_S,
    CommitTerms,
    HeldSlice,
    nearest_commit,
)
from keeper.pricing.svi import implied_vol, slice_from_word
from tests.contracts.core_constants import HOUR, UNDERLYING, WAD
from tests.stateful.surface_world import NAMES, SPOT, SurfaceWorld, new_world

DAYS = (7, 30, 60)


def terms(world: SurfaceWorld) -> CommitTerms:
    """As the chain says them now."""
    surface, held = world.surface, {}
    for expiry in map(int, surface.expiries(UNDERLYING)):
        word, carry, at = map(int, surface.sliceOf(UNDERLYING, expiry))
        credit = min(int(surface.credit(UNDERLYING, expiry)), FREE)
        held[expiry] = HeldSlice(expiry, word, carry, at, credit)
    rules = rules_of([world.parameters[name] for name in NAMES])
    return CommitTerms(rules, held, world.realised(), world.now)


def wanted(
    world: SurfaceWorld, expiries: Sequence[int], vol: float, **how: float
) -> list[SviSlice]:
    return [
        slice_from_word(word, expiry, carry / WAD, world.now)
        for expiry, word, carry in world.flat(expiries, vol, **how)
    ]


def level(world: SurfaceWorld, found: Sequence[tuple[int, int, int]]) -> list[float]:
    slices = [slice_from_word(word, e, carry / WAD, world.now) for e, word, carry in found]
    return [float(implied_vol(one, 0.0)) for one in slices]


@pytest.fixture
def world() -> SurfaceWorld:
    """Three expiries at 80 %, an hour of allowance saved up."""
    world = new_world()
    world.commit(world.flat(world.days(*DAYS)))
    world.warp(HOUR)
    return world


def test_what_is_near_enough_goes_all_the_way(world: SurfaceWorld) -> None:
    aim = wanted(world, world.days(*DAYS), 0.82)
    found = nearest_commit(aim, terms(world))
    assert set(found.shares.values()) == {1.0}
    assert not found.left_out
    assert level(world, found.inputs) == pytest.approx([0.82] * 3, rel=1e-9)


@pytest.mark.parametrize("wait_s", [0, MINED_WITHIN_S])
@pytest.mark.parametrize("saved", [0, 12 * HOUR])
@pytest.mark.parametrize("seed", range(8))
def test_the_contract_takes_it_and_hardly_more(
    seed: int, saved: int, wait_s: int, world: SurfaceWorld
) -> None:
    """Random surfaces far off: levels, skews, wings and carry at once. Silence saves allowance up to a cap."""
    world.core.warp(world.now + saved)
    world.core.set_spot(2_000.0)
    rng = np.random.default_rng(seed)
    how = {"rho": rng.uniform(-0.7, 0.5), "eta": rng.uniform(0.2, 0.8), "carry": rng.normal(0, 0.1)}
    aim = wanted(world, world.days(*DAYS), float(rng.choice([0.12, 3.6])), **how)
    asked = terms(world)
    found = nearest_commit(aim, asked)
    assert all(0.0 < share < 1.0 for share in found.shares.values())
    start = [asked.held[s.expiry_s].note(world.now).variance for s in aim]
    reached = level(world, found.inputs)
    for was, got, one in zip(start, reached, aim, strict=True):
        assert (got > (was / 2**33) ** 0.5) == (float(implied_vol(one, 0.0)) > (was / 2**33) ** 0.5)
    world.core.warp(world.now + wait_s)
    world.commit(found.inputs)
    left = [int(world.surface.credit(UNDERLYING, s.expiry_s)) for s in aim]
    # Whoever bound the common share, or its own, has spent all but what the wait for the block is kept for.
    assert min(left) <= 2 * MINED_WITHIN_S


def test_again_and_again_it_arrives(world: SurfaceWorld) -> None:
    expiries, aimed = world.days(*DAYS), 1.6
    shares: list[float] = []
    while not shares or shares[-1] < 1.0:
        found = nearest_commit(wanted(world, expiries, aimed), terms(world))
        world.commit(found.inputs)
        shares.append(min(found.shares.values()))
        reached = level(world, found.inputs)
        assert len(shares) < 48
        world.warp(HOUR)
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert reached == pytest.approx([aimed] * 3, rel=1e-9)


def test_each_expiry_goes_as_far_as_its_own_allowance(world: SurfaceWorld) -> None:
    """A short one may move faster a day than a long one."""
    world.set(levelRate=WAD // 20)
    found = nearest_commit(wanted(world, world.days(*DAYS), 1.0), terms(world))
    shares = [found.shares[e] for e in world.days(*DAYS)]
    assert shares[0] > 1.5 * shares[1]
    assert shares[1] == pytest.approx(shares[2], rel=1e-2)
    world.commit(found.inputs)


def test_a_new_expiry_far_from_its_neighbours_waits(world: SurfaceWorld) -> None:
    expiries, new = world.days(*DAYS), world.days(90)[0]
    aim = wanted(world, expiries, 0.81) + wanted(world, [new], 2.0)
    found = nearest_commit(aim, terms(world))
    assert list(found.left_out) == [new]
    assert "allowance" in found.left_out[new]
    world.commit(found.inputs)
    near = nearest_commit(wanted(world, [*expiries, new], 0.81), terms(world))
    assert not near.left_out
    world.commit(near.inputs)


def test_a_level_outside_the_realised_multiples_comes_nearer(world: SurfaceWorld) -> None:
    swing = 0.3 / np.sqrt(365 * 24)
    world.sample([swing * (-1) ** i for i in range(48)])
    live, high = world.days(*DAYS), 5.0 * 0.3
    for _ in range(60):
        live = [e for e in live if e > world.now + HOUR]
        found = nearest_commit(wanted(world, live, 3.0), terms(world))
        world.commit(found.inputs)
        world.warp(HOUR)
        world.core.set_spot(2_000.0)
    assert max(level(world, found.inputs)) == pytest.approx(high, rel=0.01)


def test_a_live_expiry_that_the_file_lacks_is_not_made_up(world: SurfaceWorld) -> None:
    with pytest.raises(PricingError, match="live and left out"):
        nearest_commit(wanted(world, world.days(7, 60), 0.8), terms(world))


def test_a_reset_anchor_may_go_anywhere(world: SurfaceWorld) -> None:
    for expiry in world.days(*DAYS):
        world.surface.resetAnchor(UNDERLYING, expiry, {"from": world.core.gov})
    found = nearest_commit(wanted(world, world.days(*DAYS), 2.5), terms(world))
    assert set(found.shares.values()) == {1.0}
    by = {"from": world.core.committer}
    world.surface.commit(UNDERLYING, SPOT, list(found.inputs), by)


def test_before_the_first_commit_it_is_the_wanted_one() -> None:
    world = new_world()
    found = nearest_commit(wanted(world, world.days(7, 30), 0.7), terms(world))
    assert len(found.inputs) == 2
    world.commit(found.inputs)
