"""What this country originated: listed, read by the agency that did, and what became of it at each recipient."""

from exchange.manifest import decode_manifest
from exchange.v1 import desk_service_pb2, disclosure_pb2, receipt_pb2
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations.access import note_access
from node.operations.contents import purpose_of_alert, unpack_content
from node.operations.officers import AUDITOR, LIAISON, agency_of, require
from node.operations.owing import of_lineage, status
from node.operations.paging import page_size, page_token, read_token
from node.operations.reach import lineage
from node.operations.request_cases import acknowledgements
from node.operations.standing import notice
from node.operations.states import EntryState, entry_states
from node.operations.summaries import own_summary, reports_on
from node.ports import Ports
from node.store import alerts, logs, recalls
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.logs import EntryRow, LogRow
from node.store.transaction import Transaction

_LIST = "alerts"


def list_alerts(ports: Ports, person: str, request: desk_service_pb2.ListAlertsRequest) -> desk_service_pb2.ListAlertsResponse:
    """The alerts of the caller's agency, newest first. Raises `Malformed` (PAGE_SIZE, PAGE_TOKEN)."""
    agency = agency_of(require(ports, person, (LIAISON,)))
    size, before = page_size(request.page_size), read_token(_LIST, request.page_token)
    with ports.store.read() as tx:
        rows = alerts.page_own(tx, agency, before, size + 1)
    seen = JournalPersonal(results=[row.digest for row in rows[:size]])
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="ALERTS", personal=seen))
    now = ports.clock.now_ms()
    return desk_service_pb2.ListAlertsResponse(
        alerts=[own_summary(row, now) for row in rows[:size]],
        next_page_token=page_token(_LIST, rows[size - 1].id) if len(rows) > size else "",
    )


def get_alert(ports: Ports, person: str, reference: str) -> desk_service_pb2.GetAlertResponse:
    """All that the caller's agency said in one of its alerts; of an erased one its summary, flagged ERASED, and no content.

    Raises `NotFound` as `alerts.find`, and ERASED where only the key of its month was destroyed.
    """
    agency = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        row = alerts.find(tx, reference, originator=agency)
        answer = desk_service_pb2.GetAlertResponse(summary=own_summary(row, ports.clock.now_ms()))
        if row.state == "erased":
            answer.disclosures.extend(one.disclosure for one in disclosures_of(ports, tx, row, []))
        else:
            data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
            content = unpack_content(data_key.open(purpose_of_alert(row.alert_id), row.sealed or b""))
            answer.handling.CopyFrom(decode_manifest(content.manifest.payload).handling)
            answer.view = b"".join(opening.fragment for opening in content.openings)
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="ALERT", subject=row.digest))
    return answer


def get_status(ports: Ports, person: str, reference: str) -> desk_service_pb2.GetAlertStatusResponse:
    """What became of each disclosure of an alert: of the caller's agency, or for an auditor any of this country's; never content.

    Raises `NotFound` as `alerts.find`.
    """
    officer = require(ports, person, (LIAISON, AUDITOR))
    auditor = AUDITOR in officer.roles
    with ports.store.read() as tx:
        row = alerts.find(tx, reference, originator=None if auditor else agency_of(officer))
        disclosures = disclosures_of(ports, tx, row, reports_on(tx, row, outbound=False))
        line = [one.digest for one in lineage(tx, row)]
        notices = [notice(one) for one in recalls.recalls_of(tx, {row.digest}) if one.own]
        attestations = [status(one) for one in of_lineage(ports, tx, row)]
        recalled = {one.control for one in recalls.recalls_of(tx, set(line))}
        read = acknowledgements(ports, tx, row)
        waiting = sorted({partner for control, partner in recalls.all_untold(tx) if control in recalled})
    kind = Kind.JOURNAL_KIND_REVIEW if auditor else Kind.JOURNAL_KIND_CONSULTATION
    note_access(ports, kind, person, Event(code="STATUS", subject=row.digest))
    return desk_service_pb2.GetAlertStatusResponse(
        summary=own_summary(row, ports.clock.now_ms()),
        disclosures=disclosures,
        recalls=notices,
        attestations=attestations,
        waiting=waiting,
        acknowledgements=read,
        manifests=line,
    )


def disclosures_of(ports: Ports, tx: Transaction, row: AlertRow, answers: list[AlertRow]) -> list[desk_service_pb2.DisclosureStatus]:
    """Every disclosure of an alert, whichever way it went: who was told, when, which fields, under which clause, and what became of it."""
    by_id = {log.id: log for log in logs.all_logs(tx)}
    entries: dict[int, list[EntryRow]] = {}
    for log_id, entry in logs.entries_of_alert(tx, row.id):
        entries.setdefault(log_id, []).append(entry)
    return [
        _status(by_id[log_id], entry, state, answers)
        for log_id, rows in entries.items()
        for entry, state in zip(rows, entry_states(ports, tx, by_id[log_id], rows).values(), strict=True)
    ]


def logged(log: LogRow, index: int, entry: disclosure_pb2.Entry) -> desk_service_pb2.LoggedDisclosure:
    """Where an entry stands and what it names."""
    return desk_service_pb2.LoggedDisclosure(
        origin=log.name.origin,
        index=index,
        audience=entry.audience,
        fields=entry.fields,
        clause=entry.clause,
        disclosed_at=entry.disclosed_at,
    )


def _status(log: LogRow, row: EntryRow, state: EntryState, answers: list[AlertRow]) -> desk_service_pb2.DisclosureStatus:
    entry = disclosure_pb2.Entry.FromString(row.entry)
    reports = [answer.digest for answer in answers if answer.originator in entry.audience]
    return desk_service_pb2.DisclosureStatus(
        disclosure=logged(log, row.idx, entry),
        state=desk_service_pb2.DISCLOSURE_STATE_REPORTED if reports else state.state,
        exception=receipt_pb2.ExceptionCode.ValueType(state.exception),
        withheld=disclosure_pb2.WithheldCode.ValueType(state.withheld),
        disclosed_at=entry.disclosed_at,
        receipted_at=state.receipted_at,
        reports=reports,
    )
