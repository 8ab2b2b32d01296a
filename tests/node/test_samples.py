import tomllib
from datetime import date
from pathlib import Path

import pytest

from exchange.agreement import check_agreement
from exchange.profile import alert_type, alert_types
from exchange.v1.agreement_pb2 import AGENCY_CLASS_BORDER, AGENCY_CLASS_POLICE
from exchange.v1.desk_service_pb2 import SEVERITY_WARNING
from exchange.v1.travel_alert_pb2 import TravelAlert
from exchange.values import PartyId
from node.intake.agreement_file import load_agreement_file
from node.intake.alert_file import LoadedAlert, load_alert_file
from node.intake.completeness import check_draft
from node.reading import read_view

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path for path in (ROOT / "samples").iterdir() if path.suffix in {".yaml", ".json"})
ASSESSMENTS = sorted((ROOT / "samples" / "assessments").glob("*.toml"))
AGREEMENTS = sorted((ROOT / "samples" / "agreements").glob("*.toml"))
TODAY = date(2026, 11, 21)
NOW_MS = 1_795_219_200_000  # 21 November 2026, 00:00 UTC
LATER_MS = NOW_MS + 4 * 365 * 86_400_000
# The one sample that is there to show a warning, and the one whose digest `exchange request answer` fills in.
DOUBTFUL = {"travel-alert-la-kh.yaml": {"PORT_UNKNOWN"}, "information-response-kh-gb.yaml": {"FIELD_MISSING"}}


def load(path: Path) -> LoadedAlert:
    return load_alert_file(path.read_text("utf-8"), name=path.name, today=TODAY)


def agencies() -> dict[str, str]:
    document = tomllib.loads((ROOT / "certs-example" / "agencies.toml").read_text("utf-8"))
    return {
        f"spiffe://{country['trust_domain']}/agency/{agency['slug']}": agency["class"]
        for country in document["countries"]
        for agency in country["agencies"]
    }


def originators() -> set[str]:
    document = tomllib.loads((ROOT / "certs-example" / "agencies.toml").read_text("utf-8"))
    return {
        f"spiffe://{country['trust_domain']}/agency/{agency['slug']}"
        for country in document["countries"]
        for agency in country["agencies"]
        if agency["originates"]
    }


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_complete_and_names_agencies_that_exist(path: Path) -> None:
    loaded = load(path)
    problems = (*loaded.problems, *check_draft(loaded.draft, NOW_MS))
    assert {problem.code for problem in problems} == DOUBTFUL.get(path.name, set())
    assert loaded.draft.originator in originators()
    assert loaded.draft.recipients
    assert set(loaded.draft.recipients) <= set(agencies())
    domains = {PartyId.parse(recipient).trust_domain for recipient in loaded.draft.recipients}
    assert PartyId.parse(loaded.draft.originator).trust_domain not in domains


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_does_not_go_stale(path: Path) -> None:
    loaded = load_alert_file(path.read_text("utf-8"), name=path.name, today=date(2030, 11, 20))
    problems = check_draft(loaded.draft, LATER_MS)
    assert not loaded.refused
    assert all(problem.severity == SEVERITY_WARNING for problem in problems if problem.code not in DOUBTFUL.get(path.name, set()))


def test_the_samples_show_what_they_are_meant_to_show() -> None:
    loaded = {path.name: load(path) for path in SAMPLES}
    assert len(loaded) >= 10
    types = {one.draft.alert_type.rpartition(".")[2] for one in loaded.values()}
    assert types == {name.rpartition(".")[2] for name in alert_types()}, "one of each"
    lines = " ".join(
        line for one in loaded.values() for field in read_view(one.draft.alert_type, one.draft.alert, ()) for line in field.lines
    )
    for script in ("Khmer", "Thai", "Lao", "Burmese", "Latin", "traditional Chinese"):
        assert f"Script: {script}" in lines
    assert "Nguyễn" in lines
    countries = {PartyId.parse(one.draft.originator).trust_domain for one in loaded.values()}
    assert len(countries) >= 8


def test_the_demo_alert_fills_what_border_and_police_see() -> None:
    loaded = load(ROOT / "samples" / "travel-alert-gb-kh.yaml")
    alert = TravelAlert.FromString(loaded.draft.alert)
    assert len(alert.ListFields()) >= 20
    assert len(alert.itinerary) == 2
    known = agencies()
    assert {known[recipient] for recipient in loaded.draft.recipients} == {"BORDER", "POLICE"}


@pytest.mark.parametrize("path", AGREEMENTS, ids=lambda path: path.name)
def test_an_agreement_is_well_formed_and_names_agencies_as_they_are(path: Path) -> None:
    loaded = load_agreement_file(path.read_text("utf-8"))
    assert loaded.problems == ()
    check_agreement(loaded.agreement)
    assert loaded.agreement.valid_from < NOW_MS < LATER_MS < loaded.agreement.valid_until
    known = agencies()
    for agency in loaded.agreement.agencies:
        assert agency.agency_class == {"BORDER": 1, "POLICE": 2, "PROSECUTION": 3, "SOCIAL": 4, "NGO": 5}[known[agency.agency]]


def test_every_sample_between_the_two_countries_has_its_clause() -> None:
    agreement = load_agreement_file((ROOT / "samples" / "agreements" / "gb-kh.toml").read_text("utf-8")).agreement
    classes = {agency.agency: agency.agency_class for agency in agreement.agencies}
    checked = 0
    for path in SAMPLES:
        draft = load(path).draft
        for recipient in draft.recipients:
            ends = (PartyId.parse(draft.originator).trust_domain, PartyId.parse(recipient).trust_domain)
            if set(ends) != {party.trust_domain for party in agreement.parties}:
                continue
            checked += 1
            clauses = [
                clause
                for clause in agreement.clauses
                if (clause.sender, clause.recipient) == ends
                and clause.alert_type == draft.alert_type
                and clause.audience == classes[recipient]
                and draft.purpose in clause.purposes
            ]
            assert clauses, (path.name, recipient)
            numbers = {field.number for field in alert_type(draft.alert_type).fields}
            assert all(set(clause.required) <= numbers for clause in clauses)
    assert checked == 6


def test_border_and_police_see_different_things_of_the_demo_alert() -> None:
    agreement = load_agreement_file((ROOT / "samples" / "agreements" / "gb-kh.toml").read_text("utf-8")).agreement
    alert = TravelAlert.FromString(load(ROOT / "samples" / "travel-alert-gb-kh.yaml").draft.alert)
    filled = {field.number for field, _ in alert.ListFields()}
    seen = {
        clause.audience: (set(clause.required) | set(clause.permitted)) & filled
        for clause in agreement.clauses
        if clause.alert_type == "exchange.v1.TravelAlert" and clause.sender == "gb.alerts.example"
    }
    assert seen[AGENCY_CLASS_BORDER] < seen[AGENCY_CLASS_POLICE]
    assert len(filled - seen[AGENCY_CLASS_POLICE]) >= 2


def test_the_readme_lists_every_sample() -> None:
    readme = (ROOT / "samples" / "README.md").read_text("utf-8")
    for path in (*SAMPLES, *AGREEMENTS, *ASSESSMENTS):
        assert path.relative_to(ROOT / "samples").as_posix() in readme
