"""Lives of the long search in the suite: longer than those that hypothesis draws, each without some of the rules.

Planted bugs are looked for here too, in STATEFUL_LIVES lives. What a name stands for changes with the rules, so a life
that fails becomes a test of its own.
"""

import os

import pytest

from keeper.portfolio.margin_shadow import ChainPortfolio
from tests.contracts.core_constants import UNDERLYING, WAD
from tests.stateful.clearing_world import SECOND, World
from tests.stateful.random_life import STEPS_OF_A_LIFE, live

SEED = 3
LIVES = int(os.environ.get("STATEFUL_LIVES", "4"))


@pytest.mark.parametrize("number", range(LIVES))
def test_lives_to_its_end(number: int) -> None:
    lived = live(f"{SEED}-{number}")
    assert not lived.failure, lived.failure
    assert lived.counts["steps"] == STEPS_OF_A_LIFE


def test_the_shadow_asks_no_feed_that_the_margin_does_not_need() -> None:
    """A portfolio without WETH does not depend on its price, and the feed may be dead."""
    world = World.new(1)
    leg = (world.core.series(1, 30_000, True, SECOND), WAD)
    world.feeds[UNDERLYING].setBroken(True, {"from": world.core.gov})
    portfolio = ChainPortfolio(UNDERLYING, cash=WAD, base=0, hedges=(), legs=(leg,))
    assert world.marks.margin(portfolio)[0] > WAD
    assert world.marks.compared == 1
