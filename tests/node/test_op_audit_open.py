"""Opening a record for a lawful purpose; justifications compared without being shown; what was urgent; standing alarms."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.disclosure import commit_authorisation
from exchange.errors import Malformed, NotFound, Refused, Unverified
from exchange.journal import commit_detail, open_journal_entry
from exchange.v1 import audit_service_pb2, desk_service_pb2, disclosure_pb2
from exchange.v1.journal_pb2 import JournalAccountability, JournalPersonal
from node.operations import accountability, audit_reasons, audit_urgent
from node.operations.audit_reasons import normalised
from node.store.directory import raise_alarm
from node.store.journal import PERSONAL, Event, Kind
from tests.countries import HOUR, NOW, POLICE, agency, agreement
from tests.federation import Federation
from tests.node.audit_office import (
    GB_KH,
    JOURNAL,
    KH_BORDER,
    KH_GB,
    PERSON,
    auditor,
    events,
    first_alert,
    index_of,
    newest,
    opened,
    told,
)
from tests.refusals import refused
from tests.rig import Office, draft


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with told(tmp_path) as made:
        yield made


def test_a_record_is_opened_for_a_purpose_and_that_is_journalled(two: Federation) -> None:
    gb = two["gb"]
    index = index_of(gb, "disclosure", "RELEASED")
    answer = opened(gb, index)
    entry = open_journal_entry(answer.entry)
    assert commit_detail(answer.salt, answer.record) == answer.commitment == entry.accountability
    assert JournalAccountability.FromString(answer.record).person == gb.person("liaison")
    (kind, who, _, code) = newest(gb)
    assert (kind, who, code) == ("review", auditor(gb), "OPENED")
    last = opened(gb, len(gb.journal()) - 1)
    said = JournalAccountability.FromString(last.record)
    assert (said.person, said.purpose, said.justification) == (auditor(gb), "LAWFULNESS", "inspection 7")
    place = open_journal_entry(last.entry)
    assert (place.origin, place.index, place.count, place.subject) == (JOURNAL, index, 1, entry.accountability)


def test_an_authorisation_is_opened_from_a_log_of_ours(two: Federation) -> None:
    gb = two["gb"]
    answer = opened(gb, 0, GB_KH)
    entry = disclosure_pb2.Entry.FromString(answer.entry)
    assert commit_authorisation(answer.salt, answer.record) == answer.commitment == entry.authorisation
    assert gb.person("liaison").encode() in answer.record
    assert newest(gb)[3] == "OPENED"


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"purpose": 0}, Refused, "PURPOSE_MISSING"),
        ({"purpose": 77}, Refused, "PURPOSE_MISSING"),
        ({"justification": " \n"}, Refused, "REASON_MISSING"),
        ({"justification": "x" * 2001}, Malformed, "REASON_TOO_LONG"),
        ({"group": 0}, Malformed, "DETAIL_GROUP"),
        ({"group": PERSON}, NotFound, "DETAIL_NONE"),
        ({"index": 99_999}, NotFound, "ENTRY_UNKNOWN"),
        ({"origin": GB_KH, "index": 99}, NotFound, "ENTRY_UNKNOWN"),
        ({"origin": GB_KH, "group": PERSON}, NotFound, "DETAIL_NONE"),
        ({"origin": KH_GB}, NotFound, "DETAIL_NONE"),
        ({"origin": "kh.alerts.example/journal/1"}, NotFound, "LOG_UNKNOWN"),
    ],
)
def test_nothing_is_opened_otherwise(two: Federation, changes: dict[str, Any], error: type[Malformed], code: str) -> None:
    gb = two["gb"]
    before = gb.journal()
    with refused(error, code):
        opened(gb, **{"index": 0, **changes})
    after = gb.journal()
    if error is Refused:
        assert after[:-1] == before
        assert (after[-1][0], after[-1][1], after[-1][3]) == ("refusal", auditor(gb), code)
    else:
        assert after == before


def test_the_content_of_what_came_in_is_never_opened(two: Federation) -> None:
    """Beside an inbound entry stand its openings: the alert's content."""
    kh = two["kh"]
    with refused(NotFound, "DETAIL_NONE"):
        opened(kh, 0, GB_KH)


def test_an_opening_that_cannot_be_journalled_shows_nothing(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb = two["gb"]

    def broken(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(type(gb.ports.journal), "record", broken)
    with pytest.raises(OSError):  # noqa: PT011  whatever the store raises
        opened(gb, 0)


def test_an_erased_record_is_said_to_be_erased(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        personal = JournalPersonal(query="synthetic")
        gb.ports.journal.record(tx, NOW, Kind.JOURNAL_KIND_CONSULTATION, auditor(gb), [Event(code="SEARCH", personal=personal)])
    index = len(gb.journal()) - 1
    assert JournalPersonal.FromString(opened(gb, index, group=PERSON).record).query == "synthetic"
    with gb.ports.store.write() as tx:
        gb.ports.journal.erase_detail(tx, index, PERSONAL)
        tx.exec_driver_sql("UPDATE entries SET sealed = NULL WHERE idx = 0")
        tx.exec_driver_sql("UPDATE alerts SET wrapped_key = NULL WHERE id = (SELECT alert_ref FROM entries WHERE idx = 2 LIMIT 1)")
    with refused(NotFound, "ERASED"):
        opened(gb, index, group=PERSON)
    with refused(NotFound, "ERASED"):
        opened(gb, 0, GB_KH)
    with refused(NotFound, "ERASED"):
        opened(gb, 2, GB_KH)
    assert opened(gb, index).record  # the other group stays
    (event,) = events(gb, f"index = {index}").events
    assert (event.accountability_kept, event.personal_kept) == (True, False)


def test_a_record_that_was_exchanged_is_found(two: Federation) -> None:
    gb = two["gb"]
    journal, index = gb.ports.journal, index_of(gb, "disclosure", "RELEASED")
    real = journal.detail

    def other(tx: Any, at: int, group: str, *, generation: int | None = None) -> bytes | None:
        return real(tx, 0 if at == index else at, group, generation=generation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(journal), "detail", lambda _, *args, **more: other(*args, **more))
        with refused(Unverified, "DETAIL_MISMATCH"):
            opened(gb, index)
    assert newest(gb)[3] != "OPENED"


def test_whether_a_justification_is_mandatory_is_policy(two: Federation) -> None:
    from dataclasses import replace

    gb = two["gb"]
    gb.ports = replace(gb.ports, justification_mandatory=False)
    assert opened(gb, 0, justification="").record
    assert not gb.publish(draft(KH_BORDER), reason="").problems
    with refused(Refused, "PURPOSE_MISSING"):
        opened(gb, 0, purpose=0)


def reasons(office: Office, at_least: int = 2, **more: Any) -> audit_service_pb2.ListRepeatedReasonsResponse:
    question = audit_service_pb2.ListRepeatedReasonsRequest(at_least=at_least, **more)
    return audit_reasons.list_repeated_reasons(office.ports, auditor(office), question)


def test_the_same_words_again_are_found_and_not_shown(two: Federation) -> None:
    gb = two["gb"]
    answer = reasons(gb, 3)
    (found,) = answer.reasons
    assert (found.person, found.count, found.first_at, found.last_at) == (1, 3, NOW, NOW + HOUR)
    assert found.agency == agency("gb", POLICE)
    assert [(use.origin, use.index) for use in found.uses] == [(GB_KH, 3), (GB_KH, 2), (GB_KH, 0)]
    assert found.commitment == opened(gb, 3, GB_KH).commitment
    assert b"reason" not in answer.SerializeToString().lower()
    assert gb.person("liaison").encode() not in answer.SerializeToString()
    assert answer.compared == 3  # the first went to two agencies under one record
    assert not reasons(gb, 4).reasons
    assert not reasons(gb, 2, until=NOW + HOUR).reasons
    assert reasons(gb, 2, **{"from": NOW + HOUR}).reasons[0].count == 2


def test_reasons_of_different_persons_are_not_one(two: Federation) -> None:
    kh = two["kh"]
    for name in ("border", "both"):
        kh.report(first_alert(two), name)
    assert not [found for found in reasons(kh).reasons if found.count > 2]
    assert {found.person for found in reasons(kh).reasons} == {1}


def test_openings_for_the_same_reason_count_and_erased_ones_are_said(two: Federation) -> None:
    gb = two["gb"]
    for _ in range(2):
        opened(gb, 0)
    found = {use.count: use for use in reasons(gb).reasons}
    assert found[2].uses[0].origin == JOURNAL
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE entries SET sealed = NULL WHERE idx = 3")
    answer = reasons(gb)
    assert answer.erased == 1
    with refused(Malformed, "AT_LEAST"):
        reasons(gb, 1)


def test_reasons_and_urgency_are_found_in_every_journal(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accountability, "_CHUNK", 1)
    gb = two["gb"]

    def urgently() -> None:
        with gb.ports.store.write() as tx:
            event = Event(code="ALERT", justification="synthetic danger", urgent=True)
            gb.ports.journal.record(tx, NOW + HOUR, Kind.JOURNAL_KIND_CONSULTATION, gb.person("liaison"), [event])

    urgently()
    first = len(gb.journal()) - 1
    with gb.ports.store.write() as tx:
        gb.ports.journal.succeed(tx, NOW + HOUR, gb.domain)
    urgently()
    places = [(JOURNAL, first), (JOURNAL.replace("/1", "/2"), 1)]
    uses = audit_urgent.list_urgent(gb.ports, auditor(gb), 0, 0).uses
    assert [(use.origin, use.index) for use in uses] == places
    (found,) = [one for one in reasons(gb).reasons if one.count == 2]
    assert [(use.origin, use.index) for use in found.uses] == places[::-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Case 7", "case  7."), ("(Case 7)", "CASE\n7"), ("Ｃａｓｅ ７", "case 7"), ("ÉTÉ", "e\u0301te\u0301"), ("", " . ")],
)
def test_what_counts_as_the_same_words(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert normalised(one) != normalised("case 8")


def test_what_was_urgent_is_listed(two: Federation) -> None:
    gb = two["gb"]
    assert not audit_urgent.list_urgent(gb.ports, auditor(gb), 0, 0).uses
    with gb.ports.store.write() as tx:
        event = Event(code="ALERT", justification="a child is in danger", urgent=True)
        gb.ports.journal.record(tx, NOW + HOUR, Kind.JOURNAL_KIND_CONSULTATION, gb.person("liaison"), [event])
    index = len(gb.journal()) - 1
    grant = desk_service_pb2.OnRequestGrant(recipient=KH_BORDER, field=_on_request(), ground=disclosure_pb2.ON_REQUEST_GROUND_RISK_TO_CHILD)
    published = gb.publish(draft(KH_BORDER, on_request=[grant]))
    assert not published.problems
    uses = [(use.kind, use.origin, use.index, use.code) for use in audit_urgent.list_urgent(gb.ports, auditor(gb), 0, 0).uses]
    assert uses == [
        (audit_service_pb2.URGENT_KIND_RISK, GB_KH, 4, "gb-kh-travelalert-border"),
        (audit_service_pb2.URGENT_KIND_DECLARED, JOURNAL, index, "ALERT"),
    ]
    assert newest(gb)[3] == "URGENT"
    assert not audit_urgent.list_urgent(gb.ports, auditor(gb), 0, NOW + HOUR).uses


def _on_request() -> int:
    return next(c for c in agreement("gb", "kh").clauses if c.id == "gb-kh-travelalert-border").on_request[0]


def test_alarms_that_stand_are_listed(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        raise_alarm(tx, NOW, "RECEIPT_CLOCK", partner="kh.alerts.example", origin=GB_KH)
    (alarm,) = audit_urgent.list_alarms(gb.ports, auditor(gb)).alarms
    assert (alarm.at, alarm.code, alarm.partner, alarm.origin) == (NOW, "RECEIPT_CLOCK", "kh.alerts.example", GB_KH)
    assert newest(gb)[3] == "ALARMS"
