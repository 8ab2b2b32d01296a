"""How two birth dates agree, and how often two strangers' would.

The shares are of travellers between 18 and 75, whose births spread over some 57 years: about one in 18,000 is born on a given day.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import log2
from typing import Final

from node.intake.edtf import PartialDate

DAYS: Final = 18_000
MONTHS: Final = DAYS / 30
YEARS: Final = DAYS / 365
DECADES: Final = YEARS / 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthAgreement:
    """`rule` names what was found; `chance` is the share of strangers of whom it would be found, `own` that of the same person's lists."""

    rule: str
    chance: float
    own: float = 1.0
    contradicts: bool = False

    @property
    def points(self) -> float:
        """Bits of evidence."""
        return log2(self.own / self.chance)


UNKNOWN: Final = BirthAgreement(rule="BIRTH_UNKNOWN", chance=1.0)
_DAY: Final = BirthAgreement(rule="BIRTH_DAY", chance=1 / DAYS)
_SWAPPED: Final = BirthAgreement(rule="BIRTH_DAY_AND_MONTH_SWAPPED", chance=1 / DAYS, own=0.015)
_STEP: Final = BirthAgreement(rule="BIRTH_ONE_STEP", chance=10 / DAYS, own=0.025)
_SLIP: Final = BirthAgreement(rule="BIRTH_ONE_SLIP", chance=32 / DAYS, own=0.01)
_MONTH: Final = BirthAgreement(rule="BIRTH_MONTH", chance=1 / MONTHS)
_YEAR: Final = BirthAgreement(rule="BIRTH_YEAR", chance=1 / YEARS)
_PLACEHOLDER: Final = BirthAgreement(rule="BIRTH_1_JANUARY", chance=1.1 / YEARS, own=0.1)
_AROUND: Final = BirthAgreement(rule="BIRTH_AROUND", chance=4 / YEARS, own=0.5)
_DECADE: Final = BirthAgreement(rule="BIRTH_DECADE", chance=1 / DECADES)
_OTHERWISE: Final = BirthAgreement(rule="BIRTH_CONTRADICTS", chance=1.0, contradicts=True)

BIRTH_RULES: Final = (_DAY, _SWAPPED, _STEP, _SLIP, _MONTH, _YEAR, _PLACEHOLDER, _AROUND, _DECADE, UNKNOWN, _OTHERWISE)


def agreement(told: PartialDate | None, shown: PartialDate | None) -> BirthAgreement:
    """Compare the alert's date (`told`) with the passenger's (`shown`)."""
    if told is None or shown is None or _vague(told) or _vague(shown):
        return UNKNOWN if told is None or shown is None or _overlap(told, shown) else _OTHERWISE
    if _overlap(told, shown):
        return _as_far_as_known(told, shown)
    if told.month and told.day and shown.month and shown.day:
        one, other = day_of(told), day_of(shown)
        if other == swapped(one):
            return _SWAPPED
        # Both go either way; a passenger's are asked for again with each alert.
        if one in steps(other):
            return _STEP
        if one in slips(other):
            return _SLIP
    if told.first_year == shown.first_year and told.last_year == shown.last_year and (is_placeholder(told) or is_placeholder(shown)):
        return _PLACEHOLDER
    reach = margin(told) + margin(shown)
    if reach and told.first_year - reach <= shown.last_year and shown.first_year - reach <= told.last_year:
        return _AROUND
    return _OTHERWISE


def _as_far_as_known(told: PartialDate, shown: PartialDate) -> BirthAgreement:
    if told.first_year != told.last_year or shown.first_year != shown.last_year:
        return _DECADE
    if not (told.month and shown.month):
        return _YEAR
    return _DAY if told.day and shown.day else _MONTH


def _vague(born: PartialDate) -> bool:
    return born.last_year - born.first_year > 9


def _overlap(one: PartialDate, other: PartialDate) -> bool:
    return one.earliest() <= other.latest() and other.earliest() <= one.latest()


def day_of(born: PartialDate) -> date | None:
    """The day, if it is known."""
    return born.earliest() if born.day and born.month and born.first_year == born.last_year else None


def is_placeholder(born: PartialDate) -> bool:
    """Whether the day is 1 January, which registers write for any day of the year."""
    return born.month == 1 and born.day == 1


def margin(born: PartialDate) -> int:
    """By how many years a date in doubt may be wrong."""
    return (1 if born.uncertain else 0) + (2 if born.approximate else 0)


def swapped(day: date | None) -> date | None:
    """The date with day and month exchanged, if there is one and it is another."""
    if day is None or day.day > 12 or day.day == day.month:
        return None
    return date(day.year, day.day, day.month)


@lru_cache(maxsize=1)
def steps(day: date | None) -> frozenset[date]:
    """The dates one day away, or with one digit higher or lower by one: the commonest slips, of copying and of time zones."""
    return frozenset() if day is None else frozenset(_steps(day))


@lru_cache(maxsize=1)
def slips(day: date | None) -> frozenset[date]:
    """The dates that differ from it in one digit, or by a step: what a typing or reading slip makes of it."""
    return frozenset() if day is None else frozenset((*_steps(day), *_digits(day, range(10))))


def _steps(day: date) -> Iterator[date]:
    for change in (-1, 1):
        yield day + timedelta(change)
        yield from _date(day.year + change, day.month, day.day)
        yield from _digits(day, (change,), relative=True)


def _digits(day: date, digits: Iterable[int], *, relative: bool = False) -> Iterator[date]:
    text = f"{day.year:04d}{day.month:02d}{day.day:02d}"
    for place in range(2, 8):
        for digit in digits:
            other = int(text[place]) + digit if relative else digit
            if 0 <= other <= 9 and str(other) != text[place]:
                changed = f"{text[:place]}{other}{text[place + 1 :]}"
                yield from _date(int(changed[:4]), int(changed[4:6]), int(changed[6:]))


def _date(year: int, month: int, day: int) -> Iterator[date]:
    if 1000 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]:
        yield date(year, month, day)
