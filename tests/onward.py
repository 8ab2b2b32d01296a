"""Passing on, as tests ask for it: three countries that agreed, a request, a decision, a release, and recalls that are forwarded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exchange.encoding import encode
from exchange.v1 import agreement_pb2, desk_service_pb2, handling_pb2
from exchange.v1.onward_pb2 import OnwardRequest
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.operations import onward_decide, onward_list, onward_release, onward_request
from node.operations.sequence import sequence
from tests.countries import AUDIENCES, BORDER, HIT, NGO, POLICE, TRAVEL, agency, agreement, changed, clause
from tests.federation import Federation
from tests.recalls import request_id, together, told_waiting
from tests.rig import NOW, Office, draft

GB_POLICE, KH_BORDER, KH_POLICE = agency("gb", POLICE), agency("kh", BORDER), agency("kh", POLICE)
VN_BORDER, VN_POLICE = agency("vn", BORDER), agency("vn", POLICE)
ASKING = ("exchange.v1.OnwardRequest", "exchange.v1.OnwardDecision", "exchange.v1.OnwardNotice")
HOUR = 3_600_000

NAME, NAMES, BIRTH, DOCUMENTS, ITINERARY, ACTION, DESK = (
    next(field.number for field in TravelAlert.DESCRIPTOR.fields if field.name == name)
    for name in ("primary_name", "names", "birth", "documents", "itinerary", "requested_action", "contact_desk")
)
FIELDS = (NAME, BIRTH, DOCUMENTS, ITINERARY, ACTION, DESK)
"""What is asked for, all that a border clause requires among it."""


def agreed(one: str, other: str, **changes: Any) -> agreement_pb2.Agreement:
    """The agreement of two countries with clauses for requests, decisions and notices too."""
    ways = ((one, other), (other, one))
    kinds = (TRAVEL, HIT, *ASKING)
    # No default clause tells NGOs anything of passing on.
    clauses = [
        clause(*way, agency_class, kind)
        for way in ways
        for agency_class in AUDIENCES
        for kind in kinds
        if kind in {TRAVEL, HIT} or agency_class != NGO
    ]
    return changed(agreement(one, other), clauses=sorted(clauses, key=lambda c: c.id), **changes)


def three(directory: Path, *more: str) -> Federation:
    """gb originates, kh holds, vn is the third; `more` countries hold as kh does. Each pair of them agreed."""
    made = Federation(directory, "gb", "kh", "vn", *more)
    countries = ("gb", "kh", "vn", *more)
    for place, one in enumerate(countries):
        for other in countries[place + 1 :]:
            made.connect(one, other, agreed(one, other))
    return made


def settle(made: Federation) -> None:
    """Deliver and forward until nothing waits anywhere."""
    while made.pump() + sum(told_waiting(office) for office in made.offices.values()):
        pass


def asked(
    office: Office, digest: bytes, to: str = VN_BORDER, *fields: int, name: str = "border", **changes: Any
) -> desk_service_pb2.PublishedAlert:
    """Ask for leave. Changes are fields of `RequestOnwardRequest`."""
    wanted = desk_service_pb2.RequestOnwardRequest(
        request_id=request_id(),
        alert=digest.hex(),
        third_party=to,
        fields=fields or FIELDS,
        purpose=handling_pb2.PURPOSE_PREVENTION,
        until=NOW + 48 * HOUR,
        reason="synthetic reason",
        contact_desk={"unit": "Example desk", "channel": "+855 23 000 000"},
    )
    return onward_request.request_onward(
        office.ports, office.person(name), changed(wanted, **changes), lambda item: sequence(office.ports, [item])[0]
    )


def decided(
    office: Office, request: bytes, *, grant: bool = True, name: str = "liaison", **changes: Any
) -> desk_service_pb2.DecideOnwardResponse:
    """Grant or deny. Changes are fields of `DecideOnwardRequest`."""
    wanted = desk_service_pb2.DecideOnwardRequest(request_id=request_id(), request=request.hex(), grant=grant, reason="synthetic reason")
    return onward_decide.decide_onward(
        office.ports, office.person(name), changed(wanted, **changes), lambda item: sequence(office.ports, [item])[0]
    )


def released(
    office: Office, request: bytes, *recipients: str, name: str = "both", **changes: Any
) -> desk_service_pb2.ReleaseOnwardResponse:
    """Pass on. Changes are fields of `ReleaseOnwardRequest`."""
    wanted = desk_service_pb2.ReleaseOnwardRequest(
        request_id=request_id(), request=request.hex(), recipients=recipients, reason="synthetic reason"
    )
    return onward_release.release_onward(office.ports, office.person(name), changed(wanted, **changes), together(office))


def summary(office: Office, request: bytes, name: str) -> desk_service_pb2.OnwardSummary:
    return onward_list.get_onward(office.ports, office.person(name), request.hex()).summary


def state(office: Office, request: bytes, name: str) -> str:
    """How a request stands for that officer."""
    return desk_service_pb2.OnwardState.Name(summary(office, request, name).state).removeprefix("ONWARD_STATE_")


def permitted(
    made: Federation, digest: bytes, *, to: str = VN_BORDER, holder: str = "kh", fields: Sequence[int] = (), **changes: Any
) -> bytes:
    """Ask gb on behalf of a holder's border agency, and have it granted; returns the request's digest. `changes` are of the decision."""
    request = asked(made[holder], digest, to, *fields).manifest_digest
    assert request
    settle(made)
    answer = decided(made["gb"], request, **changes)
    assert not answer.published.problems, answer.published.problems
    settle(made)
    return request


def by_file(office: Office, told: bytes, **changes: Any) -> bytes:
    """A request that the office's own checks did not see, as a hostile one would send; returns its digest."""
    wanted = OnwardRequest(
        manifest_digest=told,
        third_party=VN_BORDER,
        fields=FIELDS,
        purpose=handling_pb2.PURPOSE_PREVENTION,
        until=NOW + HOUR,
        contact_desk={"unit": "Example desk", "channel": "+855 23 000 000"},
    )
    content = encode(changed(wanted, **changes))
    published = office.publish(draft(agency("gb", POLICE), alert_type="exchange.v1.OnwardRequest", alert=content, in_reply_to=told), "both")
    assert not published.problems, published.problems
    return published.manifest_digest


def fsck(federated: Federation) -> list[str]:
    return [code for office in federated.offices.values() for code in office.fsck()]


def alarms(federated: Federation) -> set[str]:
    return {alarm for office in federated.offices.values() for alarm in office.alarms()}
