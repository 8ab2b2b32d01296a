"""Reading the machine readable zone of a travel document: ICAO Doc 9303 (8th edition).

Part 3 has the characters, the check digits and the dates; part 4 the passport (TD3, 2 lines of 44), part 5 the card
(TD1, 3 lines of 30), part 6 the larger card (TD2, 2 lines of 36). Visas (part 7) do not identify and are refused.
Everything that is wrong is told at once, by line and position, and nothing of the content is ever repeated.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from exchange.errors import Malformed
from node.intake.countries import COUNTRIES
from node.intake.edtf import EdtfInvalid, PartialDate, read_edtf
from node.intake.mrz_layout import TD1, TD2, TD3, Field, Layout

_FILLER = "<"
_WEIGHTS = (7, 3, 1)
_VALUES = {sign: value for value, sign in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {_FILLER: 0}

_STRAYS = (
    (re.compile(r"[a-z]+"), "MRZ_LOWER_CASE", "small letters: write capital letters, as printed"),
    (re.compile(r"\s+"), "MRZ_SPACE", "a space: a zone has none; write < for each that is printed, or take it out"),
    (
        re.compile(r"[^A-Za-z0-9<\s]+"),
        "MRZ_CHARACTER",
        "not a character of a zone: only A to Z, 0 to 9 and < are printed (« stands for two <, ‹ for one)",
    ),
)
_DIGITS = re.compile(r"[0-9]+")
_LETTERS = re.compile(r"[A-Z]+")
_NAMES = re.compile(r"([A-Z]+(?:<[A-Z]+)*)(?:<<([A-Z]+(?:<[A-Z]+)*))?<*")
_DATE = re.compile(r"([0-9]{2}|<<)([0-9]{2}|<<)([0-9]{2}|<<)")
_LONGEST_DAY = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}

_ALIKE = "compare each character with the document; 0 and O, 1 and I, 2 and Z, 5 and S, 8 and B look alike"
_NO_LETTER = "a letter where only digits stand: perhaps O for 0, I for 1, Z for 2, S for 5 or B for 8"
_NO_DIGIT = "a digit where only letters stand: perhaps 0 for O, 1 for I, 2 for Z, 5 for S or 8 for B"
_OTHERWISE = "if the document does print this, give its details field by field instead of these lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class MrzProblem:
    """One thing that is wrong. `line`, `start` and `end` count from 1, `end` included; all are 0 for the whole zone."""

    line: int
    start: int
    end: int
    code: str
    message: str

    def __str__(self) -> str:
        if not self.line:
            return self.message
        where = f"position {self.start}" if self.start == self.end else f"positions {self.start} to {self.end}"
        return f"line {self.line}, {where}: {self.message}"


class MrzInvalid(Malformed):
    """The lines are not a machine readable zone. `problems` lists all that is wrong, in reading order."""

    def __init__(self, problems: tuple[MrzProblem, ...]) -> None:
        super().__init__("MRZ_INVALID", "; ".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MrzDate:
    """A date as a zone has it: a year of two digits, and None for a part that is filled, that is, unknown."""

    year: int | None
    month: int | None
    day: int | None

    def in_century(self, century: int) -> PartialDate | None:
        """Read the date as one of `century` (19 for 1900 to 1999); None without a year, or if no such day was.

        A day whose month is unknown is dropped: EDTF level 1 cannot say it.
        """
        if self.year is None:
            return None
        text = f"{century}{self.year:02d}"
        if self.month is not None:
            text += f"-{self.month:02d}-" + ("XX" if self.day is None else f"{self.day:02d}")
        else:
            text += "-XX-XX"
        try:
            return read_edtf(text)
        except EdtfInvalid:  # 29 February of 1900
            return None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MachineReadableZone:
    """What a zone says. It has no repr of its own: personal data must not reach a log by way of a traceback.

    `document_code` has one or two letters (P, ID, AC…); `issuing_state` and `nationality` are codes of `COUNTRIES`.
    Fillers at the end are gone everywhere; one inside `document_number` or `optional_data` stands for a sign that a
    zone cannot print, and stays. `optional_data` has two texts for TD1, one for TD2 and TD3, each possibly empty.
    `surname` is the primary identifier, `given_names` the secondary one, empty when the document has one name only,
    which is no error. `names_truncated`: the field is full to its last position, so the names may go on. `sex` X is `<`
    in the zone: not specified. `expiry` is None when none is stated.
    """

    document_format: Literal["TD1", "TD2", "TD3"]
    document_code: str
    issuing_state: str
    document_number: str
    nationality: str
    birth: MrzDate
    sex: Literal["F", "M", "X"]
    expiry: MrzDate | None
    optional_data: tuple[str, ...]
    surname: str
    given_names: str
    names_truncated: bool

    def birth_edtf(self, today: date) -> str | None:
        """Tell the birth date as EDTF level 1: the latest one with these digits that is not after `today`.

        So a person over a hundred reads as a child: compare with the document. None when the year is unknown.
        """
        candidates = (self.birth.in_century(century) for century in range(today.year // 100, 9, -1))
        return next((born.text for born in candidates if born and born.earliest() <= today), None)

    def expiry_edtf(self, today: date) -> str | None:
        """Tell the expiry date as EDTF level 1: the one with these digits nearest to `today`. None when not stated."""
        if self.expiry is None:
            return None
        century = today.year // 100
        candidates = [found for near in (century - 1, century, century + 1) if (found := self.expiry.in_century(near))]
        nearest = min(candidates, key=lambda expires: abs(expires.earliest() - today), default=None)
        return nearest.text if nearest else None


def check_digit(text: str) -> int:
    """Compute the check digit of `text` (A to Z, 0 to 9, `<`): Doc 9303-3, 4.9. Raises KeyError on anything else."""
    return sum(_VALUES[sign] * _WEIGHTS[place % 3] for place, sign in enumerate(text)) % 10


def read_mrz(lines: Sequence[str]) -> MachineReadableZone:
    """Read the lines of a zone, exactly as printed. Raises `MrzInvalid` with every problem found."""
    zone = _Zone(_layout(lines), lines)
    if problems := zone.problems():
        raise MrzInvalid(tuple(sorted(problems, key=lambda problem: (problem.line, problem.start, problem.end))))
    return zone.read()


def _layout(lines: Sequence[str]) -> Layout:
    if len(lines) == 3:
        return TD1
    if len(lines) == 2:  # the nearer length is meant; a wrong one is then told against it
        return TD3 if max(map(len, lines)) > (TD2.length + TD3.length) // 2 else TD2
    message = "a zone has 3 lines of 30 characters (card), or 2 of 36 (card) or 44 (passport): give each line by itself"
    raise MrzInvalid((MrzProblem(line=0, start=0, end=0, code="MRZ_LINES", message=message),))


def _problem(field: Field, code: str, message: str) -> MrzProblem:
    return MrzProblem(line=field.line, start=field.start, end=field.end, code=code, message=message)


def _date(text: str) -> MrzDate:
    year, month, day = (None if part == "<<" else int(part) for part in (text[:2], text[2:4], text[4:]))
    return MrzDate(year=year, month=month, day=day)


class _Zone:
    """The lines laid over a layout: first what is wrong with them, then, when nothing is, what they say."""

    def __init__(self, layout: Layout, lines: Sequence[str]) -> None:
        self._layout = layout
        self._lines = lines

    def problems(self) -> list[MrzProblem]:
        """Find all that is wrong. A field with a stray character, or on a line of wrong length, is not judged."""
        layout = self._layout
        found = [problem for line in range(1, layout.lines + 1) for problem in self._line(line)]
        for judge, field in (
            (self._document_code, layout.code),
            (self._country, layout.issuing_state),
            (self._country, layout.nationality),
            (self._birth, layout.birth),
            (self._expiry, layout.expiry),
            (self._sex, layout.sex),
            (self._names, layout.names),
        ):
            if self._readable(field):
                found += judge(field)
        return [*found, *self._number(), *self._optional(), *self._composite()]

    def read(self) -> MachineReadableZone:
        """Say what the lines say; only for lines without problems."""
        layout = self._layout
        number, _, optional = self._number_parts()
        surname, _, given_names = self._text(layout.names).rstrip(_FILLER).partition(_FILLER * 2)
        sex, expiry = self._text(layout.sex), self._text(layout.expiry)
        return MachineReadableZone(
            document_format=layout.name,
            document_code=self._text(layout.code).rstrip(_FILLER),
            issuing_state=self._text(layout.issuing_state).rstrip(_FILLER),
            document_number=number.rstrip(_FILLER),
            nationality=self._text(layout.nationality).rstrip(_FILLER),
            birth=_date(self._text(layout.birth)),
            sex="F" if sex == "F" else "M" if sex == "M" else "X",
            expiry=_date(expiry) if expiry.strip(_FILLER) else None,
            optional_data=tuple(text.rstrip(_FILLER) for text in (optional, *(self._text(field) for field in layout.optional[1:]))),
            surname=surname.replace(_FILLER, " "),
            given_names=given_names.replace(_FILLER, " "),
            names_truncated=not self._text(layout.names).endswith(_FILLER),
        )

    def _text(self, *fields: Field) -> str:
        return "".join(self._lines[field.line - 1][field.start - 1 : field.end] for field in fields)

    def _readable(self, *fields: Field) -> bool:
        return all(len(self._lines[field.line - 1]) == self._layout.length for field in fields) and all(
            sign in _VALUES for sign in self._text(*fields)
        )

    def _runs(self, field: Field, pattern: re.Pattern[str], code: str, message: str) -> list[MrzProblem]:
        """Tell a problem for each run of characters that should not be there."""
        places = [(field.start + run.start(), field.start + run.end() - 1) for run in pattern.finditer(self._text(field))]
        return [_problem(Field(field.line, start, end), code, message) for start, end in places]

    def _line(self, line: int) -> list[MrzProblem]:
        count, length = len(self._lines[line - 1]), self._layout.length
        whole = Field(line, 1, length)
        found = [problem for stray in _STRAYS for problem in self._runs(whole, *stray)]
        if count != length:
            mend = "some are missing, often < at the end" if count < length else "some do not belong there"
            message = f"{count} characters, but a line of {self._layout.name} has {length}: {mend}"
            found.append(_problem(whole, "MRZ_LENGTH", message))
        return found

    def _document_code(self, field: Field) -> list[MrzProblem]:
        if digits := self._runs(field, _DIGITS, "MRZ_DIGIT", _NO_DIGIT):
            return digits
        first = self._text(field)[0]
        if first == "V":
            return [_problem(field, "MRZ_VISA", "this is the zone of a visa: give the lines of the passport or card")]
        if first not in self._layout.first_letters:
            letters = " or ".join(self._layout.first_letters)
            message = f"a {self._layout.name} zone begins with {letters}: {_OTHERWISE}"
            return [_problem(field, "MRZ_DOCUMENT_CODE", message)]
        return []

    def _country(self, field: Field) -> list[MrzProblem]:
        if digits := self._runs(field, _DIGITS, "MRZ_DIGIT", _NO_DIGIT):
            return digits
        if self._text(field).rstrip(_FILLER) in COUNTRIES:
            return []
        message = f"not a code of ISO 3166-1 alpha-3 or of Doc 9303-3, section 5: compare it; {_OTHERWISE}"
        return [_problem(field, "MRZ_COUNTRY", message)]

    def _birth(self, field: Field) -> list[MrzProblem]:
        return self._dated(field, "MRZ_CHECK_BIRTH")

    def _expiry(self, field: Field) -> list[MrzProblem]:
        return self._dated(field, "MRZ_CHECK_EXPIRY")

    def _dated(self, field: Field, check_code: str) -> list[MrzProblem]:
        text, check = self._text(field), Field(field.line, field.end + 1, field.end + 1)
        if letters := self._runs(field, _LETTERS, "MRZ_LETTER", _NO_LETTER):
            return letters
        found = []
        if self._readable(check) and self._text(check) != str(check_digit(text)):
            message = f"the date and its check digit, the last of these, do not agree: {_ALIKE}"
            found.append(_problem(Field(field.line, field.start, check.end), check_code, message))
        if not _DATE.fullmatch(text):
            message = "a date has two digits each for year, month and day, or << for one that is unknown"
            return [*found, _problem(field, "MRZ_DATE", message)]
        read = _date(text)
        longest = 28 if read.month == 2 and read.year is not None and read.year % 4 else 31
        longest = min(longest, _LONGEST_DAY.get(read.month or 0, 31))
        if (read.month is not None and not 1 <= read.month <= 12) or (read.day is not None and not 1 <= read.day <= longest):
            message = f"no calendar has this date: the order is year, month, day, << for an unknown one; {_OTHERWISE}"
            found.append(_problem(field, "MRZ_DATE", message))
        return found

    def _sex(self, field: Field) -> list[MrzProblem]:
        if self._text(field) in {"F", "M", _FILLER}:
            return []
        return [_problem(field, "MRZ_SEX", "the sex is F, M or <: an X elsewhere on the document is a < here")]

    def _names(self, field: Field) -> list[MrzProblem]:
        if digits := self._runs(field, _DIGITS, "MRZ_DIGIT", _NO_DIGIT):
            return digits
        if _NAMES.fullmatch(self._text(field)):
            return []
        message = "names are printed as SURNAME<<GIVEN<NAMES, or SURNAME alone, and < to the end: look for a K or L that is <"
        return [_problem(field, "MRZ_NAMES", message)]

    def _number_parts(self) -> tuple[str, str, str]:
        """Tell document number, its check digit, and what is left of the first optional field.

        Long numbers (Doc 9303-5 and -6): `<` stands for the check digit, and the first optional field begins
        with the rest of the number, its check digit and `<`. Neither `<` is part of what that digit checks.
        """
        layout = self._layout
        number, check, optional = (
            self._text(layout.number),
            self._text(layout.number_check),
            self._text(layout.optional[0]),
        )
        rest, end, left = optional.partition(_FILLER)
        if layout.long_numbers and check == _FILLER and end and len(rest) > 1:
            return number + rest[:-1], rest[-1], left
        return number, check, optional

    def _number(self) -> list[MrzProblem]:
        layout = self._layout
        place = Field(layout.number.line, layout.number.start, layout.number_check.end)
        if not self._readable(place) or (layout.long_numbers and not self._readable(layout.optional[0])):
            return []
        number, check, _ = self._number_parts()
        if not number.strip(_FILLER):
            return [_problem(place, "MRZ_NUMBER_EMPTY", f"there is no document number: {_OTHERWISE}")]
        if check == str(check_digit(number)):
            return []
        message = f"the document number and its check digit do not agree: {_ALIKE}"
        if self._text(layout.number_check) == _FILLER:
            message += (
                "; a < for the check digit says that number and check digit go on in the optional data, up to a <"
                if layout.long_numbers
                else "; the check digit, the last of these, is missing"
            )
        return [_problem(place, "MRZ_CHECK_NUMBER", message)]

    def _optional(self) -> list[MrzProblem]:
        (field, *_), check = self._layout.optional, self._layout.optional_check
        if check is None or not self._readable(field, check):
            return []
        text, sign = self._text(field), self._text(check)
        if sign == str(check_digit(text)) or (sign == _FILLER and not text.strip(_FILLER)):
            return []
        message = f"the optional data and their check digit, the last of these, do not agree: {_ALIKE}"
        return [_problem(Field(field.line, field.start, check.end), "MRZ_CHECK_OPTIONAL", message)]

    def _composite(self) -> list[MrzProblem]:
        covered, check = self._layout.composite, self._layout.composite_check
        if not self._readable(*covered, check) or self._text(check) == str(check_digit(self._text(*covered))):
            return []
        message = (
            "the last check digit does not agree with number, dates and optional data together: mend what else is told "
            f"first; if nothing is, {_ALIKE}"
        )
        return [_problem(check, "MRZ_CHECK_COMPOSITE", message)]
