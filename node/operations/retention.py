"""How long alerts are kept here: what is due, legal holds, reviews, and the runs that erase what is past its limit.

Officers decide about what their agency sent or was given; administrators run what is due; auditors see all of it. Nobody sees content.
"""

from collections.abc import Iterable
from typing import Final

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.retention import Due, Term, due, term
from exchange.v1 import desk_service_pb2 as messages
from node.config import OfficerEntry
from node.operations import draft_box, erase, handover, lapsing, tip_erase
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, AUDITOR, LIAISON, PARTNER_OFFICER, agency_of, require
from node.operations.paging import page_size
from node.operations.summaries import own_summary
from node.ports import Ports
from node.store import alerts, drafts, handovers, retention, tips
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.retention import HoldRow
from node.store.transaction import Transaction

DESK: Final = (LIAISON, PARTNER_OFFICER)
SEES_ALL: Final = (AUDITOR, ADMINISTRATOR)
ROUNDS: Final = 4
"""Of `erase.AT_ONCE` alerts in one call: it answers before a person's patience ends."""
_SCANNED: Final = 500
_STATES: Final = {
    Due.NOTHING: messages.RETENTION_DUE_UNSPECIFIED,
    Due.REVIEW: messages.RETENTION_DUE_REVIEW,
    Due.ERASE: messages.RETENTION_DUE_ERASURE,
    Due.HELD: messages.RETENTION_DUE_HELD,
}


def list_due(ports: Ports, person: str, request: messages.ListRetentionRequest) -> messages.ListRetentionResponse:
    """What is due for review or erasure, longest first: an officer's agency's own, for others all.

    A page of an officer may hold fewer than were asked for, and still be followed by another. Raises `Malformed` (PAGE_SIZE, PAGE_TOKEN).
    """
    officer = require(ports, person, (*DESK, *SEES_ALL))
    size, after = page_size(request.page_size, _SCANNED), _read_token(request.page_token)
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        found = retention.page_due(tx, now, size + 1, after=after)
        rows = alerts.by_ids(tx, [row.id for row in found[:size]])
        shown = [rows[row.id] for row in found[:size] if row.id in rows and _concerns(tx, officer, rows[row.id])]
        listed = retention_of(ports, tx, shown)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="RETENTION"))
    token = f"{found[size - 1].due_at}-{found[size - 1].id}" if len(found) > size else ""
    return messages.ListRetentionResponse(alerts=listed, next_page_token=token, copies=ports.store.copies())


def run(ports: Ports, person: str, *, dry_run: bool) -> messages.RunRetentionResponse:
    """Erase what is past its limit, or only count it; at most `ROUNDS` batches, so that `erased` above 0 says: ask again.

    Raises as `run_due`.
    """
    require(ports, person, (ADMINISTRATOR,))
    if not dry_run:
        return run_due(ports, person)
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        waiting, held = retention.count_past(tx, now)
        waiting += tips.count_past(tx, now) + drafts.count_past(tx, now) + handovers.count_past(tx, now)
        waiting += lapsing.count_past(tx, now)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="RETENTION"))
    return messages.RunRetentionResponse(erased=waiting, held=held, copies=ports.store.copies())


def run_due(ports: Ports, actor: str, *, months: bool = True) -> messages.RunRetentionResponse:
    """Erase alerts, tips, drafts, what waits for approval, and handovers past their limit, for a person or this trust domain.

    With `months` also keys that wrap nothing more.

    Looking for such months reads the index of all that is here. Raises `StoreFailed`: what was begun is finished by the next run.
    """
    erase.finish(ports)
    erased = tip_erase.run_due(ports, actor) + draft_box.erase_due(ports, actor) + handover.erase_due(ports, actor)
    erased += lapsing.lapse_due(ports, actor)
    for _ in range(ROUNDS):
        with ports.store.read() as tx:
            waiting = retention.to_erase(tx, ports.clock.now_ms(), erase.AT_ONCE)
        if not waiting:
            break
        erased += erase.intend(ports, actor, waiting, justification="the limit of its retention has passed")
        erase.finish(ports)
    periods = erase.intend_periods(ports, actor) if months else []
    erase.finish(ports)
    details = erase.expire_details(ports, actor)
    with ports.store.read() as tx:
        _, held = retention.count_past(tx, ports.clock.now_ms())
    return messages.RunRetentionResponse(erased=erased, held=held, periods=len(periods), details=details, copies=ports.store.copies())


def hold(ports: Ports, person: str, reference: str, reason: str) -> messages.Retention:
    """Keep an alert beyond its limit for as long as the caller's agency needs it, as for a court.

    Raises `Refused` (REASON_MISSING), `NotFound` as `alerts.find`, and ERASED, `Conflict` (ERASURE_BEGUN).
    """
    agency = _deciding(ports, person, reason)
    with ports.store.write() as tx:
        row = _still_here(tx, find(tx, agency, reference))
        now = ports.clock.now_ms()
        retention.put_hold(tx, HoldRow(alert_ref=row.id, agency=agency, placed_at=now))
        _journal(ports, tx, person, "HELD", row, reason)
        return retention_of(ports, tx, [row])[0]


def release_hold(ports: Ports, person: str, reference: str, reason: str) -> messages.Retention:
    """End the hold of the caller's agency; what is past its limit is erased at the next run, unless another agency holds it.

    Raises `Refused` (REASON_MISSING), `NotFound` as `alerts.find`, and HOLD_NONE.
    """
    agency = _deciding(ports, person, reason)
    with ports.store.write() as tx:
        row = find(tx, agency, reference)
        if not retention.remove_hold(tx, row.id, agency):
            raise NotFound("HOLD_NONE", "your agency does not hold this alert")
        _journal(ports, tx, person, "RELEASED", row, reason)
        return retention_of(ports, tx, [row])[0]


def review(ports: Ports, person: str, reference: str, reason: str) -> messages.Retention:
    """Note that the caller's agency looked, and that the alert is still needed: the next review is a year from now, the limit stays.

    Raises `Refused` (REASON_MISSING), `NotFound` as `alerts.find`, and ERASED, `Conflict` (ERASURE_BEGUN).
    """
    agency = _deciding(ports, person, reason)
    with ports.store.write() as tx:
        row = _still_here(tx, find(tx, agency, reference))
        kept = term(row.recorded_at, row.erase_by, ports.retention.review_days, ports.clock.now_ms())
        retention.set_term(tx, row.id, kept.erase_by, kept.next_at)
        _journal(ports, tx, person, "REVIEWED", row, reason)
        return retention_of(ports, tx, list(alerts.by_ids(tx, [row.id]).values()))[0]


def erase_early(ports: Ports, person: str, reference: str, reason: str) -> messages.Retention:
    """Erase an alert of the caller's agency before its limit. What another agency of this country was given too stays for it.

    Raises `Refused` (REASON_MISSING, HELD, NOT_ALONE), `NotFound` as `alerts.find`, and ERASED, `Conflict` (ERASURE_BEGUN), `StoreFailed`.
    """
    agency = _deciding(ports, person, reason)
    with ports.store.read() as tx:
        row = _still_here(tx, find(tx, agency, reference))
        if retention.holds_of(tx, [row.id]):
            raise Refused("HELD", "a legal hold keeps this alert: release it first")
        if alerts.inboxes_of(tx, row.id) - {agency}:
            raise Refused("NOT_ALONE", "another agency of this country was given this alert too: it goes when its limit has passed")
    erase.intend(ports, person, [row.id], justification=reason.strip())
    erase.finish(ports)
    with ports.store.read() as tx:
        return retention_of(ports, tx, list(alerts.by_ids(tx, [row.id]).values()))[0]


def find(tx: Transaction, agency: str, reference: str) -> AlertRow:
    """The one alert that an agency sent or was given. Raises `NotFound` as `alerts.find`."""
    try:
        return alerts.find(tx, reference, originator=agency)
    except NotFound as missing:
        if missing.code != "ALERT_NOT_FOUND":
            raise
    return alerts.find(tx, reference, inbox_of=agency)


def retention_of(ports: Ports, tx: Transaction, rows: Iterable[AlertRow]) -> list[messages.Retention]:
    """How long each of these alerts is kept, and who holds it."""
    rows = list(rows)
    holds: dict[int, list[messages.LegalHold]] = {}
    for one in retention.holds_of(tx, [row.id for row in rows]):
        holds.setdefault(one.alert_ref, []).append(messages.LegalHold(agency=one.agency, placed_at=one.placed_at))
    return [_retention(row, holds.get(row.id, []), ports.clock.now_ms()) for row in rows]


def _retention(row: AlertRow, holds: list[messages.LegalHold], now: int) -> messages.Retention:
    kept = Term(erase_by=row.erase_by, review_by=row.due_at if row.due_at < row.erase_by else 0)
    state = due(kept, now, held=bool(holds)) if row.due_at else Due.NOTHING
    return messages.Retention(
        summary=own_summary(row, now), own=row.own, due=_STATES[state], erase_by=row.erase_by, review_by=kept.review_by, holds=holds
    )


def _deciding(ports: Ports, person: str, reason: str) -> str:
    agency = agency_of(require(ports, person, DESK))
    if not reason.strip():
        raise Refused("REASON_MISSING", "say why: --reason")
    return agency


def _still_here(tx: Transaction, row: AlertRow) -> AlertRow:
    if row.state == "erased":
        raise NotFound("ERASED", "this alert has been erased: only the record of who was told is left")
    if any(one.done_at is None for one in retention.erasures_of(tx, row.id)):
        raise Conflict("ERASURE_BEGUN", "this alert is being erased: that cannot be taken back")
    return row


def _concerns(tx: Transaction, officer: OfficerEntry, row: AlertRow) -> bool:
    if set(SEES_ALL) & set(officer.roles):
        return True
    agency = agency_of(officer)
    return row.originator == agency if row.own else agency in alerts.inboxes_of(tx, row.id)


def _journal(ports: Ports, tx: Transaction, person: str, code: str, row: AlertRow, reason: str) -> None:
    event = Event(code=code, subject=row.digest, justification=reason.strip())
    ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_RETENTION, person, [event])


def _read_token(token: str) -> tuple[int, int]:
    due_at, _, reference = token.partition("-")
    if not token:
        return 0, 0
    if not (due_at.isascii() and due_at.isdigit() and reference.isascii() and reference.isdigit() and len(token) < 40):
        raise Malformed("PAGE_TOKEN", "the page token is not one that this list gave out: begin at its first page")
    return int(due_at), int(reference)
