"""What this office refuses to say about a question or an alert: asked once more in the transaction that would log it.

The rules are those of `node.request_course`; what a partner sends against them is not refused, it is shown and counts for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from exchange.v1 import desk_service_pb2
from exchange.v1.acknowledgement_pb2 import Acknowledgement
from exchange.v1.control_pb2 import Refusal
from exchange.v1.information_pb2 import InformationResponse
from node.intake.problems import error
from node.operations.request_cases import REQUEST, cases_of
from node.ports import Ports
from node.request_course import Breach, Deed, Happening, Side, advance
from node.store import alerts
from node.store.alerts import AlertRow
from node.store.transaction import Transaction

REPLIES: Final = (InformationResponse, Acknowledgement)
"""Kinds of alert that are released only if they are in order with what they are about."""
_PENDING: Final = Acknowledgement.DESCRIPTOR.fields_by_name["authorisation_pending"].number
_SAID: Final[Mapping[Breach, tuple[str, str]]] = {
    Breach.ANSWERED: ("this request is answered", "a mistake in the answer is corrected: exchange alert correct"),
    Breach.REFUSED: ("this request was refused", "tell the other agency by telephone; it may ask anew"),
    Breach.WITHDRAWN: ("this request was withdrawn by the agency that asked", "there is nothing to answer any more"),
    Breach.REPLACED: ("another request took this one's place", "answer that one: exchange request list"),
    Breach.NOT_ASKED: ("your agency was not asked this", "see what your agency was asked: exchange request list"),
    Breach.NOT_SUSPENDED: ("your agency does not hold the clock of this request", "see: exchange request show"),
    Breach.OTHER: ("what it answers and what it names are two different alerts", "name one digest in both places"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A consequence of `release`: what is said about a request or an alert must be in order when it gets its place in the log."""

    message: Message
    agency: str
    in_reply_to: bytes
    supersedes: tuple[bytes, ...]
    recipients: frozenset[str]
    told: frozenset[int]
    """Fields that every recipient is told."""

    def obstacle(self, ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        """What is against the rules, as the store stands now."""
        if set(self.supersedes) & {row.digest for row in alerts.answers_to(tx, self.in_reply_to, outbound=True)}:
            return None  # a corrected reply is no second one
        return reply_problem(ports, tx, self.message, self.agency, self)

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """Nothing: how a request stands follows from what is logged."""


def reply_problem(
    ports: Ports, tx: Transaction, message: Message, agency: str, reply: Reply | None = None
) -> desk_service_pb2.Problem | None:
    """Why an agency of ours cannot say this now; None if it can, or if it is about no request. `reply` is how it would be released."""
    if isinstance(message, InformationResponse):
        about, deed = message.request_digest, Deed.ANSWERED
    elif isinstance(message, Refusal):
        about, deed = message.manifest_digest, Deed.REFUSED
    elif isinstance(message, Acknowledgement):
        about, deed = message.manifest_digest, Deed.SUSPENDED if message.authorisation_pending else Deed.ACKNOWLEDGED
    else:
        return None
    if reply is not None and reply.in_reply_to != about:
        return refused(Breach.OTHER)
    row = alerts.by_digests(tx, {about}).get(about)
    mine = row is not None and row.own and row.originator == agency
    given = row is not None and not row.own and agency in alerts.inboxes_of(tx, row.id)
    if row is None or row.alert_type != REQUEST:
        return None if deed is Deed.REFUSED else _about_no_request(row, deed, given=given)
    if not (mine or given):
        return refused(Breach.NOT_ASKED)
    if deed is Deed.SUSPENDED and reply is not None and _PENDING not in reply.told:
        remedy = "agree on a clause that permits authorisation_pending, and tell the other agency by telephone until then"
        return error("SUSPENSION_NOT_AGREED", "alert", "no clause lets the other agency know that the clock stands still", remedy)
    now = ports.clock.now_ms()
    cases = cases_of(ports, tx, row, now, agency="" if mine else agency)
    if reply is not None:
        cases = [case for case in cases if mine is False or case.asked in reply.recipients]
        if reply.recipients != ({case.asked for case in cases} if mine else {row.originator}):
            return error(
                "REPLY_RECIPIENTS", "recipients", "a reply goes to the other agency of the request, and to no other", "name that one"
            )
    for case in cases:
        said = Happening(deed=deed, side=Side.ASKER if mine else Side.ASKED, party=agency, at=now)
        after = advance(case.course, said)
        if isinstance(after, Breach):
            return refused(after)
    return None


def refused(breach: Breach) -> desk_service_pb2.Problem:
    """The problem that the own office answers with."""
    message, remedy = _SAID[breach]
    return error(breach.value, "alert", message, remedy)


def _about_no_request(row: AlertRow | None, deed: Deed, *, given: bool) -> desk_service_pb2.Problem | None:
    if deed is Deed.ANSWERED:
        return refused(Breach.NOT_ASKED)
    if row is None or not given:
        remedy = "name the digest of an alert that came for your agency: exchange inbox list"
        return error("REFERENT_UNKNOWN", "alert.manifest_digest", "there is no such alert for you here", remedy)
    if deed is Deed.SUSPENDED:
        return error("NOT_A_REQUEST", "alert", "only the clock of a request can be stopped", "leave authorisation_pending out")
    return None
