"""The work list: what needs a person now, for whom, in which order; and what is done is gone."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.journal import SALT_SIZE
from exchange.retention import NationalRule
from exchange.v1 import control_pb2, offending_pb2
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.acknowledgement_pb2 import Acknowledgement
from exchange.v1.journal_pb2 import JournalPersonal
from node.notify.plan import NoticePlan, Term
from node.operations import approve, retention, work
from node.operations.officers import NotPermitted
from node.operations.release import NotReleased, Prepared
from node.operations.sequence import sequence
from node.operations.work_item import LANDED_MS, LANDS_SOON_MS, WorkItem, by_urgency, escalated, office_viewers
from node.policy.gate import Assessment
from node.store.directory import raise_alarm
from node.store.errors import StoreFailed
from node.store.journal import PERSONAL
from node.store.submissions import ApprovalRow, add_approval
from tests import builders
from tests.countries import BORDER, DAY, HOUR, NGO, NOW, POLICE, agency, agreement, changed, clause, with_clause
from tests.federation import Federation, federation
from tests.recalls import LIFTING, RESTRICTION, attested, corrected, recalled, replaced, shown, status
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER, KH_POLICE, KH_NGO, GB_POLICE = agency("kh", BORDER), agency("kh", POLICE), agency("kh", NGO), agency("gb", POLICE)
Kind = messages.WorkKind
ACKNOWLEDGEMENT = "exchange.v1.Acknowledgement"
LANDS = 1_780_128_300_000
"""When the traveller of `builders.alert()` lands in Bangkok: 30 May 2026, 15:05 there."""


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        agreed = with_clause(agreement(), "gb-kh-travelalert-ngo", approvals=1)
        acknowledging = clause("kh", "gb", POLICE, ACKNOWLEDGEMENT)
        made.connect("gb", "kh", changed(agreed, clauses=sorted([*agreed.clauses, acknowledging], key=lambda one: one.id)))
        yield made


def listed(office: Office, name: str, *, everything: bool = False) -> list[messages.WorkItem]:
    return list(work.list_work(office.ports, office.person(name), messages.ListWorkRequest(all=everything)).items)


def kinds(office: Office, name: str, *, everything: bool = False) -> list[str]:
    return [Kind.Name(item.kind).removeprefix("WORK_KIND_") for item in listed(office, name, everything=everything)]


def told(made: Federation, *to: str, **changes: Any) -> bytes:
    """The manifest of an alert that gb released and that has arrived."""
    digest = made["gb"].publish(draft(*(to or (KH_BORDER,)), **changes)).manifest_digest
    assert digest
    made.pump()
    return digest


def with_deadlines(acknowledge_by: int, feed_back_by: int = 0) -> bytes:
    deadlines = offending_pb2.Deadlines(acknowledge_by=acknowledge_by, feed_back_by=feed_back_by)
    return encode(changed(builders.alert(), deadlines=deadlines))


# What came in


def test_an_alert_that_nobody_answered_says_when_it_lands_there_and_what_to_type(two: Federation) -> None:
    digest = told(two)
    (item,) = listed(two["kh"], "border")
    assert item.kind == messages.WORK_KIND_ALERT_TO_ACKNOWLEDGE
    assert (item.reference, item.counterparty, item.detail) == (digest, GB_POLICE, "TravelAlert")
    assert (item.due_at, item.lands_at, item.zone) == (LANDS, LANDS, "Asia/Bangkok")
    assert (item.overdue, item.escalated, item.later) == (False, False, False)
    assert item.command == f"exchange inbox show {digest.hex()[:12]}"
    two.clock.time = LANDS
    assert listed(two["kh"], "border")[0].overdue
    two.clock.time = LANDS + 2 * HOUR
    assert listed(two["kh"], "border")[0].escalated


def test_it_is_gone_when_it_is_reported_on_and_for_another_agency_it_never_was(two: Federation) -> None:
    digest = told(two)
    assert kinds(two["kh"], "police") == []
    two["kh"].report(digest.hex())
    assert kinds(two["kh"], "border", everything=True) == []


def test_an_answer_of_another_agency_is_not_ours(two: Federation) -> None:
    digest = told(two, KH_BORDER, KH_POLICE)
    two["kh"].report(digest.hex(), "police")
    assert (kinds(two["kh"], "border"), kinds(two["kh"], "police")) == (["ALERT_TO_ACKNOWLEDGE"], [])


def test_what_has_a_term_of_its_own_is_due_by_then(two: Federation) -> None:
    told(two, alert=with_deadlines(NOW + HOUR))
    assert listed(two["kh"], "border")[0].due_at == NOW + HOUR


_ids = itertools.count(1)


def acknowledged(office: Office, digest: bytes) -> None:
    """The border agency says that it has read it."""
    alert = Acknowledgement(manifest_digest=digest, read_at=NOW, desk={"unit": "Example desk", "channel": "+855 23 000 000"})
    answer = office.publish(
        draft(
            GB_POLICE,
            request_id=b"acknowle" + next(_ids).to_bytes(8, "big"),
            alert_type=ACKNOWLEDGEMENT,
            alert=encode(alert),
            in_reply_to=digest,
            thread=digest,
        ),
        "border",
    )
    assert not answer.problems, answer.problems


def test_what_is_acknowledged_comes_back_only_for_the_report_that_was_asked_for(two: Federation) -> None:
    plain, asked = told(two), told(two, alert=with_deadlines(NOW + HOUR, NOW + DAY))
    acknowledged(two["kh"], plain)
    acknowledged(two["kh"], asked)
    (item,) = listed(two["kh"], "border")
    assert (item.kind, item.reference, item.due_at) == (messages.WORK_KIND_ALERT_TO_REPORT, asked, NOW + DAY)
    assert item.command == f"exchange inbox report {asked.hex()[:12]}"
    two["kh"].report(asked.hex())
    assert kinds(two["kh"], "border") == []


def test_an_alert_that_expired_or_was_replaced_waits_no_more(two: Federation) -> None:
    first = told(two, not_after=NOW + DAY)
    two.clock.pass_(DAY)
    assert kinds(two["kh"], "border") == []
    two.clock.pass_(-DAY)
    second = replaced(two["gb"], first).replacement.manifest_digest
    two.pump()
    assert [item.reference for item in listed(two["kh"], "border")] == [second]


def test_a_report_that_came_waits_until_somebody_of_the_agency_opens_it(two: Federation) -> None:
    gb = two["gb"]
    digest = told(two)
    report = two["kh"].report(digest.hex()).manifest_digest
    two.pump()
    (item,) = listed(gb, "liaison")
    assert (item.kind, item.reference, item.counterparty) == (messages.WORK_KIND_REPORT_TO_READ, report, KH_BORDER)
    assert kinds(gb, "both") == []  # of another agency
    gb.received("liaison")  # to have seen it in a list is not to have read it
    assert kinds(gb, "second") == ["REPORT_TO_READ"]
    shown(gb, report, "second")
    assert kinds(gb, "liaison", everything=True) == []


def test_a_restriction_waits_until_it_is_read_and_again_after_the_next(two: Federation) -> None:
    kh, gb = two["kh"], two["gb"]
    digest = told(two)
    recalled(gb, digest, RESTRICTION)
    two.clock.pass_(HOUR)
    two.pump()
    (item,) = listed(kh, "border")
    assert (item.kind, item.reference, item.detail) == (messages.WORK_KIND_RECALL_TO_READ, digest, "RESTRICTED")
    two.clock.pass_(HOUR)
    shown(kh, digest)
    assert (kinds(kh, "border"), kinds(kh, "border", everything=True)) == ([], ["RECALL_TO_READ"])
    two.clock.pass_(HOUR)
    recalled(gb, digest, LIFTING)
    two.pump()
    assert kinds(kh, "border") == ["ALERT_TO_ACKNOWLEDGE"]
    two.clock.pass_(HOUR)
    recalled(gb, digest, RESTRICTION)
    two.pump()
    assert kinds(kh, "border") == ["RECALL_TO_READ"]


def test_what_another_agency_has_opened_still_waits_for_ours(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two, KH_BORDER, KH_POLICE)
    recalled(two["gb"], digest, RESTRICTION)
    two.pump()
    two.clock.pass_(HOUR)
    shown(kh, digest, "police")
    assert (kinds(kh, "border"), kinds(kh, "police")) == (["RECALL_TO_READ"], [])


def test_a_refusal_that_came_waits_like_a_report_and_an_acknowledgement_does_not(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    acknowledged(kh, digest)
    two.pump()
    assert kinds(gb, "liaison", everything=True) == []
    refusal = control_pb2.Refusal(manifest_digest=digest, reason=control_pb2.REFUSAL_REASON_NO_LEGAL_BASIS)
    wanted = draft(request_id=b"refusal         ", alert_type="exchange.v1.Refusal", alert=encode(refusal), not_after=0)
    published = kh.publish(wanted, "border")
    assert not published.problems, published.problems
    two.pump()
    (item,) = listed(gb, "liaison")
    assert (item.kind, item.reference, item.counterparty) == (messages.WORK_KIND_REFUSAL_TO_READ, published.manifest_digest, KH_BORDER)
    assert kinds(kh, "border", everything=True) == []  # a refusal is an answer
    shown(gb, published.manifest_digest, "liaison")
    assert kinds(gb, "liaison") == []


def test_a_correction_with_its_new_values_is_read_as_the_new_alert(two: Federation) -> None:
    digest = told(two)
    new = corrected(two["gb"], digest, wrong=[10]).replacement.manifest_digest
    two.pump()
    assert [(one.kind, one.reference) for one in listed(two["kh"], "border", everything=True)] == [
        (messages.WORK_KIND_ALERT_TO_ACKNOWLEDGE, new)
    ]


def test_a_correction_without_its_new_values_is_read_as_disputed(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", agreement(valid_until=NOW + HOUR))
        digest = told(two)
        two.clock.pass_(2 * HOUR)
        corrected(two["gb"], digest, wrong=[3])
        two.pump()
        (item,) = listed(two["kh"], "border")
        assert (item.kind, item.detail) == (messages.WORK_KIND_RECALL_TO_READ, "DISPUTED")


# After a withdrawal


def test_an_attestation_is_on_the_list_of_who_owes_it_and_of_who_waits_for_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two, KH_BORDER, KH_POLICE)
    recalled(gb, digest)
    two.pump()
    due = NOW + 7 * DAY
    for name in ("border", "police"):
        (item,) = listed(kh, name)
        assert (item.kind, item.due_at, item.detail) == (messages.WORK_KIND_ATTESTATION_TO_GIVE, due, "WRONG_PERSON")
    assert kinds(gb, "liaison") == []
    assert kinds(gb, "liaison", everything=True) == ["ATTESTATION_TO_COME"] * 2
    two.clock.time = NOW + 7 * DAY // 2
    assert {item.counterparty for item in listed(gb, "liaison")} == {KH_BORDER, KH_POLICE}
    attested(kh, digest)
    two.pump()
    assert (kinds(kh, "border"), kinds(kh, "police")) == ([], ["ATTESTATION_TO_GIVE"])
    (item,) = listed(gb, "liaison")
    assert (item.counterparty, item.overdue, item.escalated) == (KH_POLICE, False, False)
    two.clock.time = due
    assert listed(gb, "liaison")[0].overdue
    two.clock.time = due + 7 * DAY
    assert listed(gb, "liaison")[0].escalated
    assert kinds(gb, "both", everything=True) == []  # another agency's alert
    attested(kh, digest, "police")
    two.pump()
    assert kinds(gb, "liaison", everything=True) == kinds(kh, "police", everything=True) == []


# What the agency released


def test_what_a_receipt_excepted_waits_until_somebody_looks_what_became_of_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    two.clock.pass_(40 * 60_000)
    kh.ports = replace(kh.ports, training=not kh.ports.training)  # it refuses what is training, or what is not
    digest = gb.publish(draft(KH_BORDER)).manifest_digest
    status(gb, digest)  # too early to know
    two.clock.pass_(HOUR)
    two.pump()
    (item,) = listed(gb, "liaison")
    assert (item.kind, item.reference, item.detail) == (messages.WORK_KIND_REFUSAL_TO_READ, digest, "TRAINING_MISMATCH")
    assert (item.counterparty, item.command) == (kh.domain, f"exchange alert status {digest.hex()[:12]}")
    assert kinds(gb, "both") == []
    status(gb, digest)
    assert kinds(gb, "liaison") == []


# The office itself


def submitted(gb: Office, *, oral: str = "") -> messages.Submission:
    def release(item: Prepared | NotReleased) -> messages.PublishedAlert:
        return sequence(gb.ports, [item])[0]

    wanted = messages.SubmitAlertRequest(draft=draft(KH_NGO), reason="synthetic reason", oral_approver=oral and gb.person(oral))
    return approve.submit(gb.ports, gb.person("liaison"), wanted, release).submission


def test_a_submission_waits_for_a_colleague_never_for_its_author(two: Federation) -> None:
    gb = two["gb"]
    submission = submitted(gb)
    (item,) = listed(gb, "second")
    assert (item.kind, item.reference) == (messages.WORK_KIND_APPROVAL_TO_GIVE, submission.id)
    assert item.command == f"exchange approval give {submission.id.hex()[:12]}"
    assert (kinds(gb, "liaison"), kinds(gb, "liaison", everything=True)) == ([], ["APPROVAL_TO_GIVE"])
    assert kinds(gb, "police", everything=True) == kinds(gb, "both", everything=True) == []
    approve.take_back(gb.ports, gb.person("liaison"), submission.id.hex())
    assert kinds(gb, "second") == []


def test_who_has_approved_is_not_asked_again_and_the_office_as_a_whole_is(two: Federation) -> None:
    gb = two["gb"]
    submission = submitted(gb)
    with gb.ports.store.write() as tx:
        add_approval(tx, submission.id, ApprovalRow(person=gb.person("second"), at=NOW, confirm_by=0, confirmed_at=0))
    assert kinds(gb, "second", everything=True) == []
    (police,) = [viewer for viewer in office_viewers(gb.ports.officers) if viewer.agency == GB_POLICE]
    with gb.ports.store.read() as tx:
        (one,) = work.gather(gb.ports, tx, police, NOW)
    assert (one.kind, one.reference, one.later) == (messages.WORK_KIND_APPROVAL_TO_GIVE, submission.id, False)


def test_an_oral_approval_waits_for_whoever_gave_it(two: Federation) -> None:
    gb = two["gb"]
    submission = submitted(gb, oral="second")
    (item,) = listed(gb, "second")
    assert (item.kind, item.reference, item.due_at) == (messages.WORK_KIND_APPROVAL_TO_CONFIRM, submission.id, NOW + DAY)
    assert kinds(gb, "liaison", everything=True) == []
    asked = messages.ApproveSubmissionRequest(submission=submission.id.hex(), preview_digest=submission.preview_digest)
    approve.approve(gb.ports, gb.person("second"), asked, lambda _: messages.PublishedAlert())
    assert kinds(gb, "second", everything=True) == []


def assessed(office: Office, **changes: Any) -> Assessment:
    made = Assessment(
        digest=b"\7" * 32,
        destination="kh.alerts.example",
        recipients=frozenset(),
        states=frozenset({"ADEQUACY"}),
        policy="synthetic",
        assessed_at=NOW - 300 * DAY,
        review_by=NOW + 40 * DAY,
    )
    made = replace(made, **changes)
    office.ports.acquaintance.known = replace(office.ports.known, assessments=(*office.ports.known.assessments, made))
    return made


def test_an_assessment_is_reviewed_in_time_unless_a_newer_one_replaces_it(two: Federation) -> None:
    gb = two["gb"]
    first = assessed(gb)
    assert (kinds(gb, "liaison"), kinds(gb, "liaison", everything=True)) == ([], ["ASSESSMENT_TO_REVIEW"])
    two.clock.pass_(11 * DAY)
    (item,) = listed(gb, "liaison")
    assert (item.reference, item.due_at, item.counterparty) == (first.digest, first.review_by, "kh.alerts.example")
    assert kinds(gb, "border") == kinds(gb, "administrator") == []
    newer = {"digest": b"\x08" * 32, "assessed_at": NOW, "review_by": NOW + 300 * DAY}
    narrower: list[dict[str, Any]] = [
        {"recipients": frozenset({KH_BORDER})},
        {"destination": "vn.alerts.example"},
        {"states": frozenset()},
        {"review_by": NOW + 39 * DAY},
        {"assessed_at": NOW - 301 * DAY},
    ]
    held = gb.ports.known
    for less in narrower:
        gb.ports.acquaintance.known = held
        assessed(gb, **(newer | less))
        assert first.digest in [one.reference for one in listed(gb, "liaison", everything=True)]
    gb.ports.acquaintance.known = held
    assessed(gb, **newer)
    assert [one.reference for one in listed(gb, "liaison", everything=True)] == [b"\x08" * 32]


def test_storage_is_reviewed_when_that_is_due(two: Federation) -> None:
    kh = two["kh"]
    kh.ports = replace(kh.ports, retention=NationalRule(review_days=10))
    digest = told(two)
    two["kh"].report(digest.hex())
    two.clock.pass_(10 * DAY)
    (item,) = [one for one in listed(kh, "border") if one.reference == digest]
    assert (item.kind, item.overdue) == (messages.WORK_KIND_STORAGE_TO_REVIEW, True)
    assert item.command == f"exchange retention review {digest.hex()[:12]}"
    assert "STORAGE_TO_REVIEW" not in kinds(kh, "police")
    retention.review(kh.ports, kh.person("border"), digest.hex(), "synthetic reason")
    assert digest not in [one.reference for one in listed(kh, "border", everything=True)]
    two.clock.pass_(200 * DAY)
    assert digest not in [one.reference for one in listed(kh, "border", everything=True)]  # past its limit: it is erased, not reviewed


def test_alarms_are_the_administrators(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        raise_alarm(tx, NOW, "UNRECEIPTED", partner="kh.alerts.example", origin="x")
        raise_alarm(tx, NOW, "JOURNAL_UNWITNESSED", partner=gb.domain)
    found = {(one.detail, one.counterparty, one.command) for one in listed(gb, "administrator")}
    assert found == {
        ("UNRECEIPTED", "kh.alerts.example", "exchange partner show kh.alerts.example"),
        ("JOURNAL_UNWITNESSED", "", "exchange log list"),
    }
    assert all(len(one.reference) == 32 for one in listed(gb, "administrator"))
    assert kinds(gb, "liaison", everything=True) == []


# Who may, and what is recorded


def test_an_auditor_and_a_stranger_have_no_work(two: Federation) -> None:
    with refused(NotPermitted, "ROLE_MISSING"):
        listed(two["gb"], "auditor")
    with refused(NotPermitted, "OFFICER_UNKNOWN"):
        listed(two["gb"], "stranger")
    liaison = two["gb"].person("liaison")
    homeless = replace(two["gb"].ports.officers[liaison], agency=None)
    two["gb"].ports = replace(two["gb"].ports, officers={liaison: homeless})
    with refused(NotPermitted, "AGENCY_MISSING"):
        listed(two["gb"], "liaison")


def test_whoever_looks_is_recorded_first_with_what_was_shown(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    listed(kh, "border")
    assert kh.journal()[-1][0::3] == ("consultation", "WORK")
    assert kh.journal()[-1][1] == kh.person("border")
    with kh.ports.store.read() as tx:
        last = kh.ports.journal.edge(tx).frontier.size - 1
        detail = kh.ports.journal.detail(tx, last, PERSONAL)
    assert detail is not None
    assert list(JournalPersonal.FromString(detail[SALT_SIZE:]).results) == [digest]


def test_a_failure_to_record_shows_nothing(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    told(two)

    def fail(*_: object, **__: object) -> None:
        raise StoreFailed("STORE_FULL", "synthetic")

    monkeypatch.setattr(work, "note_access", fail)
    with refused(StoreFailed, "STORE_FULL"):
        listed(two["kh"], "border")


# The order


def item(name: str, due_at: int | None = None, *, raised_at: int = NOW - HOUR, **changes: Any) -> WorkItem:
    made = WorkItem(
        kind=messages.WORK_KIND_ALERT_TO_ACKNOWLEDGE,
        reference=name.encode(),
        counterparty="",
        term=Term(raised_at=raised_at, due_at=due_at),
        command="",
    )
    return replace(made, **changes)


def test_what_lands_next_sorts_first_then_what_is_overdue_then_what_is_due() -> None:
    wanted = [
        item("landed an hour ago", NOW - HOUR, lands_at=NOW - HOUR),
        item("lands in an hour", NOW + HOUR, lands_at=NOW + HOUR),
        item("lands tomorrow", lands_at=NOW + LANDS_SOON_MS),
        item("longest overdue", NOW - 5 * DAY),
        item("landed long ago", NOW - LANDED_MS - 1, lands_at=NOW - LANDED_MS - 1),
        item("due just now", NOW),
        item("due soon", NOW + 1),
        item("lands in two days", NOW + 2 * DAY, lands_at=NOW + 2 * DAY),
        item("raised first", raised_at=NOW - 2 * HOUR),
        item("raised next"),
        item("needs nobody, and lands soon", NOW + HOUR, lands_at=NOW + HOUR, later=True),
        item("needs nobody", NOW + DAY, later=True),
    ]
    for order in (wanted[::-1], wanted[6:] + wanted[:6]):
        assert [one.reference.decode() for one in by_urgency(order, NOW)] == [one.reference.decode() for one in wanted]


def test_what_needs_nobody_yet_is_never_escalated() -> None:
    late = item("late", NOW - DAY)
    assert escalated(NoticePlan(), late, NOW)
    assert not escalated(NoticePlan(), replace(late, later=True), NOW)


def test_an_office_sees_by_agency_what_any_of_its_people_may_see(two: Federation) -> None:
    viewers = {(one.agency, one.roles) for one in office_viewers(two["gb"].ports.officers)}
    assert viewers == {
        ("", frozenset({"auditor", "administrator"})),
        (GB_POLICE, frozenset({"liaison officer", "partner officer"})),
        (agency("gb", BORDER), frozenset({"liaison officer", "partner officer"})),
    }
    assert {one.person for one in office_viewers(two["gb"].ports.officers)} == {""}
