"""Large hedges in slices: what cuts them, what forbids it, how it goes on, and that the desk does not chase itself."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import pytest

from keeper.execution.costs import impact_of
from keeper.execution.database import open_database
from keeper.execution.journal import Journal
from keeper.execution.records import OutcomeKind
from keeper.execution.routing_terms import OrderRules
from keeper.models import Book, Costs, Forecast, LiquidityBand, Plan, PoolDepth, Snapshot
from keeper.policies.schedule import SlicingRules
from keeper.policies.slicing import Programme, Slicing, slice_plan
from keeper.portfolio.book import value_book
from keeper.runtime.codec import from_json, to_json
from keeper.runtime.replay import replay
from tests.keeper.keeper_builders import AAVE, NOW_S, RULES, UNISWAP, leg, snapshot
from tests.keeper.runtime_world import RULES as TICK_RULES
from tests.keeper.runtime_world import fakes

ORDERS = OrderRules(0.05, None)
SLICES = SlicingRules(step_s=60, max_steps=8, risk_aversion=20.0)
KNOWN = Programme(recovered=0.8)
FORECAST = Forecast(0.8, 86_400)
CHEAP = Costs(0.2, 0.0005)
POOL = replace(UNISWAP, pool="0xp")
CALM = Book(0.0, 0.0, 0.0, -1e-4, 0.0, 0.0)
WILD = Book(0.0, 0.0, 0.0, -50.0, 0.0, 0.0)


def thin(liquidity: float = 1.5e5, price: float = 190.0, **changes) -> Snapshot:
    depth = PoolDepth("0xp", price, 0.0005, (LiquidityBand(120.0, 300.0, liquidity),))
    rules = replace(RULES, max_slippage=0.03)
    given = {"cash_usd": 1e6, "base_eth": 100.0, "venues": (POOL,), "pool_price_usd": price}
    return snapshot(**{"depths": (depth,), "rules": rules} | given | changes)


def wish(eth: float) -> Plan:
    return Plan(eth, "delta is outside", 5.0, 0.0)


def cut(eth: float, state: Snapshot, book: Book = CALM, known: Programme = KNOWN, rules=SLICES):
    slicing = Slicing(rules, known, impact_of(eth, state, ORDERS))
    return slice_plan(wish(eth), state, book, FORECAST, CHEAP, slicing)


def test_the_slope_of_the_price_is_that_of_the_pool():
    """P = s^2 with s = sqrt(P): dP/dx = 2 P^1.5 / L, fee aside."""
    assert impact_of(5.0, thin(), ORDERS) == pytest.approx(2 * 190.0**1.5 / 1.5e5, rel=0.01)
    assert impact_of(0.05, thin(), ORDERS) == 0.0
    assert impact_of(5.0, snapshot(venues=(POOL,), cash_usd=0.0), ORDERS) == 0.0


def test_a_large_hedge_in_a_thin_pool_is_sliced():
    plan, later = cut(60.0, thin())
    assert 5.0 < plan.trade_eth < 30.0
    assert plan.diagnostics["wanted_eth"] == 60.0
    assert (later.side, later.sliced_at_s) == (1, NOW_S)
    assert later.ends_at_s > NOW_S
    assert "to come" in plan.reason


@pytest.mark.parametrize(
    ("eth", "state", "book", "rules"),
    [
        (0.4, thin(), CALM, SLICES),  # small
        (60.0, thin(1e9), CALM, SLICES),  # the pool is deep
        (60.0, thin(), WILD, SLICES),  # gamma does not wait
        (60.0, thin(), CALM, SlicingRules(max_steps=1)),
        (60.0, thin(), CALM, SlicingRules(permanent=1.0)),  # nothing comes back
    ],
    ids=["small", "deep", "gamma", "switched off", "no recovery"],
)
def test_otherwise_everything_goes_at_once(eth, state, book, rules):
    if rules.permanent == 1.0:
        rules = rules.model_copy(update={"own_move": 1e9})
    plan, later = cut(eth, state, book, rules=rules)
    assert (plan.trade_eth, later.side) == (eth, 0)


def test_the_rest_follows_by_steps_and_ends_on_time():
    state, known, left, traded = thin(), KNOWN, 60.0, []
    for tick in range(40):
        now = replace(state, timestamp_s=NOW_S + 20 * tick)
        plan, known = cut(left, now, known=known) if left > 1e-9 else (wish(0.0), known)
        if plan.trade_eth:
            traded.append((20 * tick, plan.trade_eth))
            left -= plan.trade_eth
        if left < 1e-9:
            break
    times = [t for t, _ in traded]
    assert len(traded) >= 3
    assert all(b - a >= 60 for a, b in itertools.pairwise(times))
    assert times[-1] <= 60 * (SLICES.max_steps - 1)
    assert sum(eth for _, eth in traded) == pytest.approx(60.0)


def test_a_slice_that_was_missed_is_made_up_for_by_the_end():
    _, known = cut(60.0, thin())
    late = replace(thin(), timestamp_s=known.ends_at_s)
    plan, later = cut(50.0, late, known=known)
    assert (plan.trade_eth, later.side) == (50.0, 0)


def test_a_plan_that_turns_starts_a_schedule_of_its_own():
    _, known = cut(60.0, thin())
    plan, later = cut(-60.0, replace(thin(), timestamp_s=NOW_S + 5), known=known)
    assert plan.trade_eth < 0.0
    assert later.side == -1
    assert (
        slice_plan(wish(0.0), thin(), CALM, FORECAST, CHEAP, Slicing(SLICES, known, 0.0))[1].side
        == 0
    )


def test_gamma_that_grew_ends_the_waiting():
    _, known = cut(60.0, thin())
    plan, _ = cut(45.0, replace(thin(), timestamp_s=NOW_S + 5), WILD, known)
    assert plan.trade_eth == 45.0


def test_recovery_is_measured_from_what_the_pool_did():
    plan, known = cut(60.0, thin())
    push = plan.trade_eth * impact_of(60.0, thin(), ORDERS)
    assert known.push_usd == pytest.approx(push)
    stuck, back = (thin(price=190.0 + push * share, timestamp_s=NOW_S + 60) for share in (1.0, 0.0))
    assert cut(40.0, stuck, known=known)[1].recovered == pytest.approx(0.7 * 0.8)
    assert cut(40.0, back, known=known)[1].recovered == pytest.approx(0.7 * 0.8 + 0.3)
    assert cut(40.0, replace(back, timestamp_s=NOW_S + 30), known=known)[1].recovered == 0.8


# ------------------------------------------------------------ the tick and its journal


def test_a_restart_continues(tmp_path):
    """The programme is written with the intent; the next process waits for its step and goes on to the same end."""
    book = (leg(200.0, -200.0), leg(230.0, -50.0))
    base = thin(legs=book, base_eth=40.0)
    state = replace(base, chain_delta_eth=value_book(base).delta_eth)
    slicing = SLICES.model_copy(update={"gamma_drift": 1e6})
    world = fakes(tmp_path, state)
    tick = replace(world.tick, rules=replace(TICK_RULES, slicing=slicing, gas_per_rebalance=50_000))
    first = tick.run()
    assert first.outcome.kind is OutcomeKind.MINED_SUCCESS
    wanted = first.plan.diagnostics["wanted_eth"]
    assert 0.0 < first.plan.trade_eth < wanted
    (job,) = world.sender.jobs
    stored = from_json(Programme, job.programme)
    # The sender is a fake: the journal's own part of it is `record_intent`.
    world.journal.save_programme(job.key, job.programme)

    again = Journal(open_database(f"sqlite:///{tmp_path / 'j.sqlite'}"), "31337:0x00", lambda: 0)
    assert from_json(Programme, again.programme(job.key)) == stored
    restarted = replace(tick, journal=again)
    waiting = restarted.run()
    assert waiting.outcome.kind is OutcomeKind.NOTHING
    assert "next slice is due" in waiting.outcome.detail
    world.reader.state = replace(state, timestamp_s=NOW_S + 60)
    world.clock.at = NOW_S + 65
    second = restarted.run()
    assert second.plan.trade_eth > 0.0
    assert from_json(Programme, world.sender.jobs[-1].programme).ends_at_s == stored.ends_at_s
    assert all(replay(decision).same for decision in again.decisions(9))


# ------------------------------------------------------------ the loop of push and gamma


@dataclass
class Loop:
    """A pool with arbitrage, and a short-gamma book whose delta answers the price that the desk itself moves."""

    gamma: float
    delta: float
    fair: float = 190.0
    pool: float = 190.0
    top: float = 190.0

    def trade(self, eth: float, impact: float) -> None:
        before = self.pool
        self.pool += impact * eth
        self.fair += 0.1 * (self.pool - before)
        self.top = max(self.top, self.pool)
        self.delta += eth
        self.answer(0.1 * (self.pool - before))

    def answer(self, move: float) -> None:
        self.delta += self.gamma * move

    def pass_step(self) -> None:
        self.pool = self.fair + 0.2 * (self.pool - self.fair)


def chase(rules: SlicingRules) -> Loop:
    loop, known = Loop(gamma=-0.5, delta=-60.0), KNOWN
    for step in range(12):
        state = replace(thin(price=loop.pool), timestamp_s=NOW_S + 60 * step, spot_usd=loop.fair)
        if abs(loop.delta) < 0.5:
            break
        book = replace(CALM, gamma_eth_per_usd=loop.gamma)
        impact = impact_of(-loop.delta, state, ORDERS)
        calm = rules.model_copy(update={"gamma_drift": 1e6})
        plan, known = slice_plan(
            wish(-loop.delta), state, book, FORECAST, CHEAP, Slicing(calm, known, impact)
        )
        loop.trade(plan.trade_eth, impact)
        loop.pass_step()
    return loop


def test_the_desk_does_not_feed_the_move_that_it_hedges():
    """In slices the price never gets half as far away as at once, and the delta still ends hedged."""
    sliced, at_once = chase(SLICES), chase(SlicingRules(max_steps=1))
    assert abs(sliced.delta) < 0.5
    assert abs(at_once.delta) < 0.5
    assert sliced.top - 190.0 < 0.5 * (at_once.top - 190.0)
    assert sliced.fair <= at_once.fair + 1e-9


def test_a_slice_pushes_less_than_the_price_moves_by_itself():
    state = thin(8e4)
    rules = SlicingRules(max_steps=60, own_move=0.5, risk_aversion=0.0, gamma_drift=1e6)
    plan, _ = cut(60.0, state, rules=rules)
    deviation = 190.0 * 0.8 * math.sqrt(60 / 31_536_000)
    assert plan.trade_eth * impact_of(60.0, state, ORDERS) <= 0.5 * deviation * (1 + 1e-9)


def test_a_programme_is_text_and_back():
    known = cut(60.0, thin())[1]
    assert from_json(Programme, to_json(known)) == known


def test_a_venue_with_unknown_depth_is_traded_at_once():
    plan, _ = cut(60.0, snapshot(venues=(UNISWAP, AAVE), cash_usd=1e6))
    assert plan.trade_eth == 60.0
