"""A desk's answer to an alert: a HitReport to the agency that originated it, over the reverse log."""

from collections.abc import Callable

from exchange.errors import Malformed
from exchange.v1 import desk_service_pb2, hit_report_pb2
from node.operations.inbox import DESK, Given, given_to
from node.operations.officers import agency_of, require
from node.operations.release import NotReleased, Prepared, prepare
from node.operations.reply import reply_draft
from node.ports import Ports
from node.store import alerts
from node.store.alerts import AlertRow

Release = Callable[[Prepared | NotReleased], desk_service_pb2.PublishedAlert]


def report_hit(ports: Ports, person: str, request: desk_service_pb2.ReportHitRequest, release: Release) -> desk_service_pb2.PublishedAlert:
    """Report what happened with an alert that came for the caller's agency; `release` gives it its place in the log.

    Raises `NotFound` as `alerts.find`, `Malformed` (REPORT_OTHER_ALERT), and as `prepare`.
    """
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        alert = alerts.find(tx, request.alert, inbox_of=agency)
        given = given_to(tx, alert, agency)
    if request.report.manifest_digest not in {b"", alert.digest}:
        raise Malformed("REPORT_OTHER_ALERT", "the report names another alert than the one it is for")
    draft = _draft(ports, request, alert, given[-1])
    return release(prepare(ports, person, draft, request.reason))


def _draft(ports: Ports, request: desk_service_pb2.ReportHitRequest, alert: AlertRow, given: Given) -> desk_service_pb2.Draft:
    report = hit_report_pb2.HitReport()
    report.CopyFrom(request.report)
    report.manifest_digest = alert.digest
    return reply_draft(
        ports,
        report,
        request_id=request.request_id,
        recipients=(alert.originator,),
        purpose=given.entry.purpose,
        about=alert.digest,
        thread=given.entry.thread,
    )
