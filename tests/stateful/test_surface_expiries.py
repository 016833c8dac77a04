"""Which expiries a commit may and must hold, and volatility between them."""

import calendar
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from keeper.pricing import svi
from scripts.deployment.parameters import load_parameters
from tests.contracts.core_constants import DAY, HOUR, SPOT_USD, UNDERLYING, WAD
from tests.stateful.surface_world import SPOT, SurfaceWorld, new_world, number

YEAR = 365 * DAY
MOST = 16


@pytest.fixture
def world() -> SurfaceWorld:
    return new_world()


# ---------------------------------------------------------------- every live expiry


def test_a_live_expiry_cannot_be_left_out(world: SurfaceWorld) -> None:
    expiries = world.days(7, 30, 60)
    world.commit(world.flat(expiries))
    world.warp(HOUR)
    for left in expiries:
        rest = [e for e in expiries if e != left]
        name, (value,) = world.refusal(world.flat(rest))
        assert (name, number(value)) == ("LiveExpiryLeftOut", left)
        assert f"expiry {left} is live and left out" in world.faults(world.flat(rest))
    assert world.surface.expiries(UNDERLYING) == tuple(expiries)


def test_near_its_end_an_expiry_may_go_and_then_does_not_come_back(world: SurfaceWorld) -> None:
    near, far = world.days(7, 30)
    world.commit(world.flat([near, far]))
    world.core.warp(near - world.parameters["minTenor"] - 1)
    assert world.refusal(world.flat([far]))[0] == "LiveExpiryLeftOut"
    world.warp(1)
    world.commit(world.flat([far]))
    assert world.surface.expiries(UNDERLYING) == (far,)
    world.warp(60)
    name, (value,) = world.refusal(world.flat([near, far]))
    assert (name, number(value)) == ("ExpiryNotListable", near)


def test_sixteen_expiries_and_no_more(world: SurfaceWorld) -> None:
    expiries = world.days(*range(7, 7 + MOST))
    world.commit(world.flat(expiries))
    world.warp(HOUR)
    assert world.surface.expiries(UNDERLYING) == tuple(expiries)
    more = world.flat([*expiries, world.days(60)[0]])
    name, values = world.refusal(more)
    assert (name, [number(v) for v in values]) == ("TooManyExpiries", [MOST + 1, MOST])
    world.core.warp(expiries[0])
    world.commit(world.flat([*expiries[1:], world.days(60)[0]]))
    assert len(world.surface.expiries(UNDERLYING)) == MOST


# ---------------------------------------------------------------- the listing rule


def rule(now: datetime, day: datetime, p: dict[str, int]) -> bool:
    ahead = (day - now).total_seconds()
    if ahead <= p["minTenor"]:
        return False
    if ahead <= p["dailyDays"] * DAY:
        return True
    if day.weekday() != calendar.FRIDAY:
        return False
    last = day + timedelta(days=7)
    return ahead <= p["weeklyDays"] * DAY or (
        ahead <= p["monthlyDays"] * DAY and last.month != day.month
    )


def test_the_listing_rule_is_the_calendars_and_never_allows_more_than_there_is_room_for(
    world: SurfaceWorld,
) -> None:
    """Over six years, leap years and a century's end that is none included, with the deployment's numbers."""
    given = load_parameters().surface.struct()
    world.set(**{k: given[k] for k in ("dailyDays", "weeklyDays", "monthlyDays", "minTenor")})
    when = datetime(2096, 1, 1, 9, tzinfo=UTC)
    rng = np.random.default_rng(3)
    seen = set()
    while when.year < 2102:
        now = when + timedelta(hours=int(rng.integers(0, 24)))
        world.core.warp(int(now.timestamp()))
        first = now.replace(hour=8, minute=0, second=0)
        days = [first + timedelta(days=i) for i in range(220)]
        found = [bool(world.surface.listable(int(d.timestamp()))) for d in days]
        assert found == [rule(now, d, world.parameters) for d in days]
        assert sum(found) <= MOST
        seen.add(sum(found))
        when += timedelta(days=11)
    assert min(seen) >= 12


def test_an_expiry_beyond_the_rule_is_refused(world: SurfaceWorld) -> None:
    world.set(dailyDays=10)
    expiry = next(e for e in world.days(*range(11, 30)) if not world.surface.listable(e))
    name, (value,) = world.refusal(world.flat([expiry]))
    assert (name, number(value)) == ("ExpiryNotListable", expiry)
    inside = world.days(10)[0]
    world.commit(world.flat([inside]))
    world.set(dailyDays=1)
    world.warp(HOUR)
    world.commit(world.flat([inside]))  # what is listed stays


# ---------------------------------------------------------------- between expiries


def expected(world: SurfaceWorld, expiry: int, strike: float) -> tuple[float, float]:
    """The rule in floats, from what was committed."""
    at, inputs = world.history[-1]
    known = sorted(inputs)
    low = max((e for e in known if e <= expiry), default=known[0])
    high = min((e for e in known if e >= expiry), default=known[-1])
    cut = {e: svi.slice_from_word(inputs[e][0], e, inputs[e][1] / WAD, at) for e in (low, high)}
    share = 0.0 if low == high else (expiry - low) / (high - low)
    if low == high:
        carry = cut[low].carry
    else:
        carry = (
            cut[low].carry * (low - at) * (1 - share) + cut[high].carry * (high - at) * share
        ) / (expiry - at)
    forward = SPOT_USD * math.exp(carry * (expiry - world.now) / YEAR)
    k = np.array(math.log(strike / forward))
    if low == high:
        return forward, float(svi.implied_vol(cut[low], k))
    w = svi.total_variance(cut[low], k) * (1 - share) + svi.total_variance(cut[high], k) * share
    return forward, math.sqrt(float(w) * YEAR / (expiry - at))


def test_volatility_between_expiries_is_linear_in_total_variance(world: SurfaceWorld) -> None:
    seven, thirty, sixty = world.days(7, 30, 60)
    world.commit(
        world.flat([seven], 0.7, carry=0.1)
        + world.flat([thirty], 0.8, rho=-0.4)
        + world.flat([sixty], 0.75, carry=-0.05)
    )
    for waited in (0, 6 * DAY, 9 * DAY):
        world.core.warp(world.history[-1][0] + waited)
        for days in (3, 7, 8, 19, 30, 45, 60, 61, 300):
            expiry = world.days(days)[0]
            for strike in (1_500.0, 2_000.0, 2_600.0):
                found = world.surface.interpolated(UNDERLYING, expiry, round(strike * WAD), SPOT)
                if expiry <= world.now:
                    assert tuple(found) == (SPOT, 0)
                    continue
                forward, vol = expected(world, expiry, strike)
                assert found[0] / WAD == pytest.approx(forward, rel=1e-12)
                assert found[1] / WAD == pytest.approx(vol, rel=1e-9)


def test_interpolation_meets_the_slices_and_needs_one(world: SurfaceWorld) -> None:
    expiry = world.days(30)[0]
    assert tuple(world.surface.interpolated(UNDERLYING, expiry, SPOT, SPOT)) == (SPOT, 0)
    world.commit(world.flat(world.days(7, 30, 60), 0.8, carry=0.03))
    for days in (7, 30, 60):
        args = (UNDERLYING, world.days(days)[0], SPOT * 11 // 10, SPOT)
        assert world.surface.interpolated(*args) == world.surface.volAndForward(*args)
