"""Each verb: what it asks the desk, the shape that a script gets, and what a person reads."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.tlog.policy import parse_policy
from exchange.v1 import desk_service_pb2, directory_pb2, evidence_pb2, hit_report_pb2
from node.cli.main import run
from node.intake.agreement_file import load_agreement_file
from tests import builders, countries
from tests.node import desk_answers as answers
from tests.node.fake_desk import FakeDesk, serve, set_up


@pytest.fixture(scope="module")
def node_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    return directory


@pytest.fixture(scope="module")
def running(node_directory: Path) -> Iterator[FakeDesk]:
    with serve(node_directory) as desk:
        yield desk


@pytest.fixture
def desk(running: FakeDesk) -> FakeDesk:
    running.answers.clear()
    running.asked.clear()
    return running


class Line:
    """The command line of one officer."""

    def __init__(self, desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
        self._context = desk.context()
        self._capsys = capsys

    def json(self, *arguments: str, code: int = 0) -> Any:
        assert run(["--context", self._context, *arguments, "--json"]) == code
        (line,) = self._capsys.readouterr().out.splitlines()
        return json.loads(line)

    def text(self, *arguments: str, code: int = 0) -> str:
        assert run(["--context", self._context, *arguments]) == code
        return self._capsys.readouterr().out


@pytest.fixture
def line(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(desk, capsys)


def test_whoami(desk: FakeDesk, line: Line) -> None:
    desk.answers["WhoAmI"] = desk_service_pb2.WhoAmIResponse(
        party="spiffe://gb.alerts.example/officer/swallow",
        roles=[desk_service_pb2.ROLE_LIAISON_OFFICER, desk_service_pb2.ROLE_PARTNER_OFFICER],
        agency=answers.CEOP,
        trust_domain="gb.alerts.example",
        training=True,
    )
    assert line.json("whoami") == {
        "party": "spiffe://gb.alerts.example/officer/swallow",
        "roles": ["LIAISON_OFFICER", "PARTNER_OFFICER"],
        "agency": answers.CEOP,
        "trust_domain": "gb.alerts.example",
        "training": True,
    }
    assert "liaison officer, partner officer" in line.text("whoami")


def test_alert_list_follows_pages_up_to_the_limit(desk: FakeDesk, line: Line) -> None:
    def page(question: desk_service_pb2.ListAlertsRequest) -> desk_service_pb2.ListAlertsResponse:
        start = int(question.page_token or 0)
        found = [answers.summary(manifest_digest=answers.digest(str(start + n))) for n in range(min(2, question.page_size))]
        return desk_service_pb2.ListAlertsResponse(alerts=found, next_page_token=str(start + 2))

    desk.answers["ListAlerts"] = page
    data = line.json("alert", "list", "--limit", "5")
    assert [item["manifest_digest"] for item in data["alerts"]] == [answers.digest(str(n)).hex() for n in range(5)]
    assert data["more"] is True
    assert data["alerts"][0]["issued_at"] == "2026-07-25T17:20:00.000Z"
    assert data["alerts"][0]["received_at"] is None
    text = line.text("alert", "list", "--limit", "5")
    assert answers.digest("0").hex()[:12] in text
    assert "There are more" in text


def test_an_empty_list_says_what_to_do(desk: FakeDesk, line: Line) -> None:
    desk.answers["ListAlerts"] = desk_service_pb2.ListAlertsResponse()
    desk.answers["ListInbox"] = desk_service_pb2.ListInboxResponse()
    desk.answers["ListPartners"] = desk_service_pb2.ListPartnersResponse()
    desk.answers["ListAgreements"] = desk_service_pb2.ListAgreementsResponse()
    desk.answers["ListLogs"] = desk_service_pb2.ListLogsResponse()
    assert line.json("alert", "list") == {"alerts": [], "more": False}
    for noun in ("alert", "inbox", "partner", "agreement", "log"):
        assert line.text(noun, "list").strip()


def test_three_states_stay_apart(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetInboxAlert"] = answers.inbox_alert()
    data = line.json("inbox", "show", "05b3abf2")
    assert desk.the("GetInboxAlert").alert == "05b3abf2"
    alert = data["alert"]
    assert alert["alert"]["birth"]["date"] == "1961-04?"
    assert alert["alert"]["return_travel"] is None
    assert "convictions" in alert["not_disclosed"]
    assert "convictions" not in alert["alert"]
    assert data["confirmed_now"] is False
    assert data["erase_by"] == "2027-01-21T17:20:00.000Z"
    assert "view" not in data
    text = line.text("inbox", "show", "05b3abf2")
    value, not_known, not_disclosed = re.split(r"\nNot known|\nNot disclosed", text)
    assert "April 1961" in value
    assert "Return travel" in not_known
    assert "Convictions" in not_disclosed
    assert "Convictions" not in value + not_known
    assert "not confirmed since 2026-07-25 17:21 UTC" in value


def test_the_originator_sees_all_that_it_knows(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetAlert"] = desk_service_pb2.GetAlertResponse(
        summary=answers.summary(), handling=builders.handling(), view=encode(builders.alert())
    )
    data = line.json("alert", "show", "05b3abf2")
    assert data["alert"]["not_disclosed"] == []
    assert data["handling"]["codes"] == ["H1", "H2"]
    assert "Not disclosed" not in line.text("alert", "show", "05b3abf2")


def test_alert_status(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetAlertStatus"] = answers.status()
    first, second = line.json("alert", "status", "05b3abf2")["disclosures"]
    assert (first["state"], first["exception"], second["state"], second["exception"]) == (
        "REPORTED",
        None,
        "EXCEPTED",
        "NOT_AGREED",
    )
    assert second["disclosure"]["index"] == 5
    text = line.text("alert", "status", "05b3abf2")
    assert re.search(r"gdi \(kh\) +reported", text)
    assert re.search(r"ahtjp \(kh\) +refused: not agreed", text)


def test_terminal_escapes_and_direction_overrides_are_made_visible(desk: FakeDesk, line: Line) -> None:
    evil = "EX\x1b[2JAMPLE\u202e\x9b31m [bold]markup[/bold] :smile:"
    desk.answers["ListPartners"] = desk_service_pb2.ListPartnersResponse(partners=[answers.partner(alarms=[evil])])
    text = line.text("partner", "list")
    assert not set(text) & {"\x1b", "\u202e", "\x9b"}
    assert "[bold]" in text
    assert ":smile:" in text
    assert "\x1b" not in json.dumps(line.json("partner", "list"))


def test_partner_add_sends_the_file_and_the_fingerprint(desk: FakeDesk, line: Line) -> None:
    desk.answers["AddPartner"] = desk_service_pb2.AddPartnerResponse(partner=answers.partner())
    descriptor = desk.directory / "descriptor.pb"
    fingerprint = answers.digest("identity")
    spoken = " ".join(fingerprint.hex()[n : n + 4].upper() for n in range(0, 64, 4))
    data = line.json("partner", "add", str(descriptor), "--fingerprint", spoken)
    question = desk.the("AddPartner")
    assert question.descriptors == descriptor.read_bytes()
    assert question.fingerprint == fingerprint
    assert data["identity_fingerprint"] == fingerprint.hex()
    assert data["agencies"][0]["agency_class"] == "BORDER"


def test_partner_show_suspend_resume(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetPartner"] = desk_service_pb2.GetPartnerResponse(partner=answers.partner())
    assert line.json("partner", "show", "kh.alerts.example")["next_update"] == "2026-07-25T17:20:00.000Z"
    assert answers.digest("identity").hex()[:4] in line.text("partner", "show", "kh.alerts.example")
    desk.answers["SuspendPartner"] = lambda asked: desk_service_pb2.SuspendPartnerResponse(
        partner=answers.partner(suspended=not asked.resume)
    )
    assert line.json("partner", "suspend", "kh.alerts.example")["suspended"] is True
    assert line.json("partner", "resume", "kh.alerts.example")["suspended"] is False
    assert "active again" in line.text("partner", "resume", "kh.alerts.example")


def test_agreement_propose_accept_list(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    template(desk)
    line.json("agreement", "template", "--with", "kh", "-o", str(tmp_path / "a.toml"))
    summary = answers.agreement_summary()
    desk.answers["DraftAgreement"] = desk_service_pb2.DraftAgreementResponse(summary=summary)
    desk.answers["AcceptAgreement"] = desk_service_pb2.AcceptAgreementResponse(summary=summary)
    desk.answers["ListAgreements"] = desk_service_pb2.ListAgreementsResponse(agreements=[summary])
    assert line.json("agreement", "propose", str(tmp_path / "a.toml"))["digest"] == summary.digest.hex()
    proposed = desk.the("DraftAgreement").agreement
    assert [party.trust_domain for party in proposed.parties] == ["gb.alerts.example", "kh.alerts.example"]
    assert line.json("agreement", "accept", "46a81739")["state"] == "ACCEPTED"
    assert desk.the("AcceptAgreement").agreement == "46a81739"
    assert "in force" in line.text("agreement", "list")


def test_a_wrong_agreement_file_is_not_sent_and_all_is_said(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('instrument = "x"\nwhat = 1\n', "utf-8")
    data = line.json("agreement", "propose", str(tmp_path / "a.toml"), code=2)
    assert {"what"} <= {problem["field"] for problem in data["problems"]}
    assert len(data["problems"]) > 1
    assert not desk.asked


def template(desk: FakeDesk) -> None:
    chain = (desk.directory / "descriptor.pb").read_bytes()
    desk.answers["ListPartners"] = desk_service_pb2.ListPartnersResponse(
        partners=[answers.partner(), answers.partner(trust_domain="vn.alerts.example")]
    )
    desk.answers["GetOwnDescriptor"] = desk_service_pb2.GetOwnDescriptorResponse(descriptors=chain)


def test_agreement_template_reads_back_without_a_problem(desk: FakeDesk, line: Line) -> None:
    template(desk)
    toml = line.json("agreement", "template", "--with", "KH")["toml"]
    loaded = load_agreement_file(toml)
    assert not loaded.problems
    assert loaded.agreement.clauses
    assert "Cambodia" in toml
    assert line.text("agreement", "template", "--with", "kh.alerts.example").strip() == toml.strip()


def test_agreement_template_with_a_stranger_is_refused(desk: FakeDesk, line: Line) -> None:
    template(desk)
    assert line.json("agreement", "template", "--with", "th", code=3)["error"]["code"] == "PARTNER_UNKNOWN"


def test_agreement_show_is_a_matrix(desk: FakeDesk, line: Line) -> None:
    desk.answers["GetAgreement"] = desk_service_pb2.GetAgreementResponse(summary=answers.agreement_summary())
    data = line.json("agreement", "show", "46a81739", "--type", "TravelAlert")
    assert {clause["alert_type"] for clause in data["matrix"]} == {"exchange.v1.TravelAlert"}
    agreed = {clause.id: clause for clause in countries.agreement().clauses}
    for clause in data["matrix"]:
        wanted = agreed[clause["clause"]]
        marks = clause["fields"]
        assert len(marks) == 34
        assert sum(mark == "required" for mark in marks.values()) == len(wanted.required)
        assert sum(mark == "permitted" for mark in marks.values()) == len(wanted.permitted)
        assert sum(mark == "on_request" for mark in marks.values()) == len(wanted.on_request)
    text = line.text("agreement", "show", "46a81739", "--type", "TravelAlert")
    assert re.search(r"contact_desk +● +● +●", text)
    assert re.search(r"risk_narrative +· +· +○", text)
    assert line.json("agreement", "show", "46a81739", "--type", "None", code=2)["error"]["code"] == "ALERT_TYPE"


def test_log_list_show(desk: FakeDesk, line: Line) -> None:
    desk.answers["ListLogs"] = desk_service_pb2.ListLogsResponse(logs=[answers.log_summary()])
    desk.answers["GetLog"] = answers.log_entries()
    assert line.json("log", "list")["logs"][0]["root"] == answers.digest("root").hex()
    assert answers.ORIGIN in line.text("log", "list")
    data = line.json("log", "show", answers.ORIGIN, "--from", "4", "--limit", "7")
    question = desk.the("GetLog")
    assert (question.origin, getattr(question, "from"), question.page_size) == (answers.ORIGIN, 4, 7)
    (entry,) = data["entries"]
    assert entry["decoded"]["audience"] == [answers.GDI]
    assert entry["decoded"]["disclosed_at"] == "2026-07-25T17:20:00.000Z"
    assert data["checkpoint"] == "a note\n"
    text = line.text("log", "show", answers.ORIGIN, "--from", "4")
    assert "withheld: withdrawn" in text
    assert "--from 5" in text


@pytest.mark.parametrize(
    ("command", "scope"),
    [
        (("log", "verify", answers.ORIGIN), "VERIFY"),
        (("log", "fsck"), "FSCK"),
    ],
)
def test_a_check_ends_with_4_on_an_error_only(desk: FakeDesk, line: Line, command: tuple[str, ...], scope: str) -> None:
    warning = answers.finding(warning=True)
    desk.answers["CheckRecords"] = answers.check()
    data = line.json(*command)
    assert data["holds"] is True
    assert (desk.asked[0][1].scope, desk.asked[0][1].origin) == (
        desk_service_pb2.CheckScope.Value(f"CHECK_SCOPE_{scope}"),
        answers.ORIGIN if len(command) > 2 else "",
    )
    assert data["counts"] == [{"name": "entries", "value": 7}]
    assert [(one["pass"], one["done"]) for one in data["passes"]] == [("tree", 7), ("signatures", 1)]
    desk.answers["CheckRecords"] = answers.check(warning)
    assert line.json(*command)["holds"] is True
    desk.answers["CheckRecords"] = answers.check(warning, answers.finding())
    data = line.json(*command, code=4)
    assert data["holds"] is False
    assert data["findings"][1] == {
        "severity": "ERROR",
        "code": "LOG_MISMATCH",
        "origin": answers.ORIGIN,
        "index": 3,
        "message": "the entry is not what the checkpoint covers",
        "grade": "CRITICAL",
        "count": 1,
    }
    text = line.text(*command, code=4)
    assert "LOG_MISMATCH" in text
    assert re.search(r"critical +LOG_MISMATCH .* 3 +the entry", text)
    assert re.search(r"tree +7 in [0-9.]+ s", text)


def test_a_check_names_the_range_in_which_a_fault_is_and_counts_what_it_does_not_show(desk: FakeDesk, line: Line) -> None:
    told = answers.check(answers.finding(count=64))
    told[-1].summary.counts.add(name="findings", value=5)
    desk.answers["CheckRecords"] = told
    text = line.text("log", "fsck", code=4)
    assert re.search(r"LOG_MISMATCH .* 3–66 +the entry", text)
    assert "4 more were counted" in text


def test_evidence_export_writes_what_the_desk_gives(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    desk.answers["ExportEvidence"] = desk_service_pb2.ExportEvidenceResponse(evidence=b"proof")
    data = line.json("evidence", "export", answers.ORIGIN, "4", "--level", "contentless", "-o", str(tmp_path / "e.pb"))
    question = desk.the("ExportEvidence")
    assert (question.origin, question.index) == (answers.ORIGIN, 4)
    assert question.level == evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
    assert (tmp_path / "e.pb").read_bytes() == b"proof"
    assert data["bytes"] == 5


def test_evidence_verify_is_offline_and_needs_the_right_pins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "e.pb"
    file.write_bytes(builders.world().evidence)
    pins = {domain: pin.hex() for domain, pin in countries.pins("gb", "kh").items()}
    given = [part for domain, pin in pins.items() for part in ("--pin", f"{domain}={pin}")]
    assert run(["evidence", "verify", str(file), *given, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["holds"], data["level"]) == (True, "DATA")
    assert data["alert"]["alert"]["primary_name"]["family"] == "EXAMPLE"
    assert run(["evidence", "verify", str(file), *given]) == 0
    text = capsys.readouterr().out
    assert "The proof holds." in text
    assert "EXAMPLE" in text
    assert run(["evidence", "verify", str(file), *given, "--no-content"]) == 0
    assert "EXAMPLE" not in capsys.readouterr().out

    wrong = [part.replace(pins[countries.domain("gb")], "00" * 32) for part in given]
    assert run(["evidence", "verify", str(file), *wrong, "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "EVIDENCE_NOT_PINNED"
    spoiled = bytearray(file.read_bytes())
    spoiled[len(spoiled) // 2] ^= 1
    file.write_bytes(spoiled)
    assert run(["evidence", "verify", str(file), *given]) == 4
    assert run(["evidence", "verify", str(file), "--pin", "gb.alerts.example"]) == 2


def test_node_descriptor_shows_the_fingerprint_to_compare(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    chain = (desk.directory / "descriptor.pb").read_bytes()
    desk.answers["GetOwnDescriptor"] = desk_service_pb2.GetOwnDescriptorResponse(descriptors=chain)
    data = line.json("node", "descriptor", "-o", str(tmp_path / "d.pb"))
    assert (tmp_path / "d.pb").read_bytes() == chain
    assert data == {**line.json("node", "descriptor", "--file", str(tmp_path / "d.pb")), "file": str(tmp_path / "d.pb")}
    grouped = " ".join(data["identity_fingerprint"][n : n + 4] for n in range(0, 32, 4))
    assert grouped in line.text("node", "descriptor")
    log, witness = data["policy_lines"]
    assert log in line.text("node", "descriptor").splitlines()
    policy = parse_policy(f"{log}\n{witness}\nquorum gb\n".encode())
    assert [key.name for key in policy.logs] == ["gb.alerts.example/journal/1"]
    assert policy.witnesses["gb"].key.name == "gb.alerts.example/witness"
    spki = {key["use"]: key["public_key"] for key in data["keys"]}
    assert policy.logs[0].public_key.hex() == spki["LOG"][-64:]
    assert policy.witnesses["gb"].key.public_key.hex() == spki["WITNESS"][-64:]
    (tmp_path / "d.pb").write_bytes(b"\xff\xff")
    assert line.json("node", "descriptor", "--file", str(tmp_path / "d.pb"), code=2)["error"]["code"] == "DESCRIPTOR_FILE"
    (tmp_path / "d.pb").write_bytes(encode(directory_pb2.DescriptorChain()))
    assert line.json("node", "descriptor", "--file", str(tmp_path / "d.pb"), code=2)["error"]["code"] == "DESCRIPTOR_FILE"


def test_report_is_made_of_options_and_file_and_the_desk_of_the_context(desk: FakeDesk, line: Line, tmp_path: Path) -> None:
    desk.answers["ReportHit"] = desk_service_pb2.ReportHitResponse(
        published=desk_service_pb2.PublishedAlert(
            manifest_digest=answers.digest("report"), disclosures=[answers.logged(answers.CEOP, 0, "kh-to-gb-police")]
        )
    )
    (tmp_path / "more.yaml").write_text("identity_basis: [DOCUMENT]\nplace: BKK\nremarks: old\n", "utf-8")
    said = ["--outcome", "refused_entry", "--place", "KTI", "--at", "2027-03-04T18:20", "--remarks", "turned back"]
    said += ["--document", "passport:UTO:L898902C3", "--file", str(tmp_path / "more.yaml")]
    data = line.json("inbox", "report", "05b3abf2", *said)
    question = desk.the("ReportHit")
    report = question.report
    assert question.alert == "05b3abf2"
    assert question.reason
    assert report.outcome == hit_report_pb2.HIT_OUTCOME_REFUSED_ENTRY
    assert list(report.identity_basis) == [hit_report_pb2.IDENTITY_BASIS_DOCUMENT]
    assert (report.place.code, report.place.country) == ("KTI", "KHM")
    assert (report.happened.local, report.happened.zone) == ("2027-03-04T18:20", "Asia/Phnom_Penh")
    assert report.document_shown.number == "L898902C3"
    assert [(text.language, text.text) for text in report.remarks] == [("en", "turned back")]
    assert report.desk.unit.startswith("National Crime Agency")
    assert data["manifest_digest"] == answers.digest("report").hex()
    line.json("inbox", "report", "05b3abf2", *said)
    first, second = (asked.request_id for _, asked in desk.asked)
    assert first == second
    assert len(first) == 16
    line.json("inbox", "report", "05b3abf2", "--outcome", "ADMITTED")
    assert desk.asked[-1][1].request_id != first


@pytest.mark.parametrize(
    "options",
    [["--place", "nowhere at all"], ["--at", "yesterday"], ["--document", "PASSPORT"], ["--document", "X:UTO:1"]],
)
def test_a_wrong_report_is_not_sent(desk: FakeDesk, line: Line, options: list[str]) -> None:
    error = line.json("inbox", "report", "05b3abf2", "--outcome", "ADMITTED", *options, code=2)["error"]
    assert error["code"] in {"FILE_WRONG", "DOCUMENT"}
    assert not desk.asked


def test_a_refused_report_ends_with_3(desk: FakeDesk, line: Line) -> None:
    desk.answers["ReportHit"] = desk_service_pb2.ReportHitResponse(published=desk_service_pb2.PublishedAlert(problems=[answers.problem()]))
    assert line.json("inbox", "report", "05b3abf2", "--outcome", "ADMITTED", code=3)["problems"]
    assert "contact_desk" in line.text("inbox", "report", "05b3abf2", "--outcome", "ADMITTED", code=3)
