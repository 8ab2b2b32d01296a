"""Plain mappings, lists and texts into protobuf messages, by nothing but their descriptors: a new alert type needs no new Python.

`null`, an empty text, an empty list and an empty mapping all say "not known" and leave the field absent. One value may stand
where a list is expected. int64 is always a point in time, in alerts as in drafts; bytes are hexadecimal; enum values are
written without their prefix. What cannot be read becomes a problem at its path, and reading goes on.
"""

import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.people_pb2 import Text, TravelDocument
from node.intake.instants import InstantInvalid, read_instant
from node.intake.mrz import MachineReadableZone, MrzInvalid, read_mrz
from node.intake.paths import at, item
from node.intake.plain_document import Plain
from node.intake.problems import error, refusal
from node.intake.travel_documents import fill_document, fill_holder

# What a plain text means where one of these messages is expected: the fields that its space-separated parts fill.
_SHORTHAND: dict[str, tuple[str, ...]] = {
    "exchange.v1.Birth": ("date",),
    "exchange.v1.LocalTime": ("local", "zone"),
    "exchange.v1.Nationality": ("country",),
    "exchange.v1.PersonName": ("as_written",),
    "exchange.v1.Port": ("code",),
    "exchange.v1.Text": ("text",),
}
_MRZ = "mrz"

AnyMessage = TypeVar("AnyMessage", bound=Message)

_PLACE_HOLDERS: dict[int, str | int | bytes | bool] = {
    FieldDescriptor.CPPTYPE_STRING: "",
    FieldDescriptor.CPPTYPE_ENUM: 0,
    FieldDescriptor.CPPTYPE_UINT32: 0,
}
_UNSIGNED = {FieldDescriptor.TYPE_UINT32: 2**32, FieldDescriptor.TYPE_UINT64: 2**64}
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_HEX = re.compile(r"([0-9a-fA-F]{2})+")
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def is_nothing(value: Plain) -> bool:
    """Tell whether a file says "not known" here."""
    return value is None or value in ("", [], {})


def enum_prefix(enum: EnumDescriptor) -> str:
    """Tell what all values of an enum begin with, e.g. `REQUESTED_ACTION_`."""
    return enum.values_by_number[0].name.removesuffix("UNSPECIFIED")


def unknown_name(known: Iterable[str], name: str, path: str) -> Problem:
    """Make the problem of a name that means nothing here. The name itself is shown only if it has the form of one."""
    near = get_close_matches(name, list(known), n=1)
    remedy = f"write {near[0]} if that is meant" if near else f"write one of {', '.join(sorted(known))}"
    where = at(path, name if _PLAIN_NAME.fullmatch(name) else "?")
    return error("FIELD_UNKNOWN", where, "there is no field of this name here", f"{remedy}, or leave it out")


def read_enum(enum: EnumDescriptor, value: Plain, path: str) -> int | Problem:
    """Read an enum value by its name with or without the prefix; tell the problem if it is none."""
    prefix = enum_prefix(enum)
    named = {known.name.removeprefix(prefix): known.number for known in enum.values if known.number}
    number = named.get(value.removeprefix(prefix)) if isinstance(value, str) else None
    if number is None:
        return error("ENUM_UNKNOWN", path, "not one of the values that this field has", f"write {_one_of(named)}")
    return number


def _one_of(names: Iterable[str]) -> str:
    known = list(names)
    return f"{', '.join(known[:-1])} or {known[-1]}" if len(known) > 1 else known[0]


def in_parts(descriptor: Descriptor, value: Plain) -> Plain:
    """A plain text by the parts that it stands for, where a message is expected that one can stand for; else the value as it is."""
    names = _SHORTHAND.get(descriptor.full_name)
    if not names or not isinstance(value, str):
        return value
    return dict(zip(names, value.split(None, len(names) - 1) if len(names) > 1 else [value], strict=False))


class FieldReader:
    """Reads one document. `language` (BCP 47 or empty) is what a text without a language of its own is in."""

    def __init__(self, *, language: str, today: date) -> None:
        self.problems: list[Problem] = []
        self._language = language
        self._today = today
        self._zones: dict[str, MachineReadableZone] = {}

    def read(self, kind: type[AnyMessage], value: Plain, path: str) -> AnyMessage:
        """Read a message; what cannot be read is left out of it and noted in `problems`."""
        message = kind()
        descriptor: Any = kind.DESCRIPTOR
        content = self._content(descriptor, value, path)
        zone = self._take_zone(content, path) if descriptor is TravelDocument.DESCRIPTOR else None
        for name, given in content.items():
            field = descriptor.fields_by_name.get(name)
            if field is None:
                self.problems.append(unknown_name(descriptor.fields_by_name, name, path))
            elif not is_nothing(given):
                self._fill(message, field, given, at(path, name))
        if zone:
            self.problems += fill_document(message, zone, today=self._today, path=path)
        documents = descriptor.fields_by_name.get("documents")
        if documents and documents.message_type is TravelDocument.DESCRIPTOR:
            self._fill_holder(message, at(path, "documents"), path)
        return message

    def _content(self, descriptor: Descriptor, value: Plain, path: str) -> dict[str, Plain]:
        value = in_parts(descriptor, value)
        if not isinstance(value, dict):
            known = ", ".join(descriptor.fields_by_name)
            self.problems.append(error("MAPPING_EXPECTED", path, "this field has parts", f"write its parts by name, from {known}"))
            return {}
        if descriptor is Text.DESCRIPTOR and is_nothing(value.get("language")):
            if not self._language:
                remedy = "give it a language (BCP 47, such as en-GB or km), or the whole file one by `language` at its top"
                self.problems.append(error("TEXT_LANGUAGE", at(path, "language"), "the text has no language", remedy))
            return value | {"language": self._language}
        return dict(value)

    def _fill(self, message: Message, field: FieldDescriptor, given: Plain, path: str) -> None:
        if field.is_repeated:
            self._fill_repeated(message, field, given if isinstance(given, list) else [given], path)
        elif isinstance(given, list):
            remedy = "keep the one that holds, without the dash or brackets"
            self.problems.append(error("LIST_UNEXPECTED", path, "this field has one value, not a list", remedy))
        elif field.message_type:
            inner = self.read(GetMessageClass(field.message_type), given, path)
            if inner.ByteSize():
                getattr(message, field.name).CopyFrom(inner)
        elif (value := self._scalar(field, given, path)) is not None:
            setattr(message, field.name, value)

    def _fill_repeated(self, message: Message, field: FieldDescriptor, given: list[Plain], path: str) -> None:
        """Fill in every element; one that cannot be read keeps its place, so that later paths still count right."""
        for index, element in enumerate(given):
            where = item(path, index)
            noted = len(self.problems)
            read: Any
            if field.message_type:
                read = self.read(GetMessageClass(field.message_type), {} if is_nothing(element) else element, where)
                empty = not read.ByteSize()
            else:
                read = None if is_nothing(element) else self._scalar(field, element, where)
                empty = read is None
            if empty and len(self.problems) == noted:
                self.problems.append(error("ITEM_EMPTY", where, "this element of the list says nothing", "take it out"))
            getattr(message, field.name).append(_PLACE_HOLDERS[field.cpp_type] if read is None else read)

    def _take_zone(self, content: dict[str, Plain], path: str) -> MachineReadableZone | None:
        given = content.pop(_MRZ, None)
        if is_nothing(given):
            return None
        lines = given.splitlines() if isinstance(given, str) else given
        where = at(path, _MRZ)
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            remedy = "write each line as printed, as a list of texts or a block of lines"
            self.problems.append(error("MRZ_LINES", where, "the machine readable zone is not given as lines", remedy))
            return None
        try:
            zone = read_mrz([str(line).strip() for line in lines if line])
        except MrzInvalid as invalid:
            for problem in invalid.problems:
                said, _, remedy = problem.message.partition(": ")
                place = f"line {problem.line}, positions {problem.start} to {problem.end}: " if problem.line else ""
                self.problems.append(error(problem.code, where, place + said, remedy or "compare it with the document"))
            return None
        self._zones[path] = zone
        return zone

    def _fill_holder(self, holder: Message, documents: str, path: str) -> None:
        for index in range(len(getattr(holder, "documents"))):  # noqa: B009 -- known only from the descriptor
            where = item(documents, index)
            if zone := self._zones.get(where):
                self.problems += fill_holder(holder, zone, today=self._today, path=path, document=where)

    def _scalar(self, field: FieldDescriptor, value: Plain, path: str) -> str | bool | int | bytes | None:
        read = _read_scalar(field, value, path)
        if isinstance(read, Problem):
            self.problems.append(read)
            return None
        return read


def _read_scalar(field: FieldDescriptor, value: Plain, path: str) -> str | bool | int | bytes | Problem:
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _read_truth(value, path)
    if not isinstance(value, str):
        return error("TEXT_EXPECTED", path, "one text or number is expected here", "write it plainly, without parts")
    if field.enum_type:
        return read_enum(field.enum_type, value, path)
    if field.type == FieldDescriptor.TYPE_STRING:
        return value.strip()
    if field.type == FieldDescriptor.TYPE_BYTES:
        return read_hex(value, path)
    if field.type == FieldDescriptor.TYPE_INT64:
        return _read_instant(value, path)
    if _NUMBER.fullmatch(value) and int(value) < _UNSIGNED[field.type]:
        return int(value)
    return error("NUMBER_EXPECTED", path, "not a whole number of this field's range", "write digits only")


def _read_instant(value: str, path: str) -> int | Problem:
    try:
        return read_instant(value)
    except InstantInvalid as invalid:
        return refusal(invalid, path)


def _read_truth(value: Plain, path: str) -> bool | Problem:
    truth = value if isinstance(value, bool) else _TRUTH.get(value) if isinstance(value, str) else None
    return error("BOOL_EXPECTED", path, "neither true nor false", "write true or false") if truth is None else truth


def read_hex(value: Plain, path: str) -> bytes | Problem:
    """Read bytes, such as a digest, from hexadecimal; tell the problem if it is none."""
    if isinstance(value, str) and _HEX.fullmatch(value):
        return bytes.fromhex(value)
    return error("HEX_EXPECTED", path, "not hexadecimal", "write the digest as pairs of 0 to 9 and a to f")
