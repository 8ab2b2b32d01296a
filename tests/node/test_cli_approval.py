"""`exchange approval`, and what a preview says of limits: what is asked, and what a second officer reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2
from tests.countries import NOW
from tests.node import desk_answers as answers
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_publish import write
from tests.node.test_cli_verbs import Line

SUBMISSION = desk_service_pb2.Submission(
    id=bytes(range(16)),
    state=desk_service_pb2.SUBMISSION_STATE_WAITING,
    author="spiffe://gb.alerts.example/officer/heron",
    submitted_at=NOW,
    alert_type="exchange.v1.TravelAlert",
    approvals_needed=1,
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    with serve(directory) as desk:
        yield desk


@pytest.fixture
def line(running: FakeDesk, capsys: pytest.CaptureFixture[str]) -> Line:
    running.answers.clear()
    running.asked.clear()
    return Line(running, capsys)


def test_what_the_author_knew_of_is_submitted_and_shown_to_the_approver(line: Line, running: FakeDesk, tmp_path: Path) -> None:
    running.answers["SubmitAlert"] = desk_service_pb2.SubmitAlertResponse(submission=SUBMISSION)
    (file,) = write(tmp_path)
    line.text("approval", "submit", file, "--reason", "x", "--despite-duplicate", "05b3abf2")
    draft = running.the("SubmitAlert").draft
    assert list(draft.despite) == ["05b3abf2"]
    shown = desk_service_pb2.GetSubmissionResponse(submission=SUBMISSION, draft=draft, reason="x", preview=answers.preview())
    running.answers["GetSubmission"] = shown
    said = line.text("approval", "show", "00010203")
    assert "in spite of" in said
    assert "05b3abf2" in said
    shown.draft.ClearField("despite")
    assert "in spite of" not in line.text("approval", "show", "00010203")


def test_more_of_an_alert_and_what_is_passed_on_wait_likewise(line: Line, running: FakeDesk) -> None:
    running.answers["SubmitAlert"] = desk_service_pb2.SubmitAlertResponse(submission=SUBMISSION)
    running.answers["GetAlertStatus"] = answers.status()
    more = ("alert", "supplement", "05b3abf2", "--to", answers.GDI, "--field", "birth", "--reason", "y", "--for-approval")
    assert "A colleague approves it" in line.text(*more)
    asked = running.the("SubmitAlert")
    assert (asked.supplement.recipient, asked.reason, asked.HasField("draft")) == (answers.GDI, "y", False)
    shown = desk_service_pb2.GetSubmissionResponse(submission=SUBMISSION, reason="y", preview=answers.preview())
    shown.supplement.alert = "05b3abf2"
    running.answers["GetSubmission"] = shown
    assert "05b3abf2" in line.text("approval", "show", "00010203")
    running.asked.clear()
    request = "ab" * 32
    line.text("onward", "release", request, "--reason", "y", "--for-approval")
    assert running.the("SubmitAlert").onward.request == request


def test_what_is_void_or_taken_back_is_submitted_anew_and_never_said_to_wait(line: Line, running: FakeDesk, tmp_path: Path) -> None:
    (file,) = write(tmp_path)
    command = ("approval", "submit", file, "--reason", "x")
    answer = desk_service_pb2.SubmitAlertResponse(submission=SUBMISSION)
    running.answers["SubmitAlert"] = answer
    assert "A colleague approves it" in line.text(*command)
    first = running.the("SubmitAlert").draft.request_id
    answer.submission.state = desk_service_pb2.SUBMISSION_STATE_RELEASED
    assert "A colleague" not in line.text(*command)
    for state in (desk_service_pb2.SUBMISSION_STATE_VOID, desk_service_pb2.SUBMISSION_STATE_TAKEN_BACK):
        answer.submission.state = state
        assert "--again" in line.text(*command, code=3)
    running.asked.clear()
    answer.submission.state = desk_service_pb2.SUBMISSION_STATE_WAITING
    line.text(*command, "--again")
    assert running.the("SubmitAlert").draft.request_id != first


def test_a_preview_says_what_is_left_and_that_it_is_an_emergency(line: Line, running: FakeDesk, tmp_path: Path) -> None:
    (file,) = write(tmp_path)
    plain = answers.preview()
    running.answers["PreviewAlert"] = plain
    assert "releases a day" not in line.text("alert", "preview", file)
    plain.recipients[0].rate_cap_per_day, plain.recipients[0].rate_left = 20, 7
    assert "7 of 20 releases a day are left" in line.text("alert", "preview", file)
    plain.recipients[0].emergency = True
    assert "agreement for an emergency" in line.text("alert", "preview", file)


def test_a_preview_shows_what_waits_for_a_second_officer_and_that_it_waits(line: Line, running: FakeDesk, tmp_path: Path) -> None:
    (file,) = write(tmp_path)
    running.answers["PreviewAlert"] = answers.preview(denied=True)
    assert "Nothing can go to immigration (vn):" in line.text("alert", "preview", file, code=3)
    waiting = answers.preview()
    plain = line.text("alert", "preview", file, code=3).count("●")
    waiting.recipients[0].denied.append(answers.problem("CONDITION_APPROVALS", "recipients[0]"))
    running.answers["PreviewAlert"] = waiting
    text = line.text("alert", "preview", file, code=3)
    assert "Nothing goes to gdi (kh) yet:" in text
    assert text.count("●") == plain


def test_a_preview_that_nobody_gets_says_that_nobody_was_named_only_if_that_is_so(line: Line, running: FakeDesk, tmp_path: Path) -> None:
    (file,) = write(tmp_path)
    problem = desk_service_pb2.Problem(
        severity=desk_service_pb2.SEVERITY_ERROR, code="REFERENT_UNKNOWN", field="alert", message="x", remedy="y"
    )
    running.answers["PreviewAlert"] = desk_service_pb2.PreviewAlertResponse(problems=[problem])
    assert "names no recipient" not in line.text("alert", "preview", file, code=3)
    kept = [one for one in Path(file).read_text("utf-8").splitlines() if not one.startswith("recipients:")]
    Path(file).write_text("\n".join(kept), "utf-8")
    assert "names no recipient" in line.text("alert", "preview", file, code=3)


def test_who_looked_before_is_shown_what_differs_and_others_nothing(line: Line, running: FakeDesk) -> None:
    shown = desk_service_pb2.GetSubmissionResponse(submission=SUBMISSION, reason="y", preview=answers.preview())
    running.answers["GetSubmission"] = shown
    assert "you last looked" not in line.text("approval", "show", "00010203")
    assert line.json("approval", "show", "00010203")["since"] is None
    shown.since.looked_at = NOW
    assert "Nothing has changed since you last looked" in line.text("approval", "show", "00010203")
    shown.since.parts.append("reason")
    shown.since.reason = "x"
    gone = desk_service_pb2.RecipientChange(recipient=answers.GDI, told_before=True, clause_before="clause-one")
    shown.since.recipients.append(gone)
    said = line.text("approval", "show", "00010203")
    assert "Since you last looked" in said
    for text in ("reason", "gdi (kh)", "clause-one", "nothing would go"):
        assert text in said, text
    assert line.json("approval", "show", "00010203")["since"]["parts"] == ["reason"]


def test_one_stands_in_anothers_place_and_the_same_again_is_the_same(line: Line, running: FakeDesk, tmp_path: Path) -> None:
    running.answers["SubmitAlert"] = desk_service_pb2.SubmitAlertResponse(submission=SUBMISSION)
    (file,) = write(tmp_path)
    ids = []
    for earlier in ("", "00010203", "00010203"):
        running.asked.clear()
        line.text("approval", "submit", file, "--reason", "x", "--instead-of", earlier)
        asked = running.the("SubmitAlert")
        assert asked.instead_of == earlier
        ids.append(asked.draft.request_id)
    assert ids[0] != ids[1] == ids[2]


def test_what_is_taken_back_may_be_a_draft_again(line: Line, running: FakeDesk) -> None:
    running.answers["TakeBackSubmission"] = desk_service_pb2.TakeBackSubmissionResponse(submission=SUBMISSION, draft=b"\x09" * 16)
    assert "/drafts/09090909" in line.text("approval", "take-back", "00010203", "--keep-draft")
    assert running.the("TakeBackSubmission").keep_draft


def test_the_list_says_whom_it_waits_for_and_until_when(line: Line, running: FakeDesk) -> None:
    one = desk_service_pb2.Submission()
    one.CopyFrom(SUBMISSION)
    one.turn = desk_service_pb2.APPROVAL_TURN_AUTHOR
    one.recipients.append(answers.GDI)
    running.answers["ListSubmissions"] = desk_service_pb2.ListSubmissionsResponse(submissions=[one])
    said = " ".join(line.json("approval", "list")["submissions"][0]["recipients"])
    assert said == answers.GDI
    assert line.json("approval", "list")["submissions"][0]["turn"] == "AUTHOR"
    assert "no: yours" in line.text("approval", "list")
