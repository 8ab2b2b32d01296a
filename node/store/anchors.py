"""Where this node's journal speaks of a disclosure log: its anchors, and the receipts that it names."""

from typing import Final

from sqlalchemy import Connection

from exchange.v1 import journal_pb2

# Anchors stand in an index of their own, by log and size: there is one a minute, and they are asked for by size.
_ANCHOR: Final = (
    f"SELECT generation, idx, entry FROM journal WHERE kind = {journal_pb2.JOURNAL_KIND_ANCHOR} AND origin = ? AND count >= ? "  # noqa: S608  a constant
    "ORDER BY count, generation, idx LIMIT 1"
)
_RECEIPT: Final = "SELECT generation, idx, entry FROM journal WHERE subject = ? AND kind = ? ORDER BY generation, idx LIMIT 1"

Place = tuple[int, int, bytes]
"""Generation of the journal, index in it, and the entry."""


def first_anchor(tx: Connection, origin: str, size: int) -> Place | None:
    """The first anchor of a log at no smaller size."""
    row = tx.exec_driver_sql(_ANCHOR, (origin, size)).first()
    return (row.generation, row.idx, row.entry) if row else None


def receipt_entry(tx: Connection, digest: bytes) -> Place | None:
    """The first entry that names a receipt by the digest of its statement."""
    row = tx.exec_driver_sql(_RECEIPT, (digest, journal_pb2.JOURNAL_KIND_RECEIPT)).first()
    return (row.generation, row.idx, row.entry) if row else None
