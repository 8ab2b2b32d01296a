"""Alert types as the descriptors tell them: their fields, categories and profile digest (PROTOCOL.md, section 3)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from exchange.errors import Malformed
from exchange.v1 import (
    acknowledgement_pb2,
    control_pb2,
    hit_report_pb2,
    information_pb2,
    onward_pb2,
    options_pb2,
    pattern_bulletin_pb2,
    prosecution_pb2,
    subject_warning_pb2,
    tip_pb2,
    travel_alert_pb2,
)

_MODULES: tuple[ModuleType, ...] = (
    acknowledgement_pb2,
    control_pb2,
    hit_report_pb2,
    information_pb2,
    onward_pb2,
    pattern_bulletin_pb2,
    prosecution_pb2,
    subject_warning_pb2,
    tip_pb2,
    travel_alert_pb2,
)

_SCALARS = {getattr(FieldDescriptor, name): name.removeprefix("TYPE_").lower() for name in dir(FieldDescriptor) if name.startswith("TYPE_")}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertField:
    """A top-level field of an alert type: the unit of disclosure."""

    number: int
    name: str
    category: str
    """Short name of the data category, e.g. IDENTITY."""
    default_marks: str
    """Marks offered for BORDER, POLICE and NGO, one letter each of R, M, C, -."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertType:
    """One alert type under one profile."""

    name: str
    """Full protobuf name, e.g. exchange.v1.TravelAlert."""
    message: type[Message]
    control: bool
    fields: tuple[AlertField, ...]
    """Ascending by number."""
    numbers: tuple[int, ...]
    profile: frozenset[int]
    """The same numbers as a set."""
    digest: bytes
    """Profile digest, 32 bytes."""

    def field(self, name: str) -> AlertField:
        """The field of that name; raises `Malformed` (FIELD_UNKNOWN)."""
        for field in self.fields:
            if field.name == name:
                return field
        raise Malformed("FIELD_UNKNOWN", "this alert type has no field of that name")


@cache
def alert_types() -> dict[str, AlertType]:
    """Every alert type of this version by its full name."""
    found: dict[str, AlertType] = {}
    for module in _MODULES:
        for descriptor in module.DESCRIPTOR.message_types_by_name.values():
            kind = descriptor.GetOptions().Extensions[options_pb2.alert_kind]
            if kind != options_pb2.ALERT_KIND_UNSPECIFIED:
                found[descriptor.full_name] = _alert_type(descriptor, control=kind == options_pb2.ALERT_KIND_CONTROL)
    return found


def alert_type(name: str) -> AlertType:
    """The alert type of that full name; raises `Malformed` (ALERT_TYPE_UNKNOWN)."""
    known = alert_types().get(name)
    if known is None:
        raise Malformed("ALERT_TYPE_UNKNOWN", "no alert type of that name is known here")
    return known


def profile_text(descriptor: Descriptor) -> str:
    """The text whose hash is the profile digest: everything that gives an alert's bytes their meaning."""
    return "".join(f"{line}\n" for line in ("alert-exchange/v1 profile", *_lines(descriptor, set())))


def _alert_type(descriptor: Descriptor, *, control: bool) -> AlertType:
    fields = tuple(
        AlertField(
            number=field.number,
            name=field.name,
            category=_category(field),
            default_marks=field.GetOptions().Extensions[options_pb2.default_marks],
        )
        for field in sorted(descriptor.fields, key=lambda f: f.number)
    )
    return AlertType(
        name=descriptor.full_name,
        message=GetMessageClass(descriptor),
        control=control,
        fields=fields,
        numbers=tuple(field.number for field in fields),
        profile=frozenset(field.number for field in fields),
        digest=hashlib.sha256(profile_text(descriptor).encode()).digest(),
    )


def _category(field: FieldDescriptor) -> str:
    value = field.GetOptions().Extensions[options_pb2.category]
    if value == options_pb2.DATA_CATEGORY_UNSPECIFIED:
        return "-"
    return options_pb2.DataCategory.Name(value).removeprefix("DATA_CATEGORY_")


def _presence(field: FieldDescriptor) -> str:
    if field.is_repeated:
        return "repeated"
    return "explicit" if field.has_presence else "implicit"


def _lines(kind: Descriptor | EnumDescriptor, seen: set[str]) -> Iterator[str]:
    if kind.full_name in seen:
        return
    seen.add(kind.full_name)
    if isinstance(kind, EnumDescriptor):
        yield f"enum {kind.full_name}"
        for value in sorted(kind.values, key=lambda v: v.number):
            yield f"{value.number} {value.name}"
        return
    yield f"message {kind.full_name}"
    fields = sorted(kind.fields, key=lambda f: f.number)
    for field in fields:
        referenced = field.message_type or field.enum_type
        meaning = referenced.full_name if referenced else _SCALARS[field.type]
        yield f"{field.number} {field.name} {_presence(field)} {meaning} {_category(field)}"
    for field in fields:
        referenced = field.message_type or field.enum_type
        if referenced:
            yield from _lines(referenced, seen)
