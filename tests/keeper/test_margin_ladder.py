"""The price is driven towards the thresholds: what is done, and in which order."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from keeper.execution.margin_orders import collateral_orders, moves
from keeper.execution.routing_terms import OrderRules
from keeper.models import Snapshot, VenueKind, VenueState
from keeper.policies.margin_ladder import LadderRules, Step, margin_ladder
from keeper.units import from_wad
from tests.keeper.keeper_builders import AAVE, UNISWAP, snapshot

RULES = LadderRules()
RATIO = 2.0
THRESHOLD = 0.8
PERP = VenueState(
    "0x" + "66" * 20,
    VenueKind.PERP_SHORT,
    0.0,
    0.0,
    math.inf,
    0.001,
    collateral_ratio=0.25,
    cap_eth=3.0,
)


def at(spot: float, cash: float = 3_000.0, held: float = 4.0, perp: bool = True) -> Snapshot:
    """20 ETH owed on Aave with collateral for a price of 190, and margin that grows with the price."""
    owed, collateral = 20.0, RATIO * 20.0 * 190.0
    short = replace(
        AAVE,
        base_eth=-owed,
        quote_usd=collateral,
        health=collateral * THRESHOLD / (owed * spot),
        collateral_ratio=RATIO,
    )
    equity = cash + collateral + (held - owed) * spot
    return snapshot(
        spot_usd=spot,
        cash_usd=cash,
        base_eth=held,
        venues=(UNISWAP, short, PERP) if perp else (UNISWAP, short),
        equity_usd=equity,
        maintenance_margin_usd=1_500.0 + 25.0 * (spot - 190.0),
    )


def steps(state: Snapshot) -> list[Step]:
    return [action.step for action in margin_ladder(state, RULES).actions]


def test_far_from_every_threshold_nothing_is_done():
    assert margin_ladder(at(190.0), RULES).actions == ()
    assert margin_ladder(at(190.0), RULES).highest == 0


def test_the_steps_come_in_the_stated_order_as_the_price_rises():
    """None is taken before the one above it has been exhausted, and none is ever taken back on the way up."""
    first_seen: dict[Step, float] = {}
    last: set[Step] = set()
    for k in range(160):
        spot = 190.0 + k
        due = steps(at(spot))
        assert due == sorted(due, key=list(Step).index)
        for step in due:
            first_seen.setdefault(step, spot)
        assert last <= set(due), f"a step was dropped at {spot}"
        last = set(due)
    assert list(first_seen) == list(Step)
    begins = [first_seen[step] for step in Step]
    assert begins == sorted(begins)
    # All of it begins while the venue is still above its own threshold.
    assert at(begins[0]).venues[1].health > 1.2
    assert at(first_seen[Step.REDUCE]).venues[1].health > 1.0


def test_a_top_up_that_suffices_is_all():
    (action,) = margin_ladder(at(240.0, cash=50_000.0), RULES).actions
    assert action.step is Step.TOP_UP
    assert action.usd == pytest.approx(RATIO * 20.0 * (240.0 - 190.0))


def test_a_top_up_leaves_some_cash():
    top = margin_ladder(at(260.0, cash=1_000.0), RULES).actions[0]
    assert top.usd == pytest.approx(980.0)


def test_migration_frees_just_what_is_missing():
    """The venue's requirement after it: ratio x (20 - x) x P <= collateral - x P + top-up + what the perp leaves."""
    spot, cash = 240.0, 1_500.0
    ladder = margin_ladder(at(spot, cash=cash), RULES)
    top, move = ladder.actions[:2]
    assert (move.step, move.to) == (Step.MIGRATE, PERP.address)
    after = RATIO * (20.0 - move.eth) * spot - (RATIO * 20.0 * 190.0 - move.eth * spot)
    assert after + 0.25 * move.eth * spot == pytest.approx(top.usd)
    assert ladder.missing_usd == pytest.approx(0.0, abs=1e-9)


def test_without_another_venue_gross_is_reduced():
    ladder = margin_ladder(at(245.0, cash=1_500.0, held=1.0, perp=False), RULES)
    assert [a.step for a in ladder.actions] == [Step.TOP_UP, Step.REDUCE, Step.BUY_BACK, Step.STOP]
    reduce = ladder.actions[1]
    assert reduce.eth == 1.0, "all that is held, and it is not enough"
    assert ladder.missing_usd > 0.0


def test_a_venue_that_is_low_itself_takes_no_migration():
    state = at(245.0, cash=1_500.0)
    weak = replace(state, venues=(*state.venues[:2], replace(PERP, health=1.1, base_eth=-1.0)))
    assert not margin_ladder(weak, RULES).has(Step.MIGRATE)


@pytest.mark.parametrize(
    ("cover", "wanted"),
    [
        (2.0, []),
        (1.4, [Step.BUY_BACK]),
        (1.2, [Step.BUY_BACK, Step.STOP]),
        (-0.5, [Step.BUY_BACK, Step.STOP]),
    ],
)
def test_the_vaults_own_margin(cover, wanted):
    state = replace(at(190.0), equity_usd=1_000.0 * cover, maintenance_margin_usd=1_000.0)
    assert steps(state) == wanted


def test_margin_that_was_not_read_alarms_nobody():
    assert steps(replace(at(190.0), maintenance_margin_usd=0.0, equity_usd=-1.0)) == []


def test_a_venue_of_unknown_terms_is_topped_up_as_it_asks():
    """The order of size 0 restores the venue's own target: it knows better than we do."""
    state = at(245.0)
    blind = replace(state, venues=(UNISWAP, replace(state.venues[1], collateral_ratio=0.0)))
    assert steps(blind) == [Step.TOP_UP]


# ------------------------------------------------------------ as orders

ORDERS = OrderRules(0.05, None)


def orders(state: Snapshot) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    ladder = margin_ladder(state, RULES)
    return tuple(
        [(o.venue, round(from_wad(o.base_wad), 6)) for o in made(ladder, state, ORDERS)]
        for made in (collateral_orders, moves)
    )


def test_collateral_that_cash_covers_is_one_order_and_no_move():
    assert orders(at(240.0, cash=50_000.0)) == ([(AAVE.address, 0.0)], [])


def test_collateral_that_cash_does_not_cover_is_not_asked_for():
    """The venue takes its whole target or refuses; it is asked again once its debt is smaller."""
    topped, moved = orders(at(270.0))
    assert topped == []
    assert [venue for venue, _ in moved] == [AAVE.address, PERP.address]
    assert sum(eth for _, eth in moved) == 0.0
    assert moved[0][1] > 0.0


def test_a_reduction_sells_what_is_held_first():
    state = at(245.0, cash=1_500.0, perp=False)
    _, moved = orders(state)
    assert [venue for venue, _ in moved] == [UNISWAP.address, AAVE.address]
    assert moved[0][1] == -moved[1][1] < 0.0
