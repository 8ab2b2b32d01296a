"""The steps of the form in which an NGO tells what it saw: a few short questions each, none of which must be answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from google.protobuf.message import Message

from exchange.v1.desk_service_pb2 import Problem, TipContact
from exchange.v1.offending_pb2 import AgeBand
from exchange.v1.people_pb2 import NAME_STRENGTH_WEAK, NATIONALITY_BASIS_PRESUMED
from exchange.v1.tip_pb2 import ConcernCode, PremisesType, SuspectDescription, Tip
from node.console.tell_date import DateInvalid, read_day, split_day
from node.intake.fill_in import fill_in
from node.intake.problems import error

Choices = Sequence[tuple[str, str]]
_YES, _NO, _OPEN = "yes", "no", ""
_NAMES: Final = 2
"""A name as it was heard, and one in other letters."""
_HANDLES: Final = 16


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


UNKNOWN: Final = _said("I do not know")
_ANSWERS: Final[Choices] = ((_YES, _said("Yes")), (_NO, _said("No")), (_OPEN, UNKNOWN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question."""

    name: str
    kind: str
    """radios, select, checks, date, line, or text."""
    label: str
    hint: str = ""
    path: str = ""
    """What of a tip it fills: problems at or below it are shown here."""
    choices: Choices = ()
    """Value and English words, which the catalogue has."""
    enum: str = ""
    """Of choices that the schema has: what all names begin with."""
    kept: str = ""
    """How browsers and keyboards help: an input mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One short page."""

    name: str
    title: str
    hint: str
    fields: frozenset[str]
    """The fields of a tip that it is about."""
    asks: tuple[Ask, ...]
    show: Callable[[Tip], dict[str, str]]
    """What stands in the form."""
    fill: Callable[["Filling"], None]
    """Puts what was sent into the tip."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Filling:
    """One form on its way into a tip. No repr: it is about people."""

    tip: Tip
    form: Mapping[str, str]
    language: str
    today: date
    problems: list[Problem]

    def line(self, name: str) -> str:
        """What stands in one field, in one line."""
        return " ".join(self.form.get(name, "").split())

    def texts(self, texts: Any, name: str) -> None:
        """Put a field into the first of several texts; it is in the language of the page."""
        words = self.line(name)
        if not texts:
            texts.add()
        if texts[0].text != words:
            texts[0].language, texts[0].text = self.language, words
        if not words:
            del texts[0]


def _enum(enum: Any) -> Choices:
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    return tuple((value.name.removeprefix(prefix), value.name) for value in enum.DESCRIPTOR.values if value.number)


# -- danger ------------------------------------------------------------------------------------------------------------


def _show_danger(tip: Tip) -> dict[str, str]:
    danger = tip.immediate_danger
    return {"danger": (_YES if danger.present else _NO) if danger.HasField("present") else _OPEN, "reason": _first(danger.reason)}


def _fill_danger(given: Filling) -> None:
    danger = given.tip.immediate_danger
    danger.ClearField("present")
    if given.form.get("danger") in {_YES, _NO}:
        danger.present = given.form["danger"] == _YES
    given.texts(danger.reason, "reason")


# -- place and time ----------------------------------------------------------------------------------------------------


def _show_place(tip: Tip) -> dict[str, str]:
    area = tip.place.area
    premises = PremisesType.Name(tip.place.premises).removeprefix("PREMISES_TYPE_") if tip.place.premises else ""
    shown = {"province": area.province, "district": area.district, "commune": area.commune, "premises": premises}
    return shown | dict(zip(("day", "month", "year"), split_day(tip.observed) or ("", "", ""), strict=True))


def _fill_place(given: Filling) -> None:
    area = given.tip.place.area
    for name in ("province", "district", "commune"):
        setattr(area, name, given.line(name))
    given.tip.place.premises = _number(PremisesType, given.form.get("premises", ""))
    try:
        day = read_day(given.line("day"), given.line("month"), given.line("year"), given.today)
    except DateInvalid:
        given.problems.append(error("DATE", "tip.observed", "this is no date that can have been", "write it in numbers"))
        return
    # What a program wrote and these three fields cannot show stays, unless something else is written.
    if day or split_day(given.tip.observed) is not None:
        given.tip.observed = day


# -- the person --------------------------------------------------------------------------------------------------------


def _show_person(tip: Tip) -> dict[str, str]:
    one = tip.suspects[0] if tip.suspects else SuspectDescription()
    names = [name.as_written for name in one.names_as_heard] + [""] * _NAMES
    return {
        "name": names[0],
        "name_other": names[1],
        "description": _first(one.description),
        "age": one.apparent_age,
        "nationality": one.apparent_nationalities[0].country if one.apparent_nationalities else "",
        "occupation": one.occupation,
        "vehicle": one.vehicle,
        "handles": "\n".join(one.online_handles),
    }


def _fill_person(given: Filling) -> None:
    one = given.tip.suspects[0] if given.tip.suspects else given.tip.suspects.add()
    for place, name in enumerate(("name", "name_other")):
        if len(one.names_as_heard) <= place:
            one.names_as_heard.add()
        heard, words = one.names_as_heard[place], given.line(name)
        if heard.as_written != words:
            heard.ClearField("script")
            heard.as_written = words
            heard.strength = NAME_STRENGTH_WEAK if words else 0  # type: ignore[assignment]  # its stubs want the enum's own zero
    given.texts(one.description, "description")
    one.apparent_age, one.occupation, one.vehicle = given.line("age"), given.line("occupation"), given.line("vehicle")
    country = given.form.get("nationality", "")
    if country and not one.apparent_nationalities:
        one.apparent_nationalities.add()
    if country:
        one.apparent_nationalities[0].country = country
        one.apparent_nationalities[0].basis = NATIONALITY_BASIS_PRESUMED
    else:
        del one.apparent_nationalities[:1]
    handles = [" ".join(line.split()) for line in given.form.get("handles", "").splitlines()]
    one.online_handles[:] = [line for line in handles if line]
    if len(one.online_handles) > _HANDLES:
        given.problems.append(error("TOO_MANY", "tip.suspects[0].online_handles", "there are too many", f"write at most {_HANDLES}"))


# -- worries and children ----------------------------------------------------------------------------------------------


def _show_children(tip: Tip) -> dict[str, str]:
    shown = {f"concerns_{ConcernCode.Name(code).removeprefix('CONCERN_CODE_')}": "on" for code in tip.concerns}
    shown |= {f"bands_{AgeBand.Name(band).removeprefix('AGE_BAND_')}": "on" for band in tip.child.age_bands}
    shown["count"] = str(tip.child.count) if tip.child.HasField("count") else ""
    return shown | ({"guessed_YES": "on"} if tip.child.age_uncertain else {})


def _fill_children(given: Filling) -> None:
    child = given.tip.child
    given.tip.concerns[:] = _ticked(given, "concerns", ConcernCode)
    child.age_bands[:] = _ticked(given, "bands", AgeBand)
    child.ClearField("age_uncertain")
    if given.form.get("guessed_YES"):
        child.age_uncertain = True
    child.ClearField("count")
    if written := given.line("count"):
        # Digits of any script: a Khmer or a Thai keyboard writes its own.
        number = int(written) if written.isdecimal() and len(written) <= len("1000") else -1
        if 0 <= number <= 1000:
            child.count = number
        else:
            given.problems.append(error("NUMBER", "tip.child.count", "this is no number of children", "write a whole number"))


# -- who told ----------------------------------------------------------------------------------------------------------

_CONTACT: Final = tuple(TipContact.DESCRIPTOR.fields_by_name)


def _show_reporter(tip: Tip) -> dict[str, str]:
    anonymous = (_YES if tip.anonymous else _NO) if tip.HasField("anonymous") else _OPEN
    return {"anonymous": anonymous, "custodian": tip.evidence_custodian}


def _fill_reporter(given: Filling) -> None:
    given.tip.ClearField("anonymous")
    if given.form.get("anonymous") in {_YES, _NO}:
        given.tip.anonymous = given.form["anonymous"] == _YES
    given.tip.evidence_custodian = given.line("custodian")


def contact_of(form: Mapping[str, str]) -> TipContact | None:
    """How the reporter can be reached, if the form says anything of it; empty to take it out of escrow; None to leave it there."""
    given = {name: " ".join(form.get(f"contact_{name}", "").split()) for name in _CONTACT}
    if any(given.values()):
        return TipContact(**given)
    return TipContact() if form.get("forget_YES") else None


# -- all of them -------------------------------------------------------------------------------------------------------

STEPS: Final = (
    Step(
        name="danger",
        title=_said("Is a child in danger?"),
        hint=_said("If a child is in danger now, call first. The form can wait."),
        fields=frozenset({"immediate_danger"}),
        asks=(
            Ask(
                name="danger",
                kind="radios",
                label=_said("Is a child in danger now?"),
                path="tip.immediate_danger.present",
                choices=_ANSWERS,
            ),
            Ask(
                name="reason",
                kind="text",
                label=_said("Why do you think so?"),
                hint=_said("In your own words. Never a child’s name."),
                path="tip.immediate_danger.reason",
            ),
        ),
        show=_show_danger,
        fill=_fill_danger,
    ),
    Step(
        name="place",
        title=_said("Where, and when?"),
        hint="",
        fields=frozenset({"place", "observed"}),
        asks=(
            Ask(name="province", kind="line", label=_said("Province or city"), path="tip.place.area.province"),
            Ask(name="district", kind="line", label=_said("District"), path="tip.place.area.district"),
            Ask(name="commune", kind="line", label=_said("Commune, village, or street"), path="tip.place.area.commune"),
            Ask(
                name="premises",
                kind="select",
                label=_said("What kind of place was it?"),
                path="tip.place.premises",
                choices=_enum(PremisesType),
                enum="PREMISES_TYPE_",
            ),
            Ask(
                name="day",
                kind="date",
                label=_said("When was it?"),
                hint=_said("The year alone, or the month and the year, is enough."),
                path="tip.observed",
            ),
        ),
        show=_show_place,
        fill=_fill_place,
    ),
    Step(
        name="person",
        title=_said("Whom did you see?"),
        hint=_said("The adult, never the child. A guess is welcome."),
        fields=frozenset({"suspects"}),
        asks=(
            Ask(
                name="description",
                kind="text",
                label=_said("What did the person look like, and do?"),
                hint=_said("Were there several? Tell of them here too."),
                path="tip.suspects[0].description",
            ),
            Ask(name="name", kind="line", label=_said("Name, as you heard it"), path="tip.suspects[0].names_as_heard[0]"),
            Ask(
                name="name_other",
                kind="line",
                label=_said("The same name in other letters, or another name"),
                path="tip.suspects[0].names_as_heard[1]",
            ),
            Ask(name="age", kind="line", label=_said("About how old?"), path="tip.suspects[0].apparent_age"),
            Ask(
                name="nationality",
                kind="select",
                label=_said("Where may the person be from?"),
                path="tip.suspects[0].apparent_nationalities",
                enum="countries",
            ),
            Ask(name="occupation", kind="line", label=_said("Work, or what the person says it is"), path="tip.suspects[0].occupation"),
            Ask(name="vehicle", kind="line", label=_said("Vehicle"), path="tip.suspects[0].vehicle"),
            Ask(
                name="handles",
                kind="text",
                label=_said("Names or numbers on the internet and on the telephone"),
                hint=_said("One in each line."),
                path="tip.suspects[0].online_handles",
            ),
        ),
        show=_show_person,
        fill=_fill_person,
    ),
    Step(
        name="children",
        title=_said("What worries you?"),
        hint="",
        fields=frozenset({"concerns", "child"}),
        asks=(
            Ask(
                name="concerns",
                kind="checks",
                label=_said("Choose all that fits"),
                path="tip.concerns",
                choices=_enum(ConcernCode),
                enum="CONCERN_CODE_",
            ),
            Ask(
                name="count",
                kind="line",
                label=_said("How many children?"),
                hint=_said("Never a name."),
                path="tip.child.count",
                kept="numeric",
            ),
            Ask(
                name="bands",
                kind="checks",
                label=_said("About how old are they?"),
                path="tip.child.age_bands",
                choices=_enum(AgeBand),
                enum="AGE_BAND_",
            ),
            Ask(name="guessed", kind="checks", label=_said("How sure are you?"), choices=(("YES", _said("The ages are a guess")),)),
        ),
        show=_show_children,
        fill=_fill_children,
    ),
    Step(
        name="reporter",
        title=_said("Who told you?"),
        hint=_said("Whoever works on the tip does not see who told you, unless they open it for a reason that is recorded."),
        fields=frozenset({"anonymous", "evidence_custodian"}),
        asks=(
            Ask(
                name="anonymous",
                kind="radios",
                label=_said("Does the person who told you want to stay anonymous?"),
                path="tip.anonymous",
                choices=_ANSWERS,
            ),
            Ask(name="contact_name", kind="line", label=_said("How can the person be reached? Name"), path="contact.name"),
            Ask(name="contact_telephone", kind="line", label=_said("Telephone"), path="contact.telephone", kept="tel"),
            Ask(name="contact_email", kind="line", label=_said("E-mail"), path="contact.email", kept="email"),
            Ask(name="contact_other", kind="line", label=_said("Another way"), path="contact.other"),
            Ask(name="contact_safe_to_call", kind="line", label=_said("When is it safe to call?"), path="contact.safe_to_call"),
            Ask(
                name="custodian",
                kind="line",
                label=_said("Does somebody keep a photo, a message or an object?"),
                hint=_said("Write who keeps it. Send nothing, and open or copy nothing."),
                path="tip.evidence_custodian",
            ),
        ),
        show=_show_reporter,
        fill=_fill_reporter,
    ),
)


def fill(step: Step, tip: Tip, form: Mapping[str, str], language: str, today: date) -> tuple[Tip, list[Problem]]:
    """The tip with what one form says, and what is wrong with it; what the step does not ask for stays as it was."""
    changed = Tip()
    changed.CopyFrom(tip)
    given = Filling(tip=changed, form=form, language=language, today=today, problems=[])
    step.fill(given)
    changed.language = changed.language or language
    _prune(changed)
    return changed, given.problems


def says_all(tip: Tip, today: date) -> bool:
    """Whether these steps show all that is in a tip; a program may have written more."""
    again = Tip(reporter_organisation=tip.reporter_organisation, language=tip.language)
    for step in STEPS:
        again, _ = fill(step, again, step.show(tip), tip.language, today)
    fill_in(again)
    return again == tip


def _first(texts: Sequence[Any]) -> str:
    return str(texts[0].text) if texts else ""


def _number(enum: Any, name: str) -> Any:
    """The number of a choice; 0 for none, and for what is none."""
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    return enum.Value(prefix + name) if prefix + name in enum.keys() else 0  # noqa: SIM118  an enum wrapper, no mapping


def _ticked(given: Filling, name: str, enum: Any) -> list[Any]:
    return [_number(enum, choice) for choice, _ in _enum(enum) if given.form.get(f"{name}_{choice}")]


def _prune(message: Message) -> None:
    """Take out what says nothing: no question that was left open stands in a tip as an empty answer."""
    for part, value in message.ListFields():
        if part.message_type and part.is_repeated:
            for one in value:
                _prune(one)
            full = [one for one in value if one.ByteSize()]
            del value[:]
            value.extend(full)
        elif part.message_type:
            _prune(value)
            if not value.ByteSize():
                message.ClearField(part.name)
        elif value == "" and part.has_presence:
            message.ClearField(part.name)
