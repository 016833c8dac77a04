"""Tells people, by Apprise. A message that cannot be delivered is logged and never stops a tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog


class Alerts(Protocol):
    """Where alerts go."""

    def send(self, title: str, body: str) -> None:
        """Delivers, or logs that it could not."""
        ...


class AppriseAlerts:
    """All configured services; none is silence."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)

    def send(self, title: str, body: str) -> None:
        """Delivers to every service."""
        if not self._urls:
            return
        import apprise

        services = apprise.Apprise()
        log = structlog.get_logger("alerts")
        for position, url in enumerate(self._urls):
            if not services.add(url):
                log.warning("alert url unknown to Apprise", position=position)
        try:
            delivered = services.notify(title=title, body=body)
        except (OSError, TypeError, ValueError) as error:
            log.warning("alert failed", error=type(error).__name__)
            return
        if not delivered:
            log.warning("alert not delivered", title=title)
