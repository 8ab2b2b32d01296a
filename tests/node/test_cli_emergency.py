"""`exchange emergency`, and an agreement for one: what is asked, and what people and scripts read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.v1 import agreement_pb2, desk_service_pb2
from tests.countries import NOW, domain
from tests.node import desk_answers as answers
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_verbs import Line

FILE = """instrument = "Emergency, synthetic"
valid_from = 2026-05-28T00:00:00Z
valid_until = 2026-05-28T{until}Z
emergency = true
{ground}

[[parties]]
trust_domain = "gb.alerts.example"
legal_basis = "Example Act, section 1"

[[parties]]
trust_domain = "kh.alerts.example"
legal_basis = "Example Act, section 1"

[[agencies]]
agency = "spiffe://kh.alerts.example/agency/gdi"
agency_class = "BORDER"

[[clauses]]
id = "emergency"
sender = "gb.alerts.example"
recipient = "kh.alerts.example"
audience = "BORDER"
alert_type = "TravelAlert"
purposes = [{purposes}]
required = ["primary_name", "requested_action", "contact_desk"]
{more}
maximum_retention_days = 30
onward = "NONE"
"""
GROUND = 'emergency_ground = "RISK_TO_LIFE"'
USE = desk_service_pb2.EmergencyUse(
    agreement_digest=answers.digest("agreement"),
    partner=domain("kh"),
    own=True,
    manifest_digest=answers.digest("alert"),
    at=NOW,
    officer="spiffe://gb.alerts.example/officer/heron",
    agency="spiffe://gb.alerts.example/agency/nca-ceop",
    review_by=NOW + 1,
)


def text(*, until: str = "12:00:00", ground: str = GROUND, purposes: str = '"SAVE_LIFE"', more: str = "") -> str:
    return FILE.format(until=until, ground=ground, purposes=purposes, more=more)


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


def test_an_emergency_is_proposed_by_its_name_only(line: Line, running: FakeDesk, tmp_path: Path) -> None:
    file = tmp_path / "emergency.toml"
    file.write_text(text(), "utf-8")
    running.answers["DraftAgreement"] = desk_service_pb2.DraftAgreementResponse()
    line.text("agreement", "propose", str(file), code=2)
    assert running.asked == []
    line.text("agreement", "propose", "--emergency", str(file))
    asked = running.the("DraftAgreement").agreement
    assert (asked.emergency, asked.emergency_ground) == (True, agreement_pb2.EMERGENCY_GROUND_RISK_TO_LIFE)
    file.write_text(text(ground="").replace("emergency = true", ""), "utf-8")
    running.asked.clear()
    line.text("agreement", "propose", "--emergency", str(file), code=2)
    assert running.asked == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (text(ground=""), "FIELD_MISSING"),
        (text().replace("2026-05-28T12:00:00Z", "2026-05-29T00:00:01Z"), "EMERGENCY_LONG"),
        (text(purposes='"SAVE_LIFE", "PREVENTION"'), "EMERGENCY_PURPOSE"),
        (text(more='on_request = ["birth"]'), "EMERGENCY_FIELDS"),
        (text().partition("[[clauses]]")[0], "EMERGENCY_CLAUSES"),
        (text().replace("emergency = true", "emergency = false"), "EMERGENCY_GROUND"),
    ],
)
def test_a_file_that_is_wider_than_an_emergency_names_what_is_wrong(line: Line, tmp_path: Path, wrong: str, code: str) -> None:
    file = tmp_path / "emergency.toml"
    file.write_text(wrong, "utf-8")
    said = line.json("agreement", "propose", "--emergency", str(file), code=2)
    assert code in {problem["code"] for problem in said["problems"]}


def test_list_and_review(line: Line, running: FakeDesk) -> None:
    running.answers["ListEmergencies"] = desk_service_pb2.ListEmergenciesResponse(uses=[USE])
    assert "due by" in line.text("emergency", "list")
    reviewed = desk_service_pb2.EmergencyUse()
    reviewed.CopyFrom(USE)
    reviewed.reviewed_by, reviewed.reviewed_at = "spiffe://gb.alerts.example/officer/wren", NOW
    running.answers["ReviewEmergency"] = desk_service_pb2.ReviewEmergencyResponse(use=reviewed)
    assert "wren" in line.text("emergency", "review", "05b3abf2", "--reason", "in order")
    assert (running.the("ReviewEmergency").agreement, running.the("ReviewEmergency").reason) == ("05b3abf2", "in order")
    line.text("emergency", "review", "05b3abf2", code=2)
    (use,) = line.json("emergency", "list")["uses"]
    assert (use["partner"], use["reviewed_by"]) == (domain("kh"), "")
