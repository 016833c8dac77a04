"""What a person sees while a replay runs, and at its end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from keeper.report.record import HourRow

PLAIN_EVERY_H = 24


class Display:
    """A bar with a live line on a terminal, a line a day elsewhere."""

    def __init__(self, hours: int) -> None:
        self.console = Console(soft_wrap=True)
        self._hours = hours
        self._done = 0
        self._bar = Progress(
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task("deploying", total=hours)

    def __enter__(self) -> Display:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """A line above the bar."""
        self.console.print(line, highlight=False)

    def hour(self, row: HourRow, did: str) -> None:
        """One hour is over."""
        self._done += 1
        moment = dt.datetime.fromtimestamp(row.timestamp_s, dt.UTC)
        line = (
            f"{moment:%a %d %b %H:%M}  spot {row.spot_usd:,.2f}  delta {row.delta_hedged_eth:+.2f} -> "
            f"{row.delta_after_eth:+.2f} ETH  {did}"
        )
        self._bar.update(self._task, advance=1, description=line)
        if self._bar.disable and (
            self._done % PLAIN_EVERY_H == 0 or self._done in (1, self._hours)
        ):
            self.say(f"{self._done}/{self._hours}  {line}")

    def table(self, figures: Mapping[str, str]) -> None:
        """The figures at the end."""
        shown = Table(show_header=False)
        for name, value in figures.items():
            shown.add_row(name, value)
        self.console.print(shown)
