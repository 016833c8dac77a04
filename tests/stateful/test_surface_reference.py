"""The aged slice beside the fresh one: two steps to it, whatever the committer's rhythm. Incident 15 at its root."""

import bisect

import numpy as np
import pytest

from tests.contracts.core_constants import DAY, HOUR, SPOT_USD, UNDERLYING, WAD
from tests.stateful.surface_world import SurfaceWorld, new_world

SPOT = round(SPOT_USD * WAD)
OPEN, HEDGE, CLOSE = range(3)
RHYTHMS = {
    "every block": (12, 12),
    "every minute": (60, 60),
    "hourly": (HOUR, HOUR),
    "a little under the age": (HOUR - 1, HOUR - 1),
    "a little over it": (HOUR + 1, HOUR + 1),
    "any": (5, 3 * HOUR),
    "bursts and days of silence": (5, 2 * DAY),
}


@pytest.fixture
def world() -> SurfaceWorld:
    return new_world()


def served(world: SurfaceWorld, expiry: int) -> tuple[int, int]:
    """Moments of the commits that fresh and reference come from, after comparing the slices with them."""
    found = []
    for word, carry, at in world.slices(expiry):
        (inputs,) = (inputs for moment, inputs in world.history if moment == at)
        assert inputs[expiry] == (word, carry)
        found.append(at)
    return found[0], found[1]


def drifting(world: SurfaceWorld, rng: np.random.Generator, expiries: list[int]) -> list[tuple]:
    """Every commit differs from every other, and none by more than a second's allowance."""
    return world.flat(expiries, 0.8 + 1e-6 * float(rng.random()))


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_a_reference_was_public_for_its_age_and_is_no_older_than_two(
    world: SurfaceWorld, rhythm: str
) -> None:
    least, most = RHYTHMS[rhythm]
    age = world.parameters["referenceAge"]
    rng = np.random.default_rng(7)
    expiries = world.days(390, 395)
    start, gap_before, before = world.now, 0, 0
    for _ in range(320):
        world.commit(drifting(world, rng, expiries))
        waits = sorted(rng.integers(0, 2 * age, 2)) if most > age else [0]
        step = int(rng.integers(least, most + 1)) if rng.random() < 0.7 or most == least else least
        for wait in [*(int(w) for w in waits if w < step), step]:
            world.warp(max(wait - (world.now - world.history[-1][0]), 0))
            fresh, aged = served(world, expiries[0])
            assert fresh == world.history[-1][0]
            if world.now - start < age:
                assert aged == fresh
                assert not world.surface.usable(UNDERLYING, expiries[0], OPEN)
                continue
            assert aged >= before, "a reference once served is never taken back for an older one"
            before = aged
            assert aged + age <= world.now
            longest = max(gap_before, world.now - fresh, most)
            assert world.now - aged <= 2 * age + longest
            moments = [at for at, _ in world.history]
            if world.now - fresh >= age:
                assert aged == moments[bisect.bisect_right(moments, world.now - age) - 1] == fresh
        gap_before = max(gap_before, step)


def test_incident_15_a_bent_slice_is_no_reference_before_its_age(world: SurfaceWorld) -> None:
    """Bent, traded on and bent back inside the age: the reference never shows it, under any spam between."""
    expiries = world.days(30, 60)
    world.commit(world.flat(expiries))
    world.warp(3 * HOUR)
    sane = world.slices(expiries[0])[0][0]
    world.commit(world.flat(expiries, 0.9))
    for _ in range(58):
        fresh, aged = world.slices(expiries[0])
        assert aged[0] == sane != fresh[0]
        world.warp(60)
        world.commit(world.flat(expiries, 0.9))
    world.commit(world.flat(expiries, 0.81))
    world.warp(HOUR)
    for vol in (0.81, 0.81):
        world.commit(world.flat(expiries, vol))
        world.warp(60)
    _, aged = world.slices(expiries[0])
    assert aged[2] + HOUR <= world.now


def test_a_pending_slice_can_be_watched(world: SurfaceWorld) -> None:
    expiries = world.days(30)
    assert world.surface.commitTimes(UNDERLYING) == (0, 0, 0)
    world.commit(world.flat(expiries))
    first = world.now
    assert world.surface.commitTimes(UNDERLYING) == (first, first, 0)
    world.warp(600)
    world.commit(world.flat(expiries))
    assert world.surface.commitTimes(UNDERLYING) == (first + 600, first, 0)
    world.warp(HOUR - 600)
    world.commit(world.flat(expiries))
    assert world.surface.commitTimes(UNDERLYING) == (first + HOUR, first + 600, first)
    world.warp(HOUR)
    world.commit(world.flat(expiries))
    assert world.surface.commitTimes(UNDERLYING) == (
        first + 2 * HOUR,
        first + 2 * HOUR,
        first + HOUR,
    )


def test_a_new_expiry_opens_when_it_has_a_reference_of_its_own(world: SurfaceWorld) -> None:
    old, new = world.days(30, 60)
    world.commit(world.flat([old]))
    world.warp(2 * HOUR)
    world.commit(world.flat([old, new]))
    assert world.surface.usable(UNDERLYING, old, OPEN)
    for _ in range(11):
        fresh, aged = world.slices(new)
        assert fresh == aged
        assert not world.surface.usable(UNDERLYING, new, OPEN)
        assert world.surface.usable(UNDERLYING, new, HEDGE)
        world.warp(300)
        world.commit(world.flat([old, new]))
    world.warp(300)
    _, aged = world.slices(new)
    assert aged[2] == world.history[1][0]
    assert world.surface.usable(UNDERLYING, new, OPEN)


def test_what_may_be_done_with_a_slice_depends_on_its_age(world: SurfaceWorld) -> None:
    (expiry,) = world.days(30)
    p, surface = world.parameters, world.surface
    assert surface.age(UNDERLYING, expiry) == 2**256 - 1
    assert not any(surface.usable(UNDERLYING, expiry, action) for action in (OPEN, HEDGE, CLOSE))
    world.commit(world.flat([expiry]))
    at = world.now
    for name, action in (("openMaxAge", OPEN), ("hedgeMaxAge", HEDGE), ("closeMaxAge", CLOSE)):
        world.core.warp(at + p[name])
        assert surface.age(UNDERLYING, expiry) == p[name]
        assert surface.usable(UNDERLYING, expiry, action)
        world.warp(1)
        assert not surface.usable(UNDERLYING, expiry, action)


def test_an_expiry_that_was_left_out_keeps_its_own_slices(world: SurfaceWorld) -> None:
    """Near its expiry one may be left out: its slices stay, with their own moments, and age."""
    near, far = world.days(7, 60)
    for _ in range(4):
        world.commit(world.flat([near, far]))
        world.warp(HOUR)
    world.core.warp(near - world.parameters["minTenor"])
    world.commit(world.flat([near, far]))
    last = world.now
    for _ in range(4):
        world.warp(1_800)
        world.commit(world.flat([far]))
        fresh, aged = world.slices(near)
        assert fresh[2] == last
        assert aged[2] + world.parameters["referenceAge"] <= world.now
    assert world.slices(near)[1][2] == last
    assert world.surface.age(UNDERLYING, near) == 7_200
    assert world.surface.lastCommit(UNDERLYING) == world.now


def test_both_slices_in_one_view(world: SurfaceWorld) -> None:
    (expiry,) = world.days(30)
    world.commit(world.flat([expiry], carry=0.02))
    world.warp(HOUR)
    before = world.surface.volAndForward(UNDERLYING, expiry, SPOT, SPOT)
    world.commit(world.flat([expiry], 0.83, carry=0.03))
    found = world.surface.volsAndForwards(UNDERLYING, expiry, SPOT, SPOT)
    fresh = world.surface.volAndForward(UNDERLYING, expiry, SPOT, SPOT)
    assert tuple(found[:2]) == tuple(fresh) != tuple(found[2:])
    assert found[3] == before[1]
    assert world.surface.volsAndForwards(UNDERLYING, world.days(60)[0], SPOT, SPOT) == (
        SPOT, 0, SPOT, 0,
    )  # fmt: skip
