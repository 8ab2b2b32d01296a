"""What the office itself waits for: approvals, assessments and storage to review, drafts, handovers, agreements to accept, alarms."""

from collections.abc import Iterable
from typing import Final

from exchange.v1 import desk_service_pb2
from node.notify.plan import DAY, Term
from node.operations.agreements import to_accept
from node.operations.inbox import DESK
from node.operations.officers import ADMINISTRATOR, LIAISON
from node.operations.settle import alarm_reference
from node.operations.work_item import AT_MOST, Viewer, WorkItem
from node.policy.gate import Assessment
from node.ports import Ports
from node.store import alerts, drafts, retention, work
from node.store.alerts import AlertRow
from node.store.directory import standing_alarms
from node.store.handovers import handovers_of
from node.store.submissions import approvals_of, submissions_of
from node.store.transaction import Transaction

REVIEW_AHEAD_MS: Final = 30 * DAY
"""An assessment takes time to renew, and releases that rest on it stop at its term."""
REVIEW_REMINDER_MS: Final = 14 * DAY
DRAFT_AHEAD_MS: Final = 2 * DAY
"""So long before a draft is of no more use it has a term."""


def approvals(_ports: Ports, tx: Transaction, viewer: Viewer, _now: int) -> Iterable[WorkItem]:
    """Submissions that wait for a second officer: the viewer's own wait for a colleague. And oral approvals to put in writing."""
    if not viewer.may(LIAISON):
        return
    for row in submissions_of(tx, viewer.agency):
        if row.state != "waiting" or viewer.person in {given.person for given in approvals_of(tx, row.id)}:
            continue
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_APPROVAL_TO_GIVE,
            reference=row.id,
            counterparty="",
            term=Term(raised_at=row.submitted_at),
            detail=row.alert_type.rpartition(".")[2],
            later=viewer.person == row.author,
            command=f"exchange approval {'show' if viewer.person == row.author else 'give'} {row.id.hex()[:12]}",
        )
    for oral in work.unwritten(tx, viewer.agency):
        if viewer.person in {"", oral.person}:
            yield WorkItem(
                kind=desk_service_pb2.WORK_KIND_APPROVAL_TO_CONFIRM,
                reference=oral.submission,
                counterparty="",
                term=Term(raised_at=oral.at, due_at=oral.confirm_by),
                command=f"exchange approval give {oral.submission.hex()[:12]}",
            )


def assessments_to_review(ports: Ports, _tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """Transfer assessments whose review is due, or near; one that a newer one replaces needs no review."""
    if not viewer.may(LIAISON):
        return
    held = ports.known.assessments
    for one in held:
        if any(_replaces(newer, one) for newer in held):
            continue
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_ASSESSMENT_TO_REVIEW,
            reference=one.digest,
            counterparty=one.destination,
            term=Term(raised_at=one.assessed_at, due_at=one.review_by, remind_at=one.review_by - REVIEW_REMINDER_MS),
            later=now < one.review_by - REVIEW_AHEAD_MS,
            command="exchange assessment list",
        )


def storage_to_review(_ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """Alerts of the agency whose need for storage is to be reviewed now."""
    if not viewer.may(*DESK):
        return
    found = [row for row in retention.page_due(tx, now, AT_MOST) if now < row.erase_by]
    rows = alerts.by_ids(tx, [row.id for row in found])
    for one in found:
        row = rows[one.id]
        if _concerns(tx, row, viewer.agency):
            yield WorkItem(
                kind=desk_service_pb2.WORK_KIND_STORAGE_TO_REVIEW,
                reference=row.digest,
                counterparty="" if row.own else row.originator,
                term=Term(raised_at=one.due_at, due_at=one.due_at),
                command=f"exchange retention review {row.digest.hex()[:12]}",
            )


def drafts_to_finish(_ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """The viewer's own drafts; due by the landing or the end of the alert's validity once that is near. No office waits for them."""
    if not viewer.person or not viewer.may(LIAISON):
        return
    for row in drafts.drafts_of(tx, viewer.agency):
        if row.author == viewer.person:
            near = now < row.useful_until <= now + DRAFT_AHEAD_MS
            yield WorkItem(
                kind=desk_service_pb2.WORK_KIND_DRAFT_TO_FINISH,
                reference=row.id,
                counterparty="",
                # It is never escalated: nobody else finishes it.
                term=Term(raised_at=row.saved_at, due_at=row.useful_until if near else None, escalate_at=row.erase_by),
                detail=row.alert_type.rpartition(".")[2],
                command="",
            )


def handovers_to_take(_ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """Notes of colleagues for the next shift that nobody has taken over: for whoever sits down, not for the office."""
    if not viewer.person or not viewer.may(*DESK):
        return
    for row in handovers_of(tx, viewer.agency, AT_MOST):
        if not row.taken_at and row.author != viewer.person and now < row.erase_by:
            yield WorkItem(
                kind=desk_service_pb2.WORK_KIND_HANDOVER_TO_TAKE,
                reference=row.id,
                counterparty="",
                term=Term(raised_at=row.written_at, escalate_at=row.erase_by),
                command="exchange handover show",
            )


def agreements_to_accept(_ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """What partners signed and an administrator may sign too. No office is told: it is urgent for neither country."""
    if not viewer.person or ADMINISTRATOR not in viewer.roles:
        return
    for row, came_at in to_accept(tx, now):
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_AGREEMENT_TO_ACCEPT,
            reference=row.digest,
            counterparty=row.partner,
            term=Term(raised_at=came_at),
            command=f"exchange agreement accept {row.digest.hex()[:12]}",
        )


def alarms(ports: Ports, tx: Transaction, viewer: Viewer, _now: int) -> Iterable[WorkItem]:
    """Alarms that stand, for administrators."""
    if ADMINISTRATOR not in viewer.roles:
        return
    for row in standing_alarms(tx):
        own = row.partner == ports.trust_domain
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_ALARM,
            reference=alarm_reference(row),
            counterparty="" if own else row.partner,
            term=Term(raised_at=row.at),
            detail=row.code,
            command="exchange log list" if own else f"exchange partner show {row.partner}",
        )


def _replaces(newer: Assessment, old: Assessment) -> bool:
    for_all_of = not newer.recipients or (bool(old.recipients) and old.recipients <= newer.recipients)
    same = newer.destination == old.destination and newer.states >= old.states
    return for_all_of and same and newer.assessed_at > old.assessed_at and newer.review_by >= old.review_by


def _concerns(tx: Transaction, row: AlertRow, agency: str) -> bool:
    return row.originator == agency if row.own else agency in alerts.inboxes_of(tx, row.id)
