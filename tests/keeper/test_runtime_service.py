"""What surrounds a tick: figures, alerts, logs without secrets, and runs that did not happen."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from keeper.config import ScheduleConfig
from keeper.errors import ConfigError, Halt, Retry
from keeper.execution.records import HedgeTimes, Outcome, OutcomeKind
from keeper.runtime.alerts import AppriseAlerts
from keeper.runtime.logs import configure_logs, hide_secrets
from keeper.runtime.metrics import Metrics
from keeper.runtime.scheduler import add_tick, run_forever, trigger_of
from keeper.runtime.service import Service
from tests.keeper.keeper_builders import AAVE
from tests.keeper.runtime_world import agreed, fakes

WAIT_S = 20.0


class Told:
    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def send(self, title: str, body: str) -> None:
        self.messages.append((title, body))


@pytest.fixture(autouse=True)
def quiet():
    structlog.configure(processors=[lambda *_: (_ for _ in ()).throw(structlog.DropEvent)])
    yield
    structlog.reset_defaults()


def service_of(tick) -> Service:
    return Service(tick, Metrics(), Told())


def figure(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"gammadesk_{name}", labels)


def raising(error: Exception):
    def tick():
        raise error

    return tick


def test_figures_of_a_tick(tmp_path):
    world = fakes(tmp_path)
    service = service_of(world.tick.run)
    result = service.run()
    assert figure(service.metrics, "spot_usd") == 190.0
    assert figure(service.metrics, "net_delta_eth", source="own") == result.inputs.book.delta_eth
    assert (
        figure(service.metrics, "net_delta_eth", source="chain")
        == result.inputs.snapshot.chain_delta_eth
    )
    assert figure(service.metrics, "ticks_total", outcome="mined_success") == 1
    assert figure(service.metrics, "gas_used_total") == 500_000
    assert figure(service.metrics, "gas_paid_eth_total") == pytest.approx(0.001)
    assert figure(service.metrics, "venue_health", venue=AAVE.address) == 1.8


def test_an_error_is_counted_and_raised_and_the_next_tick_runs(tmp_path):
    world = fakes(tmp_path, Retry("gone"))
    service = service_of(world.tick.run)
    with pytest.raises(Retry):
        service.run()
    world.reader.state = fakes(tmp_path).reader.state
    service.run()
    assert figure(service.metrics, "tick_errors_total", error="Retry") == 1
    assert service.alerts.messages == []


def test_after_a_halt_nothing_runs_until_a_person_looked():
    calls = []
    service = service_of(lambda: calls.append(1) or raising(Halt("journal broken"))())
    for _ in range(2):
        with pytest.raises(Halt, match="journal broken"):
            service.run()
    assert len(calls) == 1
    assert service.alerts.messages == [("Gammadesk keeper halted", "journal broken")]


def test_an_error_nobody_thought_of_is_told():
    service = service_of(raising(ZeroDivisionError("x")))
    with pytest.raises(ZeroDivisionError):
        service.run()
    assert service.alerts.messages == [
        ("Gammadesk keeper: unexpected error", "ZeroDivisionError: x")
    ]


def test_a_lasting_state_is_told_once_and_each_recovery_always(tmp_path):
    world = fakes(tmp_path)
    world.sender.outcome = Outcome(OutcomeKind.UNRESOLVED, "waiting")
    service = service_of(world.tick.run)
    service.run()
    service.run()
    world.sender.recovered = [Outcome(OutcomeKind.MINED_REVERTED, "why")]
    service.run()
    world.sender.recovered, world.sender.outcome = [], Outcome(OutcomeKind.NOTHING)
    service.run()
    assert service.alerts.messages == [
        ("Gammadesk keeper: unresolved", "waiting"),
        ("Gammadesk keeper: mined_reverted", "why"),
    ]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
def test_an_alert_that_cannot_be_sent_stops_nothing():
    AppriseAlerts(("nonsense", "json://127.0.0.1:9/")).send("title", "body")
    AppriseAlerts(()).send("title", "body")


def test_secrets_are_blotted_out_however_deep():
    event = {
        "event": "connected to https://user:pw@node.example:8545/v3/abcdef?key=1",
        "password": "hunter2",
        "nested": {
            "api_key": "abc",
            "Secret": "x",
            "list": ["wss://h/token", {"privateKey": "0x1"}],
        },
        "tx": "0x" + "ab" * 32,
        "gas": 21_000,
    }
    hidden = hide_secrets(None, "info", event)
    shown = json.dumps(hidden)
    assert hidden["event"] == "connected to https://node.example:8545"
    assert not any(word in shown for word in ("hunter2", "abcdef", "pw", 'abc"', '0x1"', 'token"'))
    assert (hidden["tx"], hidden["gas"]) == ("0x" + "ab" * 32, 21_000)


@pytest.mark.parametrize("style", ["json", "console"])
def test_logs_go_to_standard_error_without_secrets(capsys, style):
    configure_logs(style)
    structlog.get_logger("x").info("hello", token="t0ps3cret", figure=3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "hello" in err
    assert "t0ps3cret" not in err
    if style == "json":
        assert json.loads(err)["figure"] == 3


def test_interval_and_cron_make_one_trigger():
    """The interval counts from the last run, whichever of the two made it."""
    trigger = trigger_of(ScheduleConfig(interval_s=3600.0, cron="5 8 * * *"))
    last = datetime(2020, 3, 12, 6, 30, tzinfo=UTC)
    fires = []
    for _ in range(4):
        last = trigger.get_next_fire_time(last, last + timedelta(seconds=1))
        fires.append(last.strftime("%H:%M"))
    assert fires == ["07:30", "08:05", "09:05", "10:05"]


def test_no_schedule_at_all():
    with pytest.raises(ConfigError, match="interval_s"):
        trigger_of(ScheduleConfig(interval_s=0.0))


def test_a_cron_that_is_none():
    with pytest.raises(ConfigError, match="cron"):
        trigger_of(ScheduleConfig(interval_s=0.0, cron="61 25 * * *"))


@pytest.fixture
def scheduler():
    made = BackgroundScheduler(executors={"default": ThreadPoolExecutor(2)}, timezone=UTC)
    yield made
    if made.running:
        made.shutdown(wait=True)


def test_a_late_run_is_counted_not_dropped_in_silence(scheduler):
    """Incident 20: past its grace a run does not happen; it must be seen that it did not."""
    metrics, missed, ran = Metrics(), threading.Event(), []
    schedule = ScheduleConfig(interval_s=3600.0, misfire_grace_s=5)
    add_tick(scheduler, lambda: ran.append(1), schedule, metrics)
    scheduler.add_listener(lambda _: missed.set(), EVENT_JOB_MISSED)
    scheduler.start(paused=True)
    scheduler.modify_job("tick", next_run_time=datetime.now(UTC) - timedelta(seconds=60))
    scheduler.resume()
    assert missed.wait(WAIT_S)
    assert figure(metrics, "missed_runs_total", why="late") == 1
    assert ran == []


def test_many_late_runs_within_grace_become_one(scheduler):
    done, ran = threading.Event(), []
    schedule = ScheduleConfig(interval_s=10.0, misfire_grace_s=3600)
    add_tick(scheduler, lambda: ran.append(1), schedule, Metrics())
    scheduler.add_listener(lambda _: done.set(), EVENT_JOB_EXECUTED)
    scheduler.start(paused=True)
    scheduler.modify_job("tick", next_run_time=datetime.now(UTC) - timedelta(seconds=55))
    scheduler.resume()
    assert done.wait(WAIT_S)
    assert ran == [1]


def test_two_ticks_never_run_at_once(scheduler):
    metrics, release, refused = Metrics(), threading.Event(), threading.Event()
    schedule, started = ScheduleConfig(interval_s=0.05, misfire_grace_s=60), []

    def tick():
        started.append(1)
        release.wait(WAIT_S)

    add_tick(scheduler, tick, schedule, metrics)
    scheduler.add_listener(lambda _: refused.set(), EVENT_JOB_MAX_INSTANCES)
    scheduler.start()
    assert refused.wait(WAIT_S)
    assert started == [1]
    release.set()
    assert figure(metrics, "missed_runs_total", why="still_running") >= 1


def test_running_for_ever_ends_with_a_halt():
    faults = iter([Retry("gone"), ZeroDivisionError("bug"), Halt("look at me")])

    def tick():
        raise next(faults)

    service = service_of(tick)
    halt = run_forever(service, ScheduleConfig(interval_s=0.01))
    assert str(halt) == "look at me"
    assert figure(service.metrics, "tick_errors_total", error="Retry") == 1


def test_a_margin_that_nears_its_threshold_is_told_once_a_step(tmp_path):
    world = fakes(tmp_path, agreed(equity_usd=14_000.0, maintenance_margin_usd=10_000.0))
    service = service_of(world.tick.run)
    for _ in range(2):
        service.run()
    assert figure(service.metrics, "margin_step") == 4
    assert figure(service.metrics, "margin_cover") == 1.4
    world.reader.state = agreed(equity_usd=12_000.0, maintenance_margin_usd=10_000.0)
    service.run()
    told = [title for title, _ in service.alerts.messages]
    assert told == ["Gammadesk keeper: margin, buy_back", "Gammadesk keeper: margin, stop_quoting"]


def test_the_times_of_a_sent_hedge_are_figures(tmp_path):
    world = fakes(tmp_path)
    service = service_of(world.tick.run)
    result = service.run()
    done = replace(result, times=HedgeTimes(1_000, 1_040, 2.0, 3.0, 4.0, 1_052))
    service.metrics.observe(done)
    for stage, seconds in (("read", 0.002), ("decide", 0.003), ("send", 0.004)):
        name = "hedge_machine_seconds_sum"
        assert figure(service.metrics, name, stage=stage) == pytest.approx(seconds)
    assert figure(service.metrics, "hedge_settlement_seconds_sum", since="round") == 52
    assert figure(service.metrics, "hedge_settlement_seconds_sum", since="head") == 12
