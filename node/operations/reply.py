"""The draft of an ordinary alert that answers another: to whom it goes, for which purpose, how it may be handled."""

from typing import Final

from google.protobuf.message import Message

from exchange.encoding import encode
from exchange.v1 import desk_service_pb2, handling_pb2
from exchange.values import PartyId
from node.ports import Known, Ports
from node.store.envelope import DAY_MS

KEPT_DAYS: Final = 90
"""After that a reply has served its purpose, unless the clause ends earlier."""


def reply_draft(
    ports: Ports,
    message: Message,
    *,
    request_id: bytes,
    recipients: tuple[str, ...],
    purpose: "handling_pb2.Purpose.ValueType",
    about: bytes,
    thread: bytes,
) -> desk_service_pb2.Draft:
    """A reply to the alert of digest `about`; `purpose` is that of the alert, or another if only that is agreed for replies of its kind."""
    now = ports.clock.now_ms()
    kind = message.DESCRIPTOR.full_name
    agreed = purpose_for(ports.known, recipients, kind, purpose, now)
    return desk_service_pb2.Draft(
        request_id=request_id,
        alert_type=kind,
        alert=encode(message),
        recipients=recipients,
        purpose=agreed,
        handling=reply_handling(agreed),
        not_after=now + KEPT_DAYS * DAY_MS,
        thread=thread or about,
        in_reply_to=about,
    )


def reply_handling(purpose: "handling_pb2.Purpose.ValueType") -> handling_pb2.Handling:
    """For that purpose alone, not for a court without leave, and not passed on."""
    return handling_pb2.Handling(
        codes=[handling_pb2.HANDLING_CODE_H1],
        permitted_purposes=[purpose],
        judicial_use=handling_pb2.JUDICIAL_USE_ASK,
        onward=handling_pb2.ONWARD_RULE_NONE,
    )


def purpose_for(
    known: Known, recipients: tuple[str, ...], kind: str, wanted: "handling_pb2.Purpose.ValueType", now: int
) -> "handling_pb2.Purpose.ValueType":
    """The purpose for which the alert came, if a clause lets a reply go for it; otherwise the first that one allows."""
    own = known.own.trust_domain
    allowed = [
        purpose
        for recipient in recipients
        for agreed in known.agreements.values()
        if agreed.agreement.valid_from <= now < agreed.agreement.valid_until
        for clause in agreed.agreement.clauses
        if (clause.sender, clause.recipient, clause.alert_type) == (own, PartyId.parse(recipient).trust_domain, kind)
        and clause.audience == agreed.classes.get(recipient)
        for purpose in clause.purposes
    ]
    # Without any clause the release refuses, and says why.
    return wanted if wanted in allowed or not allowed else allowed[0]
