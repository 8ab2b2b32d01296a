"""Clocks that run against people: until when a question must be answered, and an alert acted on. Values in, values out.

The terms are those of Directive (EU) 2023/977, Art. 5(1): eight hours for urgent questions about what is directly accessible, three days
for urgent ones about what is not, seven days for all others. A judicial authorisation that is needed stops the clock (Art. 5(2)).
All times are Unix milliseconds; all terms are milliseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exchange.v1.information_pb2 import ACCESS_KIND_DIRECT, URGENCY_URGENT, InformationRequest

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR

URGENT_DIRECT: Final = 8 * HOUR
URGENT_INDIRECT: Final = 3 * DAY
OTHERWISE: Final = 7 * DAY


class ClockState(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    STOPPED = "stopped"
    OVERDUE = "overdue"
    MET = "met"
    MET_LATE = "met late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A time in which the clock stood still, from `since` up to `until`; None while it still does."""

    since: int
    until: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How one clock stands now, and why: what both ends are shown."""

    state: ClockState
    started_at: int
    due_at: int | None
    """None while it is stopped: then nobody knows."""
    reason: str
    """Why it is stopped; else empty."""


def term_of(request: InformationRequest, agreed_hours: int = 0) -> int:
    """How long an answer may take; a clause that agrees on fewer hours (0: none) shortens it."""
    if request.urgency != URGENCY_URGENT:
        term = OTHERWISE
    elif request.access == ACCESS_KIND_DIRECT:
        term = URGENT_DIRECT
    else:
        term = URGENT_INDIRECT
    return min(term, agreed_hours * HOUR) if agreed_hours else term


def start_of(received_at: int | None, attempts: Iterable[int]) -> int | None:
    """When the clock starts: the earlier of the receipt and the third delivery attempt (PROTOCOL.md, section 5); None before either."""
    third = sorted(attempts)[2:3]
    return min([*third, *([received_at] if received_at is not None else [])], default=None)


def run_clock(*, started_at: int, term: int, pauses: Iterable[Pause], met_at: int | None, now: int) -> Clock:
    """How a clock stands at `now`. What stood still before it started, or after it was met, does not count; overlaps count once."""
    end = now if met_at is None else met_at
    stood, reason, stopped = 0, "", False
    reached = started_at
    for pause in sorted(pauses, key=lambda item: item.since):
        since, until = max(pause.since, reached), end if pause.until is None else min(pause.until, end)
        if since - started_at - stood >= term:
            break  # it had run out by then
        if until > since:
            stood += until - since
            reached = until
        if pause.until is None and pause.since <= end:
            stopped, reason = True, pause.reason
    due = started_at + term + stood
    if met_at is not None:
        state = ClockState.MET_LATE if met_at > due else ClockState.MET
        return Clock(state=state, started_at=started_at, due_at=due, reason="")
    if stopped:
        return Clock(state=ClockState.STOPPED, started_at=started_at, due_at=None, reason=reason)
    return Clock(state=ClockState.OVERDUE if now >= due else ClockState.RUNNING, started_at=started_at, due_at=due, reason="")
