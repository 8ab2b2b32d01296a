"""A passenger list as it came: who travels on what, and what of the list could not be used. Every list is hostile until it is read.

Refusals (`ManifestInvalid`) bear a stable code and say where, by segment, line or passenger, and never what stands there.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from exchange.errors import Malformed
from node.intake.countries import COUNTRIES
from node.intake.edtf import EdtfInvalid, PartialDate, read_edtf
from node.matching.people import Passenger

LARGEST: Final = 900 * 1024
"""Bytes: what fits into one call with room to spare; some 4,000 passengers."""
PASSENGERS_AT_MOST: Final = 5000
NAME_AT_MOST: Final = 200
NUMBER_AT_MOST: Final = 40
WARNINGS_AT_MOST: Final = 50
OLDEST: Final = 125
"""Years that a traveller may be old."""


class ManifestInvalid(Malformed):
    """The list cannot be used, and nobody on it was compared with anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something of one passenger that was left aside; `place` counts from 1, 0 for the list as a whole."""

    place: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassengerList:
    """A list that was read. It has no personal data in its repr."""

    kind: str
    """PAXLST or CSV."""
    service: str
    """Carrier and number of the flight or sailing as the list has it; empty if it says none."""
    passengers: tuple[Passenger, ...]
    warnings: tuple[Warned, ...]

    def __repr__(self) -> str:
        return f"PassengerList(kind={self.kind!r}, passengers={len(self.passengers)})"


def check_size(data: bytes) -> None:
    """Refuse what is empty or too large: MANIFEST_EMPTY, MANIFEST_TOO_LARGE."""
    if not data.strip():
        raise ManifestInvalid("MANIFEST_EMPTY", "the passenger list is empty")
    if len(data) > LARGEST:
        raise ManifestInvalid(
            "MANIFEST_TOO_LARGE", f"the passenger list has more than {LARGEST} bytes: split it, each part with its own head"
        )


class Gathered:
    """The passengers of a list while it is read."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.passengers: list[Passenger] = []
        self.warnings: list[Warned] = []

    def add(self, passenger: Passenger) -> None:
        """Take in one; raises `ManifestInvalid` (MANIFEST_PASSENGERS) for one too many."""
        if len(self.passengers) >= PASSENGERS_AT_MOST:
            raise ManifestInvalid("MANIFEST_PASSENGERS", f"the list has more than {PASSENGERS_AT_MOST} passengers: split it")
        self.passengers.append(passenger)

    def warn(self, place: int, code: str, message: str) -> None:
        """Note what could not be used; beyond the first few, nothing is noted any more."""
        if len(self.warnings) < WARNINGS_AT_MOST:
            self.warnings.append(Warned(place=place, code=code, message=message))

    def name(self, place: int, text: str) -> str:
        """A name, without control characters; cut with a warning (NAME_CUT) where it is too long for one."""
        kept = "".join(sign for sign in text if sign.isprintable()).strip()
        if len(kept) > NAME_AT_MOST:
            self.warn(place, "NAME_CUT", f"the name has more than {NAME_AT_MOST} characters: what follows was left aside")
        return kept[:NAME_AT_MOST]

    def country(self, place: int, code: str) -> str:
        """A code of ICAO Doc 9303-3, section 5; empty with a warning (COUNTRY_UNKNOWN) if it is none."""
        code = code.strip().upper()
        if code and code not in COUNTRIES:
            self.warn(place, "COUNTRY_UNKNOWN", "not a country code of three letters: it was left aside")
            return ""
        return code

    def born(self, place: int, text: str) -> PartialDate | None:
        """A birth date in EDTF; None with a warning (BIRTH_UNREADABLE, BIRTH_IMPLAUSIBLE) if it is none that a traveller can have."""
        if not text:
            return None
        try:
            born = read_edtf(text)
        except EdtfInvalid:
            self.warn(place, "BIRTH_UNREADABLE", "the birth date is no date: it was left aside")
            return None
        if born.earliest() > self.today or born.last_year < self.today.year - OLDEST:
            self.warn(place, "BIRTH_IMPLAUSIBLE", "nobody who travels was born then: the birth date was left aside")
            return None
        return born

    def two_digit_year(self, text: str) -> str:
        """YYMMDD as EDTF, in the latest century in which the day is not in the future; 00 stands for an unknown month or day."""
        year, month, day = text[:2], text[2:4], text[4:]
        rest = "" if month == "00" else f"-{month}" if day == "00" else f"-{month}-{day}"
        this = self.today.year // 100
        for century in (this, this - 1):
            try:
                if read_edtf(f"{century}{year}{rest}").earliest() <= self.today:
                    return f"{century}{year}{rest}"
            except EdtfInvalid:
                continue
        return f"{this - 1}{year}{rest}"

    def whole(self, kind: str, service: str) -> PassengerList:
        """The list; raises `ManifestInvalid` (MANIFEST_NOBODY) if nobody is on it."""
        if not self.passengers:
            raise ManifestInvalid("MANIFEST_NOBODY", "there is no passenger on the list")
        return PassengerList(kind=kind, service=service, passengers=tuple(self.passengers), warnings=tuple(self.warnings))


def number_of(text: str) -> str:
    """A document number, without what is no sign of one."""
    return "".join(sign for sign in text if sign.isprintable()).strip()[:NUMBER_AT_MOST]


def sex_of(text: str) -> str:
    """M or F; empty for anything else."""
    letter = text.strip().upper()[:1]
    return letter if letter in {"M", "F"} else ""
