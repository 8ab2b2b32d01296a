"""Stored nodes of a log's tree, so that a proof or an old root costs a few reads and not one for each leaf.

Level n holds the roots of complete subtrees of 256ⁿ leaves, as `exchange.tlog.tree` grows them; level 0, the leaf hashes, stands
beside the entries. All of it can be computed again from the entries, and is, whenever the store is checked.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete

from exchange.tlog.tree import TILE_WIDTH, Node
from node.store.errors import StoreFailed
from node.store.insert import insert_rows
from node.store.tables import nodes as table

JOURNAL: Final = 0
"""The log id under which the nodes of the first journal stand; those of a disclosure log stand under `logs.id`."""

# As text, for SQLAlchemy's work would cost more than the reads.
_NODES: Final = "SELECT idx, hash FROM nodes WHERE log_id = ? AND level = ? AND idx >= ? AND idx < ?"
_LEAVES: Final = "SELECT idx, leaf FROM entries WHERE log_id = ? AND idx >= ? AND idx < ?"
_JOURNAL_LEAVES: Final = "SELECT idx, leaf FROM journal WHERE generation = ? AND idx >= ? AND idx < ?"


def journal_log(generation: int) -> int:
    """The log id under which the nodes of a journal stand: 0 for the first, below it for its successors."""
    return JOURNAL + 1 - generation


def add_nodes(tx: Connection, log_id: int, nodes: Iterable[Node]) -> None:
    """Keep nodes that a log's new leaves have completed."""
    insert_rows(tx, table, [{"log_id": log_id, "level": node.level, "idx": node.index, "hash": node.hash} for node in nodes])


def drop_nodes(tx: Connection, log_id: int) -> None:
    """Forget every node of a log, to store them anew."""
    tx.execute(delete(table).where(table.c.log_id == log_id))


def stored_leaves(tx: Connection, log_id: int, start: int, end: int) -> list[bytes]:
    """Leaf hashes of a disclosure log from `start` up to, and not with, `end`; fewer if it is not as long."""
    return [leaf for _, leaf in sorted(_read(tx, log_id, 0, start, end).items())]


def stored_between(tx: Connection, log_id: int, level: int, start: int, end: int) -> list[bytes]:
    """The hashes of one level from `start` up to, and not with, `end`. Raises `StoreFailed` (TREE_INCOMPLETE) if one is not stored."""
    return _all_of(_read(tx, log_id, level, start, end), start, end)


class StoredHashes:
    """The hashes of one log as `exchange.tlog.tree.HashReader` wants them, in one transaction. Each tile is read once and kept."""

    __slots__ = ("_log_id", "_tiles", "_tx")

    def __init__(self, tx: Connection, log_id: int) -> None:
        self._tx = tx
        self._log_id = log_id
        self._tiles: dict[tuple[int, int], dict[int, bytes]] = {}

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """The hashes from `start` up to, and not with, `end`, all in one tile. Raises `StoreFailed` (TREE_INCOMPLETE) if one is missing."""
        tile = (level, start // TILE_WIDTH)
        if tile not in self._tiles:
            first = start - start % TILE_WIDTH
            self._tiles[tile] = _read(self._tx, self._log_id, level, first, first + TILE_WIDTH)
        return _all_of(self._tiles[tile], start, end)


def _read(tx: Connection, log_id: int, level: int, start: int, end: int) -> dict[int, bytes]:
    # By the driver itself: of a proof's two milliseconds, SQLAlchemy's rows would take a quarter.
    driver: Any = tx.connection.driver_connection
    if level:
        return dict(driver.execute(_NODES, (log_id, level, start, end)).fetchall())
    if log_id <= JOURNAL:
        return dict(driver.execute(_JOURNAL_LEAVES, (JOURNAL + 1 - log_id, start, end)).fetchall())
    return dict(driver.execute(_LEAVES, (log_id, start, end)).fetchall())


def _all_of(held: Mapping[int, bytes], start: int, end: int) -> list[bytes]:
    try:
        return [held[index] for index in range(start, end)]
    except KeyError:
        message = "a stored hash of a log's tree is missing: run `exchange audit fsck --rebuild-nodes`"
        raise StoreFailed("TREE_INCOMPLETE", message) from None
