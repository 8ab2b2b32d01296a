import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.profile import alert_type
from exchange.v1.desk_service_pb2 import SEVERITY_ERROR, SEVERITY_WARNING
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.intake.alert_file import LoadedAlert, load_alert_file
from node.intake.completeness import check_draft
from node.intake.plain_document import MAX_BYTES
from node.reading import to_json

TODAY = date(2026, 11, 21)
NOW_MS = 1_795_219_200_000
ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path for path in (ROOT / "samples").iterdir() if path.suffix in {".yaml", ".json"})
PASSPORT = ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]
FRONT: dict[str, Any] = {
    "type": "TravelAlert",
    "language": "en",
    "recipients": ["spiffe://kh.alerts.example/agency/gdi"],
    "purpose": "PREVENTION",
    "not_after": "P30D",
}


def load(**keys: Any) -> LoadedAlert:
    return load_alert_file(json.dumps(FRONT | keys), name="alert.json", today=TODAY)


def alert_of(loaded: LoadedAlert) -> TravelAlert:
    return TravelAlert.FromString(loaded.draft.alert)


def codes(loaded: LoadedAlert, severity: int = SEVERITY_ERROR) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in loaded.problems if problem.severity == severity]


def test_reads_what_a_file_says_and_nothing_else() -> None:
    loaded = load(
        originator="gb.alerts.example/agency/nca-ceop",
        handling={"codes": ["H2", "H1"], "retention_days": 30},
        leave_out=["appearance", "names"],
        on_request=[{"recipient": FRONT["recipients"][0], "field": "risk_level", "ground": "RISK_TO_CHILD"}],
        in_reply_to="ab" * 32,
        alert={"sex": "MALE", "companions": {"adults": 0}, "risk_narrative": "Words.", "birth": "1961-04?", "names": []},
    )
    assert loaded.problems == ()
    draft = loaded.draft
    assert draft.originator == "spiffe://gb.alerts.example/agency/nca-ceop"
    assert list(draft.handling.codes) == [2, 3]
    assert list(draft.handling.permitted_purposes) == [1]
    assert list(draft.unticked) == [2, 6]
    assert [(grant.field, grant.ground) for grant in draft.on_request] == [(24, 3)]
    assert draft.in_reply_to == bytes.fromhex("ab" * 32)
    assert draft.not_after == 1797897600000  # 22 December 2026, 00:00 UTC: the end of the thirtieth day
    alert = alert_of(loaded)
    assert {field.name for field, _ in alert.ListFields()} == {"sex", "companions", "risk_narrative", "birth"}
    assert alert.companions.HasField("adults")
    assert not alert.companions.HasField("minors")
    assert (alert.risk_narrative[0].language, alert.birth.date) == ("en", "1961-04?")


def test_yaml_scalars_are_not_guessed_at() -> None:
    text = "type: TravelAlert\nalert:\n  documents: [{number: 0123456, issuer: NOR}]\n  birth: 1961\n  sex: ~\n  national_reference: no\n"
    alert = alert_of(load_alert_file(text, name="a.yaml", today=TODAY))
    assert (alert.documents[0].number, alert.birth.date, alert.national_reference) == ("0123456", "1961", "no")
    assert not alert.HasField("sex")


def test_a_machine_readable_zone_fills_what_the_file_leaves_open() -> None:
    loaded = load(alert={"documents": [{"mrz": PASSPORT, "status": "EXPIRED"}], "birth": {"place": "Zenith"}})
    assert loaded.problems == ()
    alert = alert_of(loaded)
    document = alert.documents[0]
    assert (document.type, document.number, document.issuer, document.expires) == (1, "L898902C3", "UTO", "2012-04-15")
    assert (alert.primary_name.family, alert.primary_name.given, alert.primary_name.script) == ("ERIKSSON", "ANNA MARIA", "Latn")
    assert (alert.birth.date, alert.birth.place, alert.sex, alert.nationalities[0].country) == ("1974-08-12", "Zenith", 2, "UTO")


def test_the_holder_of_a_zone_is_whoever_has_the_documents() -> None:
    loaded = load(type="InformationRequest", alert={"subject": {"documents": [{"mrz": "\n".join(PASSPORT)}]}})
    subject = json.loads(json.dumps(to_json(loaded.draft.alert_type, loaded.draft.alert, ())))["alert"]["subject"]
    assert (subject["name"]["family"], subject["birth"]["date"]) == ("ERIKSSON", "1974-08-12")


def test_a_zone_that_contradicts_the_document_is_an_error_and_the_person_a_warning() -> None:
    loaded = load(
        alert={
            "documents": [{"mrz": PASSPORT, "number": "X1", "issuer": "GBR", "expires": "2013"}],
            "primary_name": {"family": "Other"},
            "birth": "1975",
            "sex": "MALE",
            "nationalities": ["GBR"],
        }
    )
    assert codes(loaded) == [(f"documents[0].{name}", "MRZ_CONTRADICTS") for name in ("number", "issuer", "expires")]
    assert codes(loaded, SEVERITY_WARNING) == [(name, "MRZ_DIFFERS") for name in ("primary_name", "birth", "sex", "nationalities")]


def test_a_less_precise_date_and_marks_on_letters_contradict_nothing() -> None:
    name = {"family": "Eriksson", "given": "Ánna"}
    loaded = load(alert={"documents": [{"mrz": PASSPORT, "expires": "2012"}], "birth": "1974-08?", "primary_name": name})
    assert loaded.problems == ()
    assert alert_of(loaded).birth.date == "1974-08?"


def test_a_known_port_fills_name_country_and_zone() -> None:
    leg = alert_of(load(alert={"itinerary": [{"departure_port": "LHR", "departure": "2027-03-04T11:30"}]})).itinerary[0]
    assert (leg.departure_port.country, leg.departure.zone) == ("GBR", "Europe/London")
    assert "Heathrow" in leg.departure_port.name


@pytest.mark.parametrize(
    ("name", "script"),
    [("សុខ", "Khmr"), ("สมชาย", "Thai"), ("Nguyễn", "Latn"), ("ພົມ", "Laoo"), ("ကျော်", "Mymr"), ("陳", "Hani"), ("Kim 김", "")],
)
def test_the_letters_say_the_script(name: str, script: str) -> None:
    assert alert_of(load(alert={"names": [name]})).names[0].script == script


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "Nothing"}, "type", "TYPE_UNKNOWN"),
    ({"type": None}, "type", "TYPE_MISSING"),
    ({"purpose": "FUN"}, "purpose", "ENUM_UNKNOWN"),
    ({"not_after": "P0D"}, "not_after", "INSTANT_SYNTAX"),
    ({"not_after": "2027-01-01T00:00"}, "not_after", "INSTANT_ZONE"),
    ({"not_after": []} | {"type": "Refusal", "not_after": "P1D"}, "not_after", "NOT_AFTER_CONTROL"),
    ({"recipients": ["kh.alerts.example/node"]}, "recipients[0]", "AGENCY_MALFORMED"),
    ({"recipients": ["kh/gdi"]}, "recipients[0]", "AGENCY_MALFORMED"),
    ({"recipients": FRONT["recipients"] * 2}, "recipients[1]", "RECIPIENT_TWICE"),
    ({"originator": "x"}, "originator", "AGENCY_MALFORMED"),
    ({"handling": {"permitted_purposes": ["DETECTION"]}}, "handling.permitted_purposes", "HANDLING_PURPOSE"),
    ({"handling": {"codes": ["H9"]}}, "handling.codes[0]", "ENUM_UNKNOWN"),
    ({"handling": {"retention_days": 99999}}, "handling.retention_days", "SCHEMA_UINT32_LTE"),
    ({"leave_out": ["nothing"]}, "leave_out[0]", "FIELD_UNKNOWN"),
    ({"on_request": ["x"]}, "on_request[0]", "MAPPING_EXPECTED"),
    ({"on_request": [{"recipient": "kh.alerts.example/agency/gdi", "field": "x"}]}, "on_request[0].field", "FIELD_UNKNOWN"),
    ({"on_request": [{"recipient": "kh.alerts.example/agency/gdi", "field": "x"}]}, "on_request[0].ground", "ENUM_UNKNOWN"),
    ({"thread": "abcd"}, "thread", "DIGEST_MALFORMED"),
    ({"supersedes": ["zz"]}, "supersedes[0]", "DIGEST_MALFORMED"),
    ({"not_disclosed": ["birth"]}, "not_disclosed", "NOT_DISCLOSED"),
    ({"subject": 1}, "subject", "FIELD_UNKNOWN"),
]
BAD_ALERTS: list[tuple[dict[str, Any], str, str]] = [
    ({"brith": "1961"}, "brith", "FIELD_UNKNOWN"),
    ({"Some Name": "1961"}, "?", "FIELD_UNKNOWN"),
    ({"sex": "male"}, "sex", "ENUM_UNKNOWN"),
    ({"sex": "UNSPECIFIED"}, "sex", "ENUM_UNKNOWN"),
    ({"sex": ["MALE"]}, "sex", "LIST_UNEXPECTED"),
    ({"birth": "12/04/1961"}, "birth.date", "EDTF_ORDER"),
    ({"birth": "1961-02-30"}, "birth.date", "EDTF_NO_SUCH_DAY"),
    ({"birth": {"country": "GB"}}, "birth.country", "COUNTRY_UNKNOWN"),
    ({"nationalities": ["ZZZ"]}, "nationalities[0].country", "COUNTRY_UNKNOWN"),
    ({"nationalities": ["GBR", "XPO"]}, "nationalities[1].country", "COUNTRY_ORGANISATION"),
    ({"names": [{"family": "Sok", "given": "ដារ៉ា"}]}, "names[0]", "NAME_SCRIPT_MIXED"),
    ({"names": [{"family": "សុខ", "script": "Latn"}]}, "names[0].script", "NAME_SCRIPT"),
    ({"names": [{"kind": "ALIAS"}]}, "names[0]", "NAME_EMPTY"),
    ({"names": [{}]}, "names[0]", "ITEM_EMPTY"),
    ({"cautions": ["ARMED", ""]}, "cautions[1]", "ITEM_EMPTY"),
    ({"companions": {"adults": -1}}, "companions.adults", "NUMBER_EXPECTED"),
    ({"companions": {"adults": 1.5}}, "companions.adults", "NUMBER_EXPECTED"),
    ({"companions": {"adults": 5000000000}}, "companions.adults", "NUMBER_EXPECTED"),
    ({"companions": {"adults": 1001}}, "companions.adults", "SCHEMA_UINT32_LTE"),
    ({"companions": "two"}, "companions", "MAPPING_EXPECTED"),
    ({"covert_operation": "maybe"}, "covert_operation", "BOOL_EXPECTED"),
    ({"national_reference": {"a": "b"}}, "national_reference", "TEXT_EXPECTED"),
    ({"national_reference": "x" * 81}, "national_reference", "SCHEMA_STRING_MAX_LEN"),
    ({"national_reference": "a\x1b[2J"}, "national_reference", "TEXT_CONTROL"),
    ({"national_reference": "a\u202eb"}, "national_reference", "TEXT_CONTROL"),
    ({"risk_narrative": "x" * 1001}, "risk_narrative[0]", "SCHEMA_RISK_NARRATIVE_LENGTH"),
    ({"risk_narrative": [{"language": "english!", "text": "x"}]}, "risk_narrative[0].language", "LANGUAGE_SYNTAX"),
    ({"facial_image": {"digest": "xyz"}}, "facial_image.digest", "HEX_EXPECTED"),
    ({"facial_image": {"digest": "abcd"}}, "facial_image.digest", "SCHEMA_BYTES_LEN"),
    ({"deadlines": {"feed_back_by": "tomorrow"}}, "deadlines.feed_back_by", "INSTANT_SYNTAX"),
    ({"convictions": [{"month": "2014-13"}]}, "convictions[0].month", "MONTH_SYNTAX"),
    ({"itinerary": [{"departure": "2027-03-28T01:30 Europe/London"}]}, "itinerary[0].departure.local", "LOCAL_TIME_SKIPPED"),
    ({"itinerary": [{"departure": "2027-03-28T01:30 Mars/Base"}]}, "itinerary[0].departure.zone", "LOCAL_TIME_ZONE"),
    ({"itinerary": [{"departure": "2027-02-30 Asia/Bangkok"}]}, "itinerary[0].departure.local", "LOCAL_TIME_NO_SUCH_DAY"),
    ({"itinerary": [{"departure": "2027-03-28T01:30"}]}, "itinerary[0].departure.zone", "LOCAL_TIME_ZONE"),
    ({"itinerary": [{"arrival_port": "phnom"}]}, "itinerary[0].arrival_port.code", "PORT_SYNTAX"),
    ({"documents": [{"mrz": [PASSPORT[0], PASSPORT[1].replace("L", "M", 1)]}]}, "documents[0].mrz", "MRZ_CHECK_NUMBER"),
    ({"documents": [{"mrz": {"a": "b"}}]}, "documents[0].mrz", "MRZ_LINES"),
    ({"documents": [{"type": "VISA"}]}, "documents[0].number", "SCHEMA_STRING_MIN_LEN"),
    ({"cautions": ["ARMED"] * 17}, "cautions", "SCHEMA_REPEATED_MAX_ITEMS"),
]


@pytest.mark.parametrize(("keys", "path", "code"), BAD, ids=[f"{code}-{path}" for _, path, code in BAD])
def test_a_wrong_envelope_is_told_by_path_and_code(keys: dict[str, Any], path: str, code: str) -> None:
    assert (path, code) in codes(load(**keys))


@pytest.mark.parametrize(("alert", "path", "code"), BAD_ALERTS, ids=[f"{code}-{path}" for _, path, code in BAD_ALERTS])
def test_a_wrong_alert_is_told_by_path_and_code(alert: dict[str, Any], path: str, code: str) -> None:
    loaded = load(alert=alert)
    assert (path, code) in codes(loaded)
    assert all(problem.message and problem.remedy for problem in loaded.problems)
    assert loaded.refused


def test_everything_is_told_at_once_and_paths_count_right_past_what_cannot_be_read() -> None:
    alerts = [alert for alert, _, _ in BAD_ALERTS if list(alert) in (["sex"], ["birth"], ["companions"], ["covert_operation"])]
    joined = {key: value for alert in alerts for key, value in alert.items()}
    names = {"names": [{"as_written": "Sok", "kind": "NOTHING"}, {"family": "Sok", "given": "ដារ៉ា"}]}
    found = {path for path, _ in codes(load(alert=joined | names))}
    assert found == {"sex", "birth.country", "companions", "covert_operation", "names[0].kind", "names[1]"}


def test_a_flood_of_problems_is_cut_short_and_still_refused() -> None:
    loaded = load(alert={"documents": [{"mrz": PASSPORT, "status": "EXPIRED"}], "itinerary": [{"arrival_port": "QZQ"}] * 2000})
    assert len(loaded.problems) < 600
    assert loaded.refused
    assert ("", "PROBLEMS_TOO_MANY") in codes(loaded)


def test_text_without_a_language_is_told_once() -> None:
    assert codes(load(language=None, alert={"risk_narrative": "Words."})) == [("risk_narrative[0].language", "TEXT_LANGUAGE")]


@pytest.mark.parametrize(
    ("alert", "path", "code"),
    [
        ({"itinerary": [{"arrival_port": {"code": "QZQ"}}]}, "itinerary[0].arrival_port.code", "PORT_UNKNOWN"),
        ({"itinerary": [{"arrival_port": {"code": "KHBVT"}}]}, "itinerary[0].arrival_port.code", "PORT_UNLISTED"),
        ({"itinerary": [{"arrival_port": {"code": "KTI", "country": "THA"}}]}, "itinerary[0].arrival_port.country", "PORT_COUNTRY"),
        ({"itinerary": [{"arrival_port": "KTI", "arrival": "2027-03-04T10:00 Asia/Tokyo"}]}, "itinerary[0].arrival.zone", "ZONE_OF_PORT"),
        ({"itinerary": [{"departure_port": "LHR", "arrival_port": "LHR"}]}, "itinerary[0].arrival_port.code", "LEG_NOWHERE"),
        ({"itinerary": [{"departure": "2027-10-31T01:30 Europe/London"}]}, "itinerary[0].departure.local", "LOCAL_TIME_TWICE"),
    ],
)
def test_what_is_only_doubtful_is_a_warning(alert: dict[str, Any], path: str, code: str) -> None:
    loaded = load(alert=alert)
    assert codes(loaded, SEVERITY_WARNING) == [(path, code)]
    assert not loaded.refused


def test_a_time_at_a_port_that_is_none_yet_lacks_no_zone_of_its_own() -> None:
    loaded = load(alert={"itinerary": [{"departure_port": "London", "departure": "2027-03-04T21:30", "arrival": "2027-03-05T10:00"}]})
    assert codes(loaded) == [("itinerary[0].departure_port.code", "PORT_SYNTAX"), ("itinerary[0].arrival.zone", "LOCAL_TIME_ZONE")]


def test_a_zone_of_another_name_and_the_same_clock_is_no_doubt() -> None:
    leg = {"arrival_port": "KTI", "arrival": "2027-03-04T10:00 Asia/Bangkok"}
    assert load(alert={"itinerary": [leg]}).problems == ()


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("a: &x 1\nb: *x", "a.yaml", "DOCUMENT_ANCHOR"),
        ("a: !!python/object/apply:os.system [x]", "a.yaml", "DOCUMENT_TAG"),
        ("a: 1\na: 2", "a.yaml", "DOCUMENT_DUPLICATE_KEY"),
        ('{"a": 1, "a": 2}', "a.json", "DOCUMENT_DUPLICATE_KEY"),
        ("a: [", "a.yaml", "DOCUMENT_SYNTAX"),
        ('{"a": }', "a.json", "DOCUMENT_SYNTAX"),
        ('{"a": NaN}', "a.json", "DOCUMENT_SYNTAX"),
        ("a: " + "[" * 17 + "]" * 17, "a.yaml", "DOCUMENT_DEPTH"),
        ("[" * 200_000, "a.json", "DOCUMENT_DEPTH"),
        ("[" * 200_000, "a.yaml", "DOCUMENT_DEPTH"),
        ("a: 1\n---\nb: 2", "a.yaml", "DOCUMENT_MANY"),
        ("", "a.yaml", "DOCUMENT_MANY"),
        ("[a, b]: c", "a.yaml", "DOCUMENT_KEY"),
        ("x" * (MAX_BYTES + 1), "a.yaml", "DOCUMENT_SIZE"),
        ("a: \ud800", "a.yaml", "DOCUMENT_ENCODING"),
        ("a: \x07", "a.yaml", "DOCUMENT_ENCODING"),
        ("- a", "a.yaml", "DOCUMENT_MAPPING"),
    ],
)
def test_a_hostile_or_broken_document_is_one_problem(text: str, name: str, code: str) -> None:
    loaded = load_alert_file(text, name=name, today=TODAY)
    assert [problem.code for problem in loaded.problems] == [code]
    assert loaded.draft.ByteSize() == 0


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from leaves(inner, (*path, key))
    else:
        yield path


def sample(path: Path) -> dict[str, Any]:
    text = path.read_text("utf-8")
    document = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 -- texts only
    return dict(document)


@settings(deadline=None)  # the first look at a port reads a table
@given(data=st.data(), shape=st.sampled_from(["{}", "{}-13-45", "spiffe://{}", "a: {}", "P<{}", "{}T10:00 Asia/Tokyo"]))
def test_no_problem_ever_repeats_a_value(data: st.DataObject, shape: str) -> None:
    document = sample(data.draw(st.sampled_from(SAMPLES)))
    path = data.draw(st.sampled_from(list(leaves(document))))
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = shape.format("Canary77")
    loaded = load_alert_file(json.dumps(document), name="a.json", today=TODAY)
    problems = (*loaded.problems, *check_draft(loaded.draft, NOW_MS))
    assert not any("canary77" in str(problem).lower() for problem in problems)


@settings(deadline=None)  # the first look at a port reads a table
@given(data=st.data())
def test_any_subset_of_fields_comes_back_from_json_as_the_same_bytes(data: st.DataObject) -> None:
    document = sample(data.draw(st.sampled_from(SAMPLES)))
    whole = load_alert_file(json.dumps(document), name="a.json", today=TODAY).draft
    fields = to_json(whole.alert_type, whole.alert, ())["alert"]
    assert isinstance(fields, dict)
    kept = data.draw(st.sets(st.sampled_from(sorted(fields))))
    document["alert"] = {name: value for name, value in fields.items() if name in kept}
    first = load_alert_file(json.dumps(document), name="a.json", today=TODAY)
    assert not first.refused
    view = to_json(first.draft.alert_type, first.draft.alert, ())
    again = load_alert_file(json.dumps(document | view), name="a.json", today=TODAY)
    assert not again.refused
    assert again.draft == first.draft


def test_every_alert_type_is_read_by_its_descriptor_alone() -> None:
    for name in ("Acknowledgement", "Withdrawal", "OnwardDecision", "TipStatus", "ProsecutionCoordination"):
        kind = alert_type(f"exchange.v1.{name}")
        descriptor: Any = kind.message.DESCRIPTOR
        enums = {
            field.name: field.enum_type.values[1].name
            for field in descriptor.fields
            if field.type == FieldDescriptor.TYPE_ENUM and not field.is_repeated
        }
        instants = {f.name: "2027-01-01T00:00Z" for f in descriptor.fields if f.type == FieldDescriptor.TYPE_INT64}
        loaded = load(type=name, not_after=None, alert=enums | instants)
        assert loaded.problems == ()
        read = {field.name for field, _ in kind.message.FromString(loaded.draft.alert).ListFields()}
        assert read == set(enums) | set(instants)
