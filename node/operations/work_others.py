"""What waits for an agency's answer or decision: questions, leave to pass on, tips, reports from inside the country, emergencies."""

from collections.abc import Iterable

from exchange.v1 import desk_service_pb2
from exchange.v1.tip_pb2 import TIP_STATE_RECEIVED, TIP_STATE_REFERRED
from node.notify.plan import Term
from node.operations.emergency import concerns
from node.operations.inbox import DESK
from node.operations.officers import LIAISON
from node.operations.request_clocks import open_requests
from node.operations.work_item import Viewer, WorkItem
from node.ports import Ports
from node.store import alerts, emergencies, inside, onward, tips
from node.store.transaction import Transaction

_TO_LOOK_AT = frozenset({int(TIP_STATE_RECEIVED), int(TIP_STATE_REFERRED)})


def questions(ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """Questions that wait for the agency's answer, and those of its own whose answer is overdue; a stopped clock needs nobody yet."""
    if not viewer.may(*DESK):
        return
    for one in open_requests(ports, tx, viewer.agency, now):
        started = one.clock.started_at if one.clock else now
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_RESPONSE_TO_COME if one.own else desk_service_pb2.WORK_KIND_REQUEST_TO_ANSWER,
            reference=one.digest,
            counterparty=one.counterparty,
            term=Term(raised_at=started, due_at=one.due_at or None),
            detail="URGENT" if one.urgent else "",
            later=not one.due_at,
            command=f"exchange request show {one.digest.hex()[:12]}",
        )


def leave_to_decide(_ports: Ports, tx: Transaction, viewer: Viewer, _now: int) -> Iterable[WorkItem]:
    """Questions of others whether they may pass the agency's alert on, or use it in court."""
    if not viewer.may(LIAISON):
        return
    for one in onward.requests_of(tx, viewer.agency, viewer.at_most):
        if one.own or onward.decision_on(tx, one.request, viewer.agency):
            continue
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_LEAVE_TO_DECIDE,
            reference=one.request,
            counterparty=one.asker,
            term=Term(raised_at=one.recorded_at),
            command=f"exchange onward show {one.request.hex()[:12]}",
        )


def leave_to_come(_ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """Questions of the agency whether it may pass another's alert on, which that one has not decided: they need nobody here yet."""
    if not viewer.may(*DESK):
        return
    asked = [one for one in onward.requests_of(tx, viewer.agency, viewer.at_most) if one.own and now < one.until]
    rows = alerts.by_digests(tx, {one.manifest for one in asked})
    for one in asked:
        originator = rows[one.manifest].originator if one.manifest in rows else ""
        if originator and onward.decision_on(tx, one.request, originator) is None:
            yield WorkItem(
                kind=desk_service_pb2.WORK_KIND_LEAVE_TO_COME,
                reference=one.request,
                counterparty=originator,
                term=Term(raised_at=one.recorded_at, due_at=one.until),
                later=True,
                command=f"exchange onward show {one.request.hex()[:12]}",
            )


def tips_to_look_at(_ports: Ports, tx: Transaction, viewer: Viewer, _now: int) -> Iterable[WorkItem]:
    """Tips that nobody of the agency has taken yet, by when the first look is due."""
    if not viewer.may(*DESK):
        return
    for row in tips.tips_at(tx, viewer.agency, viewer.at_most, closed=False):
        if row.state in _TO_LOOK_AT and row.digest:
            yield WorkItem(
                kind=desk_service_pb2.WORK_KIND_TIP_TO_LOOK_AT,
                reference=row.digest,
                counterparty=row.ngo,
                term=Term(raised_at=row.submitted_at, due_at=row.look_by or None),
                detail="CHILD_IN_DANGER" if row.danger else "",
                command=f"exchange tip show {row.reference}",
            )


def reports_to_forward(_ports: Ports, tx: Transaction, viewer: Viewer, _now: int) -> Iterable[WorkItem]:
    """Reports of agencies of this country that their desk passes on abroad."""
    if not viewer.may(*DESK):
        return
    found = inside.waiting_reports(tx, viewer.agency)[: viewer.at_most]
    rows = alerts.by_ids(tx, [one.alert_ref for one in found])
    for one in found:
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_REPORT_TO_FORWARD,
            reference=rows[one.alert_ref].digest,
            counterparty=one.agency,
            term=Term(raised_at=one.at),
            command=f"exchange distribution list {rows[one.alert_ref].digest.hex()[:12]}",
        )


def emergencies_to_review(_ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """What the agency released under an agreement for an emergency, until a second officer has reviewed it: who released it waits."""
    if not viewer.may(LIAISON):
        return
    for row in emergencies.all_emergencies(tx):
        if concerns(row, viewer.agency) and row.review_by and not row.reviewed_at:
            yield WorkItem(
                kind=desk_service_pb2.WORK_KIND_EMERGENCY_TO_REVIEW,
                reference=row.agreement,
                counterparty=row.partner,
                term=Term(raised_at=row.at, due_at=row.review_by),
                later=row.officer == viewer.person and now < row.review_by,
                command=f"exchange emergency review {row.agreement.hex()[:12]}",
            )
