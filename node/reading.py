"""What a person reads of an alert: every field of its type, as a value, as not known, or as not disclosed, never confused.

`read_view` gives lines for a screen, `to_json` the shape of an alert file, which reads back to the same alert.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from exchange.errors import Malformed
from exchange.profile import AlertField, AlertType, alert_type
from exchange.v1.people_pb2 import CERTAINTY_ASSESSMENT, CERTAINTY_FACT, Grading
from node.intake.fields import enum_prefix
from node.intake.instants import write_instant
from node.reading_texts import ENGLISH, Texts
from node.reading_values import value_lines

Json = str | bool | int | list["Json"] | dict[str, "Json"] | None


@unique
class FieldState(Enum):
    """The three things that a field can be to the one who reads it."""

    VALUE = "value"
    NOT_KNOWN = "not_known"  # disclosed, and the originator has nothing
    NOT_DISCLOSED = "not_disclosed"  # whether there is something is not for this reader


@unique
class Certainty(Enum):
    """Whether the originator states a value or judges it."""

    FACT = "fact"
    ASSESSMENT = "assessment"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FieldReading:
    """One top-level field, for a person. It has no repr of its own: personal data must not reach a log by a traceback."""

    number: int
    name: str
    """As in the schema and in alert files."""
    label: str
    category: str
    """As in the schema, e.g. IDENTITY."""
    category_label: str
    state: FieldState
    certainty: Certainty | None
    """None where nobody said."""
    certainty_label: str
    lines: tuple[str, ...]
    """Never empty: a field without a value has one line that says which of the other two states it is in."""


def read_view(alert_type_name: str, view: bytes, undisclosed: Collection[int], *, texts: Texts = ENGLISH) -> tuple[FieldReading, ...]:
    """Read every field of an alert in order. `view` is its encoding, `undisclosed` the numbers that were not opened.

    Raises `Malformed`: ALERT_TYPE_UNKNOWN, or NOT_PROTOBUF for a view that cannot be decoded.
    """
    kind = alert_type(alert_type_name)
    alert = _decode(kind, view)
    given = {field.number: (field, value) for field, value in alert.ListFields()}
    gradings = _gradings(alert)
    readings = []
    for field in kind.fields:
        state, certainty = FieldState.VALUE, None
        lines: tuple[str, ...]
        if field.number in undisclosed:
            state, lines = FieldState.NOT_DISCLOSED, (texts.not_disclosed,)
        elif field.number in given:
            lines = value_lines(*given[field.number], texts)
            certainty = _certainty(field, gradings)
        else:
            state, lines = FieldState.NOT_KNOWN, (texts.not_known,)
        readings.append(
            FieldReading(
                number=field.number,
                name=field.name,
                label=texts.label(field.name),
                category=field.category,
                category_label=texts.category(field.category),
                state=state,
                certainty=certainty,
                certainty_label=_certainty_label(certainty, texts),
                lines=lines,
            )
        )
    return tuple(readings)


def to_json(alert_type_name: str, view: bytes, undisclosed: Collection[int]) -> dict[str, Json]:
    """Write an alert in the shape of an alert file: null for what is not known, names under `not_disclosed` for the rest.

    Raises as `read_view` does. What `load_alert_file` made reads back to the same encoding. An enum number of a newer version
    is written as the number, which no alert file may hold.
    """
    kind = alert_type(alert_type_name)
    given = {field.number: _plain_field(field, value) for field, value in _decode(kind, view).ListFields()}
    alert: dict[str, Json] = {field.name: given.get(field.number) for field in kind.fields if field.number not in undisclosed}
    return {
        "type": kind.name.rpartition(".")[2],
        "not_disclosed": [field.name for field in kind.fields if field.number in undisclosed],
        "alert": alert,
    }


def _decode(kind: AlertType, view: bytes) -> Message:
    alert = kind.message()
    try:
        alert.ParseFromString(view)
    except DecodeError:
        raise Malformed("NOT_PROTOBUF", "the bytes are not an alert of this type") from None
    return alert


def _gradings(alert: Message) -> dict[str, Certainty]:
    """Tell what the alert's gradings say, by field name; the empty name is the alert as a whole."""
    certainties = {CERTAINTY_FACT: Certainty.FACT, CERTAINTY_ASSESSMENT: Certainty.ASSESSMENT}
    return {
        grading.field: certainties[grading.certainty]
        for field, value in alert.ListFields()
        if field.is_repeated and field.message_type is Grading.DESCRIPTOR
        for grading in value
        if grading.certainty in certainties
    }


def _certainty(field: AlertField, gradings: dict[str, Certainty]) -> Certainty | None:
    """A grading of the field itself goes first; one of the whole alert makes no fact of an assessment."""
    if field.name in gradings:
        return gradings[field.name]
    return Certainty.ASSESSMENT if field.category == "ASSESSMENT" else gradings.get("")


def _certainty_label(certainty: Certainty | None, texts: Texts) -> str:
    return {Certainty.FACT: texts.fact, Certainty.ASSESSMENT: texts.assessment, None: ""}[certainty]


def _plain_field(field: FieldDescriptor, value: Any) -> Json:
    if field.is_repeated:
        return [_plain(field, element) for element in value]
    return _plain(field, value)


def _plain(field: FieldDescriptor, value: Any) -> Json:
    if isinstance(value, Message):
        return {inner.name: _plain_field(inner, element) for inner, element in value.ListFields()}
    if field.enum_type:
        known = field.enum_type.values_by_number.get(value)
        return known.name.removeprefix(enum_prefix(field.enum_type)) if known and value else int(value)
    if isinstance(value, bytes):
        return value.hex()
    if field.type == FieldDescriptor.TYPE_INT64:
        return write_instant(value)
    return value if isinstance(value, (str, bool)) else int(value)
