"""I-09: nobody makes money in the desk at constant market; its price beside a Python model, to the wei."""

import random

import pytest

from tests.contracts.core_constants import DESK_PARAMETERS, FOREVER, HOUR, WAD
from tests.stateful.desk_adversary import Adversary
from tests.stateful.desk_model import parameters
from tests.stateful.desk_world import DeskWorld

CUTOFF_S = DESK_PARAMETERS[18]
STEEP = {
    "vega_skew": WAD // 2,
    "gamma_skew": WAD // 10,
    "delta_skew": WAD // 20,
    "vega_limit": 10**5 * WAD,
}


@pytest.fixture(scope="module")
def world() -> DeskWorld:
    return DeskWorld()


@pytest.mark.parametrize("seed", range(12))
def test_quotes_are_the_models_to_the_wei(world: DeskWorld, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(12):
        legs = world.random_legs(draw, 6)
        assert world.quote(legs) == world.modelled(legs)[1]
        world.trade(world.who[0], legs)


@pytest.mark.parametrize("seed", range(3))
def test_no_plan_makes_money_at_constant_market(seed: int) -> None:
    world = DeskWorld()
    adversary = Adversary(world, seed)
    adversary.run(400)
    assert adversary.best is not None
    assert adversary.best < 0
    assert len(adversary.counts) == len(adversary.plans)


def test_nor_where_inventory_moves_the_price_a_lot(world: DeskWorld) -> None:
    """With little spread and steep skews a price that is not of one potential would show."""
    lean = DeskWorld()
    free = {
        "vol_spread": 0,
        "min_spread": 10**12,
        "latency_floor": 0,
        "taker_fee": 0,
        "hedge_fee": 0,
        "hedge_gas": 0,
    }
    lean.core.desk.setParameters(parameters(**free, **STEEP), {"from": lean.core.gov})
    lean.core.set_spot(2_000.0)
    Adversary(lean, 7).run(600)


def test_nor_in_the_last_minute_before_nothing_opens() -> None:
    world = DeskWorld()
    core = world.core
    core.warp(core.expiry(7) - CUTOFF_S - HOUR - 100)
    world.commit(0.75)
    core.warp(core.expiry(7) - CUTOFF_S - 30)
    core.set_spot(2_000.0, pool_usd=1_997.0)
    world.commit(0.76)
    Adversary(world, 3).run(250)


def test_after_the_cutoff_what_is_held_can_still_be_given_back() -> None:
    """I-07: until the expiry, at the rule for closing."""
    world = DeskWorld()
    core, series, who = world.core, world.series[0], world.who[0]
    assert world.trade(who, [(series, 5 * WAD)]) is not None
    core.warp(core.expiry(7) - 30)
    assert world.trade(who, [(series, WAD)]) is None
    assert world.trade(who, [(series, -5 * WAD - 1)]) is None, "across zero is opening"
    core.desk.trade([(series, -5 * WAD)], 2**200, FOREVER, {"from": who})
    assert world.held()[who] == {}
