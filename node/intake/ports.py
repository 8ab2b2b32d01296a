"""Ports and local times of an itinerary.

Airports are IATA codes (`KTI`), looked up in the `airportsdata` table; land, rail and sea ports are UN/LOCODEs
(`KHKOS`), of which only the syntax and the country are known here. A port that is not in the table is kept with a
notice, because airports open, close and change their code more often than tables do. Zones are IANA names.

Source: IATA Resolution 763; UN/ECE Recommendation 16 (UN/LOCODE); RFC 6557 and the tz database.
"""

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import airportsdata

from exchange.errors import Malformed
from node.intake.countries import CountryUnknown, country_of_alpha2
from node.intake.main_airports import MAIN_AIRPORTS
from node.intake.names import plain_letters

_IATA = re.compile(r"[A-Z]{3}")
_UNLOCODE = re.compile(r"([A-Z]{2}) ?([A-Z2-9]{3})")
_SEARCHED_AT_LEAST = 3
_LOCAL_TIME = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]")


class PortInvalid(Malformed):
    """Not the code of a port. The message says what to write."""


class LocalTimeInvalid(Malformed):
    """Not a time that a clock at that place shows. The message says what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortNotice:
    """Something to tell the officer, which refuses nothing."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port as far as it is known: `country` is alpha-3 as in `countries`, `zone` an IANA name; None is unknown."""

    code: str
    name: str | None
    country: str | None
    zone: str | None
    notices: tuple[PortNotice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """A wall-clock time with its zone; where the clock shows it twice, `at` is the first and a notice says so."""

    at: datetime
    notices: tuple[PortNotice, ...] = ()


@cache
def _airports() -> dict[str, Any]:  # 8,000 rows: read at the first itinerary, not at start
    return airportsdata.load("IATA")


@cache
def _names() -> tuple[tuple[str, tuple[str, ...], str, str], ...]:
    """What each airport is found by, the likeliest first: city, code, name, region; then the city of its clocks, and its code."""
    found = []
    for code, row in _airports().items():
        said = (row["city"], code, row["name"], row["subd"], row["tz"].rpartition("/")[2].replace("_", " "))
        *names, clocks = (f" {plain_letters(name)} " for name in said)
        found.append(("".join(names), tuple(names), clocks, code))
    return tuple(found)


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def port(code: str) -> Port:
    """Look up a port by IATA code, or accept a UN/LOCODE (written with or without its space; returned without).

    Raises `PortInvalid` when the code is neither by its form, or its UN/LOCODE names no country.
    """
    if _IATA.fullmatch(code):
        return _airport(code)
    if match := _UNLOCODE.fullmatch(code):
        return _other_port(*match.groups())
    raise PortInvalid(
        "PORT_SYNTAX",
        "not the code of a port: write three capital letters for an airport (IATA, such as KTI), or the two letters of "
        "the country and three capital letters or digits 2 to 9 for any other port (UN/LOCODE, such as KHKOS)",
    )


def _airport(code: str) -> Port:
    row = _airports().get(code)
    if row is None:
        notice = PortNotice(
            code="PORT_UNKNOWN",
            message="this airport is not in the table, which lacks new and closed airports and codes of whole cities: "
            "it is kept as written; compare it with the ticket, and give the time zone of its local times",
        )
        return Port(code=code, name=None, country=None, zone=None, notices=(notice,))
    return Port(code=code, name=row["name"], country=country_of_alpha2(row["country"]).code, zone=row["tz"] or None)


def _other_port(alpha2: str, place: str) -> Port:
    try:
        country = country_of_alpha2(alpha2).code
    except CountryUnknown:
        raise PortInvalid(
            "PORT_COUNTRY", "a UN/LOCODE begins with the two-letter code of its country: these two letters are none"
        ) from None
    notice = PortNotice(
        code="PORT_UNLISTED",
        message="there is no table of land, rail and sea ports: the code is kept as written; give the port's name, and "
        "the time zone of its local times",
    )
    return Port(code=alpha2 + place, name=None, country=country, zone=None, notices=(notice,))


def find_ports(text: str, limit: int = 8) -> list[Port]:
    """Airports of which every word of `text` begins a word of city, code, name or region; the closest first, of these the largest.

    Only where there is none are they found by the city that their clocks are named after: it is that of many others.
    """
    plain = plain_letters(text)
    words = [f" {word}" for word in plain.split()]
    if sum(map(len, words)) < _SEARCHED_AT_LEAST + len(words):
        return []
    found = [one for one in _names() if all(word in one[0] for word in words)]
    found = found or [one for one in _names() if all(word in one[2] for word in words)]

    def closeness(one: tuple[str, tuple[str, ...], str, str]) -> tuple[bool, int, int, bool, int, str]:
        _, names, _, code = one
        place = next((place for place, name in enumerate(names) if all(word in name for word in words)), len(names))
        rank = MAIN_AIRPORTS.get(code, len(MAIN_AIRPORTS))
        return f" {plain} " not in names[:2], place, rank, "international" not in names[2], len(names[2]), code

    return [_airport(code) for *_, code in sorted(found, key=closeness)[:limit]]


def local_time(text: str, zone: str) -> LocalTime:
    """Read `YYYY-MM-DDThh:mm` as the clocks in `zone` (an IANA name such as `Asia/Phnom_Penh`) show it.

    Raises `LocalTimeInvalid` for another form, for a day that no calendar has, for an unknown zone, and for a time that
    the clocks skip when they go forward. Times that they show twice when they go back come with a notice.
    """
    if not _LOCAL_TIME.fullmatch(text):
        raise LocalTimeInvalid(
            "LOCAL_TIME_SYNTAX",
            "not a local time: write YYYY-MM-DDThh:mm with a T, hours 00 to 23 and no offset, and the zone beside it",
        )
    if zone not in _zones():
        raise LocalTimeInvalid(
            "LOCAL_TIME_ZONE",
            "not a known time zone: write its IANA name, such as Asia/Phnom_Penh or Europe/London, never an offset",
        )
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))
    except ValueError:
        raise LocalTimeInvalid(
            "LOCAL_TIME_NO_SUCH_DAY",
            "no calendar has this day: months run from 01 to 12, days from 01 to the end of the month",
        ) from None
    if at.astimezone(UTC).astimezone(at.tzinfo).replace(tzinfo=None) != at.replace(tzinfo=None):
        raise LocalTimeInvalid(
            "LOCAL_TIME_SKIPPED",
            "the clocks there go forward over this time, so none shows it: compare date, time and zone with the ticket",
        )
    if at.utcoffset() != at.replace(fold=1).utcoffset():
        notice = PortNotice(
            code="LOCAL_TIME_TWICE",
            message="the clocks there go back over this time and show it twice: it is read as the first of the two; if "
            "the ticket means the second, say so in the alert",
        )
        return LocalTime(at=at, notices=(notice,))
    return LocalTime(at=at)
