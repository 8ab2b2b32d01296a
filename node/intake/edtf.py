"""Dates of which only a part is known: the subset of EDTF (ISO 8601-2:2019, levels 0 and 1) that an alert carries.

| written | known |
|---|---|
| `1961-04-12`, `1961-04`, `1961` | the day; the month; the year |
| `1961-04-XX`, `1961-XX`, `1961-XX-XX` | the same, where the source shows that a part is missing |
| `196X`, `19XX` | the decade; the century |
| any of these and `?`, `~` or `%` | uncertain; approximate; both |

Not in the subset: seasons, intervals, sets, times of day, years outside 1000 to 9999, and everything of level 2 (such
as `1961-XX-12`, or a qualifier inside the date). What is not known is never padded: `1961` is a year, not 1 January.

Source: ISO 8601-2:2019; Library of Congress, Extended Date/Time Format Specification, 4 February 2019.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from exchange.errors import Malformed

# The exact syntax, without look-around or back-references, so that RE2 (protovalidate, CEL) reads it as Python does.
# Days that no calendar has, such as 1961-02-30, fit the syntax; `read_edtf` refuses them.
EDTF_PATTERN = r"^[1-9][0-9](XX|[0-9]X|[0-9][0-9](-XX(-XX)?|-(0[1-9]|1[0-2])(-(XX|0[1-9]|[12][0-9]|3[01]))?)?)[?~%]?$"

_SYNTAX = re.compile(EDTF_PATTERN)
_SHAPE = "YYYY, YYYY-MM or YYYY-MM-DD, X for unknown last digits (196X, 1961-XX), and ?, ~ or % at the end if in doubt"

# Common mistakes, first match wins: what the text looks like, the code, and what to write instead.
_DAY_OR_MONTH_FIRST = re.compile(r"^([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{2,4})$")
_MISTAKES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"\s"), "EDTF_SPACE", "a date is written without words and spaces: about 1970 is 1970~, March 1985 is 1985-03"),
    (
        _DAY_OR_MONTH_FIRST,
        "EDTF_ORDER",
        "the date is written day or month first: write it as YYYY-MM-DD",
    ),
    (
        re.compile(r"/|\.\."),
        "EDTF_INTERVAL",
        "intervals are not accepted: write one date, with fewer parts (1961, 196X) or a ~ at its end",
    ),
    (re.compile(r"^[-+Y]"), "EDTF_YEAR", "signed years and years with a leading Y are not accepted: write four digits"),
    (
        re.compile(r"[\[\]{},]"),
        "EDTF_SET",
        "sets of dates are not accepted: write one date, with fewer parts",
    ),
    (re.compile(r"[T:Z]"), "EDTF_TIME", "a time of day is not part of this date: write the date alone"),
    (
        re.compile(r"^[0-9]{4}-(2[1-9]|3[0-9]|4[01])[?~%]?$"),
        "EDTF_SEASON",
        "the month is above 12: seasons and quarters are not accepted; write the year alone",
    ),
    (re.compile(r"[xuU]"), "EDTF_UNKNOWN_DIGIT", "an unknown digit is written with a capital X"),
    (
        re.compile(r"[?~%]."),
        "EDTF_QUALIFIER",
        "?, ~ and % stand once, at the very end, and apply to the whole date",
    ),
    (
        re.compile(r"X[0-9]|X-[0-9]|^[0-9X]{2,3}X-"),
        "EDTF_LEVEL_2",
        "a part follows an unknown one: keep what comes before the first unknown digit, and leave out the rest",
    ),
    (
        re.compile(r"^[0-9X]{4}(-[0-9X]{1,2}){0,2}[?~%]?$"),
        "EDTF_RANGE",
        "the year (from 1000), month (01 to 12) or day (01 to 31) is out of range or lacks a digit",
    ),
)


class EdtfInvalid(Malformed):
    """Not a date of the subset. The message says what is wrong and what to write, and never repeats the date."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PartialDate:
    """A date as far as it is known; `text` is the EDTF it was read from, verbatim.

    The year is a span: `first_year == last_year` when it is known, ten or a hundred years when its last digits are not.
    `month` (1 to 12) and `day` (1 to 31) are None when unknown. `uncertain` is `?`, `approximate` is `~`, both are `%`.
    It has no repr of its own: a birth date must not reach a log by way of a traceback.
    """

    text: str
    first_year: int
    last_year: int
    month: int | None
    day: int | None
    uncertain: bool
    approximate: bool

    def earliest(self) -> date:
        """Tell the first day that the date may mean, its qualifier left aside; for comparisons, never for display."""
        return date(self.first_year, self.month or 1, self.day or 1)

    def latest(self) -> date:
        """Tell the last day that the date may mean, its qualifier left aside; for comparisons, never for display."""
        month = self.month or 12
        return date(self.last_year, month, self.day or monthrange(self.last_year, month)[1])


def read_edtf(text: str) -> PartialDate:
    """Read one date of the subset. Raises `EdtfInvalid`, whose code and message say which mistake it looks like."""
    if not _SYNTAX.fullmatch(text):
        raise _refusal(text)
    parts = text.rstrip("?~%").split("-")
    year, month, day = (*parts, "XX", "XX")[:3]
    read = PartialDate(
        text=text,
        first_year=int(year.replace("X", "0")),
        last_year=int(year.replace("X", "9")),
        month=None if month == "XX" else int(month),
        day=None if day == "XX" else int(day),
        uncertain=text[-1] in "?%",
        approximate=text[-1] in "~%",
    )
    if read.month and read.day and read.day > monthrange(read.first_year, read.month)[1]:
        raise _no_such_day()
    return read


def _refusal(text: str) -> EdtfInvalid:
    for pattern, code, message in _MISTAKES:
        if pattern.search(text):
            return _no_such_day() if code == "EDTF_ORDER" and not _either_way(text) else EdtfInvalid(code, message)
    return EdtfInvalid("EDTF_SYNTAX", f"not a date in EDTF: write {_SHAPE}")


def _no_such_day() -> EdtfInvalid:
    return EdtfInvalid("EDTF_NO_SUCH_DAY", "that month of that year has no such day: check day, month and year")


def _either_way(text: str) -> bool:
    """Whether a date that begins with the day or the month is one at all, read in one of both ways."""
    found = _DAY_OR_MONTH_FIRST.fullmatch(text)
    first, second, year = map(int, found.groups()) if found else (0, 0, 0)
    return any(year and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1] for day, month in ((first, second), (second, first)))
