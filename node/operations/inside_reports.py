"""A report by an agency that was told inside the country: abroad only where an agreement says so, else to its desk, which reports on.

An agreement lets an agency report if it names the agency among its own and has a clause for reports to the originator's class. Any other
agency's report is kept for the desk that told it, sealed under the alert's own key, and the desk passes it on in its own name or does not.
"""

from exchange.agreement import Agreed
from exchange.encoding import encode
from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2, hit_report_pb2
from exchange.values import PartyId
from node.intake.completeness import check_alert
from node.intake.problems import error, refuses
from node.ports import Ports
from node.store import alerts, inside
from node.store.alerts import AlertRow
from node.store.inside import ReportRow
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

HIT_REPORT = hit_report_pb2.HitReport.DESCRIPTOR.full_name


def desk_of(tx: Transaction, alert: AlertRow, agency: str) -> str:
    """The desk that told an agency of an alert last. Raises `NotFound` (ALERT_NOT_FOUND)."""
    rows = inside.of_agency(tx, alert.id, agency)
    if not rows:
        raise NotFound("ALERT_NOT_FOUND", "there is no such alert here, or it is not for you")
    return rows[-1].desk


def may_answer_abroad(ports: Ports, agency: str, originator: str, alert_type: str = HIT_REPORT) -> bool:
    """Whether an agreement in force lets an agency of this country send alerts of that type to the originator of an alert."""
    now = ports.clock.now_ms()
    direction = (ports.trust_domain, PartyId.parse(originator).trust_domain, alert_type)
    return any(
        agency in agreed.classes and _admits(agreed, direction, originator)
        for agreed in ports.known.agreements.values()
        if agreed.valid_from <= now < agreed.valid_until
    )


def keep_report(
    ports: Ports, person: str, request: desk_service_pb2.ReportHitRequest, alert: AlertRow, agency: str
) -> desk_service_pb2.ReportHitResponse:
    """Keep a report for the desk that told `agency` of the alert. The same request again answers as the first time.

    Raises `NotFound` (ERASED) where nothing of the alert is left that could seal it.
    """
    report = hit_report_pb2.HitReport()
    report.CopyFrom(request.report)
    report.manifest_digest = alert.digest
    now = ports.clock.now_ms()
    problems = list(check_alert(HIT_REPORT, report, now))
    if ports.justification_mandatory and not request.reason.strip():
        problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary: --reason"))
    if len(request.request_id) != 16:
        problems.append(error("REQUEST_ID", "request_id", "the request id is not 16 bytes", "use the exchange command line"))
    with ports.store.write() as tx:
        if refuses(problems):
            codes = sorted({problem.code for problem in problems})
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_REFUSAL, person, [Event(code=code) for code in codes])
            published = desk_service_pb2.PublishedAlert(request_id=request.request_id, problems=problems)
            return desk_service_pb2.ReportHitResponse(published=published)
        row = inside.report_by(tx, request_id=request.request_id)
        if row is None:
            alert = alerts.by_ids(tx, [alert.id])[alert.id]
            data_key = ports.vault.unwrap(tx, alert.period, alert.wrapped_key)
            desk = desk_of(tx, alert, agency)
            sealed = data_key.seal(_purpose(alert, request.request_id), encode(report))
            inside.keep_report(
                tx,
                {
                    "request_id": request.request_id,
                    "alert_ref": alert.id,
                    "agency": agency,
                    "desk": desk,
                    "at": now,
                    "sealed": sealed,
                    "forwarded": b"",
                },
            )
            event = Event(code="REPORTED", subject=alert.digest, counterparty=desk, justification=request.reason.strip())
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_DISCLOSURE, person, [event])
            row = inside.report_by(tx, request_id=request.request_id)
        if row is None or (row.alert_ref, row.agency) != (alert.id, agency):
            raise NotFound("REPORT_UNKNOWN", "this request id is another report's")
        return desk_service_pb2.ReportHitResponse(kept=report_of(ports, tx, alert, row))


def report_of(ports: Ports, tx: Transaction, alert: AlertRow, row: ReportRow) -> desk_service_pb2.InsideReport:
    """A kept report as its agency and its desk read it; without its content once that is erased."""
    told = desk_service_pb2.InsideReport(
        report=row.id,
        manifest_digest=alert.digest,
        agency=row.agency,
        desk=row.desk,
        reported_at=row.at,
        forwarded=row.forwarded,
    )
    if row.sealed is not None and alert.wrapped_key is not None:
        data_key = ports.vault.unwrap(tx, alert.period, alert.wrapped_key)
        told.content.ParseFromString(data_key.open(_purpose(alert, row.request_id), row.sealed))
    return told


def _admits(agreed: Agreed, direction: tuple[str, str, str], originator: str) -> bool:
    return any(terms.audience == agreed.classes.get(originator) for terms in agreed.routes.get(direction, ()))


def _purpose(alert: AlertRow, request_id: bytes) -> bytes:
    """What a sealed report is bound to, so that it cannot be moved to another row."""
    return b"inside report\0" + alert.alert_id + request_id
