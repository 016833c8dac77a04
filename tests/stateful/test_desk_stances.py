"""Stances: who may set them, their hard bounds, which side each moves, that none moves a mark, and that they end."""

from __future__ import annotations

from typing import Any

import pytest

from keeper.pricing.vol_signal import LIMIT_BOUNDS, SPREAD_BOUNDS
from tests.contracts.core_constants import DESK_PARAMETERS, FOREVER, UNDERLYING, WAD
from tests.stateful.desk_model import NEUTRAL, DeskModel, parameters
from tests.stateful.desk_world import ANY_PREMIUM, DAYS, DeskWorld
from tests.stateful.revm import Reverted

NEAR, FAR = DAYS
MAX_AGE_S = DESK_PARAMETERS[19]
BID, ASK, BID_LIMIT, ASK_LIMIT = range(4)
FIELDS = ("bidSpread", "askSpread", "bidLimit", "askLimit")
MILLIONTH = 10**12  # what limits are whole numbers of


@pytest.fixture
def world() -> DeskWorld:
    return DeskWorld()


def stance(world: DeskWorld, days: int, **changes: int) -> tuple[int, ...]:
    values = dict.fromkeys(FIELDS, NEUTRAL) | changes
    return world.core.expiry(days), *values.values()


def take(world: DeskWorld, *stances: tuple[int, ...], by: Any = None) -> None:
    core = world.core
    core.desk.setStances(UNDERLYING, list(stances), {"from": by or core.committer})


def premium(world: DeskWorld, legs: list[tuple[int, int]], spreads: list[tuple[int, int]]) -> int:
    """By the model, with these (bid, ask) in place of the neutral."""
    before, change, marks, spot = world.marked(legs)
    return DeskModel().price(legs, marks, (before, change), spot, spreads)[1]


def call(world: DeskWorld, days: int, size: int, strike: float = 2_000.0) -> list[tuple[int, int]]:
    return [(world.core.series(days, strike), size)]


def test_only_the_quoter_sets_them(world: DeskWorld) -> None:
    for who in (world.who[0], world.core.gov, world.core.keeper, world.core.vault):
        with pytest.raises(Reverted) as caught:
            take(world, stance(world, NEAR, askSpread=9_000), by=who)
        assert caught.value.name == "OnlyQuoter"
    assert world.core.desk.stanceOf(UNDERLYING, world.core.expiry(NEAR))[1] == 0


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("end", [0, 1])
def test_the_bounds_are_hard_and_the_keepers(world: DeskWorld, field: str, end: int) -> None:
    """At the bound it is taken; one beyond, the whole call is refused, with the field's name."""
    edge = (SPREAD_BOUNDS if "Spread" in field else LIMIT_BOUNDS)[end]
    take(world, stance(world, NEAR, **{field: edge}))
    beyond = stance(world, FAR, **{field: edge + (1 if end else -1)})
    with pytest.raises(Reverted) as caught:
        take(world, stance(world, NEAR), beyond)
    assert caught.value.name == "StanceOutOfRange"
    assert field.encode().hex() in caught.value.message
    kept, _ = world.core.desk.stanceOf(UNDERLYING, world.core.expiry(NEAR))
    assert kept[1 + FIELDS.index(field)] == edge


@pytest.mark.parametrize("bid", [7_000, 16_000])
@pytest.mark.parametrize("ask", [7_000, 16_000])
def test_each_side_has_its_own_spread_to_the_wei(world: DeskWorld, bid: int, ask: int) -> None:
    take(world, stance(world, NEAR, bidSpread=bid, askSpread=ask))
    for sign in (1, -1):
        legs = call(world, NEAR, sign * 5 * WAD)
        assert world.quote(legs) == premium(world, legs, [(bid, ask)])
        own = ask if sign > 0 else bid
        assert (world.quote(legs) > premium(world, legs, [(NEUTRAL, NEUTRAL)])) == (own > NEUTRAL)
        other = call(world, FAR, sign * 5 * WAD)
        assert world.quote(other) == premium(world, other, [(NEUTRAL, NEUTRAL)])
    both = sorted(call(world, NEAR, 3 * WAD) + call(world, FAR, -2 * WAD))
    spreads = [(bid, ask) if s == both[0][0] else (NEUTRAL, NEUTRAL) for s, _ in both]
    assert world.core.series(NEAR, 2_000.0) == both[0][0]
    assert world.quote(both) == premium(world, both, spreads)


def test_no_stance_moves_fair_or_the_band_of_signed_quotes(world: DeskWorld) -> None:
    for sign in (1, -1):
        legs = call(world, NEAR, sign * 5 * WAD)
        before = world.core.desk.assess(legs, False)
        take(world, stance(world, NEAR, bidSpread=16_000, askSpread=7_000, bidLimit=4_000))
        after = world.core.desk.assess(legs, False)
        assert (before[2], before[4]) == (after[2], after[4])
        take(world, stance(world, NEAR))


@pytest.mark.parametrize(("sign", "field"), [(1, "askLimit"), (-1, "bidLimit")])
@pytest.mark.parametrize("kind", ["vega", "gamma", "expiry"])
def test_each_side_has_its_own_limit(world: DeskWorld, sign: int, field: str, kind: str) -> None:
    """Selling is held by the limit of the ask and not by that of the bid; and the other way round."""
    core, legs = world.core, call(world, NEAR, sign * 10 * WAD)
    before, change, _, spot = world.marked(legs)
    _, gamma, vega = (abs(a + b) for a, b in zip(before, change, strict=True))
    reached = {
        "vega": vega // WAD // MILLIONTH * MILLIONTH,
        "gamma": gamma * spot // WAD**2 * spot // WAD // MILLIONTH * MILLIONTH,
        "expiry": 10 * WAD,
    }
    core.desk.setParameters(parameters(**{f"{kind}_limit": reached[kind] * 2}), {"from": core.gov})
    other = "bidLimit" if field == "askLimit" else "askLimit"
    take(world, stance(world, NEAR, **{other: 4_000}))
    world.quote(legs)
    take(world, stance(world, NEAR, **{field: 5_001}))
    world.quote(legs)
    take(world, stance(world, NEAR, **{field: 4_999}))
    with pytest.raises(Reverted) as caught:
        world.quote(legs)
    assert caught.value.name == "LimitExceeded"
    assert kind.encode().hex() in caught.value.message


def test_a_trade_over_two_expiries_has_the_least_limit_of_both(world: DeskWorld) -> None:
    core = world.core
    legs = sorted(call(world, NEAR, 10 * WAD) + call(world, FAR, 10 * WAD))
    before, change, *_ = world.marked(legs)
    vega = abs(before[2] + change[2]) // WAD // MILLIONTH * MILLIONTH
    core.desk.setParameters(parameters(vega_limit=vega * 2), {"from": core.gov})
    world.quote(legs)
    for days in DAYS:
        take(world, stance(world, days, askLimit=4_999))
        with pytest.raises(Reverted) as caught:
            world.quote(legs)
        assert caught.value.name == "LimitExceeded"
        take(world, stance(world, days))


def test_a_stance_that_is_too_old_is_neutral(world: DeskWorld) -> None:
    core, legs = world.core, call(world, FAR, 5 * WAD)
    take(world, stance(world, FAR, askSpread=16_000, askLimit=4_000))
    set_at = core.now
    core.warp(set_at + MAX_AGE_S)
    assert core.desk.stanceOf(UNDERLYING, core.expiry(FAR))[0][2] == 16_000
    core.warp(set_at + MAX_AGE_S + 1)
    neutral, at = core.desk.stanceOf(UNDERLYING, core.expiry(FAR))
    assert tuple(neutral) == stance(world, FAR)
    assert at == set_at
    core.set_spot(2_000.0)
    world.commit(0.75)
    assert world.quote(legs) == premium(world, legs, [(NEUTRAL, NEUTRAL)])
    core.desk.trade(legs, ANY_PREMIUM, FOREVER, {"from": world.who[0]})
