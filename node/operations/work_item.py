"""One thing that needs a person, for whom it is asked, and what is most urgent: values in, values out.

The order: first whoever lands within a day or landed in the last two hours, the next landing first; then what is overdue, the longest
first; then what has a term, the next first; then the rest, the oldest first; then drafts; what needs nobody yet comes last.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from exchange.v1 import desk_service_pb2
from node.config import OfficerEntry
from node.notify.plan import NoticePlan, Term, escalates_at, round_at
from node.operations.officers import ADMINISTRATOR, LIAISON, PARTNER_OFFICER

WORKERS: Final = (LIAISON, PARTNER_OFFICER, ADMINISTRATOR)
"""Roles for whom there is work; an auditor's is to look."""
LANDS_SOON_MS: Final = 24 * 3_600_000
LANDED_MS: Final = 2 * 3_600_000
"""For so long after a landing a traveller may still stand at the desk."""
AT_MOST: Final = 500
"""Things of one kind of which an office is reminded."""
LISTED: Final = 60
"""And of which a person is shown a list; more than that no list helps with."""

WorkKind = desk_service_pb2.WorkKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """For whom work is gathered: a person, or an office as a whole."""

    person: str
    """SPIFFE ID; empty for the office, which sees what waits for any of its people."""
    agency: str
    """SPIFFE ID; empty for who works for none."""
    roles: frozenset[str]
    at_most: int = AT_MOST
    """Things of one kind that are gathered."""

    def may(self, *roles: str) -> bool:
        """Whether the viewer has one of these roles, and an agency to act for."""
        return bool(self.agency) and bool(self.roles & set(roles))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One thing that needs a person, or will. No personal data: what it is about is named by a reference."""

    kind: "desk_service_pb2.WorkKind.ValueType"
    reference: bytes
    """Id or digest, at least 8 bytes."""
    counterparty: str
    """SPIFFE ID, or trust domain of a country; empty where it is nobody else's."""
    term: Term
    command: str
    """What to type next; empty for what only the console does."""
    lands_at: int | None = None
    """When the traveller of an alert lands next; if everywhere already, when first."""
    zone: str = ""
    """IANA zone of the port of that arrival."""
    departs_at: int | None = None
    """When the traveller departs next."""
    departs_zone: str = ""
    detail: str = ""
    """A code: of the refusal, the recall, the alarm."""
    later: bool = False
    """Whether it needs nobody yet: it waits for others, or has been looked at."""


def viewer_of(person: str, entry: OfficerEntry) -> Viewer:
    """One person."""
    return Viewer(person=person, agency=str(entry.agency) if entry.agency else "", roles=frozenset(entry.roles), at_most=LISTED)


def office_viewers(officers: Mapping[str, OfficerEntry]) -> list[Viewer]:
    """The office as a whole: for each agency what any of its people may see, and what is the administrators'."""
    agencies: dict[str, set[str]] = {}
    for entry in officers.values():
        agencies.setdefault(str(entry.agency) if entry.agency else "", set()).update(entry.roles)
    return [Viewer(person="", agency=agency, roles=frozenset(roles)) for agency, roles in sorted(agencies.items())]


def overdue(item: WorkItem, now: int) -> bool:
    """Whether its term has passed."""
    return item.term.due_at is not None and now >= item.term.due_at


def escalated(plan: NoticePlan, item: WorkItem, now: int) -> bool:
    """Whether it has waited so long that somebody else is told."""
    return not item.later and now >= escalates_at(plan, item.term)


def by_urgency(items: Collection[WorkItem], now: int) -> list[WorkItem]:
    """The most urgent first, as this module's head says."""
    return sorted(items, key=lambda item: (*_rank(item, now), item.term.raised_at, item.kind, item.reference, item.counterparty))


def told(plan: NoticePlan, item: WorkItem, now: int) -> int | None:
    """In which round the office is told of it, None for not yet."""
    return None if item.later else round_at(plan, item.term, now)


def _rank(item: WorkItem, now: int) -> tuple[int, int]:
    if item.later:
        return 5, item.term.due
    if item.lands_at is not None and now - LANDED_MS <= item.lands_at <= now + LANDS_SOON_MS:
        return 0, item.lands_at
    if overdue(item, now):
        return 1, item.term.due
    if item.term.due_at is not None:
        return 2, item.term.due
    # Nobody waits for a draft but whoever writes it.
    return 4 if item.kind == desk_service_pb2.WORK_KIND_DRAFT_TO_FINISH else 3, item.term.raised_at
