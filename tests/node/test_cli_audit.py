"""The auditor's command line against a real office: what is shown, what is proved on the auditor's own machine, and exit codes."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from exchange.sampling import sample_indexes
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.v1 import audit_service_pb2, disclosure_pb2
from exchange.v1.hit_report_pb2 import HIT_OUTCOME_NOT_THIS_PERSON, HitReport
from node.cli import audit as noun
from node.cli.audit_open import PURPOSES
from node.cli.audit_subject_report import GROUNDS, said_ground
from node.cli.main import run
from node.operations import audit_proofs
from node.store.directory import raise_alarm
from tests.countries import BORDER, HOUR, POLICE, agency
from tests.federation import Federation, federation
from tests.node.audit_desk import command_line
from tests.recalls import RESTRICTION, corrected, recalled
from tests.rig import draft

pytestmark = pytest.mark.thorough

GB_KH = "gb.alerts.example/disclosures/kh.alerts.example/1"
KH_GB = "kh.alerts.example/disclosures/gb.alerts.example/1"
JOURNAL = "gb.alerts.example/journal/1"
KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
NAME = "ស្រីសុខា ព្រះចន្ទ"


class Line:
    """The command line of gb's auditor."""

    def __init__(self, made: Federation, capsys: pytest.CaptureFixture[str], first: str) -> None:
        self.made, self.first = made, first
        self._capsys = capsys
        self.pin = made["gb"].own.chain[0].signatures[0].key_id.hex()

    def json(self, *arguments: str, code: int = 0) -> Any:
        assert run(["audit", *arguments, "--json"]) == code
        return json.loads(self._capsys.readouterr().out.splitlines()[-1])

    def text(self, *arguments: str, code: int = 0) -> str:
        assert run(["audit", *arguments]) == code
        told = self._capsys.readouterr()
        return told.out + told.err


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """gb told kh's border and police, an hour later kh's border twice more, once correcting; kh's border answered the first."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        first = made["gb"].publish(draft(KH_BORDER, KH_POLICE))
        made.pump()
        made.clock.pass_(HOUR)
        made["gb"].publish(draft(KH_BORDER))
        made["gb"].publish(draft(KH_BORDER, supersedes=[first.manifest_digest]))
        made.pump()
        made["kh"].report(first.manifest_digest.hex())
        made.pump()
        with command_line(made["gb"], "auditor", monkeypatch):
            yield Line(made, capsys, first.manifest_digest.hex())


def test_the_journal_is_listed(line: Line) -> None:
    data = line.json("list", "--filter", "kind = DISCLOSURE", "--newest", "--limit", "2")
    assert [event["decoded"]["code"] for event in data["events"]] == ["RELEASED"] * 2
    assert data["events"][0]["index"] > data["events"][1]["index"]
    assert data["more"] is True
    page = line.text("list")
    assert "gb>kh/1 #0-1" in page
    assert "nca-ceop (gb)" in page
    assert line.text("list", "--filter", "subject = " + "0" * 64).startswith("Nothing of the kind")
    wrong = line.json("list", "--filter", "kind = SECRET", code=2)
    assert wrong["error"]["code"] == "FILTER"
    assert "SECRET" not in json.dumps(wrong)
    assert line.json("list", "--journal", "x", code=3)["error"]["code"] == "LOG_UNKNOWN"


def test_an_entry_is_shown_and_proved(line: Line) -> None:
    data = line.json("show", f"{GB_KH}#3", "--pin", line.pin)
    assert data["holds"] is True
    assert data["decoded"]["purpose"] == "PREVENTION"
    assert (data["checkpoint"]["pinned"], data["checkpoint"]["signature_verified"]) == (True, True)
    assert "verified from the pinned key" in line.text("show", "0", "--pin", line.pin)
    assert "no fingerprint was given" in line.text("show", f"{JOURNAL}#0")
    mirrored = line.json("show", f"{KH_GB}#0")
    assert mirrored["checkpoint"]["signature_verified"] is False
    assert "the partner's own log" in line.text("show", f"{KH_GB}#0")
    assert line.json("show", "0", "--pin", "00" * 32, code=4)["error"]["code"] == "DESCRIPTOR_NOT_PINNED"
    assert line.json("show", f"{GB_KH}#9", code=3)["error"]["code"] == "ENTRY_UNKNOWN"
    assert "index in the journal" in line.text("show", "x", code=2)
    assert "index in the journal" in line.text("show", str(2**63), code=2)


def test_a_checkpoint_that_was_kept_is_what_is_proved_against(line: Line, tmp_path: Path) -> None:
    kept = tmp_path / "kept.note"
    line.json("sample", "--seed", "first look", "--n", "1", "--save-checkpoint", str(kept))
    size = parse_checkpoint_text(kept.read_bytes().partition(b"\n\n")[0] + b"\n").size
    data = line.json("show", "0", "--checkpoint", str(kept), "--pin", line.pin)
    assert data["checkpoint"]["size"] == size < len(line.made["gb"].journal())
    note = kept.read_bytes()
    kept.write_bytes(note.replace(b"\n%d\n" % size, b"\n%d\n" % (size - 1)))
    assert line.json("show", "0", "--checkpoint", str(kept), code=4)["error"]["code"] == "CHECKPOINT_SIGNATURE"
    kept.write_bytes(note)
    assert line.json("show", f"{GB_KH}#0", "--checkpoint", str(kept), code=4)["error"]["code"] == "CHECKPOINT_ORIGIN"


def lying(patch: pytest.MonkeyPatch, change: Any) -> None:
    """From now on the node answers GetProof with what `change` makes of the true answer."""
    real = audit_proofs.get_proof

    def get_proof(ports: Any, person: str, request: Any) -> Any:
        return change(real(ports, person, request))

    patch.setattr(audit_proofs, "get_proof", get_proof)


def test_a_node_that_shows_another_entry_is_found(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(answer: audit_service_pb2.GetProofResponse) -> audit_service_pb2.GetProofResponse:
        entry = disclosure_pb2.Entry.FromString(answer.entry)
        entry.purpose = 4
        answer.entry = entry.SerializeToString()
        return answer

    lying(monkeypatch, other)
    assert line.json("show", f"{GB_KH}#0", code=4)["error"]["code"] == "INCLUSION_INVALID"
    data = line.json("sample", "--seed", "dice 4 2 6", "--n", "3", "--log", GB_KH, code=4)
    assert data["holds"] is False
    assert [(one["grade"], one["code"]) for one in data["findings"]] == [("CRITICAL", "INCLUSION_INVALID")] * 3
    assert "do not hold" in line.text("sample", "--seed", "dice 4 2 6", "--n", "3", "--log", GB_KH, code=4)


def test_a_node_that_will_not_show_an_entry_is_found(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    from exchange.errors import NotFound

    def refuse(answer: audit_service_pb2.GetProofResponse) -> audit_service_pb2.GetProofResponse:
        if answer.index == 1:
            raise NotFound("ENTRY_UNKNOWN", "synthetic")
        return answer

    lying(monkeypatch, refuse)
    data = line.json("sample", "--seed", "dice", "--n", "4", "--log", GB_KH, code=4)
    assert data["findings"] == [{"grade": "CRITICAL", "code": "ENTRY_UNKNOWN", "index": 1}]
    assert len(data["entries"]) == 3


def test_the_sample_is_what_the_nonce_and_the_root_draw(line: Line) -> None:
    data = line.json("sample", "--seed", "dice 4 2 6", "--n", "5", "--pin", line.pin)
    tree = parse_checkpoint_text(data["checkpoint"]["note"].partition("\n\n")[0].encode() + b"\n")
    assert data["indexes"] == sample_indexes(b"dice 4 2 6", tree, 5)
    assert {entry["index"] for entry in data["entries"]} == set(data["indexes"])
    whole = line.json("sample", "--seed", "dice", "--log", GB_KH)
    assert sorted(whole["indexes"]) == [0, 1, 2, 3]
    assert "4 entries, each proved" in line.text("sample", "--seed", "dice", "--log", GB_KH)
    assert line.json("sample", "--seed", "x" * 257, code=2)["error"]["code"] == "SAMPLE_NONCE"


def test_the_nonce_is_never_sent(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    real = audit_proofs.get_proof

    def noting(ports: Any, person: str, request: Any) -> Any:
        asked.append(request.SerializeToString())
        return real(ports, person, request)

    monkeypatch.setattr(audit_proofs, "get_proof", noting)
    line.json("sample", "--seed", "secret nonce", "--n", "2")
    assert len(asked) == 2
    assert not [question for question in asked if b"secret" in question]


def test_a_record_is_opened_with_purpose_and_reason(line: Line) -> None:
    assert line.json("open", f"{GB_KH}#0", "--reason", "inspection", code=3)["error"]["code"] == "PURPOSE_MISSING"
    assert line.json("open", f"{GB_KH}#0", "--purpose", "lawfulness", code=3)["error"]["code"] == "REASON_MISSING"
    data = line.json("open", f"{GB_KH}#0", "--purpose", "lawfulness", "--reason", "inspection 7")
    assert data["holds"] is True
    assert data["record"]["officer"] == line.made["gb"].person("liaison")
    assert data["record"]["reason"] == "synthetic reason"
    assert f"{data['record']['at']}" not in line.text("open", f"{GB_KH}#0", "--purpose", "lawfulness", "--reason", "inspection 7")
    page = line.text("open", "0", "--purpose", "disciplinary", "--reason", "inspection 7")
    assert "False" not in page
    assert line.made["gb"].person("administrator") in page
    assert "stands in the journal" in page
    assert line.json("open", "0", "--personal", "--purpose", "lawfulness", "--reason", "x", code=3)["error"]["code"] == "DETAIL_NONE"
    assert "--purpose" in line.text("open", "0", "--purpose", "curiosity", code=2)


def test_a_record_that_is_not_the_committed_one_is_refused_here(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    from node.operations import audit_open

    real = audit_open.open_event

    def open_event(ports: Any, person: str, request: Any) -> Any:
        answer = real(ports, person, request)
        answer.record = answer.record.replace(b"synthetic reason", b"a better reason!")
        return answer

    monkeypatch.setattr(audit_open, "open_event", open_event)
    wrong = line.json("open", f"{GB_KH}#0", "--purpose", "lawfulness", "--reason", "x", code=4)
    assert wrong["error"]["code"] == "DETAIL_MISMATCH"
    assert "better" not in json.dumps(wrong)


def test_what_was_taken_back_and_who_was_mistaken_stand_in_the_register(line: Line) -> None:
    gb, kh = line.made["gb"], line.made["kh"]
    restricted, wrong = (gb.publish(draft(KH_BORDER)).manifest_digest for _ in range(2))
    line.made.pump()
    recalled(gb, restricted, RESTRICTION)
    corrected(gb, wrong)
    shown = {"type": 1, "issuer": "GBR", "number": "555000111"}
    told = {"outcome": HIT_OUTCOME_NOT_THIS_PERSON, "document_shown": shown, "desk": {"unit": "Example desk", "channel": "+855 23 000 000"}}
    line.made.pump()
    kh.report(restricted.hex(), report=HitReport(**told))
    line.made.pump()
    recalled(gb, restricted)
    found = {(one["kind"], one["code"]) for one in line.json("errors", code=4)["findings"]}
    assert {("RECALLED", "RESTRICTED"), ("RECALLED", "WITHDRAWN"), ("CORRECTED", "CORRECTED"), ("MISTAKEN", "MIS_HIT")} <= found


def test_the_register_of_mistakes(line: Line) -> None:
    gb = line.made["gb"]
    gb.publish(draft(KH_BORDER), reason="")
    gb.log_again(line.made["kh"], 0, purpose=4)
    line.made.pump()
    with gb.ports.store.write() as tx:
        raise_alarm(tx, line.made.clock.now_ms(), "RECEIPT_CLOCK", partner="kh.alerts.example")
    data = line.json("errors", code=4)
    found = {(one["kind"], one["code"]) for one in data["findings"]}
    assert ("REFUSED", "REASON_MISSING") in found
    assert ("CORRECTION", "SUPERSEDES") in found
    assert any(kind == "EXCEPTED" for kind, _ in found)
    assert ("STANDING_ALARM", "RECEIPT_CLOCK") in found
    assert data["holds"] is False
    assert {one["grade"] for one in data["findings"]} <= {"OBSERVATION", "ACTION", "PRIORITY"}
    assert [one["at"] for one in data["findings"]] == sorted(one["at"] for one in data["findings"])
    assert "REASON_MISSING" in line.text("errors", code=4)
    assert "There are more" in line.text("errors", "--limit", "1", code=4)
    quiet = line.json("errors", "--since", "2001-01-01", "--until", "2001-01-02")
    assert quiet == {"holds": True, "findings": [], "more": False}
    assert "write a day" in line.text("errors", "--since", "yesterday", code=2)


def test_repeated_reasons_are_counted_and_not_told(line: Line) -> None:
    data = line.json("repeated-reasons", "--at-least", "3", code=4)
    (found,) = data["findings"]
    assert (found["grade"], found["code"], found["count"], found["person"]) == ("OBSERVATION", "REASON_REPEATED", 3, 1)
    page = line.text("repeated-reasons", "--at-least", "3", code=4)
    assert "person 1" in page
    assert "synthetic reason" not in page + json.dumps(data)
    assert line.json("repeated-reasons", "--at-least", "9")["holds"] is True
    assert "No justification was given 9 times" in line.text("repeated-reasons", "--at-least", "9")


def test_counts(line: Line) -> None:
    data = line.json("stats", "--filter", "direction = OUTBOUND")
    assert sum(row["count"] for row in data["disclosures"]) == 4
    assert {"kind": "DISCLOSURE", "code": "RELEASED"}.items() <= next(row for row in data["events"] if row["kind"] == "DISCLOSURE").items()
    assert "gb-kh-travelalert-police" in line.text("stats")
    nothing = line.text("stats", "--until", "2001-01-01")
    assert nothing.count("None.") == 2


def test_nothing_was_urgent(line: Line) -> None:
    assert line.json("urgent") == {"uses": [], "left_out": 0}
    assert line.text("urgent").startswith("Nothing was done as urgent")


def test_a_report_to_a_data_subject(line: Line, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    arguments = ("subject-report", line.first, "--reason", "access request 3")
    data = line.json(*arguments, "--pdf", str(paper), "--name", NAME, "--pin", line.pin)
    assert [record["index"] for record in data["alerts"][0]["disclosures"]] == [0, 1]
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(paper))
    assert NAME.replace(" ", "") in text.replace(" ", "")
    assert "verified from the pinned key" in text
    assert "primary name" in text.replace("\r\n", " ")
    assert "immigration" in text
    assert line.json("subject-report", line.first, code=3)["error"]["code"] == "REASON_MISSING"
    sent = [event for event in line.made["gb"].journal() if event[3] == "SUBJECT_REPORT"]
    assert len(sent) == 1


def test_what_is_withheld_is_said_on_paper(line: Line, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    arguments = ("subject-report", line.first, "--reason", "access request 3", "--withhold", f"{line.first[:12]}=national-security")
    data = line.json(*arguments, "--pdf", str(paper))
    assert data["alerts"][0]["withheld"] == "NATIONAL_SECURITY"
    assert data["alerts"][0]["disclosures"] == []
    text = " ".join("".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(paper)).split())
    assert "to protect national security (Directive (EU) 2016/680 Art. 15(1)(d)" in text
    assert line.first not in text
    assert "is withheld" in line.text(*arguments)
    assert "a ground of the law" in line.text("subject-report", line.first, "--withhold", f"{line.first}=embarrassing", code=2)


def test_exports_for_people_and_for_tools(line: Line, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for what, lines in (("disclosures", 5), ("events", None), ("errors", None)):
        shown = line.json("export", "--what", what, "--format", "jsonl", "-o", str(out), code=0)
        written = [json.loads(text) for text in out.read_text("utf-8").splitlines()]
        assert len(written) == shown["lines"]
        assert lines is None or len(written) == lines
        assert line.made["gb"].journal()[-1][0] in {"export", "review"}
        line.json("export", "--what", what, "--format", "csv", "-o", str(out))
        rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"), newline="")))
        assert len(rows) >= len(written)
        line.json("export", "--what", what, "--format", "pdf", "-o", str(out), "--pin", line.pin)
        text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(out))
        assert JOURNAL in text
        assert "verified from the pinned key" in text
    told = [event[:1] + event[3:] for event in line.made["gb"].journal()]
    assert told.count(("export", "DISCLOSURES")) == 6  # the register reads disclosures too
    assert told.count(("export", "EVENTS")) == 6


def test_an_export_keeps_to_its_filter_and_limit(line: Line, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    line.json("export", "--format", "csv", "-o", str(out), "--filter", "direction = INBOUND")
    (row,) = csv.DictReader(io.StringIO(out.read_text("utf-8-sig"), newline=""))
    assert (row["origin"], row["entry purpose"]) == (KH_GB, "PREVENTION")
    assert line.json("export", "--format", "csv", "-o", str(out), "--limit", "2")["more"] is True
    assert "There is more" in line.text("export", "--format", "csv", "-o", str(out), "--limit", "2")
    empty = line.json("export", "--format", "csv", "-o", str(out), "--until", "2001-01-01")
    assert empty["lines"] == 0
    assert (
        line.json("export", "--what", "errors", "--format", "csv", "-o", str(out), "--filter", "x = 1", code=2)["error"]["code"] == "USAGE"
    )


def test_who_is_no_auditor_is_turned_away(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    with command_line(line.made["gb"], "liaison", monkeypatch):
        assert line.json("list", code=6)["error"]["code"] == "ROLE_MISSING"


def test_every_purpose_and_ground_of_the_law_has_its_word() -> None:
    named = [f"LAWFUL_PURPOSE_{purpose.upper().replace('-', '_')}" for purpose in PURPOSES]
    assert [audit_service_pb2.LawfulPurpose.Value(name) for name in named] == list(audit_service_pb2.LawfulPurpose.values())[1:]
    grounds = [f"WITHHOLDING_GROUND_{ground.upper().replace('-', '_')}" for ground in GROUNDS]
    assert [audit_service_pb2.WithholdingGround.Value(name) for name in grounds] == list(audit_service_pb2.WithholdingGround.values())[1:]
    assert [letter for letter, _ in GROUNDS.values()] == list("abcde")
    assert said_ground(5).startswith("to protect the rights and freedoms of others (")


def test_each_verb_has_its_module() -> None:
    group = noun.audit
    context = group.make_context("audit", ["list"])
    verbs = group.list_commands(context)
    assert len(verbs) == len({*verbs}) == 19
    for verb in verbs:
        command = group.get_command(context, verb)
        assert command is not None
        assert command.name == verb
    assert group.get_command(context, "nonsense") is None
    modules = {path.stem.removeprefix("audit_").replace("_", "-") for path in Path(noun.__file__).parent.glob("audit_*.py")}
    assert {*verbs} <= modules


def test_a_verb_whose_module_is_gone_is_an_error_and_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "node.cli.audit_stats", None)
    context = noun.audit.make_context("audit", ["list"])
    assert "stats" in noun.audit.list_commands(context)
    with pytest.raises(ModuleNotFoundError):
        noun.audit.get_command(context, "stats")
