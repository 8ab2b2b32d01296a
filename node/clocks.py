"""Clocks that run against people: until when a question must be answered, and when a traveller departs and lands. Values in, values out.

The terms are those of Directive (EU) 2023/977, Art. 5(1): eight hours for urgent questions about what is directly accessible, three days
for urgent ones about what is not, seven days for all others. A judicial authorisation that is needed stops the clock (Art. 5(2)).
All times are Unix milliseconds; all terms are milliseconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from exchange.v1.information_pb2 import ACCESS_KIND_DIRECT, URGENCY_URGENT, InformationRequest
from exchange.v1.travel_alert_pb2 import TravelAlert
from exchange.v1.travel_pb2 import Leg, LocalTime, Port
from node.intake.local_times import span
from node.intake.ports import PortInvalid, port

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


class Moment(StrEnum):
    """What a travel alert's clock runs to."""

    ACKNOWLEDGE_BY = "acknowledge by"
    FEED_BACK_BY = "feed back by"
    DEPARTURE = "departure"
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelClock:
    """A moment that counts, in Unix milliseconds, and as the clocks at the port show it."""

    moment: Moment
    at: int
    """The earliest that may be meant."""
    until: int
    """The latest: a day later where only the day is known, an hour where clocks show the time twice or skip it; else the same."""
    over: bool
    """Whether the latest has passed. Of a journey only what has not is told; a deadline stays until somebody meets it."""
    port: str
    """Code of the port; empty for a deadline."""
    local: str
    """YYYY-MM-DDThh:mm on the port's own clocks, or the day alone; empty for a deadline."""
    zone: str
    """Of the port, if the table of airports knows it, or else as the alert says."""


def travel_clocks(alert: TravelAlert, now: int) -> tuple[TravelClock, ...]:
    """The moments that count for a travel alert at `now`: its deadlines, and departure and arrival of its next leg; the soonest first.

    `alert` may be any view of one: what was not told has no clock. Times that cannot be read are passed over: they were never checked here.
    """
    found = [*_deadlines(alert, now), *_next_leg(alert, now)]
    return tuple(sorted(found, key=lambda clock: (clock.at, clock.until)))


def _deadlines(alert: TravelAlert, now: int) -> Iterator[TravelClock]:
    for moment, at in ((Moment.ACKNOWLEDGE_BY, alert.deadlines.acknowledge_by), (Moment.FEED_BACK_BY, alert.deadlines.feed_back_by)):
        if at:
            yield TravelClock(moment=moment, at=at, until=at, over=at < now, port="", local="", zone="")


def _next_leg(alert: TravelAlert, now: int) -> list[TravelClock]:
    """Of the leg that ends soonest among those that have not ended: that of a journey that was told out of order, too."""
    legs = [clocks for leg in alert.itinerary if (clocks := _of_leg(leg, now)) and not clocks[-1].over]
    soonest = min(legs, key=lambda clocks: clocks[-1].until, default=[])
    return [clock for clock in soonest if not clock.over]


def _of_leg(leg: Leg, now: int) -> list[TravelClock]:
    departure = _at_port(Moment.DEPARTURE, leg.departure, leg.departure_port, now) if leg.HasField("departure") else None
    arrival = _at_port(Moment.ARRIVAL, leg.arrival, leg.arrival_port, now) if leg.HasField("arrival") else None
    return [clock for clock in (departure, arrival) if clock]


def _at_port(moment: Moment, when: LocalTime, place: Port, now: int) -> TravelClock | None:
    meant = span(when) or _skipped(when)
    if meant is None:
        return None
    first, last = meant
    whole_day = first != last
    if not whole_day:
        last = first.replace(fold=1)  # the same, unless the clocks there show this time twice, or skip it
    zone = when.zone if whole_day else _zone_of(place) or when.zone
    local = when.local if whole_day else first.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
    at, until = sorted((_unix_ms(first), _unix_ms(last)))
    return TravelClock(moment=moment, at=at, until=until, over=until < now, port=place.code, local=local, zone=zone)


def _skipped(when: LocalTime) -> tuple[datetime, datetime] | None:
    """A time that the clocks there skip: somebody wrote it, and a traveller still lands about then."""
    try:
        at = datetime.fromisoformat(when.local).replace(tzinfo=ZoneInfo(when.zone))
        at.timestamp()
    except (ValueError, OSError, KeyError, OverflowError):
        return None
    return at, at


def _zone_of(place: Port) -> str:
    try:
        return port(place.code).zone or "" if place.code else ""
    except PortInvalid:
        return ""


def _unix_ms(at: datetime) -> int:
    return (at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
