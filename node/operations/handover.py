"""From one shift to the next: a note in somebody's own words, and all that is open at the agency when it is read.

What is open is never copied into the note: it is gathered anew from the work list, so it is as of now. The note is sealed, and erased 72
hours after it was written whatever it says: it may speak of an alert that is withdrawn meanwhile, and outlives it by no more than that.

    note = hand_over(ports, person, request_id, "…")
    shown = current(ports, next_person)                   # the notes that are kept, and what is open
    take_over(ports, next_person, note.id.hex())          # read: by whom, and when
"""

import re
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Final

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations.access import note_access
from node.operations.destroyed import attest_destroyed
from node.operations.inbox import DESK
from node.operations.officers import agency_of, require, turned_away
from node.operations.work import gather, seen_in, shown_item
from node.operations.work_item import LISTED, Viewer, by_urgency
from node.ports import Ports
from node.store import handovers
from node.store.handovers import HandoverRow
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

KEPT_MS: Final = 72 * 3_600_000
NOTE_AT_MOST: Final = 2_000
"""Characters."""
KEPT_AT_MOST: Final = 50
"""Notes of one agency at one time."""
SHOWN_AT_MOST: Final = 5
OPEN_AT_MOST: Final = 120
"""So many notes are shown, and things that are open: the most urgent of them are a shift's work, and a page is a page."""
_AT_ONCE: Final = 256
_KEY: Final = "handovers"
_PURPOSE: Final = b"handover\0"
_ID_BYTES: Final = 16
_REFERENCE: Final = re.compile(r"[0-9a-f]{8,32}")


def hand_over(ports: Ports, person: str, request_id: bytes, note: str) -> messages.HandoverNote:
    """Leave a note for the next shift of the caller's agency; the same request again leaves no second one.

    Raises `NotPermitted`, `Malformed` (REQUEST_ID, NOTE_MISSING, NOTE_TOO_LONG), `Refused` (HANDOVERS_TOO_MANY).
    """
    agency = agency_of(require(ports, person, DESK))
    text = note.replace("\r\n", "\n").strip()
    if len(request_id) != _ID_BYTES:
        raise Malformed("REQUEST_ID", "the request id is not 16 bytes")
    if not text:
        raise Malformed("NOTE_MISSING", "the note says nothing: the next shift sees what is open without it")
    if len(text) > NOTE_AT_MOST:
        raise Malformed("NOTE_TOO_LONG", f"a note has at most {NOTE_AT_MOST} characters")
    now = ports.clock.now_ms()
    identifier = sha256(b"alert-exchange/v1 handover request\0" + person.encode() + b"\0" + request_id).digest()[:_ID_BYTES]
    row = HandoverRow(
        id=identifier,
        author=person,
        agency=agency,
        written_at=now,
        erase_by=now + KEPT_MS,
        taken_by="",
        taken_at=0,
        sealed=ports.vault.lasting_key(ports.store, _KEY).seal(_PURPOSE + identifier, text.encode()),
    )
    with ports.store.write() as tx:
        before = next((one for one in handovers.handovers_of(tx, agency, KEPT_AT_MOST) if one.id == identifier), None)
        full = before is None and handovers.count_handovers(tx, agency) >= KEPT_AT_MOST
        if before is None and not full:
            handovers.add_handover(tx, row)
            _journal(ports, tx, Kind.JOURNAL_KIND_COLLECTION, person, "HANDED_OVER", [identifier])
    if full:
        raise Refused("HANDOVERS_TOO_MANY", f"your agency has {KEPT_AT_MOST} notes: they go 72 hours after they were written")
    return _opened(ports, before or row)


def current(ports: Ports, person: str) -> messages.GetHandoverResponse:
    """The newest notes of the caller's agency, and what is open there, whomever of it that waits for. A consultation, journalled.

    Raises `NotPermitted` (ROLE_MISSING, AGENCY_MISSING).
    """
    entry = require(ports, person, DESK)
    agency, now = agency_of(entry), ports.clock.now_ms()
    # Nobody in particular: what waits for a colleague is open too. What the role may not see, it does not see here either.
    anybody = Viewer(person="", agency=agency, roles=frozenset(entry.roles) & set(DESK), at_most=LISTED)
    with ports.store.read() as tx:
        # What is past its limit is read no more, though the run that erases it may be late.
        rows = [row for row in handovers.handovers_of(tx, agency, SHOWN_AT_MOST) if now < row.erase_by]
        found = by_urgency(gather(ports, tx, anybody, now), now)
    shown = found[:OPEN_AT_MOST]
    events = [Event(code="HANDOVER", subject=_named(row.id)) for row in rows]
    events.append(Event(code="WORK", personal=JournalPersonal(results=seen_in(shown))))
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, *events)
    return messages.GetHandoverResponse(
        handovers=[_opened(ports, row) for row in rows],
        open=[shown_item(ports, item, now) for item in shown],
        left_off=len(found) - len(shown),
    )


def take_over(ports: Ports, person: str, reference: str) -> messages.HandoverNote:
    """Say that the caller has read a note and takes the shift; who says so first has it.

    Raises `NotPermitted` (HANDOVER_OWN, …), `NotFound` (HANDOVER_UNKNOWN), `Conflict` (HANDOVER_TAKEN).
    """
    agency = agency_of(require(ports, person, DESK))
    row = _find(ports, agency, reference)
    if row.author == person:
        raise turned_away(ports, person, "HANDOVER_OWN", "whoever writes a note does not take it over")
    with ports.store.write() as tx:
        now = ports.clock.now_ms()
        if handovers.take_handover(tx, row.id, person, now):
            _journal(ports, tx, Kind.JOURNAL_KIND_ALTERATION, person, "TAKEN_OVER", [row.id])
    taken = _find(ports, agency, row.id.hex())
    if taken.taken_by != person:
        raise Conflict("HANDOVER_TAKEN", "somebody else has taken this over: look again")
    return _opened(ports, taken)


def erase_due(ports: Ports, actor: str) -> int:
    """Erase notes whose limit has passed; `actor` is a person or this trust domain. Returns how many."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        waiting = handovers.handovers_past(tx, now, _AT_ONCE)
    if waiting:
        with ports.store.write() as tx:
            handovers.destroy_handovers(tx, waiting)
            _journal(ports, tx, Kind.JOURNAL_KIND_ERASURE, actor, "HANDOVER_INTENDED", waiting)
    finish_erasure(ports)
    return len(waiting)


def finish_erasure(ports: Ports) -> None:
    """Attest all that was destroyed. Raises `StoreFailed` (STORE_LOCKED): the next call goes on from there."""

    def attest(tx: Transaction, gone: Sequence[bytes]) -> None:
        handovers.remove_handovers(tx, gone)
        _journal(ports, tx, Kind.JOURNAL_KIND_ERASURE, ports.trust_domain, "HANDOVER_DONE", gone)

    attest_destroyed(ports, lambda tx: handovers.destroyed_handovers(tx, _AT_ONCE), attest)


def _find(ports: Ports, agency: str, reference: str) -> HandoverRow:
    found: Sequence[HandoverRow] = []
    if _REFERENCE.fullmatch(reference.lower()):
        with ports.store.read() as tx:
            kept = [row for row in handovers.handovers_of(tx, agency, KEPT_AT_MOST) if ports.clock.now_ms() < row.erase_by]
        found = [row for row in kept if row.id.hex().startswith(reference.lower())]
    if len(found) != 1:
        raise NotFound("HANDOVER_UNKNOWN", "your agency has no such note: it was erased 72 hours after it was written, or never written")
    return found[0]


def _opened(ports: Ports, row: HandoverRow) -> messages.HandoverNote:
    # The rows that are found hold something.
    text = ports.vault.lasting_key(ports.store, _KEY).open(_PURPOSE + row.id, row.sealed or b"")
    return messages.HandoverNote(
        id=row.id,
        author=row.author,
        written_at=row.written_at,
        erase_by=row.erase_by,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
        note=text.decode(),
    )


def _journal(ports: Ports, tx: Transaction, kind: Kind.ValueType, actor: str, code: str, identifiers: Collection[bytes]) -> None:
    events = [Event(code=code, subject=_named(identifier)) for identifier in identifiers]
    ports.journal.record(tx, ports.clock.now_ms(), kind, actor, events)


def _named(identifier: bytes) -> bytes:
    """What the journal calls a note."""
    return sha256(b"alert-exchange/v1 handover\0" + identifier).digest()
