"""A desk's answer to an alert: a HitReport to the agency that originated it, over the reverse log."""

from collections.abc import Callable

from exchange.encoding import encode
from exchange.errors import Malformed
from exchange.v1 import desk_service_pb2, handling_pb2, hit_report_pb2
from exchange.values import PartyId
from node.operations.inbox import DESK, Given, given_to
from node.operations.officers import agency_of, require
from node.operations.release import NotReleased, Prepared, prepare
from node.ports import Known, Ports
from node.store import alerts
from node.store.alerts import AlertRow
from node.store.envelope import DAY_MS

KEPT_DAYS = 90
"""After that a report has served its purpose, unless the clause ends earlier."""
_HIT_REPORT = hit_report_pb2.HitReport.DESCRIPTOR.full_name

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
    now = ports.clock.now_ms()
    purpose = purpose_for(ports.known, alert.originator, _HIT_REPORT, given.entry.purpose, now)
    return desk_service_pb2.Draft(
        request_id=request.request_id,
        alert_type=_HIT_REPORT,
        alert=encode(report),
        recipients=[alert.originator],
        purpose=purpose,
        handling=handling_pb2.Handling(
            codes=[handling_pb2.HANDLING_CODE_H1],
            permitted_purposes=[purpose],
            judicial_use=handling_pb2.JUDICIAL_USE_ASK,
            onward=handling_pb2.ONWARD_RULE_NONE,
        ),
        not_after=now + KEPT_DAYS * DAY_MS,
        thread=given.entry.thread or alert.digest,
        in_reply_to=alert.digest,
    )


def purpose_for(
    known: Known, recipient: str, alert_type: str, wanted: "handling_pb2.Purpose.ValueType", now: int
) -> "handling_pb2.Purpose.ValueType":
    """The purpose that is `wanted`, if a clause lets such an answer go to this agency for it; otherwise the first that one allows."""
    direction = (known.own.trust_domain, PartyId.parse(recipient).trust_domain, alert_type)
    allowed = [
        purpose
        for agreed in known.agreements.values()
        if agreed.agreement.valid_from <= now < agreed.agreement.valid_until
        for clause in agreed.agreement.clauses
        if (clause.sender, clause.recipient, clause.alert_type) == direction and clause.audience == agreed.classes.get(recipient)
        for purpose in clause.purposes
    ]
    # Without any clause the release refuses, and says why.
    return wanted if wanted in allowed or not allowed else allowed[0]
