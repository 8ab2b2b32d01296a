"""Four eyes: what a clause asks a second officer to approve goes only as it was looked at, and never by its author alone."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import Conflict, NotFound, Refused
from exchange.v1 import desk_service_pb2
from node.operations import agreements, approve, audit_urgent, retention
from node.operations.approved import Together
from node.operations.contents import purpose_of_entry
from node.operations.officers import NotPermitted
from node.operations.preview import preview
from node.operations.sequence import sequence
from node.store import alerts, logs
from tests.countries import BORDER, DAY, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.recalls import corrected, flags, other_alert, shown
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
CLAUSE = "gb-kh-travelalert-border"
WAITING, RELEASED = desk_service_pb2.SUBMISSION_STATE_WAITING, desk_service_pb2.SUBMISSION_STATE_RELEASED
VOID, TAKEN_BACK = desk_service_pb2.SUBMISSION_STATE_VOID, desk_service_pb2.SUBMISSION_STATE_TAKEN_BACK


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as connected:
        connected.connect("gb", "kh", with_clause(agreement(), CLAUSE, approvals=1))
        yield connected


def releasing(office: Office) -> Together:
    return lambda items: sequence(office.ports, list(items))


def submit(office: Office, wanted: desk_service_pb2.Draft, *, by: str = "liaison", oral: str = "") -> desk_service_pb2.SubmitAlertResponse:
    request = desk_service_pb2.SubmitAlertRequest(draft=wanted, reason="synthetic reason", oral_approver=oral and office.person(oral))
    return approve.submit(office.ports, office.person(by), request, releasing(office))


def give(
    office: Office, submission: desk_service_pb2.Submission, *, by: str = "second", looked_at: bytes | None = None
) -> desk_service_pb2.ApproveSubmissionResponse:
    digest = submission.preview_digest if looked_at is None else looked_at
    request = desk_service_pb2.ApproveSubmissionRequest(submission=submission.id.hex(), preview_digest=digest)
    return approve.approve(office.ports, office.person(by), request, releasing(office))


def retain(office: Office, *, dry_run: bool = False) -> int:
    return retention.run(office.ports, office.person("administrator"), dry_run=dry_run).erased


def errors(problems: object) -> list[str]:
    return [problem.code for problem in problems if problem.severity == desk_service_pb2.SEVERITY_ERROR]  # type: ignore[attr-defined]  # repeated Problem


def size(two: Federation) -> int:
    with two["gb"].ports.store.read() as tx:
        log = logs.newest_log(tx, two["kh"].domain, outbound=True)
    return log.size if log else 0


def test_nothing_goes_until_a_second_officer_has_approved_it(two: Federation) -> None:
    gb = two["gb"]
    wanted = draft(KH_BORDER)
    assert errors(gb.publish(wanted).problems) == ["CONDITION_APPROVALS"]
    submission = submit(gb, wanted).submission
    assert (submission.state, submission.approvals_needed, size(two)) == (WAITING, 1, 0)
    approved = give(gb, submission)
    assert not approved.published.problems
    assert approved.submission.state == RELEASED
    assert [given.person for given in approved.submission.approvals] == [gb.person("second")]
    two.pump()
    assert two["kh"].mirror(gb).size == 1


def test_its_author_sees_what_would_go_and_that_it_does_not_go_yet(two: Federation) -> None:
    gb = two["gb"]
    (seen,) = preview(gb.ports, gb.person("liaison"), draft(KH_BORDER)).recipients
    assert [problem.code for problem in seen.denied] == ["CONDITION_APPROVALS"]
    published = give(gb, submit(gb, draft(KH_BORDER)).submission).published
    two.pump()
    goes = {desk_service_pb2.VISIBILITY_SHOWN, desk_service_pb2.VISIBILITY_SHOWN_NOT_KNOWN}
    assert [one.field for one in seen.fields if one.visibility in goes] == list(published.disclosures[0].fields)
    assert shown(two["kh"], published.manifest_digest).view == seen.view


def test_who_wrote_it_does_not_approve_it(two: Federation) -> None:
    gb = two["gb"]
    submission = submit(gb, draft(KH_BORDER)).submission
    with refused(NotPermitted, "APPROVER_IS_AUTHOR"):
        give(gb, submission, by="liaison")
    assert gb.journal()[-1][3] == "APPROVER_IS_AUTHOR"
    for stranger in ("police", "auditor", "administrator"):
        with refused(NotPermitted, "ROLE_MISSING"):
            give(gb, submission, by=stranger)
    with refused(NotFound, "SUBMISSION_NOT_FOUND"):
        give(gb, submission, by="both")  # a liaison officer of another agency
    assert size(two) == 0


def test_two_approvals_are_two_persons(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", with_clause(agreement(), CLAUSE, approvals=2))
        gb = two["gb"]
        submission = submit(gb, draft(KH_BORDER)).submission
        assert give(gb, submission).submission.state == WAITING
        assert give(gb, submission).submission.state == WAITING  # the same person again changes nothing
        assert size(two) == 0


def test_the_authorisation_record_names_who_approved(two: Federation) -> None:
    gb = two["gb"]
    published = give(gb, submit(gb, draft(KH_BORDER)).submission).published
    with gb.ports.store.read() as tx:
        row = alerts.by_digests(tx, [published.manifest_digest])[published.manifest_digest]
        ((log_id, entry),) = logs.entries_of_alert(tx, row.id)
        origin = next(log.name.origin for log in logs.all_logs(tx) if log.id == log_id)
        data_key = gb.ports.vault.unwrap(tx, row.period, row.wrapped_key)
    record = json.loads(data_key.open(purpose_of_entry(row.alert_id, origin), entry.sealed or b"")[32:])
    assert (record["officer"], record["approvers"], record["reason"]) == (gb.person("liaison"), [gb.person("second")], "synthetic reason")


def test_what_takes_an_alerts_place_waits_for_a_second_officer_too(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = give(gb, submit(gb, draft(KH_BORDER)).submission).published.manifest_digest
    two.pump()
    answer = corrected(gb, first, wrong=[11])
    assert (answer.HasField("replacement"), list(answer.not_admitted)) == (False, [KH_BORDER])
    two.pump()
    assert "DISPUTED" in flags(kh, first)  # at once, and nothing of what is right
    wanted = draft(KH_BORDER, alert=encode(other_alert()), supersedes=[first])
    newer = give(gb, submit(gb, wanted).submission).published.manifest_digest
    two.pump()
    read = shown(kh, newer)
    assert (read.replaces, [change.field for change in read.changes]) == (first, [11])


def test_an_approval_is_of_exactly_the_preview_that_was_looked_at(two: Federation) -> None:
    gb = two["gb"]
    submission = submit(gb, draft(KH_BORDER)).submission
    with refused(Conflict, "PREVIEW_CHANGED"):
        give(gb, submission, looked_at=bytes(32))
    assert approve.get(gb.ports, gb.person("second"), submission.id.hex()).submission.state == WAITING
    assert give(gb, submission).submission.state == RELEASED


def test_a_change_of_agreement_voids_what_was_submitted(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    submission = submit(gb, draft(KH_BORDER)).submission
    later = with_clause(agreement(instrument="Synthetic, later", valid_from=gb.clock.now_ms() - DAY), CLAUSE, approvals=1)
    drafted = agreements.draft(gb.ports, gb.person("administrator"), later)
    two.carry()
    agreements.accept(kh.ports, kh.person("administrator"), drafted.digest.hex())
    two.carry()
    with refused(Conflict, "PREVIEW_CHANGED"):
        give(gb, submission)
    shown = approve.get(gb.ports, gb.person("second"), submission.id.hex())
    assert shown.submission.state == VOID
    assert not shown.HasField("draft")
    with refused(Refused, "SUBMISSION_CLOSED"):
        give(gb, submission)
    assert size(two) == 0


def test_another_draft_under_the_same_id_is_no_edit(two: Federation) -> None:
    gb = two["gb"]
    wanted = draft(KH_BORDER)
    submission = submit(gb, wanted).submission
    assert submit(gb, wanted).submission == submission
    edited = desk_service_pb2.Draft()
    edited.CopyFrom(wanted)
    edited.unticked.append(5)
    with refused(Conflict, "SUBMISSION_OTHER"):
        submit(gb, edited)
    with refused(Conflict, "SUBMISSION_OTHER"):
        submit(gb, wanted, by="second")


def test_an_oral_approval_releases_at_once_and_is_put_in_writing_within_a_day(two: Federation) -> None:
    gb = two["gb"]
    answer = submit(gb, draft(KH_BORDER), oral="second")
    assert not answer.published.problems
    assert (answer.submission.state, size(two)) == (RELEASED, 1)
    (given,) = answer.submission.approvals
    assert (given.oral, given.confirmed_at) == (True, 0)
    approve.watch_oral_approvals(gb.ports)
    assert "ORAL_APPROVAL_UNCONFIRMED" not in gb.alarms()
    uses = audit_urgent.list_urgent(gb.ports, gb.person("auditor"), 0, 0).uses
    assert [use.code for use in uses] == ["ORAL", "RELEASED"]
    gb.clock.pass_(DAY)
    approve.watch_oral_approvals(gb.ports)
    assert "ORAL_APPROVAL_UNCONFIRMED" in gb.alarms()
    confirmed = give(gb, answer.submission).submission.approvals[0]
    assert confirmed.confirmed_at == gb.clock.now_ms()
    assert "ORAL_APPROVAL_UNCONFIRMED" not in gb.alarms()
    assert size(two) == 1


@pytest.mark.parametrize("oral", ["liaison", "police", "both", "administrator"])
def test_only_another_liaison_officer_of_the_agency_can_have_approved_orally(two: Federation, oral: str) -> None:
    gb = two["gb"]
    with refused(Refused, "ORAL_APPROVER"):
        submit(gb, draft(KH_BORDER), oral=oral)
    assert size(two) == 0


def test_only_the_author_takes_it_back_and_then_nobody_approves_it(two: Federation) -> None:
    gb = two["gb"]
    submission = submit(gb, draft(KH_BORDER)).submission
    with refused(NotPermitted, "NOT_THE_AUTHOR"):
        approve.take_back(gb.ports, gb.person("second"), submission.id.hex())
    assert approve.take_back(gb.ports, gb.person("liaison"), submission.id.hex()).submission.state == TAKEN_BACK
    with refused(Refused, "SUBMISSION_CLOSED"):
        give(gb, submission)
    with refused(Refused, "SUBMISSION_CLOSED"):
        approve.take_back(gb.ports, gb.person("liaison"), submission.id.hex())


def test_what_nobody_decides_for_thirty_days_is_erased(two: Federation) -> None:
    gb = two["gb"]
    first = submit(gb, draft(KH_BORDER)).submission
    two.clock.pass_(1)
    later = submit(gb, draft(KH_BORDER)).submission
    two.clock.pass_(30 * DAY - 2)
    assert retain(gb, dry_run=True) == retain(gb) == 0
    two.clock.pass_(1)
    assert retain(gb, dry_run=True) == 1
    assert retain(gb) == 1
    states = {one.id: one.state for one in approve.list_submissions(gb.ports, gb.person("liaison"))}
    assert states == {first.id: desk_service_pb2.SUBMISSION_STATE_LAPSED, later.id: WAITING}
    with refused(Refused, "SUBMISSION_CLOSED"):
        give(gb, first)
    with gb.ports.store.read() as tx:
        left = tx.exec_driver_sql("SELECT id FROM submissions WHERE sealed IS NOT NULL").scalars().all()
    assert left == [later.id]
    assert [(who, subject) for kind, who, subject, code in gb.journal() if (kind, code) == ("approval", "LAPSED")] == [
        (gb.person("administrator"), first.preview_digest.hex())
    ]
    assert retain(gb, dry_run=True) == retain(gb) == 0


def test_what_was_released_before_a_crash_could_note_it_did_not_lapse(two: Federation) -> None:
    gb = two["gb"]
    submission = submit(gb, draft(KH_BORDER)).submission
    with gb.ports.store.read() as tx:
        sealed = tx.exec_driver_sql("SELECT sealed FROM submissions").scalar()
    give(gb, submission)
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE submissions SET state = 'waiting', sealed = ?", (sealed,))
    two.clock.pass_(30 * DAY)
    assert retain(gb) == 1
    assert [one.state for one in approve.list_submissions(gb.ports, gb.person("liaison"))] == [RELEASED]
    assert "LAPSED" not in [code for *_, code in gb.journal()]


def test_what_no_clause_asks_to_approve_is_not_submitted(two: Federation) -> None:
    gb = two["gb"]
    with refused(Refused, "APPROVAL_NOT_ASKED"):
        submit(gb, draft(KH_POLICE))
    assert errors(submit(gb, draft("spiffe://kh.alerts.example/agency/unknown")).problems) == ["AUDIENCE_UNKNOWN"]
    assert not approve.list_submissions(gb.ports, gb.person("liaison"))


def test_a_submission_is_sealed_outlives_a_restart_and_is_released_once(two: Federation) -> None:
    gb = two["gb"]
    submission = submit(gb, draft(KH_BORDER)).submission
    gb.restart()
    shown = approve.get(gb.ports, gb.person("second"), submission.id.hex()[:8])
    assert (shown.reason, shown.preview.preview_digest) == ("synthetic reason", submission.preview_digest)
    assert not any(recipient.denied for recipient in shown.preview.recipients)
    released = give(gb, submission).published
    # As after a crash between the release and its note: the same approval again releases nothing twice.
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE submissions SET state = 'waiting'")
    assert give(gb, submission).submission.preview_digest == submission.preview_digest
    assert size(two) == 1
    assert released.manifest_digest
    gb.close()
    assert b"synthetic reason" not in b"".join(path.read_bytes() for path in (gb.directory / "data").iterdir())
    gb.open()


def test_each_step_stands_in_the_journal_in_its_order(two: Federation) -> None:
    gb = two["gb"]
    give(gb, submit(gb, draft(KH_BORDER)).submission)
    steps = [(kind, who, code) for kind, who, _, code in gb.journal() if kind in {"approval", "disclosure"}]
    assert steps == [
        ("approval", gb.person("liaison"), "SUBMITTED"),
        ("approval", gb.person("second"), "GIVEN"),
        ("disclosure", gb.person("liaison"), "RELEASED"),
    ]
    assert not audit_urgent.list_urgent(gb.ports, gb.person("auditor"), 0, 0).uses


def test_an_author_who_lost_the_role_releases_nothing_any_more(two: Federation) -> None:
    gb = two["gb"]
    submission = submit(gb, draft(KH_BORDER)).submission
    author = gb.person("liaison")
    gb.ports = replace(gb.ports, officers={**gb.ports.officers, author: replace(gb.ports.officers[author], roles=("auditor",))})
    with refused(NotPermitted, "ROLE_MISSING"):
        give(gb, submission)
    assert size(two) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"recipients": [agency("vn", BORDER)]}, "PARTNER_UNKNOWN"), ({"not_after": 1}, "NOT_AFTER_OVER"), ({}, "SUBJECT_ALREADY_ALERTED")],
)
def test_what_is_refused_before_a_colleague_sees_it_is_journalled(two: Federation, changes: dict[str, Any], code: str) -> None:
    gb = two["gb"]
    if not changes:
        gb.ports = replace(gb.ports, duplicates_refuse=True)
        give(gb, submit(gb, draft(KH_BORDER)).submission)
    wanted = draft(KH_BORDER)
    for name in changes:
        wanted.ClearField(name)
    wanted.MergeFrom(desk_service_pb2.Draft(**changes))
    answer = submit(gb, wanted)
    assert not answer.HasField("submission")
    assert code in errors(answer.problems)
    journalled = [event[3] for event in gb.journal() if event[0] == "refusal" and event[1] == gb.person("liaison")]
    assert journalled[-len(set(errors(answer.problems))) :] == sorted(set(errors(answer.problems)))
