from datetime import UTC, datetime
from typing import Any

import pytest

from exchange.agreement import check_agreement
from exchange.errors import Malformed
from exchange.profile import alert_type, alert_types
from exchange.v1.agreement_pb2 import (
    AGENCY_CLASS_BORDER,
    AGENCY_CLASS_NGO,
    AGENCY_CLASS_POLICE,
    AGENCY_CLASS_PROSECUTION,
    AGENCY_CLASS_SOCIAL,
    AGENCY_CLASS_UNSPECIFIED,
    AgencyClass,
)
from exchange.v1.desk_service_pb2 import SEVERITY_WARNING
from node.intake.agreement_file import LoadedAgreement, load_agreement_file
from node.intake.agreement_template import AgreementSide, agreement_template
from node.intake.marks import default_marks

TRAVEL = "exchange.v1.TravelAlert"
HEAD = """
instrument = "Training"
valid_from = 2026-01-01T00:00:00Z
valid_until = 2031-01-01T00:00:00Z
"""
PARTIES = """
[[parties]]
trust_domain = "kh.alerts.example"
legal_basis = "Law"
[[parties]]
trust_domain = "gb.alerts.example"
legal_basis = "Act"
"""
AGENCIES = """
[[agencies]]
agency = "kh.alerts.example/agency/gdi"
agency_class = "BORDER"
[[agencies]]
agency = "spiffe://gb.alerts.example/agency/nca-ceop"
agency_class = "POLICE"
"""
CLAUSE = """
[[clauses]]
id = "b"
sender = "gb.alerts.example"
recipient = "kh.alerts.example"
audience = "BORDER"
alert_type = "TravelAlert"
purposes = ["BORDER_CONTROL", "PREVENTION"]
required = ["requested_action", "primary_name"]
permitted = ["birth"]
on_request = ["risk_level"]
maximum_retention_days = 30
onward = "ASK"
"""
GOOD = HEAD + PARTIES + AGENCIES + CLAUSE


def codes(loaded: LoadedAgreement) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in loaded.problems]


def names(numbers: tuple[int, ...]) -> set[str]:
    return {field.name for field in alert_type(TRAVEL).fields if field.number in numbers}


def test_reads_names_into_numbers_and_puts_everything_in_the_one_order() -> None:
    second = CLAUSE.replace('"b"', '"a"').replace("TravelAlert", TRAVEL)
    loaded = load_agreement_file(GOOD + second)
    assert loaded.problems == ()
    assert not loaded.refused
    agreement = loaded.agreement
    check_agreement(agreement)
    assert [party.trust_domain for party in agreement.parties] == ["gb.alerts.example", "kh.alerts.example"]
    assert [clause.id for clause in agreement.clauses] == ["a", "b"]
    assert [agency.agency for agency in agreement.agencies][1] == "spiffe://kh.alerts.example/agency/gdi"
    for clause in agreement.clauses:
        assert (list(clause.required), list(clause.permitted), list(clause.on_request)) == ([1, 30], [3], [24])
        assert (clause.alert_type, list(clause.purposes)) == (TRAVEL, [1, 5])


def test_the_order_of_the_file_changes_nothing() -> None:
    other = CLAUSE.replace('id = "b"', 'id = "a"')
    one = load_agreement_file(HEAD + PARTIES + AGENCIES + CLAUSE + other).agreement
    two = load_agreement_file(
        HEAD + other + CLAUSE.replace('"BORDER_CONTROL", "PREVENTION"', '"PREVENTION", "BORDER_CONTROL"') + AGENCIES + PARTIES
    )
    assert two.agreement == one


def test_default_marks_are_those_of_the_schema() -> None:
    lists = CLAUSE[CLAUSE.index("required") : CLAUSE.index("maximum")]
    clause = load_agreement_file(GOOD.replace(lists, 'marks = "default"\n')).agreement.clauses[0]
    marks = default_marks(TRAVEL, AGENCY_CLASS_BORDER)
    assert (tuple(clause.required), tuple(clause.permitted), tuple(clause.on_request)) == (
        marks.required,
        marks.permitted,
        marks.on_request,
    )
    assert names(marks.required) == {"primary_name", "requested_action", "contact_desk"}
    assert "convictions" not in names(marks.required + marks.permitted + marks.on_request)


def test_the_classes_without_a_column_depart_from_one() -> None:
    police, prosecution = default_marks(TRAVEL, AGENCY_CLASS_POLICE), default_marks(TRAVEL, AGENCY_CLASS_PROSECUTION)
    assert names(police.on_request) - names(prosecution.on_request) == {"covert_operation"}
    assert (prosecution.required, prosecution.permitted) == (police.required, police.permitted)
    ngo, social = default_marks(TRAVEL, AGENCY_CLASS_NGO), default_marks(TRAVEL, AGENCY_CLASS_SOCIAL)
    assert names(social.permitted) - names(ngo.permitted) == {"destination_area"}
    assert "destination_area" in names(ngo.on_request)
    assert not default_marks("exchange.v1.HitReport", AGENCY_CLASS_BORDER)
    with pytest.raises(Malformed):
        default_marks(TRAVEL, AGENCY_CLASS_UNSPECIFIED)


def test_marks_cover_every_field_of_every_type_as_its_letters_say() -> None:
    for kind in alert_types().values():
        for column, audience in enumerate((AGENCY_CLASS_BORDER, AGENCY_CLASS_POLICE, AGENCY_CLASS_NGO)):
            marks = default_marks(kind.name, audience)
            letters = dict.fromkeys(marks.required, "R") | dict.fromkeys(marks.permitted, "M") | dict.fromkeys(marks.on_request, "C")
            assert "".join(letters.get(f.number, "-") for f in kind.fields) == "".join(f.default_marks[column] for f in kind.fields)


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        ('instrument = "Training"', "", "instrument", "SCHEMA_STRING_MIN_LEN"),
        ("valid_from = 2026-01-01T00:00:00Z", "", "valid_from", "FIELD_MISSING"),
        ("2031-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "valid_until", "VALIDITY_BACKWARDS"),
        ("2031-01-01T00:00:00Z", "2031-01-01T00:00:00", "valid_until", "INSTANT_ZONE"),
        ('trust_domain = "kh.alerts.example"', 'trust_domain = "KH"', "parties[0].trust_domain", "TRUST_DOMAIN"),
        ('trust_domain = "kh.alerts.example"', 'trust_domain = "gb.alerts.example"', "parties[1].trust_domain", "PARTY_TWICE"),
        ('legal_basis = "Act"', "", "parties[1].legal_basis", "SCHEMA_STRING_MIN_LEN"),
        ("agency/nca-ceop", "node", "agencies[1].agency", "AGENCY_MALFORMED"),
        ("spiffe://gb.alerts", "spiffe://vn.alerts", "agencies[1].agency", "AGENCY_FOREIGN"),
        ("spiffe://gb.alerts.example/agency/nca-ceop", "kh.alerts.example/agency/gdi", "agencies[1].agency", "AGENCY_TWICE"),
        ('agency_class = "POLICE"', "", "agencies[1].agency_class", "FIELD_MISSING"),
        ('id = "b"', 'id = "B!"', "clauses[0].id", "SCHEMA_STRING_PATTERN"),
        ('sender = "gb', 'sender = "vn', "clauses[0].sender", "CLAUSE_PARTY"),
        ('sender = "gb', 'sender = "kh', "clauses[0].recipient", "CLAUSE_DIRECTION"),
        ('audience = "BORDER"', 'audience = "ARMY"', "clauses[0].audience", "ENUM_UNKNOWN"),
        ('audience = "BORDER"', "", "clauses[0].audience", "FIELD_MISSING"),
        ('audience = "BORDER"', 'audience = "NGO"', "clauses[0].audience", "AUDIENCE_NOBODY"),
        ('alert_type = "TravelAlert"', 'alert_type = "Travel"', "clauses[0].alert_type", "TYPE_UNKNOWN"),
        ('purposes = ["BORDER_CONTROL", "PREVENTION"]', "", "clauses[0].purposes", "SCHEMA_REPEATED_MIN_ITEMS"),
        ('"requested_action", ', '"requested", ', "clauses[0].required[0]", "FIELD_UNKNOWN"),
        ('permitted = ["birth"]', 'permitted = ["primary_name"]', "clauses[0]", "CLAUSE_OVERLAP"),
        ('permitted = ["birth"]', 'marks = "default"', "clauses[0].marks", "MARKS_UNCLEAR"),
        ("maximum_retention_days = 30", "", "clauses[0].maximum_retention_days", "SCHEMA_UINT32_GTE_LTE"),
        ('onward = "ASK"', "", "clauses[0].onward", "FIELD_MISSING"),
        ('onward = "ASK"', "unknown = 1", "clauses[0].unknown", "FIELD_UNKNOWN"),
        (CLAUSE, "", "clauses", "CLAUSES_NONE"),
        (CLAUSE, CLAUSE * 2, "clauses[1].id", "CLAUSE_TWICE"),
        (CLAUSE, "[[clauses]]\n" + CLAUSE, "clauses[0]", "ITEM_EMPTY"),
        ('instrument = "Training"', "instrument = [", "", "DOCUMENT_SYNTAX"),
        ('instrument = "Training"', "instrument = " + "[" * 5000, "", "DOCUMENT_DEPTH"),
        ('instrument = "Training"', "#" + "x" * 600_000, "", "DOCUMENT_SIZE"),
    ],
)
def test_what_is_wrong_is_told_by_path_and_code(old: str, new: str, path: str, code: str) -> None:
    assert old in GOOD
    loaded = load_agreement_file(GOOD.replace(old, new))
    assert (path, code) in codes(loaded)


def test_a_clause_that_permits_nothing_or_needs_no_clause() -> None:
    lists = CLAUSE[CLAUSE.index("required") : CLAUSE.index("maximum")]
    empty = GOOD.replace(lists, 'marks = "default"\n').replace("TravelAlert", "HitReport")
    assert codes(load_agreement_file(empty)) == [("clauses[0]", "CLAUSE_EMPTY")]
    control = GOOD.replace(lists, 'marks = "default"\n').replace("TravelAlert", "Withdrawal")
    assert codes(load_agreement_file(control)) == [("clauses[0].alert_type", "CLAUSE_CONTROL")]


def test_things_of_the_wrong_kind_are_told_and_never_raise() -> None:
    for line in ("clauses = 'x'", "clauses = ['x', {}]", "clauses = [[]]", "agencies = [1]", "parties = 1979-05-27", "a.b.c = 1.5"):
        loaded = load_agreement_file(line)
        assert loaded.refused
        assert not any("'" in problem.message or "1979" in str(problem) for problem in loaded.problems)


def side(domain: str, classes: dict[str, Any]) -> AgreementSide:
    agencies = {f"spiffe://{domain}/agency/{slug}": AgencyClass.Value(f"AGENCY_CLASS_{name}") for slug, name in classes.items()}
    return AgreementSide(trust_domain=domain, name=f'The "{domain}"', legal_basis="Law § 1", agencies=agencies)


def test_the_template_is_complete_and_without_a_problem() -> None:
    one = side("vn.alerts.example", {"p": "POLICE", "b": "BORDER", "n": "NGO"})
    other = side("la.alerts.example", {"p": "POLICE", "q": "POLICE", "s": "SOCIAL", "c": "PROSECUTION"})
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    text = agreement_template(one, other, valid_from=start, valid_until=end)
    assert text == agreement_template(other, one, valid_from=start, valid_until=end)
    loaded = load_agreement_file(text)
    assert loaded.problems == ()
    check_agreement(loaded.agreement)
    assert len({clause.id for clause in loaded.agreement.clauses}) == len(loaded.agreement.clauses)
    expected = {
        (sender.trust_domain, kind.name, audience)
        for sender, recipient in ((one, other), (other, one))
        for kind in alert_types().values()
        for audience in set(recipient.agencies.values())
        if not kind.control and default_marks(kind.name, audience)
    }
    assert {(clause.sender, clause.alert_type, clause.audience) for clause in loaded.agreement.clauses} == expected
    assert "TRAINING" in loaded.agreement.instrument


def test_a_warning_alone_refuses_nothing() -> None:
    loaded = load_agreement_file(GOOD.replace('audience = "BORDER"', 'audience = "NGO"'))
    assert [problem.severity for problem in loaded.problems] == [SEVERITY_WARNING]
    assert not loaded.refused
