"""Before anything is told of a person: whether somebody else tells or asks of the same one, and whether the two say the same.

Two alerts are about the same person if they share a travel document (number, and issuer where both say it), or a name with the same
birth date to the day. What is weaker, a name with a year, is for people who screen, not for a rule that stops a release. An officer
reads which alert it is only if it is for their agency; of any other that there is one, and whom to ask.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from exchange.errors import NotFound
from exchange.profile import AlertType, alert_type
from exchange.v1 import desk_service_pb2
from exchange.v1.control_pb2 import Refusal
from exchange.v1.information_pb2 import InformationRequest, InformationResponse
from exchange.v1.journal_pb2 import JournalPersonal
from exchange.v1.subject_warning_pb2 import SubjectWarning
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.intake.problems import error, warning
from node.operations.access import note_access
from node.operations.contents import purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.inbox import given_to
from node.operations.keeping import Tokens, tokens_of
from node.operations.officers import LIAISON, PARTNER_OFFICER, agency_of, require
from node.operations.reach import lineage
from node.ports import Ports
from node.store import alerts, logs
from node.store.alerts import PREFIX_AT_LEAST, AlertRow
from node.store.journal import Event, Kind
from node.store.subjects import TOKEN, tokens_of_alerts
from node.store.transaction import Transaction
from node.subjects import document_term, plain_birth

_REQUEST: Final = InformationRequest.DESCRIPTOR.full_name
_ANSWERS: Final = frozenset({InformationResponse.DESCRIPTOR.full_name, Refusal.DESCRIPTOR.full_name})
TELLING: Final = frozenset({TravelAlert.DESCRIPTOR.full_name, SubjectWarning.DESCRIPTOR.full_name, _REQUEST})
"""The types that tell or ask of a person, and are compared."""
_STANDING: Final = frozenset({"active", "disputed", "restricted"})
_MEANWHILE = "another alert about this person was released a moment ago"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Another alert about the same person, as the officer may know of it."""

    digest: bytes
    originator: str
    code: str
    visible: bool
    ask: tuple[str, ...]
    """The agencies of this country (SPIFFE IDs) that may tell of it."""
    conflicts: tuple[str, ...]
    """What the two say otherwise: birth, nationalities. Only of a visible one."""
    references: tuple[str, ...]
    """Its digest and id, in hex."""

    def accepted(self, despite: Collection[str]) -> bool:
        """Whether an officer who wrote this into a draft knew of this alert."""
        written = [text.strip().replace("-", "").lower() for text in despite]
        if not self.visible:
            return any(one.removeprefix("spiffe://") == text.strip().removeprefix("spiffe://") for one in self.ask for text in despite)
        return any(len(text) >= PREFIX_AT_LEAST and one.startswith(text) for text in written for one in self.references)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A draft's person against all that is here."""

    tokens: Tokens
    known: frozenset[int]
    """Rows of every alert that was looked at; whatever else has these tokens came later."""
    duplicates: tuple[Duplicate, ...]


@dataclass(frozen=True, slots=True)
class _Facts:
    documents: frozenset[tuple[bytes, str]]
    births: frozenset[str]
    nationalities: frozenset[str]


def compare(ports: Ports, draft: desk_service_pb2.Draft, kind: AlertType, alert: Any, agency: str) -> Compared:
    """Find what else is here about the person of a draft (and its decoded alert) of that agency's officer. Nothing is usual."""
    tokens = tokens_of(ports, kind, alert)
    asked = tokens.person if kind.name in TELLING and not draft.supersedes else b""
    references = ports.subjects.find(ports.store, asked) if asked else ()
    if not references:
        return Compared(tokens=tokens, known=frozenset(), duplicates=())
    with ports.store.read() as tx:
        if alerts.by_requests(tx, [draft.request_id]):  # the same release again: it is answered as the first time
            return Compared(tokens=tokens, known=frozenset(references), duplicates=())
        rows = _with_tokens(tx, references, tokens.person)
        standing = [row for row in rows if _stands(tx, row, ports.clock.now_ms()) and not _linked(tx, row, draft)]
        found = [one for row in standing if (one := _duplicate(ports, tx, row, agency, alert, tokens)) is not None]
    return Compared(tokens=tokens, known=frozenset(row.id for row in rows), duplicates=tuple(found))


def look(ports: Ports, person: str, draft: desk_service_pb2.Draft, agency: str) -> Compared:
    """Compare for `person`, who reads the outcome before any release: that they asked is recorded first, whatever the answer."""
    kind = alert_type(draft.alert_type)
    compared = compare(ports, draft, kind, kind.message.FromString(draft.alert), agency)
    if kind.name in TELLING and compared.tokens.person and not draft.supersedes:
        found = JournalPersonal(results=[one.digest for one in compared.duplicates])
        note_access(ports, Kind.JOURNAL_KIND_COMBINATION, person, Event(code="COMPARED", personal=found))
    return compared


def problems_of(duplicates: Iterable[Duplicate], despite: Collection[str], *, refuse: bool) -> list[desk_service_pb2.Problem]:
    """What a person reads of other alerts that they did not name in `despite`; errors if a release is refused for them."""
    make = error if refuse else warning
    problems = []
    for one in duplicates:
        if one.accepted(despite):
            continue
        reference = one.references[0][:12]
        if one.visible:
            remedy = f"read it, then name it: --despite-duplicate {reference}; or link this one to it by supersedes or thread"
        else:
            asked = ", ".join(one.ask)
            remedy = f"ask {asked}; then --despite-duplicate {one.ask[0] if one.ask else ''}"
        where = f"{_SAYS[one.code]} ({reference})" if one.visible else f"{_SAYS[one.code]}, which is not for your agency"
        problems.append(make(one.code, f"subject[{reference}]" if one.visible else f"subject[{one.ask[0]}]", where, remedy))
        for conflict in one.conflicts:
            message = f"another alert says otherwise about the holder of this document ({reference})"
            problems.append(make("SUBJECT_CONFLICT", f"{conflict}[{reference}]", message, f"find out which holds: {remedy}"))
    return problems


def place_of_alert(ports: Ports, person: str, reference: str) -> tuple[bytes, bool]:
    """Digest of an alert of the caller's agency, or that it was told, which begins so, and whether it is its own; no digest for none."""
    agency = agency_of(require(ports, person, (LIAISON, PARTNER_OFFICER)))
    with ports.store.read() as tx:
        for own in (True, False):
            try:
                row = alerts.find(tx, reference, originator=agency) if own else alerts.find(tx, reference, told=agency)
            except NotFound:
                continue
            return row.digest, own
    return b"", False


def came_meanwhile(ports: Ports, tx: Transaction, person: bytes, known: frozenset[int], now: int) -> desk_service_pb2.Problem | None:
    """Whether an alert about the person came after the comparison: asked in the transaction of the release."""
    later = ports.subjects.find(ports.store, person) - known
    if not later or not any(_stands(tx, row, now) for row in _with_tokens(tx, later, person)):
        return None
    return error("SUBJECT_ALREADY_ALERTED", "subject", _MEANWHILE, "look again: exchange alert check FILE")


_SAYS: Final = {
    "SUBJECT_ALREADY_ALERTED": "this country alerted of this person already",
    "SUBJECT_ALERTED_BY_PARTNER": "another country alerted of this person",
    "SUBJECT_REQUESTED_OPEN": "a request about this person is open",
}


def _with_tokens(tx: Transaction, references: Collection[int], person: bytes) -> list[AlertRow]:
    """The alerts among these rows that have one of the tokens indeed."""
    wanted = {person[at : at + TOKEN] for at in range(0, len(person), TOKEN)}
    held = tokens_of_alerts(tx, references)
    rows = alerts.by_ids(tx, [reference for reference, tokens in held.items() if not wanted.isdisjoint(tokens)])
    return sorted(rows.values(), key=lambda row: -row.id)


def _stands(tx: Transaction, row: AlertRow, now: int) -> bool:
    """Whether an alert still tells, or a request still asks: later versions that follow requests by their state ask that here."""
    if row.alert_type not in TELLING or row.state not in _STANDING or (row.not_after and now >= row.not_after):
        return False
    if row.alert_type != _REQUEST:
        return True
    return all(answer.alert_type not in _ANSWERS for answer in alerts.answers_to(tx, row.digest, outbound=not row.own))


def _linked(tx: Transaction, row: AlertRow, draft: desk_service_pb2.Draft) -> bool:
    """Whether the draft says itself that it belongs to this alert."""
    named = {draft.thread, draft.in_reply_to} - {b""}
    return bool(named) and not named.isdisjoint(one.digest for one in lineage(tx, row))


def _duplicate(ports: Ports, tx: Transaction, row: AlertRow, agency: str, alert: Any, tokens: Tokens) -> Duplicate | None:
    desks = {row.originator} if row.own else alerts.inboxes_of(tx, row.id)
    visible = agency in desks
    ours = _facts(alert)
    shared = tokens_of_alerts(tx, [row.id])[row.id]
    try:
        whole = _facts(_told(ports, tx, row, ""))
        theirs = _facts(_told(ports, tx, row, agency)) if visible else None
    except NotFound:
        return None  # the key of its month was destroyed: it is erased
    if shared.isdisjoint(tokens.names) and not _same_document(ours, whole):
        return None
    if row.alert_type == _REQUEST:
        code = "SUBJECT_REQUESTED_OPEN"
    else:
        code = "SUBJECT_ALREADY_ALERTED" if row.own else "SUBJECT_ALERTED_BY_PARTNER"
    return Duplicate(
        digest=row.digest,
        originator=row.originator,
        code=code,
        visible=visible,
        ask=tuple(sorted(desks)) or (row.originator,),
        # What is blocked says nothing, not even that it says otherwise.
        conflicts=_conflicts(ours, theirs) if theirs and row.state != "restricted" and _same_document(ours, theirs) else (),
        references=(row.digest.hex(), row.alert_id.hex()),
    )


def _told(ports: Ports, tx: Transaction, row: AlertRow, agency: str) -> Message:
    """The alert as `agency` knows it; with none, all that is here of it, which goes no further than the comparison."""
    kind = alert_type(row.alert_type)
    data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
    fragments: dict[int, bytes] = {}
    if row.own:
        content = unpack_content(data_key.open(purpose_of_alert(row.alert_id), row.sealed or b""))
        fragments = {opening.field: opening.fragment for opening in content.openings}
    else:
        origins = {log.id: log.name.origin for log in logs.all_logs(tx) if not log.outbound}
        given = [(one.log.id, one.row) for one in given_to(tx, row, agency)] if agency else logs.entries_of_alert(tx, row.id)
        for log_id, entry in given:
            if log_id in origins and entry.sealed is not None:
                content = unpack_content(data_key.open(purpose_of_entry(row.alert_id, origins[log_id]), entry.sealed))
                fragments |= {opening.field: opening.fragment for opening in content.openings}
    return kind.message.FromString(b"".join(fragments[number] for number in sorted(fragments)))


def _facts(alert: Any) -> _Facts:
    person = alert.subject if isinstance(alert, InformationRequest) else alert
    return _Facts(
        documents=frozenset((document_term(document.number), document.issuer) for document in person.documents),
        births=frozenset({plain_birth(person.birth.date).rstrip("X")} - {""}),
        nationalities=frozenset(nationality.country for nationality in person.nationalities),
    )


def _same_document(one: _Facts, other: _Facts) -> bool:
    return any(
        number == same and number and (not issuer or not by or issuer == by)
        for number, issuer in one.documents
        for same, by in other.documents
    )


def _conflicts(one: _Facts, other: _Facts) -> tuple[str, ...]:
    found = []
    if any(not (a.startswith(b) or b.startswith(a)) for a in one.births for b in other.births):
        found.append("birth")
    if one.nationalities and other.nationalities and one.nationalities.isdisjoint(other.nationalities):
        found.append("nationalities")
    return tuple(found)
