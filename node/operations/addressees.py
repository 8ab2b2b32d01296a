"""Whom an alert can be addressed to: the agencies that partners' descriptors name."""

from dataclasses import dataclass

from exchange.values import PartyId
from node.operations.inbox import DESK
from node.operations.officers import LIAISON, require
from node.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """One agency abroad."""

    agency: str
    """SPIFFE ID."""
    agreed: bool
    """Whether there is an agreement with its country at all; what it allows, the preview says."""


def list_addressees(ports: Ports, person: str) -> list[Addressee]:
    """Every agency of every partner that is not suspended, by name. Raises `NotPermitted`."""
    require(ports, person, (LIAISON,))
    known = ports.known
    agreed = {party for one in known.agreements.values() for party in one.parties}
    return [
        Addressee(agency=agency, agreed=partner.node.trust_domain in agreed)
        for partner in known.partners.values()
        if not partner.suspended
        for agency in sorted(partner.node.agencies)
    ]


def list_third_parties(ports: Ports, person: str, originator: str) -> list[str]:
    """Every agency of partners other than the originator's country, to which leave to pass on may be asked. Raises `NotPermitted`."""
    require(ports, person, DESK)
    own = originator and PartyId.parse(originator).trust_domain
    return [
        agency
        for domain, partner in sorted(ports.known.partners.items())
        if not partner.suspended and domain != own
        for agency in sorted(partner.node.agencies)
    ]
