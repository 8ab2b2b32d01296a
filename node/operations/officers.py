"""Who may ask what of this node: certificates say who somebody is, the roster says what for."""

from collections.abc import Collection, Mapping

from exchange.errors import ExchangeError
from node.config import OfficerEntry
from node.ports import Ports
from node.store.journal import Acting, Event, Kind

LIAISON, PARTNER_OFFICER, AUDITOR, ADMINISTRATOR = "liaison officer", "partner officer", "auditor", "administrator"


class NotPermitted(ExchangeError):
    """The person is known but this is not theirs to do, or is not known here at all."""


def require(ports: Ports, person: str, roles: Collection[str]) -> OfficerEntry:
    """The roster entry of `person` (a SPIFFE ID) if it has one of `roles`. Ask outside any writing transaction.

    Raises `NotPermitted`, recorded before: OFFICER_UNKNOWN, ROLE_MISSING.
    """
    entry = ports.officers.get(person)
    if entry is None:
        raise turned_away(
            ports, person, "OFFICER_UNKNOWN", "this certificate is not in the node's roster: ask your administrator to add it"
        )
    if not set(roles) & set(entry.roles):
        raise turned_away(ports, person, "ROLE_MISSING", f"this needs the role of {' or '.join(sorted(roles))}, which you do not have")
    return entry


def turned_away(ports: Ports, person: str, code: str, message: str) -> NotPermitted:
    """The refusal to raise, once it is recorded that `person` asked for what is not theirs."""
    with ports.store.write() as tx:
        ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_REFUSAL, person, [Event(code=code)])
    return NotPermitted(code, message)


def agency_of(entry: OfficerEntry) -> str:
    """The SPIFFE ID of the agency that a person works for. Raises `NotPermitted` (AGENCY_MISSING)."""
    if entry.agency is None:
        raise NotPermitted("AGENCY_MISSING", "the roster names no agency for you: ask your administrator to add it")
    return str(entry.agency)


def acting(officers: Mapping[str, OfficerEntry]) -> dict[str, Acting]:
    """What each person of the roster is here, as the journal wants to know it."""
    return {
        person: Acting(agency=str(entry.agency) if entry.agency else "", roles=", ".join(sorted(entry.roles)))
        for person, entry in officers.items()
    }
