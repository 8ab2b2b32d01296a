"""The sample person stands in no file of a node but sealed, in no line of its log, and in nothing that an auditor's log shows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exchange.profile import alert_type
from tests.system.nodes import ROOT, Countries, NodeProcess, Office, exchange, receipted, start, until

pytestmark = pytest.mark.system

SAMPLE = ROOT / "samples/travel-alert-gb-kh.yaml"
REASON = "Synthetic reason of synthetic urgency"
PRINTED = ("SPECIMEN", "ALAN MARTIN", "999000001", "1961-04-12")
"""What the program reads out of the passport's lines."""


def leaves(value: Any) -> Iterator[str]:
    """Every text in an alert file."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str):
        yield value


def person() -> list[bytes]:
    """What the sample alert says of its person: every text of it that is no code, and what its passport holds."""
    alert = yaml.safe_load(SAMPLE.read_text("utf-8"))["alert"]
    said = {text.strip() for text in leaves(alert) if len(text) > 5 and not re.fullmatch(r"[A-Z0-9_-]+", text)}
    return [text.encode() for text in sorted(said | {*PRINTED, REASON})]


def found(place: Path, words: list[bytes]) -> list[tuple[str, bytes]]:
    """Which of the words stand in which files below a directory, whatever their case."""
    files = [path for path in place.rglob("*") if path.is_file()]
    return [(path.name, word) for path in files for word in words if word.lower() in path.read_bytes().lower()]


@pytest.fixture
def told(countries: Countries, running: list[NodeProcess]) -> Countries:
    """Two nodes between which the sample alert went, was read, and was answered; and one release that was refused."""
    gb, kh = countries.gb, countries.kh
    running += [start(gb), start(kh)]

    def run(office: Office, who: str, *words: str) -> int:
        return exchange("--context", str(office.directory / f"{who}.toml"), "--json", *words)

    assert run(gb, "officer", "alert", "publish", str(SAMPLE), "--reason", REASON) == 0
    until(lambda: receipted(gb, gb.outbound(kh)) == (2, 2))
    assert run(gb, "officer", "alert", "publish", str(SAMPLE), "--again", "--reason", REASON, "--to", kh.agency("nobody")) == 3
    with_desk = (kh, "partner-border", "inbox")
    assert run(*with_desk, "list") == 0
    return countries


def test_content_and_reasons_are_nowhere_in_clear(told: Countries, running: list[NodeProcess]) -> None:
    words = person()
    assert len(words) > 20
    for office in (told.gb, told.kh):
        # The contact desk is in every officer's context and in the roster: an agency's, and no person's.
        places = [office.directory / "data", office.directory / "high-water"]
        assert [hit for place in places for hit in found(place, words)] == [], "while the nodes run"
    assert [process.stop() for process in running] == [0, 0]
    for office in (told.gb, told.kh):
        assert found(office.directory / "data", words) == [], "after the write-ahead log was moved into the database"


def test_the_node_writes_no_personal_data_into_its_log(told: Countries) -> None:
    words = [word.decode().lower() for word in person()]
    for office in (told.gb, told.kh):
        log = office.log.read_text("utf-8").lower()
        assert "stream up" in log
        assert [word for word in words if word in log] == []


def test_an_auditors_log_and_a_refusal_show_nobody(told: Countries, capsys: pytest.CaptureFixture[str]) -> None:
    auditor, officer = (str(told.gb.directory / f"{who}.toml") for who in ("auditor", "officer"))
    origin = told.gb.outbound(told.kh)
    capsys.readouterr()
    assert exchange("--context", auditor, "--json", "log", "show", origin) == 0
    assert exchange("--context", auditor, "--json", "log", "fsck") == 0
    assert exchange("--context", officer, "--json", "alert", "preview", str(SAMPLE), "--to", told.kh.agency("nobody")) == 3
    told_people = "".join(capsys.readouterr()).lower()
    assert [word for word in person() if word.decode().lower() in told_people] == []


def test_whatever_an_auditor_asks_shows_nobody(told: Countries, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    auditor, origin = str(told.gb.directory / "auditor.toml"), told.gb.outbound(told.kh)
    files = tmp_path / "files"
    files.mkdir()
    capsys.readouterr()

    def audit(*words: str, code: int = 0) -> dict[str, Any]:
        assert exchange("--context", auditor, "--json", "audit", *words) == code
        printed.append(capsys.readouterr().out)
        answer: dict[str, Any] = json.loads(printed[-1])
        return answer

    printed: list[str] = []
    assert audit("list", "--filter", "kind = DISCLOSURE")["events"]
    assert audit("sample", "--seed", "synthetic dice", "--n", "5")["holds"] is True
    assert sorted(audit("sample", "--seed", "synthetic dice", "--log", origin)["indexes"]) == [0, 1]
    manifest = audit("show", f"{origin}#0")["decoded"]["manifest_digest"]
    assert audit("errors", code=4)["findings"]
    assert audit("repeated-reasons", "--at-least", "2")["holds"] is True
    assert audit("stats")["disclosures"]
    assert audit("urgent")["uses"] == []
    assert audit("subject-report", manifest, "--reason", "an access request", "--pdf", str(files / "report.pdf"))["alerts"]
    for form in ("csv", "jsonl", "pdf"):
        audit("export", "--format", form, "-o", str(files / f"export.{form}"))
    assert len(list(files.glob("export.*"))) == 3
    # Which fields were told is no secret before an auditor, and their names are no person's.
    fields = {field.name.encode() for field in alert_type("exchange.v1.TravelAlert").fields}
    words = [word for word in person() if word not in fields]
    assert len(words) > 20
    assert [word for word in words if word.decode().lower() in "".join(printed).lower()] == []
    assert found(files, words) == []
    # Opened for a purpose, the reason is shown: it is there, and only there.
    assert audit("open", f"{origin}#0", "--purpose", "lawfulness", "--reason", "an inspection")["record"]["reason"] == REASON


def test_the_search_finds_a_person_that_is_in_clear(told: Countries, tmp_path: Path) -> None:
    proof = tmp_path / "proof" / "evidence.pb"
    proof.parent.mkdir()
    context = str(told.gb.directory / "officer.toml")
    assert exchange("--context", context, "evidence", "export", told.gb.outbound(told.kh), "1", "-o", str(proof)) == 0
    assert {word for _, word in found(proof.parent, person())} >= {word.encode() for word in PRINTED}
