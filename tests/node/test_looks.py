"""The second officer is shown what changed since they looked: at this submission or the one before it, again at each look."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import NotFound, Refused
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.intake.fill_in import fill_in
from node.operations import agreements, approve, draft_box
from node.operations.drafted_again import typed_again
from node.operations.officers import NotPermitted
from node.operations.retention import run_due
from node.operations.sequence import sequence
from tests.countries import BORDER, DAY, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.recalls import other_alert
from tests.refusals import refused
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
CLAUSE = "gb-kh-travelalert-border"
HOUR = 3_600_000


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement(), CLAUSE, approvals=1))
        yield made


def submit(
    gb: Office, wanted: messages.Draft, *, reason: str = "synthetic reason", lineage: bytes | None = None, instead_of: str = ""
) -> messages.Submission:
    request = messages.SubmitAlertRequest(draft=wanted, reason=reason, instead_of=instead_of)
    answer = approve.submit(gb.ports, gb.person("liaison"), request, lambda items: sequence(gb.ports, list(items)), lineage=lineage)
    assert not answer.problems
    return answer.submission


def look(gb: Office, submission: messages.Submission, by: str = "second") -> messages.GetSubmissionResponse:
    return approve.get(gb.ports, gb.person(by), submission.id.hex())


def back(gb: Office, submission: messages.Submission) -> draft_box.HeldDraft:
    answer = approve.take_back(gb.ports, gb.person("liaison"), submission.id.hex(), keep_draft=True)
    return draft_box.get(gb.ports, gb.person("liaison"), answer.draft)


def again(gb: Office, held: draft_box.HeldDraft, **changes: Any) -> messages.Submission:
    """Submit what was taken back, as the console does."""
    read = draft_box.read_held(gb.ports, held)
    assert not read.problems
    for name, value in changes.items():
        if isinstance(value, bytes):
            setattr(read.draft, name, value)
        else:
            getattr(read.draft, name)[:] = value
    found = submit(gb, read.draft, reason=read.reason, lineage=held.summary.lineage)
    draft_box.discard(gb.ports, gb.person("liaison"), held.id)
    return found


def kept(gb: Office) -> int:
    with gb.ports.store.read() as tx:
        return int(tx.exec_driver_sql("SELECT count(*) FROM looks").scalar() or 0)


def test_who_never_looked_is_shown_nothing_and_who_did_that_nothing_changed(gb: Office) -> None:
    submission = submit(gb, draft(KH_BORDER))
    assert not look(gb, submission).HasField("since")
    first = gb.ports.clock.now_ms()
    gb.clock.pass_(HOUR)
    since = look(gb, submission).since
    assert (since.looked_at, list(since.fields), list(since.recipients), list(since.parts)) == (first, [], [], [])
    assert not look(gb, submission, by="liaison").HasField("since"), "who wrote it knows"
    assert kept(gb) == 1
    consulted = [who.rpartition("/")[2] for kind, who, _, code in gb.journal() if (kind, code) == ("consultation", "SUBMISSION")]
    assert consulted == ["second", "second", "liaison"]


def test_what_the_author_changed_since_is_shown_at_every_look(gb: Office) -> None:
    submission = submit(gb, draft(KH_BORDER))
    look(gb, submission)
    first = gb.ports.clock.now_ms()
    gb.clock.pass_(HOUR)
    anew = again(gb, back(gb, submission), alert=encode(other_alert()))
    for _ in range(3):
        gb.clock.pass_(HOUR)
        since = look(gb, anew).since
        assert since.looked_at == first
        assert [(one.field, one.told_before, one.told_now) for one in since.fields] == [(11, True, True)]
        assert b"XX 99" in since.fields[0].now
        assert (list(since.recipients), list(since.parts)) == ([], [])


def test_recipients_that_came_and_went_and_other_parts_are_shown(gb: Office) -> None:
    submission = submit(gb, draft(KH_BORDER))
    look(gb, submission)
    wanted = draft(KH_BORDER, KH_POLICE, unticked=[3])
    wanted.not_after += DAY
    anew = submit(gb, wanted, reason="another reason", instead_of=submission.id.hex())
    since = look(gb, anew).since
    came, other = sorted(since.recipients, key=lambda one: one.told_before)
    assert (came.recipient, came.told_before, came.told_now, came.clause_before) == (KH_POLICE, False, True, "")
    assert came.clause_now
    assert (other.recipient, other.clause_before == other.clause_now) == (KH_BORDER, True)
    assert [(one.field, one.now) for one in other.fields] == [(3, messages.VISIBILITY_UNTICKED)]
    assert sorted(since.parts) == ["not_after", "reason"]
    assert since.reason == "synthetic reason"
    gone = submit(gb, draft(KH_BORDER), instead_of=anew.id.hex())
    assert KH_POLICE in [one.recipient for one in look(gb, gone).since.recipients if not one.told_now]


def test_what_a_new_agreement_decides_otherwise_is_shown(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    submission = submit(gb, draft(KH_BORDER))
    (told,) = look(gb, submission).preview.recipients
    (before,) = (one for one in agreement().clauses if one.id == CLAUSE)
    fewer = [number for number in before.permitted if number != 3]
    later = with_clause(agreement(valid_from=gb.clock.now_ms() - DAY), CLAUSE, approvals=1, permitted=fewer)
    drafted = agreements.draft(gb.ports, gb.person("administrator"), later)
    two.carry()
    agreements.accept(kh.ports, kh.person("administrator"), drafted.digest.hex())
    two.carry()
    (shown,) = look(gb, submit(gb, draft(KH_BORDER), instead_of=submission.id.hex())).since.recipients
    assert (shown.told_before, shown.told_now, shown.clause_before, shown.clause_now) == (True, True, CLAUSE, CLAUSE)
    assert (shown.agreement_before, shown.agreement_now) == (told.agreement_digest, drafted.digest)
    assert told.agreement_digest != drafted.digest
    assert [(one.field, one.before, one.now) for one in shown.fields] == [(3, messages.VISIBILITY_SHOWN, messages.VISIBILITY_FORBIDDEN)]


def test_a_look_is_nobody_elses(two: Federation) -> None:
    gb = two["gb"]
    submission = submit(gb, draft(KH_BORDER))
    look(gb, submission)
    anew = again(gb, back(gb, submission), alert=encode(other_alert()))
    with gb.ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT person FROM looks").scalars().all() == [gb.person("second")]
    with refused(NotFound, "SUBMISSION_NOT_FOUND"):
        look(gb, anew, by="both")
    assert kept(gb) == 1
    other = submit(gb, draft(KH_BORDER, alert=encode(other_alert())))
    assert not look(gb, other).HasField("since"), "another submission is not the one that was looked at"


def test_what_was_taken_back_is_the_same_draft_again(gb: Office) -> None:
    alert = TravelAlert.FromString(draft(KH_BORDER).alert)
    fill_in(alert)  # as of every draft that was typed
    wanted = draft(KH_BORDER, alert=encode(alert), unticked=[3], despite=["05b3abf2"], supersedes=[b"\x06" * 32], thread=b"\x07" * 32)
    wanted.on_request.add(recipient=KH_BORDER, field=5, ground=1, request_digest=b"\x05" * 32)
    document = typed_again(wanted)
    read = draft_box.read_content(gb.ports, draft_box.DraftContent(document=document, despite=("05b3abf2",)))
    assert not [one.code for one in read.problems if one.severity == messages.SEVERITY_ERROR]
    for one in (wanted, read.draft):
        one.ClearField("request_id")
    assert read.draft == wanted


def test_only_what_is_ones_own_and_waits_is_stood_in_for(gb: Office) -> None:
    submission = submit(gb, draft(KH_BORDER))
    request = messages.SubmitAlertRequest(draft=draft(KH_BORDER), reason="synthetic reason", instead_of=submission.id.hex())
    with refused(NotPermitted, "NOT_THE_AUTHOR"):
        approve.submit(gb.ports, gb.person("second"), request, lambda items: sequence(gb.ports, list(items)))
    anew = submit(gb, request.draft, instead_of=submission.id.hex())
    assert submit(gb, request.draft, instead_of=submission.id.hex()) == anew, "the same again changes nothing"
    with refused(Refused, "SUBMISSION_CLOSED"):
        submit(gb, draft(KH_BORDER), instead_of=submission.id.hex())
    states = [one.state for one in approve.list_submissions(gb.ports, gb.person("liaison"))]
    assert sorted(states) == sorted([messages.SUBMISSION_STATE_WAITING, messages.SUBMISSION_STATE_TAKEN_BACK])


@pytest.mark.parametrize("end", ["released", "taken back", "lapsed", "discarded", "erased"])
def test_no_look_outlives_what_was_looked_at(gb: Office, end: str) -> None:
    submission = submit(gb, draft(KH_BORDER))
    look(gb, submission)
    assert kept(gb) == 1
    if end == "released":
        request = messages.ApproveSubmissionRequest(submission=submission.id.hex(), preview_digest=submission.preview_digest)
        given = approve.approve(gb.ports, gb.person("second"), request, lambda items: sequence(gb.ports, list(items)))
        assert given.published.manifest_digest
    elif end == "taken back":
        approve.take_back(gb.ports, gb.person("liaison"), submission.id.hex())
    elif end == "lapsed":
        gb.clock.pass_(30 * DAY)
        run_due(gb.ports, gb.ports.trust_domain)
    else:
        held = back(gb, submission)
        assert kept(gb) == 1, "its author goes on with it"
        if end == "discarded":
            draft_box.discard(gb.ports, gb.person("liaison"), held.id)
        else:
            gb.clock.pass_(31 * DAY)
            run_due(gb.ports, gb.ports.trust_domain)
    assert kept(gb) == 0


def test_a_look_is_sealed(gb: Office) -> None:
    submission = submit(gb, draft(KH_BORDER))
    look(gb, submission)
    with gb.ports.store.read() as tx:
        sealed = tx.exec_driver_sql("SELECT sealed FROM looks").scalar()
    assert isinstance(sealed, bytes)
    assert b"EXAMPLE" not in sealed


def test_a_list_says_whom_it_waits_for_to_whom_it_goes_and_until_when(gb: Office) -> None:
    wanted = draft(KH_BORDER)
    submission = submit(gb, wanted)
    turns = {name: approve.list_submissions(gb.ports, gb.person(name))[0].turn for name in ("liaison", "second")}
    assert turns == {"liaison": messages.APPROVAL_TURN_AUTHOR, "second": messages.APPROVAL_TURN_APPROVE}
    (listed,) = approve.list_submissions(gb.ports, gb.person("second"))
    assert (list(listed.recipients), listed.not_after) == ([KH_BORDER], wanted.not_after)
    assert listed.lands_at
    assert listed.lands_zone
    approve.take_back(gb.ports, gb.person("liaison"), submission.id.hex())
    (listed,) = approve.list_submissions(gb.ports, gb.person("second"))
    assert (listed.turn, list(listed.recipients), listed.lands_at) == (messages.APPROVAL_TURN_OVER, [], 0)
