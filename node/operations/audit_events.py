"""The journal as an auditor reads it: events by a filter, page by page, and one by its index. Commitments, never details."""

from collections.abc import Sequence

from exchange.errors import ExchangeError, NotFound
from exchange.journal import journal_origin, parse_journal_origin
from exchange.v1 import audit_service_pb2
from node.filtering.parse import parse_filter
from node.filtering.terms import FilterField, Vocabulary
from node.filtering.terms import Kind as FieldKind
from node.operations.access import note_access
from node.operations.audit_paging import check_order, digest_of, read_token, write_token
from node.operations.officers import AUDITOR, require
from node.operations.paging import page_size
from node.ports import Ports
from node.store.journal import ACCOUNTABILITY, PERSONAL, Event, JournalRow, Kind
from node.store.journal_queries import frontier_of, kept_details, page_events
from node.store.transaction import Transaction

_AT_MOST = 200
"""Events a page: of 4 KiB each at most, below what one message carries."""

EVENT_FIELDS: Vocabulary = {
    "index": FilterField(kind=FieldKind.NUMBER),
    "at": FilterField(kind=FieldKind.TIME),
    "kind": FilterField(
        kind=FieldKind.CHOICE, choices={name.removeprefix("JOURNAL_KIND_"): number for name, number in Kind.items() if number}
    ),
    "code": FilterField(kind=FieldKind.TEXT),
    "party": FilterField(kind=FieldKind.TEXT),
    "counterparty": FilterField(kind=FieldKind.TEXT),
    "subject": FilterField(kind=FieldKind.DIGEST),
    "origin": FilterField(kind=FieldKind.TEXT),
    "first": FilterField(kind=FieldKind.NUMBER),
    "count": FilterField(kind=FieldKind.NUMBER),
}
"""What a filter of events may name: the fields of a `JournalEntry`; `first` is its `index`, for `index` is the event's own place."""


def list_events(ports: Ports, person: str, request: audit_service_pb2.ListEventsRequest) -> audit_service_pb2.ListEventsResponse:
    """A page of the journal's events for which the filter holds.

    All pages of one list end where the journal ended when the first was asked for, since each look is itself journalled. Raises
    `Malformed` (FILTER, PAGE_SIZE, PAGE_TOKEN, ORDER_BY), `NotFound` (LOG_UNKNOWN).
    """
    require(ports, person, (AUDITOR,))
    wanted, newest = parse_filter(request.filter, EVENT_FIELDS), check_order(request.order_by)
    limit = page_size(request.page_size, _AT_MOST)
    with ports.store.read() as tx:
        generation, size = journal_at(ports, tx, request.origin)
        origin = journal_origin(ports.trust_domain, generation)
        asked = digest_of("events", origin, request.filter, request.order_by)
        cut, done = read_token(asked, request.page_token, 2) or (size, 0)
        cut = min(cut, size)
        start, end = (0, max(cut - done, 0)) if newest else (done, cut)
        rows = page_events(tx, generation, wanted, start, end, limit + 1, newest=newest)
        events = _events(tx, origin, generation, rows[:limit])
    kind, code = (Kind.JOURNAL_KIND_EXPORT if request.for_export else Kind.JOURNAL_KIND_REVIEW), "EVENTS"
    note_access(ports, kind, person, Event(code=code, subject=asked, origin=origin))
    token = ""
    if len(rows) > limit:
        last = rows[limit - 1].idx
        token = write_token(asked, (cut, cut - last if newest else last + 1))
    return audit_service_pb2.ListEventsResponse(events=events, next_page_token=token, size=cut)


def get_event(ports: Ports, person: str, request: audit_service_pb2.GetEventRequest) -> audit_service_pb2.GetEventResponse:
    """One event of the journal. Raises `NotFound` (LOG_UNKNOWN, ENTRY_UNKNOWN)."""
    require(ports, person, (AUDITOR,))
    with ports.store.read() as tx:
        generation, _ = journal_at(ports, tx, request.origin)
        origin = journal_origin(ports.trust_domain, generation)
        (event,) = _events(tx, origin, generation, [journal_row(ports, tx, generation, request.index)])
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="EVENT", origin=origin, index=request.index, count=1))
    return audit_service_pb2.GetEventResponse(event=event)


def journal_at(ports: Ports, tx: Transaction, origin: str) -> tuple[int, int]:
    """(generation, size) of the journal of that origin; an empty one is the newest. Raises `NotFound` (LOG_UNKNOWN)."""
    if not origin:
        edge = ports.journal.edge(tx)
        return edge.generation, edge.frontier.size
    try:
        trust_domain, generation = parse_journal_origin(origin)
    except ExchangeError:
        trust_domain, generation = "", 0
    frontier = frontier_of(tx, generation) if trust_domain == ports.trust_domain else None
    if frontier is None:
        raise NotFound("LOG_UNKNOWN", "this node keeps no such log or journal: see `exchange log list`")
    return generation, frontier.size


def journal_row(ports: Ports, tx: Transaction, generation: int, index: int) -> JournalRow:
    """One row of a journal. Raises `NotFound` (ENTRY_UNKNOWN)."""
    rows = ports.journal.rows(tx, index, index + 1, generation=generation) if index < 2**63 - 1 else []
    if not rows:
        raise NotFound("ENTRY_UNKNOWN", "the journal has no entry at that index")
    return rows[0]


def _events(tx: Transaction, origin: str, generation: int, rows: Sequence[JournalRow]) -> list[audit_service_pb2.JournalEvent]:
    kept = kept_details(tx, generation, [row.idx for row in rows])
    return [
        audit_service_pb2.JournalEvent(
            index=row.idx,
            entry=row.entry,
            leaf_hash=row.leaf,
            accountability_kept=(row.idx, ACCOUNTABILITY) in kept,
            personal_kept=(row.idx, PERSONAL) in kept,
            origin=origin,
        )
        for row in rows
    ]
