"""What auditors ask of the journal's rows: pages by a filter, what can still be opened, and counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from exchange.tlog.merkle import Frontier
from node.filtering.terms import Filter
from node.store.filters import condition
from node.store.journal import JournalRow
from node.store.logs import unpack
from node.store.tables import journal, journal_details, journals

COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    "index": journal.c.idx,
    "at": journal.c.at,
    "kind": journal.c.kind,
    "code": journal.c.code,
    "party": journal.c.party,
    "counterparty": journal.c.counterparty,
    "subject": journal.c.subject,
    "origin": journal.c.origin,
    "first": journal.c.first,
    "count": journal.c.count,
}
"""What a filter of events may name, and where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """How many events of one kind and code there were in one month (UTC, `YYYY-MM`)."""

    month: str
    kind: int
    code: str
    count: int


def generations(tx: Connection) -> list[int]:
    """Every journal that this node began, oldest first."""
    return list(tx.execute(select(journals.c.generation).order_by(journals.c.generation)).scalars())


def frontier_of(tx: Connection, generation: int) -> Frontier | None:
    """How far the journal of that generation reaches; None if there is none."""
    row = tx.execute(select(journals.c.size, journals.c.frontier).where(journals.c.generation == generation)).first()
    return unpack(row.size, row.frontier) if row else None


def page_events(tx: Connection, generation: int, wanted: Filter, start: int, end: int, limit: int, *, newest: bool) -> list[JournalRow]:
    """At most `limit` entries from `start` up to `end` for which the filter holds, from the oldest, or from the `newest`."""
    query = select(journal).where(
        journal.c.generation == generation, journal.c.idx >= start, journal.c.idx < end, condition(wanted, COLUMNS)
    )
    query = query.order_by(journal.c.idx.desc() if newest else journal.c.idx).limit(limit)
    return [JournalRow(**{name: getattr(row, name) for name in JournalRow.__slots__}) for row in tx.execute(query)]


def kept_details(tx: Connection, generation: int, indexes: Iterable[int]) -> set[tuple[int, str]]:
    """(index, group) of the details of these entries that can still be opened."""
    query = select(journal_details.c.idx, journal_details.c.detail_group)
    query = query.where(journal_details.c.generation == generation, journal_details.c.idx.in_(list(indexes)))
    return {(row.idx, row.detail_group) for row in tx.execute(query)}


def first_seen(tx: Connection, subject: bytes, code: str, party: str) -> int:
    """When anybody of an agency first did what that code says to a manifest (Unix milliseconds, 0 if never), by the subject's index."""
    query = select(func.min(journal.c.at)).where(journal.c.subject == subject, journal.c.code == code, journal.c.party == party)
    return tx.execute(query).scalar_one_or_none() or 0


def events_about(tx: Connection, origin: str, index: int, kind: int, codes: Iterable[str]) -> list[tuple[int, int, int, str]]:
    """(generation, index, Unix milliseconds, code) of what the journals say in these codes of one entry of a log, the newest first."""
    query = select(journal.c.generation, journal.c.idx, journal.c.at, journal.c.code).where(
        journal.c.origin == origin, journal.c.first == index, journal.c.count == 1
    )
    query = query.where(journal.c.kind == kind, journal.c.code.in_(list(codes)))
    query = query.order_by(journal.c.generation.desc(), journal.c.idx.desc())
    return [tuple(row) for row in tx.execute(query)]


def newest_of(tx: Connection, generation: int, kind: int, code: str, start: int) -> int:
    """When the newest entry of that kind and code was recorded, from the index `start` on; 0 for none."""
    query = select(func.max(journal.c.at)).where(
        journal.c.generation == generation, journal.c.idx >= start, journal.c.kind == kind, journal.c.code == code
    )
    return tx.execute(query).scalar() or 0


def count_events(tx: Connection, first: int, last: int) -> list[EventCount]:
    """Events of every journal from `first` to `last` (Unix milliseconds, both included) by month, kind and code."""
    month = func.strftime("%Y-%m", journal.c.at / 1000, "unixepoch")
    query = select(month.label("month"), journal.c.kind, journal.c.code, func.count().label("number"))
    query = query.where(journal.c.at >= first, journal.c.at <= last)
    query = query.group_by(month, journal.c.kind, journal.c.code).order_by(month, journal.c.kind, journal.c.code)
    return [EventCount(month=row.month, kind=row.kind, code=row.code, count=row.number) for row in tx.execute(query)]
