"""Opening one committed record: who did it, and why. For a lawful purpose, with a justification, journalled before it is shown."""

from dataclasses import dataclass, replace

from exchange.disclosure import commit_authorisation
from exchange.errors import Malformed, NotFound, Refused, Unverified
from exchange.journal import commit_detail, journal_origin, open_journal_entry
from exchange.v1 import audit_service_pb2, disclosure_pb2
from node.operations.access import note_access
from node.operations.audit_events import journal_at, journal_row
from node.operations.contents import SALT, purpose_of_entry
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.store import logs
from node.store.disclosures import keys_by_id
from node.store.journal import ACCOUNTABILITY, PERSONAL, Event, Kind
from node.store.logs import LogRow
from node.store.transaction import Transaction

LONGEST_JUSTIFICATION = 2000

_GROUPS = {
    audit_service_pb2.DETAIL_GROUP_ACCOUNTABILITY: ACCOUNTABILITY,
    audit_service_pb2.DETAIL_GROUP_PERSONAL: PERSONAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    origin: str
    entry: bytes
    commitment: bytes
    salted: bytes


def open_event(ports: Ports, person: str, request: audit_service_pb2.OpenEventRequest) -> audit_service_pb2.OpenEventResponse:
    """Reveal one record that an entry of the journal, or of a log of ours, commits to. It never holds the content of an alert.

    Raises `Refused` (PURPOSE_MISSING, REASON_MISSING), which is journalled as a refusal; `NotFound` (LOG_UNKNOWN, ENTRY_UNKNOWN,
    DETAIL_NONE, ERASED); `Malformed` (DETAIL_GROUP, REASON_TOO_LONG); `Unverified` (DETAIL_MISMATCH); `StoreFailed`.
    """
    require(ports, person, (AUDITOR,))
    group = _GROUPS.get(request.group)
    if group is None:
        raise Malformed("DETAIL_GROUP", "name what to open: accountability or personal")
    with ports.store.read() as tx:
        log = logs.find_log(tx, request.origin) if request.origin else None
        record = _of_journal(ports, tx, request, group) if log is None else _of_log(ports, tx, log, request.index, group)
    place = Event(code="OPENED", subject=record.commitment, origin=record.origin, index=request.index, count=1)
    try:
        _check_reasons(ports, request)
    except Refused as refused:
        note_access(ports, Kind.JOURNAL_KIND_REFUSAL, person, replace(place, code=refused.code))
        raise
    purpose = audit_service_pb2.LawfulPurpose.Name(request.purpose).removeprefix("LAWFUL_PURPOSE_")
    event = replace(place, justification=request.justification.strip(), purpose=purpose)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, event)
    return audit_service_pb2.OpenEventResponse(
        entry=record.entry, commitment=record.commitment, salt=record.salted[:SALT], record=record.salted[SALT:]
    )


def check_justification(ports: Ports, justification: str) -> None:
    """Raise `Refused` (REASON_MISSING) where the node asks for a justification and there is none; `Malformed` (REASON_TOO_LONG)."""
    if len(justification) > LONGEST_JUSTIFICATION:
        raise Malformed("REASON_TOO_LONG", f"a justification has at most {LONGEST_JUSTIFICATION} characters")
    if ports.justification_mandatory and not justification.strip():
        raise Refused("REASON_MISSING", "this node asks for a justification: say why this is necessary")


def _check_reasons(ports: Ports, request: audit_service_pb2.OpenEventRequest) -> None:
    if not request.purpose or request.purpose not in audit_service_pb2.LawfulPurpose.values():
        raise Refused("PURPOSE_MISSING", "a record is opened only for one of the lawful purposes: name it")
    check_justification(ports, request.justification)


def _of_journal(ports: Ports, tx: Transaction, request: audit_service_pb2.OpenEventRequest, group: str) -> _Record:
    generation, _ = journal_at(ports, tx, request.origin)
    row = journal_row(ports, tx, generation, request.index)
    entry = open_journal_entry(row.entry)
    commitment = entry.accountability if group == ACCOUNTABILITY else entry.personal
    if not commitment:
        raise NotFound("DETAIL_NONE", "this entry commits to no such record")
    salted = ports.journal.detail(tx, request.index, group, generation=generation)
    if salted is None:
        raise NotFound("ERASED", "this record was erased: its commitment remains, and tells nothing any more")
    if commit_detail(salted[:SALT], salted[SALT:]) != commitment:
        raise Unverified("DETAIL_MISMATCH", "the stored record is not the one that the entry commits to")
    return _Record(origin=journal_origin(ports.trust_domain, generation), entry=row.entry, commitment=commitment, salted=salted)


def _of_log(ports: Ports, tx: Transaction, log: LogRow, index: int, group: str) -> _Record:
    rows = logs.entry_rows(tx, log.id, index, index + 1) if index < log.size else []
    if not rows:
        raise NotFound("ENTRY_UNKNOWN", "the log has no entry at that index")
    entry = disclosure_pb2.Entry.FromString(rows[0].entry)
    if not log.outbound or group != ACCOUNTABILITY or not entry.authorisation:
        # Of a mirror the sender keeps the record, and what stands sealed beside its entry is the content of an alert.
        raise NotFound("DETAIL_NONE", "only entries that this node disclosed have a record here: who released it, and why")
    key = keys_by_id(tx, [rows[0].alert_ref]).get(rows[0].alert_ref) if rows[0].alert_ref is not None else None
    if key is None or rows[0].sealed is None:
        raise NotFound("ERASED", "this record was erased: its commitment remains, and tells nothing any more")
    data_key = ports.vault.unwrap(tx, key.period, key.wrapped_key)
    salted = data_key.open(purpose_of_entry(key.alert_id, log.name.origin), rows[0].sealed)
    if commit_authorisation(salted[:SALT], salted[SALT:]) != entry.authorisation:
        raise Unverified("DETAIL_MISMATCH", "the stored record is not the one that the entry commits to")
    return _Record(origin=log.name.origin, entry=rows[0].entry, commitment=entry.authorisation, salted=salted)
