"""`exchange onward`: what it asks of the node, and what people and scripts read."""

from collections.abc import Iterator

import pytest

from exchange.v1 import desk_service_pb2, handling_pb2
from node.cli import onward
from tests.countries import TRAVEL
from tests.node import desk_answers as answers
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_verbs import Line
from tests.onward import BIRTH, NAME
from tests.rig import NOW

ALERT, REQUEST = "05b3abf2", "8899aabb"
VN = "spiffe://vn.alerts.example/agency/border-guard"
REFUSED = desk_service_pb2.PublishedAlert(problems=[answers.problem("ONWARD_NONE", "alert")])


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
    running.answers["GetInboxAlert"] = desk_service_pb2.GetInboxAlertResponse(summary={"alert_type": TRAVEL})
    running.answers["RequestOnward"] = desk_service_pb2.RequestOnwardResponse(published=published("request"))
    return running


@pytest.fixture
def line(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(desk, capsys)


def published(name: str) -> desk_service_pb2.PublishedAlert:
    return desk_service_pb2.PublishedAlert(manifest_digest=answers.digest(name), disclosures=[answers.logged(answers.GDI, 7, "")])


def summary(**changes: object) -> desk_service_pb2.OnwardSummary:
    plain: dict[str, object] = {
        "request_digest": answers.digest("request"),
        "manifest_digest": answers.digest("manifest"),
        "own": True,
        "asker": answers.GDI,
        "third_party": VN,
        "fields": [NAME, BIRTH],
        "purpose": handling_pb2.PURPOSE_PREVENTION,
        "until": NOW,
        "state": desk_service_pb2.ONWARD_STATE_GRANTED,
        "asked_at": NOW,
        "permit_digest": answers.digest("permit"),
        "granted_fields": [NAME],
        "granted_until": NOW,
        "alert_type": TRAVEL,
    }
    return desk_service_pb2.OnwardSummary(**(plain | changes))  # type: ignore[arg-type]  # a test's own shorthand


def test_the_purposes_on_the_help_page_are_those_of_the_schema() -> None:
    values = handling_pb2.Purpose.DESCRIPTOR.values
    assert list(onward.PURPOSES) == [value.name.removeprefix("PURPOSE_") for value in values if value.number]


def test_request(desk: FakeDesk, line: Line) -> None:
    words = ("--to", VN, "--fields", "primary_name, birth", "--purpose", "prevention", "--until", "2027-03-04T18:00Z", "--reason", "x")
    data = line.json("onward", "request", ALERT, *words)
    asked = desk.the("RequestOnward")
    assert (asked.alert, asked.third_party, list(asked.fields), asked.judicial_use) == (ALERT, VN, [NAME, BIRTH], False)
    assert (asked.purpose, asked.until, asked.reason, asked.language) == (handling_pb2.PURPOSE_PREVENTION, 1804183200000, "x", "en")
    assert len(asked.request_id) == 16
    assert data["manifest_digest"] == answers.digest("request").hex()
    assert answers.digest("request").hex() in line.text("onward", "request", ALERT, *words)
    first, second = [question for name, question in desk.asked if name == "RequestOnward"]
    assert first.request_id == second.request_id, "the same again is not a second request"


def test_a_trust_domain_means_its_node_and_judicial_use_nobody(desk: FakeDesk, line: Line) -> None:
    line.json("onward", "request", ALERT, "--to", "vn.alerts.example", "--until", "P3D", "--reason", "x")
    line.json("onward", "request", ALERT, "--judicial", "--until", "P3D", "--reason", "x")
    first, second = [question for name, question in desk.asked if name == "RequestOnward"]
    assert (first.third_party, first.judicial_use) == ("spiffe://vn.alerts.example/node", False)
    assert (second.third_party, second.judicial_use) == ("", True)


@pytest.mark.parametrize(
    "words",
    [
        ("--until", "P3D", "--reason", "x"),
        ("--to", VN, "--judicial", "--until", "P3D", "--reason", "x"),
        ("--to", "spiffe://vn.alerts.example/officer/x", "--until", "P3D", "--reason", "x"),
        ("--to", VN, "--until", "tomorrow", "--reason", "x"),
        ("--to", VN, "--until", "P3D", "--reason", " "),
        ("--to", VN, "--reason", "x"),
    ],
)
def test_what_is_not_said_right_is_a_usage_error(desk: FakeDesk, line: Line, words: tuple[str, ...]) -> None:
    assert line.json("onward", "request", ALERT, *words, code=2)["error"]["code"] == "USAGE"
    assert desk.asked == []


def test_an_unknown_field_is_named(line: Line) -> None:
    words = ("--to", VN, "--fields", "nose", "--until", "P3D", "--reason", "x")
    assert line.json("onward", "request", ALERT, *words, code=2)["error"]["code"] == "FIELD_UNKNOWN"


def test_list_and_show(desk: FakeDesk, line: Line) -> None:
    desk.answers["ListOnward"] = desk_service_pb2.ListOnwardResponse(onward=[summary(), summary(own=False, judicial_use=True)])
    data = line.json("onward", "list")
    assert [one["state"] for one in data["onward"]] == ["GRANTED", "GRANTED"]
    text = line.text("onward", "list")
    assert "we ask" in text
    assert "in court" in text
    desk.answers["GetOnward"] = desk_service_pb2.GetOnwardResponse(
        summary=summary(),
        disclosures=[desk_service_pb2.DisclosureStatus(disclosure=answers.logged(answers.GDI, 7, "clause"), state=2)],
        attestations=[desk_service_pb2.AttestationStatus(agency=VN, stage=2, via="kh.alerts.example")],
    )
    assert line.json("onward", "show", REQUEST)["summary"]["permit_digest"] == answers.digest("permit").hex()
    text = " ".join(line.text("onward", "show", REQUEST).split())
    for part in ("granted", "primary_name, birth", "Passed on", "Attestations of the purge", "by way of"):
        assert part in text
    desk.answers["ListOnward"] = desk_service_pb2.ListOnwardResponse()
    assert "Nobody has asked" in line.text("onward", "list")


def test_grant_and_deny(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetOnward"] = desk_service_pb2.GetOnwardResponse(summary=summary())
    desk.answers["DecideOnward"] = desk_service_pb2.DecideOnwardResponse(
        published=published("decision"), permit_digest=answers.digest("permit"), granted_until=NOW
    )
    text = line.text("onward", "grant", REQUEST, "--fields", "birth", "--until", "P3D", "--reason", "x")
    assert "Granted." in text
    assert answers.digest("permit").hex() in text
    asked = desk.the("DecideOnward")
    assert (asked.request, asked.grant, list(asked.fields), asked.reason) == (REQUEST, True, [BIRTH], "x")
    assert asked.until
    desk.asked.clear()
    desk.answers["DecideOnward"] = desk_service_pb2.DecideOnwardResponse(published=published("decision"))
    assert "Denied." in line.text("onward", "deny", REQUEST, "--reason", "x")
    assert (desk.the("DecideOnward").grant, desk.the("DecideOnward").until) == (False, 0)


def test_release(desk: FakeDesk, line: Line) -> None:
    desk.answers["ReleaseOnward"] = desk_service_pb2.ReleaseOnwardResponse(released=published("manifest"), notice=published("notice"))
    data = line.json("onward", "release", REQUEST, "--to", VN, "--reason", "x")
    asked = desk.the("ReleaseOnward")
    assert (asked.request, list(asked.recipients), asked.reason) == (REQUEST, [VN], "x")
    assert data["notice"]["manifest_digest"] == answers.digest("notice").hex()
    assert "the originator is told" in line.text("onward", "release", REQUEST, "--reason", "x")


def test_what_is_refused_ends_with_3(desk: FakeDesk, line: Line) -> None:
    desk.answers["RequestOnward"] = desk_service_pb2.RequestOnwardResponse(published=REFUSED)
    desk.answers["DecideOnward"] = desk_service_pb2.DecideOnwardResponse(published=REFUSED)
    desk.answers["ReleaseOnward"] = desk_service_pb2.ReleaseOnwardResponse(released=REFUSED)
    for words in (("request", ALERT, "--to", VN, "--until", "P3D"), ("grant", REQUEST), ("deny", REQUEST), ("release", REQUEST)):
        assert "ONWARD_NONE" in line.text("onward", *words, "--reason", "x", code=3)


@pytest.mark.parametrize(
    ("rule", "leave", "said"),
    [
        (handling_pb2.JUDICIAL_USE_ASK, b"", "not allowed without leave"),
        (handling_pb2.JUDICIAL_USE_ASK, answers.digest("decision"), f"allowed by {answers.digest('decision').hex()[:12]} until"),
        (handling_pb2.JUDICIAL_USE_NONE, b"", "not allowed"),
        (handling_pb2.JUDICIAL_USE_ALLOWED, b"", "allowed"),
    ],
)
def test_the_inbox_says_whether_it_may_be_used_in_court(
    desk: FakeDesk, line: Line, rule: handling_pb2.JudicialUse.ValueType, leave: bytes, said: str
) -> None:
    desk.answers["GetInboxAlert"] = desk_service_pb2.GetInboxAlertResponse(
        summary={"alert_type": TRAVEL}, handling={"judicial_use": rule}, judicial_leave=leave, judicial_leave_until=NOW if leave else 0
    )
    text = " ".join(line.text("inbox", "show", ALERT).split())
    assert f"judicial use {said}" in text


def test_the_inbox_says_who_passed_an_alert_on(desk: FakeDesk, line: Line) -> None:
    told = [{"origin": f"{sender}.alerts.example/disclosures/vn.alerts.example/1"} for sender in ("gb", "kh", "kh")]
    for disclosures, said in ((told[:1], False), (told, True)):
        desk.answers["GetInboxAlert"] = desk_service_pb2.GetInboxAlertResponse(
            summary={"alert_type": TRAVEL, "originator": "spiffe://gb.alerts.example/agency/nca-ceop"}, disclosures=disclosures
        )
        text = " ".join(line.text("inbox", "show", ALERT).split())
        assert ("passed on by kh.alerts.example" in text) is said
