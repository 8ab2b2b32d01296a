"""Agreements for an emergency, to save life: for one alert, told to both countries' auditors at once, reviewed within a day.

Nobody approves such a release beforehand. That there is such an agreement, and that it was used, is journalled and raises the alarm
EMERGENCY_AGREEMENT at both ends, in the transaction that makes it so; a second officer of the releasing agency reviews it afterwards.
"""

from collections.abc import Iterable
from dataclasses import replace

from exchange.agreement import Agreed
from exchange.disclosure import Disclosure
from exchange.errors import Malformed, NotFound
from exchange.v1 import desk_service_pb2, disclosure_pb2
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, AUDITOR, LIAISON, PARTNER_OFFICER, agency_of, require, turned_away
from node.operations.release import Prepared
from node.ports import Ports
from node.store.alerts import PREFIX_AT_LEAST
from node.store.directory import clear_alarm, raise_alarm
from node.store.emergencies import EmergencyRow, add_emergency, all_emergencies, note_review, unreviewed
from node.store.journal import Event, Kind
from node.store.logs import LogRow
from node.store.transaction import Transaction

REVIEW_WITHIN_MS = 24 * 3_600_000
"""A second officer reviews what was released in an emergency within a day."""
ALARM, LATE = "EMERGENCY_AGREEMENT", "EMERGENCY_UNREVIEWED"


def note_agreed(ports: Ports, tx: Transaction, agreed: Agreed, partner: str, now: int) -> None:
    """Tell the auditors that an agreement for an emergency is in force with that partner; `tx` must write. Nothing for any other."""
    if agreed.agreement.emergency:
        event = Event(code="EMERGENCY", subject=agreed.digest, counterparty=partner, urgent=True)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_AGREEMENT, ports.trust_domain, [event])
        _alarm(ports, tx, agreed.digest, partner, now)


def note_emergencies(ports: Ports, tx: Transaction, item: Prepared, answer: desk_service_pb2.PublishedAlert, now: int) -> None:
    """Note what a release that has its places used; `tx` must write."""
    if answer.problems:
        return
    for prepared, place in zip(item.entries, answer.disclosures, strict=False):
        agreed = ports.known.agreements.get(prepared.entry.agreement_digest)
        if agreed is None or not agreed.agreement.emergency:
            continue
        row = EmergencyRow(
            agreement=agreed.digest,
            partner=prepared.partner,
            own=True,
            manifest=item.alert["digest"],
            origin=place.origin,
            idx=place.index,
            at=now,
            officer=item.officer,
            agency=item.alert["originator"],
            review_by=now + REVIEW_WITHIN_MS,
        )
        _note_use(ports, tx, row, item.officer)
        ports.acquaintance.known = replace(ports.known, spent=ports.known.spent | {agreed.digest})


def note_received(ports: Ports, tx: Transaction, log: LogRow, kept: Iterable[tuple[int, Disclosure]], now: int) -> None:
    """Note what came in under agreements for an emergency; `tx` must write."""
    for index, disclosure in kept:
        agreed = ports.known.agreements.get(disclosure.entry.agreement_digest)
        if agreed is None or not agreed.agreement.emergency:
            continue
        row = EmergencyRow(
            agreement=agreed.digest,
            partner=log.name.sender,
            own=False,
            manifest=disclosure.manifest.digest,
            origin=log.name.origin,
            idx=index,
            at=now,
            officer="",
            agency=disclosure.manifest.value.originator,
            review_by=0,
        )
        _note_use(ports, tx, row, log.name.sender)


def note_recovered(ports: Ports, tx: Transaction, log: LogRow, adopted: Iterable[tuple[int, disclosure_pb2.Entry]], now: int) -> None:
    """Note what our own adopted entries say was told in an emergency; `tx` must write. Who released it is lost, so anybody reviews it."""
    for index, entry in adopted:
        agreed = ports.known.agreements.get(entry.agreement_digest)
        if agreed is None or not agreed.agreement.emergency:
            continue
        row = EmergencyRow(
            agreement=agreed.digest,
            partner=log.name.recipient,
            own=True,
            manifest=entry.manifest_digest,
            origin=log.name.origin,
            idx=index,
            at=now,
            officer="",
            agency="",
            review_by=now + REVIEW_WITHIN_MS,
        )
        _note_use(ports, tx, row, ports.trust_domain)


def list_emergencies(ports: Ports, person: str) -> list[desk_service_pb2.EmergencyUse]:
    """What was told under agreements for an emergency, newest first: officers see what their agency told, the others everything."""
    officer = require(ports, person, (LIAISON, PARTNER_OFFICER, ADMINISTRATOR, AUDITOR))
    with ports.store.read() as tx:
        rows = all_emergencies(tx)
    if AUDITOR in officer.roles:
        note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="URGENT"))
    elif ADMINISTRATOR not in officer.roles:
        rows = [row for row in rows if concerns(row, agency_of(officer))]
    return [_use(row) for row in rows]


def review(ports: Ports, person: str, reference: str, found: str) -> desk_service_pb2.EmergencyUse:
    """Note that a second officer of the agency has looked at what was released, and what the review found. Once more changes nothing.

    Raises `NotPermitted` (REVIEWER_RELEASED_IT), `Malformed` (REASON_MISSING), `NotFound` (AGREEMENT_REFERENCE, EMERGENCY_NOT_FOUND).
    """
    officer = require(ports, person, (LIAISON,))
    if not found.strip():
        raise Malformed("REASON_MISSING", "say what the review found: --reason")
    with ports.store.read() as tx:
        row = _find(tx, agency_of(officer), reference)
    if row.officer == person:
        raise turned_away(ports, person, "REVIEWER_RELEASED_IT", "who released it does not review it: ask a colleague")
    if row.reviewed_at:
        return _use(row)
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        note_review(tx, row.agreement, person, now)
        event = Event(code="EMERGENCY_REVIEWED", subject=row.agreement, counterparty=row.partner, justification=found.strip())
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, person, [event])
        clear_alarm(tx, LATE, partner=row.partner, origin=row.agreement.hex())
    return _use(replace(row, reviewed_by=person, reviewed_at=now))


def concerns(row: EmergencyRow, agency: str) -> bool:
    """Whether an agency has to answer for that use: it released it, or it may have, where only the log still knows of it."""
    return row.own and row.agency in {agency, ""}


def watch_reviews(ports: Ports) -> None:
    """Raise the alarm for each release in an emergency that was not reviewed in time."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        late = unreviewed(tx, now)
    if late:
        with ports.store.write() as tx:
            for row in late:
                raise_alarm(tx, now, LATE, partner=row.partner, origin=row.agreement.hex())


def _note_use(ports: Ports, tx: Transaction, row: EmergencyRow, who: str) -> None:
    add_emergency(tx, row)
    event = Event(
        code="EMERGENCY_USED", subject=row.agreement, counterparty=row.partner, origin=row.origin, index=row.idx, count=1, urgent=True
    )
    ports.journal.record(tx, row.at, Kind.JOURNAL_KIND_AGREEMENT, who, [event])
    _alarm(ports, tx, row.agreement, row.partner, row.at)


def _alarm(ports: Ports, tx: Transaction, agreement: bytes, partner: str, now: int) -> None:
    if raise_alarm(tx, now, ALARM, partner=partner, origin=agreement.hex()):
        event = Event(code=ALARM, subject=agreement, counterparty=partner)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALARM, ports.trust_domain, [event])


def _find(tx: Transaction, agency: str, reference: str) -> EmergencyRow:
    wanted = reference.strip().lower()
    if len(wanted) < PREFIX_AT_LEAST or not all(character in "0123456789abcdef" for character in wanted):
        raise NotFound("AGREEMENT_REFERENCE", "give an agreement's digest in hex, or at least its first 8 characters")
    found = [row for row in all_emergencies(tx) if concerns(row, agency) and row.agreement.hex().startswith(wanted)]
    if len(found) != 1:
        raise NotFound("EMERGENCY_NOT_FOUND", "your agency released nothing under one such agreement: see `exchange emergency list`")
    return found[0]


def _use(row: EmergencyRow) -> desk_service_pb2.EmergencyUse:
    return desk_service_pb2.EmergencyUse(
        agreement_digest=row.agreement,
        partner=row.partner,
        own=row.own,
        manifest_digest=row.manifest,
        origin=row.origin,
        index=row.idx,
        at=row.at,
        officer=row.officer,
        agency=row.agency,
        review_by=row.review_by,
        reviewed_by=row.reviewed_by,
        reviewed_at=row.reviewed_at,
    )
