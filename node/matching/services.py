"""Flights and sailings: the one that a list is of, and those that an alert names. They agree by carrier, number and day, or not at all."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

_SERVICE: Final = re.compile(r"([A-Z][A-Z0-9]|[0-9][A-Z]|[A-Z]{3})0*([1-9][0-9]{0,4})[A-Z]?")
"""A carrier's code (IATA of two signs, ICAO of three letters), a number, and perhaps an operational suffix."""


@dataclass(frozen=True, slots=True)
class Service:
    """One crossing. `day` is that of its departure or arrival there, None where a list does not say."""

    number: str
    """Carrier and number without spaces and noughts before it: `QF123`."""
    day: date | None


def service_number(text: str, carrier: str = "") -> str:
    """Carrier and number in one form; the carrier may stand apart from a mere number. Empty if there are not both."""
    for written in (text, carrier + text):
        match = _SERVICE.fullmatch("".join(sign for sign in written.upper() if sign.isascii() and sign.isalnum()))
        if match:
            return match[1] + match[2]
    return ""


def crossings(number: str, days: Iterable[date | None]) -> tuple[Service, ...]:
    """What a list is of: one for each day that it names, or one without; none without a number."""
    known = sorted({day for day in days if day})
    return tuple(Service(number, day) for day in known or (None,)) if number else ()


def day_of(text: str) -> date | None:
    """The day of a time that begins with YYYY-MM-DD; None if there is no such day."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
