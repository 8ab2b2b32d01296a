"""From a tip to what an officer may send abroad: a first draft. What it lacks, the officer adds; what it is unsure of, it leaves out."""

from collections.abc import Callable, Mapping
from typing import Final

from google.protobuf.message import Message

from exchange.errors import Malformed, NotFound
from exchange.v1.handling_pb2 import PURPOSE_CHILD_SAFEGUARDING, PURPOSE_PREVENTION
from exchange.v1.information_pb2 import (
    ACCESS_KIND_DIRECT,
    QUESTION_CODE_CRIMINAL_RECORD,
    QUESTION_CODE_IDENTITY,
    QUESTION_CODE_REGISTRATION,
    URGENCY_GROUND_CHILD_AT_RISK,
    URGENCY_NORMAL,
    URGENCY_URGENT,
    InformationRequest,
)
from exchange.v1.people_pb2 import CERTAINTY_ASSESSMENT, Grading
from exchange.v1.subject_warning_pb2 import SubjectWarning
from exchange.v1.tip_pb2 import SuspectDescription, Tip
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.tips.routing import may_be_in_danger


def convert(tip: Tip, alert_type: str, suspect: int) -> Message:
    """The draft of an alert of that type (full name) about one suspect, 0 for the first; a Tip goes on as it is.

    Raises `Malformed` (CONVERT_TYPE) and `NotFound` (SUSPECT_UNKNOWN).
    """
    make = _MAKERS.get(alert_type)
    if make is None:
        raise Malformed("CONVERT_TYPE", "a tip becomes a request, a warning, a travel alert, or goes on as a tip")
    if suspect and suspect >= len(tip.suspects):
        raise NotFound("SUSPECT_UNKNOWN", "the tip describes no such suspect")
    return make(tip, tip.suspects[suspect] if tip.suspects else SuspectDescription())


def purpose_of(alert_type: str) -> int:
    """What a draft of that type is for, until the officer says otherwise."""
    return PURPOSE_CHILD_SAFEGUARDING if alert_type == Tip.DESCRIPTOR.full_name else PURPOSE_PREVENTION


def _tip(tip: Tip, _suspect: SuspectDescription) -> Tip:
    passed = Tip()
    passed.CopyFrom(tip)
    return passed


def _request(tip: Tip, suspect: SuspectDescription) -> InformationRequest:
    request = InformationRequest(
        questions=[QUESTION_CODE_CRIMINAL_RECORD, QUESTION_CODE_REGISTRATION, QUESTION_CODE_IDENTITY],
        urgency=URGENCY_NORMAL,
        access=ACCESS_KIND_DIRECT,
        purpose=PURPOSE_PREVENTION,
    )
    if suspect.names_as_heard:
        request.subject.name.CopyFrom(suspect.names_as_heard[0])
    request.subject.nationalities.extend(suspect.apparent_nationalities)
    if may_be_in_danger(tip):
        request.urgency = URGENCY_URGENT
        request.urgency_grounds.append(URGENCY_GROUND_CHILD_AT_RISK)
    return request


def _warning(tip: Tip, suspect: SuspectDescription) -> SubjectWarning:
    warning = SubjectWarning()
    _describe(warning, tip, suspect)
    return warning


def _travel_alert(tip: Tip, suspect: SuspectDescription) -> TravelAlert:
    alert = TravelAlert()
    _describe(alert, tip, suspect)
    if tip.place.HasField("area"):
        alert.destination_area.CopyFrom(tip.place.area)
    return alert


def _describe(alert: SubjectWarning | TravelAlert, tip: Tip, suspect: SuspectDescription) -> None:
    if suspect.names_as_heard:
        alert.primary_name.CopyFrom(suspect.names_as_heard[0])
        alert.names.extend(suspect.names_as_heard[1:])
    alert.nationalities.extend(suspect.apparent_nationalities)
    alert.risk_narrative.extend(suspect.description)
    if suspect.occupation:
        alert.modus_operandi.cover_occupation = suspect.occupation
    # A grading of one field of the tip grades no field of the alert; what an NGO heard is never a fact to another country.
    whole = next((one for one in tip.grading if not one.field), Grading())
    alert.grading.add(source=whole.source, information=whole.information, certainty=CERTAINTY_ASSESSMENT)


_MAKERS: Final[Mapping[str, Callable[[Tip, SuspectDescription], Message]]] = {
    "exchange.v1.Tip": _tip,
    "exchange.v1.InformationRequest": _request,
    "exchange.v1.SubjectWarning": _warning,
    "exchange.v1.TravelAlert": _travel_alert,
}
