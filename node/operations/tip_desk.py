"""What a desk does with tips: look, take, assess, refer, close, and ask the NGO to keep a child safe. One desk's tips are nobody else's."""

from dataclasses import replace
from typing import Final

from exchange.errors import Malformed, Refused
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.journal_pb2 import JournalPersonal
from exchange.v1.tip_pb2 import (
    TIP_STATE_ACTED_UPON,
    TIP_STATE_CLOSED,
    TIP_STATE_REFERRED,
    TIP_STATE_UNDER_ASSESSMENT,
)
from node.operations.access import note_access
from node.operations.inbox import DESK
from node.operations.officers import agency_of, require
from node.operations.reach import holders
from node.operations.tip_content import open_tip, plan_of, read_reference, summary_of, unknown
from node.ports import Ports
from node.store import alerts, tips
from node.store.journal import Event, Kind
from node.store.tips import HELD, TipRow
from node.store.transaction import Transaction
from node.tips.completeness import completeness
from node.tips.routing import REASONS, proposed
from node.tips.states import State, check_step

LISTED_AT_MOST: Final = 500
_MINUTE: Final = 60_000
_ASSESSED: Final = frozenset({TIP_STATE_UNDER_ASSESSMENT, TIP_STATE_ACTED_UPON})


def list_tips(ports: Ports, person: str, request: messages.ListTipsRequest) -> messages.ListTipsResponse:
    """The tips of the caller's desk, what waits for a first look first. Raises `NotPermitted` as `require`."""
    agency = agency_of(require(ports, person, DESK))
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        rows = tips.tips_at(tx, agency, LISTED_AT_MOST, closed=request.all)
        total = tips.count_at(tx, agency, closed=request.all)
    seen = JournalPersonal(results=[row.digest for row in rows if row.digest is not None])
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="TIPS", personal=seen))
    return messages.ListTipsResponse(tips=[summary_of(row, now) for row in rows], left_off=total - len(rows))


def get_tip(ports: Ports, person: str, reference: str) -> messages.GetTipResponse:
    """One tip of the caller's desk, without whoever reported it. Raises `NotPermitted` as `require`, `NotFound` (TIP_UNKNOWN)."""
    agency = agency_of(require(ports, person, DESK))
    plan = plan_of(ports, person)
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        row = find(tx, agency, reference)
        tip = open_tip(ports, tx, row) if row.content == HELD else None
        digest = row.digest or b""
        answer = messages.GetTipResponse(
            summary=summary_of(row, now),
            routing=[messages.TipRemark(code=code, text=REASONS[code]) for code in row.because.split(",")],
            releases=_releases(tx, digest),
            answers=[
                messages.TipAnswer(agency=one.agency, state=State.ValueType(one.state), received_at=one.received_at)
                for one in tips.answers_about(tx, digest)
            ],
            safeguards=[
                messages.TipSafeguardRequest(code=messages.TipSafeguard.ValueType(code), requested_at=at)
                for code, at in tips.safeguards_of(tx, digest)
            ],
            contact_held=row.contact == HELD,
            close_reason=messages.TipCloseReason.ValueType(row.close_reason),
        )
    if tip is not None:
        scored = completeness(tip)
        answer.view = tip.SerializeToString(deterministic=True)
        answer.score = scored.score
        answer.missing.extend(messages.TipRemark(field=question.field, text=question.ask) for question in scored.missing)
        answer.proposed.extend(proposed(tip, plan))
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="TIP", subject=row.digest or b""))
    return answer


def take_tip(ports: Ports, person: str, reference: str) -> messages.TipSummary:
    """Take a tip up: it is under assessment, and the clock of the first look stops. Taking one's own again changes nothing.

    A colleague of the same desk may take it over. Raises `NotPermitted` as `require`, `NotFound` (TIP_UNKNOWN), `Conflict` (TIP_STATE).
    """
    agency = agency_of(require(ports, person, DESK))
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        row = find(tx, agency, reference)
        if row.officer == person and row.state == TIP_STATE_UNDER_ASSESSMENT:
            return summary_of(row, now)
        if row.state != TIP_STATE_UNDER_ASSESSMENT:
            check_step(row.state, TIP_STATE_UNDER_ASSESSMENT)
        values: dict[str, str | int] = {"state": int(TIP_STATE_UNDER_ASSESSMENT), "officer": person, "looked_at": row.looked_at or now}
        return _change(ports, tx, person, row, values, Event(code="TIP_TAKEN"))


def assess_tip(ports: Ports, person: str, request: messages.AssessTipRequest) -> messages.TipSummary:
    """Say that a tip was acted upon in this country, or take it up once more.

    Raises `NotPermitted` as `require`, `NotFound` (TIP_UNKNOWN), `Malformed` (TIP_STATE_UNKNOWN), `Refused` (REASON_MISSING), `Conflict`
    (TIP_STATE).
    """
    agency = agency_of(require(ports, person, DESK))
    if request.state not in _ASSESSED:
        raise Malformed("TIP_STATE_UNKNOWN", "an assessment says: under assessment, or acted upon; close and refer have verbs of their own")
    _check_reason(ports, request.reason)
    code = "TIP_ACTED_UPON" if request.state == TIP_STATE_ACTED_UPON else "TIP_TAKEN"
    with ports.store.write() as tx:
        row = find(tx, agency, request.tip)
        values: dict[str, str | int] = {"state": check_step(row.state, request.state)}
        if request.state == TIP_STATE_UNDER_ASSESSMENT:
            values |= {"officer": person, "looked_at": row.looked_at or ports.clock.now_ms()}
        return _change(ports, tx, person, row, values, Event(code=code, justification=request.reason.strip()))


def refer_tip(ports: Ports, person: str, request: messages.ReferTipRequest) -> messages.TipSummary:
    """Give a tip to another desk of this country, whose clock begins; this desk sees it no more.

    Raises `NotPermitted` as `require`, `NotFound` (TIP_UNKNOWN), `Refused` (AGENCY_UNKNOWN, REASON_MISSING), `Conflict` (TIP_STATE).
    """
    agency = agency_of(require(ports, person, DESK))
    plan = plan_of(ports, person)
    _check_reason(ports, request.reason)
    if request.agency not in other_desks(ports, person):
        raise Refused("AGENCY_UNKNOWN", "no other agency of this country has a desk of that name here: nobody would look")
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        row = find(tx, agency, request.tip)
        minutes = plan.danger_minutes if row.danger else plan.look_minutes
        values: dict[str, str | int] = {
            "state": check_step(row.state, TIP_STATE_REFERRED),
            "agency": request.agency,
            "because": "REFERRED" if not row.danger else "REFERRED,CHILD_MAY_BE_IN_DANGER",
            "officer": "",
            "look_by": now + minutes * _MINUTE,
            "looked_at": 0,
        }
        event = Event(code="TIP_REFERRED", counterparty=request.agency, justification=request.reason.strip())
        return _change(ports, tx, person, row, values, event)


def other_desks(ports: Ports, person: str) -> list[str]:
    """The agencies of this country (SPIFFE IDs) to which the person may refer a tip: each has a desk, none is an organisation that tells.

    Raises `NotPermitted` as `require`.
    """
    agency = agency_of(require(ports, person, DESK))
    tellers = ports.tips.agencies if ports.tips else {}
    known = {str(entry.agency) for entry in ports.officers.values() if entry.agency and set(DESK) & set(entry.roles)}
    return sorted(known - {agency, *tellers})


def close_tip(ports: Ports, person: str, request: messages.CloseTipRequest) -> messages.TipSummary:
    """Close a tip, for one of the coded reasons. Closed is closed.

    Raises `NotPermitted` as `require`, `NotFound` (TIP_UNKNOWN), `Malformed` (TIP_CLOSE_REASON), `Refused` (REASON_MISSING), `Conflict`
    (TIP_STATE).
    """
    agency = agency_of(require(ports, person, DESK))
    if not request.code or request.code not in messages.TipCloseReason.values():
        raise Malformed("TIP_CLOSE_REASON", "a tip is closed for one of the coded reasons: --reason-code")
    _check_reason(ports, request.reason)
    with ports.store.write() as tx:
        row = find(tx, agency, request.tip)
        values: dict[str, str | int] = {"state": check_step(row.state, TIP_STATE_CLOSED), "close_reason": int(request.code)}
        return _change(ports, tx, person, row, values, Event(code="TIP_CLOSED", justification=request.reason.strip()))


def safeguard_tip(ports: Ports, person: str, request: messages.SafeguardTipRequest) -> messages.TipSummary:
    """Ask the NGO for something that keeps a child safe, by a code: it reads that and nothing else.

    Raises `NotPermitted` as `require`, `NotFound` (TIP_UNKNOWN), `Malformed` (TIP_SAFEGUARD).
    """
    agency = agency_of(require(ports, person, DESK))
    if not request.code or request.code not in messages.TipSafeguard.values():
        raise Malformed("TIP_SAFEGUARD", "a request to an NGO is one of the codes: --text-code")
    with ports.store.write() as tx:
        row = find(tx, agency, request.tip)
        tips.add_safeguard(tx, row.digest or b"", int(request.code), ports.clock.now_ms())
        return _change(ports, tx, person, row, {}, Event(code="TIP_SAFEGUARD"))


def find(tx: Transaction, agency: str, reference: str) -> TipRow:
    """The tip of that reference that a desk has now; a draft is at none. Raises `NotFound` (TIP_UNKNOWN), also for another desk's."""
    row = tips.tip_called(tx, read_reference(reference))
    if row is None or row.agency != agency:
        raise unknown()
    return row


def _change(ports: Ports, tx: Transaction, person: str, row: TipRow, values: dict[str, str | int], event: Event) -> messages.TipSummary:
    if values:
        tips.change_tip(tx, row.id, values)
    event = replace(event, subject=row.digest or b"")
    ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_ALTERATION, person, [event])
    return summary_of(tips.tip_called(tx, row.reference) or row, ports.clock.now_ms())


def _check_reason(ports: Ports, reason: str) -> None:
    if ports.justification_mandatory and not reason.strip():
        raise Refused("REASON_MISSING", "say why: --reason")


def _releases(tx: Transaction, digest: bytes) -> list[messages.TipRelease]:
    found = []
    released = tips.releases_of(tx, digest)
    rows = alerts.by_digests(tx, {manifest for manifest, _ in released})
    for manifest, at in released:
        row = rows[manifest]
        told = sorted({agency for agencies in holders(tx, row).values() for agency in agencies})
        found.append(messages.TipRelease(manifest_digest=manifest, alert_type=row.alert_type, recipients=told, released_at=at))
    return found
