"""Another alert about the same person: told before a release, refused until the officer names it or links the two."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.journal import SALT_SIZE
from exchange.v1 import desk_service_pb2, handling_pb2, information_pb2, people_pb2, subject_warning_pb2, travel_alert_pb2
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations import approve, preview
from node.operations.release import prepare
from node.operations.sequence import sequence
from node.store import subject_table
from node.store.journal import PERSONAL
from tests import builders
from tests.countries import BORDER, DAY, POLICE, agency, agreement, changed, clause, with_clause
from tests.federation import Federation, federation
from tests.rig import Office, draft

GB_POLICE, GB_BORDER = agency("gb", POLICE), agency("gb", BORDER)
KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
REQUEST = information_pb2.InformationRequest.DESCRIPTOR.full_name
ANSWER = information_pb2.InformationResponse.DESCRIPTOR.full_name
WARNING = subject_warning_pb2.SubjectWarning.DESCRIPTOR.full_name
Alert = travel_alert_pb2.TravelAlert


def wide() -> Any:
    """The agreement with clauses for requests, answers and warnings besides."""
    upon = agreement()
    more = [clause(*way, POLICE, kind) for way in (("gb", "kh"), ("kh", "gb")) for kind in (REQUEST, ANSWER, WARNING)]
    return changed(upon, clauses=sorted([*upon.clauses, *more], key=lambda each: each.id))


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", wide())
        for office in made.offices.values():
            refusing(office)
        yield made


def refusing(office: Office) -> None:
    office.ports = replace(office.ports, duplicates_refuse=True)


def person(number: str = "999000001", *, issuer: str = "GBR", born: str = "1961-04-12", country: str = "GBR", family: str = "") -> Alert:
    """The made-up person with another document, name, birth date or nationality."""
    made = changed(builders.alert())
    del made.documents[1:]
    made.documents[0].number, made.documents[0].issuer = number, issuer
    made.birth.date = born
    del made.nationalities[:]
    made.nationalities.add(country=country, basis=people_pb2.NATIONALITY_BASIS_DOCUMENT)
    if family:
        del made.names[:]
        made.primary_name.CopyFrom(people_pb2.PersonName(family=family, given="Specimen", script="Latn"))
    return made


def about(content: Any, *recipients: str, **changes: Any) -> desk_service_pb2.Draft:
    return draft(*(recipients or (KH_POLICE,)), alert=encode(content), alert_type=content.DESCRIPTOR.full_name, **changes)


def request(number: str = "999000001") -> information_pb2.InformationRequest:
    return information_pb2.InformationRequest(
        questions=[information_pb2.QUESTION_CODE_WHEREABOUTS],
        subject=information_pb2.MinimalSubject(
            name=people_pb2.PersonName(family="ELSEWHERE", given="Other", script="Latn"),
            documents=[people_pb2.TravelDocument(type=people_pb2.DOCUMENT_TYPE_PASSPORT, number=number, issuer="GBR")],
        ),
        urgency=information_pb2.URGENCY_NORMAL,
        purpose=handling_pb2.PURPOSE_PREVENTION,
        contact_desk={"unit": "Example desk", "channel": "+44 20 0000 0000"},
    )


def codes(problems: Any) -> list[str]:
    return [problem.code for problem in problems if problem.code.startswith("SUBJECT_")]


def warned(office: Office, wanted: desk_service_pb2.Draft, name: str = "liaison") -> list[Any]:
    """What check and preview say alike."""
    checked = preview.check(office.ports, office.person(name), wanted).problems
    previewed = preview.preview(office.ports, office.person(name), wanted).problems
    said = [problem for problem in checked if problem.code.startswith("SUBJECT_")]
    assert said == [problem for problem in previewed if problem.code.startswith("SUBJECT_")]
    assert {problem.severity for problem in said} <= {desk_service_pb2.SEVERITY_WARNING}
    return said


def test_nobody_is_alerted_of_twice_unknowingly(two: Federation) -> None:
    gb = two["gb"]
    assert warned(gb, about(person())) == []
    first = gb.publish(about(person()))
    assert not first.problems
    again = about(person(), KH_BORDER)
    (problem,) = warned(gb, again)
    reference = first.manifest_digest.hex()[:12]
    assert (problem.code, problem.field) == ("SUBJECT_ALREADY_ALERTED", f"subject[{reference}]")
    assert f"--despite-duplicate {reference}" in problem.remedy
    refused = gb.publish(again)
    assert [(p.code, p.severity) for p in refused.problems] == [("SUBJECT_ALREADY_ALERTED", desk_service_pb2.SEVERITY_ERROR)]
    assert ("refusal", gb.person("liaison"), "", "SUBJECT_ALREADY_ALERTED") in gb.journal()
    assert not gb.publish(changed(again, despite=[reference.upper()])).problems
    assert ("approval", gb.person("liaison"), first.manifest_digest.hex(), "DESPITE_DUPLICATE") in gb.journal()
    assert gb.fsck() == []


@pytest.mark.parametrize("despite", ["", "00000000", "0", "spiffe://gb.alerts.example/agency/nca-ceop"])
def test_another_reference_is_no_leave(two: Federation, despite: str) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    assert codes(gb.publish(about(person(), despite=[despite])).problems) == ["SUBJECT_ALREADY_ALERTED"]


def test_an_alert_id_is_a_reference_too(two: Federation) -> None:
    gb = two["gb"]
    first = gb.publish(about(person()))
    assert not gb.publish(about(person(), despite=[first.alert_id.hex()])).problems


@pytest.mark.parametrize("link", ["thread", "in_reply_to"])
def test_what_is_linked_goes(two: Federation, link: str) -> None:
    gb = two["gb"]
    first = gb.publish(about(person()))
    linked = about(person(), **{link: first.manifest_digest})
    assert warned(gb, linked) == []
    assert not gb.publish(linked).problems


def test_what_supersedes_goes(two: Federation) -> None:
    gb = two["gb"]
    first = gb.publish(about(person()))
    assert not gb.publish(about(person(), supersedes=[first.manifest_digest])).problems


def test_the_same_release_again_is_answered_as_before(two: Federation) -> None:
    gb = two["gb"]
    wanted = about(person())
    assert gb.publish(wanted).manifest_digest == gb.publish(wanted).manifest_digest


def test_a_partners_alert_counts(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(about(person(), KH_POLICE))
    two.pump()
    back = about(person(), GB_POLICE)
    assert codes(warned(kh, back)) == ["SUBJECT_ALERTED_BY_PARTNER"]
    assert codes(kh.publish(back).problems) == ["SUBJECT_ALERTED_BY_PARTNER"]
    assert not kh.publish(changed(back, despite=[told.manifest_digest.hex()])).problems


def test_of_what_went_to_another_agency_only_that_it_exists(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(about(person(born="1970-01-01"), KH_BORDER))  # not for the police there
    two.pump()
    back = about(person(), GB_POLICE)
    (problem,) = warned(kh, back)
    assert problem.code == "SUBJECT_ALERTED_BY_PARTNER"
    assert KH_BORDER in problem.remedy
    said = f"{problem.field} {problem.message} {problem.remedy}"
    assert told.manifest_digest.hex()[:8] not in said
    assert told.alert_id.hex()[:8] not in said
    assert codes(kh.publish(changed(back, despite=[told.manifest_digest.hex()])).problems) == ["SUBJECT_ALERTED_BY_PARTNER"]
    assert not kh.publish(changed(back, despite=[KH_BORDER])).problems


def test_of_another_agency_of_this_country_as_well(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    (problem,) = warned(gb, about(person()), "both")  # of the border agency
    assert (problem.code, problem.field) == ("SUBJECT_ALREADY_ALERTED", f"subject[{GB_POLICE}]")


def test_an_open_request_counts_until_it_is_answered(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    asked = gb.publish(about(request()))
    assert not asked.problems, asked.problems
    two.pump()
    for office, to in ((gb, KH_POLICE), (kh, GB_POLICE)):
        assert codes(warned(office, about(person(), to))) == ["SUBJECT_REQUESTED_OPEN"]
    answer = information_pb2.InformationResponse(
        request_digest=asked.manifest_digest, contact_desk={"unit": "Example desk", "channel": "+855 23 000 000"}
    )
    replied = kh.publish(about(answer, GB_POLICE, in_reply_to=asked.manifest_digest))
    assert not replied.problems, replied.problems
    two.pump()
    for office, to in ((gb, KH_POLICE), (kh, GB_POLICE)):
        assert warned(office, about(person(), to)) == []


def test_a_request_about_whom_one_alerted_is_told_too(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    assert codes(warned(gb, about(request()))) == ["SUBJECT_ALREADY_ALERTED"]


def test_two_stories_of_one_document_are_a_conflict(two: Federation) -> None:
    gb = two["gb"]
    first = gb.publish(about(person()))
    reference = first.manifest_digest.hex()[:12]
    other = about(person(born="1970-01-01", country="AUS", family="ELSEWHERE"))
    said = warned(gb, other)
    assert [(p.code, p.field) for p in said] == [
        ("SUBJECT_ALREADY_ALERTED", f"subject[{reference}]"),
        ("SUBJECT_CONFLICT", f"birth[{reference}]"),
        ("SUBJECT_CONFLICT", f"nationalities[{reference}]"),
    ]
    assert not {"1970", "1961", "AUS", "999000001"} & {word for p in said for word in f"{p.message} {p.remedy}".split()}
    assert not gb.publish(changed(other, despite=[reference])).problems


@pytest.mark.parametrize("born", ["1961", "1961-04", "196X", "1961-04-XX", "1961-04-12?", ""])
def test_to_know_less_is_no_conflict(two: Federation, born: str) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    assert codes(warned(gb, about(person(born=born, family="ELSEWHERE")))) == ["SUBJECT_ALREADY_ALERTED"]


def test_a_name_counts_only_with_a_birth_date_to_the_day(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    assert codes(warned(gb, about(person("111222333")))) == ["SUBJECT_ALREADY_ALERTED"]
    assert warned(gb, about(person("111222333", born="1961"))) == []
    assert warned(gb, about(person("111222333", born="1961-04-13"))) == []
    assert warned(gb, about(person("111222333", family="ELSEWHERE"))) == []


def test_a_number_of_another_country_is_another_document(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    assert warned(gb, about(person(issuer="USA", family="ELSEWHERE"))) == []
    assert codes(warned(gb, about(person(issuer="", family="ELSEWHERE")))) == ["SUBJECT_ALREADY_ALERTED"]


def test_what_is_over_does_not_count(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    two.clock.pass_(21 * DAY)
    assert warned(gb, about(person(), not_after=two.clock.time + DAY)) == []


@pytest.mark.parametrize(("state", "counts"), [("withdrawn", 0), ("superseded", 0), ("restricted", 1), ("disputed", 1)])
def test_what_was_taken_back_does_not_count(two: Federation, state: str, counts: int) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET state = ?", (state,))
    assert len(warned(gb, about(person()))) == counts


def test_of_a_restricted_alert_no_fact_is_compared_aloud(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    other = about(person(born="1970-01-01", family="ELSEWHERE"))
    assert "SUBJECT_CONFLICT" in codes(warned(gb, other))
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET state = 'restricted'")
    assert codes(warned(gb, other)) == ["SUBJECT_ALREADY_ALERTED"]


def test_what_cannot_be_read_any_more_does_not_count(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET wrapped_key = NULL")  # as after the key of its month was destroyed
    assert warned(gb, about(person())) == []


def test_two_at_once_are_not_both_released(two: Federation) -> None:
    gb = two["gb"]
    ready = [prepare(gb.ports, gb.person(name), about(person()), "synthetic reason") for name in ("liaison", "second")]
    first, second = sequence(gb.ports, ready)
    assert (codes(first.problems), codes(second.problems)) == ([], ["SUBJECT_ALREADY_ALERTED"])
    third = sequence(gb.ports, [prepare(gb.ports, gb.person("liaison"), about(person("111222333", family="OTHER")), "synthetic")])
    assert not third[0].problems


def test_one_that_comes_in_between_look_and_release_is_found(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    ready = prepare(kh.ports, kh.person("liaison"), about(person(), GB_POLICE), "synthetic reason")
    gb.publish(about(person(), KH_POLICE))
    two.pump()
    assert codes(sequence(kh.ports, [ready])[0].problems) == ["SUBJECT_ALREADY_ALERTED"]


def test_a_transaction_that_fails_leaves_nothing_behind_that_counts(two: Federation) -> None:
    gb = two["gb"]
    ready = prepare(gb.ports, gb.person("liaison"), about(person()), "synthetic reason")
    gb.ports.subjects.add(1, ready.person)  # type: ignore[union-attr]  # as of a transaction that then failed
    assert warned(gb, about(person())) == []
    assert not gb.publish(about(person("111222333", family="OTHER"))).problems  # takes row 1
    assert warned(gb, about(person())) == []


def test_after_a_restart_all_is_known_again(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    gb.restart()
    refusing(gb)
    assert codes(gb.publish(about(person())).problems) == ["SUBJECT_ALREADY_ALERTED"]


def test_a_submission_is_held_to_it(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", with_clause(agreement(), "gb-kh-travelalert-police", approvals=1))
        gb = two["gb"]
        refusing(gb)
        first = gb.publish(about(person(), KH_BORDER))

        def submit(**changes: Any) -> desk_service_pb2.SubmitAlertResponse:
            asked = desk_service_pb2.SubmitAlertRequest(draft=about(person(), **changes), reason="synthetic reason")
            return approve.submit(gb.ports, gb.person("liaison"), asked, lambda item: sequence(gb.ports, [item])[0])

        assert codes(submit().problems) == ["SUBJECT_ALREADY_ALERTED"]
        assert submit(despite=[first.manifest_digest.hex()]).submission.approvals_needed == 1


def test_a_country_may_only_tell(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    gb.ports = replace(gb.ports, duplicates_refuse=False)
    assert len(warned(gb, about(person()))) == 1
    assert not gb.publish(about(person())).problems


def test_whoever_asks_is_recorded_whatever_the_answer(two: Federation) -> None:
    gb = two["gb"]
    asked = ("combination", gb.person("liaison"), "", "COMPARED")
    preview.check(gb.ports, gb.person("liaison"), about(person()))
    assert gb.journal()[-1] == asked
    first = gb.publish(about(person())).manifest_digest
    before = len(gb.journal())
    warned(gb, about(person()))
    assert gb.journal()[before:] == [asked, asked]
    with gb.ports.store.read() as tx:
        journal = gb.ports.journal
        detail = journal.detail(tx, journal.edge(tx).frontier.size - 1, PERSONAL)
    assert detail is not None
    assert list(JournalPersonal.FromString(detail[SALT_SIZE:]).results) == [first]


def test_an_agency_to_ask_may_be_named_without_its_scheme(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(about(person()))
    answer = gb.publish(about(person(), despite=[GB_POLICE.removeprefix("spiffe://")]), "both")
    assert not answer.problems


def test_a_report_is_compared_with_nothing(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(about(person(), KH_BORDER))
    two.pump()
    assert not kh.report(told.manifest_digest.hex(), "border").problems


def test_who_is_new_costs_no_question_to_the_store(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb = two["gb"]
    gb.publish(about(person()))

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the store was asked")

    monkeypatch.setattr("node.operations.duplicates._with_tokens", asked)
    assert not gb.publish(about(person("111222333", family="ELSEWHERE"))).problems
    with pytest.raises(AssertionError, match="the store was asked"):
        gb.publish(about(person()))


def test_the_table_finds_what_begins_alike_apart() -> None:
    table = subject_table.SubjectTable()
    table._loaded = True
    table.add(1, b"AAbcdefg" + b"AAbcdefh")
    table.add(2**33, b"AAbcdefg")
    nothing: Any = None  # a store that is not read
    assert table.find(nothing, b"AAbcdefg") == {1, 2**33}
    assert table.find(nothing, b"AAbcdefh") == {1}
    assert table.find(nothing, b"AAbcdefi" + b"BBbcdefg") == set()
    # What lies across the edge of two records is no token.
    assert table.find(nothing, b"AA" + (1).to_bytes(5, "big") + b"b") == set()
