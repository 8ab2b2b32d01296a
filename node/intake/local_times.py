"""Wall-clock times of an itinerary, of which sometimes only the day is known."""

from datetime import datetime, timedelta

from exchange.v1.travel_pb2 import LocalTime
from node.intake.ports import LocalTimeInvalid, PortNotice, local_time

_DAY_LENGTH = 10  # YYYY-MM-DD


def check_local_time(when: LocalTime) -> tuple[PortNotice, ...]:
    """Check that clocks at that place show this time, or its noon for a day alone. Raises `LocalTimeInvalid`."""
    if len(when.local) == _DAY_LENGTH:
        local_time(f"{when.local}T12:00", when.zone)
        return ()
    return local_time(when.local, when.zone).notices


def span(when: LocalTime) -> tuple[datetime, datetime] | None:
    """Tell the first and the last moment that may be meant: equal for a time, a day apart for a day; None if unreadable."""
    try:
        if len(when.local) == _DAY_LENGTH:
            noon = local_time(f"{when.local}T12:00", when.zone).at
            return noon - timedelta(hours=12), noon + timedelta(hours=12)
        at = local_time(when.local, when.zone).at
    except (LocalTimeInvalid, OverflowError):
        return None
    return at, at
