"""What was told about one person: the answer to a data subject's request, from the alerts that are known to be about that person.

UK DPA 2018 s.45 and Directive (EU) 2016/680 Art. 14 and 15. A part that is lawfully withheld is named as withheld, with its ground,
and nothing else of it is given.
"""

from exchange.errors import Malformed
from exchange.v1 import audit_service_pb2
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations.access import note_access
from node.operations.audit_disclosures import record_of
from node.operations.audit_open import check_justification
from node.operations.disclosure_scan import read_disclosures
from node.operations.inside import distributions_of
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.store import alerts, logs
from node.store.disclosures import AlertFacts, find_facts
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

_AT_MOST = 50
"""Alerts of one report."""
_DISCLOSURES_AT_MOST = 120
"""Of one report: of 4 KiB each at most, with names of fields beside them, below what one message carries."""


def report_subject(ports: Ports, person: str, request: audit_service_pb2.ReportSubjectRequest) -> audit_service_pb2.ReportSubjectResponse:
    """Every disclosure of these alerts, in both directions and inside the country: to whom, when, which fields, under what. Never content.

    Raises `Refused` (REASON_MISSING), `Malformed` (SUBJECT_ALERTS, SUBJECT_TOO_MUCH, WITHHELD_GROUND, WITHHELD_UNKNOWN),
    `NotFound` as `find_facts`.
    """
    require(ports, person, (AUDITOR,))
    check_justification(ports, request.justification)
    if not 1 <= len(request.alerts) <= _AT_MOST:
        raise Malformed("SUBJECT_ALERTS", f"name 1 to {_AT_MOST} alerts that are about this person")
    if any(item.ground not in audit_service_pb2.WithholdingGround.values() or not item.ground for item in request.withheld):
        raise Malformed("WITHHELD_GROUND", "a part is withheld only on one of the grounds of the law: name it")
    with ports.store.read() as tx:
        named = {facts.id: facts for facts in (find_facts(tx, text) for text in request.alerts)}
        withheld = {find_facts(tx, item.alert).id: item.ground for item in request.withheld}
        if not withheld.keys() <= named.keys():
            raise Malformed("WITHHELD_UNKNOWN", "an alert is withheld that is not part of this report")
        reported = [
            audit_service_pb2.ReportedAlert(withheld=withheld[facts.id]) if facts.id in withheld else _reported(ports, tx, facts)
            for facts in sorted(named.values(), key=lambda facts: (facts.issued_at, facts.id))
        ]
    if sum(len(alert.disclosures) for alert in reported) > _DISCLOSURES_AT_MOST:
        raise Malformed("SUBJECT_TOO_MUCH", "this is more than one report carries: make several, of fewer alerts each")
    # Which alerts they are says whom it is about: that stands in the part that is erased with the person's data.
    personal = JournalPersonal(results=sorted(facts.digest for facts in named.values()))
    event = Event(code="SUBJECT_REPORT", justification=request.justification.strip(), personal=personal)
    note_access(ports, Kind.JOURNAL_KIND_EXPORT, person, event)
    return audit_service_pb2.ReportSubjectResponse(alerts=reported, at=ports.clock.now_ms(), trust_domain=ports.trust_domain)


def _reported(ports: Ports, tx: Transaction, facts: AlertFacts) -> audit_service_pb2.ReportedAlert:
    by_id = {log.id: log for log in logs.all_logs(tx)}
    disclosures = [
        record_of(one)
        for log_id, row in logs.entries_of_alert(tx, facts.id)
        for one in read_disclosures(ports, tx, by_id[log_id], row.idx, row.idx + 1)
    ]
    return audit_service_pb2.ReportedAlert(
        manifest_digest=facts.digest,
        alert_type=facts.alert_type,
        originator=facts.originator,
        issued_at=facts.issued_at,
        state=facts.state,
        disclosures=disclosures,
        distributions=distributions_of(tx, alerts.by_ids(tx, [facts.id])[facts.id]),
    )
