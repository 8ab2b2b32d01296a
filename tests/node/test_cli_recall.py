"""The verbs that take an alert back, put another in its place or tell more of it: what they ask, and what people and scripts read."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.encoding import cut, encode
from exchange.v1 import control_pb2, desk_service_pb2, disclosure_pb2
from node.cli import alert_recall, inbox
from tests import builders
from tests.countries import changed
from tests.node import desk_answers as answers
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_publish import FILE
from tests.node.test_cli_verbs import Line
from tests.recalls import other_alert

ALERT = "05b3abf2"
REFUSED = desk_service_pb2.PublishedAlert(problems=[answers.problem("ALERT_WITHDRAWN", "alert")])


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


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "alert.yaml"
    path.write_text(FILE.format(given="Specimen"), "utf-8")
    return str(path)


def control(name: str) -> desk_service_pb2.PublishedAlert:
    return desk_service_pb2.PublishedAlert(manifest_digest=answers.digest(name), disclosures=[answers.logged(answers.GDI, 7, "")])


@pytest.mark.parametrize(
    ("names", "enum", "prefix"),
    [
        (alert_recall.WITHDRAWAL_REASONS, control_pb2.WithdrawalReason, "WITHDRAWAL_REASON_"),
        (alert_recall.RESTRICTION_REASONS, control_pb2.RestrictionReason, "RESTRICTION_REASON_"),
        (alert_recall.CORRECTION_REASONS, control_pb2.CorrectionReason, "CORRECTION_REASON_"),
        (alert_recall.GROUNDS, disclosure_pb2.OnRequestGround, "ON_REQUEST_GROUND_"),
        (inbox.EXCEPTIONS, control_pb2.PurgeException, "PURGE_EXCEPTION_"),
    ],
)
def test_the_codes_on_the_help_pages_are_those_of_the_schema(names: tuple[str, ...], enum: object, prefix: str) -> None:
    values = enum.DESCRIPTOR.values  # type: ignore[attr-defined]  # an enum of protobuf
    assert list(names) == [value.name.removeprefix(prefix) for value in values if value.number]


def test_withdraw(desk: FakeDesk, line: Line) -> None:
    desk.answers["RecallAlert"] = desk_service_pb2.RecallAlertResponse(controls=[control("recall")], waiting=["vn.alerts.example"])
    data = line.json("alert", "withdraw", ALERT, "--code", "wrong_person", "--reason", "x", "--within", "3")
    asked = desk.the("RecallAlert")
    assert (asked.alert, asked.kind, asked.attest_within_days) == (ALERT, desk_service_pb2.RECALL_KIND_WITHDRAWAL, 3)
    assert asked.withdrawal_reason == control_pb2.WITHDRAWAL_REASON_WRONG_PERSON
    assert (asked.reason, asked.in_node_name, len(asked.request_id)) == ("x", False, 16)
    assert data["controls"][0]["manifest_digest"] == answers.digest("recall").hex()
    assert data["waiting"] == ["vn.alerts.example"]
    text = line.text("alert", "withdraw", ALERT, "--code", "wrong_person", "--reason", "x", "--in-node-name")
    assert "Withdrawn." in text
    assert "stopped towards vn.alerts.example" in text
    first, second = [question for _, question in desk.asked]
    assert first.request_id == second.request_id, "the same again is not a second recall"
    assert second.in_node_name


def test_what_is_refused_ends_with_3_and_a_missing_code_or_reason_with_2(desk: FakeDesk, line: Line, file: str) -> None:
    desk.answers["RecallAlert"] = desk_service_pb2.RecallAlertResponse(controls=[REFUSED])
    desk.answers["ReplaceAlert"] = desk_service_pb2.ReplaceAlertResponse(replacement=REFUSED)
    desk.answers["AttestPurge"] = desk_service_pb2.AttestPurgeResponse(attestations=[REFUSED])
    assert "ALERT_WITHDRAWN" in line.text("alert", "withdraw", ALERT, "--code", "not_lawful", "--reason", "x", code=3)
    assert "ALERT_WITHDRAWN" in line.text("alert", "correct", ALERT, file, "--reason", "x", code=3)
    assert "ALERT_WITHDRAWN" in line.text("inbox", "attest", ALERT, "--copies", "0", "--lists-updated", code=3)
    assert len(desk.asked) == 3
    for words in (
        ("withdraw", ALERT, "--reason", "x"),
        ("withdraw", ALERT, "--code", "not_lawful"),
        ("withdraw", ALERT, "--code", "not_lawful", "--reason", " "),
        ("restrict", ALERT, "--reason", "x"),
        ("supplement", ALERT, "--to", answers.GDI, "--reason", "x"),
        ("supplement", ALERT, "--to", answers.GDI, "--field", "birth", "--request", "zz", "--reason", "x"),
    ):
        assert line.json("alert", *words, code=2)["error"]["code"] == "USAGE"
    assert line.json("inbox", "attest", ALERT, "--copies", "0", code=2)["error"]["code"] == "USAGE"
    assert len(desk.asked) == 3


def test_restrict_lift_and_restrict_again(desk: FakeDesk, line: Line) -> None:
    desk.answers["RecallAlert"] = desk_service_pb2.RecallAlertResponse(controls=[control("recall")])
    restrict = ("alert", "restrict", ALERT, "--code", "under_review", "--reason", "x")
    line.json(*restrict)
    assert "lifted" in line.text("alert", "restrict", ALERT, "--lift", "--reason", "x")
    line.json(*restrict, "--again")
    first, lift, second = [question for _, question in desk.asked]
    kinds = [desk_service_pb2.RecallKind.Name(one.kind).removeprefix("RECALL_KIND_") for one in (first, lift, second)]
    assert kinds == ["RESTRICTION", "LIFTING", "RESTRICTION"]
    assert first.restriction_reason == control_pb2.RESTRICTION_REASON_UNDER_REVIEW
    assert len({first.request_id, lift.request_id, second.request_id}) == 3


def test_update_and_correct(desk: FakeDesk, line: Line, file: str) -> None:
    desk.answers["ReplaceAlert"] = desk_service_pb2.ReplaceAlertResponse(
        replacement=control("new"), corrections=[control("correction")], not_admitted=[answers.AHTJP]
    )
    assert line.json("alert", "update", ALERT, file, "--reason", "x")["not_admitted"] == [answers.AHTJP]
    text = line.text("alert", "correct", ALERT, file, "--wrong", "birth", "--wrong", "sex", "--code", "wrong_person", "--reason", "x")
    update, correct = [question for _, question in desk.asked]
    assert (update.alert, update.correction_reason, list(update.wrong_fields)) == (ALERT, 0, [])
    assert update.draft.alert_type == "exchange.v1.TravelAlert"
    assert (correct.correction_reason, list(correct.wrong_fields)) == (control_pb2.CORRECTION_REASON_WRONG_PERSON, [3, 4])
    assert update.draft.request_id != correct.draft.request_id
    assert f"Corrected: {answers.digest('new').hex()[:12]}" in text
    assert "No clause admits them to the new values any more: ahtjp (kh)" in text
    assert "If theirs asks for a second officer" in text
    assert line.json("alert", "correct", ALERT, file, "--wrong", "colour", "--reason", "x", code=2)["error"]["code"] == "FIELD_UNKNOWN"


def test_a_wrong_file_replaces_nothing(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("type: TravelAlert\nalert: {colour: red}\n", "utf-8")
    assert line.json("alert", "update", ALERT, str(path), "--reason", "x", code=2)["error"]["code"] == "FILE_WRONG"
    assert not desk.asked


def test_supplement(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetAlertStatus"] = answers.status()
    desk.answers["SupplementAlert"] = desk_service_pb2.SupplementAlertResponse(published=control("alert"))
    digest = answers.digest("request").hex()
    words = ("--to", "kh.alerts.example/agency/gdi", "--field", "appearance", "--field", "birth", "--reason", "x")
    text = line.text("alert", "supplement", ALERT, *words, "--ground", "risk_to_child", "--request", digest)
    asked = desk.the("SupplementAlert")
    assert (asked.recipient, list(asked.fields), asked.request_digest.hex()) == (answers.GDI, [3, 6], digest)
    assert asked.ground == disclosure_pb2.ON_REQUEST_GROUND_RISK_TO_CHILD
    assert "gdi (kh) is told: appearance, birth" in text
    desk.answers["SupplementAlert"] = desk_service_pb2.SupplementAlertResponse(published=REFUSED)
    assert line.json("alert", "supplement", ALERT, *words, code=3)["problems"]


def test_reach(desk: FakeDesk, line: Line) -> None:
    told = desk_service_pb2.Reached(agency=answers.GDI, manifest_digest=answers.digest("m"), fields=[1, 2], disclosed_at=answers.ISSUED)
    desk.answers["GetReach"] = desk_service_pb2.GetReachResponse(reached=[told])
    assert line.json("alert", "reach", ALERT)["reached"][0]["agency"] == answers.GDI
    assert re.search(r"gdi \(kh\) +[0-9a-f]{12} +2", line.text("alert", "reach", ALERT))
    desk.answers["GetReach"] = desk_service_pb2.GetReachResponse()
    assert "Nobody" in line.text("alert", "reach", ALERT)


def test_attest(desk: FakeDesk, line: Line) -> None:
    desk.answers["AttestPurge"] = desk_service_pb2.AttestPurgeResponse(attestations=[control("attestation")], erased=[answers.digest("m")])
    assert "erased here" in line.text("inbox", "attest", ALERT, "--copies", "2", "--lists-updated")
    asked = desk.the("AttestPurge")
    assert (asked.alert, asked.copies_removed, asked.local_lists_updated, list(asked.exceptions)) == (ALERT, 2, True, [])
    desk.answers["AttestPurge"] = desk_service_pb2.AttestPurgeResponse(attestations=[control("attestation")])
    text = line.text("inbox", "attest", ALERT, "--copies", "0", "--exception", "legal_hold")
    assert "stays blocked" in text
    assert list(desk.asked[-1][1].exceptions) == [control_pb2.PURGE_EXCEPTION_LEGAL_HOLD]
    assert desk.asked[-1][1].request_id != asked.request_id


def test_status_shows_who_still_owes_an_attestation(desk: FakeDesk, line: Line) -> None:
    stage = desk_service_pb2.AttestationStage
    withdrawal = desk_service_pb2.RecallNotice(
        kind=desk_service_pb2.RECALL_KIND_WITHDRAWAL, reason="WRONG_PERSON", recorded_at=answers.ISSUED, attest_by=answers.ISSUED
    )
    desk.answers["GetAlertStatus"] = changed(
        answers.status(),
        recalls=[withdrawal],
        attestations=[
            desk_service_pb2.AttestationStatus(agency=answers.GDI, stage=stage.ATTESTATION_STAGE_OVERDUE, attest_by=answers.ISSUED),
            desk_service_pb2.AttestationStatus(
                agency=answers.AHTJP, stage=stage.ATTESTATION_STAGE_ATTESTED, attested_at=answers.ISSUED, exceptions=["LEGAL_HOLD"]
            ),
        ],
        waiting=["vn.alerts.example"],
    )
    data = line.json("alert", "status", ALERT)
    assert [one["stage"] for one in data["attestations"]] == ["OVERDUE", "ATTESTED"]
    text = line.text("alert", "status", ALERT)
    assert re.search(r"gdi \(kh\).*overdue", text)
    assert re.search(r"ahtjp \(kh\).*attested.*legal hold", text)
    assert "withdrawal" in text
    assert "vn.alerts.example" in text


def test_status_names_the_manifests_of_an_alert_one_after_another(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetAlertStatus"] = answers.status()
    assert "one after another" not in line.text("alert", "status", ALERT)
    desk.answers["GetAlertStatus"] = changed(answers.status(), manifests=[b"\x07" * 32, b"\x08" * 32])
    assert line.json("alert", "status", ALERT)["manifests"] == ["07" * 32, "08" * 32]
    assert re.search(r"one after another.*070707.*080808", line.text("alert", "status", ALERT))


@pytest.mark.parametrize(
    ("blocked", "said"),
    [
        ("WITHDRAWN", "exchange inbox attest"),
        ("RESTRICTED", "until the restriction is lifted"),
        ("REPLACED", "says what changed"),
        ("ERASED", "only the record"),
    ],
)
def test_a_blocked_alert_says_what_to_do_and_shows_no_content(desk: FakeDesk, line: Line, blocked: str, said: str) -> None:
    number = desk_service_pb2.Blocked.Value(f"BLOCKED_{blocked}")
    desk.answers["GetInboxAlert"] = changed(answers.inbox_alert(), blocked=number, view=None, undisclosed=None, attest_by=answers.ISSUED)
    data = line.json("inbox", "show", ALERT)
    assert (data["blocked"], data["alert"]) == (blocked, None)
    text = line.text("inbox", "show", ALERT)
    assert said in " ".join(text.split())
    assert "Not known" not in text
    assert "2026-07-25 17:20 UTC" in text


def test_a_disputed_alert_says_so_and_names_the_wrong_fields(desk: FakeDesk, line: Line) -> None:
    correction = desk_service_pb2.RecallNotice(kind=desk_service_pb2.RECALL_KIND_CORRECTION, reason="FACTUAL_ERROR", wrong_fields=[3])
    summary = answers.summary(flags=["DISPUTED"])
    desk.answers["GetInboxAlert"] = changed(answers.inbox_alert(), summary=summary, recalls=[correction])
    text = line.text("inbox", "show", ALERT)
    assert "Disputed: do not act on it. Fields were wrong" in " ".join(text.split())
    assert re.search(r"correction +factual error.*birth", text)


def test_an_alert_of_which_something_is_lost_says_so(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetInboxAlert"] = changed(answers.inbox_alert(), summary=answers.summary(flags=["DISPUTED"]), recalls=[])
    text = " ".join(line.text("inbox", "show", ALERT).split())
    assert "Disputed: do not act on it. What its originator said of it since has not come to you" in text


def test_what_changed_is_shown_before_and_now(desk: FakeDesk, line: Line) -> None:
    before, now = (cut(encode(alert))[11] for alert in (builders.alert(), other_alert()))
    change = desk_service_pb2.FieldChange(field=11, told_before=True, told_now=True, before=before, now=now)
    fresh = desk_service_pb2.FieldChange(field=6, told_now=True, now=cut(encode(builders.alert()))[6])
    desk.answers["GetInboxAlert"] = changed(answers.inbox_alert(), replaces=answers.digest("old"), changes=[fresh, change])
    changes = line.json("inbox", "show", ALERT)["changes"]
    assert [one["field"] for one in changes] == ["appearance", "itinerary"]
    assert changes[0]["before"] == ["Not disclosed to you"]
    assert "XX 17" in changes[1]["before"][0]
    assert "XX 99" in changes[1]["now"][0]
    text = line.text("inbox", "show", ALERT)
    assert text.index(f"What changed since {answers.digest('old').hex()[:12]}") < text.index("still valid")
