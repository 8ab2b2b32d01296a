"""What differs between two agreements: what was added, taken away or changed. For whoever must decide whether to accept the newer one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from exchange.profile import alert_types
from exchange.v1.agreement_pb2 import Agreement, Clause
from exchange.v1.desk_service_pb2 import AGREEMENT_STATE_ACCEPTED, AgreementSummary

REQUIRED, PERMITTED, ON_REQUEST, NEVER = "required", "permitted", "on_request", "forbidden"
MARKS: Final = (REQUIRED, PERMITTED, ON_REQUEST, NEVER)
"""What a clause says of a field: the first three are its lists."""
CONDITIONS: Final = (
    *("purposes", "maximum_retention_days", "onward", "response_hours", "approvals", "transfer_conditions", "rate_cap_per_day"),
)
"""The other fields of a clause that two sides agree on."""
TERMS: Final = ("instrument", "valid_from", "valid_until", "emergency")


class What(Enum):
    """What happened to something."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Route(NamedTuple):
    """Whom a clause is about; of several with one route, the `place` among them by id."""

    sender: str
    recipient: str
    alert_type: str
    audience: int
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One field or condition of a clause; a mark, or what the message holds."""

    name: str
    before: object
    now: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference."""

    what: What
    term: str = ""
    """Of the agreement itself: one of `TERMS`."""
    party: str = ""
    """Whose legal basis, or which agency's class."""
    route: Route | None = None
    """Which clause."""
    before: object = None
    now: object = None
    fields: tuple[Detail, ...] = ()
    """Alert fields by name whose mark changed; of a clause that came, all that it tells."""
    conditions: tuple[Detail, ...] = ()


def changes(before: Agreement, now: Agreement) -> list[Change]:
    """Every difference, the agreement's own terms first, then parties and agencies, then clauses by route."""
    return [*_terms(before, now), *_parties(before, now), *_agencies(before, now), *_clauses(before, now)]


def version_before(agreements: Sequence[AgreementSummary], one: AgreementSummary) -> AgreementSummary | None:
    """What two countries agreed before `one`, of `agreements` oldest first; what nobody accepted only if nothing else is."""
    parties = {party.trust_domain for party in one.agreement.parties}
    earlier: list[AgreementSummary] = []
    for other in agreements:
        if other.digest == one.digest:
            break
        if {party.trust_domain for party in other.agreement.parties} == parties and other.agreement.emergency == one.agreement.emergency:
            earlier.append(other)
    return next((other for other in reversed(earlier) if other.state == AGREEMENT_STATE_ACCEPTED), earlier[-1] if earlier else None)


def marks(clause: Clause) -> dict[str, str]:
    """What a clause says of each field of its type, by the field's name; of what this version does not know, by number."""
    kind = alert_types().get(clause.alert_type)
    named = {field.number: field.name for field in kind.fields} if kind else {}
    lists = {REQUIRED: set(clause.required), PERMITTED: set(clause.permitted), ON_REQUEST: set(clause.on_request)}
    numbers = named.keys() | set().union(*lists.values())
    return {
        named.get(number, f"field_{number}"): next((mark for mark, of in lists.items() if number in of), NEVER)
        for number in sorted(numbers)
    }


def _terms(before: Agreement, now: Agreement) -> Iterator[Change]:
    for term in TERMS:
        was, is_ = getattr(before, term), getattr(now, term)
        if was != is_:
            yield Change(what=What.CHANGED, term=term, before=was, now=is_)


def _parties(before: Agreement, now: Agreement) -> Iterator[Change]:
    was = {party.trust_domain: party.legal_basis for party in before.parties}
    for party in now.parties:
        if was.get(party.trust_domain) != party.legal_basis:
            yield Change(what=What.CHANGED, party=party.trust_domain, before=was.get(party.trust_domain, ""), now=party.legal_basis)


def _agencies(before: Agreement, now: Agreement) -> Iterator[Change]:
    was, are = ({one.agency: one.agency_class for one in agreement.agencies} for agreement in (before, now))
    for agency in sorted(was.keys() | are.keys()):
        if was.get(agency) != are.get(agency):
            yield Change(
                what=_what(was=agency in was, stays=agency in are), party=agency, before=was.get(agency, 0), now=are.get(agency, 0)
            )


def _clauses(before: Agreement, now: Agreement) -> Iterator[Change]:
    was, are = _by_route(before.clauses), _by_route(now.clauses)
    for route in sorted(was.keys() | are.keys()):
        old, new = was.get(route, Clause(alert_type=route.alert_type)), are.get(route, Clause(alert_type=route.alert_type))
        fields = tuple(_details(marks(old), marks(new)))
        conditions = tuple(_details(_conditions(old), _conditions(new)))
        if route not in was or route not in are or fields or conditions:
            yield Change(what=_what(was=route in was, stays=route in are), route=route, fields=fields, conditions=conditions)


def _by_route(clauses: Iterable[Clause]) -> dict[Route, Clause]:
    found: dict[Route, Clause] = {}
    for clause in sorted(clauses, key=lambda one: one.id):
        place = 0
        while (route := Route(clause.sender, clause.recipient, clause.alert_type, clause.audience, place)) in found:
            place += 1
        found[route] = clause
    return found


def _conditions(clause: Clause) -> dict[str, object]:
    said = {name: getattr(clause, name) for name in CONDITIONS}
    return {name: tuple(sorted(value)) if name in {"purposes", "transfer_conditions"} else value for name, value in said.items()}


def _details(before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[Detail]:
    for name in dict.fromkeys((*now, *before)):
        if before.get(name) != now.get(name):
            yield Detail(name=name, before=before.get(name), now=now.get(name))


def _what(*, was: bool, stays: bool) -> What:
    if not was:
        return What.ADDED
    return What.CHANGED if stays else What.REMOVED
