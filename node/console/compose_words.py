"""What the pages of a draft call things, in English, where the words of the schema will not do; the catalogues have the rest."""

from collections.abc import Mapping
from typing import Final

from node.console.languages import Language
from node.intake.fields import enum_prefix


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


LABELS: Final[Mapping[str, str]] = {
    "exchange.v1.Handling.codes": _said("Handling codes"),
    "exchange.v1.Handling.confirm_before_coercive_action": _said("Confirm with us before any coercive action"),
    "exchange.v1.Handling.judicial_use": _said("Use in court"),
    "exchange.v1.Handling.onward": _said("Passing on"),
    "exchange.v1.Handling.permitted_purposes": _said("May be used for"),
    "exchange.v1.Handling.retention_days": _said("Days to keep it at most"),
    "exchange.v1.LocalTime.local": _said("Date, and time if known"),
    "exchange.v1.LocalTime.zone": _said("Time zone, only if the port is not known here"),
    "exchange.v1.OnRequestGrant.field": _said("Field"),
    "exchange.v1.OnRequestGrant.ground": _said("On what ground"),
    "exchange.v1.OnRequestGrant.recipient": _said("For whom"),
    "exchange.v1.OnRequestGrant.request_digest": _said("Digest of the request, if there was one"),
    "exchange.v1.PersonName.as_written": _said("As written, in its own script"),
    "exchange.v1.Port.code": _said("Code or name of the airport or port"),
    "exchange.v1.Port.name": _said("Name, only if the code is not known here"),
}
"""By the full name of a field."""
HINTS: Final[Mapping[str, str]] = {
    "country": _said("A name or a code, for example Cambodia or KHM."),
    "date": _said("As far as it is known, for example 12 April 1961, 03/1985, 1970s, about 1970."),
    "instant": _said("For example 5 March 2027 06:00. Times are of %(zone)s."),
    "list": _said("Several with commas between them, for example en, km."),
    "port": _said("For example KTI, Phnom Penh, or KHKOS for a sea port."),
    "time": _said("As the board there shows it, for example 4 March 2027 21:30."),
}
"""By the kind of part."""
_VALUES: Final[Mapping[str, str]] = {
    "HANDLING_CODE_H0": _said("H0: to prevent and fight crime"),
    "HANDLING_CODE_H1": _said("H1: not in court without our leave"),
    "HANDLING_CODE_H2": _said("H2: not passed on without our leave"),
    "HANDLING_CODE_H3": _said("H3: other limits, which are stated"),
    "JUDICIAL_USE_ALLOWED": _said("may be used in court"),
    "JUDICIAL_USE_ASK": _said("in court only with the sender’s leave"),
    "JUDICIAL_USE_NONE": _said("not for use in court"),
    "ONWARD_RULE_ASK": _said("passed on only with the sender’s leave"),
    "ONWARD_RULE_NONE": _said("not to be passed on"),
    "ON_REQUEST_GROUND_IDENTIFICATION": _said("to identify the person"),
    "ON_REQUEST_GROUND_INVESTIGATION": _said("for an investigation"),
    "ON_REQUEST_GROUND_OFFICER_SAFETY": _said("for the safety of officers"),
    "ON_REQUEST_GROUND_RECIPIENT_ASKED": _said("the recipient asked"),
    "ON_REQUEST_GROUND_RISK_TO_CHILD": _said("a child is at risk"),
}
"""Values of what is no part of an alert itself."""
STEPS: Final[Mapping[str, str]] = {
    "documents": _said("Documents"),
    "names": _said("Names"),
    "person": _said("Birth and description"),
    "journey": _said("Journey"),
    "why": _said("Why"),
    "action": _said("What to do, and whom to call"),
    "sources": _said("Where it comes from, and how sure it is"),
    "send": _said("Recipients, handling and reason"),
}
"""The steps of every draft, in order."""
ENVELOPE: Final[Mapping[str, str]] = {
    "handling": _said("Handling"),
    "in_reply_to": _said("Answers the alert with digest"),
    "language": _said("Language of the texts"),
    "leave_out": _said("Leave out for everybody"),
    "not_after": _said("Valid until"),
    "on_request": _said("Given on request"),
    "originator": _said("Sender"),
    "purpose": _said("Purpose"),
    "reason": _said("Reason"),
    "recipients": _said("Recipients"),
    "supersedes": _said("Replaces the alerts with digests"),
    "thread": _said("Belongs to the case that begins with digest"),
    "type": _said("Type"),
}
"""What stands around an alert in its file."""


def value_words(enum: object, name: str, language: Language, words: Mapping[str, str]) -> str:
    """What a value of an enum is called: of an alert by `words`, of what stands around it by this table."""
    if name in words:
        return words[name]
    if name in _VALUES:
        return language.say(_VALUES[name])
    return name.removeprefix(enum_prefix(enum)).replace("_", " ").lower()  # type: ignore[arg-type]  # of the descriptor
