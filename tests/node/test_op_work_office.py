"""The work list of the office itself: approvals, reviews, alarms; and in which order it stands."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exchange.retention import NationalRule
from exchange.v1 import desk_service_pb2 as messages
from node.notify.plan import NoticePlan, Term
from node.operations import approve, draft_box, retention, work
from node.operations.draft_box import DraftContent
from node.operations.sequence import sequence
from node.operations.work_item import LANDED_MS, LANDS_SOON_MS, WorkItem, by_urgency, escalated, office_viewers
from node.policy.gate import Assessment
from node.store.directory import raise_alarm
from node.store.submissions import ApprovalRow, add_approval
from tests.countries import BORDER, DAY, HOUR, NGO, NOW, POLICE, agency
from tests.federation import Federation
from tests.rig import Office, draft
from tests.worklists import kinds, listed, office_pair, told

KH_BORDER, KH_NGO, GB_POLICE = agency("kh", BORDER), agency("kh", NGO), agency("gb", POLICE)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    made = office_pair(tmp_path)
    yield made
    made.close()


# The office itself


def submitted(gb: Office, *, oral: str = "") -> messages.Submission:
    wanted = messages.SubmitAlertRequest(draft=draft(KH_NGO), reason="synthetic reason", oral_approver=oral and gb.person(oral))
    return approve.submit(gb.ports, gb.person("liaison"), wanted, lambda items: sequence(gb.ports, list(items))).submission


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
    approve.approve(gb.ports, gb.person("second"), asked, lambda items: [messages.PublishedAlert() for _ in items])
    assert kinds(gb, "second", everything=True) == []


# Drafts


def draft_of(office: Office, by: str = "liaison", **document: Any) -> bytes:
    made = DraftContent(document={"type": "TravelAlert", **document})
    return draft_box.create(office.ports, office.person(by), made).id


def landing_at(local: str) -> dict[str, Any]:
    place = {"code_system": "IATA", "code": "KTI", "country": "KHM"}
    return {"itinerary": [{"arrival": {"local": local, "zone": "Asia/Phnom_Penh"}, "arrival_port": place}]}


def test_a_draft_waits_for_its_author_alone_and_after_all_else(two: Federation) -> None:
    gb = two["gb"]
    identifier = draft_of(gb)
    two.clock.pass_(DAY)
    submitted(gb)
    draft_of(gb, "second")
    first, last = listed(gb, "second")
    assert (first.kind, last.kind) == (messages.WORK_KIND_APPROVAL_TO_GIVE, messages.WORK_KIND_DRAFT_TO_FINISH)
    (item,) = listed(gb, "liaison")
    assert (item.kind, item.reference, item.detail) == (messages.WORK_KIND_DRAFT_TO_FINISH, identifier, "TravelAlert")
    assert (item.due_at, item.overdue, item.escalated, item.command) == (0, False, False, "")
    two.clock.pass_(20 * DAY)
    (item,) = listed(gb, "liaison")
    assert not item.escalated
    with gb.ports.store.read() as tx:
        office = [one for viewer in office_viewers(gb.ports.officers) for one in work.gather(gb.ports, tx, viewer, two.clock.now_ms())]
    assert messages.WORK_KIND_DRAFT_TO_FINISH not in {one.kind for one in office}
    draft_box.discard(gb.ports, gb.person("liaison"), identifier)
    assert kinds(gb, "liaison") == []


def test_a_draft_is_due_once_its_landing_or_its_end_is_near(two: Federation) -> None:
    gb = two["gb"]
    now = gb.ports.clock.now()
    lands = now + timedelta(hours=30)
    far, near, ends = (
        draft_of(gb, alert=landing_at((now + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M"))),
        draft_of(gb, alert=landing_at(lands.astimezone(ZoneInfo("Asia/Phnom_Penh")).strftime("%Y-%m-%dT%H:%M")), not_after="P9D"),
        draft_of(gb, not_after=(now + timedelta(hours=40)).strftime("%Y-%m-%dT%H:%MZ")),
    )
    assert [item.reference for item in listed(gb, "liaison")] == [near, ends, far]
    due = {item.reference: item.due_at for item in listed(gb, "liaison")}
    minute = 60_000  # as they are typed
    assert due == {far: 0, near: (NOW + 30 * HOUR) // minute * minute, ends: (NOW + 40 * HOUR) // minute * minute}
    two.clock.pass_(31 * HOUR)  # landed: no hurry helps any more
    assert {item.reference: (item.due_at, item.overdue) for item in listed(gb, "liaison")}[near] == (0, False)
    held = draft_box.get(gb.ports, gb.person("liaison"), far)
    moved = {"type": "TravelAlert", "alert": landing_at((now + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"))}
    draft_box.change(gb.ports, gb.person("liaison"), far, held.version, lambda _: DraftContent(document=moved))
    assert {item.reference for item in listed(gb, "liaison") if item.due_at} == {far, ends}


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
        (agency("gb", NGO), frozenset({"partner officer"})),
    }
    assert {one.person for one in office_viewers(two["gb"].ports.officers)} == {""}
