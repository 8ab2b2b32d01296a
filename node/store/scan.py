"""The rows of the proofs as a check reads them: in chunks, in order, by the driver's own statements.

What is read here may have been altered by anybody who can write the file, so nothing is decoded, and a column that should hold
bytes may hold anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

_ENTRIES: Final = "SELECT idx, entry, leaf FROM entries WHERE log_id = ? AND idx >= ? AND idx < ? ORDER BY idx"
_JOURNAL: Final = "SELECT idx, entry, leaf FROM journal WHERE generation = ? AND idx >= ? AND idx < ? ORDER BY idx"
_NODES: Final = "SELECT idx, hash FROM nodes WHERE log_id = ? AND level = ? AND idx >= ? AND idx < ? ORDER BY idx"
_STRAY_NODES: Final = "SELECT level, idx FROM nodes WHERE log_id = ? AND (level < 1 OR level > ? OR idx < 0) LIMIT ?"
_NODES_ABOVE: Final = "SELECT idx FROM nodes WHERE log_id = ? AND level = ? AND idx >= ? LIMIT ?"
_NODES_OF_NOBODY: Final = "SELECT log_id, level, idx FROM nodes WHERE log_id NOT IN ({}) LIMIT ?"
_EDGES: Final = "SELECT size, frontier FROM receipts WHERE log_id = ? AND size > ? AND size <= ? ORDER BY size"
_RECEIPTS: Final = (
    "SELECT size, previous_size, received_at, frontier, checkpoint, statement FROM receipts "
    "WHERE log_id = ? AND size > ? ORDER BY size LIMIT ?"
)
_DISCLOSED: Final = (
    "SELECT e.idx, e.entry, e.alert_ref, e.sealed IS NULL, a.digest, a.alert_type, x.code FROM entries e "
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
    alert_type: str | None
    exception: int | None


def disclosed_in(tx: Connection, log_id: int, start: int, end: int) -> list[Disclosed]:
    """Entries from `start` up to, and not with, `end`."""
    return [Disclosed(*row) for row in tx.exec_driver_sql(_DISCLOSED, (log_id, start, end))]
