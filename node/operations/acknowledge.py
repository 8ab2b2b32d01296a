"""A person has read an alert: the desk says so to the agency that originated it, and by when it decides what to do."""

from collections.abc import Callable

from exchange.v1 import desk_service_pb2
from exchange.v1.acknowledgement_pb2 import Acknowledgement
from node.intake.problems import error
from node.operations.inbox import DESK, given_to
from node.operations.officers import agency_of, require
from node.operations.release import NotReleased, Prepared, prepare
from node.operations.reply import reply_draft
from node.operations.request_cases import REQUEST, cases_of
from node.ports import Ports
from node.request_course import Side
from node.store import alerts
from node.store.alerts import AlertRow
from node.store.journal_queries import first_seen
from node.store.transaction import Transaction

Release = Callable[[Prepared | NotReleased], desk_service_pb2.PublishedAlert]


def acknowledge(
    ports: Ports, person: str, request: desk_service_pb2.AcknowledgeAlertRequest, release: Release
) -> desk_service_pb2.PublishedAlert:
    """Acknowledge an alert that came for the caller's agency; `release` gives it its place in the log.

    It says when a person of the agency first opened it, as the journal has it. Raises `NotFound` as `alerts.find`, and as `prepare`.
    """
    agency = agency_of(require(ports, person, DESK))
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        alert = alerts.find(tx, request.alert, inbox_of=agency)
        given = given_to(tx, alert, agency)
        opened = first_seen(tx, alert.digest, "INBOX_ALERT", agency)
        problem = _unread() if not opened else _problem(ports, tx, alert, agency, request.action_decided_by, now)
        again = alerts.by_requests(tx, [request.request_id])
    if problem and not again:
        return release(NotReleased(request_id=request.request_id, officer=person, problems=(problem,)))
    said = Acknowledgement(manifest_digest=alert.digest, read_at=opened, action_decided_by=request.action_decided_by or None)
    if request.HasField("desk"):
        said.desk.CopyFrom(request.desk)
    draft = reply_draft(
        ports,
        said,
        request_id=request.request_id,
        recipients=(alert.originator,),
        purpose=given[-1].entry.purpose,
        about=alert.digest,
        thread=given[-1].entry.thread,
    )
    return release(prepare(ports, person, draft, request.reason))


def _unread() -> desk_service_pb2.Problem:
    return error("NOT_OPENED", "alert", "nobody of your agency has opened this alert yet", "read it first: exchange inbox show")


def _problem(ports: Ports, tx: Transaction, alert: AlertRow, agency: str, decide_by: int, now: int) -> desk_service_pb2.Problem | None:
    if alert.alert_type == Acknowledgement.DESCRIPTOR.full_name:
        return error("ACKNOWLEDGED_ITSELF", "alert", "an acknowledgement is not acknowledged", "there is nothing more to say")
    if decide_by and decide_by <= now:
        return error("DECIDE_BY_OVER", "decide_by", "that time has passed", "say a later one, or leave it out")
    if alert.alert_type != REQUEST:
        return None
    if any(Side.ASKED in case.course.pending for case in cases_of(ports, tx, alert, now, agency=agency)):
        remedy = "it was read when the clock was stopped; to start it again: exchange request resume"
        return error("REQUEST_SUSPENDED", "alert", "an acknowledgement would start the clock again", remedy)
    return None
