"""Dates and times as people say them, into the forms of an alert: `about 1970`, `03/1985`, `12 April 1961`, `4 Mar 2027 21:30`.

| said | means |
|---|---|
| `1970`, `the 1970s`, `03/1985`, `March 1985` | the year; the decade; the month |
| `12.4.1961`, `12 April 1961`, `1961/04/12` | the day |
| any of these after `about`, `around`, `circa`; before `?` | approximate; uncertain |
| `BE 2513`, `พ.ศ. 2513` | the year of the Buddhist era, 543 before it |
| `between 1968 and 1972`, `1968 to 1972` | the year between, approximate: of ten years at most; of a whole decade that |
| `aged 56`, `56 years old` | the year so long ago, approximate, where the caller gives today |

A point in time (`31 March 2027 18:00`) is by the clocks of the caller's zone, or of UTC where that stands behind it; a day alone is its
last minute, and a span (`3 months`) so many days.
With dots the day stands first everywhere. What can be read in two ways, such as `04/05/1961`, is nothing: it stays as it was said, and
the intake asks for another form. Names of months are the caller's to give, by their lower-case form.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from node.intake.edtf import EdtfInvalid, read_edtf

ENGLISH_MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, whole in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"), 1
    )
    for name in (whole, whole[:3])
} | {"sept": 9}

_ABOUT: Final = re.compile(r"^(about|around|approximately|approx\.?|circa|ca\.?|c\.|~|≈|ប្រហែល|ប្រមាណ|ประมาณ|ราว|khoảng|chừng)\s*")
_DOUBT: Final = re.compile(r"\s*(\?|\(\?\)|perhaps|probably|uncertain)$")
_BUDDHIST: Final = re.compile(r"^(?:be|b\.e\.|พ\.?ศ\.?|ព\.?ស\.?)\s*(2[3-6][0-9]{2})$|^(2[3-6][0-9]{2})\s*(?:be|b\.e\.)$")
_DECADE: Final = re.compile(r"^(?:the )?([1-9][0-9]{2})0[’']?s$")
_BETWEEN: Final = re.compile(
    r"^(?:between |from |ពីឆ្នាំ |ពី |ระหว่างปี |ระหว่าง |từ năm |từ |khoảng )?([1-9][0-9]{3})"
    r"(?: ?[-–] ?| and | to | or | ដល់ | និង | ถึง | และ | đến | và )([1-9][0-9]{3})$"
)
_AGE: Final = re.compile(r"^(?:(?:aged?|អាយុ|อายุ) ?([0-9]{1,3})(?: ?(?:ឆ្នាំ|ปี))?|([0-9]{1,3})(?: ?(?:years old|year old|ឆ្នាំ|ปี|tuổi)))$")
_MONTH_FIRST: Final = re.compile(r"^([0-9]{1,2})[/.-]([0-9]{4})$")
_YEAR_FIRST: Final = re.compile(r"^([0-9]{4})[/.-]([0-9]{1,2})(?:[/.-]([0-9]{1,2}))?$")
_DAY_AND_MONTH: Final = re.compile(r"^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})$")
_IN_WORDS: Final = (
    re.compile(r"^(?:(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?\.? )?(?:of )?(?P<month>[^0-9\s,]+(?: [0-9]{1,2})?),? (?P<year>[0-9]{4})$"),
    re.compile(r"^(?P<month>[^0-9\s,]+) (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,? (?P<year>[0-9]{4})$"),
)
_CLOCK: Final = re.compile(r"^(?P<day>.*?)[\s,]*t?(?P<hour>[0-9]{1,2})[:.h](?P<minute>[0-9]{2})(?P<seconds>:00)?\s*(?P<half>[ap]\.?m\.?)?$")
_LONGEST: Final = 60
"""No date has more signs; patterns that look into longer texts would take their time."""
_ERA: Final = 543
_NOON: Final = 12
_UTC: Final = re.compile(r"\s*(?:utc|gmt)$", re.IGNORECASE)
_HOW_LONG: Final = re.compile(r"^(?:in |for |within |khoảng )?([1-9][0-9]{0,3}) ?([^\W0-9_]\S*)?$")
_UNITS: Final[Mapping[str, tuple[int, int]]] = {
    **dict.fromkeys(("", "day", "days", "ថ្ងៃ", "วัน", "ngày"), (0, 1)),
    **dict.fromkeys(("week", "weeks", "សប្តាហ៍", "សប្ដាហ៍", "สัปดาห์", "tuần"), (0, 7)),
    **dict.fromkeys(("month", "months", "ខែ", "เดือน", "tháng"), (1, 0)),
    **dict.fromkeys(("year", "years", "ឆ្នាំ", "ปี", "năm"), (12, 0)),
}
"""How many months and days each is."""
_SPAN: Final = 10
"""Of more years the one between says nothing."""


def spoken_date(text: str, months: Mapping[str, int] = ENGLISH_MONTHS, today: date | None = None) -> str:
    """The EDTF date that is meant; the text as it is where none, or more than one, can be. An age is told from `today`."""
    if len(text) > _LONGEST:
        return text.strip()
    said = _plain(text)
    if year := _span(said) or (_born(said, today) if today else None):
        return year
    core, about = _ABOUT.subn("", said, count=1)
    core, doubt = _DOUBT.subn("", core, count=1)
    meant = _date(core.strip(), months)
    if meant is None:
        return _edtf(said.upper()) or text.strip()
    return _edtf(meant + ("%" if about and doubt else "~" if about else "?" if doubt else "")) or text.strip()


def spoken_time(text: str, months: Mapping[str, int] = ENGLISH_MONTHS) -> str:
    """The day, or the day and time, as a local time has it; the text as it is where that cannot be told."""
    if len(text) > _LONGEST:
        return text.strip()
    said = _plain(text)
    clock = _CLOCK.match(said)
    day = _date(clock["day"].strip() if clock else said, months)
    if day is None or len(day) != len("YYYY-MM-DD"):
        return text.strip()
    if clock is None:
        return day
    hour = int(clock["hour"])
    if half := clock["half"]:
        if not 1 <= hour <= _NOON:
            return text.strip()
        hour = hour % _NOON + (_NOON if half.startswith("p") else 0)
    return f"{day}T{hour:02d}:{clock['minute']}" if hour <= 23 and int(clock["minute"]) <= 59 else text.strip()


def spoken_instant(text: str, zone: str, months: Mapping[str, int] = ENGLISH_MONTHS) -> str:
    """The point in time that is meant, as an alert file has it; the text as it is where that cannot be told."""
    said, utc = _UTC.subn("", text.strip(), count=1)
    meant = spoken_time(said, months)
    try:
        at = datetime.fromisoformat(meant)
    except ValueError:
        return text.strip()
    if at.tzinfo is not None:
        return text.strip()
    place: tzinfo = UTC if utc else ZoneInfo(zone)
    last = {"hour": 23, "minute": 59} if len(meant) == len("YYYY-MM-DD") else {}
    return at.replace(**last, tzinfo=place).isoformat(timespec="minutes")


def spoken_end(text: str, zone: str, months: Mapping[str, int], today: date) -> str:
    """Until when something holds: so many days as `P30D`, or a point in time as `spoken_instant` reads it."""
    found = _HOW_LONG.fullmatch(_plain(text)) if len(text) <= _LONGEST else None
    if found is None or (found[2] or "") not in _UNITS:
        return spoken_instant(text, zone, months)
    count, (by_months, days) = int(found[1]), _UNITS[found[2] or ""]
    if not by_months:
        return f"P{count * days}D"
    year, month = divmod(today.year * 12 + today.month - 1 + count * by_months, 12)
    if year > today.max.year:
        return text.strip()
    return f"P{(date(year, month + 1, min(today.day, monthrange(year, month + 1)[1])) - today).days}D"


def _plain(text: str) -> str:
    digits = "".join(str(unicodedata.digit(sign, sign)) if sign.isdigit() else sign for sign in text)
    return " ".join(digits.casefold().split())


def _edtf(text: str) -> str | None:
    try:
        return read_edtf(text).text
    except EdtfInvalid:
        return None


def _span(said: str) -> str | None:
    if not (found := _BETWEEN.match(said)):
        return None
    first, last = int(found[1]), int(found[2])
    if first % 10 == 0 and last == first + _SPAN - 1:
        return f"{first // 10}X"
    return f"{(first + last) // 2}~" if first < last <= first + _SPAN else None


def _born(said: str, today: date) -> str | None:
    found = _AGE.match(_ABOUT.sub("", said, count=1))
    return f"{today.year - int(found[1] or found[2])}~" if found else None


def _date(said: str, months: Mapping[str, int]) -> str | None:
    if found := _BUDDHIST.match(said):
        return str(int(found[1] or found[2]) - _ERA)
    if found := _DECADE.match(said):
        return f"{found[1]}X"
    if found := _MONTH_FIRST.match(said):
        return _whole(found[2], found[1], None)
    if found := _YEAR_FIRST.match(said):
        return _whole(*found.groups())
    if found := _DAY_AND_MONTH.match(said):
        first, second, year = found.groups()
        if "." in said:
            return _whole(year, second, first)
        either = {_whole(year, second, first), _whole(year, first, second)} - {None}
        return either.pop() if len(either) == 1 else None
    for pattern in _IN_WORDS:
        if (found := pattern.match(said)) and (month := months.get(found["month"]) or months.get(found["month"].rstrip("."))):
            return _whole(found["year"], str(month), found["day"])
    return said if re.fullmatch(r"[1-9][0-9]{3}", said) else None


def _whole(year: str, month: str, day: str | None) -> str | None:
    try:
        meant = date(int(year), int(month), int(day or 1))
    except ValueError:
        return None
    return f"{meant:%Y-%m-%d}" if day else f"{meant:%Y-%m}"
