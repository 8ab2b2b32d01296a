"""The rows of the disclosure logs as a check reads them: undecoded."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

_LOGS: Final = (
    "SELECT id, CAST(origin AS BLOB), CAST(partner AS BLOB), outbound, generation, CAST(state AS BLOB), size, frontier, checkpoint "
    "FROM logs ORDER BY id"
)
_LENGTH: Final = "SELECT max(idx) FROM entries WHERE log_id = ?"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log as it is recorded."""

    id: int
    origin: str
    partner: str
    outbound: Any
    generation: Any
    state: str
    size: Any
    frontier: Any
    checkpoint: Any


def log_records(tx: Connection) -> list[LogRecord]:
    """Every log, oldest first. What is no UTF-8 in a text is replaced."""
    return [LogRecord(row[0], _text(row[1]), _text(row[2]), row[3], row[4], _text(row[5]), *row[6:]) for row in tx.exec_driver_sql(_LOGS)]


def log_length(tx: Connection, log_id: int) -> int:
    """One more than the highest index."""
    highest = tx.exec_driver_sql(_LENGTH, (log_id,)).scalar()
    return highest + 1 if isinstance(highest, int) else 0


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
