import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import Malformed
from exchange.profile import alert_types
from exchange.v1.desk_service_pb2 import SEVERITY_ERROR, SEVERITY_WARNING, Draft, OnRequestGrant
from exchange.v1.handling_pb2 import HANDLING_CODE_H1
from exchange.v1.hit_report_pb2 import HIT_OUTCOME_CANNOT_EXECUTE, HIT_OUTCOME_CONFIRMED, HIT_OUTCOME_NOT_THIS_PERSON, HitReport
from exchange.v1.tip_pb2 import ChildIndication, Tip
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.intake.alert_file import load_alert_file
from node.intake.completeness import check_alert, check_draft
from node.intake.problems import error, merge

NOW_MS = 1_795_000_000_000  # 18 November 2026
TODAY = date(2026, 11, 18)
SAMPLE = Path(__file__).parents[2] / "samples" / "travel-alert-gb-kh.yaml"
LEG = {"departure_port": "LHR", "departure": "2027-03-04T11:30", "arrival_port": "KTI", "arrival": "2027-03-05T09:00"}
FRONT = {
    "type": "TravelAlert",
    "language": "en",
    "recipients": ["kh.alerts.example/agency/gdi"],
    "purpose": "PREVENTION",
    "not_after": "P300D",
}
ENOUGH: dict[str, Any] = {
    "primary_name": "Sok Dara",
    "itinerary": [LEG],
    "requested_action": "MONITOR",
    "contact_desk": {"unit": "Desk", "channel": "desk@example"},
}


def drafted(alert: dict[str, Any], **front: Any) -> Draft:
    loaded = load_alert_file(json.dumps(FRONT | front | {"alert": alert}), name="a.json", today=TODAY)
    assert not loaded.refused, loaded.problems
    return loaded.draft


def found(draft: Draft, severity: int = SEVERITY_ERROR) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in check_draft(draft, NOW_MS) if problem.severity == severity]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in ENOUGH.items() if name not in names}


def test_enough_is_enough() -> None:
    assert check_draft(drafted(ENOUGH), NOW_MS) == ()


def test_the_demo_alert_is_complete() -> None:
    loaded = load_alert_file(SAMPLE.read_text("utf-8"), name=SAMPLE.name, today=TODAY)
    assert check_draft(loaded.draft, NOW_MS) == ()


@pytest.mark.parametrize("name", ["primary_name", "requested_action", "contact_desk", "itinerary"])
def test_what_a_travel_alert_needs(name: str) -> None:
    assert found(drafted(without(name))) == [(name, "FIELD_MISSING")]


def test_an_area_will_do_for_an_itinerary() -> None:
    assert found(drafted(without("itinerary") | {"destination_area": {"country": "KHM"}})) == []


def test_every_need_of_an_empty_alert_is_told_at_once_for_every_type() -> None:
    for kind in alert_types().values():
        missing = {problem.field for problem in check_alert(kind.name, kind.message(), NOW_MS)}
        if kind.control:
            assert missing == {"manifest_digest", "reason"} & {field.name for field in kind.fields}
        else:
            assert {field.name for field in kind.fields if "R" in field.default_marks} <= missing


def test_nothing_about_a_child_is_ever_needed() -> None:
    for name, field in (("Tip", "child"), ("HitReport", "child"), ("TravelAlert", "safeguarding_request")):
        kind = alert_types()[f"exchange.v1.{name}"]
        assert field in {known.name for known in kind.fields}
        assert not any(problem.field.startswith(field) for problem in check_alert(kind.name, kind.message(), NOW_MS))
    tip = Tip(child=ChildIndication(age_uncertain=True))
    assert not any(problem.field.startswith("child") for problem in check_alert("exchange.v1.Tip", tip, NOW_MS))


@pytest.mark.parametrize(
    ("alert", "path", "code"),
    [
        ({"itinerary": [LEG | {"arrival": "2027-03-04T12:00"}]}, "itinerary[0].arrival", "LEG_BACKWARDS"),
        ({"birth": "2030"}, "birth.date", "BIRTH_FUTURE"),
        (
            {"documents": [{"number": "1", "issuer": "GBR", "issued": "2020", "expires": "2019-12"}]},
            "documents[0].expires",
            "DOCUMENT_BACKWARDS",
        ),
        ({"grading": [{"field": "nothing", "source": "A"}]}, "grading[0].field", "GRADING_FIELD"),
    ],
)
def test_what_cannot_be_is_an_error(alert: dict[str, Any], path: str, code: str) -> None:
    assert found(drafted(ENOUGH | alert)) == [(path, code)]


@pytest.mark.parametrize(
    ("alert", "path", "code"),
    [
        ({"risk_level": {"band": "HIGH"}}, "risk_level", "GRADING_MISSING"),
        ({"birth": "2024"}, "birth.date", "BIRTH_UNLIKELY"),
        ({"birth": "18XX"}, "birth.date", "BIRTH_UNLIKELY"),
        (
            {"documents": [{"number": "1", "issuer": "GBR", "expires": "2026-11-17"}]},
            "documents[0].expires",
            "DOCUMENT_EXPIRED",
        ),
        ({"deadlines": {"acknowledge_by": "2026-11-01T00:00Z"}}, "deadlines.acknowledge_by", "DEADLINE_OVER"),
        (
            {"deadlines": {"acknowledge_by": "2027-02-01T00:00Z", "feed_back_by": "2027-01-01T00:00Z"}},
            "deadlines.feed_back_by",
            "DEADLINES_OUT_OF_ORDER",
        ),
        (
            {"itinerary": [LEG, {"departure_port": "KTI", "departure": "2027-03-05T08:00"}]},
            "itinerary[1].departure",
            "LEGS_OUT_OF_ORDER",
        ),
        ({"itinerary": [LEG | {"earliest_departure": "2027-03-04T12:00"}]}, "itinerary[0].earliest_departure", "LEG_TOO_EARLY"),
        ({"itinerary": [{"departure_port": "LHR", "departure": "2025-03-04"}]}, "itinerary", "JOURNEY_OVER"),
        ({"itinerary": [{"mode": "AIR"}]}, "itinerary[0]", "LEG_WITHOUT_PORT"),
    ],
)
def test_what_is_unlikely_is_a_warning(alert: dict[str, Any], path: str, code: str) -> None:
    draft = drafted(ENOUGH | alert)
    assert found(draft, SEVERITY_WARNING) == [(path, code)]
    assert found(draft) == []


def test_a_day_without_a_time_is_not_before_itself_across_a_zone() -> None:
    leg = LEG | {"departure": "2027-03-04", "arrival": "2027-03-04"}
    assert check_draft(drafted(ENOUGH | {"itinerary": [leg]}), NOW_MS) == ()


@pytest.mark.parametrize("grading", [{"source": "A"}, {"field": "risk_level", "source": "B"}])
def test_a_grading_of_the_field_or_of_the_whole_answers_the_warning(grading: dict[str, str]) -> None:
    assert check_draft(drafted(ENOUGH | {"risk_level": {"band": "HIGH"}, "grading": [grading]}), NOW_MS) == ()


def test_the_envelope() -> None:
    draft = drafted(ENOUGH)
    assert found(drafted(ENOUGH, not_after="2026-11-01T00:00Z")) == [("not_after", "NOT_AFTER_OVER")]
    assert found(drafted(ENOUGH, not_after=None, purpose=None)) == [("purpose", "FIELD_MISSING"), ("not_after", "FIELD_MISSING")]
    assert found(drafted(ENOUGH, not_after="P2D"), SEVERITY_WARNING) == [("not_after", "NOT_AFTER_EARLY")]
    assert found(drafted(ENOUGH, recipients=[]), SEVERITY_WARNING) == [("recipients", "RECIPIENTS_NONE")]
    draft.recipients.append("spiffe://kh.alerts.example/node")
    draft.originator = "x"
    draft.unticked.append(64)
    draft.on_request.append(OnRequestGrant(recipient="spiffe://vn.alerts.example/agency/x", field=65))
    draft.handling.codes.extend([HANDLING_CODE_H1, HANDLING_CODE_H1])
    assert found(draft) == [
        ("recipients[1]", "AGENCY_MALFORMED"),
        ("originator", "AGENCY_MALFORMED"),
        ("handling", "HANDLING_MALFORMED"),
        ("on_request[0].recipient", "GRANT_RECIPIENT"),
        ("leave_out[0]", "FIELD_UNKNOWN"),
        ("on_request[0]", "FIELD_UNKNOWN"),
    ]


def test_a_recall_needs_no_purpose_and_has_no_end() -> None:
    alert = {"manifest_digest": "ab" * 32, "reason": "WRONG_PERSON"}
    draft = drafted(alert, type="Withdrawal", purpose=None, not_after=None)
    assert check_draft(draft, NOW_MS) == ()
    draft.not_after = NOW_MS + 1
    assert found(draft) == [("not_after", "NOT_AFTER_CONTROL")]


def test_a_draft_that_is_no_alert() -> None:
    assert found(Draft(alert_type="exchange.v1.Nothing")) == [("type", "ALERT_TYPE_UNKNOWN")]
    assert found(Draft(alert_type="exchange.v1.TravelAlert", alert=b"\xff")) == [("alert", "NOT_PROTOBUF")]
    with pytest.raises(Malformed):
        check_alert("exchange.v1.Nothing", TravelAlert(), NOW_MS)


def test_a_field_that_no_fragment_can_hold() -> None:
    draft = drafted(ENOUGH)
    alert = TravelAlert.FromString(draft.alert)
    for _ in range(40):
        alert.accommodation.add(name="x" * 2000)
    draft.alert = encode(alert)
    assert ("accommodation", "FIELD_TOO_LARGE") in found(draft)


def test_values_are_checked_again_and_no_client_is_trusted() -> None:
    draft = drafted(ENOUGH)
    alert = TravelAlert.FromString(draft.alert)
    alert.birth.date = "1961-02-31"
    draft.alert = encode(alert)
    assert found(draft) == [("birth.date", "EDTF_NO_SUCH_DAY")]


def test_hit_reports() -> None:
    def report(**parts: Any) -> set[tuple[str, str]]:
        return {(p.field, p.code) for p in check_alert("exchange.v1.HitReport", HitReport(**parts), NOW_MS)}

    assert ("cannot_execute_reason", "FIELD_MISSING") in report(outcome=HIT_OUTCOME_CANNOT_EXECUTE)
    assert ("cannot_execute_reason", "FIELD_MISSING") not in report(outcome=HIT_OUTCOME_CANNOT_EXECUTE, cannot_execute_reason=2)
    assert ("cannot_execute_reason", "REASON_WITHOUT_OUTCOME") in report(outcome=2, cannot_execute_reason=2)
    assert ("identity_basis", "IDENTITY_BASIS_MISSING") in report(outcome=HIT_OUTCOME_CONFIRMED)
    assert ("document_shown", "MIS_HIT_UNKNOWN") in report(outcome=HIT_OUTCOME_NOT_THIS_PERSON)
    assert ("document_shown", "MIS_HIT_UNKNOWN") not in report(outcome=HIT_OUTCOME_NOT_THIS_PERSON, document_shown={"number": "X1"})


def test_requests_and_tips() -> None:
    request = {"questions": ["WHEREABOUTS"], "urgency": "URGENT", "purpose": "INVESTIGATION", "subject": {"birth": "1961"}}
    draft = drafted(request | {"contact_desk": ENOUGH["contact_desk"]}, type="InformationRequest")
    assert found(draft) == [("urgency_grounds", "FIELD_MISSING"), ("subject.name", "FIELD_MISSING")]
    tip = {"anonymous": False, "observed": "2026", "concerns": ["GROOMING"], "immediate_danger": {"present": True}}
    draft = drafted(tip, type="Tip")
    assert found(draft) == []
    assert found(draft, SEVERITY_WARNING) == [("immediate_danger.reason", "DANGER_UNEXPLAINED"), ("place", "TIP_VAGUE")]


def test_merging_says_each_thing_once_and_calls_nothing_missing_that_could_not_be_read() -> None:
    unread, missing = error("ENUM_UNKNOWN", "sex", "m", "r"), error("FIELD_MISSING", "sex", "m", "r")
    other = error("FIELD_MISSING", "birth", "m", "r")
    assert merge([unread], [missing, other], [other]) == (unread, other)
