"""A form for any part of an alert, by nothing but the schema's descriptors: a new alert type, or a new field, needs no new form.

`Composer.part` makes what a page shows of one field, `Composer.typed` what a form that was sent says of it, in the shape of an alert file.
What a person typed is kept as it is where it cannot be understood: the intake then says what is wrong with it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from babel.dates import get_month_names
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from exchange.v1.people_pb2 import PersonName, Text
from exchange.v1.travel_pb2 import Leg, LocalTime, Port
from node.console.compose_words import HINTS, LABELS, value_words
from node.console.languages import Language
from node.intake.countries import COUNTRIES
from node.intake.fields import enum_prefix, in_parts, is_nothing
from node.intake.names import scripts_of
from node.intake.paths import at, item
from node.intake.plain_document import Plain
from node.intake.ports import Port as KnownPort
from node.intake.ports import PortInvalid, find_ports, port
from node.intake.spoken_dates import ENGLISH_MONTHS, spoken_date, spoken_end, spoken_instant, spoken_time
from node.intake.value_checks import COUNTRIES as COUNTRY_FIELDS
from node.intake.value_checks import MONTHS, PARTIAL_DATES
from node.reading_texts import Texts
from node.reading_values import value_lines

FORM: Final = "f."
"""What the names of a form's fields begin with; behind it stands the path."""
MRZ: Final = "mrz"
"""What a document of an alert file holds besides its fields: the lines of its machine readable zone."""
_HIDDEN: Final = frozenset({"exchange.v1.PersonName.script", "exchange.v1.Port.country"})
"""Told by the intake from what stands beside them."""
_FIRST: Final[Mapping[str, tuple[str, ...]]] = {
    "exchange.v1.Leg": ("mode", "carrier", "service_number", "departure_port", "departure", "earliest_departure", "arrival_port"),
    "exchange.v1.PersonName": ("as_written",),
}
"""Fields that stand before the others on the page, in this order."""
_LONG: Final = 401
"""Of so many letters and more, a text has several lines."""
_PORTS_OFFERED: Final = 5
_OPEN_AT_ONCE: Final = 4
"""Of more rows each is one line, and the one that a person asks for is open: a page is to stay small."""
_IATA: Final = 3
_UNLOCODE: Final = re.compile(r"[A-Za-z]{2} ?[A-Za-z2-9]{3}")
_SAID_AS_A_WHOLE: Final = frozenset({"exchange.v1.LocalTime", "exchange.v1.Port"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Option:
    """One of several values."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Part:
    """One field as a page shows it. No repr: it is about a person."""

    kind: str
    """text, long, number, date, time, instant, country, port, list, choice, choices, group, rows, or line: a row that is not open"""
    path: str
    label: str
    value: str = ""
    hint: str = ""
    options: Sequence[Option] = ()
    parts: "Sequence[Part]" = ()
    """Of a group its fields, of rows the groups."""
    said: Sequence[str] = ()
    """What the intake reads here, in words."""
    filled: bool = False
    """Whether that comes from elsewhere, as from a document, since nobody typed anything here."""
    ports: Sequence[KnownPort] = ()
    """Ports that may be meant, where what was typed is no port's code."""
    needed: bool = False
    aside: bool = False
    """Whether it is folded away as long as nothing stands in it."""

    @property
    def name(self) -> str:
        """Of the field in the form."""
        return FORM + self.path

    @property
    def anchor(self) -> str:
        """The id of the field on the page."""
        return anchor(self.path)

    @property
    def empty(self) -> bool:
        """Whether nobody typed anything here."""
        typed = self.kind == "line" or bool(self.value) or any(option.chosen and option.value for option in self.options)
        return not typed and all(inner.empty for inner in self.parts)

    @property
    def silent(self) -> bool:
        """Whether nothing stands in it: nobody typed anything, and nothing was read from elsewhere, as from a document's lines."""
        return self.empty and not any(part.said for part in self.all_parts())

    def all_parts(self) -> "Iterator[Part]":
        """This part, and all in it."""
        yield self
        for inner in self.parts:
            yield from inner.all_parts()


def anchor(path: str) -> str:
    """The id that a field has on its page."""
    return "f-" + re.sub(r"[^A-Za-z0-9_]+", "-", path).strip("-")


@cache
def _shown(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    first = _FIRST.get(descriptor.full_name, ())
    fields = [field for field in descriptor.fields if field.full_name not in _HIDDEN]
    return tuple(sorted(fields, key=lambda field: first.index(field.name) if field.name in first else len(first)))


def message_of(field: FieldDescriptor) -> Any:
    """The message that a field holds: the stubs do not know which fields hold one."""
    return field.message_type


def _enum(field: FieldDescriptor) -> Any:
    return field.enum_type


def _is_text(field: FieldDescriptor) -> bool:
    return field.message_type is Text.DESCRIPTOR


@cache
def _kind(field: FieldDescriptor) -> str:
    if field.message_type and not _is_text(field):
        return "rows" if field.is_repeated else "group"
    if field.enum_type:
        return "choices" if field.is_repeated else "choice"
    if _is_text(field):
        return "long"
    if field.is_repeated:
        return "list"
    if field.type == FieldDescriptor.TYPE_BOOL:
        return "yesno"
    if field.type == FieldDescriptor.TYPE_INT64:
        return "instant"
    if field.type in {FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_UINT64}:
        return "number"
    return _text_kind(field)


def _text_kind(field: FieldDescriptor) -> str:
    if field.full_name in PARTIAL_DATES | MONTHS:
        return "date"
    if field.full_name == "exchange.v1.LocalTime.local":
        return "time"
    if field.full_name == "exchange.v1.Port.code":
        return "port"
    if field.name in COUNTRY_FIELDS:
        return "country"
    extensions: Any = field.GetOptions().Extensions
    return "long" if extensions[validate_pb2.field].string.max_len >= _LONG else "text"


@cache
def _month_names(language: Language) -> Mapping[str, int]:
    found = dict(ENGLISH_MONTHS)
    for width in ("wide", "abbreviated"):
        found |= {name.casefold(): number for number, name in get_month_names(width, locale=language.locale).items()}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """Forms in one person's language. `choices` are the values of text fields that only some have, by the field's full name."""

    language: Language
    texts: Texts
    choices: Mapping[str, Sequence[tuple[str, str]]]
    today: date
    """Ages are told from it, and how long something holds."""
    zone: str = "UTC"
    """By whose clocks a point in time is meant, and told."""
    more: str = ""
    """The path of rows that are to have one more, for a person to fill in; or of the row that is open."""

    def part(self, field: FieldDescriptor, path: str, value: Plain, read: Message | None, *, needed: bool = False) -> Part:
        """What a page shows of a field of `read`, the message as the intake understood it; `value` is what was typed."""
        kind = "choice" if field.full_name in self.choices else _kind(field)
        there = read is not None and (bool(getattr(read, field.name)) if field.is_repeated else field in dict(read.ListFields()))
        lines = value_lines(field, getattr(read, field.name), self.texts) if there else ()
        filled = bool(lines) and is_nothing(value) and field.full_name.rpartition(".")[0] not in _SAID_AS_A_WHOLE
        parts: Sequence[Part] = ()
        options: Sequence[Option] = ()
        # What could not be read is not read back.
        understood = kind in {"date", "country", "instant"} and lines != (_as_text(value),)
        said: Sequence[str] = lines if filled or understood else ()
        if kind == "rows":
            parts = self._rows(field, path, value, read)
        elif kind == "group":
            inner = getattr(read, field.name) if there else None
            parts = self._group(message_of(field), path, value, None if filled else inner)
            said = lines if filled or _says_itself(inner) else self._name_said(field, value)
        elif kind in {"choice", "choices", "yesno"}:
            options = self._options(field, kind, value)
        typed = "" if kind in {"choice", "choices", "yesno", "group", "rows"} else _as_text(value)
        return Part(
            kind={"yesno": "choice"}.get(kind, kind),
            path=path,
            label=self.label(field),
            value=typed,
            hint=self.language.say(HINTS.get(kind, ""), zone=self.zone),
            options=options,
            parts=parts,
            said=said,
            filled=filled,
            ports=self._meant(typed) if kind == "port" else (),
            needed=needed,
        )

    def label(self, field: FieldDescriptor) -> str:
        """What people call a field."""
        return self.language.say(LABELS[field.full_name]) if field.full_name in LABELS else self.texts.label(field.name)

    def typed(self, field: FieldDescriptor, path: str, form: Mapping[str, str], before: Plain) -> Plain:
        """What a form says of a field; `before` is what it held, of which what no form shows stays."""
        kind = "choice" if field.full_name in self.choices else _kind(field)
        if kind == "rows":
            return self._typed_rows(field, path, form, _as_list(before))
        if kind == "group":
            return self._typed_parts(message_of(field), path, form, before)
        if kind == "choices":
            return [short for short in _shorts(field) if f"{FORM}{path}={short}" in form]
        typed = form.get(FORM + path)
        if typed is None:
            return before
        if kind == "list":
            return [one.strip() for one in typed.split(",") if one.strip()]
        if _is_text(field):
            return _same_language(typed.strip(), before)
        return self._understood(kind, typed)

    def _typed_rows(self, field: FieldDescriptor, path: str, form: Mapping[str, str], given: Sequence[Plain]) -> list[Plain]:
        """Rows that the form does not show stay as they are: of many, only one is open."""
        rows: list[Plain] = []
        while True:
            where = item(path, len(rows))
            held = given[len(rows)] if len(rows) < len(given) else None
            if any(name.startswith(FORM + where) for name in form):
                rows.append(self._typed_parts(message_of(field), where, form, held))
            elif len(rows) < len(given):
                rows.append(held)
            else:
                return rows

    def _typed_parts(self, descriptor: Descriptor, path: str, form: Mapping[str, str], before: Plain) -> dict[str, Plain]:
        given = in_parts(descriptor, before)
        found: dict[str, Plain] = dict(given) if isinstance(given, dict) else {}
        for field in _shown(descriptor):
            value = self.typed(field, at(path, field.name), form, found.get(field.name))
            if is_nothing(value):
                found.pop(field.name, None)
            else:
                found[field.name] = value
        return found

    def _understood(self, kind: str, typed: str) -> str:
        text = "\n".join(" ".join(line.split()) for line in typed.strip().splitlines())
        if kind == "date":
            return spoken_date(text, _month_names(self.language), self.today)
        if kind == "time":
            return spoken_time(text, _month_names(self.language))
        if kind == "instant":
            return spoken_instant(text, self.zone, _month_names(self.language))
        if kind == "country":
            return self._country(text)
        return _port_code(text) if kind == "port" else text

    def until(self, typed: str) -> str:
        """Until when an alert is to hold, as its file has it."""
        return spoken_end(typed, self.zone, _month_names(self.language), self.today)

    def _country(self, text: str) -> str:
        if text.upper() in COUNTRIES:
            return text.upper()
        said = text.casefold()
        for code, one in COUNTRIES.items():
            if said in {(one.alpha2 or code).casefold(), one.name.casefold(), self.texts.countries.get(code, one.name).casefold()}:
                return code
        return text

    def _rows(self, field: FieldDescriptor, path: str, value: Plain, read: Message | None) -> list[Part]:
        given = _as_list(value)
        understood = list(getattr(read, field.name)) if read is not None and given else []
        rows = []
        for index in range(len(given) + (self.more == path)):
            typed = given[index] if index < len(given) else None
            inner = understood[index] if index < len(understood) else None
            where, label = item(path, index), f"{self.label(field)} {index + 1}"
            lines = value_lines(field, [inner], self.texts) if inner is not None and inner.ByteSize() else ()
            if len(given) > _OPEN_AT_ONCE and typed is not None and self.more != where:
                rows.append(Part(kind="line", path=where, label=label, said=lines))
                continue
            parts = self._group(message_of(field), where, typed, inner)
            says = _says_itself(inner) or (isinstance(typed, dict) and MRZ in typed)
            rows.append(Part(kind="group", path=where, label=label, parts=parts, said=lines if says else self._name_said(field, typed)))
        return rows

    def _group(self, descriptor: Descriptor, path: str, value: Plain, read: Message | None) -> list[Part]:
        given = in_parts(descriptor, value)
        typed = given if isinstance(given, dict) else {}
        return [self.part(field, at(path, field.name), typed.get(field.name), read) for field in _shown(descriptor)]

    def _name_said(self, field: FieldDescriptor, value: Plain) -> Sequence[str]:
        """The script of a name, told from its letters."""
        given = in_parts(message_of(field), value)
        if field.message_type is not PersonName.DESCRIPTOR or not isinstance(given, dict):
            return ()
        scripts = scripts_of(str(given.get(name) or "") for name in ("as_written", "family", "given"))
        return (self.language.say("Script: %(script)s", script=self.texts.scripts.get(scripts[0], scripts[0])),) if scripts else ()

    def _options(self, field: FieldDescriptor, kind: str, value: Plain) -> list[Option]:
        if kind == "yesno":
            known = [("true", self.texts.yes), ("false", self.texts.no)]
            chosen = {str(value).lower()}
        elif field.full_name in self.choices:
            known, chosen = list(self.choices[field.full_name]), {_as_text(value)}
        else:
            prefix = enum_prefix(_enum(field))
            words = self.texts.values
            known = [
                (one.name.removeprefix(prefix), value_words(_enum(field), one.name, self.language, words))
                for one in _enum(field).values
                if one.number
            ]
            chosen = {str(one).removeprefix(prefix) for one in _as_list(value)}
        # What was typed elsewhere and is none of the values stays, for a person to see.
        strange = [(one, one) for one in sorted(chosen - {name for name, _ in known}) if one and kind != "yesno"]
        options = [Option(value=name, words=words, chosen=name in chosen) for name, words in (*known, *strange)]
        blank = Option(value="", words="–", chosen=not any(option.chosen for option in options))
        return options if kind == "choices" else [blank, *options]

    def _meant(self, typed: str) -> Sequence[KnownPort]:
        if not typed:
            return ()
        try:
            known = port(typed)
        except PortInvalid:
            return find_ports(typed, _PORTS_OFFERED)
        return find_ports(typed, _PORTS_OFFERED) if known.country is None else ()


def _says_itself(read: Message | None) -> bool:
    """Whether a message is read back in one line: where, when, and what journey, as far as it was understood."""
    if isinstance(read, LocalTime):
        return bool(read.local and read.zone)
    if isinstance(read, Port):
        return bool(read.code and read.country)
    return isinstance(read, Leg) and all(not time.local or time.zone for time in (read.departure, read.arrival)) and bool(read.ByteSize())


def without_blanks(value: Plain) -> Plain:
    """A value without parts and elements that say nothing."""
    if isinstance(value, dict):
        found = {name: kept for name, inner in value.items() if not is_nothing(kept := without_blanks(inner))}
        return found or None
    if isinstance(value, list):
        return [kept for inner in value if not is_nothing(kept := without_blanks(inner))] or None
    return value


def _shorts(field: FieldDescriptor) -> list[str]:
    prefix = enum_prefix(_enum(field))
    return [one.name.removeprefix(prefix) for one in _enum(field).values if one.number]


def _as_list(value: Plain) -> list[Plain]:
    if is_nothing(value):
        return []
    return value if isinstance(value, list) else [value]


def _same_language(typed: str, before: Plain) -> Plain:
    """A text in the language that it had, if it named one; further texts, as in other languages, stay."""
    if isinstance(before, list) and before:
        return [_same_language(typed, before[0]), *before[1:]]
    return {**before, "text": typed} if isinstance(before, dict) and typed else typed


def _as_text(value: Plain) -> str:
    if isinstance(value, list):
        return _as_text(value[0]) if any(isinstance(one, dict) for one in value) else ", ".join(str(one) for one in value)
    if isinstance(value, dict):  # a text with a language of its own
        return str(value.get("text", ""))
    return "" if value is None else str(value)


def _port_code(text: str) -> str:
    """The code of a port where only one can be meant; else what was typed."""
    if len(text) == _IATA and text.isascii() and text.isalpha():
        return text.upper()
    if _UNLOCODE.fullmatch(text) and text.upper() == text:
        return text.replace(" ", "")
    found = find_ports(text, 2)
    return found[0].code if len(found) == 1 else text
