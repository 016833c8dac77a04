"""A committer with a stolen key and an accomplice who trades: nothing inside T_ref, a stated bound in a day.

The bound, docs/known-issues.md: the vault's vega limit times the move of volatility that the rates allow.
"""

from tests.contracts.core_constants import DESK_PARAMETERS, HOUR, UNDERLYING, WAD
from tests.stateful.desk_world import DeskWorld
from tests.stateful.revm import Reverted

VEGA_LIMIT = DESK_PARAMETERS[12]
DAY_HOURS = 24


def bend(world: DeskWorld, level: float) -> float:
    """The highest level of all expiries that the rates let through, no reset by governance. What was reached."""
    core = world.core
    most = 1.5
    while most > 1.002:
        slices = [core.slice((level + d / 100) * most, d, carry=0.03, skew=0.2) for d in (7, 14)]
        try:
            core.surface.commit(
                UNDERLYING, 2_000 * WAD, core.whole(*slices), {"from": core.committer}
            )
        except Reverted:
            most = 1 + (most - 1) * 0.85
            continue
        return level * most
    return level


def pass_hour(world: DeskWorld) -> None:
    world.core.warp(world.core.now + HOUR)
    world.core.set_spot(2_000.0)


def test_the_committer_earns_nothing_within_the_age_and_no_more_than_stated_in_a_day() -> None:
    world = DeskWorld()
    core, who = world.core, world.who[0]
    series = core.series(14, 2_000.0)
    core.set_spot(2_000.0)
    cash, size = core.cash(who), 500 * WAD
    assert world.trade(who, [(series, size)]) is not None
    pass_hour(world)
    level = bend(world, 0.75)
    assert level > 0.77, "the key must be able to bend at all"
    core.warp(core.now + HOUR - 60)
    core.set_spot(2_000.0)
    assert core.cash(who) - cash - world.quote([(series, -size)]) < 0, "nothing inside T_ref"
    for _ in range(DAY_HOURS):
        pass_hour(world)
        level = bend(world, level)
    pass_hour(world)
    made = core.cash(who) - cash - world.quote([(series, -size)])
    packed = core.clearinghouse.portfolioOf(core.vault)[4]
    vega = abs(int(core.marks.optionGreeks(UNDERLYING, packed)[2]))
    assert vega <= VEGA_LIMIT
    assert 0 < made <= vega * round((level - 0.75) * WAD) // WAD
