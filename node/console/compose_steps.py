"""The steps of a draft: which field stands on which page, by the categories of the schema; and which problem belongs to which field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from exchange.profile import AlertType, alert_type
from exchange.v1.desk_service_pb2 import SEVERITY_ERROR, Draft, Problem
from exchange.v1.people_pb2 import NAME_KIND_ROMANISATION, Grading, PersonName, TravelDocument
from node.console.compose_form import MRZ, Composer, Option, Part, message_of, without_blanks
from node.console.compose_words import ENVELOPE, STEPS
from node.intake.completeness import needed_fields
from node.intake.fields import in_parts, is_nothing
from node.intake.names import suggested_romanisation
from node.intake.paths import at, item
from node.intake.plain_document import Plain
from node.intake.problems import FIELD_MISSING, covers
from node.operations.draft_box import DraftContent

SEND: Final = "send"
SOURCES: Final = "sources"
_BY_CATEGORY: Final[Mapping[str, str]] = {
    "ASSESSMENT": "why",
    "BIOMETRIC": "person",
    "CASE": "why",
    "CONTACT": "journey",
    "CRIMINAL": "why",
    "DOCUMENT": "documents",
    "HEALTH": "action",
    "IDENTITY": "person",
    "OPERATIONAL": "action",
    "PROVENANCE": SOURCES,
    "TRAVEL": "journey",
}
_ELSEWHERE: Final[Mapping[str, str]] = {"contact_desk": "action", "named_companions": "journey"}
"""Fields that a person looks for on another page than where their category stands."""
_UNGRADED: Final = frozenset({"OPERATIONAL", "PROVENANCE"})
"""What nobody grades: what to do, and where it comes from."""
_DRAFT: Final[Any] = Draft.DESCRIPTOR
_GRADED: Final = ("source", "information", "certainty")
_DIGESTS: Final = ("in_reply_to", "thread", "supersedes")
_DONE, _TO_DO, _WRONG, _EMPTY = "done", "to do", "wrong", "empty"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reading:
    """A draft as the intake understands it, and all that it found wrong."""

    content: DraftContent
    kind: AlertType
    draft: Draft
    alert: Message
    problems: Sequence[Problem]

    @property
    def typed(self) -> dict[str, Plain]:
        """What was typed of the alert itself."""
        alert = self.content.document.get("alert")
        return alert if isinstance(alert, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One page of a draft."""

    code: str
    fields: tuple[str, ...]
    """Of the alert; none for the page of what stands around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a step stands."""

    step: Step
    state: str
    """`done`, `to do`, `wrong`, or `empty` where nothing is needed."""
    warnings: int


@cache
def steps_of(alert_type_name: str) -> tuple[Step, ...]:
    """The steps of a type of alert, in order; those without a field are left out. Raises `Malformed` (ALERT_TYPE_UNKNOWN)."""
    kind = alert_type(alert_type_name)
    found: dict[str, list[str]] = {}
    descriptor: Any = kind.message.DESCRIPTOR
    for field in kind.fields:
        named = descriptor.fields_by_name[field.name].message_type is PersonName.DESCRIPTOR
        code = "names" if named else _ELSEWHERE.get(field.name, _BY_CATEGORY[field.category])
        found.setdefault(code, []).append(field.name)
    return tuple(Step(code=code, fields=tuple(found.get(code, ()))) for code in STEPS if code in found or code == SEND)


def documents_path(kind: AlertType) -> str:
    """Where an alert of that type holds the documents of its person, below the alert itself or one field of it; empty for nowhere."""
    descriptor: Any = kind.message.DESCRIPTOR
    for field in descriptor.fields:
        if field.message_type is TravelDocument.DESCRIPTOR and field.is_repeated:
            return str(field.name)
        inner = field.message_type.fields_by_name.get("documents") if field.message_type and not field.is_repeated else None
        if inner and inner.message_type is TravelDocument.DESCRIPTOR:
            return at(field.name, "documents")
    return ""


def step_of(problem: Problem, reading: Reading) -> str:
    """The code of the step on which a problem is mended."""
    if problem.code == "GRADING_MISSING":
        return SOURCES
    top = _top(problem.field)
    # A request has a purpose of its own besides that of the alert around it: what is missing is the one that nobody typed.
    if problem.code == FIELD_MISSING and not is_nothing(reading.typed.get(top)):
        return SEND
    return next((step.code for step in steps_of(reading.kind.name) if top in step.fields), SEND)


def standings(reading: Reading) -> list[Standing]:
    """How each step of a draft stands."""
    found = []
    for step in steps_of(reading.kind.name):
        mine = [problem for problem in reading.problems if step_of(problem, reading) == step.code]
        errors = [problem for problem in mine if problem.severity == SEVERITY_ERROR]
        begun = _begun(reading, step)
        if errors:
            state = _WRONG if begun and any(problem.code != FIELD_MISSING for problem in errors) else _TO_DO
        else:
            state = _DONE if begun else _EMPTY
        found.append(Standing(step=step, state=state, warnings=len(mine) - len(errors)))
    return found


def _begun(reading: Reading, step: Step) -> bool:
    if step.code == SEND:
        return bool(reading.content.reason or any(reading.content.document.get(name) for name in ("recipients", "purpose", "not_after")))
    present = {field.name for field, _ in reading.alert.ListFields()}
    return any(name in present or not is_nothing(reading.typed.get(name)) for name in step.fields)


def parts_of(composer: Composer, step: Step, reading: Reading, addressees: Sequence[tuple[str, str]]) -> list[Part]:
    """What the page of a step shows; `addressees` are the agencies that can be chosen, with their names."""
    if step.code == SEND:
        return _around(composer, reading, addressees)
    needed = needed_fields(reading.kind.name)
    descriptor: Any = reading.kind.message.DESCRIPTOR
    found = []
    for name in step.fields:
        field = descriptor.fields_by_name[name]
        if field.message_type is Grading.DESCRIPTOR:
            found.append(_grading(composer, field, reading))
        else:
            part = composer.part(field, name, reading.typed.get(name), reading.alert, needed=name in needed)
            found.append(replace(part, aside=part.kind in {"group", "rows"} and not part.needed))
    return found


def typed_in(composer: Composer, step: Step, reading: Reading, form: Mapping[str, str], edited: "Edit") -> DraftContent:
    """The draft as a form of that step says it; `edited` is what the button does besides."""
    document, reason = dict(reading.content.document), reading.content.reason
    if step.code == SEND:
        document |= _typed_around(composer, reading, form)
        reason = form.get("f.reason", reason).strip()
    alert = dict(reading.typed)
    descriptor: Any = reading.kind.message.DESCRIPTOR
    for name in step.fields:
        field = descriptor.fields_by_name[name]
        graded = field.message_type is Grading.DESCRIPTOR
        alert[name] = _typed_grading(composer, field, reading, form) if graded else composer.typed(field, name, form, alert.get(name))
    whole: dict[str, Plain] = {**document, "alert": alert}
    around = edited.path.partition("[")[0] in document and step.code == SEND
    edited.apply(whole if around else alert)
    kept = without_blanks(whole)
    return replace(reading.content, document=kept if isinstance(kept, dict) else {}, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a button does to the draft besides saving the page: `remove` takes out the row at `path`, `set` puts `value` there."""

    verb: str = ""
    path: str = ""
    value: str = ""

    def apply(self, document: dict[str, Plain]) -> None:
        """Do it; a path that is not there changes nothing."""
        *outer, last = _segments(self.path) if self.verb in {"remove", "set"} else [""]
        place: Plain = document
        for segment in outer:
            if isinstance(place, dict) and isinstance(segment, str):
                place = place.get(segment)
            elif isinstance(place, list) and isinstance(segment, int) and segment < len(place):
                place = place[segment]
            else:
                return
        if self.verb == "remove" and isinstance(place, list) and isinstance(last, int) and last < len(place):
            place[last] = None
        elif self.verb == "set" and isinstance(place, dict) and isinstance(last, str):
            place[last] = self.value


def add_document(reading: Reading, lines: Sequence[str]) -> DraftContent:
    """The draft with one more document, of which these are the machine readable lines; as it is if it has that one."""
    *outer, last = documents_path(reading.kind).split(".")
    alert = dict(reading.typed)
    holder = alert
    for name in outer:
        inner = holder.get(name)
        holder[name] = dict(inner) if isinstance(inner, dict) else {}
        holder = holder[name]  # type: ignore[assignment]  # made just now
    held = holder.get(last)
    kept = held if isinstance(held, list) else [] if is_nothing(held) else [held]
    if any(isinstance(one, dict) and one.get(MRZ) == list(lines) for one in kept):
        return reading.content
    given = list(kept)
    holder[last] = [*given, {MRZ: list(lines)}]
    return replace(reading.content, document={**reading.content.document, "alert": alert})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NameRow:
    """One name of a person beside its romanisation."""

    path: str
    script: str
    as_written: str
    romanised: str
    suggested: str
    """Letter by letter, where nobody gave a romanisation; empty for Latin names."""


def names_beside(reading: Reading, composer: Composer) -> list[NameRow]:
    """The names of an alert with script and romanisation side by side; a romanisation belongs to the name before it."""
    found: list[NameRow] = []
    for field, value in reading.alert.ListFields():
        if field.message_type is not PersonName.DESCRIPTOR:
            continue
        for index, name in enumerate(value if field.is_repeated else [value]):
            written = name.as_written or " ".join(part for part in (name.family, name.given) if part)
            if name.kind == NAME_KIND_ROMANISATION and found and found[-1].suggested:
                found[-1] = replace(found[-1], romanised=written, suggested="")
            elif written:
                script = composer.texts.scripts.get(name.script, name.script)
                path = item(field.name, index) if field.is_repeated else field.name
                suggested = suggested_romanisation(written)
                found.append(NameRow(path=path, script=script, as_written=written, romanised="", suggested=suggested))
    return found


def add_romanisation(reading: Reading, path: str) -> DraftContent:
    """The draft with the suggested romanisation of the name at `path` behind it, or as it is if there is no such name."""
    alert = dict(reading.typed)
    name, bracket, index = path.rstrip("]").partition("[")
    held = alert.get(name)
    names = held if isinstance(held, list) else [held]
    place = int(index) if bracket and index.isdecimal() else 0
    given = in_parts(PersonName.DESCRIPTOR, names[place]) if place < len(names) else None
    if not isinstance(given, dict):
        return reading.content
    text = str(given.get("as_written") or " ".join(str(given[part]) for part in ("family", "given") if given.get(part)))
    row: dict[str, Plain] = {"as_written": suggested_romanisation(text), "kind": "ROMANISATION"}
    if not row["as_written"]:
        return reading.content
    others = alert.get("names") if name != "names" else names
    kept: list[Plain] = list(others) if isinstance(others, list) else [] if is_nothing(others) else [others]
    kept.insert(place + 1 if name == "names" else 0, row)
    alert["names"] = kept
    return replace(reading.content, document={**reading.content.document, "alert": alert})


def place_of(problem: Problem, parts: Iterable[Part], reading: Reading) -> str:
    """The path of the field on its page that a problem is about: the innermost that is shown; empty for none."""
    wanted = problem.field
    if problem.code == "GRADING_MISSING":
        wanted = f"grading:{wanted}"
    elif wanted.startswith("grading["):
        wanted = _graded_path(wanted, reading)
    shown = [part.path for whole in parts for part in whole.all_parts() if covers(part.path, wanted)]
    return max(shown, key=len, default="")


def _segments(path: str) -> list[str | int]:
    found: list[str | int] = []
    for name in path.split("."):
        name, *indexes = name.replace("]", "").split("[")  # noqa: PLW2901  the name without its indexes
        found += [name, *(int(index) for index in indexes if index.isdecimal())]
    return found


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def _grading(composer: Composer, field: FieldDescriptor, reading: Reading) -> Part:
    given = dict(_gradings(reading))
    judged = {one.name for one in reading.kind.fields if one.category == "ASSESSMENT"}
    rows = []
    for target in _targets(reading):
        path = f"grading:{target}"
        typed = given.get(target, {})
        words = composer.texts.label(target) if target else composer.language.say("The whole alert")
        fields = message_of(field).fields_by_name
        parts = [composer.part(fields[name], at(path, name), typed.get(name), None) for name in _GRADED]
        # No certainty of the whole makes a fact of an assessment.
        parts = [
            part if not target or (target in judged and name == "certainty") else _as_the_whole(composer, part)
            for name, part in zip(_GRADED, parts, strict=True)
        ]
        rows.append(Part(kind="group", path=path, label=words, parts=parts))
    return Part(kind="group", path="grading", label=composer.texts.label("grading"), parts=rows)


def _as_the_whole(composer: Composer, part: Part) -> Part:
    words = composer.language.say("as the whole alert")
    return replace(part, options=[option if option.value else replace(option, words=words) for option in part.options])


def _typed_grading(composer: Composer, field: FieldDescriptor, reading: Reading, form: Mapping[str, str]) -> Plain:
    given = dict(_gradings(reading))
    fields = message_of(field).fields_by_name
    found: list[Plain] = []
    for target in dict.fromkeys((*_targets(reading), *given)):
        path, before = f"grading:{target}", given.get(target, {})
        typed = {name: composer.typed(fields[name], at(path, name), form, before.get(name)) for name in _GRADED}
        if any(typed.values()):
            found.append({"field": target, **typed})
    return found


def _gradings(reading: Reading) -> list[tuple[str, dict[str, Plain]]]:
    given = reading.typed.get("grading")
    rows = given if isinstance(given, list) else [given]
    return [(str(row.get("field") or ""), row) for row in rows if isinstance(row, dict)]


def _targets(reading: Reading) -> list[str]:
    graded = {target for target, _ in _gradings(reading)}
    present = {field.name for field, _ in reading.alert.ListFields()}
    return ["", *(one.name for one in reading.kind.fields if one.name in graded or (one.name in present and one.category not in _UNGRADED))]


def _graded_path(path: str, reading: Reading) -> str:
    number, _, rest = path.removeprefix("grading[").partition("]")
    rows = _gradings(reading)
    return f"grading:{rows[int(number)][0]}{rest}" if int(number) < len(rows) else "grading"


def _around(composer: Composer, reading: Reading, addressees: Sequence[tuple[str, str]]) -> list[Part]:
    document = reading.content.document
    say = composer.language.say
    chosen = _texts(document.get("recipients"))
    offered = dict(addressees) | {one: one for one in chosen if one not in dict(addressees)}
    present = {field.name for field, _ in reading.alert.ListFields()}
    left_out = _texts(document.get("leave_out"))
    fields = [one.name for one in reading.kind.fields if one.name in present or one.name in left_out]
    not_after = str(document.get("not_after") or "")
    by_name = _DRAFT.fields_by_name
    words = {name: say(one) for name, one in ENVELOPE.items()}

    def plain(name: str, kind: str, value: str, hint: str = "", said: Sequence[str] = ()) -> Part:
        return Part(kind=kind, path=name, label=words[name], value=value, hint=hint, said=said)

    def several(name: str, options: Mapping[str, str], held: Sequence[str]) -> Part:
        made = [Option(value=value, words=text, chosen=value in held) for value, text in options.items()]
        return Part(kind="choices", path=name, label=words[name], options=made)

    def schema(name: str) -> Part:
        return replace(composer.part(by_name[name], name, document.get(name), None), label=words[name])

    until = [composer.language.moment(reading.draft.not_after, composer.zone)] if reading.draft.not_after else []
    hint = say("In days, for example 30; or 3 months, 31 March 2027, 5 March 2027 06:00. Times are of %(zone)s.", zone=composer.zone)
    days = not_after.removeprefix("P").removesuffix("D") if not_after.startswith("P") and not_after.endswith("D") else not_after
    return [
        several("recipients", offered, chosen),
        schema("purpose"),
        plain("not_after", "text", days, hint, until),
        schema("handling"),
        plain("reason", "long", reading.content.reason, say("Why this is necessary. Kept for your auditors; no partner sees it.")),
        plain("language", "text", str(document.get("language") or ""), say("For example en, km, th or vi.")),
        replace(several("leave_out", {name: composer.texts.label(name) for name in fields}, left_out), aside=True),
        replace(schema("on_request"), aside=True),
        Part(
            kind="group",
            path="digests",
            label=say("Other alerts that it belongs to"),
            parts=[plain(name, "text", ", ".join(_texts(document.get(name)))) for name in _DIGESTS],
            aside=True,
        ),
    ]


def _typed_around(composer: Composer, reading: Reading, form: Mapping[str, str]) -> dict[str, Plain]:
    document = reading.content.document
    by_name = _DRAFT.fields_by_name
    found: dict[str, Plain] = {
        name: composer.typed(by_name[name], name, form, document.get(name)) for name in ("purpose", "handling", "on_request")
    }
    for name in ("recipients", "leave_out"):
        found[name] = [key.partition("=")[2] for key in form if key.startswith(f"f.{name}=")]
    for name in ("not_after", "language"):
        found[name] = form.get(f"f.{name}", str(document.get(name) or "")).strip()
    found["not_after"] = composer.until(str(found["not_after"]))
    for name in _DIGESTS:
        typed = form.get(f"f.{name}")
        given = [one for one in typed.replace(",", " ").split() if one] if typed is not None else _texts(document.get(name))
        found[name] = list(given) if name == "supersedes" else " ".join(given)
    return found


def _texts(value: Plain) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value]) if not is_nothing(one)]
