"""One alert as a page shows it: what to do first, how fresh it is, how it may be handled; facts, assessments and silence each apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from google.protobuf.descriptor import FieldDescriptor

from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import handling_pb2
from node.console.languages import Language
from node.console.words import enum_values, type_words
from node.console.work_words import flag_words
from node.intake.lookalikes import lookalikes
from node.reading import Certainty, FieldReading, FieldState, read_view
from node.reading_texts import Texts

FIRST: Final = ("requested_action", "cautions", "safeguarding_request", "contact_desk")
"""Fields that say what to do, and whom to call."""
PHOTOGRAPH: Final = "facial_image"
GRADING: Final = "grading"
_OWED: Final = frozenset({"ATTESTATION_OWED", "PURGE_OWED"})
HIDDEN: Final = "\N{REPLACEMENT CHARACTER}"
"""What stands in the place of a character that would reorder or hide text."""


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_BLOCKED: Final[Mapping[int, str]] = {
    messages.BLOCKED_WITHDRAWN: _said("Withdrawn: do not act on it. Remove every copy, take it off your lists, then attest the purge."),
    messages.BLOCKED_RESTRICTED: _said("Restricted: do not act on it until the restriction is lifted."),
    messages.BLOCKED_REPLACED: _said("Replaced: read the alert in its place, which says what changed."),
    messages.BLOCKED_ERASED: _said("Erased: only the record that it was told is left."),
}
_PURGED: Final = _said("Withdrawn: do not act on it. Your agency has said that it is purged here.")
_DISPUTED: Final = _said("Disputed: do not act on it. Fields were wrong, and you were not given the new values. Ask the sender.")
_RECALLS: Final[Mapping[int, str]] = {
    messages.RECALL_KIND_CORRECTION: _said("Corrected"),
    messages.RECALL_KIND_WITHDRAWAL: _said("Withdrawn"),
    messages.RECALL_KIND_RESTRICTION: _said("Restricted"),
    messages.RECALL_KIND_LIFTING: _said("Restriction lifted"),
}
_JUDICIAL: Final[Mapping[int, str]] = {
    handling_pb2.JUDICIAL_USE_ALLOWED: _said("may be used in court"),
    handling_pb2.JUDICIAL_USE_ASK: _said("in court only with the sender’s leave"),
}
_NO_JUDICIAL: Final = _said("not for use in court")
_ONWARD: Final = _said("passed on only with the sender’s leave")
_NO_ONWARD: Final = _said("not to be passed on")
_CONTROL: Final = _said("handled as the alert that it is about")
_COERCION: Final = _said("confirm with the sender before any coercive action")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Shown:
    """One field and its lines. No repr: personal data must not reach a log by a traceback."""

    name: str
    label: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Change:
    """One field that differs from the alert before."""

    label: str
    before: Sequence[str]
    now: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AlertView:
    """All that the page of one alert shows, in the words of the person's language."""

    summary: messages.AlertSummary
    reference: str
    kind: str
    flags: Sequence[str]
    advice: str
    replaced_by: str
    handling: Sequence[str]
    may_be_valid: bool
    """Whether it is of use to know if it is still in force: not of a recall or an answer to one, nor of what is not shown."""
    confirmed_at: int
    confirmed_now: bool
    erase_by: int
    attest_by: int
    first: Sequence[Shown]
    facts: Sequence[Shown]
    ungraded: Sequence[Shown]
    grading_hidden: bool
    """Whether the sender's gradings were kept from the reader, so that nobody here knows what was graded."""
    assessments: Sequence[Shown]
    not_known: Sequence[str]
    not_disclosed: Sequence[str]
    photograph: bool
    hidden: bool
    """Whether a text holds characters that were replaced."""
    lookalikes: Sequence[tuple[str, str]]
    """Words with signs that read as others, and these."""
    recalls: Sequence[tuple[str, str, int]]
    replaces: str
    changes: Sequence[Change]

    @property
    def blocked(self) -> bool:
        """Whether its content is not shown."""
        return not (self.first or self.facts or self.ungraded or self.assessments or self.not_known)


def alert_view(answer: messages.GetInboxAlertResponse, language: Language, texts: Texts, zone: str = "UTC") -> AlertView:
    """What a page says of an answer of the operation `get_inbox_alert`; points in time by the clock of a zone."""
    kind = answer.summary.alert_type
    control = alert_type(kind).control
    readings = () if answer.blocked else read_view(kind, answer.view, answer.undisclosed, texts=texts)
    moments = {} if answer.blocked else _moments(kind, answer.view, language, zone)
    readings = tuple(replace(one, lines=moments.get(one.name, one.lines)) for one in readings)
    given = [one for one in readings if one.state is FieldState.VALUE]
    rest = [one for one in given if one.name not in FIRST]
    return AlertView(
        summary=answer.summary,
        reference=answer.summary.manifest_digest.hex(),
        kind=language.say(type_words(kind)),
        flags=[language.say(flag_words(flag)) for flag in answer.summary.flags],
        advice=_advice(answer, language),
        replaced_by=answer.replaced_by.hex(),
        handling=[language.say(_CONTROL)] if control else list(_handling(answer.handling, language)),
        may_be_valid=not (control or answer.blocked),
        confirmed_at=answer.confirmed_at,
        confirmed_now=answer.confirmed_now,
        erase_by=answer.erase_by,
        attest_by=answer.attest_by,
        first=_shown(sorted((one for one in given if one.name in FIRST), key=lambda one: FIRST.index(one.name))),
        facts=_shown(one for one in rest if one.certainty is Certainty.FACT),
        ungraded=_shown(one for one in rest if one.certainty is None),
        grading_hidden=any(one.name == GRADING and one.state is FieldState.NOT_DISCLOSED for one in readings),
        assessments=_shown(one for one in rest if one.certainty is Certainty.ASSESSMENT),
        not_known=[one.label for one in readings if one.state is FieldState.NOT_KNOWN],
        not_disclosed=[one.label for one in readings if one.state is FieldState.NOT_DISCLOSED],
        # Where the sender said that there is none, there is nothing to ask for.
        photograph=any(one.name == PHOTOGRAPH and one.state is not FieldState.NOT_KNOWN for one in readings),
        hidden=any(HIDDEN in line for one in given for line in one.lines),
        lookalikes=lookalikes(line for one in given for line in one.lines),
        recalls=[(language.say(_RECALLS.get(one.kind, "")), language.say(_reason(one.reason)), one.recorded_at) for one in answer.recalls],
        replaces=answer.replaces.hex(),
        changes=[_change(kind, one, texts) for one in answer.changes],
    )


def _shown(readings: Iterable[FieldReading]) -> list[Shown]:
    return [Shown(name=one.name, label=one.label, lines=one.lines) for one in readings]


def _moments(kind: str, view: bytes, language: Language, zone: str) -> dict[str, tuple[str, ...]]:
    """Lines of the fields that are points in time, as every other time of the page is written."""
    fields = alert_type(kind).message.FromString(view).ListFields()
    return {field.name: (language.moment(value, zone),) for field, value in fields if field.type == FieldDescriptor.TYPE_INT64}


def _advice(answer: messages.GetInboxAlertResponse, language: Language) -> str:
    if answer.blocked == messages.BLOCKED_WITHDRAWN and not answer.attest_by and not _OWED & set(answer.summary.flags):
        return language.say(_PURGED)
    if answer.blocked:
        return language.say(_BLOCKED.get(answer.blocked, ""))
    return language.say(_DISPUTED) if "DISPUTED" in answer.summary.flags else ""


def _handling(handling: handling_pb2.Handling, language: Language) -> Iterable[str]:
    codes = [handling_pb2.HandlingCode.Name(code).removeprefix("HANDLING_CODE_") for code in handling.codes]
    yield ", ".join(codes) or "H0"
    purposes = [language.say(_purpose(purpose)) for purpose in handling.permitted_purposes]
    yield language.say("for: %(purposes)s", purposes=", ".join(purposes)) if purposes else language.say("for no purpose that was stated")
    yield language.say(_JUDICIAL.get(handling.judicial_use, _NO_JUDICIAL))
    yield language.say(_ONWARD if handling.onward == handling_pb2.ONWARD_RULE_ASK else _NO_ONWARD)
    if handling.retention_days:
        yield language.count("kept for %(num)s day at most", "kept for %(num)s days at most", handling.retention_days)
    if handling.confirm_before_coercive_action:
        yield language.say(_COERCION)


def _purpose(purpose: "handling_pb2.Purpose.ValueType") -> str:
    return enum_values().get(handling_pb2.Purpose.Name(purpose), "")


def _reason(reason: str) -> str:
    return next((words for name, words in enum_values().items() if name.endswith(f"_REASON_{reason}")), reason)


def _change(kind: str, one: messages.FieldChange, texts: Texts) -> Change:
    before = _one(kind, one.field, one.before, texts, told=one.told_before)
    now = _one(kind, one.field, one.now, texts, told=one.told_now)
    return Change(label=now.label, before=before.lines, now=now.lines)


def _one(kind: str, number: int, fragment: bytes, texts: Texts, *, told: bool) -> FieldReading:
    readings = read_view(kind, fragment, () if told else (number,), texts=texts)
    return next(reading for reading in readings if reading.number == number)
