"""The kept checkpoints as a check reads them: undecoded."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

_COLUMNS: Final = "CAST(origin AS BLOB), size, note"
_AFTER: Final = f"SELECT {_COLUMNS} FROM journal_checkpoints WHERE (origin, size) > (?, ?) ORDER BY origin, size LIMIT ?"  # noqa: S608  no input
_BETWEEN: Final = f"SELECT {_COLUMNS} FROM journal_checkpoints WHERE origin = ? AND size > ? AND size <= ? ORDER BY size"  # noqa: S608  no input
_COSIGNED: Final = f"SELECT {_COLUMNS}, root FROM witnessed ORDER BY origin"  # noqa: S608  no input


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A checkpoint of a journal, ours or one that we cosigned."""

    origin: str
    size: int
    note: Any
    root: Any = b""
    """Of those that we cosigned."""


def checkpoints_after(tx: Connection, last: KeptCheckpoint | None, limit: int) -> list[KeptCheckpoint]:
    """The kept checkpoints of our journals that follow `last`, by journal and size."""
    place = (last.origin, last.size) if last else ("", -1)
    return [_kept(row) for row in tx.exec_driver_sql(_AFTER, (*place, limit))]


def checkpoints_between(tx: Connection, origin: str, start: int, end: int) -> list[KeptCheckpoint]:
    """Those of one journal above `start` up to, and with, `end`."""
    return [_kept(row) for row in tx.exec_driver_sql(_BETWEEN, (origin, start, end))]


def cosigned_journals(tx: Connection) -> list[KeptCheckpoint]:
    """The newest checkpoint of each partner's journal that we cosigned."""
    return [_kept(row) for row in tx.exec_driver_sql(_COSIGNED)]


def _kept(row: Any) -> KeptCheckpoint:
    return KeptCheckpoint(row[0].decode("utf-8", "replace"), *row[1:])
