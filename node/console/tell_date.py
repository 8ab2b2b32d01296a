"""A day, a month or a year as people write it in three fields, and as a tip holds it (EDTF)."""

import re
from datetime import date, timedelta
from typing import Final

_PLAIN: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_OLDEST: Final = 1900
_BUDDHIST: Final = 543
"""Years of the Buddhist era are so many more, as Thailand counts them."""


class DateInvalid(Exception):
    """What stands there is no date that can have been."""


def read_day(day: str, month: str, year: str, today: date) -> str:
    """What three fields say: `2026`, `2026-05`, `2026-05-17`, or nothing. Digits of any script. Raises `DateInvalid`."""
    if not (day or month or year):
        return ""
    if not year or (day and not month) or not all(one.isdecimal() and len(one) <= len("2026") for one in (day, month, year) if one):
        raise DateInvalid
    number = int(year)
    if number > today.year and _OLDEST <= number - _BUDDHIST <= today.year:
        number -= _BUDDHIST
    try:
        first = date(number, int(month or 1), int(day or 1))
    except ValueError:
        raise DateInvalid from None
    # East of Greenwich it may be tomorrow already.
    if number < _OLDEST or first > today + timedelta(days=1):
        raise DateInvalid
    return first.isoformat()[: len("2026-05-17") if day else len("2026-05") if month else len("2026")]


def split_day(written: str) -> tuple[str, str, str] | None:
    """Day, month and year of what a tip holds, each perhaps empty; None where it is more than three fields can show."""
    if not written:
        return ("", "", "")
    matched = _PLAIN.fullmatch(written)
    if matched is None:
        return None
    return tuple((part or "").lstrip("0") for part in (matched[3], matched[2], matched[1]))  # type: ignore[return-value]  # it is of three
