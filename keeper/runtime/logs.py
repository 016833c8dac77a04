"""Structured logs: JSON for machines, columns for people, secrets for nobody."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

_SECRET = re.compile(r"password|passphrase|secret|private|token|mnemonic|api_?key", re.IGNORECASE)
# Node and alert URLs carry keys in user part, path or query: scheme and host are enough to know them by.
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)(?:[^\s/@]*@)?([^\s/?#'\"]*)[^\s'\"]*", re.IGNORECASE)


def configure_logs(style: Literal["json", "console"] = "console", level: str = "info") -> None:
    """Sets the process up once, at the start of a command; logs go to standard error."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def hide_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Values of telling names are blotted out, URLs cut to their host, however deep they lie."""
    return {key: _hidden(key, value) for key, value in event.items()}


def _hidden(key: str, value: Any) -> Any:
    if _SECRET.search(key):
        return "***"
    if isinstance(value, str):
        return _URL.sub(r"\1\2", value)
    if isinstance(value, dict):
        return {str(k): _hidden(str(k), v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(key, item) for item in value]
    return value
