"""When ticks run: every so often, and at set times. A run that did not happen is counted and logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.events import (
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from keeper.config import ScheduleConfig
from keeper.errors import ConfigError, GammadeskError, Halt
from keeper.runtime.metrics import Metrics
from keeper.runtime.service import Service

JOB = "tick"
UPKEEP = "upkeep"
STANCES = "stances"


def trigger_of(schedule: ScheduleConfig) -> OrTrigger:
    """Interval and cron as one trigger, so that two ticks never overlap; the interval counts from the last run. UTC."""
    triggers: list[IntervalTrigger | CronTrigger] = []
    if schedule.interval_s:
        triggers.append(IntervalTrigger(seconds=schedule.interval_s, timezone=UTC))
    if schedule.cron:
        try:
            triggers.append(CronTrigger.from_crontab(schedule.cron, timezone=UTC))
        except ValueError as error:
            raise ConfigError(f"[schedule] cron = {schedule.cron!r}: {error}") from None
    if not triggers:
        raise ConfigError("[schedule] needs interval_s above 0, or cron")
    return OrTrigger(triggers)


def add_tick(
    scheduler: BaseScheduler, run: Callable[[], object], schedule: ScheduleConfig, metrics: Metrics
) -> None:
    """One job, never two at once, late runs merged into one; what is dropped is heard."""
    scheduler.add_job(
        run,
        trigger_of(schedule),
        id=JOB,
        misfire_grace_time=schedule.misfire_grace_s,
        coalesce=True,
        max_instances=1,
        next_run_time=datetime.now(UTC),
    )
    scheduler.add_listener(
        lambda event: count_missed(event, metrics), EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES
    )


def count_missed(event: JobEvent, metrics: Metrics) -> None:
    """A run came too late, or while the one before was still going."""
    why = "late" if event.code == EVENT_JOB_MISSED else "still_running"
    metrics.missed.labels(why).inc()
    structlog.get_logger("scheduler").warning("run missed", why=why, job=event.job_id)


def run_forever(
    service: Service,
    schedule: ScheduleConfig,
    others: Mapping[str, tuple[Callable[[], object], float]] | None = None,
) -> Halt | None:
    """Ticks, and between them `others` by name, each every so many seconds (0: never).

    Until interrupted or halted; returns the Halt.
    """
    # One thread: a tick and what is beside it never send at the same time.
    scheduler = BlockingScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone=UTC)

    def guarded(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except Halt as error:
                service.halted = service.halted or error
                scheduler.shutdown(wait=False)
            except GammadeskError:
                return  # logged and counted where it happened; the next run tries again

        return run

    add_tick(scheduler, guarded(service.run), schedule, service.metrics)
    for name, (work, interval_s) in (others or {}).items():
        if interval_s:
            add_other(scheduler, name, guarded(work), interval_s, schedule.misfire_grace_s)
    try:
        scheduler.start()
    except (KeyboardInterrupt, SystemExit):
        scheduler.shutdown(wait=True)
    return service.halted


def add_other(
    scheduler: BaseScheduler, name: str, run: Callable[[], object], interval_s: float, grace_s: int
) -> None:
    """As a tick: one at a time, late runs merged. The first comes after the first tick."""
    scheduler.add_job(
        run,
        IntervalTrigger(seconds=interval_s, timezone=UTC),
        id=name,
        misfire_grace_time=grace_s,
        coalesce=True,
        max_instances=1,
        next_run_time=datetime.now(UTC) + timedelta(seconds=1),
    )
