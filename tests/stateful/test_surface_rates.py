"""How far a commit may move a surface, and that it never locks: I-06's second term, I-07."""

import itertools
import math

import numpy as np
import pytest

from keeper.pricing import surface_checks as checks
from keeper.pricing.surface_moves import reachable_vol, seconds_for, tenor_share_wad
from tests.contracts.core_constants import DAY, HOUR, UNDERLYING, WAD
from tests.stateful.revm import Reverted
from tests.stateful.surface_world import SurfaceWorld, new_world, number, rules_of

YEAR = 365 * DAY


@pytest.fixture
def world() -> SurfaceWorld:
    """Three expiries at 80 %, an hour of allowance saved up."""
    world = new_world()
    world.commit(world.flat(world.days(7, 30, 60)))
    world.warp(HOUR)
    return world


def credit(world: SurfaceWorld, expiry: int) -> int:
    return int(world.surface.credit(UNDERLYING, expiry))


def too_fast(world: SurfaceWorld, inputs: list[tuple]) -> tuple[int, int, int]:
    name, values = world.refusal(inputs)
    assert name == "MoveTooFast"
    expiry, needed, earned = map(number, values)
    return expiry, needed, earned


@pytest.mark.parametrize(
    ("how", "rate"),
    [("level", "levelRate"), ("skew", "skewRate"), ("wing", "wingRate"), ("carry", "forwardRate")],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_each_part_has_its_own_rate(world: SurfaceWorld, how: str, rate: str, sign: int) -> None:
    """The largest move that an hour earns is found by halving; the part's rate is what stops the next one."""
    far = world.days(7, 30, 60)

    def moved(x: float) -> list[tuple]:
        change = {
            "level": {"vol": 0.8 * math.exp(sign * x)},
            "skew": {"rho": -0.25 + sign * x},
            "wing": {"eta": 0.5 + sign * x, "rho": -0.25},
            "carry": {"carry": sign * x},
        }[how]
        return world.flat(far, **change)

    low, high = 0.0, 0.3
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if world.faults(moved(middle)) else (middle, high)
    assert 1e-4 < low < 0.29
    expiry, needed, earned = too_fast(world, moved(high + 1e-9))
    assert (earned, needed > HOUR) == (HOUR, True)
    world.set(**{rate: world.parameters[rate] * 11 // 10})
    if how == "wing":
        world.set(skewRate=world.parameters["skewRate"] * 2)
    world.commit(moved(high + 1e-9))
    assert expiry in far


@pytest.mark.parametrize("binding", ["levelRate", "skewRate", "wingRate", "forwardRate"])
def test_a_move_costs_what_the_twin_says_to_the_second(world: SurfaceWorld, binding: str) -> None:
    """Random moves of every part, taken and refused: numbers in the error and the allowance left."""
    rng = np.random.default_rng(5)
    loose = {
        "levelRate": 2 * WAD,
        "skewRate": 2 * WAD,
        "wingRate": 9 * WAD,
        "forwardRate": WAD // 20,
    }
    tight = world.parameters[binding] // (20 if binding == "forwardRate" else 2)
    world.set(**(loose | {binding: tight}))
    refused = taken = 0
    for _ in range(250):
        world.warp(int(rng.integers(1, 3 * HOUR)))
        size = float(rng.choice([0.01, 0.05, 0.2]))
        inputs = [
            world.flat([e], 0.8 + size * rng.normal(), rho=-0.25 + size * rng.normal(),
                       eta=0.5 + size * rng.normal(), carry=0.1 * size * rng.normal())[0]
            for e in world.days(7, 30, 60)
            if e > world.now + HOUR
        ]  # fmt: skip
        faults = world.faults(inputs)
        if not faults:
            world.commit(inputs)
            for expiry, note in world.last.items():
                assert credit(world, expiry) == note.credit_s <= world.parameters["creditCap"]
            taken += 1
            continue
        name, values = world.refusal(inputs)
        if name == "MoveTooFast":
            expiry, needed, earned = map(number, values)
            text = f"expiry {expiry}: the move takes {needed} s of allowance, {earned} s are there"
            assert text in faults
            refused += 1
    assert min(taken, refused) > 40


def test_silence_saves_up_to_the_cap_and_no_more(world: SurfaceWorld) -> None:
    (week, *_) = expiries = world.days(7, 30, 60)
    for waited, expected in ((HOUR, HOUR), (2 * HOUR, 2 * HOUR), (3 * HOUR, 3 * HOUR),
                             (4 * HOUR, 3 * HOUR), (60 * HOUR, 3 * HOUR)):  # fmt: skip
        world.warp(world.last[week].at_s + waited - world.now)
        assert credit(world, week) == expected
    world.commit(world.flat(expiries))
    left = credit(world, week)
    assert 3 * HOUR - 5 <= left <= 3 * HOUR


def test_incident_15_bending_and_bending_back_are_both_paid_for(world: SurfaceWorld) -> None:
    """Over any window each part moves, there and back together, by at most rate x (cap + window)."""
    expiries, start = world.days(30, 60), world.now
    world.warp(10 * HOUR)
    walked, vol, up = 0.0, 0.8, True
    for _ in range(400):
        earned = min(credit(world, e) for e in expiries)
        target = reachable_vol(2.0 if up else 0.1, vol, earned, 60 * DAY, 0.2)
        inputs = world.flat(world.days(7, 30, 60), target)
        if world.faults(inputs):
            world.refusal(inputs)
        else:
            world.commit(inputs)
            walked += abs(math.log(target / vol)) * 2
            vol, up = target, not up
        world.warp(60)
    window = world.now - start
    limit = 0.2 * (world.parameters["creditCap"] + window) / HOUR
    assert 0.8 * 0.2 * (window - 10 * HOUR) / HOUR < walked <= limit


def test_a_thousand_small_moves_go_no_further_than_one_large(world: SurfaceWorld) -> None:
    """Rounding is against the mover, so that splitting buys nothing."""
    note = world.last[world.days(30)[0]]
    rules = rules_of(world.parameters)
    step = max(note.variance // 50_000, 1)
    later, spent = note, 0
    for _ in range(1_000):
        after = checks.replace(later, variance=later.variance + step)
        spent += seconds_for(later, after, 30 * DAY, rules)
        later = after
    assert spent >= seconds_for(note, later, 30 * DAY, rules)


def test_march_2020_after_three_silent_days_the_surface_catches_up(world: SurfaceWorld) -> None:
    """From 60 % to 240 %: I-07, every hourly commit is taken and the last is there within a day."""
    world.warp(3 * DAY)
    expiries, vol, hours = world.days(7, 30, 60), 0.8, 0
    while vol < 2.4:
        wanted = vol_next = 2.4
        for expiry in expiries:
            earned = credit(world, expiry)
            vol_next = reachable_vol(vol_next, vol, earned, expiry - world.now, 0.2)
        world.commit(world.flat(expiries, vol_next))
        vol, hours = vol_next, hours + 1
        world.warp(HOUR)
        assert hours <= 14 or vol == wanted
    assert hours <= 14


def test_governance_frees_one_expiry_for_one_commit(world: SurfaceWorld) -> None:
    expiries = world.days(7, 30, 60)
    leap = world.flat(expiries[:2]) + world.flat(expiries[2:], 1.6)
    too_fast(world, leap)
    with pytest.raises(Reverted, match="AccessManagedUnauthorized"):
        world.surface.resetAnchor(UNDERLYING, expiries[2], {"from": world.core.committer})
    world.surface.resetAnchor(UNDERLYING, expiries[2], {"from": world.core.gov})
    assert credit(world, expiries[2]) == 2**256 - 1
    world.last[expiries[2]] = checks.replace(world.last[expiries[2]], credit_s=2**32 - 1)
    world.commit(leap)
    assert credit(world, expiries[2]) == 0
    world.warp(60)
    too_fast(world, world.flat(expiries[:2]) + world.flat(expiries[2:], 1.7))
    fresh, aged = world.slices(expiries[2])
    assert fresh != aged
    for expiry in (world.days(14)[0], expiries[0] + 1):
        with pytest.raises(Reverted, match="ExpiryNotCommitted"):
            world.surface.resetAnchor(UNDERLYING, expiry, {"from": world.core.gov})
        with pytest.raises(Reverted, match="ExpiryNotCommitted"):
            world.surface.credit(UNDERLYING, expiry)


@pytest.mark.parametrize("days", [3, 14, 45, 90])
def test_a_new_expiry_is_held_to_its_neighbours(world: SurfaceWorld, days: int) -> None:
    """Before the first, between two, beyond the last: 12 hours of moves from where they put it."""
    listing, rules = world.parameters["listingCredit"], rules_of(world.parameters)
    expiry = world.days(days)[0]
    old = world.flat(world.days(7, 30, 60))
    share = tenor_share_wad(expiry - world.now) / WAD
    reach = math.sqrt(1 + 0.2 * listing / HOUR / share)
    inside, outside = 0.8 * reach**0.98, 0.8 * reach**1.03
    for vol, fits in ((inside, True), (outside, False), (0.8 / reach**1.03, False)):
        new = world.flat([expiry], vol)
        near = expiry if days != 3 else world.days(7)[0]
        inputs = sorted(old + new)
        faults = world.faults(inputs)
        arbitrage = [f for f in faults if "calendar" in f]
        if fits and not arbitrage:
            assert not faults
            assert near in [e for e, _, _ in inputs]
        elif not arbitrage:
            _, needed, earned = too_fast(world, inputs)
            assert needed > earned == listing
    world.commit(sorted(old + world.flat([expiry], 0.8)))
    assert rules.listing_credit_s >= world.last[expiry].credit_s > listing - 120
    assert credit(world, expiry) == world.parameters["creditCap"]


def test_short_tenors_move_faster() -> None:
    assert [round(WAD / tenor_share_wad(d * DAY), 3) for d in (0, 1, 7, 30, 400)] == [
        5.477, 5.477, 2.07, 1.0, 1.0,
    ]  # fmt: skip
    shares = [tenor_share_wad(h * HOUR) for h in range(24, 24 * 31)]
    assert all(a <= b for a, b in itertools.pairwise(shares))
