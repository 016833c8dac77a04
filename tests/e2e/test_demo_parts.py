"""The tape, the books and the checks of the replay, without a chain."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from keeper.errors import ConfigError
from scripts.replay.result import _failures
from scripts.replay.scenario import (
    ScenarioParameters,
    build_tape,
    ladder,
    nearest_strike,
    next_expiry,
)

MONDAY = 1_583_712_000  # 2020-03-09 00:00 UTC
FRIDAY_0800 = 1_584_086_400
HOUR = 3600
P = ScenarioParameters()


def test_expiries_are_fridays_at_eight() -> None:
    assert next_expiry(MONDAY, 12 * HOUR) == FRIDAY_0800
    assert next_expiry(FRIDAY_0800 - 12 * HOUR, 12 * HOUR) == FRIDAY_0800
    assert next_expiry(FRIDAY_0800 - 12 * HOUR + 1, 12 * HOUR) == FRIDAY_0800 + 7 * 24 * HOUR
    assert next_expiry(FRIDAY_0800, 0) == FRIDAY_0800


def test_a_week_lists_settles_lists_again_and_closes() -> None:
    tape = build_tape(MONDAY, 168, P)
    assert [s.hour for s in tape] == list(range(168))
    assert tape[0].time_s == MONDAY + HOUR
    assert [s.hour for s in tape if s.list_new] == [0, 103]
    (settling,) = (s for s in tape if s.settle_s is not None)
    assert (settling.time_s, settling.settle_s) == (FRIDAY_0800, FRIDAY_0800)
    assert [s.hour for s in tape if s.close_out] == [167]
    assert sorted(i for s in tape for i in s.deposits) == [0, 1, 2]
    actors = {(w.actor, w.is_call, w.size_eth > 0) for s in tape for w in s.wishes}
    assert actors == {
        ("buyer", True, True),
        ("buyer", False, True),
        ("seller", True, False),
        ("seller", False, False),
    }


def test_nothing_is_traded_that_the_desk_would_refuse() -> None:
    for start_h in range(0, 168, 5):
        for hours in (6, 7, 24, 31, 104):
            tape = build_tape(MONDAY + start_h * HOUR, hours, P)
            (closing,) = (s for s in tape if s.close_out)
            listed_at = None
            for step in tape:
                if step.settle_s is not None:
                    listed_at = None
                listed_at = step.hour if step.list_new else listed_at
                if step.wishes or (step.close_out and listed_at is not None):
                    assert listed_at is not None
                    assert step.expiry_s - step.time_s > P.cutoff_h * HOUR
                if step.hour > closing.hour:
                    assert not step.wishes
                    assert not step.list_new
            # What is open after the close has expired before the end, or cannot be: all is settled or closed.
            assert all(s.settle_s is None or s.hour != 0 for s in tape)


def test_the_tape_is_the_same_every_time_and_follows_its_seed() -> None:
    assert build_tape(MONDAY, 168, P) == build_tape(MONDAY, 168, P)
    other = dataclasses.replace(P, seed=P.seed + 1)
    assert build_tape(MONDAY, 168, P) != build_tape(MONDAY, 168, other)


def test_scenarios_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 6 hours"):
        build_tape(MONDAY, 5, P)
    with pytest.raises(ConfigError, match="at most 32 series"):
        dataclasses.replace(P, strikes=tuple(0.5 + i / 20 for i in range(17)))
    with pytest.raises(ConfigError, match="each deposit needs its hour"):
        dataclasses.replace(P, deposit_hours=(0,))


@pytest.mark.parametrize("spot", [0.9, 7.3, 108.0, 199.68, 3_412.55, 64_000.0])
def test_ladders_surround_spot_with_distinct_round_strikes(spot: float) -> None:
    strikes = ladder(spot, P.strikes)
    assert len(strikes) == len(P.strikes)
    assert strikes == sorted(strikes)
    assert strikes[0] < spot < strikes[-1]
    assert abs(nearest_strike(spot, strikes) / spot - 1) < 0.04
    assert all(round(strike, 8) == strike for strike in strikes)


GOOD = {
    "hours": 168,
    "rebalances": 80,
    "failed_transactions": 0,
    "skipped_ticks": [],
    "max_abs_delta_after_rebalance_eth": 0.5,
    "band_eth": 2.0,
    "rms_net_delta_hedged_eth": 10.0,
    "rms_net_delta_unhedged_eth": 100.0,
    "hedged_pnl_std_usd": 50.0,
    "unhedged_pnl_std_usd": 900.0,
    "attribution": {"residual_share": 1e-9},
    "solvent": True,
}


def replay(**series: list[str]) -> SimpleNamespace:
    return SimpleNamespace(
        request=SimpleNamespace(hours=168),
        world=SimpleNamespace(chain=SimpleNamespace(failed=["OptionDesk.trade reverted: x"])),
        series=SimpleNamespace(insolvent=series.get("insolvent", [])),
        operators=SimpleNamespace(factors={FRIDAY_0800: series.get("factor", 10**18)}),
        depositors=SimpleNamespace(amounts=[1, 2], paid=series.get("paid", {0: 5, 1: 6}), supply=0),
    )


def test_a_good_replay_passes_every_check() -> None:
    assert _failures(replay(), GOOD) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hours": 167}, "167 of 168 hours"),
        ({"rebalances": 0}, "never hedged"),
        ({"failed_transactions": 1}, "OptionDesk.trade reverted"),
        ({"skipped_ticks": ["block 7: denied"]}, "block 7: denied"),
        ({"max_abs_delta_after_rebalance_eth": 2.0001}, "the band is 2 ETH"),
        ({"rms_net_delta_hedged_eth": 25.01}, "more than 0.25"),
        ({"hedged_pnl_std_usd": 900.0}, "varies by"),
        ({"attribution": {"residual_share": 0.0101}}, "not explained"),
        ({"solvent": False}, "not solvent"),
    ],
)
def test_each_check_fails_on_its_own(change: dict, message: str) -> None:
    (failure,) = _failures(replay(), GOOD | change)
    assert message in failure


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"insolvent": ["hour 3: recorded USDC"]}, "hour 3: recorded USDC"),
        ({"factor": 10**18 - 1}, "pays only"),
        ({"paid": {0: 5}}, "depositors [1] were not paid"),
    ],
)
def test_insolvency_says_what_is_broken(fault: dict, message: str) -> None:
    (failure,) = _failures(replay(**fault), GOOD | {"solvent": False})
    assert message in failure
