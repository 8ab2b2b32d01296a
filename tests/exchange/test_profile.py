import hashlib

import pytest

from exchange.errors import Malformed
from exchange.profile import alert_type, alert_types, profile_text
from exchange.v1 import acknowledgement_pb2, handling_pb2, tip_pb2, travel_alert_pb2
from tests.refusals import refused

# Written by hand from tip.proto and docs/protocol.md, section 3.
TIP_STATUS = """\
alert-exchange/v1 profile
message exchange.v1.TipStatus
1 tip_digest explicit bytes CASE
2 state explicit exchange.v1.TipState CASE
enum exchange.v1.TipState
0 TIP_STATE_UNSPECIFIED
1 TIP_STATE_RECEIVED
2 TIP_STATE_UNDER_ASSESSMENT
3 TIP_STATE_ACTED_UPON
4 TIP_STATE_REFERRED
5 TIP_STATE_CLOSED
"""
# From acknowledgement.proto and people.proto: a nested message, implicit presence, repeated strings.
ACKNOWLEDGEMENT = """\
alert-exchange/v1 profile
message exchange.v1.Acknowledgement
1 manifest_digest explicit bytes CASE
2 read_at explicit int64 CASE
3 action_decided_by explicit int64 CASE
4 desk explicit exchange.v1.ContactDesk PROVENANCE
5 authorisation_pending explicit exchange.v1.AuthorisationReason CASE
message exchange.v1.ContactDesk
1 unit implicit string -
2 channel implicit string -
3 languages repeated string -
enum exchange.v1.AuthorisationReason
0 AUTHORISATION_REASON_UNSPECIFIED
1 AUTHORISATION_REASON_COURT_ORDER_NEEDED
2 AUTHORISATION_REASON_PROSECUTOR_CONSENT_NEEDED
"""


def test_the_profile_text_is_that_of_the_page() -> None:
    assert profile_text(tip_pb2.TipStatus.DESCRIPTOR) == TIP_STATUS
    assert profile_text(acknowledgement_pb2.Acknowledgement.DESCRIPTOR) == ACKNOWLEDGEMENT
    assert alert_type("exchange.v1.TipStatus").digest == hashlib.sha256(TIP_STATUS.encode()).digest()


def test_each_type_stands_once_where_it_is_first_met() -> None:
    lines = profile_text(travel_alert_pb2.TravelAlert.DESCRIPTOR).splitlines()
    titles = [line for line in lines if line.startswith(("message ", "enum "))]
    assert len(titles) == len(set(titles))
    # PersonName is first met in field 1, before Birth in field 3; its enums directly follow it, in field order.
    start = titles.index("message exchange.v1.PersonName")
    assert titles[:start] == ["message exchange.v1.TravelAlert"]
    assert titles[start + 1 : start + 5] == [
        "enum exchange.v1.NameOrder",
        "enum exchange.v1.NameKind",
        "enum exchange.v1.NameStrength",
        "message exchange.v1.Birth",
    ]
    assert "35 " not in "\n".join(lines[: lines.index(titles[1])])


def test_every_alert_type_is_known_with_its_fields_ascending() -> None:
    assert set(alert_types()) == {
        f"exchange.v1.{name}"
        for name in (
            "Acknowledgement",
            "Correction",
            "HitReport",
            "InformationRequest",
            "InformationResponse",
            "OnwardDecision",
            "OnwardNotice",
            "OnwardRequest",
            "PatternBulletin",
            "ProsecutionCoordination",
            "PurgeAttestation",
            "Refusal",
            "Restriction",
            "SubjectWarning",
            "Tip",
            "TipStatus",
            "TravelAlert",
            "Withdrawal",
        )
    }
    for name, kind in alert_types().items():
        assert kind is alert_type(name)
        assert kind.name == kind.message.DESCRIPTOR.full_name == name
        assert kind.numbers == tuple(field.number for field in kind.fields) == tuple(range(1, len(kind.fields) + 1))
        assert all(field.category not in {"-", "UNSPECIFIED"} for field in kind.fields)
        assert all(set(field.default_marks) <= set("RMC-") and len(field.default_marks) == 3 for field in kind.fields)
    assert len({kind.digest for kind in alert_types().values()}) == 18


def test_control_alerts_are_marked() -> None:
    assert {name.rpartition(".")[2] for name, kind in alert_types().items() if kind.control} == {
        "Correction",
        "PurgeAttestation",
        "Refusal",
        "Restriction",
        "Withdrawal",
    }


def test_a_field_is_found_by_its_name() -> None:
    travel = alert_type("exchange.v1.TravelAlert")
    document = travel.field("documents")
    assert (document.number, document.name, document.category, document.default_marks) == (8, "documents", "DOCUMENT", "MM-")
    with refused(Malformed, "FIELD_UNKNOWN"):
        travel.field("victim")


@pytest.mark.parametrize("name", ["", "exchange.v1.Nothing", "exchange.v1.PersonName", "TravelAlert"])
def test_nothing_else_is_an_alert_type(name: str) -> None:
    with refused(Malformed, "ALERT_TYPE_UNKNOWN"):
        alert_type(name)


def test_a_message_of_any_kind_has_a_text() -> None:
    assert profile_text(handling_pb2.Handling.DESCRIPTOR).splitlines()[1:4] == [
        "message exchange.v1.Handling",
        "1 codes repeated exchange.v1.HandlingCode -",
        "2 permitted_purposes repeated exchange.v1.Purpose -",
    ]
