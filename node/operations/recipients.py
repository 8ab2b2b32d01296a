"""Who was told about a person: asked by an auditor, answered from a keyed index, and recorded before the answer is shown."""

from exchange.errors import Refused
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations.inside import distributions_of
from node.operations.officers import AUDITOR, require
from node.operations.outbox import disclosures_of
from node.operations.reached import third_countries_told
from node.operations.summaries import own_summary
from node.ports import Ports
from node.store import alerts
from node.store.journal import Event, Kind
from node.store.subjects import alerts_about, note_search
from node.subjects import searched_terms

AT_MOST = 500
"""Alerts in one answer, newest first: one message carries no more."""


def find_recipients(ports: Ports, person: str, request: messages.FindRecipientsRequest) -> messages.FindRecipientsResponse:
    """Every alert here that names the person, sent or received, and who was told what of it. What was erased is not found any more.

    The question goes into the journal as a personal detail, and is erased with the last alert that it found. Raises `Refused`
    (REASON_MISSING), `Malformed` (SUBJECT).
    """
    require(ports, person, (AUDITOR,))
    if not request.reason.strip():
        raise Refused("REASON_MISSING", "say why this person's alerts are looked for: --reason")
    tokens = {ports.vault.subject_token(term) for term in searched_terms(request.subject, request.born)}
    with ports.store.read() as tx:
        found = alerts_about(tx, tokens)
        rows = sorted(alerts.by_ids(tx, found[-AT_MOST:]).values(), key=lambda row: -row.id)
        answer = messages.FindRecipientsResponse(
            alerts=[
                messages.FoundAlert(
                    summary=own_summary(row, ports.clock.now_ms()),
                    own=row.own,
                    disclosures=disclosures_of(ports, tx, row, []),
                    distributions=distributions_of(tx, row),
                    passed_on=third_countries_told(tx, row) if row.own else (),
                )
                for row in rows
            ],
            left_out=max(len(found) - AT_MOST, 0),
        )
    asked = JournalPersonal(query=f"{request.subject}\n{request.born}", results=[row.digest for row in rows])
    with ports.store.write() as tx:
        edge = ports.journal.edge(tx)
        event = Event(code="SEARCH", justification=request.reason.strip(), personal=asked)
        ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_CONSULTATION, person, [event])
        note_search(tx, edge.generation, edge.frontier.size, [row.id for row in rows])
    return answer
