"""The work list: what needs a person now, gathered from a closed list of sources and sorted by urgency.

Nothing of it is stored: each thing follows from what is kept for other reasons, so nothing can be forgotten, and what is done is gone. A
new kind of work is one more source here. Sources only read; each looks whether the viewer may see anything of it.
"""

from collections.abc import Callable, Iterable
from typing import Final

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations import work_inbox, work_office, work_others, work_sent
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, agency_of, require
from node.operations.work_item import WORKERS, Viewer, WorkItem, by_urgency, escalated, overdue, viewer_of
from node.ports import Ports
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

Source = Callable[[Ports, Transaction, Viewer, int], Iterable[WorkItem]]

SOURCES: Final[tuple[Source, ...]] = (
    work_inbox.alerts_to_answer,
    work_inbox.answers_to_read,
    work_inbox.recalls_to_read,
    work_inbox.attestations_to_give,
    work_inbox.purges_to_confirm,
    work_sent.refusals_to_read,
    work_sent.attestations_to_come,
    work_office.approvals,
    work_office.assessments_to_review,
    work_office.storage_to_review,
    work_office.drafts_to_finish,
    work_office.handovers_to_take,
    work_others.questions,
    work_others.leave_to_decide,
    work_others.leave_to_come,
    work_others.tips_to_look_at,
    work_others.reports_to_forward,
    work_others.emergencies_to_review,
    work_office.agreements_to_accept,
    work_office.alarms,
)
SHOWN_AT_MOST: Final = 1000
_DIGEST: Final = 32
_NOT_ALERTS: Final = frozenset({messages.WORK_KIND_ALARM, messages.WORK_KIND_ASSESSMENT_TO_REVIEW, messages.WORK_KIND_AGREEMENT_TO_ACCEPT})


def list_work(ports: Ports, person: str, request: messages.ListWorkRequest) -> messages.ListWorkResponse:
    """What needs the caller or the caller's agency, most urgent first; with `all` also what needs nobody yet. A consultation, journalled.

    Raises `NotPermitted` (ROLE_MISSING, AGENCY_MISSING).
    """
    entry = require(ports, person, WORKERS)
    if set(entry.roles) & set(WORKERS) != {ADMINISTRATOR}:
        agency_of(entry)
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        found = [item for item in gather(ports, tx, viewer_of(person, entry), now) if request.all or not item.later]
    shown = by_urgency(found, now)[:SHOWN_AT_MOST]
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="WORK", personal=JournalPersonal(results=seen_in(shown))))
    return messages.ListWorkResponse(items=[shown_item(ports, item, now) for item in shown], left_off=len(found) - len(shown))


def gather(ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> list[WorkItem]:
    """All that the sources know of for a viewer, in no order."""
    return [item for source in SOURCES for item in source(ports, tx, viewer, now)]


def seen_in(items: Iterable[WorkItem]) -> list[bytes]:
    """The digests of the alerts that whoever is shown these learns of: what the journal keeps of it."""
    return sorted({item.reference for item in items if len(item.reference) == _DIGEST and item.kind not in _NOT_ALERTS})


def shown_item(ports: Ports, item: WorkItem, now: int) -> messages.WorkItem:
    """One thing as whoever asked is told of it."""
    return messages.WorkItem(
        kind=item.kind,
        reference=item.reference,
        counterparty=item.counterparty,
        raised_at=item.term.raised_at,
        due_at=item.term.due_at or 0,
        overdue=overdue(item, now),
        escalated=escalated(ports.notices, item, now),
        lands_at=item.lands_at or 0,
        zone=item.zone,
        departs_at=item.departs_at or 0,
        departs_zone=item.departs_zone,
        detail=item.detail,
        later=item.later,
        command=item.command,
    )
