"""Points in time in a file: ISO 8601 with a zone in, Unix milliseconds out, and back."""

import re
from datetime import UTC, date, datetime, time, timedelta

from exchange.errors import Malformed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FROM_NOW = re.compile(r"P([1-9][0-9]{0,3})([DW])")
_DAYS = {"D": 1, "W": 7}


class InstantInvalid(Malformed):
    """Not a point in time. The message has the form "what is wrong: how to mend it"."""


def read_instant(text: str) -> int:
    """Read an ISO 8601 date and time with its zone as Unix milliseconds. Raises `InstantInvalid` (INSTANT_…)."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InstantInvalid(
            "INSTANT_SYNTAX", "not a date and time of ISO 8601: write it as 2027-03-04T18:00Z or 2027-03-04T18:00+07:00"
        ) from None
    if at.tzinfo is None:
        raise InstantInvalid("INSTANT_ZONE", "the time has no zone: add Z for UTC, or an offset such as +07:00")
    return (at - _EPOCH) // _MILLISECOND


def read_instant_or_days(text: str, today: date) -> int:
    """Read an instant, or `P30D` or `P4W`: the end (UTC) of the day that is so many days after `today`."""
    if match := _FROM_NOW.fullmatch(text):
        days = int(match[1]) * _DAYS[match[2]]
        try:
            end = datetime.combine(today, time(), tzinfo=UTC) + timedelta(days=days + 1)
        except OverflowError:
            raise InstantInvalid("INSTANT_RANGE", "no calendar goes so far: write fewer days") from None
        return (end - _EPOCH) // _MILLISECOND
    return read_instant(text)


def instant(unix_ms: int) -> datetime | None:
    """Tell the UTC time of Unix milliseconds; None outside the years 1 to 9999."""
    try:
        return _EPOCH + unix_ms * _MILLISECOND
    except OverflowError:
        return None


def write_instant(unix_ms: int) -> str:
    """Write Unix milliseconds so that `read_instant` reads the same; outside the years 1 to 9999 the bare number."""
    at = instant(unix_ms)
    return at.isoformat(timespec="milliseconds" if unix_ms % 1000 else "seconds") if at else str(unix_ms)
