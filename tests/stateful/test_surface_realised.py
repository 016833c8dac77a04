"""At-the-money volatility is held to multiples of the oracle's realised volatility: I-06's second term, I-07."""

import itertools
import math

import numpy as np
import pytest

from keeper.pricing.surface_moves import nearer_vol, reachable_vol, realised_range
from tests.contracts.core_constants import DAY, HOUR, WAD
from tests.stateful.surface_world import SurfaceWorld, new_world, number, rules_of

LOW, HIGH = 0.2, 5.0


def sampled(vol: float, hours: int = 48) -> SurfaceWorld:
    """`hours` samples of rounds that swing at this annualised volatility; nothing committed."""
    world, swing = new_world(), vol / math.sqrt(365 * 24)
    world.sample([swing * (-1) ** i for i in range(hours)])
    found = world.realised()
    assert found.samples == hours
    assert found.vol / WAD == pytest.approx(vol, rel=1e-3)
    return world


def off_realised(world: SurfaceWorld, inputs: list[tuple]) -> tuple[int, float, float, float]:
    name, values = world.refusal(inputs)
    assert name == "AtmVolOffRealised"
    expiry, *vols = map(number, values)
    return expiry, *(v / WAD for v in vols)


@pytest.mark.parametrize("realised", [0.5, 0.75])
def test_a_first_commit_is_inside_the_multiples(realised: float) -> None:
    world = sampled(realised)
    expiries = world.days(7, 30, 60)
    for wrong in (LOW * realised * 0.99, HIGH * realised * 1.01):
        inputs = world.flat(expiries, wrong)
        assert any("realised" in fault for fault in world.faults(inputs))
        expiry, vol, low, high = off_realised(world, inputs)
        assert expiry == expiries[0]
        assert vol == pytest.approx(wrong, rel=1e-6)
        assert (low, high) == pytest.approx((LOW * realised, HIGH * realised), rel=1e-3)
    for right in (LOW * realised * 1.01, HIGH * realised * 0.99):
        assert not world.faults(world.flat(expiries, right))
    world.commit(world.flat(expiries, HIGH * realised * 0.99))


def test_the_bound_is_that_of_the_twin_to_the_unit() -> None:
    """Levels around either edge, one step of Q33 apart: both accept and refuse the same."""
    world = sampled(0.6)
    rules, verdicts = rules_of(world.parameters), []
    low, high = realised_range(world.realised(), rules, world.now)
    assert high is not None
    for edge in (low, high):
        for step in np.linspace(-3e-9, 3e-9, 41):
            inputs = world.flat(world.days(30), math.sqrt(edge / 2**33) * (1 + step))
            allowed = not world.faults(inputs)
            verdicts.append(allowed)
            if allowed:
                before = world.core.backend.chain.evm.snapshot()
                world.commit(inputs)
                world.core.backend.chain.evm.revert(before)
                world.last.clear()
            else:
                off_realised(world, inputs)
    assert 20 < sum(verdicts) < 62


def leapt(realised: float, level: float) -> SurfaceWorld:
    """A surface at `level`, committed before the estimate counted; then realised volatility ran to `realised`."""
    world = new_world()
    world.commit(world.flat(world.days(7, 30, 60), level))
    swing = realised / math.sqrt(365 * 24)
    world.sample([swing * (-1) ** i for i in range(48)])
    world.core.set_spot(2_000.0)
    return world


@pytest.mark.parametrize(("realised", "level", "toward"), [(2.0, 0.3, 1), (0.3, 1.9, -1)])
def test_outside_a_level_may_stay_or_come_nearer_never_go_further(
    realised: float, level: float, toward: int
) -> None:
    world = leapt(realised, level)
    expiries = world.days(7, 30, 60)
    away = world.flat(expiries, level * (1 - toward * 0.01))
    assert any("comes no nearer" in fault for fault in world.faults(away))
    off_realised(world, away)
    nearer = world.flat(expiries, level * (1 + toward * 0.02))
    assert not world.faults(nearer)
    world.commit(nearer)
    world.warp(HOUR)
    back = world.flat(expiries, level * (1 + toward * 0.01))
    off_realised(world, back)


@pytest.mark.parametrize(("realised", "level"), [(2.0, 0.3), (0.3, 1.9)])
def test_it_never_locks(realised: float, level: float) -> None:
    """At the rate, a surface that was left outside gets to any level inside, and stays free there."""
    world = leapt(realised, level)
    expiries, vol = world.days(30, 60, 90), level
    low, high = LOW * realised, HIGH * realised
    target = 1.2 * low if level < low else 0.8 * high
    world.commit(world.flat(world.days(7, 30, 60, 90), nearer_vol(level, level, low, high)))
    rate = world.parameters["levelRate"] / WAD
    for _ in range(60):
        world.warp(2 * HOUR)
        world.core.set_spot(2_000.0)
        estimate = world.realised().vol / WAD
        wanted = reachable_vol(target, vol, 2 * HOUR, 90 * DAY, rate)
        vol = nearer_vol(wanted, vol, LOW * estimate, HIGH * estimate)
        live = [e for e in [*world.days(7), *expiries] if e > world.now + HOUR]
        world.commit(world.flat(live, vol))
    assert vol == pytest.approx(target, rel=1e-6)


@pytest.mark.parametrize("missing", ["samples", "age"])
def test_too_few_samples_or_too_old_ones_bind_nothing(missing: str) -> None:
    """A feed that nobody samples must neither lock an honest surface nor pull it to what was."""
    world = sampled(0.5, 47 if missing == "samples" else 48)
    if missing == "age":
        limit = world.parameters["realisedMaxDays"] * DAY
        world.warp(world.realised().updated_at_s + limit - world.now)
        off_realised(world, world.flat(world.days(30, 60), 3.0))
        world.warp(1)
    world.commit(world.flat(world.days(30, 60), 3.0))


def test_a_new_expiry_and_a_reset_one_are_held_to_it_too() -> None:
    """Neither listing nor a reset is a way around: what is not allowed at once must come from inside."""
    world = sampled(0.5)
    old = world.days(7, 60)
    world.set(listingCredit=7 * DAY, levelRate=2 * WAD)
    world.commit(world.flat(old, 0.5))
    new = world.days(30)
    for wrong in (0.095, 2.6):
        inputs = sorted(world.flat(old, 0.5) + world.flat(new, wrong))
        bound = [f for f in world.faults(inputs) if "realised" in f]
        if not any("calendar" in f for f in world.faults(inputs)):
            assert bound
            off_realised(world, inputs)
    expiry = old[1]
    world.surface.resetAnchor(1, expiry, {"from": world.core.gov})
    inputs = world.flat(old[:1], 0.5) + world.flat([expiry], 2.6)
    assert off_realised(world, inputs)[0] == expiry


def test_adversarial_committer_cannot_leave_the_multiples() -> None:
    """Walks up for days as fast as the rate allows: the ceiling holds, whatever was saved up (I-06)."""
    world = sampled(0.5)
    expiries, vol, highest = world.days(30, 60, 90), 0.8, 0.0
    world.commit(world.flat(expiries, vol))
    for hours in itertools.chain([3] * 30, [1] * 10):
        world.warp(hours * HOUR)
        world.core.set_spot(2_000.0)
        ceiling = HIGH * world.realised().vol / WAD
        wanted = reachable_vol(9.0, vol, hours * HOUR, 90 * DAY, 0.2)
        inputs = world.flat(expiries, wanted)
        if world.faults(inputs):
            off_realised(world, inputs)
            wanted = min(wanted, ceiling * (1 - 1e-9))
            inputs = world.flat(expiries, wanted)
        world.commit(inputs)
        vol, highest = wanted, max(highest, wanted / ceiling)
    assert 0.999999 < highest <= 1.0
