"""`exchange evidence export --subject`: what is known of a person is found through the index and proved in one file, by an auditor only."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from exchange.evidence_bundle import verify_bundle
from exchange.v1 import evidence_pb2
from node.cli.main import run
from node.operations import evidence_bundle, recipients
from tests.countries import BORDER, POLICE, agency, pins
from tests.federation import Federation, federation
from tests.node.audit_desk import command_line
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
OUT = "gb.alerts.example/disclosures/kh.alerts.example/1"
DOCUMENT, NAME, BORN = "925076473", "Tom Sample", "1961"
REASON = "complaint 1 (synthetic)"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """gb told kh's border and police (0, 1) of one alert, the police (2) of another: both are about one person."""
    with federation(tmp_path_factory.mktemp("subject"), "gb", "kh") as made:
        made.connect("gb", "kh")
        made["gb"].publish(draft(KH_BORDER, KH_POLICE))
        made["gb"].publish(draft(KH_POLICE))
        made.pump()
        yield made


class Exporting:
    """The command, as one person of gb, into one file that has something in it already."""

    def __init__(self, office: Office, name: str, output: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.office, self.name, self.output = office, name, output
        self._patch, self._capsys = patch, capsys
        output.write_bytes(b"before")
        self._before = len(office.journal())

    def __call__(self, *words: str, code: int = 0) -> Any:
        with command_line(self.office, self.name, self._patch):
            assert run(["evidence", "export", *words, "-o", str(self.output), "--json"]) == code
        return json.loads(self._capsys.readouterr().out.splitlines()[-1])

    def text(self, *words: str) -> str:
        with command_line(self.office, self.name, self._patch):
            assert run(["evidence", "export", *words, "-o", str(self.output)]) == 0
        return self._capsys.readouterr().out

    def recorded(self) -> list[tuple[str, str]]:
        """(kind, code) of what the journal has got of it."""
        return [(kind, code) for kind, _, _, code in self.office.journal()[self._before :]]


@pytest.fixture
def auditor(two: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Exporting:
    return Exporting(two["gb"], "auditor", tmp_path / "file", monkeypatch, capsys)


@pytest.mark.parametrize("who", [("--subject", DOCUMENT), ("--subject", NAME, "--born", BORN)])
def test_every_disclosure_about_a_person_is_proved_in_one_file_and_the_search_is_recorded_first(
    auditor: Exporting, who: tuple[str, ...]
) -> None:
    told = auditor(*who, "--reason", REASON)
    assert (told["alerts"], told["disclosures"], told["left_out"], told["older_left_out"]) == (2, 3, [], 0)
    proved = verify_bundle(auditor.output.read_bytes(), pins("gb", "kh"))
    contentless = evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
    assert [(one.log.origin, one.index, one.level) for one in proved] == [(OUT, index, contentless) for index in range(3)]
    assert auditor.recorded() == [("consultation", "SEARCH"), ("export", "CONTENTLESS")]
    assert not [value for value in (DOCUMENT, NAME, REASON) if value in json.dumps(told)]


def test_a_name_may_be_typed(auditor: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "prompt", lambda *_args, **_options: NAME)
    text = auditor.text("--subject", "-", "--born", BORN, "--reason", REASON)
    assert "2 that name this person" in text
    assert NAME not in text


def test_nobody_is_found_and_no_file_is_touched(auditor: Exporting) -> None:
    error = auditor("--subject", "925076474", "--reason", REASON, code=3)["error"]
    assert error["code"] == "SUBJECT_NOT_FOUND"
    assert "925076474" not in json.dumps(error)
    assert auditor.output.read_bytes() == b"before"
    assert auditor.recorded() == [("consultation", "SEARCH")]
    assert auditor("--subject", "--", "--reason", REASON, code=2)["error"]["code"] == "SUBJECT"


def test_what_was_not_found_for_want_of_room_is_said(auditor: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "AT_MOST", 1)
    told = auditor("--subject", DOCUMENT, "--reason", REASON)
    assert (told["alerts"], told["older_left_out"], told["disclosures"]) == (1, 1, 1)
    assert "1 older alerts that name this person" in " ".join(auditor.text("--subject", DOCUMENT, "--reason", REASON).split())


def test_the_data_is_for_the_agency_concerned(auditor: Exporting) -> None:
    error = auditor("--subject", DOCUMENT, "--reason", REASON, "--data", code=6)["error"]
    assert error["code"] == "EVIDENCE_NOT_YOURS"
    assert auditor.output.read_bytes() == b"before"
    assert auditor.recorded() == [("consultation", "SEARCH"), ("refusal", "EVIDENCE_NOT_YOURS")]


@pytest.mark.parametrize("name", ["liaison", "police", "administrator"])
def test_who_may_not_search_finds_and_exports_nothing(
    two: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    exporting = Exporting(two["gb"], name, tmp_path / "file", monkeypatch, capsys)
    asked: list[object] = []
    monkeypatch.setattr(evidence_bundle, "export_bundle", lambda *of: asked.append(of))
    assert exporting("--subject", DOCUMENT, "--reason", REASON, code=6)["error"]["code"] == "ROLE_MISSING"
    assert exporting.recorded() == [("refusal", "ROLE_MISSING")]
    assert exporting.output.read_bytes() == b"before"
    assert asked == []
