"""Questions with a clock, as tests ask, answer, refuse, stop and read them."""

from collections.abc import Callable
from typing import Any

from exchange.encoding import encode
from exchange.v1 import agreement_pb2, control_pb2, desk_service_pb2, handling_pb2, information_pb2, people_pb2
from node.operations import acknowledge, requests
from node.operations.inbox import get_inbox_alert
from node.operations.release import NotReleased, Prepared
from node.operations.sequence import sequence
from tests.countries import BORDER, DAY, HIT, NOW, POLICE, TRAVEL, agency, agreement, changed, clause
from tests.federation import Federation
from tests.recalls import request_id
from tests.rig import Office

QUESTION = "exchange.v1.InformationRequest"
RESPONSE = "exchange.v1.InformationResponse"
READ = "exchange.v1.Acknowledgement"
COURT = information_pb2.AUTHORISATION_REASON_COURT_ORDER_NEEDED
PROSECUTOR = information_pb2.AUTHORISATION_REASON_PROSECUTOR_CONSENT_NEEDED
GB, KH = agency("gb", POLICE), agency("kh", POLICE)
DESK = people_pb2.ContactDesk(unit="Example desk", channel="+855 23 000 000")


def asking_agreement(one: str = "gb", other: str = "kh", **terms: Any) -> agreement_pb2.Agreement:
    """Everything about questions to police and border, both ways; `terms` change the clauses for questions."""
    clauses = [
        clause(*way, agency_class, kind, **(terms if kind == QUESTION else {}))
        for way in ((one, other), (other, one))
        for agency_class in (BORDER, POLICE)
        for kind in (TRAVEL, HIT, QUESTION, RESPONSE, READ)
    ]
    return changed(agreement(one, other), clauses=sorted(clauses, key=lambda item: item.id))


def question(**changes: Any) -> information_pb2.InformationRequest:
    """An urgent question about what is directly accessible: eight hours."""
    wanted = information_pb2.InformationRequest(
        questions=[information_pb2.QUESTION_CODE_CRIMINAL_RECORD],
        subject={"name": {"family": "EXAMPLE", "given": "Thomas Specimen", "script": "Latn"}},
        urgency=information_pb2.URGENCY_URGENT,
        urgency_grounds=[information_pb2.URGENCY_GROUND_CHILD_AT_RISK],
        access=information_pb2.ACCESS_KIND_DIRECT,
        purpose=handling_pb2.PURPOSE_PREVENTION,
        contact_desk=DESK,
    )
    return changed(wanted, **changes)


def drafted(kind: str, content: Any, *to: str, **changes: Any) -> desk_service_pb2.Draft:
    """A draft of that alert, ready to release. Changes are fields of `Draft`."""
    purpose = handling_pb2.PURPOSE_PREVENTION
    wanted = desk_service_pb2.Draft(
        request_id=request_id(),
        alert_type=kind,
        alert=encode(content),
        recipients=to,
        purpose=purpose,
        handling=handling_pb2.Handling(permitted_purposes=[purpose]),
        not_after=NOW + 20 * DAY,
    )
    return changed(wanted, **changes)


def asked(office: Office, *to: str, name: str = "liaison", **changes: Any) -> bytes:
    """Ask; returns the question's digest. Changes are fields of `InformationRequest`."""
    published = office.publish(drafted(QUESTION, question(**changes), *(to or (KH,))), name)
    assert not published.problems
    return published.manifest_digest


def response(digest: bytes = b"") -> information_pb2.InformationResponse:
    said = information_pb2.Answer(question=information_pb2.QUESTION_CODE_CRIMINAL_RECORD, answer=information_pb2.ANSWER_CODE_NO)
    return information_pb2.InformationResponse(request_digest=digest or None, answers=[said], contact_desk=DESK)


def one(office: Office) -> Callable[[Prepared | NotReleased], desk_service_pb2.PublishedAlert]:
    """The sequencer, called at once."""
    return lambda item: sequence(office.ports, [item])[0]


def answered(office: Office, digest: bytes, name: str = "liaison", **changes: Any) -> desk_service_pb2.PublishedAlert:
    """Answer at that office. Changes are fields of `AnswerRequestRequest`."""
    draft = desk_service_pb2.Draft(request_id=request_id(), alert_type=RESPONSE, alert=encode(response()))
    wanted = desk_service_pb2.AnswerRequestRequest(request=digest.hex(), draft=draft, reason="synthetic reason")
    return requests.answer_request(office.ports, office.person(name), changed(wanted, **changes), one(office))


def turned_down(office: Office, digest: bytes, name: str = "police", **changes: Any) -> desk_service_pb2.PublishedAlert:
    """Refuse at that office. Changes are fields of `RefuseRequestRequest`."""
    wanted = desk_service_pb2.RefuseRequestRequest(
        request_id=request_id(), request=digest.hex(), code=control_pb2.REFUSAL_REASON_NO_LEGAL_BASIS, reason="synthetic reason"
    )
    return requests.refuse_request(office.ports, office.person(name), changed(wanted, **changes), one(office))


def suspended(office: Office, digest: bytes, because: int = COURT, name: str = "police") -> desk_service_pb2.PublishedAlert:
    """Stop the clock at that office, or with 0 start it again."""
    wanted = desk_service_pb2.SuspendRequestRequest(
        request_id=request_id(),
        request=digest.hex(),
        because=information_pb2.AuthorisationReason.ValueType(because),
        desk=DESK,
        reason="synthetic reason",
    )
    return requests.suspend_request(office.ports, office.person(name), wanted, one(office))


def acknowledged(office: Office, digest: bytes, name: str = "police", **changes: Any) -> desk_service_pb2.PublishedAlert:
    """Open an alert at that office, and say so. Changes are fields of `AcknowledgeAlertRequest`."""
    get_inbox_alert(office.ports, office.person(name), digest.hex())
    wanted = desk_service_pb2.AcknowledgeAlertRequest(request_id=request_id(), alert=digest.hex(), desk=DESK, reason="synthetic reason")
    return acknowledge.acknowledge(office.ports, office.person(name), changed(wanted, **changes), one(office))


def cases(office: Office, digest: bytes, name: str = "police") -> list[desk_service_pb2.RequestCase]:
    return list(requests.get_request(office.ports, office.person(name), digest.hex()).cases)


def case(office: Office, digest: bytes, name: str = "police") -> desk_service_pb2.RequestCase:
    """The one case of a question, without what only one end knows."""
    (found,) = cases(office, digest, name)
    return changed(found, own=None, opened_at=None)


def state(office: Office, digest: bytes, name: str = "police") -> tuple[str, str]:
    """How a question stands, and its clock."""
    found = case(office, digest, name)
    names = desk_service_pb2.RequestState.Name(found.state), desk_service_pb2.RequestClockState.Name(found.clock)
    return names[0].removeprefix("REQUEST_STATE_"), names[1].removeprefix("REQUEST_CLOCK_STATE_")


def breaches(office: Office, digest: bytes) -> list[str]:
    """What was said of a question against the rules."""
    return [event.breach for event in case(office, digest).events if event.breach]


def both(two: Federation, digest: bytes) -> desk_service_pb2.RequestCase:
    """The case of a question, which is the same at both ends once everything is delivered."""
    two.pump()
    here, there = case(two["gb"], digest), case(two["kh"], digest)
    assert here == there
    return here


def states(two: Federation, digest: bytes) -> tuple[str, str]:
    both(two, digest)
    return state(two["gb"], digest)
