"""The tick: what leads to a send and what does not, and a record from which each decision can be taken again."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from eth_abi import decode

from keeper.chain.bindings import binding
from keeper.errors import DataError, Halt, Retry, SkipTick
from keeper.execution.records import Outcome, OutcomeKind
from keeper.models import OracleState, Snapshot
from keeper.runtime.codec import digest, from_json, to_json
from keeper.runtime.replay import replay
from keeper.runtime.tick_records import Inputs
from keeper.units import GWEI
from tests.keeper.keeper_builders import AAVE, NOW_S, UNISWAP, snapshot
from tests.keeper.runtime_world import RULES, agreed, fakes


@pytest.fixture
def world(tmp_path):
    return fakes(tmp_path)


def decoded(job):
    """(orders, limits) of the calldata."""
    entry = binding("HedgeManager").functions["rebalance"]

    assert job.data[:4] == entry.key
    return decode(entry.types, job.data[4:])


def test_a_delta_outside_the_band_is_hedged(world):
    result = world.tick.run()
    assert result.outcome.kind is OutcomeKind.MINED_SUCCESS
    (job,) = world.sender.jobs
    orders, limits = decoded(job)
    total = sum(base for _, base, _, _ in orders) / 1e18
    assert total == pytest.approx(-result.inputs.book.delta_eth, rel=1e-5)
    assert limits == (1, NOW_S + 5 + 180, 500 * GWEI, bytes.fromhex(job.work_id[2:]))
    assert (job.block_number, job.deadline_s) == (100, NOW_S + 185)


def test_a_delta_inside_the_band_is_left_alone(tmp_path):
    flat = fakes(tmp_path, agreed(legs=(), base_eth=3.5))
    result = flat.tick.run()
    assert result.outcome.kind is OutcomeKind.NOTHING
    assert not flat.sender.jobs
    assert "inside the band" in result.outcome.detail


def test_a_plan_too_small_for_any_venue_says_so(tmp_path):
    world = fakes(tmp_path, agreed(legs=(), base_eth=4.02))
    tick = replace(world.tick, rules=replace(RULES, orders=replace(RULES.orders, min_clip_eth=5.0)))
    outcome = tick.run().outcome
    assert outcome.kind is OutcomeKind.NOTHING
    assert "under the smallest clip" in outcome.detail


@pytest.mark.parametrize(
    ("changes", "guard"),
    [
        ({"oracle_state": OracleState.STALE}, "oracle_state"),
        ({"chain_delta_eth": 40.0}, "delta_agrees"),
        ({"base_fee_wei": 501 * GWEI}, "base_fee_cap"),
        ({"keeper_balance_wei": 0}, "keeper_balance"),
        ({"timestamp_s": NOW_S - 100}, "snapshot_age"),
    ],
)
def test_a_guard_refuses_and_nothing_is_sent(tmp_path, changes, guard):
    world = fakes(tmp_path, agreed(**changes))
    result = world.tick.run()
    assert result.outcome.kind is OutcomeKind.DENIED
    assert guard in result.outcome.detail
    assert not world.sender.jobs


def test_low_venue_health_is_mended_even_inside_the_band(tmp_path):
    weak = replace(AAVE, health=1.25)
    world = fakes(tmp_path, agreed(legs=(), base_eth=3.0, venues=(UNISWAP, weak)))
    world.tick.run()
    orders, _ = decoded(world.sender.jobs[0])
    assert [(venue, base) for venue, base, _, _ in orders] == [(weak.address, 0)]


def test_a_refused_send_is_recorded_as_denied(world):
    world.sender.outcome = SkipTick("HedgeManager.rebalance reverts with DeltaOvershoot()")
    result = world.tick.run()
    assert result.outcome.kind is OutcomeKind.DENIED
    (decision,) = world.journal.decisions(1)
    assert "DeltaOvershoot" in decision.outcome


@pytest.mark.parametrize("error", [Retry("gone"), Halt("broken")])
def test_other_errors_leave_the_tick(world, error):
    world.sender.outcome = error
    with pytest.raises(type(error)):
        world.tick.run()


def test_recovery_comes_before_the_snapshot(world):
    order = []
    world.sender.reconcile = lambda: order.append("reconcile") or []
    state = world.reader.state
    world.reader.snapshot = lambda: order.append("snapshot") or state
    world.tick.run()
    assert order == ["reconcile", "snapshot"]


def test_recovered_outcomes_are_passed_on(world):
    world.sender.recovered = [Outcome(OutcomeKind.REPLACED, "a no-op took its place")]
    assert world.tick.run().recovered[0].kind is OutcomeKind.REPLACED


def test_the_same_decision_has_the_same_work_id_and_another_one_not(tmp_path):
    world = fakes(tmp_path)
    world.tick.run()
    world.tick.run()
    world.reader.state = agreed(block_number=101)
    world.tick.run()
    first, second, third = (job.work_id for job in world.sender.jobs)
    assert first == second != third


def test_the_record_says_where_the_forecast_comes_from(world):
    world.tick.run()
    (decision,) = world.journal.decisions(1)
    assert from_json(Inputs, decision.inputs).forecast_source == "a test"


def test_every_kind_of_tick_is_recorded_and_replays_bit_for_bit(tmp_path):
    world = fakes(tmp_path)
    for state in (
        agreed(),
        agreed(legs=()),
        agreed(oracle_state=OracleState.STALE, spot_usd=1 / 3),
    ):
        world.reader.state = state
        world.tick.run()
    decisions = world.journal.decisions(10)
    assert len(decisions) == 3
    assert all(replay(d).same for d in decisions)
    assert from_json(Inputs, decisions[0].inputs).snapshot == state


@pytest.mark.parametrize("column", ["plan", "inputs"])
def test_a_replay_sees_one_changed_bit(tmp_path, column):
    world = fakes(tmp_path)
    result = world.tick.run()
    (decision,) = world.journal.decisions(1)
    if column == "plan":
        bent = math.nextafter(result.plan.trade_eth, 0.0)
        decision.plan = to_json(replace(result.plan, trade_eth=bent))
    else:
        bent_book = replace(
            result.inputs.book, vega_usd=math.nextafter(result.inputs.book.vega_usd, 0)
        )
        decision.inputs = to_json(replace(result.inputs, book=bent_book))
    assert not replay(decision).same


@pytest.mark.parametrize(
    "text", ['{"name":"nothing","parameters":{}}', "{}", '{"name":"delta_band"}x']
)
def test_a_record_of_an_unknown_policy(world, text):
    world.tick.run()
    (decision,) = world.journal.decisions(1)
    decision.policy = text
    with pytest.raises((DataError, Halt)):
        replay(decision)


def test_snapshots_survive_json_exactly():
    state = snapshot(
        spot_usd=0.1 + 0.2, keeper_balance_wei=2**200 + 1, settlement_prices_usd=((1, 1 / 3),)
    )
    again = from_json(Snapshot, to_json(state))
    assert again == state
    assert digest(again) == digest(state)
    assert math.isinf(again.venues[0].health)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("spot_usd"), "missing .*spot_usd"),
        (lambda t: t.update(extra=1), "unknown .*extra"),
        (lambda t: t.update(spot_usd="190"), "Snapshot.spot_usd: '190' is not a number"),
        (lambda t: t.update(spot_usd=True), "Snapshot.spot_usd: True is not a number"),
        (lambda t: t.update(chain_id=True), "Snapshot.chain_id"),
        (lambda t: t.update(legs={}), r"Snapshot.legs"),
        (lambda t: t["legs"][0].update(size=None), r"Snapshot.legs\[0\].size"),
    ],
)
def test_a_record_that_does_not_fit_is_named(change, message):
    tree = json.loads(to_json(snapshot()))
    change(tree)
    with pytest.raises(DataError, match=message):
        from_json(Snapshot, json.dumps(tree))


def test_nan_is_never_stored():
    with pytest.raises(ValueError, match="JSON"):
        to_json(snapshot(spot_usd=math.nan))
