"""What a check for gaps asks the store: rows that should be followed, answered or accompanied by others."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

_HOLES: Final = (
    "SELECT a.idx + 1 FROM entries a LEFT JOIN entries b ON b.log_id = a.log_id AND b.idx = a.idx + 1 "
    "WHERE a.log_id = ? AND a.idx >= 0 AND a.idx + 1 < ? AND b.idx IS NULL LIMIT ?"
)
_FIRST: Final = "SELECT 1 FROM entries WHERE log_id = ? AND idx = 0"
_ENTRY: Final = "SELECT entry FROM entries WHERE log_id = ? AND idx = ?"
_EXCEPTED: Final = (
    "SELECT x.idx, x.code, EXISTS (SELECT 1 FROM entries e JOIN entries l ON l.alert_ref = e.alert_ref AND l.log_id = e.log_id "
    "AND l.idx > e.idx LEFT JOIN exceptions y ON y.log_id = l.log_id AND y.idx = l.idx "
    "WHERE e.log_id = x.log_id AND e.idx = x.idx AND y.idx IS NULL) "
    "FROM exceptions x WHERE x.log_id = ? AND x.idx > ? ORDER BY x.idx LIMIT ?"
)
_UNAUTHORISED: Final = (
    "SELECT e.idx FROM entries e JOIN alerts a ON a.id = e.alert_ref "
    "WHERE e.log_id = ? AND e.sealed IS NULL AND a.state <> 'erased' ORDER BY e.idx LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class ExceptedEntry:
    """An entry that the recipient excepted."""

    idx: int
    code: int
    repaired: bool
    """A later entry of the same alert was taken."""


def holes(tx: Connection, log_id: int, size: int, limit: int) -> list[int]:
    """Indexes at which entries begin to be missing."""
    begins = [] if not size or tx.exec_driver_sql(_FIRST, (log_id,)).first() else [0]
    return begins + [row[0] for row in tx.exec_driver_sql(_HOLES, (log_id, size, limit))]


def entry_at(tx: Connection, log_id: int, index: int) -> Any:
    """The bytes of one entry; None if it is not here."""
    return tx.exec_driver_sql(_ENTRY, (log_id, index)).scalar()


def excepted_after(tx: Connection, log_id: int, index: int, limit: int) -> list[ExceptedEntry]:
    """What was excepted above an index, in order."""
    return [ExceptedEntry(row[0], row[1], bool(row[2])) for row in tx.exec_driver_sql(_EXCEPTED, (log_id, index, limit))]


def unauthorised(tx: Connection, log_id: int, limit: int) -> list[int]:
    """Entries beside which no authorisation record stands although their alert is not erased."""
    return [row[0] for row in tx.exec_driver_sql(_UNAUTHORISED, (log_id, limit))]
