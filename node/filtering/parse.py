r"""Filters of lists, a strict subset of AIP-160 (google.aip.dev/160), read into `node.filtering.terms`.

    filter      = [ expression ]
    expression  = term { "AND" term } | term { "OR" term }        the two mixed only with parentheses
    term        = [ "NOT" ] ( "(" expression ")" | restriction )
    restriction = field op value                                   op: = != < <= > >= :
    value       = bare | "…"                                       in quotes, \" and \\ stand for " and \\

AIP-160 lets OR bind closer than AND, which is not what most people read; here whoever mixes them says which is meant. Words
without a field, `-` for NOT, functions, and fields within fields are refused. No message repeats what was written: it may be a name.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, NoReturn, cast

from exchange.errors import Malformed
from node.filtering.terms import EVERYTHING, And, Comparison, Filter, FilterField, Kind, Not, Operator, Or, Present, Value, Vocabulary
from node.intake.instants import InstantInvalid, read_instant

LONGEST: Final = 2000
"""Characters of one filter."""
DEEPEST: Final = 16
"""Parentheses inside parentheses."""
MOST: Final = 64
"""Comparisons of one filter."""

_TOKEN: Final = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\["\\])*")|(?P<operator><=|>=|!=|[=<>:])|(?P<bracket>[()])|(?P<bare>[^\s()"=<>!:]+(?::[^\s()"=<>!:]+)*))'
)
_BARE_VALUE: Final = re.compile(r'\s*(?P<bare>[^\s()"]+)')
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_HIGHEST: Final = 2**63 - 1
_ORDERED: Final = frozenset({Kind.NUMBER, Kind.TIME})
_WORDS: Final = frozenset({"AND", "OR", "NOT"})


def parse_filter(text: str, vocabulary: Vocabulary) -> Filter:
    """Read a filter over these fields; an empty one holds for everything.

    Raises `Malformed` FILTER, which names the place (the first character is 1) and what may stand there.
    """
    if len(text) > LONGEST:
        raise Malformed("FILTER", f"the filter is longer than {LONGEST} characters")
    reader = _Reader(text=text, vocabulary=vocabulary)
    if reader.at_end():
        return EVERYTHING
    found = reader.expression(0)
    if not reader.at_end():
        reader.wrong("AND, OR or the end of the filter must stand here")
    return found


@dataclass(slots=True, kw_only=True)
class _Reader:
    text: str
    vocabulary: Vocabulary
    at: int = 0
    comparisons: int = 0

    def wrong(self, what: str, at: int | None = None) -> NoReturn:
        raise Malformed("FILTER", f"character {self._skip(self.at if at is None else at) + 1}: {what}")

    def at_end(self) -> bool:
        return self._skip(self.at) == len(self.text)

    def expression(self, depth: int) -> Filter:
        if depth > DEEPEST:
            self.wrong(f"parentheses are more than {DEEPEST} deep")
        parts = [self.term(depth)]
        word = self._word()
        while (found := self._word()) in {"AND", "OR"}:
            if found != word:
                self.wrong("AND and OR beside each other need parentheses to say which is meant")
            self._take_word()
            parts.append(self.term(depth))
        if len(parts) == 1:
            return parts[0]
        return And(parts=tuple(parts)) if word == "AND" else Or(parts=tuple(parts))

    def term(self, depth: int) -> Filter:
        if self._word() == "NOT":
            self._take_word()
            return Not(part=self._simple(depth))
        return self._simple(depth)

    def _simple(self, depth: int) -> Filter:
        match = _TOKEN.match(self.text, self.at)
        if match and match["bracket"] == "(":
            self.at = match.end()
            inner = self.expression(depth + 1)
            closing = _TOKEN.match(self.text, self.at)
            if not closing or closing["bracket"] != ")":
                self.wrong("a closing parenthesis must stand here")
            self.at = closing.end()
            return inner
        return self._restriction()

    def _restriction(self) -> Filter:
        name = _TOKEN.match(self.text, self.at)
        if not name or not name["bare"] or name["bare"] in _WORDS:
            self.wrong("the name of a field, NOT or an opening parenthesis must stand here")
        # A field before `:` is read up to it, for a bare word may hold colons of its own.
        field = name["bare"].partition(":")[0]
        known = self.vocabulary.get(field)
        if known is None:
            self.wrong(f"there is no such field; the fields are {', '.join(sorted(self.vocabulary))}")
        self.at = name.start("bare") + len(field)
        operator = _TOKEN.match(self.text, self.at)
        if not operator or not operator["operator"]:
            self.wrong("an operator must stand here: = != < <= > >= or :")
        begun, self.at = self.at, operator.end()
        self.comparisons += 1
        if self.comparisons > MOST:
            self.wrong(f"the filter has more than {MOST} comparisons", begun)
        return self._compare(field, known, operator["operator"], begun)

    def _compare(self, field: str, known: FilterField, operator: str, begun: int) -> Filter:
        text, quoted, at = self._value()
        if operator == ":":
            if text == "*" and not quoted:
                return Present(field=field)
            if known.kind is not Kind.TEXTS:
                self.wrong("this field has one value: compare it with =, or ask with :* whether there is one", begun)
        elif known.kind is Kind.TEXTS:
            self.wrong("this field has several values: ask with : whether one of them is meant", begun)
        elif operator not in {"=", "!="} and known.kind not in _ORDERED:
            self.wrong("this field has no order: compare it with = or !=", begun)
        beginning = known.kind in {Kind.TEXT, Kind.TEXTS} and not quoted and text.endswith("*")
        value = self._read(known, text.removesuffix("*") if beginning else text, at)
        return Comparison(field=field, operator=cast("Operator", "=" if operator == ":" else operator), value=value, beginning=beginning)

    def _value(self) -> tuple[str, bool, int]:
        quoted = _TOKEN.match(self.text, self.at)
        if quoted and quoted["quoted"]:
            self.at = quoted.end()
            return re.sub(r"\\(.)", r"\1", quoted["quoted"][1:-1]), True, quoted.start("quoted")
        bare = _BARE_VALUE.match(self.text, self.at)
        if not bare:
            self.wrong('a value must stand here: a word, or a text in "quotes"')
        self.at = bare.end()
        return bare["bare"], False, bare.start("bare")

    def _read(self, known: FilterField, text: str, at: int) -> Value:
        match known.kind:
            case Kind.TEXT | Kind.TEXTS:
                if "*" in text and self.text[at] != '"':
                    self.wrong("* may stand only at the end; put a text with * into quotes", at)
                return text
            case Kind.CHOICE:
                if text.upper() not in known.choices:
                    self.wrong(f"this must be one of {', '.join(known.choices)}", at)
                return known.choices[text.upper()]
            case Kind.NUMBER:
                if not _NUMBER.fullmatch(text) or int(text) > _HIGHEST:
                    self.wrong("this must be a number, 0 or above, without leading zeros", at)
                return int(text)
            case Kind.TIME:
                return self._time(text, at)
            case Kind.DIGEST:
                if not re.fullmatch(r"[0-9A-Fa-f]{64}", text):
                    self.wrong("this must be a digest, 64 hex digits", at)
                return bytes.fromhex(text)
            case Kind.FLAG:
                if text not in {"true", "false"}:
                    self.wrong("this must be true or false", at)
                return text == "true"

    def _time(self, text: str, at: int) -> int:
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                day = date.fromisoformat(text)
                return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
            return read_instant(text)
        except (ValueError, InstantInvalid):
            self.wrong("this must be a day such as 2027-03-04, or a time with its zone such as 2027-03-04T18:00Z", at)

    def _word(self) -> str:
        match = _TOKEN.match(self.text, self.at)
        return match["bare"] if match and match["bare"] in _WORDS else ""

    def _take_word(self) -> None:
        match = _TOKEN.match(self.text, self.at)
        if match:
            self.at = match.end()

    def _skip(self, at: int) -> int:
        return at + len(self.text[at:]) - len(self.text[at:].lstrip())
