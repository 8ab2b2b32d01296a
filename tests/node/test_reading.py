import json
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.encoding import encode
from exchange.errors import Malformed
from exchange.profile import alert_types
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.intake.alert_file import load_alert_file
from node.intake.value_checks import MONTHS, PARTIAL_DATES
from node.reading import Certainty, FieldReading, FieldState, read_view, to_json
from node.reading_texts import ENGLISH
from node.reading_values import point_in_time

TRAVEL = "exchange.v1.TravelAlert"
ROOT = Path(__file__).parents[2]


def alert(fields: dict[str, Any]) -> bytes:
    file = json.dumps({"type": "TravelAlert", "language": "en", "alert": fields})
    loaded = load_alert_file(file, name="a.json", today=date(2026, 11, 21))
    assert not loaded.refused, loaded.problems
    return loaded.draft.alert


def read(view: bytes, *undisclosed: int) -> dict[str, FieldReading]:
    return {reading.name: reading for reading in read_view(TRAVEL, view, undisclosed)}


def lines(**fields: Any) -> tuple[str, ...]:
    (name,) = fields
    return read(alert(fields))[name].lines


def test_three_states_in_the_order_of_the_schema() -> None:
    readings = read_view(TRAVEL, alert({"sex": "MALE"}), [1, 3])
    assert [reading.number for reading in readings] == list(range(1, 35))
    by_name = {reading.name: reading for reading in readings}
    assert (by_name["sex"].state, by_name["sex"].lines) == (FieldState.VALUE, ("male",))
    assert (by_name["names"].state, by_name["names"].lines) == (FieldState.NOT_KNOWN, ("Not known to the originator",))
    assert (by_name["birth"].state, by_name["birth"].lines) == (FieldState.NOT_DISCLOSED, ("Not disclosed to you",))
    assert (by_name["birth"].category, by_name["birth"].label) == ("IDENTITY", "Birth")


def test_what_is_not_disclosed_stays_so_even_if_the_view_held_it() -> None:
    reading = read(alert({"sex": "MALE"}), 4)["sex"]
    assert (reading.state, reading.lines) == (FieldState.NOT_DISCLOSED, ("Not disclosed to you",))


def test_zero_is_a_value_and_unknown_is_not_zero() -> None:
    assert lines(companions={"adults": 0}) == ("Adults: 0",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1961-04-12", "12 April 1961"),
        ("1961-04?", "April 1961, uncertain"),
        ("1961~", "1961, approximate"),
        ("1961%", "1961, uncertain and approximate"),
        ("1961-XX-XX", "1961"),
        ("196X", "between 1960 and 1969"),
        ("19XX", "between 1900 and 1999"),
    ],
)
def test_partial_dates_are_told_as_far_as_they_are_known(text: str, words: str) -> None:
    assert lines(birth=text) == (f"Date: {words}",)


def test_a_date_that_is_none_is_shown_as_it_came() -> None:
    view = encode(TravelAlert(birth={"date": "the year 1961"}))  # type: ignore[arg-type]  # a mapping is taken too
    assert read(view)["birth"].lines == ("Date: the year 1961",)


def test_names_keep_their_script_and_order() -> None:
    names = [
        {"family": "សុខ", "given": "ដារ៉ា", "language": "km"},
        {"family": "Specimen", "given": "Alan", "order": "GIVEN_FIRST"},
        {"as_written": "Al", "kind": "NICKNAME"},
    ]
    khmer, latin, nick = lines(names=names)
    assert khmer == "សុខ ដារ៉ា (Family: សុខ; Given: ដារ៉ា; Language: km; Script: Khmer)"
    assert latin.startswith("Alan Specimen (")
    assert nick == "Al (Kind: nickname; Script: Latin)"


def test_a_leg_is_told_as_one_journey() -> None:
    leg = {"departure_port": "LHR", "departure": "2027-03-04T21:30", "arrival_port": "KTI", "arrival": "2027-03-05", "mode": "AIR"}
    (line,) = lines(itinerary=[leg | {"service_number": "XX 1"}])
    assert line == (
        "XX 1: London Heathrow Airport (LHR; United Kingdom (GBR)) 4 March 2027, 21:30 (Europe/London) to "
        "Techo International Airport (KTI; Cambodia (KHM)) 5 March 2027 (Asia/Phnom_Penh) (Mode: air)"
    )


def test_other_values_in_words() -> None:
    assert lines(covert_operation=False) == ("no",)
    assert lines(nationalities=["XXA"]) == ("Stateless person (1954 Convention) (XXA)",)
    assert lines(deadlines={"feed_back_by": "2027-03-08T12:00+07:00"}) == ("Feed back by: 8 March 2027, 05:00 UTC",)
    assert lines(requested_action="CONSIDER_REFUSAL_UNDER_LOCAL_LAW") == ("consider refusing entry under your own law",)
    assert lines(facial_image={"digest": "AB" * 32}) == (f"Digest: {'ab' * 32}",)
    assert lines(risk_narrative=[{"language": "km", "text": "a\nb", "machine_translated": True}]) == ("a b [km, translated by machine]",)
    assert lines(accommodation=[{"name": "Inn", "area": {"country": "KHM"}}]) == ("Name: Inn; Area: (Country: Cambodia (KHM))",)


def test_a_grading_is_told_in_words() -> None:
    whole, own = lines(grading=[{"source": "B", "information": "2"}, {"field": "risk_narrative", "source": "X", "certainty": "ASSESSMENT"}])
    assert whole == (
        "The whole alert (Source: B – reliable in most cases; "
        "Information: 2 – known to the source itself, not to the officer who passes it on)"
    )
    assert own == "Risk in words (Source: X – cannot be judged; Certainty: assessment)"
    hostile = encode(TravelAlert(grading=[{"field": "\u202ebirth"}]))  # type: ignore[list-item]  # a mapping is taken too
    assert "\u202e" not in read(hostile)["grading"].lines[0]


def test_a_point_in_time_is_told_by_the_readers_clocks_beside_utc() -> None:
    view = alert({"deadlines": {"acknowledge_by": "2027-03-05T23:00Z"}})
    there = replace(ENGLISH, zone="Asia/Phnom_Penh")
    told = next(one for one in read_view(TRAVEL, view, (), texts=there) if one.name == "deadlines")
    assert told.lines == ("Acknowledge by: 6 March 2027, 06:00 (Asia/Phnom_Penh); 5 March 2027, 23:00 UTC",)
    assert point_in_time(253_402_300_799_000, there) == "31 December 9999, 23:59 UTC"


def test_an_unknown_code_of_a_newer_version_is_shown_as_such() -> None:
    newer = TravelAlert()
    newer.MergeFromString(b"\x20\x63")  # field 4, sex, number 99
    reading = read(encode(newer))["sex"]
    assert reading.state is FieldState.VALUE
    assert reading.lines == ("code 99, which this version does not know",)
    assert to_json(TRAVEL, encode(newer), ())["alert"]["sex"] == 99  # type: ignore[index,call-overload]  # of known shape


def test_who_grades_what() -> None:
    fields = {"risk_level": {"band": "HIGH"}, "sex": "MALE", "cautions": ["ARMED"], "birth": "1961"}
    ungraded = read(alert(fields))
    assert (ungraded["risk_level"].certainty, ungraded["sex"].certainty) == (Certainty.ASSESSMENT, None)
    graded = [{"certainty": "FACT"}, {"field": "cautions", "certainty": "ASSESSMENT"}, {"field": "birth", "source": "A"}]
    for gradings in (graded, graded[::-1]):
        told = read(alert(fields | {"grading": gradings}))
        assert told["risk_level"].certainty is Certainty.ASSESSMENT
        assert told["sex"].certainty is Certainty.FACT
        assert told["cautions"].certainty is Certainty.ASSESSMENT
        assert told["names"].certainty is None
        assert told["cautions"].certainty_label == "assessment"
    risk = [{"field": "risk_level", "certainty": "FACT"}]
    assert read(alert(fields | {"grading": risk}))["risk_level"].certainty is Certainty.FACT


def test_json_tells_the_three_states_apart() -> None:
    read_back = to_json(TRAVEL, alert({"sex": "MALE"}), [3])
    assert read_back["type"] == "TravelAlert"
    assert read_back["not_disclosed"] == ["birth"]
    fields = read_back["alert"]
    assert isinstance(fields, dict)
    assert "birth" not in fields
    assert (fields["sex"], fields["names"]) == ("MALE", None)
    assert len(fields) == 33


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(Malformed):
        read_view("exchange.v1.Nothing", b"", ())
    for reader in (read_view, to_json):
        with pytest.raises(Malformed) as refused:
            reader(TRAVEL, b"\xff\xff", ())
        assert refused.value.code == "NOT_PROTOBUF"


def random_message(kind: type[Message], draw: st.DrawFn, depth: int = 0) -> Message:
    message: Any = kind()
    descriptor: Any = kind.DESCRIPTOR
    for field in descriptor.fields:
        for _ in range(draw(st.integers(0, 2 if field.is_repeated else 1))):
            if field.message_type:
                inner = random_message(
                    type(getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)), draw, depth + 1
                )
                if field.is_repeated:
                    getattr(message, field.name)[-1].CopyFrom(inner)
                else:
                    getattr(message, field.name).CopyFrom(inner)
                continue
            value: Any = draw(
                {
                    field.CPPTYPE_BOOL: st.booleans(),
                    field.CPPTYPE_ENUM: st.integers(0, 2**31 - 1) | st.integers(0, 9),
                    field.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
                    field.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
                    field.CPPTYPE_STRING: st.binary(max_size=8)
                    if field.type == field.TYPE_BYTES
                    else st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
                    | st.sampled_from(["1961-04?", "2027-03-04T10:00", "2027-03-04", "KHM", "\x1b[2J", "\u202eabc"]),
                }[field.cpp_type]
            )
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
    return message  # type: ignore[no-any-return]  # built from its own descriptor


@st.composite
def random_alert(draw: st.DrawFn) -> tuple[str, bytes]:
    kind = draw(st.sampled_from(list(alert_types().values())))
    return kind.name, encode(random_message(kind.message, draw))


@settings(deadline=None)
@given(random_alert(), st.sets(st.integers(1, 64)))
def test_whatever_a_partner_sends_is_read_on_one_line_each_without_commands(given_alert: tuple[str, bytes], hidden: set[int]) -> None:
    name, view = given_alert
    readings = read_view(name, view, hidden)
    assert [reading.number for reading in readings] == list(alert_types()[name].numbers)
    for reading in readings:
        assert (reading.state is FieldState.NOT_DISCLOSED) == (reading.number in hidden)
        assert reading.lines
        assert not any(unicodedata.category(sign) == "Cc" or sign == "\u202e" for line in reading.lines for sign in line)
    json.dumps(to_json(name, view, hidden))


def test_every_text_is_of_the_schema() -> None:
    assert len(ENGLISH.months) == 12
    named = {value.name for kind in alert_types().values() for value in enum_values(kind.message)}
    assert set(ENGLISH.values) <= named


def enum_values(kind: type[Message]) -> list[Any]:
    seen, found, waiting = set(), [], [kind.DESCRIPTOR]
    while waiting:
        descriptor: Any = waiting.pop()
        if descriptor.full_name in seen:
            continue
        seen.add(descriptor.full_name)
        for field in descriptor.fields:
            found += list(field.enum_type.values) if field.enum_type else []
            waiting += [field.message_type] if field.message_type else []
    return found


def test_the_text_fields_with_a_form_are_those_that_the_schema_says() -> None:
    noted: dict[str, set[str]] = {"EDTF level 1": set(), "YYYY-MM.": set()}
    for path in (ROOT / "proto" / "exchange" / "v1").glob("*.proto"):
        if path.name.endswith("_service.proto"):
            continue  # questions of an office: no alert has them
        message = comment = ""
        for line in map(str.strip, path.read_text("utf-8").splitlines()):
            if line.startswith("message "):
                message = line.split()[1]
            if line.startswith("//"):
                comment = line
            elif " string " in f" {line}" and "=" in line:
                name = line.partition("=")[0].split()[-1]
                for note, fields in noted.items():
                    if note in comment:
                        fields.add(f"exchange.v1.{message}.{name}")
            if not line.startswith("//"):
                # `until` stands under `since`, and `review_by` under `assessed`: one comment for both.
                comment = comment if comment.endswith("EDTF level 1.") and line.endswith("];") else ""
    assert noted["YYYY-MM."] == MONTHS
    # What follows a dated field on the next line and is no date itself.
    assert noted["EDTF level 1"] - PARTIAL_DATES <= {"exchange.v1.CourtOrder.issued_by", "exchange.v1.Registration.tier"}
    assert noted["EDTF level 1"] >= PARTIAL_DATES
