"""What is decided of a tip without any office: its states and clocks, where it goes, how complete it is, what it becomes, the plan."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import Conflict, Malformed, NotFound
from exchange.v1 import tip_pb2
from exchange.v1.information_pb2 import URGENCY_NORMAL, URGENCY_URGENT, InformationRequest
from exchange.v1.people_pb2 import CERTAINTY_ASSESSMENT
from exchange.v1.subject_warning_pb2 import SubjectWarning
from exchange.v1.tip_pb2 import Tip, TipState
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.intake.plain_document import read_document
from node.keys.node_directory import example_plan, write_node_directory
from node.tips.completeness import QUESTIONS, completeness
from node.tips.conversion import convert
from node.tips.form import read_form
from node.tips.plan import read_tip_plan
from node.tips.routing import REASONS, may_be_in_danger, proposed, route
from node.tips.states import AFTER, DRAFT, WAITING, check_step, is_late
from tests.countries import HOUR
from tests.refusals import refused
from tests.tips import EMERGENCY, GB_POLICE, HELPLINE, KH_BORDER, KH_POLICE, NGO_ID, body, calm, content, plan

ROOT = Path(__file__).parents[2]
STATES = [number for number in TipState.values() if number]
ALLOWED = {
    ("RECEIVED", "UNDER_ASSESSMENT"),
    ("UNDER_ASSESSMENT", "ACTED_UPON"),
    ("UNDER_ASSESSMENT", "REFERRED"),
    ("UNDER_ASSESSMENT", "CLOSED"),
    ("REFERRED", "UNDER_ASSESSMENT"),
    ("ACTED_UPON", "UNDER_ASSESSMENT"),
    ("ACTED_UPON", "CLOSED"),
}


def read(tip: dict[str, Any]) -> Tip:
    form = read_form(body(tip), organisation="Hotline", today=date(2026, 5, 28))
    assert form.problems == ()
    return form.tip


# -- states and clocks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("now", "wanted"), list(product([DRAFT, *STATES], repeat=2)))
def test_the_steps_are_exactly_these(now: int, wanted: int) -> None:
    names = tuple(TipState.Name(TipState.ValueType(state)).removeprefix("TIP_STATE_") for state in (now, wanted))
    if names in ALLOWED:
        assert check_step(now, wanted) == wanted
    else:
        with refused(Conflict, "TIP_STATE"):
            check_step(now, wanted)


def test_every_state_but_the_draft_has_its_steps() -> None:
    assert sorted(AFTER) == sorted(STATES)


@pytest.mark.parametrize(
    ("state", "looked_at", "now", "late"),
    [
        (tip_pb2.TIP_STATE_RECEIVED, 0, HOUR, False),
        (tip_pb2.TIP_STATE_RECEIVED, 0, HOUR + 1, True),
        (tip_pb2.TIP_STATE_REFERRED, 0, HOUR + 1, True),
        (tip_pb2.TIP_STATE_UNDER_ASSESSMENT, HOUR, 9 * HOUR, False),
        (tip_pb2.TIP_STATE_CLOSED, HOUR + 1, 9 * HOUR, True),
        (tip_pb2.TIP_STATE_UNDER_ASSESSMENT, 0, 9 * HOUR, False),
        (DRAFT, 0, 9 * HOUR, False),
    ],
)
def test_late_is_what_came_or_waits_after_its_time(state: int, looked_at: int, now: int, *, late: bool) -> None:
    assert is_late(state, look_by=HOUR, looked_at=looked_at, now=now) is late


def test_whoever_waits_has_not_been_looked_at() -> None:
    assert {tip_pb2.TIP_STATE_RECEIVED, tip_pb2.TIP_STATE_REFERRED} == WAITING


# -- where it goes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "danger"),
    [
        ({"immediate_danger": {"present": True}}, True),
        ({"immediate_danger": {"present": False}, "child": {"count": 3}, "concerns": ["SEXUAL_CONTACT"]}, False),
        ({"immediate_danger": None, "concerns": None}, True),  # a child was seen, and nobody said that all is well
        ({"immediate_danger": None, "concerns": None, "child": {"age_bands": ["UNDER_6"]}}, True),
        ({"immediate_danger": None, "concerns": None, "child": {"age_uncertain": True}}, False),
        ({"immediate_danger": None, "concerns": None, "child": {"count": 0}}, False),
        *(
            ({"immediate_danger": None, "child": None, "concerns": [code]}, True)
            for code in ("SEXUAL_CONTACT", "GROOMING", "ALONE_WITH_CHILDREN", "LIVE_STREAMING")
        ),
        *(
            ({"immediate_danger": None, "child": None, "concerns": [code]}, False)
            for code in ("GIFTS_OR_MONEY", "PHOTOGRAPHING_CHILDREN", "UNVETTED_WORK_WITH_CHILDREN")
        ),
    ],
)
def test_what_is_left_open_calms_nobody(changes: dict[str, Any], *, danger: bool) -> None:
    assert may_be_in_danger(read(content(**changes))) is danger


@pytest.mark.parametrize(
    ("area", "agency", "reason"),
    [
        ({"province": "siem  reap"}, KH_BORDER, "LOCAL_DESK"),
        ({"code": "KH-17"}, KH_BORDER, "LOCAL_DESK"),
        ({"code": "KH-17-03"}, KH_BORDER, "LOCAL_DESK"),
        ({"province": "Kampot"}, KH_POLICE, "NO_LOCAL_DESK"),
        ({"commune": "somewhere"}, KH_POLICE, "PLACE_UNKNOWN"),
        (None, KH_POLICE, "PLACE_UNKNOWN"),
    ],
)
def test_the_local_desk_is_first_where_one_is_known(area: dict[str, str] | None, agency: str, reason: str) -> None:
    found = route(read(content(place={"area": area} if area else None)), plan())
    assert (found.agency, found.danger, found.reasons[:2]) == (agency, True, ("CHILD_MAY_BE_IN_DANGER", reason))


@pytest.mark.parametrize(
    ("countries", "reason", "told"),
    [
        ([], "NATIONALITY_UNKNOWN", []),
        (["XXX"], "NATIONALITY_UNKNOWN", []),
        (["GBR", "GBR"], "COUNTRY_PROPOSED", [GB_POLICE]),
        (["FRA"], "COUNTRY_NOT_PARTNER", []),
        (["FRA", "GBR"], "COUNTRY_PROPOSED", [GB_POLICE]),
    ],
)
def test_the_suspects_country_is_proposed_and_no_more(countries: list[str], reason: str, told: list[str]) -> None:
    tip = read(calm(suspects=[{"occupation": "x", "apparent_nationalities": [{"country": code} for code in countries]}]))
    found = route(tip, plan())
    assert (found.agency, found.danger, found.reasons) == (KH_POLICE, False, ("NO_DANGER_KNOWN", reason))
    assert proposed(tip, plan()) == told


def test_every_reason_has_its_words() -> None:
    source = (ROOT / "node/tips/routing.py").read_text("utf-8")
    assert all(source.count(f'"{code}"') >= 2 or code == "REFERRED" for code in REASONS)


# -- how complete ----------------------------------------------------------------------------------------------------


def test_the_score_adds_up() -> None:
    assert sum(question.weight for question in QUESTIONS) == 100
    assert completeness(Tip()).score == 0
    assert completeness(read(content())) == replace(completeness(read(content())), score=100, missing=())


@given(st.sets(st.sampled_from(list(content()))))
def test_more_never_scores_less(names: set[str]) -> None:
    whole = completeness(read(content()))
    part = completeness(read({name: value for name, value in content().items() if name in names}))
    assert part.score <= whole.score
    assert part.score + sum(question.weight for question in part.missing) == 100


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("immediate_danger.present", {"immediate_danger": {"present": False}}),
        ("place.area", {"place": {"area": {"code": "KH-17"}}}),
        ("suspects.description", {"suspects": [{"description": "x"}]}),
        ("concerns", {"concerns": ["GROOMING"]}),
        ("observed", {"observed": "2026"}),
        ("suspects.apparent_nationalities", {"suspects": [{"apparent_nationalities": ["GBR"]}]}),
        ("child", {"child": {"count": 0}}),
        ("place.premises", {"place": {"premises": "BAR"}}),
        ("evidence_custodian", {"evidence_custodian": "x"}),
    ],
)
def test_each_answer_counts_once(field: str, known: dict[str, Any]) -> None:
    (question,) = [one for one in QUESTIONS if one.field == field]
    scored = completeness(read(known))
    assert scored.score == question.weight
    assert question not in scored.missing


# -- what it becomes -------------------------------------------------------------------------------------------------


def test_a_tip_goes_on_as_it_is() -> None:
    tip = read(content())
    assert convert(tip, "exchange.v1.Tip", 0) == tip


def test_a_request_asks_urgently_where_a_child_is_at_risk() -> None:
    made = convert(read(content()), "exchange.v1.InformationRequest", 0)
    assert isinstance(made, InformationRequest)
    assert (made.urgency, list(made.urgency_grounds)) == (URGENCY_URGENT, [2])
    assert made.subject.name.as_written
    assert [one.country for one in made.subject.nationalities] == ["GBR"]
    quiet = convert(read(calm()), "exchange.v1.InformationRequest", 0)
    assert isinstance(quiet, InformationRequest)
    assert (quiet.urgency, list(quiet.urgency_grounds)) == (URGENCY_NORMAL, [])


def test_a_warning_is_an_assessment_and_of_the_suspect_that_is_meant() -> None:
    people = [{"names_as_heard": ["One", "Uno"], "description": "x", "occupation": "cook"}, {"names_as_heard": ["Two"]}]
    grading = [{"source": "C", "information": "3", "certainty": "FACT"}, {"field": "suspects", "source": "A"}]
    tip = read(content(suspects=people, grading=grading))
    first, second = convert(tip, "exchange.v1.SubjectWarning", 0), convert(tip, "exchange.v1.SubjectWarning", 1)
    assert isinstance(first, SubjectWarning)
    assert isinstance(second, SubjectWarning)
    assert (first.primary_name.as_written, [one.as_written for one in first.names]) == ("One", ["Uno"])
    assert (first.risk_narrative[0].text, first.modus_operandi.cover_occupation) == ("x", "cook")
    assert second.primary_name.as_written == "Two"
    assert [(one.source, one.certainty, one.field) for one in first.grading] == [(3, CERTAINTY_ASSESSMENT, "")]
    with refused(NotFound, "SUSPECT_UNKNOWN"):
        convert(tip, "exchange.v1.SubjectWarning", 2)


def test_a_travel_alert_names_the_area_and_an_empty_tip_still_becomes_a_draft() -> None:
    made = convert(read(content()), "exchange.v1.TravelAlert", 0)
    assert isinstance(made, TravelAlert)
    assert made.destination_area.province == "Siem Reap"
    bare = convert(Tip(), "exchange.v1.TravelAlert", 0)
    assert isinstance(bare, TravelAlert)
    assert not bare.HasField("destination_area")
    with refused(Malformed, "CONVERT_TYPE"):
        convert(Tip(), "exchange.v1.Withdrawal", 0)


# -- the plan --------------------------------------------------------------------------------------------------------

PLAN = f"""
national_desk = "{KH_POLICE}"
danger_minutes = 30
keep_days = 60
[[ngos]]
id = "{NGO_ID}"
name = "Hotline"
[[desks]]
provinces = ["Siem Reap", "KH-17"]
agency = "{KH_BORDER}"
[[countries]]
code = "GBR"
agency = "{GB_POLICE}"
[[contacts]]
name = "Emergency police"
channel = "117"
"""


def test_a_plan_is_read() -> None:
    made = read_tip_plan(PLAN, "kh.alerts.example")
    assert made.ngos == {NGO_ID: "Hotline"}
    assert made.desks == {"siemreap": KH_BORDER, "kh-17": KH_BORDER}
    assert made.countries == {"GBR": GB_POLICE}
    assert (made.national_desk, made.contacts) == (KH_POLICE, (EMERGENCY,))
    assert (made.danger_minutes, made.look_minutes, made.keep_days, made.draft_days) == (30, 1440, 60, 14)
    assert plan().call_now(frozenset({"siemreap"})) == [HELPLINE, EMERGENCY]
    assert plan().call_now(frozenset()) == [EMERGENCY]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("national_desk", "[", "not TOML"),
        ("danger_minutes", "dangerous_minutes", "unknown key dangerous_minutes"),
        ("danger_minutes = 30", "danger_minutes = 0", "danger_minutes"),
        ("danger_minutes = 30", "danger_minutes = true", "danger_minutes"),
        ("keep_days = 60", 'keep_days = "60"', "keep_days"),
        (KH_POLICE, GB_POLICE, "national_desk"),
        (f'national_desk = "{KH_POLICE}"', "", "national_desk"),
        (NGO_ID, NGO_ID.replace("/ngo/", "/officer/"), "ngos.id"),
        (NGO_ID, NGO_ID.replace("kh.", "vn."), "ngos.id"),
        (NGO_ID, "nonsense", "ngos.id"),
        (KH_BORDER, GB_POLICE, "desks.agency"),
        (GB_POLICE, KH_POLICE, "countries.agency"),
        ('code = "GBR"', 'code = "GB"', "countries.code"),
        ('["Siem Reap", "KH-17"]', "[]", "desks.provinces"),
        ('["Siem Reap", "KH-17"]', "[1]", "desks.provinces"),
        ('name = "Hotline"', 'name = ""', "ngos.name"),
        ('name = "Hotline"', f'name = "{"x" * 201}"', "ngos.name"),
        ('name = "Hotline"', 'nam = "Hotline"', "ngos: each has"),
        ('channel = "117"', 'channel = "117"\nprovinces = ["Siem Reap"]', "contacts: nobody to call everywhere"),
        ("[[countries]]", "[countries]", "countries: must be tables"),
    ],
)
def test_a_plan_that_is_wrong_says_where(old: str, new: str, said: str) -> None:
    assert old in PLAN
    with refused(Malformed, "TIP_PLAN") as error:
        read_tip_plan(PLAN.replace(old, new, 1), "kh.alerts.example")
    assert said in str(error.value)
    assert "gb.alerts" not in str(error.value)


def test_the_plan_that_a_new_node_gets_can_be_read(tmp_path: Path) -> None:
    for country in ("GB", "KH"):
        made = example_plan(country)
        now = datetime.now(UTC)
        write_node_directory(made, tmp_path / country, now=now, vault_key=bytes(32), port=7443)
        read = read_tip_plan((tmp_path / country / "ngos/plan.toml").read_text("utf-8"), made.trust_domain)
        assert [party.rpartition("/")[2] for party in read.ngos] == list(made.ngos)


def test_the_sample_is_whole() -> None:
    text = (ROOT / "samples/tips/siem-reap.yaml").read_text("utf-8")
    form = read_form(json.dumps(read_document(text, name="tip.yaml")).encode(), organisation="x", today=date(2026, 11, 22))
    assert form.problems == ()
    assert form.contact is not None
    assert (completeness(form.tip).score, route(form.tip, plan()).agency) == (100, KH_BORDER)
