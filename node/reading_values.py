"""Values of an alert as lines for people: dates in words, codes in words, local times with their zone, names with their script.

Everything here came from another country: control characters and reordering marks are replaced, so that no text can
command a terminal or stand in another order than it was signed in.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from exchange.v1.people_pb2 import NAME_ORDER_GIVEN_FIRST, Grading, Nationality, PersonName, Text
from exchange.v1.travel_pb2 import Leg, LocalTime, Port
from node.intake.countries import COUNTRIES
from node.intake.edtf import EdtfInvalid, read_edtf
from node.intake.fields import enum_prefix
from node.intake.instants import instant
from node.intake.value_checks import CONTROLS, LANGUAGES, MONTHS, PARTIAL_DATES
from node.intake.value_checks import COUNTRIES as COUNTRY_FIELDS
from node.reading_texts import Texts

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def safe_text(text: str) -> str:
    """Put a text on one line and replace what would command a terminal or reorder it."""
    return CONTROLS.sub(_REPLACEMENT, text.replace("\n", " "))


def value_lines(field: FieldDescriptor, value: Any, texts: Texts) -> tuple[str, ...]:
    """Tell the value of a field, one line for each element of a repeated one."""
    return tuple(_one(field, element, texts) for element in (value if field.is_repeated else [value]))


def partial_date(text: str, texts: Texts) -> str:
    """Tell an EDTF date in words; as it stands if it is none."""
    try:
        read = read_edtf(text)
    except EdtfInvalid:
        return safe_text(text)
    if read.first_year != read.last_year:
        words = texts.span.format(first=read.first_year, last=read.last_year)
    elif read.month is None:
        words = f"{read.first_year}"
    elif read.day is None:
        words = texts.month.format(month=texts.months[read.month - 1], year=read.first_year)
    else:
        words = _day(date(read.first_year, read.month, read.day), texts)
    if read.uncertain and read.approximate:
        return texts.uncertain_and_approximate.format(date=words)
    if read.uncertain:
        return texts.uncertain.format(date=words)
    return texts.approximate.format(date=words) if read.approximate else words


def local_time(when: LocalTime, texts: Texts) -> str:
    """Tell a local time in words, with its zone; as it stands if it is none."""
    try:
        at = datetime.fromisoformat(when.local)
    except ValueError:
        return f"{safe_text(when.local)} ({safe_text(when.zone)})"
    day = _day(at.date(), texts)
    if "T" not in when.local:
        return f"{day} ({safe_text(when.zone)})"
    return texts.local_time.format(date=day, time=f"{at:%H:%M}", zone=safe_text(when.zone))


def point_in_time(unix_ms: int, texts: Texts) -> str:
    """Tell Unix milliseconds as a UTC time, behind the time by the reader's clocks if known; the bare number where no calendar has it."""
    at = instant(unix_ms)
    if at is None:
        return str(unix_ms)
    utc = texts.instant.format(date=_day(at.date(), texts), time=f"{at:%H:%M}")
    if not texts.zone or at.year == at.max.year:
        return utc
    there = at.astimezone(ZoneInfo(texts.zone))
    return f"{texts.local_time.format(date=_day(there.date(), texts), time=f'{there:%H:%M}', zone=texts.zone)}; {utc}"


def _day(day: date, texts: Texts) -> str:
    return texts.day.format(day=day.day, month=texts.months[day.month - 1], year=day.year)


def _one(field: FieldDescriptor, value: Any, texts: Texts) -> str:
    if isinstance(value, Message):
        return _MESSAGES.get(type(value), _parts)(value, texts)
    if field.enum_type:
        known = field.enum_type.values_by_number.get(value)
        if known is None or not value:
            return texts.unknown_code.format(number=value)
        return texts.value(known.name, enum_prefix(field.enum_type))
    if isinstance(value, bool):
        return texts.yes if value else texts.no
    if isinstance(value, bytes):
        return value.hex()
    if field.type == FieldDescriptor.TYPE_INT64:
        return point_in_time(value, texts)
    return _text(field, value, texts) if isinstance(value, str) else str(value)


def _text(field: FieldDescriptor, value: str, texts: Texts) -> str:
    if field.full_name in PARTIAL_DATES or field.full_name in MONTHS:
        return partial_date(value, texts)
    if field.name in COUNTRY_FIELDS:
        return _country(value, texts)
    if field.name in LANGUAGES:
        known = texts.languages.get(value.replace("-", "_"))
        return f"{known} ({value})" if known else safe_text(value)
    return safe_text(value)


def _country(code: str, texts: Texts) -> str:
    known = COUNTRIES.get(code)
    return f"{texts.countries.get(code, known.name)} ({code})" if known else safe_text(code)


def _parts(message: Message, texts: Texts) -> str:
    """Tell a message without a form of its own: each part that is set, by its label."""
    return "; ".join(_labelled(message.ListFields(), texts))


def _labelled(fields: Iterable[tuple[FieldDescriptor, Any]], texts: Texts) -> list[str]:
    return [f"{texts.label(field.name)}: {', '.join(_nested(field, value, texts))}" for field, value in fields]


def _nested(field: FieldDescriptor, value: Any, texts: Texts) -> list[str]:
    lines = value_lines(field, value, texts)
    formless = field.message_type and GetMessageClass(field.message_type) not in _MESSAGES
    return [f"({line})" for line in lines] if formless else list(lines)


def _others(message: Message, shown: set[str], texts: Texts) -> list[str]:
    return _labelled(((field, value) for field, value in message.ListFields() if field.name not in shown), texts)


def _with(main: str, details: list[str]) -> str:
    return f"{main} ({'; '.join(details)})" if details and main else main or "; ".join(details)


def _name(name: PersonName, texts: Texts) -> str:
    parts = [name.given, name.family] if name.order == NAME_ORDER_GIVEN_FIRST else [name.family, name.given]
    main = safe_text(name.as_written or " ".join(part for part in parts if part))
    details = _others(name, {"as_written", "script"}, texts)
    if name.script:
        details.append(f"{texts.label('script')}: {texts.scripts.get(name.script) or safe_text(name.script)}")
    return _with(main, details)


def _translated(text: Text, texts: Texts) -> str:
    details = [safe_text(text.language), *([texts.machine_translated] if text.machine_translated else [])]
    return f"{safe_text(text.text)} [{', '.join(details)}]"


def _nationality(nationality: Nationality, texts: Texts) -> str:
    return _with(_country(nationality.country, texts), _others(nationality, {"country"}, texts))


def _grading(grading: Grading, texts: Texts) -> str:
    return _with(safe_text(texts.label(grading.field)) if grading.field else texts.whole, _others(grading, {"field"}, texts))


def _port(port: Port, texts: Texts) -> str:
    details = [part for part in (safe_text(port.code), _country(port.country, texts) if port.country else "") if part]
    return _with(safe_text(port.name), details) if port.name else ", ".join(details)


def _leg(leg: Leg, texts: Texts) -> str:
    ends = [
        " ".join(part for part in (_port(port, texts), local_time(when, texts) if when.ByteSize() else "") if part)
        for port, when in ((leg.departure_port, leg.departure), (leg.arrival_port, leg.arrival))
    ]
    service = " ".join(safe_text(part) for part in (leg.carrier, leg.service_number) if part)
    journey = f" {texts.arrow} ".join(end for end in ends if end)
    shown = {"departure_port", "departure", "arrival_port", "arrival", "carrier", "service_number"}
    return _with(": ".join(part for part in (service, journey) if part), _others(leg, shown, texts))


_MESSAGES: Final[dict[type[Message], Callable[[Any, Texts], str]]] = {
    PersonName: _name,
    Text: _translated,
    Nationality: _nationality,
    Grading: _grading,
    LocalTime: local_time,
    Port: _port,
    Leg: _leg,
}
