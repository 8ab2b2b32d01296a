"""The verbs about questions and acknowledgements: what they ask, and what people and scripts read."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.encoding import encode
from exchange.v1 import control_pb2, desk_service_pb2, information_pb2
from node.cli import context, request
from tests import asking
from tests.countries import HOUR, changed
from tests.node import desk_answers as answers
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_publish import FILE, publish
from tests.node.test_cli_verbs import Line

REF = "05b3abf2"
REFUSED = desk_service_pb2.PublishedAlert(problems=[answers.problem("REQUEST_ANSWERED", "alert")])
DONE = desk_service_pb2.PublishedAlert(manifest_digest=answers.digest("reply"), disclosures=[answers.logged(answers.GDI, 7, "a-clause")])
QUESTION = """
type: InformationRequest
language: en-GB
recipients: [kh.alerts.example/agency/gdi]
purpose: PREVENTION
not_after: P14D
alert: {questions: [CRIMINAL_RECORD], urgency: NORMAL}
"""
RESPONSE = """
type: InformationResponse
alert: {answers: [{question: CRIMINAL_RECORD, answer: "NO"}]}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    with serve(directory) as desk:
        yield desk


@pytest.fixture
def desk(running: FakeDesk) -> FakeDesk:
    running.answers.clear()
    running.asked.clear()
    return running


@pytest.fixture
def line(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(desk, capsys)


def written(directory: Path, text: str) -> str:
    path = directory / "file.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def case(**changes: object) -> desk_service_pb2.RequestCase:
    wanted = desk_service_pb2.RequestCase(
        manifest_digest=answers.digest("question"),
        asker=answers.CEOP,
        asked=answers.GDI,
        own=True,
        state=desk_service_pb2.REQUEST_STATE_SUSPENDED,
        clock=desk_service_pb2.REQUEST_CLOCK_STATE_STOPPED,
        stopped_because="COURT_ORDER_NEEDED",
        started_at=answers.ISSUED,
        term_hours=8,
        issued_at=answers.ISSUED,
        urgent=True,
        events=[
            desk_service_pb2.RequestEvent(
                deed=desk_service_pb2.REQUEST_DEED_SUSPENDED,
                party=answers.GDI,
                at=answers.ISSUED,
                manifest_digest=answers.digest("stop"),
                reason="COURT_ORDER_NEEDED",
                read_at=answers.ISSUED,
            ),
            desk_service_pb2.RequestEvent(
                deed=desk_service_pb2.REQUEST_DEED_ANSWERED, party=answers.AHTJP, at=answers.ISSUED, breach="NOT_ASKED", withdrawn=True
            ),
        ],
    )
    return changed(wanted, **changes)


def test_the_codes_on_the_help_pages_are_those_of_the_schema() -> None:
    refusals, reasons = control_pb2.RefusalReason.DESCRIPTOR, information_pb2.AuthorisationReason.DESCRIPTOR
    assert list(request.CODES) == [value.name.removeprefix("REFUSAL_REASON_") for value in refusals.values if value.number]
    assert list(request.BECAUSE.values()) == [value.name.removeprefix("AUTHORISATION_REASON_") for value in reasons.values if value.number]


def test_send_releases_a_question_and_nothing_else(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    desk.answers["PublishAlerts"] = publish
    assert line.json("request", "send", written(tmp_path, QUESTION), "--reason", "x")["published"] == 1
    (sent,) = desk.the("PublishAlerts").drafts
    assert sent.alert_type == asking.QUESTION
    desk.asked.clear()
    alert = written(tmp_path, FILE.format(given="Specimen"))
    assert line.json("request", "send", alert, "--reason", "x", code=2)["error"]["code"] == "NOT_A_REQUEST"
    assert not desk.asked


def test_a_preview_of_a_question_sends_nothing(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    desk.answers["PreviewAlert"] = answers.preview()
    line.json("request", "send", written(tmp_path, QUESTION), "--reason", "x", "--dry-run")
    assert [method for method, _ in desk.asked] == ["PreviewAlert"]


def test_list(desk: FakeDesk, line: Line) -> None:
    due = case(own=None, clock=desk_service_pb2.REQUEST_CLOCK_STATE_RUNNING, stopped_because="", due_at=answers.ISSUED + 8 * HOUR)
    desk.answers["ListRequests"] = desk_service_pb2.ListRequestsResponse(requests=[due, case()], more=True)
    found = line.json("request", "list")
    assert [one["state"] for one in found["requests"]] == ["SUSPENDED", "SUSPENDED"]
    assert (found["more"], found["requests"][0]["clock"]) == (True, "RUNNING")
    text = line.text("request", "list", "--all")
    assert re.search(rf"{answers.digest('question').hex()[:12]} +from nca-ceop \(gb\) +suspended +running +2026-", text)
    assert re.search(r"to gdi \(kh\) +suspended +stopped: court order needed +– +urgent", text)
    assert "older ones" in text
    assert [asked.all for _, asked in desk.asked] == [False, True]
    desk.answers["ListRequests"] = desk_service_pb2.ListRequestsResponse()
    assert "No request is open" in line.text("request", "list")


def test_show(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetRequest"] = desk_service_pb2.GetRequestResponse(cases=[case(started_by_attempts=True)])
    (found,) = line.json("request", "show", REF)["cases"]
    assert (found["stopped_because"], found["events"][1]["breach"]) == ("COURT_ORDER_NEEDED", "NOT_ASKED")
    text = line.text("request", "show", REF)
    assert "by the third attempt to deliver it" in text
    assert re.search(r"answered +ahtjp \(kh\) .*withdrawn since +NOT_ASKED", text)
    desk.answers["GetRequest"] = desk_service_pb2.GetRequestResponse(cases=[case(events=None, started_at=None, clock=None, own=None)])
    text = line.text("request", "show", REF)
    assert "not started" in text
    assert "opened here" in text
    assert "Nothing has come of it yet" in text


def test_answer_by_a_file(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    desk.answers["AnswerRequest"] = desk_service_pb2.AnswerRequestResponse(published=DONE)
    file = written(tmp_path, RESPONSE)
    assert "Answered." in line.text("request", "answer", REF, file, "--reason", "x")
    line.json("request", "answer", REF, file, "--reason", "x")
    first, second = [asked for _, asked in desk.asked]
    assert (first.request, first.draft.alert_type, first.reason) == (REF, asking.RESPONSE, "x")
    assert first.draft.request_id == second.draft.request_id, "the same again is not a second answer"
    desk.answers["AnswerRequest"] = desk_service_pb2.AnswerRequestResponse(published=REFUSED)
    assert "REQUEST_ANSWERED" in line.text("request", "answer", REF, file, "--reason", "x", code=3)


def test_answer_that_nothing_is_known(desk: FakeDesk, line: Line) -> None:
    questions = [information_pb2.QUESTION_CODE_CRIMINAL_RECORD, information_pb2.QUESTION_CODE_IDENTITY]
    view = encode(asking.question(questions=questions))
    desk.answers["GetInboxAlert"] = desk_service_pb2.GetInboxAlertResponse(summary=answers.summary(), view=view)
    desk.answers["AnswerRequest"] = desk_service_pb2.AnswerRequestResponse(published=DONE)
    assert "Answered." in line.text("request", "answer", REF, "--no-trace", "--reason", "x")
    said = information_pb2.InformationResponse.FromString(desk.the("AnswerRequest").draft.alert)
    assert [(one.question, one.answer) for one in said.answers] == [(one, information_pb2.ANSWER_CODE_NO_TRACE) for one in questions]
    assert said.request_digest == answers.digest("manifest")
    assert said.contact_desk.channel


def test_refuse_suspend_and_resume(desk: FakeDesk, line: Line) -> None:
    desk.answers["RefuseRequest"] = desk_service_pb2.RefuseRequestResponse(published=DONE)
    desk.answers["SuspendRequest"] = desk_service_pb2.SuspendRequestResponse(published=DONE)
    assert "Refused." in line.text("request", "refuse", REF, "--code", "human_rights", "--reason", "x")
    assert desk.the("RefuseRequest").code == control_pb2.REFUSAL_REASON_HUMAN_RIGHTS
    desk.asked.clear()
    assert "stands still" in line.text("request", "suspend", REF, "--because", "court-order", "--reason", "x")
    line.json("request", "suspend", REF, "--because", "prosecutor-consent", "--reason", "x")
    assert "runs again" in line.text("request", "resume", REF, "--reason", "x")
    asked = [one for _, one in desk.asked]
    assert [one.because for one in asked] == [asking.COURT, asking.PROSECUTOR, 0]
    assert len({one.request_id for one in asked}) == 3
    assert all(one.desk.channel for one in asked)
    desk.answers["SuspendRequest"] = desk_service_pb2.SuspendRequestResponse(published=REFUSED)
    assert line.json("request", "resume", REF, "--reason", "x", code=3)["problems"]


def test_what_is_not_said_as_it_must_be_asks_nothing(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    file = written(tmp_path, RESPONSE)
    for words in (
        ("request", "answer", REF, "--reason", "x"),
        ("request", "answer", REF, file, "--no-trace", "--reason", "x"),
        ("request", "answer", REF, file),
        ("request", "answer", REF, file, "--reason", " "),
        ("request", "refuse", REF, "--reason", "x"),
        ("request", "refuse", REF, "--code", "human_rights", "--reason", " "),
        ("request", "suspend", REF, "--reason", "x"),
        ("request", "suspend", REF, "--because", "holiday", "--reason", "x"),
        ("inbox", "acknowledge", REF, "--decide-by", "tomorrow"),
        ("inbox", "acknowledge", REF, "--decide-by", "2027-03-04T18:00"),
    ):
        assert line.json(*words, code=2)["error"]["code"] == "USAGE"
    assert not desk.asked


def test_acknowledge(desk: FakeDesk, line: Line) -> None:
    desk.answers["AcknowledgeAlert"] = desk_service_pb2.AcknowledgeAlertResponse(published=DONE)
    text = line.text("inbox", "acknowledge", REF, "--decide-by", "2027-03-04T18:00+07:00")
    assert "Acknowledged." in text
    assert "gdi (kh)" in text
    asked = desk.the("AcknowledgeAlert")
    assert (asked.alert, asked.action_decided_by, len(asked.request_id)) == (REF, 1_804_158_000_000, 16)
    assert asked.desk.unit
    line.json("inbox", "acknowledge", REF)
    assert desk.asked[-1][1].action_decided_by == 0
    assert desk.asked[-1][1].request_id != asked.request_id


def test_without_a_desk_in_the_context_nobody_could_call_back(desk: FakeDesk, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = context.load_context
    monkeypatch.setattr(context, "load_context", lambda path: changed_context(loaded(path)))
    assert line.json("inbox", "acknowledge", REF, code=2)["error"]["code"] == "CONTACT_MISSING"
    assert not desk.asked


def changed_context(loaded: context.Context) -> context.Context:
    return replace(loaded, unit="")


def test_status_shows_receipted_opened_and_acknowledged_apart(desk: FakeDesk, line: Line) -> None:
    read = desk_service_pb2.AcknowledgementStatus(
        agency=answers.GDI,
        manifest_digest=answers.digest("read"),
        read_at=answers.ISSUED + HOUR,
        acknowledged_at=answers.ISSUED + 2 * HOUR,
        action_decided_by=answers.ISSUED + 3 * HOUR,
    )
    desk.answers["GetAlertStatus"] = changed(answers.status(), acknowledgements=[read])
    assert line.json("alert", "status", REF)["acknowledgements"][0]["agency"] == answers.GDI
    text = line.text("alert", "status", REF)
    (row,) = [one for one in text.partition("Read by a person")[2].splitlines() if "gdi (kh)" in one]
    assert len(set(re.findall(r"\d\d:\d\d", row))) == 3
    desk.answers["GetAlertStatus"] = answers.status()
    assert "Read by a person" not in line.text("alert", "status", REF)
