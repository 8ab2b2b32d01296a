"""A desk's answer to an alert: a HitReport to the agency that originated it, over the reverse log."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from exchange.errors import Malformed, NotFound
from exchange.v1 import desk_service_pb2, hit_report_pb2
from node.intake.problems import error
from node.operations.consequences import Consequence
from node.operations.inbox import DESK, Given, given_to
from node.operations.inside_reports import desk_of, keep_report, may_answer_abroad, report_of
from node.operations.officers import agency_of, require
from node.operations.release import NotReleased, Prepared, prepare
from node.operations.reply import reply_draft
from node.ports import Ports
from node.store import alerts, inside
from node.store.alerts import AlertRow
from node.store.transaction import Transaction

Release = Callable[[Prepared | NotReleased], desk_service_pb2.PublishedAlert]


def answer(ports: Ports, person: str, request: desk_service_pb2.ReportHitRequest, release: Release) -> desk_service_pb2.ReportHitResponse:
    """Report what happened: abroad, or to the desk that told the caller's agency, where no agreement lets that agency report itself.

    Raises as `report_hit` and `keep_report`.
    """
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        alert = alerts.find(tx, request.alert, told=agency)
        abroad = agency in alerts.inboxes_of(tx, alert.id)
    if abroad or may_answer_abroad(ports, agency, alert.originator):
        return desk_service_pb2.ReportHitResponse(published=report_hit(ports, person, request, release))
    _check_named(request, alert)
    return keep_report(ports, person, request, alert, agency)


def forward_report(
    ports: Ports, person: str, request: desk_service_pb2.ForwardReportRequest, release: Release
) -> desk_service_pb2.PublishedAlert:
    """Report abroad, in the name of the caller's agency, what an agency reported that it had told; in the very words of that report.

    Raises `NotFound` (REPORT_UNKNOWN, ERASED), and as `report_hit`.
    """
    desk = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        row = inside.report_by(tx, number=request.report) if request.report < 2**63 else None
        if row is None or row.desk != desk:
            raise NotFound("REPORT_UNKNOWN", "there is no such report here, or it is not for you: see exchange distribution list")
        alert = alerts.by_ids(tx, [row.alert_ref])[row.alert_ref]
        kept = report_of(ports, tx, alert, row)
    if not kept.HasField("content"):
        raise NotFound("ERASED", "the report was erased with the alert that it is about")
    question = desk_service_pb2.ReportHitRequest(
        request_id=request.request_id, alert=alert.digest.hex(), report=kept.content, reason=request.reason
    )
    return report_hit(ports, person, question, lambda item: release(_noted(item, row.id)))


def report_hit(ports: Ports, person: str, request: desk_service_pb2.ReportHitRequest, release: Release) -> desk_service_pb2.PublishedAlert:
    """Report abroad what happened with an alert that the caller's agency was told of; `release` gives it its place in the log.

    Raises `NotFound` as `alerts.find`, `Malformed` (REPORT_OTHER_ALERT), and as `prepare`.
    """
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        alert = alerts.find(tx, request.alert, told=agency)
        # An agency that was told inside the country answers what its desk was told.
        given = given_to(tx, alert, agency) or given_to(tx, alert, desk_of(tx, alert, agency))
    _check_named(request, alert)
    draft = _draft(ports, request, alert, given[-1])
    return release(prepare(ports, person, draft, request.reason))


def _check_named(request: desk_service_pb2.ReportHitRequest, alert: AlertRow) -> None:
    if request.report.manifest_digest not in {b"", alert.digest}:
        raise Malformed("REPORT_OTHER_ALERT", "the report names another alert than the one it is for")


@dataclass(frozen=True, slots=True, kw_only=True)
class _PassedOn:
    """The consequence of a report that a desk passes on: it waits no more."""

    report: int
    digest: bytes
    further: Consequence | None

    def obstacle(self, ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        """That it was passed on before."""
        row = inside.report_by(tx, number=self.report)
        if row is not None and row.forwarded:
            return error("REPORT_FORWARDED", "report", "this report was passed on before", "see: exchange distribution list")
        return self.further.obstacle(ports, tx) if self.further else None

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """Note by which manifest it went on."""
        inside.forward(tx, self.report, self.digest)
        if self.further:
            self.further.take_effect(ports, tx, now)


def _noted(item: Prepared | NotReleased, report: int) -> Prepared | NotReleased:
    if isinstance(item, NotReleased):
        return item
    return replace(item, consequence=_PassedOn(report=report, digest=item.alert["digest"], further=item.consequence))


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
