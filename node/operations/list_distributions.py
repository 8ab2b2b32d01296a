"""Who inside the country was told of what came from abroad: for the desk that distributed it, and for auditors."""

from exchange.v1 import desk_service_pb2
from node.operations.access import note_access
from node.operations.inbox import DESK
from node.operations.inside import distribution
from node.operations.inside_reports import report_of
from node.operations.officers import AUDITOR, agency_of, require
from node.operations.paging import page_size, page_token, read_token
from node.ports import Ports
from node.store import alerts, inside
from node.store.journal import Event, Kind

_LIST = "distributions"


def list_distributions(
    ports: Ports, person: str, request: desk_service_pb2.ListDistributionsRequest
) -> desk_service_pb2.ListDistributionsResponse:
    """What the caller's agency distributed, newest first, or all of one alert; an auditor sees every desk's of one alert, without reports.

    Raises `NotFound` as `alerts.find`, `Malformed` (PAGE_SIZE, PAGE_TOKEN).
    """
    officer = require(ports, person, (*DESK, AUDITOR))
    desk = "" if AUDITOR in officer.roles and not set(DESK) & set(officer.roles) else agency_of(officer)
    size, before = page_size(request.page_size), read_token(_LIST, request.page_token)
    token = ""
    with ports.store.read() as tx:
        if request.alert or not desk:
            alert = alerts.find(tx, request.alert, inbox_of=desk) if desk else alerts.find(tx, request.alert, anywhere=True)
            rows = [row for row in inside.of_alert(tx, alert.id) if desk in {"", row.desk}]
            reports = [row for row in inside.reports_of(tx, [alert.id]) if row.desk == desk]
        else:
            page = inside.page_of_desk(tx, desk, before, size + 1)
            rows, reports = page[:size], inside.waiting_reports(tx, desk)
            token = page_token(_LIST, rows[-1].id) if len(page) > size else ""
        of = alerts.by_ids(tx, {row.alert_ref for row in rows} | {row.alert_ref for row in reports})
        purges = inside.purges_of(tx, of.keys())
        found = [distribution(of[row.alert_ref], row, purges.get((row.alert_ref, row.agency))) for row in rows]
        said = [report_of(ports, tx, of[row.alert_ref], row) for row in reports]
    kind = Kind.JOURNAL_KIND_CONSULTATION if desk else Kind.JOURNAL_KIND_REVIEW
    subject = alert.digest if request.alert or not desk else b""
    note_access(ports, kind, person, Event(code="DISTRIBUTIONS", subject=subject))
    return desk_service_pb2.ListDistributionsResponse(distributions=found, next_page_token=token, reports=said)
