"""Which entries of the logs belong together: everything about one alert, everything with one partner in a time."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from itertools import islice
from typing import Any

from google.protobuf.message import DecodeError
from sqlalchemy import Connection, Row, select

from exchange.v1 import disclosure_pb2
from node.store.logs import EntryRow, LogRow, entry_rows
from node.store.tables import alerts, answers, entries, supersessions

_AT_ONCE = 500
"""Values in one question: SQLite takes no more than some thousands."""


def about(tx: Connection, digests: Collection[bytes]) -> set[bytes]:
    """These manifests, what supersedes them or is superseded by them, and whatever answers any of these, again and again."""
    found: set[bytes] = set()
    new = set(digests)
    while new:
        found |= new
        more: set[bytes] = set()
        for some in _portions(new):
            more |= set(tx.execute(select(answers.c.answer).where(answers.c.answered.in_(some))).scalars())
            more |= set(tx.execute(select(supersessions.c.later).where(supersessions.c.earlier.in_(some))).scalars())
            more |= set(tx.execute(select(supersessions.c.earlier).where(supersessions.c.later.in_(some))).scalars())
        new = more - found
    return found


def entries_about(tx: Connection, digests: Collection[bytes]) -> list[tuple[int, EntryRow]]:
    """(log id, entry) of every disclosure of these manifests, and of what was excepted and names one of them; by log and index."""
    rows: list[Row[Any]] = []
    for some in _portions(digests):
        known = select(alerts.c.id).where(alerts.c.digest.in_(some))
        rows += tx.execute(select(entries).where(entries.c.alert_ref.in_(known))).all()
    # What was excepted belongs to no alert here; there is little of it.
    loose = [row for row in tx.execute(select(entries).where(entries.c.alert_ref.is_(None))) if _names(row.entry, digests)]
    found = {(row.log_id, row.idx): row for row in (*rows, *loose)}
    return [(row.log_id, _entry(row)) for _, row in sorted(found.items())]


def entries_between(tx: Connection, log: LogRow, start: int, until: int) -> Iterator[EntryRow]:
    """The entries of a log that were disclosed from `start` up to `until`, Unix milliseconds; 0 is open."""
    first = _first_at(tx, log, start) if start else 0
    end = _first_at(tx, log, until) if until else log.size
    for page in range(first, end, _AT_ONCE):
        yield from entry_rows(tx, log.id, page, min(page + _AT_ONCE, end))


def _first_at(tx: Connection, log: LogRow, at: int) -> int:
    # Times never fall within a log.
    low, high = 0, log.size
    while low < high:
        middle = (low + high) // 2
        (row,) = entry_rows(tx, log.id, middle, middle + 1)
        if _time(row.entry) < at:
            low = middle + 1
        else:
            high = middle
    return low


def _time(entry: bytes) -> int:
    try:
        return disclosure_pb2.Entry.FromString(entry).disclosed_at
    except DecodeError:
        return 0


def _names(data: bytes, digests: Collection[bytes]) -> bool:
    try:
        entry = disclosure_pb2.Entry.FromString(data)
    except DecodeError:
        return False
    return any(digest in digests for digest in (entry.manifest_digest, entry.thread, entry.in_reply_to))


def _entry(row: Row[Any]) -> EntryRow:
    return EntryRow(**{field.name: getattr(row, field.name) for field in fields(EntryRow)})


def _portions(values: Iterable[bytes]) -> Iterator[list[bytes]]:
    waiting = iter(values)
    while some := list(islice(waiting, _AT_ONCE)):
        yield some
