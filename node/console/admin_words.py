"""What the pages of administrators call things, in English; the catalogues have the rest."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from exchange.v1 import agreement_pb2, handling_pb2
from exchange.v1 import desk_service_pb2 as messages
from node.agreement_changes import NEVER, ON_REQUEST, PERMITTED, REQUIRED
from node.console.languages import Language
from node.console.words import enum_values
from node.health_texts import TEXTS, HealthText
from node.operations.health_node import key_ends_soon, not_followed
from node.operations.key_windows import NodeKeys
from node.reading_values import safe_text


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


MARK_WORDS: Final[Mapping[str, str]] = {
    REQUIRED: _said("always sent"),
    PERMITTED: _said("sent unless left out"),
    ON_REQUEST: _said("only with a reason"),
    NEVER: _said("never sent"),
}
CLASS_WORDS: Final[Mapping[int, str]] = {
    agreement_pb2.AGENCY_CLASS_BORDER: _said("border agencies"),
    agreement_pb2.AGENCY_CLASS_POLICE: _said("police"),
    agreement_pb2.AGENCY_CLASS_PROSECUTION: _said("prosecution"),
    agreement_pb2.AGENCY_CLASS_SOCIAL: _said("social services"),
    agreement_pb2.AGENCY_CLASS_NGO: _said("children’s organisations"),
}
CONDITION_WORDS: Final[Mapping[str, str]] = {
    "purposes": _said("purposes"),
    "maximum_retention_days": _said("kept, days at most"),
    "onward": _said("passing on"),
    "response_hours": _said("answer, within hours"),
    "approvals": _said("further approvals"),
    "transfer_conditions": _said("conditions of transfer"),
    "rate_cap_per_day": _said("alerts a day at most"),
}
_TRANSFER_WORDS: Final[Mapping[int, str]] = {
    agreement_pb2.TRANSFER_CONDITION_ASSESSMENT: _said("transfer assessment"),
    agreement_pb2.TRANSFER_CONDITION_DEATH_PENALTY_ASSURANCE: _said("assurance against the death penalty"),
    agreement_pb2.TRANSFER_CONDITION_JUDICIAL_AUTHORISATION: _said("judicial authorisation"),
}
_NOT_ONWARD: Final = _said("not allowed")
_ASK_ONWARD: Final = _said("only with leave")
GROUND_WORDS: Final[Mapping[int, str]] = {
    agreement_pb2.EMERGENCY_GROUND_RISK_TO_LIFE: _said("a risk to life"),
    agreement_pb2.EMERGENCY_GROUND_RISK_TO_CHILD: _said("a risk to a child"),
}
STATE_WORDS: Final[Mapping[int, str]] = {
    messages.AGREEMENT_STATE_PROPOSED: _said("Proposed: the partner must accept"),
    messages.AGREEMENT_STATE_OFFERED: _said("Offered: you must accept"),
    messages.AGREEMENT_STATE_ACCEPTED: _said("Accepted, not in force now"),
}
IN_FORCE: Final = _said("In force")
_DUE_WORDS: Final[Mapping[int, str]] = {
    messages.RETENTION_DUE_REVIEW: _said("review"),
    messages.RETENTION_DUE_ERASURE: _said("erasure"),
    messages.RETENTION_DUE_HELD: _said("held past its limit"),
}
ROLE_WORDS: Final[Mapping[int, str]] = {
    messages.ROLE_LIAISON_OFFICER: _said("liaison officer"),
    messages.ROLE_PARTNER_OFFICER: _said("partner officer"),
    messages.ROLE_AUDITOR: _said("auditor"),
    messages.ROLE_ADMINISTRATOR: _said("administrator"),
}

_WRITE: Final = _said("Write an agreement")
_AGREEMENTS: Final = _said("Agreements")
_NOT_DELIVERED: Final = _said("Not delivered")
HEALTH_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("PARTNER_AWAY", "PARTNER_SUSPENDED"), ("/admin/partners/{subject}", "")),
    **dict.fromkeys(("PARTNER_DESCRIPTOR_LATE", "PARTNER_KEY_ENDS"), ("/admin/partners/{subject}", "")),
    "AGREEMENT_NONE": ("/admin/agreements/new?with={subject}", _WRITE),
    "AGREEMENT_ENDS": ("/admin/agreements", _AGREEMENTS),
    "AGREEMENT_OFFERED": ("/admin/agreements", _AGREEMENTS),
    "STATEMENT_WAITS": ("/admin/outbox", _NOT_DELIVERED),
    "DELIVERY_WAITS": ("/admin/outbox", _NOT_DELIVERED),
    "RECALL_WAITS": ("/admin/outbox", _NOT_DELIVERED),
    "NOTICES_UNDELIVERED": ("/admin/outbox", _NOT_DELIVERED),
    "ALARM": ("/work", _said("Work")),
    "WITNESS_SILENT": ("/audit/witnesses", _said("Witnesses")),
    "RETENTION_PAST": ("/admin/retention", _said("Retention")),
    "ADMINISTRATOR_ALONE": ("/admin/officers", _said("Officers")),
    "OFFICER_LEFT": ("/admin/officers", _said("Officers")),
}
"""For a code of the doctor the page where it is mended or followed up, and what that is called; by itself it is called as its subject."""


def due_words(due: int) -> str:
    """Why an alert is on the list."""
    return _DUE_WORDS.get(due, "")


def health_row(check: messages.HealthCheck, language: Language, zone: str) -> dict[str, str]:
    """One check as a page shows it; of a newer node's code, the code."""
    text = TEXTS.get(check.code, HealthText(why=check.code))
    subject = safe_text(check.subject)
    why = language.say(text.why) % {"subject": subject, "count": check.count, "at": language.moment(check.at, zone) or "–"}
    address, name = HEALTH_PLACES.get(check.code, ("", ""))
    return {
        "code": check.code,
        "why": why,
        "do": language.say(text.do),
        "command": text.command % {"subject": subject},
        "address": address.format(subject=quote(check.subject, safe="")),
        "place": language.say(name) or subject,
    }


def key_rows(node: NodeKeys, now: int, *, own: bool) -> list[dict[str, Any]]:
    """The keys of a node that are in force and, of this node, in use; those that ended are left out."""
    ending = () if own else not_followed(node, now)
    return [
        {
            "key": one.key_id.hex()[:12],
            "use": one.use,
            "party": one.speaks_for,
            "ends": one.not_after,
            "left": one.not_after - now,
            "soon": key_ends_soon(one, now) if own else one in ending,
        }
        for one in node.keys
        if (one.used if own else one.not_after > now)
    ]


def condition_words(name: str, value: Any, language: Language) -> str:
    """The value of a condition of a clause, in words; a dash for none."""
    if name == "purposes":
        said = [language.say(enum_values().get(handling_pb2.Purpose.Name(one), "")) for one in value or ()]
        return ", ".join(said) or "–"
    if name == "transfer_conditions":
        return ", ".join(language.say(_TRANSFER_WORDS.get(one, "")) for one in value or ()) or "–"
    if name == "onward":
        return language.say(_ASK_ONWARD if value == handling_pb2.ONWARD_RULE_ASK else _NOT_ONWARD)
    return str(value) if value else "–"
