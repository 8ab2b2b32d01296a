"""What came in for one agency: exactly what that agency was given, and nothing that went to another."""

from collections.abc import Collection
from dataclasses import dataclass

from exchange.agreement import Agreed
from exchange.handling import clause_handling, combine
from exchange.manifest import decode_manifest
from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2, handling_pb2
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations.access import note_access
from node.operations.changes import changes, predecessor_given
from node.operations.contents import purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.inbox_order import page_of, read_place
from node.operations.inside import distribution, in_force, standing_of
from node.operations.officers import LIAISON, PARTNER_OFFICER, agency_of, require
from node.operations.onward_leave import judicial_leave
from node.operations.outbox import logged
from node.operations.paging import page_size
from node.operations.standing import Standing, notice
from node.operations.summaries import confirmation, logs_of, received_summaries, received_summary
from node.ports import Known, Ports
from node.store import alerts, inside, logs
from node.store.alerts import AlertRow
from node.store.inside import DistributionRow
from node.store.journal import Event, Kind
from node.store.logs import EntryRow, LogRow
from node.store.transaction import Transaction
from node.store.vault import DataKey

DESK = (PARTNER_OFFICER, LIAISON)
_BLOCKED = {
    "withdrawn": desk_service_pb2.BLOCKED_WITHDRAWN,
    "restricted": desk_service_pb2.BLOCKED_RESTRICTED,
    "erased": desk_service_pb2.BLOCKED_ERASED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One disclosure of an alert to one agency."""

    log: LogRow
    row: EntryRow
    entry: disclosure_pb2.Entry


def list_inbox(ports: Ports, person: str, request: desk_service_pb2.ListInboxRequest) -> desk_service_pb2.ListInboxResponse:
    """What came for the caller's agency, from abroad or from a desk of its own country, in the order of `inbox_order`.

    Raises `Malformed` (PAGE_SIZE, PAGE_TOKEN).
    """
    agency = agency_of(require(ports, person, DESK))
    size, place = page_size(request.page_size), read_place(request.page_token, ports.clock.now_ms())
    with ports.store.read() as tx:
        rows, following = page_of(tx, agency, place, size)
        found = received_summaries(ports, tx, rows, agency)
    seen = JournalPersonal(results=[row.digest for row in rows])
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="INBOX", personal=seen))
    return desk_service_pb2.ListInboxResponse(alerts=found, next_page_token=following)


def get_inbox_alert(ports: Ports, person: str, reference: str) -> desk_service_pb2.GetInboxAlertResponse:
    """One alert as the caller's agency was given it, and what its originator said of it since.

    What was withdrawn, restricted, replaced or erased is not shown: only that it is so; of an erased one the record of what was told.
    Raises `NotFound` as `alerts.find`, and ERASED where only the key of its month was destroyed.
    """
    agency = agency_of(require(ports, person, DESK))
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        row = alerts.find(tx, reference, told=agency)
        given = given_to(tx, row, agency)
        distributed = inside.of_agency(tx, row.id, agency)
        standing = standing_of(tx, row, agency, now)
        blocked = _blocked(standing)
        earlier = None if blocked else predecessor_given(tx, row, agency)
        summary = received_summary(ports, tx, row, agency)
        fragments = {} if blocked else told_now(ports, tx, row, agency)
        before = told_now(ports, tx, earlier, agency) if earlier else {}
        handling = handling_of(ports, tx, row, given) if given or not distributed else handling_pb2.Handling()
        if distributed and row.wrapped_key is not None:
            handling = combine(*([handling] if given else ()), *map(in_force, distributed))
        mirrors = [one.log for one in given] or logs_of(tx, row)
        # Leave is for one alert as it was told: what was taken back, replaced or disputed since is nothing to bring before a court.
        leave = judicial_leave(tx, row, agency, now) if standing.state == "active" == row.state else None
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="INBOX_ALERT", subject=row.digest))
    confirmed_at, confirmed_now = confirmation(mirrors, now)
    told = {number for one in given for number in one.entry.fields} | {number for one in distributed for number in one.fields}
    erased = standing.state == "erased"
    return desk_service_pb2.GetInboxAlertResponse(
        summary=summary,
        handling=handling,
        view=b"".join(fragments[number] for number in sorted(fragments)),
        # Of an erased alert the record of what was told is left, and nothing else is told of one that may not be shown.
        undisclosed=[]
        if blocked and not erased
        else [n for n in alert_type(row.alert_type).numbers if n not in (told if erased else fragments)],
        confirmed_at=confirmed_at,
        # Alive or not, what was superseded, withdrawn or has expired is not valid any more.
        confirmed_now=confirmed_now and standing.state == "active" == row.state and not (row.not_after and now >= row.not_after),
        disclosures=[logged(one.log, one.row.idx, one.entry) for one in given],
        erase_by=row.erase_by if given or not row.erase_by else max(one.erase_by for one in distributed),
        blocked=blocked,
        recalls=[notice(one) for one in standing.recalls],
        replaced_by=standing.replaced_by,
        replaces=earlier.digest if earlier else b"",
        changes=changes(before, fragments) if earlier else (),
        attest_by=max((one.attest_by for one in standing.recalls), default=0) if standing.owes_attestation else 0,
        distributions=[distribution(row, one, None) for one in distributed],
        judicial_leave=leave.decision if leave else b"",
        judicial_leave_until=leave.until if leave else 0,
    )


def _blocked(standing: Standing) -> "desk_service_pb2.Blocked.ValueType":
    if standing.state == "superseded":
        # What its successor told another agency is nothing to this one.
        return desk_service_pb2.BLOCKED_REPLACED if standing.replaced_by else desk_service_pb2.BLOCKED_UNSPECIFIED
    return _BLOCKED.get(standing.state, desk_service_pb2.BLOCKED_UNSPECIFIED)


def told_now(ports: Ports, tx: Transaction, row: AlertRow, agency: str) -> dict[int, bytes]:
    """What an agency was told of an alert: what came for it, and of what its desks were told the fields that these distributed to it."""
    data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
    found: dict[int, bytes] = {}
    for one in _live(ports, tx, row, agency):
        theirs = _fragments(row, data_key, given_to(tx, row, one.desk))
        found |= {number: theirs[number] for number in one.fields if number in theirs}
    return found | _fragments(row, data_key, given_to(tx, row, agency))


def _live(ports: Ports, tx: Transaction, row: AlertRow, agency: str) -> list[DistributionRow]:
    now = ports.clock.now_ms()
    return [one for one in inside.of_agency(tx, row.id, agency) if one.live(now)]


def fragments_of(ports: Ports, tx: Transaction, row: AlertRow, given: list[Given]) -> dict[int, bytes]:
    """Field number to fragment of all that these disclosures told and that is still here. Raises as `Vault.unwrap`."""
    return _fragments(row, ports.vault.unwrap(tx, row.period, row.wrapped_key), given)


def handling_of(ports: Ports, tx: Transaction, row: AlertRow, given: list[Given]) -> handling_pb2.Handling:
    """The strictest of the manifest and of these disclosures of it; of an erased alert the strictest that there is."""
    return handling_pb2.Handling() if row.wrapped_key is None else _in_force(ports.known, _own_handling(ports, tx, row), given)


def _own_handling(ports: Ports, tx: Transaction, row: AlertRow) -> handling_pb2.Handling:
    data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
    content = unpack_content(data_key.open(purpose_of_alert(row.alert_id), row.sealed or b""))
    return decode_manifest(content.manifest.payload).handling


def given_to(tx: Transaction, alert: AlertRow, agency: str) -> list[Given]:
    """The disclosures of a received alert whose audience holds `agency`, in the order of their logs."""
    return given_of(tx, [alert.id], agency)[alert.id]


def given_of(tx: Transaction, references: Collection[int], agency: str) -> dict[int, list[Given]]:
    """The same of several alerts, by row, in few questions."""
    mirrors = {log.id: log for log in logs.all_logs(tx) if not log.outbound}
    found: dict[int, list[Given]] = {reference: [] for reference in references}
    for log_id, row in logs.entries_of_alerts(tx, found):
        entry = disclosure_pb2.Entry.FromString(row.entry)
        if row.alert_ref is not None and log_id in mirrors and agency in entry.audience:
            found[row.alert_ref].append(Given(log=mirrors[log_id], row=row, entry=entry))
    return found


def _fragments(alert: AlertRow, data_key: DataKey, given: list[Given]) -> dict[int, bytes]:
    """Field number to fragment, of all that was given and is still here; an empty one says that the originator has no value."""
    fragments: dict[int, bytes] = {}
    for one in given:
        if one.row.sealed is not None:  # what was told before an erasure is gone, though the alert was told again
            sealed = data_key.open(purpose_of_entry(alert.alert_id, one.log.name.origin), one.row.sealed)
            fragments |= {opening.field: opening.fragment for opening in unpack_content(sealed).openings}
    return fragments


def _in_force(known: Known, manifest: handling_pb2.Handling, given: list[Given]) -> handling_pb2.Handling:
    handlings = [manifest]
    for one in given:
        if one.entry.agreement_digest:
            handlings.append(_of_clause(known.agreements.get(one.entry.agreement_digest), one.entry.clause))
        if one.entry.HasField("stricter"):
            handlings.append(one.entry.stricter)
    return combine(*handlings)


def _of_clause(agreed: Agreed | None, clause: str) -> handling_pb2.Handling:
    # An agreement that no longer verifies says nothing any more, and absence is never permission.
    found = agreed.clauses.get(clause) if agreed else None
    return clause_handling(found) if found else handling_pb2.Handling()
