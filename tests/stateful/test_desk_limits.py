"""The desk's limits at their very edge: net vega, net gamma, contracts of an expiry, utilisation; and the way back."""

from __future__ import annotations

import pytest

from tests.contracts.core_constants import FOREVER, WAD
from tests.stateful.desk_model import parameters
from tests.stateful.desk_world import ANY_PREMIUM, DAYS, DeskWorld
from tests.stateful.revm import Reverted

NEAR, FAR = DAYS
TEN = 10 * WAD
MILLIONTH = 10**12  # what limits are whole numbers of
NAMES = ("vega", "gamma", "expiry")


@pytest.fixture
def world() -> DeskWorld:
    return DeskWorld()


def straddle(world: DeskWorld, days: int, size: int) -> list[tuple[int, int]]:
    return sorted((world.core.series(days, 2_000.0, call), size) for call in (True, False))


def measure(world: DeskWorld, name: str, legs: list[tuple[int, int]]) -> int:
    """What the desk compares with its limit after these legs, of the Greeks that the engine says."""
    before, change, _, spot = world.marked(legs)
    _, gamma, vega = (abs(a + b) for a, b in zip(before, change, strict=True))
    if name == "vega":
        return vega // WAD
    if name == "gamma":
        return gamma * spot // WAD**2 * spot // WAD
    held = world.core.legs(world.core.vault)
    return sum(abs(held.get(series, 0) - size) for series, size in legs)


def allow(world: DeskWorld, **limits: int) -> None:
    world.core.desk.setParameters(parameters(**limits), {"from": world.core.gov})


def trade(world: DeskWorld, legs: list[tuple[int, int]], who: int = 0) -> None:
    world.core.desk.trade(legs, ANY_PREMIUM, FOREVER, {"from": world.who[who]})


def refused(world: DeskWorld, legs: list[tuple[int, int]], name: str, limit: int) -> None:
    """With its name and the limit that applied, from the quote as from the trade."""
    for attempt in (lambda: trade(world, legs), lambda: world.quote(legs)):
        with pytest.raises(Reverted) as caught:
            attempt()
        assert caught.value.name == "LimitExceeded"
        assert name.encode().hex() in caught.value.message
        assert f"{limit:064x}" in caught.value.message


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", NAMES)
def test_a_limit_holds_to_the_last_millionth(world: DeskWorld, name: str, sign: int) -> None:
    """On either side of the vault."""
    legs = straddle(world, NEAR, sign * TEN)
    reached = measure(world, name, legs)
    below = (reached - 1) // MILLIONTH * MILLIONTH
    allow(world, **{f"{name}_limit": below})
    refused(world, legs, name, below)
    allow(world, **{f"{name}_limit": below + MILLIONTH})
    trade(world, legs)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_over_its_limit_may_be_traded_down_and_not_up(world: DeskWorld, name: str) -> None:
    """Even by somebody who opens: the other series of the expiry, the other way."""
    trade(world, straddle(world, NEAR, TEN))
    least = measure(world, name, straddle(world, NEAR, -TEN // 5))
    limit = least // 2 // MILLIONTH * MILLIONTH
    allow(world, **{f"{name}_limit": limit})
    refused(world, straddle(world, NEAR, WAD), name, limit)
    trade(world, straddle(world, NEAR, -WAD))
    if name != "expiry":
        other = [(world.core.series(NEAR, 2_100.0), -WAD)]
        trade(world, other, who=1)


def test_vega_is_netted_over_expiries_and_contracts_are_not(world: DeskWorld) -> None:
    trade(world, straddle(world, NEAR, TEN))
    alone = measure(world, "vega", straddle(world, FAR, TEN))
    netted = measure(world, "vega", straddle(world, FAR, -TEN))
    assert netted < alone // 3
    most = max(netted, measure(world, "vega", straddle(world, FAR, 0)))
    allow(world, vega_limit=-(-most // MILLIONTH) * MILLIONTH)
    trade(world, straddle(world, FAR, -TEN), who=1)
    allow(world, expiry_limit=2 * TEN)
    refused(world, straddle(world, NEAR, WAD // 100), "expiry", 2 * TEN)
    refused(world, straddle(world, FAR, -WAD // 100), "expiry", 2 * TEN)


def test_utilisation_is_of_the_margin_after_the_trade(world: DeskWorld) -> None:
    """At the share of equity that the trade leaves bound it passes, a hair below it does not; above it, less passes."""
    core, legs = world.core, straddle(world, FAR, 280 * TEN)
    saved = core.backend.chain.snapshot()
    trade(world, legs)
    equity, initial, _ = core.margin(core.vault)
    core.backend.chain.revert(saved)
    share = -(-initial * WAD // equity // MILLIONTH) * MILLIONTH
    allow(world, max_utilisation=share - MILLIONTH)
    with pytest.raises(Reverted) as caught:
        trade(world, legs)
    assert caught.value.name == "LimitExceeded"
    assert b"utilisation".hex() in caught.value.message
    allow(world, max_utilisation=share)
    trade(world, legs)
    allow(world, max_utilisation=WAD // 10)
    strangle = core.series(FAR, 1_900.0, False), core.series(FAR, 2_100.0)
    more, less = ([(s, sign * 20 * TEN) for s in sorted(strangle)] for sign in (1, -1))
    with pytest.raises(Reverted) as caught:
        trade(world, more)
    assert caught.value.name == "LimitExceeded"
    trade(world, less)
    equity, initial, _ = core.margin(core.vault)
    assert initial * 10 > equity, "still over the limit"
