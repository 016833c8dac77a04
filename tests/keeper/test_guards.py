"""Each guard refuses exactly past its limit, says why and how to get out, and lets no NaN through."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from pydantic import ValidationError

from keeper.guards import ALL_GUARDS, GuardContext, checks, evaluate
from keeper.guards.records import GuardLimits
from keeper.models import Book, Costs, OracleState, Plan
from keeper.units import GWEI, WAD
from tests.keeper.keeper_builders import FAR_S, NEAR_S, NOW_S, RULES, leg, snapshot, svi_slice

LIMITS = GuardLimits(
    max_snapshot_age_s=60,
    max_clock_lead_s=15,
    max_oracle_age_s=4_000,
    max_surface_age_s=5_000,
    delta_tolerance_eth=0.01,
    min_budget_usd=100.0,
    min_keeper_balance_eth=0.02,
    max_trade_eth=50.0,
)


def context(*, plan_eth=10.0, delta=-10.0, now_s=NOW_S + 5, cap=100 * GWEI, costs=None, **changes):
    return GuardContext(
        snapshot=snapshot(**{"chain_delta_eth": delta, **changes}),
        book=Book(0.0, delta, 0.0, 0.0, 0.0, 0.0),
        plan=Plan(plan_eth, "test", 5.0, 0.0),
        costs=costs or Costs(5.0, 0.002),
        limits=LIMITS,
        max_base_fee_wei=cap,
        now_s=now_s,
    )


def test_a_healthy_desk_passes_them_all():
    verdict = evaluate(ALL_GUARDS, context())
    assert verdict.ok
    assert verdict.reasons == ()
    assert verdict.warnings == ()
    assert [c.guard for c in verdict.checks] == [g.__name__ for g in ALL_GUARDS]


# Guard, what just passes, what just does not.
EDGES = [
    (checks.snapshot_age, {"now_s": NOW_S + 60}, {"now_s": NOW_S + 61}),
    (checks.snapshot_age, {"now_s": NOW_S - 15}, {"now_s": NOW_S - 16}),
    *(
        (checks.oracle_state, {"oracle_state": state}, {"oracle_state": OracleState.STALE})
        for state in (OracleState.DEVIATING, OracleState.DEPEGGED, OracleState.SEQUENCER_DOWN)
    ),
    (
        checks.oracle_age,
        {"spot_updated_at_s": NOW_S + 5 - 4_000},
        {"spot_updated_at_s": NOW_S + 4 - 4_000},
    ),
    (
        checks.surface_age,
        {"surface_committed_at_s": NOW_S + 5 - 5_000},
        {"surface_committed_at_s": NOW_S + 4 - 5_000},
    ),
    (
        checks.surface_age,
        {"surface_committed_at_s": NOW_S - 5, "rules": replace(RULES, surface_max_age_s=10)},
        {"surface_committed_at_s": NOW_S - 6, "rules": replace(RULES, surface_max_age_s=10)},
    ),
    (checks.surface_age, {"legs": ()}, {"surface_committed_at_s": 0, "legs": ()}),
    (checks.surface_complete, {"slices": (svi_slice(FAR_S),)}, {"slices": (svi_slice(NEAR_S),)}),
    (checks.delta_agrees, {"chain_delta_eth": -9.9901}, {"chain_delta_eth": -9.9899}),
    (checks.delta_agrees, {"chain_delta_eth": -10.0099}, {"chain_delta_eth": 10.0}),
    # 10 ETH at 190 USD and 0.2 % cost 3.80 USD, and 100 USD must remain.
    (
        checks.budget_left,
        {"rules": replace(RULES, budget_left_usd=103.81)},
        {"rules": replace(RULES, budget_left_usd=103.79)},
    ),
    (checks.base_fee_cap, {"base_fee_wei": 100 * GWEI}, {"base_fee_wei": 100 * GWEI + 1}),
    (
        checks.keeper_balance,
        {"keeper_balance_wei": 2 * WAD // 100},
        {"keeper_balance_wei": 2 * WAD // 100 - 10**4},
    ),
    (checks.plan_size, {"plan_eth": -50.0}, {"plan_eth": -50.1}),
    (checks.plan_size, {"plan_eth": 50.0}, {"plan_eth": 50.1}),
]


@pytest.mark.parametrize(("guard", "passes", "fails"), EDGES)
def test_each_guard_at_its_edge(guard, passes, fails):
    assert guard(context(**passes)).ok
    refused = guard(context(**fails))
    assert not refused.ok
    assert refused.blocking
    assert refused.reason
    assert refused.way_out


def test_every_blocking_guard_has_an_edge_test():
    tested = {guard for guard, _, _ in EDGES}
    blocking = {g for g in ALL_GUARDS if g(context()).blocking}
    assert tested == blocking


@pytest.mark.parametrize(
    ("guard", "changes"),
    [
        (checks.delta_agrees, {"chain_delta_eth": math.nan}),
        (checks.delta_agrees, {"delta": math.nan}),
        (checks.budget_left, {"plan_eth": math.nan}),
        (checks.budget_left, {"costs": Costs(0.0, math.nan)}),
        (checks.budget_left, {"rules": replace(RULES, budget_left_usd=math.nan)}),
        (checks.plan_size, {"plan_eth": math.nan}),
        (checks.plan_size, {"plan_eth": math.inf}),
    ],
)
def test_what_is_no_number_refuses(guard, changes):
    assert not guard(context(**changes)).ok


def test_every_reason_is_known_at_once():
    """One bad thing never hides another."""
    verdict = evaluate(
        ALL_GUARDS,
        context(oracle_state=OracleState.STALE, base_fee_wei=500 * GWEI, plan_eth=60.0),
    )
    assert not verdict.ok
    assert [r.split(":")[0] for r in verdict.reasons] == [
        "oracle_state",
        "base_fee_cap",
        "plan_size",
    ]


def test_expired_legs_warn_and_do_not_stop_the_hedge():
    """Incident 7: a book with an expired leg must still be hedged."""
    expired = leg(200.0, -1.0, expiry_s=NOW_S - 14_400)
    verdict = evaluate(ALL_GUARDS, context(legs=(expired, leg(200.0, -1.0))))
    assert verdict.ok
    (warning,) = verdict.warnings
    assert warning.startswith("expired_legs: legs of expiries [1584000000]")
    (check,) = [c for c in verdict.checks if c.guard == "expired_legs"]
    assert check.age_s == 14_400


def test_an_expired_leg_needs_no_slice():
    expired = leg(200.0, -1.0, expiry_s=NOW_S - 14_400)
    assert checks.surface_complete(context(legs=(expired,), slices=())).ok


def test_ages_are_those_of_what_was_judged():
    ctx = context(now_s=NOW_S + 30, spot_updated_at_s=NOW_S - 100, surface_committed_at_s=NOW_S - 7)
    ages = {c.guard: c.age_s for c in evaluate(ALL_GUARDS, ctx).checks}
    assert (ages["snapshot_age"], ages["oracle_age"], ages["surface_age"]) == (30, 130, 37)


@pytest.mark.parametrize(
    "bad",
    [
        {"max_trade_eth": 0.0},
        {"max_snapshot_age_s": -1},
        {"delta_tolerance_eth": math.nan},
        {"max_trade_eth": "50"},
        {"max_traid_eth": 1.0},
    ],
)
def test_bad_limits_are_refused(bad):
    with pytest.raises(ValidationError):
        GuardLimits(**bad)
