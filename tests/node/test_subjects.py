"""Two spellings of one person give one term; two persons do not."""

import pytest

from exchange.errors import Malformed
from exchange.profile import alert_type, alert_types
from exchange.v1 import hit_report_pb2, information_pb2, people_pb2, prosecution_pb2, tip_pb2, travel_alert_pb2
from node.subjects import document_term, plain_birth, plain_name, searched_terms, terms_of
from tests import builders, person
from tests.refusals import refused


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("EXAMPLE, Thomas Specimen", "thomas specimen example"),
        ("Nguyễn Văn Thử", "NGUYEN VAN THU"),
        ("Đặng Thị Ví-Dụ", "DANG THI VI DU"),
        ("O’Brien-Müller", "muller o brien"),
        ("ＦＵＬＬ width", "full width"),
        ("สมชาย  ตัวอย่าง", "ตัวอย่าง สมชาย"),
        ("គំរូ វិចិត្រ", "វិចិត្រ\u200b គំរូ"),
    ],
)
def test_two_spellings_of_a_name_are_one(one: str, other: str) -> None:
    assert plain_name(one) == plain_name(other) != ""


@pytest.mark.parametrize(("one", "other"), [("กา", "กำ"), ("កា", "កី"), ("Tom Sample", "Tim Sample"), ("An Van", "Anvan")])
def test_two_names_are_two(one: str, other: str) -> None:
    assert plain_name(one) != plain_name(other)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("1961-04-12", "1961-04-12"),
        ("1961-04?", "1961-04"),
        ("196X~", "196X"),
        ("1961-XX-XX", "1961"),
        ("1961-04-XX", "1961-04"),
        ("19XX", "19XX"),
        ("", ""),
    ],
)
def test_a_birth_date_loses_doubt_and_unknown_parts(written: str, plain: str) -> None:
    assert plain_birth(written) == plain


@pytest.mark.parametrize("known", ["1961-04-12", "1961-04-12?", "1961-04", "1961", "196X", "19XX", "1961-XX-XX", ""])
@pytest.mark.parametrize("asked", ["1961-04-12", "1961-04", "1961", "196X", "19XX"])
def test_a_date_finds_whatever_agrees_with_it(known: str, asked: str) -> None:
    alert = travel_alert_pb2.TravelAlert(primary_name=person.VIETNAMESE, birth=people_pb2.Birth(date=known))
    assert terms_of(alert_type("exchange.v1.TravelAlert"), alert) & searched_terms("nguyen van thu nghiem", asked)


@pytest.mark.parametrize(
    ("known", "asked"), [("1961-04-12", "1961-04-13"), ("1961-04", "1961-05-01"), ("1961", "1962"), ("196X", "1971"), ("18XX", "19XX")]
)
def test_a_date_finds_nothing_that_contradicts_it(known: str, asked: str) -> None:
    alert = travel_alert_pb2.TravelAlert(primary_name=person.LATIN, birth=people_pb2.Birth(date=known))
    assert not terms_of(alert_type("exchange.v1.TravelAlert"), alert) & searched_terms("Vorbildmann Aloysius Quentin", asked)


@pytest.mark.parametrize("name", person.NAMES)
def test_a_name_in_any_script_is_found(name: people_pb2.PersonName) -> None:
    terms = terms_of(alert_type("exchange.v1.TravelAlert"), person.alert())
    assert terms & searched_terms(name.as_written, person.BORN)
    assert terms & searched_terms(f"{name.given} {name.family}", person.BORN)


def test_documents_are_found_however_they_are_grouped() -> None:
    assert document_term("qz 999-0001x") == document_term("QZ9990001X")
    assert terms_of(alert_type("exchange.v1.TravelAlert"), person.alert()) >= {document_term(number) for number in person.DOCUMENTS}


def test_every_type_that_names_a_person_is_indexed() -> None:
    birth, document = people_pb2.Birth(date="1961"), people_pb2.TravelDocument(number="X1", issuer="UTO")
    companion = people_pb2.NamedCompanion(name=person.THAI, birth=birth)
    alerts = [
        travel_alert_pb2.TravelAlert(named_companions=[companion]),
        hit_report_pb2.HitReport(document_shown=document),
        information_pb2.InformationRequest(subject=information_pb2.MinimalSubject(name=person.THAI, birth=birth, documents=[document])),
        tip_pb2.Tip(suspects=[tip_pb2.SuspectDescription(names_as_heard=[person.THAI])]),
        prosecution_pb2.ProsecutionCoordination(suspect=prosecution_pb2.MinimalSuspect(name=person.THAI, birth=birth)),
    ]
    expected = {
        "TravelAlert": searched_terms(person.THAI.as_written, "1961"),
        "HitReport": {document_term("X1")},
        "InformationRequest": searched_terms(person.THAI.as_written, "1961"),
        "Tip": searched_terms(person.THAI.as_written, "1961"),
        "ProsecutionCoordination": searched_terms(person.THAI.as_written, "1961"),
    }
    for alert in alerts:
        kind = alert_type(alert.DESCRIPTOR.full_name)
        assert terms_of(kind, alert) & expected[alert.DESCRIPTOR.name], alert.DESCRIPTOR.name


def test_a_companions_birth_is_not_the_travellers() -> None:
    companion = people_pb2.NamedCompanion(name=person.KHMER, birth=people_pb2.Birth(date="1999"))
    alert = travel_alert_pb2.TravelAlert(primary_name=person.LATIN, birth=people_pb2.Birth(date="1961"), named_companions=[companion])
    terms = terms_of(alert_type("exchange.v1.TravelAlert"), alert)
    assert not terms & searched_terms(person.KHMER.as_written, "1961")
    assert not terms & searched_terms(person.LATIN.as_written, "1999")


def test_what_names_nobody_has_no_terms() -> None:
    assert all(not terms_of(kind, kind.message()) for kind in alert_types().values())
    assert terms_of(alert_type("exchange.v1.TravelAlert"), builders.alert())


@pytest.mark.parametrize(("subject", "born"), [("", ""), ("--", ""), ("", "1961"), ("?!", "1961")])
def test_a_question_without_a_letter_is_refused(subject: str, born: str) -> None:
    with refused(Malformed, "SUBJECT"):
        searched_terms(subject, born)
