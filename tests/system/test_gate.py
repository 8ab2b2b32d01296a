"""Real nodes: the transfer gate, a second alert about one person, and an emergency, all by the command line of officers and auditors."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.system.nodes import Countries, NodeProcess, start, until
from tests.system.test_recall import Desk

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
ALERT = """
type: TravelAlert
language: en-GB
recipients: [{recipient}]
purpose: {purpose}
not_after: {not_after}
handling:
  codes: [H1]
  permitted_purposes: [PREVENTION, CHILD_SAFEGUARDING, SAVE_LIFE]
  judicial_use: ASK
  onward: NONE
  retention_days: 90
alert:
  primary_name: {{family: EXAMPLE, given: Specimen {number}, script: Latn}}
  birth: {{date: "1961-04-12"}}
  documents: [{{type: PASSPORT, number: "{number}", issuer: GBR}}]
  destination_area: {{country: KHM, province: Siem Reap}}
  requested_action: INFORMATION_ONLY
  contact_desk: {{unit: Example desk, channel: "+44 20 0000 0000"}}
"""
ASSESSMENT = """
destination = "kh.alerts.example"
review_by = {review_by}
necessity = "A system test."
proportionality = "A system test."
overseas_security_and_justice = "A system test."
"""
EMERGENCY = """
instrument = "Emergency (TRAINING)"
valid_from = {start}
valid_until = {end}
emergency = true
emergency_ground = "RISK_TO_CHILD"
parties = [
  {{ trust_domain = "gb.alerts.example", legal_basis = "A law (TRAINING)." }},
  {{ trust_domain = "kh.alerts.example", legal_basis = "A law (TRAINING)." }},
]
agencies = [{{ agency = "spiffe://kh.alerts.example/agency/ahtjp", agency_class = "POLICE" }}]

[[clauses]]
id = "emergency"
sender = "gb.alerts.example"
recipient = "kh.alerts.example"
audience = "POLICE"
alert_type = "TravelAlert"
purposes = ["SAVE_LIFE"]
required = ["primary_name", "requested_action", "contact_desk"]
permitted = ["birth", "documents"]
maximum_retention_days = 30
onward = "NONE"
"""
PUBLISH = ("alert", "publish", "--reason", "A system test.")


def instant(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def alert_file(place: Path, name: str, recipient: str, *, purpose: str = "PREVENTION", number: str = "999000001", days: int = 30) -> str:
    path = place / f"{name}.yaml"
    path.write_text(ALERT.format(recipient=recipient, purpose=purpose, number=number, not_after=f"P{days}D"), "utf-8")
    return str(path)


def under_the_british_pack(directory: Path, now: datetime) -> None:
    """Sign the example pack, made to be in force now, and name it in the node's configuration."""
    text = (ROOT / "policies/gb/transfers.toml").read_text("utf-8")
    lasting = {"valid_from": instant(now - timedelta(days=1)), "valid_until": instant(now + timedelta(days=400))}
    lines = [f"{key} = {lasting[key]}" if (key := line.partition(" ")[0]) in lasting else line for line in text.splitlines()]
    (directory / "transfers.toml").write_text("\n".join(lines) + "\n", "utf-8")


def refused(answer: dict[str, object]) -> set[str]:
    (alert,) = answer["alerts"]  # type: ignore[misc]  # a list, by the schema
    return {problem["code"] for problem in alert["problems"] if problem["severity"] == "ERROR"}  # type: ignore[index]  # and that is of tables


@pytest.fixture
def gated(countries: Countries, running: list[NodeProcess], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Desk, Desk]:
    """The desks of the United Kingdom, under a pack that its authority signed, and of Cambodia."""
    gb, kh = countries.gb, countries.kh
    at_gb, at_kh = Desk(gb, capsys), Desk(kh, capsys)
    under_the_british_pack(tmp_path, datetime.now(UTC))
    key = gb.directory / "keys/statement-acro.key"  # any Ed25519 key will do for the authority of a test
    note = gb.directory / "transfers.note"
    signing = ("--key", str(key), "--name", "gb.alerts.example/policy", "-o", str(note))
    verifier = at_gb("officer", "policy", "sign", str(tmp_path / "transfers.toml"), *signing)["key"]
    with gb.config.open("a", encoding="utf-8") as config:
        config.write(f'\n[policy]\npack = "transfers.note"\nkey = "{verifier}"\n')
    running += [start(gb, ready=False), start(kh, ready=False)]
    for process in running:
        process.wait_ready()
    return at_gb, at_kh


def assess(at_gb: Desk, place: Path) -> None:
    path = place / "assessment.toml"
    path.write_text(ASSESSMENT.format(review_by=instant(datetime.now(UTC) + timedelta(days=30))), "utf-8")
    at_gb("officer", "assessment", "record", str(path))


def test_gate_and_second_alerts_by_the_command_line(countries: Countries, gated: tuple[Desk, Desk], tmp_path: Path) -> None:
    at_gb, at_kh = gated
    gdi, aple = (countries.kh.agency(slug) for slug in ("gdi", "aple"))
    # No release without an assessment; a charity passes a stricter gate.
    first = alert_file(tmp_path, "first", gdi)
    assert at_gb("officer", "alert", "preview", first, code=3)["refused"]
    assert refused(at_gb("officer", *PUBLISH, first, code=3)) == {"ASSESSMENT_MISSING"}
    assess(at_gb, tmp_path)
    told = at_gb("officer", *PUBLISH, first)["alerts"][0]["manifest_digest"]
    charity = alert_file(tmp_path, "charity", aple, purpose="CHILD_SAFEGUARDING", number="999000002")
    assert refused(at_gb("officer", *PUBLISH, charity, code=3)) == {"ASSESSMENT_INCOMPLETE"}
    # The same person once more: told by check, refused, and released by who knows.
    again = alert_file(tmp_path, "again", gdi, days=60)
    (checked,) = at_gb("officer", "alert", "check", again)["files"]
    assert "SUBJECT_ALREADY_ALERTED" in {problem["code"] for problem in checked["problems"]}
    assert refused(at_gb("officer", *PUBLISH, again, code=3)) == {"SUBJECT_ALREADY_ALERTED"}
    at_gb("officer", *PUBLISH, again, "--despite-duplicate", told[:12])
    until(lambda: len(at_kh("partner-border", "inbox", "list")["alerts"]) == 2)
    # What came in counts at the other end; for the police there, it went to another agency.
    back = alert_file(tmp_path, "back", countries.gb.agency("nca-ceop"))
    assert refused(at_kh("officer", *PUBLISH, back, code=3)) == {"SUBJECT_ALERTED_BY_PARTNER"}
    assert at_kh("officer", *PUBLISH, back, "--despite-duplicate", gdi)["published"] == 1


def test_an_emergency_by_the_command_line(countries: Countries, gated: tuple[Desk, Desk], tmp_path: Path) -> None:
    at_gb, at_kh = gated
    now = datetime.now(UTC)
    assess(at_gb, tmp_path)
    urgent = tmp_path / "emergency.toml"
    urgent.write_text(EMERGENCY.format(start=instant(now - timedelta(hours=1)), end=instant(now + timedelta(hours=10))), "utf-8")
    at_gb("administrator", "agreement", "propose", str(urgent), code=2)
    digest = at_gb("administrator", "agreement", "propose", "--emergency", str(urgent))["digest"]
    until(lambda: digest in {one["digest"] for one in at_kh("administrator", "agreement", "list")["agreements"]})
    at_kh("administrator", "agreement", "accept", digest)
    until(lambda: at_gb("administrator", "agreement", "show", digest)["in_force"])
    ahtjp = countries.kh.agency("ahtjp")
    saving = alert_file(tmp_path, "saving", ahtjp, purpose="SAVE_LIFE", number="999000003", days=5)
    (previewed,) = at_gb("officer", "alert", "preview", saving)["previews"]
    assert [(recipient["clause"], recipient["emergency"]) for recipient in previewed["recipients"]] == [("emergency", True)]
    saved = at_gb("officer", *PUBLISH, saving)["alerts"][0]
    assert [disclosure["clause"] for disclosure in saved["disclosures"]] == ["emergency"]
    until(lambda: "EMERGENCY" in at_kh.flags("officer", saved["manifest_digest"]))
    # A colleague reviews it, and both auditors know.
    at_gb("officer", "emergency", "review", digest, "--reason", "Mine.", code=6)
    assert at_gb("liaison", "emergency", "review", digest, "--reason", "In order.")["reviewed_by"]
    for desk in gated:
        assert [use["agreement_digest"] for use in desk("auditor", "emergency", "list")["uses"]] == [digest]
        assert "EMERGENCY_AGREEMENT" in {use["kind"] for use in desk("auditor", "audit", "urgent")["uses"]}
        assert "EMERGENCY_AGREEMENT" in str(desk("auditor", "audit", "errors", code=4))
        found = desk("auditor", "log", "fsck")
        assert (found["holds"], found["findings"]) == (True, [])
