"""Protobuf messages as JSON documents for scripts: bytes as hex, times as ISO 8601 in UTC, enums by their short names.

Every field is always there, so that a script can rely on the shape: what is not set is null, false, 0, "" or []. A
signed 64-bit integer is a time in Unix milliseconds throughout `proto/`, but for the one in `_NO_TIMES`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from exchange.encoding import AnyMessage

_NO_TIMES: Final = frozenset({"exchange.v1.Finding.index"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def loosely(kind: type[AnyMessage], data: bytes) -> AnyMessage:
    """The message that the bytes are; an empty one where they are none, since a partner may have logged anything at all."""
    try:
        return kind.FromString(data)
    except DecodeError:
        return kind()


def document(message: Message) -> dict[str, Any]:
    """All fields of a message by name, nested as it is."""
    return {field.name: _field(message, field) for field in message.DESCRIPTOR.fields}


def iso_time(milliseconds: int) -> str | None:
    """ISO 8601 in UTC, to the millisecond; None for 0, which means that there is no such time."""
    moment = moment_of(milliseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z" if moment else None


def moment_of(milliseconds: int) -> datetime | None:
    """The moment of a time in Unix milliseconds; None for 0, and for what lies outside the calendar."""
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds) if milliseconds else None
    except OverflowError:
        return None


def enum_name(kind: EnumDescriptor, number: int) -> str | None:
    """The name of an enum's value without the prefix that it shares with the others; None for unspecified.

    A number that this version does not know is shown as such (PROTOCOL.md, 3).
    """
    if number == 0:
        return None
    value = kind.values_by_number.get(number)
    if value is None:
        return f"UNKNOWN_{number}"
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return str(value.name.removeprefix(prefix))


def _field(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.is_repeated:
        return [_value(field, item) for item in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _value(field, value)


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return document(value)
    if field.enum_type is not None:
        return enum_name(field.enum_type, value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return value.hex()
    if field.type == FieldDescriptor.TYPE_INT64 and field.full_name not in _NO_TIMES:
        return iso_time(value)
    return value
