"""The rows of the proofs as a check reads them: in chunks, in order, by the driver's own statements.

What is read here may have been altered by anybody who can write the file, so nothing is decoded, and a column that should hold
bytes may hold anything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from node.store.alerts import AlertRow

_ENTRIES: Final = "SELECT idx, entry, leaf FROM entries WHERE log_id = ? AND idx >= ? AND idx < ? ORDER BY idx"
_JOURNAL: Final = "SELECT idx, entry, leaf FROM journal WHERE generation = ? AND idx >= ? AND idx < ? ORDER BY idx"
_NODES: Final = "SELECT idx, hash FROM nodes WHERE log_id = ? AND level = ? AND idx >= ? AND idx < ? ORDER BY idx"
_STRAY_NODES: Final = "SELECT level, idx FROM nodes WHERE log_id = ? AND (level < 1 OR level > ? OR idx < 0) LIMIT ?"
_NODES_ABOVE: Final = "SELECT idx FROM nodes WHERE log_id = ? AND level = ? AND idx >= ? LIMIT ?"
_NODES_OF_NOBODY: Final = "SELECT log_id, level, idx FROM nodes WHERE log_id NOT IN ({}) LIMIT ?"
_EDGES: Final = "SELECT size, frontier FROM receipts WHERE log_id = ? AND size > ? AND size <= ? ORDER BY size"
_NEWEST: Final = "SELECT size, CAST(received_at AS INTEGER) FROM receipts WHERE log_id = ? ORDER BY size DESC LIMIT 1"
_ENTRIES_BEYOND: Final = "SELECT idx FROM entries WHERE log_id = ? AND (idx < 0 OR idx >= ?) LIMIT ?"
_EXCEPTIONS_BEYOND: Final = "SELECT idx FROM exceptions WHERE log_id = ? AND (idx < 0 OR idx >= ?) LIMIT ?"
_RECEIPTS: Final = (
    "SELECT size, previous_size, received_at, frontier, checkpoint, statement FROM receipts "
    "WHERE log_id = ? AND size > ? ORDER BY size LIMIT ?"
)
_ALERTS: Final = (
    "SELECT id, alert_id, digest, own, CAST(alert_type AS BLOB), CAST(originator AS BLOB), issued_at, not_after, training, recorded_at, "
    "arrives_at, CAST(state AS BLOB), CAST(period AS BLOB), wrapped_key, sealed, erase_by, due_at "
    "FROM alerts WHERE id > ? AND id <= ? ORDER BY id"
)
_ENTRIES_OF_ALERTS: Final = (
    "SELECT e.alert_ref, e.log_id, e.idx, e.entry, e.sealed, x.code FROM entries e "
    "LEFT JOIN exceptions x ON x.log_id = e.log_id AND x.idx = e.idx "
    "WHERE e.alert_ref > ? AND e.alert_ref <= ? ORDER BY e.alert_ref, e.log_id, e.idx"
)
_LAST_OF_PAGE: Final = "SELECT max(id) FROM (SELECT id FROM alerts WHERE id > ? ORDER BY id LIMIT ?)"
# The agencies by leaps through the index, which is in their order.
_AGENCIES: Final = (
    "WITH RECURSIVE a(agency) AS (SELECT min(agency) FROM inbox UNION ALL "
    "SELECT (SELECT min(agency) FROM inbox WHERE inbox.agency > a.agency) FROM a WHERE a.agency IS NOT NULL) "
    "SELECT CAST(agency AS BLOB) FROM a WHERE agency IS NOT NULL"
)
_INBOX: Final = "SELECT alert_ref FROM inbox WHERE agency = CAST(? AS TEXT) AND alert_ref > ? AND alert_ref <= ?"
_ANSWERS: Final = (
    "SELECT n.answer, n.answered, n.outbound FROM alerts a CROSS JOIN answers n ON n.answer = a.digest WHERE a.id > ? AND a.id <= ?"
)
_SUPERSESSIONS: Final = (
    "SELECT s.later, s.earlier, CAST(s.originator AS BLOB) FROM alerts a CROSS JOIN supersessions s ON s.later = a.digest "
    "WHERE a.id > ? AND a.id <= ?"
)
_DISCLOSED: Final = (
    "SELECT e.idx, e.entry, e.alert_ref, e.sealed IS NULL, a.digest, CAST(a.alert_type AS BLOB), x.code FROM entries e "
    "LEFT JOIN alerts a ON a.id = e.alert_ref LEFT JOIN exceptions x ON x.log_id = e.log_id AND x.idx = e.idx "
    "WHERE e.log_id = ? AND e.idx >= ? AND e.idx < ? ORDER BY e.idx"
)


@dataclass(frozen=True, slots=True)
class Leaves:
    """Where a log's entries are read: its rows of `entries`, or one generation of the journal."""

    statement: str
    key: int

    def read(self, tx: Connection, start: int, end: int) -> Sequence[Sequence[Any]]:
        """(index, entry, leaf) from `start` up to, and not with, `end`."""
        return tx.exec_driver_sql(self.statement, (self.key, start, end)).fetchall()


def leaves_of_log(log_id: int) -> Leaves:
    """The entries of a disclosure log."""
    return Leaves(_ENTRIES, log_id)


def leaves_of_journal(generation: int) -> Leaves:
    """The entries of one generation of the journal."""
    return Leaves(_JOURNAL, generation)


def nodes_in(tx: Connection, log_id: int, level: int, start: int, end: int) -> dict[int, Any]:
    """Stored hashes by index within one level."""
    return dict(tuple(row) for row in tx.exec_driver_sql(_NODES, (log_id, level, start, end)))


def surplus_nodes(tx: Connection, log_id: int, complete: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """(level, index) of nodes beyond the complete ones, of which level n has `complete[n - 1]`."""
    found = [(row[0], row[1]) for row in tx.exec_driver_sql(_STRAY_NODES, (log_id, len(complete), limit))]
    for level, count in enumerate(complete, 1):
        found += [(level, row[0]) for row in tx.exec_driver_sql(_NODES_ABOVE, (log_id, level, count, limit))]
    return found[:limit]


def nodes_of_nobody(tx: Connection, log_ids: Sequence[int], limit: int) -> list[tuple[int, int, int]]:
    """(log id, level, index) of nodes that stand under no log."""
    statement = _NODES_OF_NOBODY.format(", ".join("?" * len(log_ids)))
    return [tuple(row) for row in tx.exec_driver_sql(statement, (*log_ids, limit))]


def edges_in(tx: Connection, log_id: int, start: int, end: int) -> list[tuple[int, Any]]:
    """(size, packed frontier) of the receipts above `start` and up to, and with, `end`."""
    return [(row[0], row[1]) for row in tx.exec_driver_sql(_EDGES, (log_id, start, end))]


def newest_receipted(tx: Connection, log_id: int) -> tuple[int, int]:
    """(size, received_at) of the greatest receipt; zeros if there is none."""
    row = tx.exec_driver_sql(_NEWEST, (log_id,)).first()
    return (row[0], row[1]) if row else (0, 0)


def entries_beyond(tx: Connection, log_id: int, size: int, limit: int) -> list[int]:
    """Indexes of entries outside the size of their log."""
    return [row[0] for row in tx.exec_driver_sql(_ENTRIES_BEYOND, (log_id, size, limit))]


def exceptions_beyond(tx: Connection, log_id: int, size: int, limit: int) -> list[int]:
    """Indexes of exceptions outside what was receipted."""
    return [row[0] for row in tx.exec_driver_sql(_EXCEPTIONS_BEYOND, (log_id, size, limit))]


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """A receipt as it is stored, undecoded."""

    size: int
    previous_size: Any
    received_at: Any
    frontier: Any
    checkpoint: Any
    statement: Any


def receipts_from(tx: Connection, log_id: int, above: int, limit: int) -> list[ReceiptRecord]:
    """Receipts greater than `above`, smallest first."""
    return [ReceiptRecord(*row) for row in tx.exec_driver_sql(_RECEIPTS, (log_id, above, limit))]


@dataclass(frozen=True, slots=True)
class Disclosed:
    """An entry beside the alert that it refers to and its exception; None where there is none."""

    idx: int
    entry: Any
    alert_ref: int | None
    bare: int
    """1 if nothing sealed stands beside it."""
    digest: bytes | None
    alert_type: bytes | None
    exception: int | None


def disclosed_in(tx: Connection, log_id: int, start: int, end: int) -> list[Disclosed]:
    """Entries from `start` up to, and not with, `end`."""
    return [Disclosed(*row) for row in tx.exec_driver_sql(_DISCLOSED, (log_id, start, end))]


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry of an alert, with its exception; None where there is none."""

    alert_ref: int
    log_id: int
    idx: int
    entry: Any
    sealed: Any
    exception: int | None


def alerts_between(tx: Connection, after: int, last: int) -> Iterator[AlertRow]:
    """Alerts with row ids above `after` up to, and with, `last`, one at a time. What is no UTF-8 in them is replaced."""
    for row in tx.exec_driver_sql(_ALERTS, (after, last)):
        values = (*row[:4], *map(_text, row[4:6]), *row[6:11], *map(_text, row[11:13]), *row[13:])
        yield AlertRow(**dict(zip(AlertRow.__slots__, values, strict=True)))


def entries_of_alerts(tx: Connection, after: int, last: int) -> Iterator[LoggedEntry]:
    """The entries of those alerts, by alert and then in the order in which they were logged, one at a time."""
    for row in tx.exec_driver_sql(_ENTRIES_OF_ALERTS, (after, last)):
        yield LoggedEntry(*row)


def last_of_page(tx: Connection, after: int, size: int) -> int:
    """The row id of the last of the next `size` alerts above `after`; 0 if there is none."""
    return tx.exec_driver_sql(_LAST_OF_PAGE, (after, size)).scalar() or 0


def inboxes_between(tx: Connection, after: int, last: int) -> dict[int, set[str]]:
    """The agencies in whose inbox each of those alerts is."""
    found: dict[int, set[str]] = {}
    for (agency,) in tx.exec_driver_sql(_AGENCIES).fetchall():
        for (reference,) in tx.exec_driver_sql(_INBOX, (agency, after, last)):
            found.setdefault(reference, set()).add(_text(agency))
    return found


def answers_between(tx: Connection, after: int, last: int) -> dict[bytes, set[tuple[bytes, bool]]]:
    """What each of those alerts answers, by its digest: (digest of what was answered, outbound)."""
    found: dict[bytes, set[tuple[bytes, bool]]] = {}
    for answer, answered, outbound in tx.exec_driver_sql(_ANSWERS, (after, last)):
        found.setdefault(answer, set()).add((answered, bool(outbound)))
    return found


def supersessions_between(tx: Connection, after: int, last: int) -> dict[bytes, set[tuple[bytes, str]]]:
    """What each of those alerts supersedes, by its digest: (earlier digest, originator)."""
    found: dict[bytes, set[tuple[bytes, str]]] = {}
    for later, earlier, originator in tx.exec_driver_sql(_SUPERSESSIONS, (after, last)):
        found.setdefault(later, set()).add((earlier, _text(originator)))
    return found


def _text(value: Any) -> str:
    """Text that was read as bytes, so that what is no UTF-8 cannot end the reading."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
