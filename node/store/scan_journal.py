"""The rows of the journal as a check reads them: in chunks, in order, undecoded, text as bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

_JOURNALS: Final = "SELECT generation, size, frontier, last_at FROM journals ORDER BY generation"
_LENGTH: Final = "SELECT max(idx) FROM journal WHERE generation = ?"
_AT: Final = "SELECT at FROM journal WHERE generation = ? AND idx = ?"
_OUTSIDE: Final = (
    "SELECT idx FROM journal WHERE generation = ? AND idx < 0 UNION ALL SELECT idx FROM journal WHERE generation = ? AND idx >= ? LIMIT ?"
)
_ROWS: Final = (
    "SELECT idx, entry, at, kind, CAST(code AS BLOB), CAST(party AS BLOB), subject, CAST(counterparty AS BLOB), CAST(origin AS BLOB), "
    "first, count FROM journal WHERE generation = ? AND idx >= ? AND idx < ? ORDER BY idx"
)
_DETAILS: Final = (
    "SELECT idx, CAST(detail_group AS BLOB), sealed FROM journal_details WHERE generation = ? AND idx >= ? AND idx < ? ORDER BY idx"
)
_DETAILS_OUTSIDE: Final = (
    "SELECT d.generation, d.idx FROM journal_details d LEFT JOIN journal j ON j.generation = d.generation AND j.idx = d.idx "
    "WHERE j.idx IS NULL LIMIT ?"
)
_ANCHORS: Final = (
    "SELECT generation, idx, entry FROM journal INDEXED BY journal_by_origin WHERE origin = ? AND first = 0 AND kind = ? "
    "AND (generation > ? OR (generation = ? AND idx > ?)) ORDER BY generation, idx LIMIT ?"
)
_RANGES: Final = (
    "SELECT first, generation, idx, count, CAST(code AS BLOB) FROM journal INDEXED BY journal_by_origin "
    "WHERE origin = ? AND count > 0 AND kind IN (?, ?, ?) AND (first, generation, idx) > (?, ?, ?) ORDER BY first, generation, idx LIMIT ?"
)
# By leaps through the index, which is in their order.
_ORIGINS: Final = (
    "WITH RECURSIVE o(origin) AS (SELECT min(origin) FROM journal UNION ALL "
    "SELECT (SELECT min(origin) FROM journal WHERE journal.origin > o.origin) FROM o WHERE o.origin IS NOT NULL) "
    "SELECT CAST(origin AS BLOB) FROM o WHERE origin <> ''"
)
_ANCHOR: Final = "SELECT at, count FROM journal WHERE origin = ? AND first = 0 AND kind = ? ORDER BY generation DESC, idx DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """One journal as it is recorded."""

    generation: int
    size: Any
    frontier: Any
    last_at: Any


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One entry, and what stands beside it to be searched: (at, kind, code, party, subject, counterparty, origin, first, count)."""

    idx: int
    entry: Any
    beside: tuple[Any, ...]


@dataclass(frozen=True, slots=True, order=True)
class RangeRecord:
    """An event about a range of a log."""

    first: int
    generation: int
    idx: int
    count: int
    code: bytes


BEFORE_ALL: Final = RangeRecord(-1, 0, -1, 0, b"")
"""Where to begin with `ranges_after`."""


def journals(tx: Connection) -> list[JournalRecord]:
    """Every generation, oldest first."""
    return [JournalRecord(*row) for row in tx.exec_driver_sql(_JOURNALS)]


def journal_length(tx: Connection, generation: int) -> int:
    """One more than the highest index."""
    highest = tx.exec_driver_sql(_LENGTH, (generation,)).scalar()
    return 0 if not isinstance(highest, int) else highest + 1


def event_at(tx: Connection, generation: int, index: int) -> Any:
    """The time beside one entry; None if it is not here."""
    return tx.exec_driver_sql(_AT, (generation, index)).scalar()


def outside_journal(tx: Connection, generation: int, size: int, limit: int) -> list[int]:
    """Indexes of entries outside the size of their journal."""
    return [row[0] for row in tx.exec_driver_sql(_OUTSIDE, (generation, generation, size, limit))]


def events_in(tx: Connection, generation: int, start: int, end: int) -> Iterator[EventRecord]:
    """Entries from `start` up to, and not with, `end`, one at a time."""
    for row in tx.exec_driver_sql(_ROWS, (generation, start, end)):
        yield EventRecord(row[0], row[1], tuple(row[2:]))


def details_in(tx: Connection, generation: int, start: int, end: int) -> dict[tuple[int, bytes], Any]:
    """Sealed details by (index, group)."""
    return {(row[0], row[1]): row[2] for row in tx.exec_driver_sql(_DETAILS, (generation, start, end))}


def details_of_nothing(tx: Connection, limit: int) -> list[tuple[int, int]]:
    """(generation, index) of details whose entry is not here."""
    return [(row[0], row[1]) for row in tx.exec_driver_sql(_DETAILS_OUTSIDE, (limit,))]


def anchors_after(tx: Connection, origin: str, kind: int, generation: int, index: int, limit: int) -> list[tuple[int, int, Any]]:
    """(generation, index, entry) of the anchors of a log that follow that place, in the order of the journal."""
    return [(row[0], row[1], row[2]) for row in tx.exec_driver_sql(_ANCHORS, (origin, kind, generation, generation, index, limit))]


def ranges_after(tx: Connection, origin: str, kinds: tuple[int, int, int], last: RangeRecord, limit: int) -> list[RangeRecord]:
    """Events of these kinds about ranges of a log, by where they begin: those that follow `last`."""
    place = (last.first, last.generation, last.idx)
    return [RangeRecord(*row) for row in tx.exec_driver_sql(_RANGES, (origin, *kinds, *place, limit))]


def origins_named(tx: Connection) -> list[str]:
    """Every log that the journal speaks of."""
    return [row[0].decode("utf-8", "replace") for row in tx.exec_driver_sql(_ORIGINS)]


def newest_anchor(tx: Connection, origin: str, kind: int) -> tuple[int, int]:
    """(at, size) of a log's newest anchor; zeros if there is none."""
    row = tx.exec_driver_sql(_ANCHOR, (origin, kind)).first()
    return (row[0], row[1]) if row else (0, 0)
