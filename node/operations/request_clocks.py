"""The questions that need a person of one agency: those that wait for its answer, and those that it asked and that are overdue."""

from dataclasses import dataclass

from node.clocks import Clock, ClockState
from node.operations.request_cases import Case, cases_of
from node.ports import Ports
from node.request_course import RequestState
from node.store.requests import requests_of
from node.store.transaction import Transaction

LOOKED_AT = 500
"""Questions asked, and questions that came: the newest that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """One question to one agency that needs a person here. Times are Unix milliseconds."""

    digest: bytes
    """Of the question's manifest: what `exchange request show` takes."""
    own: bool
    """True for what this agency asked, and whose answer is overdue; false for what waits for its answer."""
    counterparty: str
    """SPIFFE ID of the other agency."""
    state: RequestState
    clock: Clock | None
    """None while it has not started."""
    due_at: int
    """0 while nobody knows: the clock stands still, or has not started."""
    urgent: bool


def open_requests(ports: Ports, tx: Transaction, agency: str, now: int) -> list[OpenRequest]:
    """What needs a person of that agency, what is due first first, what stands still last. Questions past their end are left out."""
    found = []
    for row in requests_of(tx, agency, LOOKED_AT):
        if row.state == "erased" or now >= row.not_after:
            continue
        for case in cases_of(ports, tx, row, now, agency="" if row.own else agency):
            overdue = case.clock is not None and case.clock.state is ClockState.OVERDUE
            if not case.course.settled and (overdue or not row.own):
                found.append(_open(case))
    return sorted(found, key=lambda one: (not one.due_at, one.due_at, one.digest))


def _open(case: Case) -> OpenRequest:
    return OpenRequest(
        digest=case.request.digest,
        own=case.request.own,
        counterparty=case.asked if case.request.own else case.asker,
        state=case.course.state,
        clock=case.clock,
        due_at=case.due_at,
        urgent=case.urgent,
    )
