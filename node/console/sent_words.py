"""What became of a sent alert, recipient by recipient, for its page: queued, logged, delivered, receipted, opened, reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exchange.log import LogName
from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import disclosure_pb2, receipt_pb2
from node.console.languages import Language
from node.console.words import enum_values
from node.reading_texts import Texts


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_QUEUED, _LOGGED, _DELIVERED = _said("Queued"), _said("Logged"), _said("Delivered")
_RECEIPTED, _OPENED, _REPORTED = _said("Receipted"), _said("Opened by a person, as that agency says"), _said("Reported")
_NOT_YET, _NOT_SAID = _said("not yet"), _said("not said yet")
_REFUSED, _WITHHELD = _said("Refused by their node"), _said("Withheld by this node")
_STATES: Final = {
    messages.DISCLOSURE_STATE_LOGGED: _LOGGED,
    messages.DISCLOSURE_STATE_DELIVERED: _DELIVERED,
    messages.DISCLOSURE_STATE_RECEIPTED: _RECEIPTED,
    messages.DISCLOSURE_STATE_EXCEPTED: _REFUSED,
    messages.DISCLOSURE_STATE_REPORTED: _REPORTED,
}
STAGES: Final = {
    messages.ATTESTATION_STAGE_OWED: _said("owed"),
    messages.ATTESTATION_STAGE_REMINDER: _said("owed, half of the time has passed"),
    messages.ATTESTATION_STAGE_OVERDUE: _said("overdue"),
    messages.ATTESTATION_STAGE_ESCALATED: _said("long overdue: ask above the desk"),
    messages.ATTESTATION_STAGE_ATTESTED: _said("attested"),
    messages.ATTESTATION_STAGE_NOT_HELD: _said("nothing of it was held there"),
}
RECALLS: Final = {
    messages.RECALL_KIND_CORRECTION: _said("Corrected"),
    messages.RECALL_KIND_WITHDRAWAL: _said("Withdrawn"),
    messages.RECALL_KIND_RESTRICTION: _said("Restricted"),
    messages.RECALL_KIND_LIFTING: _said("Restriction lifted"),
}
CORRECTIONS: Final = {
    "FACTUAL_ERROR": _said("Something in it was not so"),
    "WRONG_PERSON": _said("It is about the wrong person"),
    "OUT_OF_DATE": _said("It is out of date"),
    "NOT_LAWFUL": _said("It should not have been sent: it was not lawful"),
    "DISPUTED": _said("The person contests that it is right"),
}
"""What a correction says was wrong, by the name of its CorrectionReason."""
_SETTLED: Final = frozenset({messages.ATTESTATION_STAGE_ATTESTED, messages.ATTESTATION_STAGE_NOT_HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a timeline."""

    words: str
    done: bool
    at: int = 0
    """Unix milliseconds; 0 where nobody here knows."""
    note: str = ""
    links: Sequence[str] = ()
    """Digests of reports."""
    pending: str = ""
    """What to say as long as it was not done."""
    proved: bool = False
    """Whether there is a page that proves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One disclosure to one agency."""

    agency: str
    origin: str
    index: int
    clause: str
    fields: Sequence[str]
    place: str
    """Names the log and the entry in addresses: who was told, which log, which entry."""
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One attestation of a purge."""

    agency: str
    via: str
    manifest: str
    """Of which sending of the alert, in hex; empty where there was only one."""
    stage: str
    settled: bool
    attest_by: int
    attested_at: int


def state_words(state: messages.DisclosureState.ValueType) -> str:
    """How far a disclosure got, in a word of the timeline, in English."""
    return _STATES.get(state, "")


def tellings(answer: messages.GetAlertStatusResponse, language: Language, texts: Texts) -> list[Telling]:
    """The timelines, agency by agency."""
    labels = {field.number: texts.label(field.name) for field in alert_type(answer.summary.alert_type).fields}
    found = [
        Telling(
            agency=agency,
            origin=one.disclosure.origin,
            index=one.disclosure.index,
            clause=one.disclosure.clause,
            fields=[labels.get(number, str(number)) for number in one.disclosure.fields],
            place=_place(one.disclosure),
            steps=_steps(answer, one, agency, language),
        )
        for one in answer.disclosures
        for agency in one.disclosure.audience
    ]
    return sorted(found, key=lambda one: (one.agency, one.origin, one.index))


def owed(answer: messages.GetAlertStatusResponse, language: Language) -> list[Owed]:
    """Who has attested the purge and who has not, these first; of an alert that was sent anew, as corrected, each sending by itself."""
    several = len({one.manifest_digest for one in answer.attestations}) > 1
    found = [
        Owed(
            agency=one.agency,
            via=one.via,
            manifest=one.manifest_digest.hex() if several else "",
            stage=language.say(STAGES.get(one.stage, "")),
            settled=one.stage in _SETTLED,
            attest_by=one.attest_by,
            attested_at=one.attested_at,
        )
        for one in answer.attestations
    ]
    return sorted(found, key=lambda one: (one.settled, one.agency))


def recall_words(answer: messages.GetAlertStatusResponse, language: Language) -> list[tuple[str, str, int]]:
    """(what, why, when) of each recall of it."""
    return [(language.say(RECALLS.get(one.kind, "")), _reason(one.reason, language), one.recorded_at) for one in answer.recalls]


def _steps(answer: messages.GetAlertStatusResponse, one: messages.DisclosureStatus, agency: str, language: Language) -> list[Step]:
    state, not_yet = one.state, language.say(_NOT_YET)
    place = f"{one.disclosure.origin}#{one.disclosure.index}"
    logged = Step(words=language.say(_LOGGED), done=True, at=one.disclosed_at, note=place, proved=True)
    steps = [Step(words=language.say(_QUEUED), done=True, at=answer.summary.issued_at), logged]
    if one.withheld:
        code = disclosure_pb2.WithheldCode.Name(one.withheld).removeprefix("WITHHELD_CODE_")
        steps.append(Step(words=language.say(_WITHHELD), done=True, note=code))
        return steps
    steps.append(Step(words=language.say(_DELIVERED), done=state >= messages.DISCLOSURE_STATE_DELIVERED, pending=not_yet))
    if state == messages.DISCLOSURE_STATE_EXCEPTED:
        code = receipt_pb2.ExceptionCode.Name(one.exception).removeprefix("EXCEPTION_CODE_")
        steps.append(Step(words=language.say(_REFUSED), done=True, at=one.receipted_at, note=code))
        return steps
    steps.append(Step(words=language.say(_RECEIPTED), done=bool(one.receipted_at), at=one.receipted_at, pending=not_yet))
    read = [ack for ack in answer.acknowledgements if ack.agency == agency]
    # Whether somebody opened it who does not say so, nobody here can know.
    opened_at = read[0].read_at if read else 0
    steps.append(Step(words=language.say(_OPENED), done=bool(read), at=opened_at, pending=language.say(_NOT_SAID)))
    reports = [digest.hex() for digest in one.reports]
    steps.append(Step(words=language.say(_REPORTED), done=bool(reports), links=reports, pending=not_yet))
    return steps


def _place(one: messages.LoggedDisclosure) -> str:
    name = LogName.parse(one.origin)
    return f"{name.recipient}/{name.generation}/{one.index}"


def _reason(reason: str, language: Language) -> str:
    return language.say(next((words for name, words in enum_values().items() if name.endswith(f"_REASON_{reason}")), reason))
