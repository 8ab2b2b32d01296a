"""Notices of what needs somebody: raised once for each round, delivered at least once under one id, given up with an alarm after a day.

The same sources as the work list's say what is due, for the office as a whole. Rows are written before anything leaves, and marked after:
a crash between the two delivers the same notice, under the same id, again. What is done meanwhile is not told any more.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from exchange.v1 import desk_service_pb2 as messages
from node.notify.notice import Notice, NoticeKind
from node.notify.plan import AT_TERM, DAY, retry_after
from node.operations.work import gather
from node.operations.work_item import WorkItem, office_viewers, told
from node.ports import Ports
from node.store import notices
from node.store.directory import all_alarms, clear_alarm, raise_alarm
from node.store.journal import Event, Kind
from node.store.notices import NoticeRow

GIVE_UP_AFTER_MS: Final = DAY
"""From raising a notice on it is tried for so long."""
KEPT_MS: Final = 30 * DAY
"""A notice that was delivered is remembered for so long after its cause has gone."""
UNDELIVERED: Final = "NOTICE_UNDELIVERED"
_REFERENCE_BYTES: Final = 8
_ID_BYTES: Final = 16
NOTICE_KINDS: Final[Mapping[int, NoticeKind]] = {
    messages.WORK_KIND_ALERT_TO_ACKNOWLEDGE: NoticeKind.ACKNOWLEDGE_DUE,
    messages.WORK_KIND_ALERT_TO_REPORT: NoticeKind.REPORT_DUE,
    messages.WORK_KIND_REPORT_TO_READ: NoticeKind.REPORT_CAME,
    messages.WORK_KIND_REFUSAL_TO_READ: NoticeKind.REFUSAL_CAME,
    messages.WORK_KIND_RECALL_TO_READ: NoticeKind.RECALL_CAME,
    messages.WORK_KIND_ATTESTATION_TO_GIVE: NoticeKind.ATTESTATION_OWED,
    messages.WORK_KIND_ATTESTATION_TO_COME: NoticeKind.ATTESTATION_AWAITED,
    messages.WORK_KIND_APPROVAL_TO_GIVE: NoticeKind.APPROVAL_WAITS,
    messages.WORK_KIND_APPROVAL_TO_CONFIRM: NoticeKind.APPROVAL_UNWRITTEN,
    messages.WORK_KIND_ASSESSMENT_TO_REVIEW: NoticeKind.ASSESSMENT_REVIEW_DUE,
    messages.WORK_KIND_STORAGE_TO_REVIEW: NoticeKind.STORAGE_REVIEW_DUE,
    messages.WORK_KIND_LEAVE_TO_DECIDE: NoticeKind.LEAVE_ASKED,
    messages.WORK_KIND_TIP_TO_LOOK_AT: NoticeKind.TIP_CAME,
    messages.WORK_KIND_REPORT_TO_FORWARD: NoticeKind.REPORT_TO_FORWARD,
    messages.WORK_KIND_EMERGENCY_TO_REVIEW: NoticeKind.EMERGENCY_REVIEW_DUE,
    messages.WORK_KIND_ALARM: NoticeKind.ALARM,
    messages.WORK_KIND_REQUEST_TO_ANSWER: NoticeKind.ANSWER_DUE,
    messages.WORK_KIND_RESPONSE_TO_COME: NoticeKind.RESPONSE_AWAITED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A notice that is to be delivered now, and the way that it goes."""

    id: bytes
    channel: str
    notice: Notice


def raise_notices(ports: Ports, channels: Collection[str]) -> list[Outgoing]:
    """Raise what is due by each of these ways, forget what was done undelivered; returns what is to be delivered now, escalations first."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        items = [item for viewer in office_viewers(ports.officers) for item in gather(ports, tx, viewer, now)]
        held = {row.key: row for row in notices.all_notices(tx)}
        ended = [row.origin for row in all_alarms(tx) if row.code == UNDELIVERED and row.origin not in channels]
    wanted = {row.key: row for row in _due(ports, items, channels, now)}
    new = [row for key, row in wanted.items() if key not in held]
    gone = [row.id for key, row in held.items() if key not in wanted and (row.waits or _last_at(row) < now - KEPT_MS)]
    if new or gone or ended:
        new = [_with_id(ports, row) for row in new]
        with ports.store.write() as tx:
            notices.remove_notices(tx, gone)
            notices.add_notices(tx, new)
            for channel in ended:
                clear_alarm(tx, UNDELIVERED, partner=ports.trust_domain, origin=channel)
    waiting = [row for row in (*(held[key] for key in wanted if key in held), *new) if row.waits and row.next_attempt_at <= now]
    waiting.sort(key=lambda row: (-row.round, row.due_at, row.id))
    return [Outgoing(id=row.id, channel=row.channel, notice=_notice(ports, row)) for row in waiting]


def delivered(ports: Ports, outgoing: Outgoing) -> None:
    """Note that a notice was taken: it is never sent again, and its way works."""
    with ports.store.write() as tx:
        notices.note_delivered(tx, outgoing.id, ports.clock.now_ms())
        clear_alarm(tx, UNDELIVERED, partner=ports.trust_domain, origin=outgoing.channel)


def failed(ports: Ports, outgoing: Outgoing, jitter: float) -> bool:
    """Note that a notice was not taken; it is tried again after a while (`jitter` from 0 to 1), or given up, which raises an alarm.

    Returns whether it was given up.
    """
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        row = notices.find_notice(tx, outgoing.id)
        if row is None:
            return False
        given_up = now - row.raised_at >= GIVE_UP_AFTER_MS
        notices.note_failed(tx, row.id, next_attempt_at=now + retry_after(row.attempts, jitter), given_up_at=now if given_up else 0)
        if given_up and raise_alarm(tx, now, UNDELIVERED, partner=ports.trust_domain, origin=row.channel):
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALARM, ports.trust_domain, [Event(code=UNDELIVERED)])
    return given_up


def _due(ports: Ports, items: Iterable[WorkItem], channels: Collection[str], now: int) -> Iterable[NoticeRow]:
    for item in items:
        current = told(ports.notices, item, now)
        if current is None:
            continue
        for channel in channels:
            yield NoticeRow(
                id=b"",
                kind=_kind(item, current),
                reference=item.reference[:_REFERENCE_BYTES].hex(),
                due_at=item.term.due,
                has_term=int(item.term.due_at is not None),
                round=current,
                channel=channel,
                raised_at=now,
                attempts=0,
                next_attempt_at=now,
                delivered_at=0,
                given_up_at=0,
            )


def _with_id(ports: Ports, row: NoticeRow) -> NoticeRow:
    return replace(row, id=ports.entropy(_ID_BYTES))


def _last_at(row: NoticeRow) -> int:
    return max(row.delivered_at, row.given_up_at)


def _notice(ports: Ports, row: NoticeRow) -> Notice:
    return Notice(
        id=row.id.hex(),
        kind=NoticeKind(row.kind),
        source=ports.trust_domain,
        reference=row.reference,
        due_at=row.due_at if row.has_term else None,
        escalated=row.round > AT_TERM,
        raised_at=row.raised_at,
    )


def _kind(item: WorkItem, current: int) -> NoticeKind:
    kind = NOTICE_KINDS[item.kind]
    return NoticeKind.ANSWER_OVERDUE if kind is NoticeKind.ANSWER_DUE and current >= AT_TERM else kind
