"""What an alert that came in is about, if that is an alert which the caller's agency has too: a recall and an answer name it in field 1."""

from dataclasses import dataclass

from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2
from node.operations.inbox import DESK
from node.operations.inside import standing_of
from node.operations.officers import LIAISON, agency_of, require
from node.ports import Ports
from node.store import alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The alert that is named."""

    digest: bytes
    own: bool
    """Whether the caller's agency sent it; else it was told of it."""
    flags: frozenset[str]
    """How it stands for the agency that was told; none of one that it sent."""


def about(ports: Ports, person: str, answer: desk_service_pb2.GetInboxAlertResponse) -> About | None:
    """The alert that this one names, which `get_inbox_alert` has just shown to the person; None for none that they may open."""
    officer = require(ports, person, DESK)
    agency = agency_of(officer)
    named = _named(answer)
    with ports.store.read() as tx:
        row = alerts.by_digests(tx, [named]).get(named) if named else None
        if row is None:
            return None
        if row.own:
            return About(digest=named, own=True, flags=frozenset()) if row.originator == agency and LIAISON in officer.roles else None
        if agency not in alerts.told_of(tx, row.id):
            return None
        flags = standing_of(tx, row, agency, ports.clock.now_ms()).flags
    return About(digest=named, own=False, flags=frozenset(flags))


def _named(answer: desk_service_pb2.GetInboxAlertResponse) -> bytes:
    message = alert_type(answer.summary.alert_type).message.FromString(answer.view)
    digest: bytes = getattr(message, "manifest_digest", b"")
    return digest
