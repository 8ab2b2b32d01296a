"""From alert files to a release: checked, previewed, batched, published once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from exchange.v1 import desk_service_pb2, travel_alert_pb2
from node.cli.drafts import BATCH_BYTES, FileDraft, batches
from node.cli.main import run
from tests.node import desk_answers as answers
from tests.node.fake_desk import Failure, FakeDesk, serve, set_up

FILE = """
type: TravelAlert
language: en-GB
recipients: [kh.alerts.example/agency/gdi]
purpose: PREVENTION
not_after: P30D
alert:
  primary_name: {{family: EXAMPLE, given: "{given}", script: Latn}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    with serve(directory) as desk:
        yield desk


@pytest.fixture
def desk(running: FakeDesk) -> FakeDesk:
    running.asked.clear()
    running.answers = {
        "PublishAlerts": publish,
        "CheckAlert": desk_service_pb2.CheckAlertResponse(),
        "PreviewAlert": answers.preview(),
    }
    return running


def publish(question: desk_service_pb2.PublishAlertsRequest) -> desk_service_pb2.PublishAlertsResponse:
    return desk_service_pb2.PublishAlertsResponse(
        alerts=[
            desk_service_pb2.PublishedAlert(
                request_id=draft.request_id,
                alert_id=bytes(16),
                manifest_digest=answers.digest(draft.request_id.hex()),
                disclosures=[answers.logged(draft.recipients[0], 4, "gb-to-kh-border")],
            )
            for draft in question.drafts
        ]
    )


def write(directory: Path, count: int = 1) -> list[str]:
    paths = [directory / f"alert-{number:03d}.yaml" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(FILE.format(given=f"Specimen {number}"), "utf-8")
    return [str(path) for path in paths]


class Line:
    def __init__(self, desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
        self.context = desk.context()
        self.capsys = capsys

    def json(self, *arguments: str, code: int = 0) -> Any:
        assert run(["--context", self.context, "--json", *arguments]) == code
        (line,) = self.capsys.readouterr().out.splitlines()
        return json.loads(line)


@pytest.fixture
def line(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(desk, capsys)


def questions(desk: FakeDesk) -> list[Any]:
    return [question for method, question in desk.asked if method == "PublishAlerts"]


def test_many_files_go_in_batches_of_64_by_one_call_with_the_reason(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    files = write(tmp_path, 130)
    data = line.json("alert", "publish", *files, "--reason", "s.86 notification")
    asked = questions(desk)
    assert [len(question.drafts) for question in asked] == [64, 64, 2]
    assert {question.reason for question in asked} == {"s.86 notification"}
    assert (data["asked"], data["published"], data["refused"]) == (130, 130, 0)
    assert [alert["file"] for alert in data["alerts"]] == files
    ids = [draft.request_id for question in asked for draft in question.drafts]
    assert len({*ids}) == 130
    assert {len(request_id) for request_id in ids} == {16}


def test_urgency_is_declared_with_every_batch_and_only_when_it_is(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    files = write(tmp_path, 65)
    line.json("alert", "publish", *files, "--reason", "x", "--urgent")
    line.json("alert", "publish", *files, "--reason", "x")
    asked = questions(desk)
    assert [question.urgent for question in asked] == [True, True, False, False]
    assert [d.request_id for question in asked[:2] for d in question.drafts] == [
        d.request_id for question in asked[2:] for d in question.drafts
    ]


def test_the_draft_holds_what_the_file_says(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    line.json("alert", "publish", *write(tmp_path), "--reason", "x")
    (draft,) = questions(desk)[0].drafts
    alert = travel_alert_pb2.TravelAlert.FromString(draft.alert)
    assert alert.primary_name.given == "Specimen 0"
    assert list(draft.recipients) == [answers.GDI]


def test_the_same_command_again_asks_for_the_same_release_and_again_for_a_new_one(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    files = write(tmp_path)
    line.json("alert", "publish", *files, "--reason", "x")
    line.json("alert", "publish", *files, "--reason", "y")
    line.json("alert", "publish", *files, "--reason", "x", "--to", "kh.alerts.example/agency/ahtjp")
    line.json("alert", "publish", *files, "--reason", "x", "--again")
    line.json("alert", "publish", *files, "--reason", "x", "--again")
    first, second, other, again, once_more = [question.drafts[0] for question in questions(desk)]
    assert first.request_id == second.request_id
    assert len({d.request_id for d in (first, other, again, once_more)}) == 4
    assert list(other.recipients) == [answers.AHTJP]


def test_another_alert_of_which_the_officer_knows_is_named(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    files = write(tmp_path, 2)
    line.json("alert", "publish", *files, "--reason", "x")
    known = ("--despite-duplicate", "05b3abf2", "--despite-duplicate", "gb.alerts.example/agency/acro")
    line.json("alert", "publish", *files, "--reason", "x", *known)
    plain, named = questions(desk)
    assert [list(draft.despite) for draft in plain.drafts] == [[], []]
    assert [list(draft.despite) for draft in named.drafts] == [["05b3abf2", "gb.alerts.example/agency/acro"]] * 2
    assert [draft.request_id for draft in plain.drafts] == [draft.request_id for draft in named.drafts]
    desk.asked.clear()
    line.json("alert", "preview", files[0], *known[:2])
    assert list(desk.the("PreviewAlert").draft.despite) == ["05b3abf2"]


def test_a_reason_is_mandatory(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    assert line.json("alert", "publish", *write(tmp_path), code=2)["error"]["code"] == "USAGE"
    assert line.json("alert", "publish", *write(tmp_path), "--reason", "  ", code=2)["error"]["code"] == "USAGE"
    assert not desk.asked


def test_one_wrong_file_stops_all_before_anything_is_sent(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    files = write(tmp_path, 2)
    Path(files[1]).write_text("type: TravelAlert\nalert: {colour: red}\n", "utf-8")
    data = line.json("alert", "publish", *files, "--reason", "x", code=2)
    assert data["error"]["code"] == "FILE_WRONG"
    (wrong,) = data["files"]
    assert wrong["file"] == files[1]
    assert wrong["problems"][0]["field"] == "colour"
    assert not desk.asked


def test_a_binary_file_is_refused(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe")
    data = line.json("alert", "publish", str(tmp_path / "x.yaml"), "--reason", "x", code=2)
    assert data["error"]["code"] == "DOCUMENT_ENCODING"
    assert not desk.asked


def test_an_agency_is_written_as_one(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    data = line.json("alert", "publish", *write(tmp_path), "--reason", "x", "--to", "gdi", code=2)
    assert "spiffe://" in data["error"]["happened"]


def test_what_the_node_refuses_is_told_and_ends_with_3(
    desk: FakeDesk, line: Line, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def half(question: desk_service_pb2.PublishAlertsRequest) -> desk_service_pb2.PublishAlertsResponse:
        answer = publish(question)
        answer.alerts[1].ClearField("disclosures")
        answer.alerts[1].problems.append(answers.problem("AGREEMENT_EXPIRED", "recipients[0]"))
        return answer

    desk.answers["PublishAlerts"] = half
    files = write(tmp_path, 2)
    data = line.json("alert", "publish", *files, "--reason", "x", code=3)
    assert (data["published"], data["refused"]) == (1, 1)
    assert data["alerts"][1]["problems"][0]["code"] == "AGREEMENT_EXPIRED"
    assert run(["--context", desk.context(), "alert", "publish", *files, "--reason", "x"]) == 3
    text = capsys.readouterr().out
    assert "1 of 2 files published." in text
    assert "AGREEMENT_EXPIRED" in text


def test_a_connection_lost_in_the_middle_tells_what_was_done(
    desk: FakeDesk, line: Line, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[int] = []

    def lost(question: desk_service_pb2.PublishAlertsRequest) -> Any:
        calls.append(len(question.drafts))
        return publish(question) if len(calls) % 2 else Failure(status=grpc.StatusCode.UNAVAILABLE)

    desk.answers["PublishAlerts"] = lost
    files = write(tmp_path, 70)
    data = line.json("alert", "publish", *files, "--reason", "x", code=5)
    assert (data["asked"], data["published"], len(data["alerts"])) == (70, 64, 64)
    assert "not published twice" in data["error"]["next_step"]
    assert run(["--context", desk.context(), "alert", "publish", *files, "--reason", "x"]) == 5
    told = capsys.readouterr()
    assert "64 of 70 files published." in told.out
    assert "cannot be reached" in told.err


@pytest.mark.parametrize("spoil", ["reordered", "short", "long"])
def test_answers_that_do_not_belong_to_the_questions_are_not_believed(desk: FakeDesk, line: Line, tmp_path: Path, spoil: str) -> None:
    def spoiled(question: desk_service_pb2.PublishAlertsRequest) -> desk_service_pb2.PublishAlertsResponse:
        alerts = list(publish(question).alerts)
        changed = {"reordered": alerts[::-1], "short": alerts[:1], "long": [*alerts, alerts[0]]}[spoil]
        return desk_service_pb2.PublishAlertsResponse(alerts=changed)

    desk.answers["PublishAlerts"] = spoiled
    data = line.json("alert", "publish", *write(tmp_path, 2), "--reason", "x", code=1)
    assert data["error"]["code"] == "ANSWER_ORDER"


def test_a_silent_node_does_not_hold_publish_for_ever(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    desk.delay = 10.0
    try:
        data = line.json("--timeout", "0.3", "alert", "publish", *write(tmp_path), "--reason", "x", code=5)
    finally:
        desk.delay = 0.0
        desk.stopping.set()
        desk.stopping.clear()
    assert data["error"]["code"] == "TIMEOUT"


def test_dry_run_and_preview_show_the_matrix_and_send_nothing(
    desk: FakeDesk, line: Line, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write(tmp_path)
    data = line.json("alert", "preview", *files)
    assert data == line.json("alert", "publish", *files, "--reason", "x", "--dry-run")
    assert {method for method, _ in desk.asked} == {"PreviewAlert"}
    assert data["refused"] is False
    (preview,) = data["previews"]
    border, police = preview["recipients"]
    states = {field["name"]: field["visibility"] for field in border["fields"]}
    assert (states["birth"], states["convictions"], states["risk_level"], states["court_orders"], states["cautions"]) == (
        "SHOWN",
        "FORBIDDEN",
        "NEEDS_REASON",
        "SHOWN_NOT_KNOWN",
        "UNTICKED",
    )
    assert border["clause"] == "gb-to-kh-border"
    assert bytes.fromhex(police["view"]) == answers.view()
    assert run(["--context", desk.context(), "alert", "preview", *files]) == 0
    rows = {row.split()[0]: row.split() for row in capsys.readouterr().out.splitlines() if row.strip()}
    assert rows["birth"][2:] == ["●", "●"]
    assert rows["convictions"][2:] == ["·", "●"]
    assert rows["risk_level"][2:] == ["?", "●"]
    assert rows["court_orders"][2:] == ["○", "○"]
    assert rows["cautions"][2:] == ["□", "□"]
    assert rows["clause"][1:] == ["gb-to-kh-border", "gb-to-kh-police"]


def test_a_preview_that_leaves_somebody_out_ends_with_3(
    desk: FakeDesk, line: Line, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.answers["PreviewAlert"] = answers.preview(denied=True)
    files = write(tmp_path)
    assert line.json("alert", "preview", *files, code=3)["refused"] is True
    assert run(["--context", desk.context(), "alert", "preview", *files]) == 3
    assert "Nothing can go to immigration (vn)" in capsys.readouterr().out
    desk.answers["PreviewAlert"] = desk_service_pb2.PreviewAlertResponse()
    assert line.json("alert", "preview", *files, code=3)["refused"] is True


def test_check_says_all_at_once_and_whether_file_or_node_objects(
    desk: FakeDesk, line: Line, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write(tmp_path, 2)
    assert line.json("alert", "check", *files)["good"] is True
    desk.answers["CheckAlert"] = desk_service_pb2.CheckAlertResponse(problems=[answers.problem(warning=True)])
    assert line.json("alert", "check", *files)["good"] is True
    desk.answers["CheckAlert"] = desk_service_pb2.CheckAlertResponse(problems=[answers.problem()])
    data = line.json("alert", "check", *files, code=3)
    assert [file["good"] for file in data["files"]] == [False, False]
    assert data["files"][0]["problems"] == [
        {
            "severity": "ERROR",
            "code": "FIELD_MISSING",
            "field": "contact_desk",
            "message": "the desk to call is missing",
            "remedy": "name the unit and a channel that answers at any hour",
        }
    ]
    Path(files[0]).write_text("type: TravelAlert\nalert: {colour: red, sex: nobody}\n", "utf-8")
    data = line.json("alert", "check", *files, code=2)
    assert {"colour", "sex", "contact_desk"} <= {problem["field"] for problem in data["files"][0]["problems"]}
    assert run(["--context", desk.context(), "alert", "check", *files]) == 2
    text = capsys.readouterr().out
    assert "colour" in text
    assert "0 of 2 files can be sent." in text


def test_check_does_not_ask_the_node_about_what_cannot_be_read(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("[1, 2", "utf-8")
    data = line.json("alert", "check", str(tmp_path / "x.yaml"), code=2)
    assert [problem["code"] for problem in data["files"][0]["problems"]] == ["DOCUMENT_SYNTAX"]
    assert not desk.asked


def test_check_offline_asks_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alert", "check", "--offline", "--json", *write(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["good"] is True


def test_batches_are_bounded_in_bytes_too() -> None:
    drafts = [FileDraft(path=Path(str(n)), draft=desk_service_pb2.Draft(alert=bytes(BATCH_BYTES // 3)), problems=()) for n in range(5)]
    drafts.append(FileDraft(path=Path("big"), draft=desk_service_pb2.Draft(alert=bytes(BATCH_BYTES * 2)), problems=()))
    packed = list(batches(drafts))
    assert [len(batch) for batch in packed] == [2, 2, 1, 1]
    assert [item for batch in packed for item in batch] == drafts
