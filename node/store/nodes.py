"""Stored nodes of a log's tree, so that a proof or an old root costs a few reads and not one for each leaf.

Level n holds the roots of complete subtrees of 256ⁿ leaves, as `exchange.tlog.tree` grows them; level 0, the leaf hashes, stands
beside the entries. All of it can be computed again from the entries, and is, whenever the store is checked.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from exchange.tlog.tree import Node
from node.store.errors import StoreFailed
from node.store.insert import insert_rows
from node.store.tables import nodes as table

JOURNAL: Final = 0
"""The log id under which the nodes of the first journal stand; those of a disclosure log stand under `logs.id`."""

# As text, for a proof asks a handful of times, and SQLAlchemy's work would cost more than the reads.
_NODES: Final = "SELECT hash FROM nodes WHERE log_id = ? AND level = ? AND idx >= ? AND idx < ? ORDER BY idx"
_LEAVES: Final = "SELECT leaf FROM entries WHERE log_id = ? AND idx >= ? AND idx < ? ORDER BY idx"
_JOURNAL_LEAVES: Final = "SELECT leaf FROM journal WHERE generation = ? AND idx >= ? AND idx < ? ORDER BY idx"


def journal_log(generation: int) -> int:
    """The log id under which the nodes of a journal stand: 0 for the first, below it for its successors."""
    return JOURNAL + 1 - generation


def add_nodes(tx: Connection, log_id: int, nodes: Iterable[Node]) -> None:
    """Keep nodes that a log's new leaves have completed."""
    insert_rows(tx, table, [{"log_id": log_id, "level": node.level, "idx": node.index, "hash": node.hash} for node in nodes])


def stored_leaves(tx: Connection, log_id: int, start: int, end: int) -> list[bytes]:
    """Leaf hashes of a disclosure log from `start` up to, and not with, `end`; fewer if it is not as long."""
    return [row[0] for row in tx.exec_driver_sql(_LEAVES, (log_id, start, end))]


class StoredHashes:
    """The hashes of one log as `exchange.tlog.tree.HashReader` wants them, in one transaction."""

    __slots__ = ("_log_id", "_tx")

    def __init__(self, tx: Connection, log_id: int) -> None:
        self._tx = tx
        self._log_id = log_id

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """The hashes from `start` up to, and not with, `end`. Raises `StoreFailed` (TREE_INCOMPLETE) if one is not stored."""
        if level:
            found = self._tx.exec_driver_sql(_NODES, (self._log_id, level, start, end))
        elif self._log_id <= JOURNAL:
            found = self._tx.exec_driver_sql(_JOURNAL_LEAVES, (JOURNAL + 1 - self._log_id, start, end))
        else:
            found = self._tx.exec_driver_sql(_LEAVES, (self._log_id, start, end))
        hashes = [row[0] for row in found]
        if len(hashes) != end - start:
            raise StoreFailed("TREE_INCOMPLETE", "a stored hash of a log's tree is missing: run `exchange audit fsck`, which names it")
        return hashes
