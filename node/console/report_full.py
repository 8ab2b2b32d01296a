"""The report in full: what the form asks beyond the short one, by the schema's own fields and words, and how it becomes a HitReport."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.hit_report_pb2 import HitReport
from exchange.v1.people_pb2 import ContactDesk
from node.console.languages import Language
from node.console.words import enum_values, texts_in
from node.intake.fields import FieldReader, enum_prefix
from node.intake.fill_in import fill_in
from node.intake.plain_document import Plain
from node.intake.problems import error, refuses
from node.intake.value_checks import check_values

_ASKED: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("", ("outcome", "cannot_execute_reason", "identity_basis", "place", "happened")),
    ("document_shown", ("type", "number", "issuer")),
    ("onward_route", ("service_number", "arrival_port", "departure")),
    ("companions", ("adults", "minors")),
    ("actions", ("action", "legal_basis")),
    ("child", ("child_present", "victim_referral_reference")),
    ("", ("remarks",)),
)
"""Each part of the form and its fields, by their names in the schema. Of several legs or actions the form takes the next one."""
_CAPITALS: Final = frozenset({"place", "arrival_port", "issuer", "number", "service_number"})
_IN_LISTS: Final = frozenset({"onward_route", "actions"})
PLACES: Final = {name: name for name in (f"{group}-{one}" if group else one for group, names in _ASKED for one in names)}
"""The parts of the form beside which problems stand, as `placed` names them."""
_COPIED: Final = "onward_route-departure_port"
"""What the form does not ask for: the onward route departs where the person is, and what is wrong with that is said there."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Asked:
    """One field of the form. No repr: it is about a person."""

    name: str
    kind: str
    """choice, choices, area or text"""
    label: str
    value: str
    options: tuple[tuple[str, str, bool], ...] = ()
    """Name in the form or value, words, whether it is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Group:
    """Fields that belong together."""

    label: str
    fields: tuple[Asked, ...]


def groups(form: Mapping[str, str], language: Language) -> Iterator[Group]:
    """The form as a page shows it, with what stands in it."""
    labels = texts_in(language).labels
    for group, names in _ASKED:
        owner = _message(group)
        fields = tuple(_asked(owner.fields_by_name[name], group, form, language, labels) for name in names)
        yield Group(label=labels[group] if group else "", fields=fields)


def read_full(form: Mapping[str, str], language: Language, desk: ContactDesk | None, today: date) -> HitReport | list[Problem]:
    """The report, or all that is wrong with the form."""
    problems = []
    if form.get("outcome", "") not in _shorts(HitReport.DESCRIPTOR.fields_by_name["outcome"]):
        problems.append(error("OUTCOME_MISSING", "outcome", "no outcome was chosen", "choose one"))
    if desk is None:
        problems.append(error("DESK_MISSING", "", "it is not said how this agency is reached", "add its desk to [[agencies]]"))
    reader = FieldReader(language=language.code, today=today)
    content = reader.read(HitReport, _document(form), "")
    fill_in(content)
    if desk is not None:
        content.desk.CopyFrom(desk)
    unread = {problem.field for problem in reader.problems}
    problems += reader.problems
    problems += [problem for problem in check_values(content) if problem.field not in unread]
    return problems if refuses(problems) else content


def placed(problems: Iterable[Problem]) -> list[Problem]:
    """Problems named by the part of the form beside which each stands: of a part the first error, which others follow from."""
    found: dict[str, Problem] = {}
    for problem in sorted(problems, key=lambda one: not refuses([one])):
        place = _place(problem.field)
        told = Problem(severity=problem.severity, code=problem.code, field=place, message=problem.message, remedy=problem.remedy)
        if place != _COPIED:
            found.setdefault(place if place in PLACES else problem.field, told)
    return list(found.values())


def labels(language: Language) -> dict[str, str]:
    """What each part of the form is called in the list of all that is wrong."""
    return {field.name: field.label for group in groups({}, language) for field in group.fields}


def _place(path: str) -> str:
    """`onward_route[0].arrival_port.code` is `onward_route-arrival_port`; what the form does not ask stands with the first of its group."""
    names = [part.partition("[")[0] for part in path.split(".")]
    asked = next((of for group, of in _ASKED if group and group == names[0]), None)
    if asked is None:
        return names[0]
    inner = names[1] if len(names) > 1 else ""
    return f"{names[0]}-{inner}" if inner in asked or f"{names[0]}-{inner}" == _COPIED else f"{names[0]}-{asked[0]}"


def _document(form: Mapping[str, str]) -> dict[str, Plain]:
    whole: dict[str, Plain] = {}
    for group, names in _ASKED:
        owner = _message(group)
        read = {name: _typed(owner.fields_by_name[name], group, form) for name in names}
        typed = {name: value for name, value in read.items() if value not in ("", [])}
        if not group:
            whole |= typed
        elif typed:
            if group == "onward_route" and "place" in whole:
                typed["departure_port"] = whole["place"]
            whole[group] = [typed] if group in _IN_LISTS else typed
    return whole


def _typed(field: FieldDescriptor, group: str, form: Mapping[str, str]) -> Plain:
    name, kind = _name(field, group), _kind(field)
    if kind == "choices":
        return [short for short in _shorts(field) if f"{name}-{short}" in form]
    typed = " ".join(form.get(name, "").split())
    if kind == "area":
        return [typed] if typed else ""
    if field.type == FieldDescriptor.TYPE_BOOL:
        return typed == "yes" if typed in {"yes", "no"} else ""
    return typed.upper() if field.name in _CAPITALS else typed


def _asked(field: FieldDescriptor, group: str, form: Mapping[str, str], language: Language, labels: Mapping[str, str]) -> Asked:
    name, kind = _name(field, group), _kind(field)
    value = form.get(name, "")
    prefix = enum_prefix(field.enum_type) if field.enum_type else ""
    words = {short: language.say(enum_values()[f"{prefix}{short}"]) for short in _shorts(field)}
    if kind == "choices":
        options = tuple((f"{name}-{short}", said, f"{name}-{short}" in form) for short, said in words.items())
    elif field.type == FieldDescriptor.TYPE_BOOL:
        texts = texts_in(language)
        options = (("yes", texts.yes, value == "yes"), ("no", texts.no, value == "no"))
    else:
        options = tuple((short, said, value == short) for short, said in words.items())
    return Asked(name=name, kind=kind, label=labels[field.name], value=value, options=options)


def _name(field: FieldDescriptor, group: str) -> str:
    return f"{group}-{field.name}" if group else field.name


def _kind(field: FieldDescriptor) -> str:
    if field.enum_type:
        return "choices" if field.is_repeated else "choice"
    if field.type == FieldDescriptor.TYPE_BOOL:
        return "choice"
    return "area" if field.is_repeated else "text"


def _shorts(field: FieldDescriptor) -> list[str]:
    enum: Any = field.enum_type
    return [value.name.removeprefix(enum_prefix(enum)) for value in enum.values if value.number] if enum else []


def _message(group: str) -> Descriptor:
    found: Any = HitReport.DESCRIPTOR.fields_by_name[group].message_type if group else HitReport.DESCRIPTOR
    message: Descriptor = found
    return message
