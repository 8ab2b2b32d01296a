"""`exchange tip`: what each verb asks and shows; whatever an NGO wrote, a terminal stays safe. And an NGO's own side of it."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import handling_pb2, tip_pb2
from exchange.v1.people_pb2 import PersonName, Text
from node.cli import tip as verbs
from node.cli.main import run
from node.intake.alert_file import load_alert_file
from node.keys.node_directory import example_plan
from node.keys.party_files import Terms, write_party
from node.operations import tip_convert
from node.tips import draft_file
from node.tips.conversion import convert, purpose_of
from node.tips.safeguards import SAFEGUARDS
from tests.countries import changed
from tests.node import desk_answers as answers
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_verbs import Line
from tests.tip_listener import serving
from tests.tips import SECRET, TIP, content

REF = "T-7K3M-Q2XA"
HOSTILE = "\x1b[2J\x1b]0;owned\x07ab\u202egpj.exe\u2066[red]https://example.org/[/red] <script>"
SUMMARY = messages.TipSummary(
    reference=REF,
    digest=answers.digest("tip"),
    state=tip_pb2.TIP_STATE_RECEIVED,
    agency=answers.AHTJP,
    ngo="spiffe://kh.alerts.example/ngo/aple",
    submitted_at=answers.ISSUED,
    danger=True,
    look_by=answers.ISSUED + 3_600_000,
    late=True,
    erase_by=answers.ISSUED + 90 * 86_400_000,
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "kh"
    set_up(directory, "KH")
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


def hostile_tip() -> tip_pb2.Tip:
    suspect = tip_pb2.SuspectDescription(
        names_as_heard=[PersonName(as_written=HOSTILE)],
        description=[Text(language="en", text=HOSTILE)],
        occupation=HOSTILE,
        online_handles=[HOSTILE],
    )
    return tip_pb2.Tip(reporter_organisation=HOSTILE, evidence_custodian=HOSTILE, suspects=[suspect])


@pytest.mark.parametrize(
    ("names", "enum", "prefix"),
    [
        (verbs.CLOSE_REASONS, messages.TipCloseReason, "TIP_CLOSE_REASON_"),
        (verbs.SAFEGUARDS, messages.TipSafeguard, "TIP_SAFEGUARD_"),
        (tuple(SAFEGUARDS), messages.TipSafeguard, "TIP_SAFEGUARD_"),
        (verbs.PURPOSES, handling_pb2.Purpose, "PURPOSE_"),
        (verbs.STATES, tip_pb2.TipState, "TIP_STATE_"),
    ],
)
def test_the_choices_are_those_of_the_schema(names: tuple[str, ...], enum: Any, prefix: str) -> None:
    assert [f"{prefix}{name}" for name in names] == enum.keys()[1:]


def test_the_list_says_what_is_late(desk: FakeDesk, line: Line) -> None:
    calm = changed(
        SUMMARY, reference="T-0000-0001", danger=None, late=None, looked_at=answers.ISSUED, officer="spiffe://x.example/officer/y"
    )
    desk.answers["ListTips"] = messages.ListTipsResponse(tips=[SUMMARY, calm], left_off=3)
    shown = line.text("tip", "list", "--all")
    assert desk.the("ListTips").all
    assert "LATE, by 2026-" in shown
    assert "in danger" in shown
    assert "3 more are not listed" in shown
    assert [one["reference"] for one in line.json("tip", "list")["tips"]] == [REF, "T-0000-0001"]
    desk.answers["ListTips"] = messages.ListTipsResponse()
    assert "No tip is at your desk" in line.text("tip", "list")


def test_a_hostile_tip_does_not_break_a_desk(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetTip"] = messages.GetTipResponse(
        summary=SUMMARY,
        view=encode(hostile_tip()),
        score=15,
        missing=[messages.TipRemark(field="observed", text=HOSTILE)],
        routing=[messages.TipRemark(code="LOCAL_DESK", text=HOSTILE)],
    )
    shown = line.text("tip", "show", REF)
    assert desk.the("GetTip").tip == REF
    for sign in ("\x1b", "\x07", "\u202e", "\u2066"):
        assert sign not in shown
    assert "[red]https://example.org/[/red]" in shown.replace("\n", "")
    assert "may be in danger" in shown
    # A script gets the text as JSON, whose own escapes keep it apart from the terminal.
    data = line.json("tip", "show", REF)
    assert data["tip"]["evidence_custodian"] == HOSTILE
    assert "view" not in data


def test_a_tip_is_shown_with_what_became_of_it(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetTip"] = messages.GetTipResponse(
        summary=SUMMARY,
        view=encode(tip_pb2.Tip(observed="2026-05")),
        proposed=[answers.CEOP],
        releases=[messages.TipRelease(manifest_digest=answers.digest("a"), alert_type=TIP, recipients=[answers.CEOP], released_at=1)],
        answers=[messages.TipAnswer(agency=answers.CEOP, state=tip_pb2.TIP_STATE_UNDER_ASSESSMENT, received_at=1)],
        safeguards=[messages.TipSafeguardRequest(code=messages.TIP_SAFEGUARD_DO_NOT_CONFRONT, requested_at=1)],
        contact_held=True,
    )
    shown = " ".join(line.text("tip", "show", REF).split())
    for text in ("tell nca-ceop (gb)", "Acted upon by", "Said abroad", "under assessment", "do not confront", "in escrow"):
        assert text in shown
    desk.answers["GetTip"] = messages.GetTipResponse(summary=changed(SUMMARY, erased=True))
    assert "It is erased" in line.text("tip", "show", REF)
    assert line.json("tip", "show", REF)["tip"] is None


@pytest.mark.parametrize(
    ("arguments", "method", "asked"),
    [
        (("take", REF), "TakeTip", {}),
        (("assess", REF, "--state", "acted-upon", "--reason", "x"), "AssessTip", {"state": tip_pb2.TIP_STATE_ACTED_UPON, "reason": "x"}),
        (("refer", REF, "--to", "kh.alerts.example/agency/gdi", "--reason", "x"), "ReferTip", {"agency": answers.GDI, "reason": "x"}),
        (("close", REF, "--reason-code", "duplicate", "--reason", "x"), "CloseTip", {"code": messages.TIP_CLOSE_REASON_DUPLICATE}),
        (("safeguard", REF, "--text-code", "MEDICAL_CARE"), "SafeguardTip", {"code": messages.TIP_SAFEGUARD_MEDICAL_CARE}),
        (("erase", REF, "--contact", "--reason", "x"), "EraseTip", {"contact_alone": True, "reason": "x"}),
    ],
)
def test_each_step_asks_the_desk_for_that(
    desk: FakeDesk, line: Line, arguments: tuple[str, ...], method: str, asked: dict[str, Any]
) -> None:
    desk.answers[method] = getattr(messages, f"{method}Response")(tip=SUMMARY)
    assert line.text("tip", *arguments)
    question = desk.the(method)
    assert question.tip == REF
    assert {name: getattr(question, name) for name in asked} == asked
    assert line.json("tip", *arguments)["reference"] == REF


def test_the_escrow_is_opened_with_purpose_and_reason(desk: FakeDesk, line: Line) -> None:
    desk.answers["OpenTipContact"] = messages.OpenTipContactResponse(contact=messages.TipContact(telephone="1280", name=HOSTILE))
    shown = line.text("tip", "contact", REF, "--purpose", "CHILD_SAFEGUARDING", "--reason", "x")
    question = desk.the("OpenTipContact")
    assert (question.purpose, question.reason) == (handling_pb2.PURPOSE_CHILD_SAFEGUARDING, "x")
    assert "1280" in shown
    assert "\x1b" not in shown
    for missing in (("--purpose", "SAVE_LIFE"), ("--reason", "x")):
        assert run(["tip", "contact", REF, *missing]) == 2


def converted(kind: str) -> messages.Draft:
    purpose = handling_pb2.Purpose.ValueType(purpose_of(f"exchange.v1.{kind}"))
    tip = tip_pb2.Tip(
        reporter_organisation="Hotline: #1",
        immediate_danger=tip_pb2.ImmediateDanger(present=False),
        concerns=[tip_pb2.CONCERN_CODE_GROOMING],
        place=tip_pb2.TipPlace(premises=tip_pb2.PREMISES_TYPE_BAR),
        suspects=[
            tip_pb2.SuspectDescription(
                names_as_heard=[PersonName(as_written="ម៉ាក", script="Khmr"), PersonName(as_written="NO", script="Latn", strength=2)],
                description=[Text(language="en", text="- a: b\n'x' \"y\" & *z !w | 012")],
                apparent_nationalities=[{"country": "GBR"}],
                occupation="null",
            )
        ],
        language="km",
    )
    return messages.Draft(
        alert_type=f"exchange.v1.{kind}",
        alert=encode(convert(tip, f"exchange.v1.{kind}", 0)),
        recipients=[answers.CEOP],
        purpose=purpose,
        handling=handling_pb2.Handling(
            codes=[handling_pb2.HANDLING_CODE_H1, handling_pb2.HANDLING_CODE_H2],
            permitted_purposes=[purpose],
            judicial_use=handling_pb2.JUDICIAL_USE_NONE,
            onward=handling_pb2.ONWARD_RULE_ASK,
        ),
        not_after=answers.ISSUED + tip_convert.VALID_DAYS * 86_400_000,
        thread=answers.digest("tip"),
    )


@pytest.mark.parametrize(("name", "kind"), verbs.TYPES.items())
def test_a_draft_is_written_as_an_alert_file_that_reads_back(desk: FakeDesk, line: Line, tmp_path: Path, name: str, kind: str) -> None:
    draft = converted(kind)
    desk.answers["ConvertTip"] = messages.ConvertTipResponse(draft=draft)
    desk.answers["CheckAlert"] = messages.CheckAlertResponse(problems=[answers.problem("FIELD_MISSING", "contact_desk")])
    out = tmp_path / "draft.yaml"
    shown = line.text(
        "tip", "convert", REF, "--to", name, "--partner", "gb.alerts.example/agency/nca-ceop", "--suspect", "2", "-o", str(out)
    )
    question = desk.the("ConvertTip")
    assert (question.alert_type, question.partner, question.suspect) == (f"exchange.v1.{kind}", answers.CEOP, 1)
    assert "FIELD_MISSING" in shown
    assert out.stat().st_mode & 0o777 == 0o600
    loaded = load_alert_file(out.read_text("utf-8"), name="draft.yaml", today=date(2026, 7, 25))
    assert not [problem.code for problem in loaded.problems if problem.severity == messages.SEVERITY_ERROR]
    assert loaded.draft == draft
    before = out.read_bytes()
    assert run(["--context", desk.context(), "tip", "convert", REF, "--to", name, "-o", str(out)]) == 2
    assert out.read_bytes() == before
    assert line.json("tip", "convert", REF, "--to", name)["draft"].endswith(before.decode().partition("\n")[2])
    assert "thread: " in line.text("tip", "convert", REF, "--to", name)


def test_the_writer_takes_no_anchors() -> None:
    draft = converted("Tip")
    assert "&id" not in draft_file.write_draft(draft, "x")


def test_a_tip_from_abroad_is_answered(desk: FakeDesk, line: Line) -> None:
    desk.answers["AnswerTip"] = messages.AnswerTipResponse(published=messages.PublishedAlert(manifest_digest=answers.digest("x")))
    assert "Answered: acted upon" in line.text("tip", "answer", "05b3abf2", "--state", "acted_upon")
    first = desk.the("AnswerTip")
    assert (first.alert, first.state, len(first.request_id)) == ("05b3abf2", tip_pb2.TIP_STATE_ACTED_UPON, 16)
    desk.answers["AnswerTip"] = messages.AnswerTipResponse(
        published=messages.PublishedAlert(problems=[answers.problem("CLAUSE_NONE", "recipients")])
    )
    assert "CLAUSE_NONE" in line.text("tip", "answer", "05b3abf2", "--state", "ACTED_UPON", code=3)


# -- the NGO's side --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("keys")
    write_party(example_plan("KH"), directory, Terms(now=datetime.now(UTC)))
    return directory


def test_an_ngo_sends_a_file_and_asks_after_it(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tip.yaml"
    file.write_text(json.dumps({"language": "en", "tip": content()}), "utf-8")
    with serving(tmp_path, keys) as line:
        way = ["--url", f"https://127.0.0.1:{line.port}", "--ca", str(keys / "ngo-ca.pem")]
        mine = [*way, "--cert", str(keys / "ngos/aple.pem"), "--key", str(keys / "ngos/aple.key")]

        def told(*arguments: str, code: int = 0) -> Any:
            assert run(["tip", *arguments, "--json"]) == code
            return json.loads(capsys.readouterr().out.splitlines()[-1])

        draft = told("send", str(file), *mine, "--save-only")
        assert (draft["state"], draft["completeness"]["score"]) == ("DRAFT", 100)
        sent = told("send", str(file), *mine)
        assert (sent["reference"], sent["state"]) == (draft["reference"], "RECEIVED")
        assert told("send", str(file), *mine)["reference"] == draft["reference"]
        assert told("ask", sent["id"], *mine)["state"] == "RECEIVED"
        assert run(["tip", "send", str(file), *mine]) == 0
        text = capsys.readouterr().out
        assert "117" in text
        assert SECRET not in text
        file.write_text(json.dumps({"tip": {"observed": "nonsense"}}), "utf-8")
        wrong = told("send", str(file), *mine, code=2)
        assert wrong["error"]["code"] == "TIP_INVALID"
        assert wrong["problems"][0]["field"] == "tip.observed"
        assert told("ask", "0" * 8 + sent["id"][8:], *mine, code=3)["error"]["code"] == "TIP_UNKNOWN"
        assert told("ask", sent["id"], "--url", "http://127.0.0.1:1", *mine[2:], code=2)["error"]["code"] == "URL"
        officer = [*way, "--cert", str(keys / "officers/sarus.pem"), "--key", str(keys / "officers/sarus.key")]
        assert told("ask", sent["id"], *officer, code=5)["error"]["code"] == "UNREACHABLE"
        mixed = [*way, "--cert", str(keys / "ngos/aple.pem"), "--key", str(keys / "officers/sarus.key")]
        assert told("ask", sent["id"], *mixed, code=2)["error"]["code"] == "TLS_KEY_MISMATCH"
