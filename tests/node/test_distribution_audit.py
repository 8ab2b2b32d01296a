"""What an auditor sees of distribution inside the country: in the journal, about a person, and on paper. Never content."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from exchange.journal import open_journal_entry
from exchange.v1 import audit_service_pb2, desk_service_pb2
from node.cli.main import run
from node.operations import audit_events, audit_subject, recipients
from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation, federation
from tests.inside import distributed, national, telling
from tests.node.audit_desk import command_line
from tests.rig import Office

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
NAME, BORN = "EXAMPLE, Thomas Specimen", "1961-04?"


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[Federation, bytes]]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        national(made["kh"])
        digest = made["gb"].publish(telling(KH_POLICE)).manifest_digest
        made.pump()
        distributed(made["kh"], digest, KH_BORDER)
        yield made, digest


def found(office: Office) -> desk_service_pb2.FoundAlert:
    question = desk_service_pb2.FindRecipientsRequest(subject=NAME, born=BORN, reason="access request 3")
    (one,) = recipients.find_recipients(office.ports, office.person("auditor"), question).alerts
    return one


def test_who_was_told_inside_the_country_is_among_the_recipients(told: tuple[Federation, bytes]) -> None:
    two, digest = told
    (one,) = found(two["kh"]).distributions
    assert (one.manifest_digest, one.desk, one.agency, one.clause) == (digest, KH_POLICE, KH_BORDER, "police-border")
    assert not found(two["gb"]).distributions, "it stays inside the country"


def test_each_distribution_is_an_event_with_its_agency(told: tuple[Federation, bytes]) -> None:
    two, digest = told
    kh = two["kh"]
    question = audit_service_pb2.ListEventsRequest(filter=f'code = DISTRIBUTED AND counterparty = "{KH_BORDER}"')
    (event,) = audit_events.list_events(kh.ports, kh.person("auditor"), question).events
    entry = open_journal_entry(event.entry)
    assert (entry.subject, entry.party, event.accountability_kept) == (digest, KH_POLICE, True)


def test_a_report_to_the_person_names_them_too(told: tuple[Federation, bytes]) -> None:
    two, digest = told
    kh = two["kh"]
    question = audit_service_pb2.ReportSubjectRequest(alerts=[digest.hex()], justification="access request 3")
    (alert,) = audit_subject.report_subject(kh.ports, kh.person("auditor"), question).alerts
    assert [one.agency for one in alert.distributions] == [KH_BORDER]
    kept = audit_service_pb2.Withholding(alert=digest.hex(), ground=audit_service_pb2.WITHHOLDING_GROUND_CRIME)
    question.withheld.append(kept)
    (alert,) = audit_subject.report_subject(kh.ports, kh.person("auditor"), question).alerts
    assert not alert.distributions


def test_an_auditor_reads_it_at_the_command_line_and_on_paper(
    told: tuple[Federation, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two, digest = told
    paper = tmp_path / "report.pdf"

    def said(*words: str) -> Any:
        capsys.readouterr()
        assert run(["audit", *words]) == 0
        return capsys.readouterr().out

    with command_line(two["kh"], "auditor", monkeypatch):
        asked = ("recipients", "--subject", NAME, "--born", BORN, "--reason", "access request 3")
        assert [one["agency"] for one in json.loads(said(*asked, "--json"))["alerts"][0]["distributions"]] == [KH_BORDER]
        assert "Inside the country" in said(*asked)
        assert "Inside the country" in said("subject-report", digest.hex(), "--reason", "access request 3", "--pdf", str(paper))
    text = " ".join("".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(paper)).split())
    assert "Inside the country" in text
    assert "police-border" in text
