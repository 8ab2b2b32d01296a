"""Structured logs that cannot carry personal data: only keys on a closed list leave, whatever a caller writes.

Ids, codes, counts and names of logs; never a name, a birth date, a document number or free text.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, cast

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "party", "partner", "origin", "size", "count", "code", "kind", "method", "status", "seconds",
        "address", "error",
    }
)  # fmt: skip


def drop_unlisted(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every key that is not on the list, and say that it was replaced."""
    return {key: value if key in ALLOWED else "withheld" for key, value in event.items()}


def configure_logging(*, json: bool) -> None:
    """Write logs to standard error, as JSON lines or for a person's eyes. Call once, at start."""
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            drop_unlisted,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger() -> structlog.typing.FilteringBoundLogger:
    """The node's logger."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger())
