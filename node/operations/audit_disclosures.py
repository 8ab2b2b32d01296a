"""Every disclosure as an auditor lists it, page by page, and counts of them. Never content."""

from collections import Counter
from datetime import UTC, datetime

from google.protobuf.descriptor import EnumDescriptor

from exchange.errors import Malformed
from exchange.v1 import audit_service_pb2, desk_service_pb2, disclosure_pb2, handling_pb2, receipt_pb2
from node.filtering.match import bounds
from node.filtering.parse import parse_filter
from node.operations.access import note_access
from node.operations.audit_paging import check_order, digest_of, read_token, write_token
from node.operations.disclosure_scan import DISCLOSURE_FIELDS, Disclosure, partner_of, scan_all, scan_page, short_type
from node.operations.officers import AUDITOR, require
from node.operations.paging import page_size
from node.ports import Ports
from node.store.journal import Event, Kind
from node.store.journal_queries import count_events

_ROWS_AT_MOST = 5000
"""Of a statistic, for the same reason."""
_AT_MOST = 100
"""Disclosures a page: of 4 KiB each at most, with names of fields beside them, below what one message carries."""


def list_disclosures(
    ports: Ports, person: str, request: audit_service_pb2.ListDisclosuresRequest
) -> audit_service_pb2.ListDisclosuresResponse:
    """A page of disclosures in both directions, log by log, for which the filter holds. It may be empty and yet not the last.

    Raises `Malformed` (FILTER, PAGE_SIZE, PAGE_TOKEN, ORDER_BY).
    """
    require(ports, person, (AUDITOR,))
    wanted, newest = parse_filter(request.filter, DISCLOSURE_FIELDS), check_order(request.order_by)
    limit = page_size(request.page_size, _AT_MOST)
    asked = digest_of("disclosures", request.filter, request.order_by)
    position = read_token(asked, request.page_token, 2)
    with ports.store.read() as tx:
        page = scan_page(ports, tx, wanted, limit, (position[0], position[1]) if position else None, newest=newest)
    kind = Kind.JOURNAL_KIND_EXPORT if request.for_export else Kind.JOURNAL_KIND_REVIEW
    note_access(ports, kind, person, Event(code="DISCLOSURES", subject=asked))
    return audit_service_pb2.ListDisclosuresResponse(
        disclosures=[record_of(one) for one in page.found],
        next_page_token=write_token(asked, page.following) if page.following else "",
        scanned=page.scanned,
        total=page.total,
    )


def get_statistics(ports: Ports, person: str, filter_text: str) -> audit_service_pb2.GetStatisticsResponse:
    """Disclosures for which the filter holds, counted by partner, direction, month, type, clause, purpose and state.

    Beside them the events of every journal that this node began, in the time that the filter's outermost AND leaves. Raises `Malformed`
    (FILTER, STATISTICS_TOO_MUCH).
    """
    require(ports, person, (AUDITOR,))
    wanted = parse_filter(filter_text, DISCLOSURE_FIELDS)
    counted: Counter[tuple[str, bool, str, str, str, int, int]] = Counter()
    for found in scan_all(ports, wanted):
        counted.update(
            (
                partner_of(one.log),
                one.log.outbound,
                month_of(one.entry.disclosed_at),
                short_type(one.alert.alert_type) if one.alert else "",
                one.entry.clause,
                one.entry.purpose,
                one.state.state,
            )
            for one in found
        )
    if len(counted) > _ROWS_AT_MOST:
        raise Malformed("STATISTICS_TOO_MUCH", "there are more numbers than one answer carries: narrow the time or the partner")
    first, last = bounds(wanted, "at")
    with ports.store.read() as tx:
        events = count_events(tx, first, last)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="STATISTICS", subject=digest_of("statistics", filter_text)))
    return audit_service_pb2.GetStatisticsResponse(
        disclosures=[
            audit_service_pb2.StatisticsRow(
                partner=partner,
                outbound=outbound,
                month=month,
                alert_type=alert_type,
                clause=clause,
                purpose=_short_name(handling_pb2.Purpose.DESCRIPTOR, purpose),
                state=desk_service_pb2.DisclosureState.ValueType(state),
                count=number,
            )
            for (partner, outbound, month, alert_type, clause, purpose, state), number in sorted(counted.items())
        ],
        events=[
            audit_service_pb2.EventCount(month=one.month, kind=_short_name(Kind.DESCRIPTOR, one.kind), code=one.code, count=one.count)
            for one in events
        ],
    )


def record_of(one: Disclosure) -> audit_service_pb2.DisclosureRecord:
    """A disclosure as it is shown to an auditor."""
    return audit_service_pb2.DisclosureRecord(
        origin=one.log.name.origin,
        outbound=one.log.outbound,
        index=one.row.idx,
        entry=one.row.entry,
        leaf_hash=one.row.leaf,
        state=one.state.state,
        exception=receipt_pb2.ExceptionCode.ValueType(one.state.exception),
        withheld=disclosure_pb2.WithheldCode.ValueType(one.state.withheld),
        receipted_at=one.state.receipted_at,
        alert_type=one.alert.alert_type if one.alert else "",
        originator=one.alert.originator if one.alert else "",
        alert_state=one.alert.state if one.alert else "",
        supersedes=one.supersedes,
        conflict=one.conflict,
        emergency=one.emergency,
        field_names=one.field_names,
        instrument=one.instrument,
    )


def month_of(at: int) -> str:
    """The month (UTC, `YYYY-MM`) of a time in Unix milliseconds; empty outside the calendar."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m")
    except (ValueError, OverflowError, OSError):
        return ""


def _short_name(names: EnumDescriptor, number: int) -> str:
    known = names.values_by_number.get(number)
    return known.name.removeprefix(names.values_by_number[0].name.removesuffix("UNSPECIFIED")) if known else str(number)
