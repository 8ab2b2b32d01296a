"""Reports to a data subject; who may ask as an auditor, and what an auditor never reads."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import Malformed, NotFound, Refused
from exchange.journal import CODES, open_journal_entry
from exchange.v1 import audit_service_pb2, disclosure_pb2
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations import audit_disclosures, audit_events, audit_open, audit_proofs, audit_reasons, audit_subject, audit_urgent
from node.operations.officers import NotPermitted
from node.store.journal import Kind
from tests.countries import HOUR, NOW, changed
from tests.federation import Federation
from tests.node.audit_office import (
    GB_KH,
    JOURNAL,
    KH_GB,
    LAWFULNESS,
    PERSON,
    WHO,
    auditor,
    disclosures,
    events,
    first_alert,
    newest,
    opened,
    told,
)
from tests.refusals import refused
from tests.rig import Office


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with told(tmp_path) as made:
        yield made


def reported(office: Office, *alerts: str, **more: Any) -> audit_service_pb2.ReportSubjectResponse:
    question = audit_service_pb2.ReportSubjectRequest(alerts=alerts, justification="access request 3")
    return audit_subject.report_subject(office.ports, auditor(office), changed(question, **more))


def test_a_person_is_told_what_was_told(two: Federation) -> None:
    gb, first = two["gb"], first_alert(two)
    answer = reported(gb, first[:12])
    (alert,) = answer.alerts
    assert (alert.manifest_digest.hex(), alert.state) == (first, "superseded")
    assert [(record.origin, record.index) for record in alert.disclosures] == [(GB_KH, 0), (GB_KH, 1)]
    assert all(record.instrument and record.field_names for record in alert.disclosures)
    assert (answer.at, answer.trust_domain) == (NOW + HOUR, "gb.alerts.example")
    (kind, _, what, code) = newest(gb)
    assert (kind, code, what) == ("export", "SUBJECT_REPORT", "")  # which alerts they are stands only in the erasable part
    last = opened(gb, len(gb.journal()) - 1, group=PERSON)
    assert [digest.hex() for digest in JournalPersonal.FromString(last.record).results] == [first]
    assert reported(two["kh"], first).alerts[0].disclosures  # also of what came in


def test_what_is_withheld_is_named_as_withheld_and_nothing_else_of_it_is_given(two: Federation) -> None:
    gb = two["gb"]
    second = disclosure_pb2.Entry.FromString(disclosures(gb).disclosures[2].entry).manifest_digest.hex()
    kept = audit_service_pb2.Withholding(alert=second[:16], ground=audit_service_pb2.WITHHOLDING_GROUND_CRIME)
    answer = reported(gb, first_alert(two), second, withheld=[kept])
    assert [alert.withheld for alert in answer.alerts] == [0, audit_service_pb2.WITHHOLDING_GROUND_CRIME]
    assert answer.alerts[1] == audit_service_pb2.ReportedAlert(withheld=audit_service_pb2.WITHHOLDING_GROUND_CRIME)
    assert bytes.fromhex(second) not in answer.SerializeToString()


def test_a_report_that_is_not_in_order_is_refused(two: Federation) -> None:
    gb, first = two["gb"], first_alert(two)
    before = gb.journal()
    crime, kept = audit_service_pb2.WITHHOLDING_GROUND_CRIME, audit_service_pb2.Withholding
    second = disclosure_pb2.Entry.FromString(disclosures(gb).disclosures[2].entry).manifest_digest.hex()
    cases: list[tuple[type[Malformed], str, tuple[str, ...], dict[str, Any]]] = [
        (Refused, "REASON_MISSING", (first,), {"justification": ""}),
        (Malformed, "SUBJECT_ALERTS", (), {}),
        (Malformed, "SUBJECT_ALERTS", (first,) * 51, {}),
        (Malformed, "WITHHELD_GROUND", (first,), {"withheld": [kept(alert=first)]}),
        (Malformed, "WITHHELD_GROUND", (first,), {"withheld": [kept(alert=first, ground=99)]}),
        (Malformed, "WITHHELD_UNKNOWN", (first,), {"withheld": [kept(alert=second, ground=crime)]}),
        (NotFound, "ALERT_NOT_FOUND", ("00" * 32,), {}),
        (NotFound, "ALERT_REFERENCE", ("0123",), {}),
        (NotFound, "ALERT_REFERENCE", ("surname!",), {}),
    ]
    for error, code, alerts, more in cases:
        with refused(error, code):
            reported(gb, *alerts, **more)
    assert [event for event in gb.journal() if event not in before and event[3] == "SUBJECT_REPORT"] == []


OPERATIONS = {
    "ListEvents": audit_events.list_events,
    "GetEvent": audit_events.get_event,
    "GetProof": audit_proofs.get_proof,
    "GetConsistency": audit_proofs.get_consistency,
    "GetCheckpoint": lambda ports, who, request: audit_proofs.get_checkpoint(ports, who, request.origin),
    "GetTile": audit_proofs.get_tile,
    "ListDisclosures": audit_disclosures.list_disclosures,
    "OpenEvent": audit_open.open_event,
    "ListRepeatedReasons": audit_reasons.list_repeated_reasons,
    "ListUrgent": lambda ports, who, request: audit_urgent.list_urgent(ports, who, 0, request.until),
    "ListAlarms": lambda ports, who, _: audit_urgent.list_alarms(ports, who),
    "GetStatistics": lambda ports, who, request: audit_disclosures.get_statistics(ports, who, request.filter),
    "ReportSubject": audit_subject.report_subject,
}


def test_only_an_auditor_asks(two: Federation) -> None:
    gb = two["gb"]
    service = audit_service_pb2.DESCRIPTOR.services_by_name["AuditService"]
    assert {method.name for method in service.methods} == set(OPERATIONS)
    for method, operation in OPERATIONS.items():
        for name in ("liaison", "police", "administrator", "both"):
            request = getattr(audit_service_pb2, f"{method}Request")()
            with refused(NotPermitted, "ROLE_MISSING"):
                operation(gb.ports, gb.person(name), request)
        with refused(NotPermitted, "OFFICER_UNKNOWN"):
            operation(gb.ports, gb.person("stranger"), getattr(audit_service_pb2, f"{method}Request")())


def test_an_auditor_reads_no_content(two: Federation) -> None:
    """Whatever an auditor asks, no value of the alert is in the answers: the canary is every text of the sample alert."""
    from exchange.encoding import cut, encode
    from tests import builders

    gb, first = two["gb"], first_alert(two)
    answers: list[bytes] = []

    def keep(method: str, **fields: Any) -> None:
        request = getattr(audit_service_pb2, f"{method}Request")(**fields)
        answers.append(OPERATIONS[method](gb.ports, auditor(gb), request).SerializeToString())

    keep("ListEvents")
    keep("GetEvent")
    keep("ListDisclosures")
    keep("ListRepeatedReasons", at_least=2)
    keep("ListUrgent")
    keep("ListAlarms")
    keep("GetStatistics")
    keep("ReportSubject", alerts=[first], justification="x")
    for origin, size in ((GB_KH, 4), (KH_GB, 1), (JOURNAL, 12)):
        for index in range(size):
            keep("GetProof", origin=origin, index=index)
    for index in range(4):
        keep("OpenEvent", origin=GB_KH, index=index, group=WHO, purpose=LAWFULNESS, justification="x")
    secrets = {fragment for fragment in cut(encode(builders.alert())).values() if len(fragment) > 8}
    assert len(secrets) > 10
    assert not [secret for secret in secrets for answer in answers if secret in answer]


def test_every_code_of_a_look_is_one_of_the_page() -> None:
    review, export = CODES[Kind.JOURNAL_KIND_REVIEW], CODES[Kind.JOURNAL_KIND_EXPORT]
    assert {"EVENTS", "EVENT", "PROOF", "DISCLOSURES", "OPENED", "REASONS", "URGENT", "ALARMS", "STATISTICS"} <= review
    assert {"EVENTS", "DISCLOSURES", "SUBJECT_REPORT"} <= export


def test_looks_are_journalled_in_the_order_in_which_they_are_answered(two: Federation) -> None:
    gb = two["gb"]
    before = len(gb.journal())
    events(gb)
    disclosures(gb)
    opened(gb, 0)
    assert [event[3] for event in gb.journal()[before:]] == ["EVENTS", "DISCLOSURES", "OPENED"]
    times = [open_journal_entry(event.entry).at for event in events(gb).events]
    assert all(one <= other for one, other in pairwise(times))
