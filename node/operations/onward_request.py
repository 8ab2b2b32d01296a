"""Ask the originator for leave: to pass an alert on, to whom, which fields, for what, until when; or to use it in court (H1).

Under H2 an agency asks the same way before it tells others of its own country.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from exchange.encoding import encode
from exchange.errors import Malformed
from exchange.v1 import desk_service_pb2, handling_pb2, people_pb2
from exchange.v1.onward_pb2 import OnwardRequest
from exchange.values import PartyId, node_of
from node.intake.problems import error
from node.operations.inbox import DESK, given_to, handling_of
from node.operations.officers import agency_of, require
from node.operations.release import NotReleased, Prepared, prepare
from node.operations.reply import KEPT_DAYS, purpose_for
from node.operations.standing import Standing, standing_for
from node.ports import Ports
from node.store import alerts
from node.store.alerts import AlertRow
from node.store.envelope import DAY_MS

Release = Callable[[Prepared | NotReleased], desk_service_pb2.PublishedAlert]
_TYPE = OnwardRequest.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What an agency would ask about."""

    row: AlertRow
    standing: Standing
    handling: handling_pb2.Handling
    """In force for this agency."""
    fields: frozenset[int]
    """That it was told."""
    purpose: "handling_pb2.Purpose.ValueType"
    """For which it was told, unless the request names another."""
    thread: bytes


def request_onward(
    ports: Ports, person: str, request: desk_service_pb2.RequestOnwardRequest, release: Release
) -> desk_service_pb2.PublishedAlert:
    """Send an OnwardRequest to the agency that originated an alert of the caller's inbox; `release` gives it its place in the log.

    Raises `NotFound` as `alerts.find`, and as `prepare`.
    """
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        row = alerts.find(tx, request.alert, inbox_of=agency)
        given = given_to(tx, row, agency)
        case = _Case(
            row=row,
            standing=standing_for(tx, row, agency),
            handling=handling_of(ports, tx, row, given) if row.wrapped_key is not None else handling_pb2.Handling(),
            fields=frozenset(number for one in given for number in one.entry.fields),
            purpose=request.purpose or given[-1].entry.purpose,
            thread=given[-1].entry.thread or row.digest,
        )
    problems = list(_problems(ports, request, case))
    if problems:
        return release(NotReleased(request_id=request.request_id, officer=person, problems=tuple(problems)))
    return release(prepare(ports, person, _draft(ports, request, case), request.reason))


def _problems(ports: Ports, request: desk_service_pb2.RequestOnwardRequest, case: _Case) -> Iterator[desk_service_pb2.Problem]:
    now = ports.clock.now_ms()
    if case.standing.state != "active":
        yield error("ALERT_NOT_IN_FORCE", "alert", "this alert is blocked, replaced or disputed", "see: exchange inbox show")
        return
    if request.judicial_use and case.handling.judicial_use != handling_pb2.JUDICIAL_USE_ASK:
        allowed = case.handling.judicial_use == handling_pb2.JUDICIAL_USE_ALLOWED
        if allowed:
            yield error("JUDICIAL_ALLOWED", "alert", "judicial use is allowed without asking", "there is nothing to ask for")
        else:
            yield error("JUDICIAL_NONE", "alert", "its handling rules out judicial use", "this cannot be asked for")
    if not request.judicial_use and not _within(ports, request.third_party, case.handling):
        if case.handling.onward != handling_pb2.ONWARD_RULE_ASK:
            yield error("ONWARD_NONE", "alert", "its handling or its clause rules out passing on", "this cannot be asked for")
        yield from _third_party_problems(ports, request.third_party, case.row)
    if not set(request.fields) <= case.fields:
        yield error("FIELD_NOT_TOLD", "fields", "your agency was not told this field", "name fields that you were told")
    if case.purpose not in case.handling.permitted_purposes:
        remedy = "name a purpose that the alert's handling permits"
        yield error("PURPOSE_NOT_PERMITTED", "purpose", "the originator does not permit this purpose", remedy)
    if not now < request.until or (case.row.not_after and request.until > case.row.not_after):
        remedy = "name a time before the alert expires"
        yield error("UNTIL", "until", "leave is asked up to a time to come, at most until the alert expires", remedy)


def _within(ports: Ports, third_party: str, handling: handling_pb2.Handling) -> bool:
    """Whether leave is asked to tell others of this country what H2 closes to them: no rule about other countries counts then."""
    try:
        party = PartyId.parse(third_party)
    except Malformed:
        return False
    ours = party.role in {"agency", "node"} and party.trust_domain == ports.trust_domain
    return ours and handling_pb2.HANDLING_CODE_H2 in handling.codes


def _third_party_problems(ports: Ports, third_party: str, row: AlertRow) -> Iterator[desk_service_pb2.Problem]:
    remedy = "write spiffe://<trust domain>/agency/<name> of a third country"
    try:
        party = PartyId.parse(third_party)
    except Malformed:
        yield error("THIRD_PARTY", "third_party", "this is not the SPIFFE ID of an agency or a node", remedy)
        return
    originator = PartyId.parse(row.originator).trust_domain
    if party.role not in {"agency", "node"} or party.trust_domain in {ports.trust_domain, originator}:
        yield error("THIRD_PARTY", "third_party", "this is no agency or node of a third country", remedy)
    elif party.trust_domain not in ports.known.partners:
        yield error("PARTNER_UNKNOWN", "third_party", "no partner of this trust domain is known here", "ask your administrator to add it")


def _draft(ports: Ports, request: desk_service_pb2.RequestOnwardRequest, case: _Case) -> desk_service_pb2.Draft:
    now = ports.clock.now_ms()
    row = case.row
    question = OnwardRequest(
        manifest_digest=row.digest,
        # For judicial use nobody else is told: the asking country itself stands in the place of the third.
        third_party=str(node_of(ports.trust_domain)) if request.judicial_use else request.third_party,
        fields=sorted(set(request.fields) or case.fields),
        purpose=case.purpose,
        until=request.until,
        judicial_use=request.judicial_use,
        contact_desk=request.contact_desk if request.HasField("contact_desk") else None,
    )
    if request.reason.strip():
        question.reason.append(people_pb2.Text(language=request.language or "en", text=request.reason.strip()))
    return answer_draft(ports, request.request_id, _TYPE, encode(question), row, case.purpose, now=now, thread=case.thread)


def answer_draft(
    ports: Ports,
    request_id: bytes,
    alert_type: str,
    alert: bytes,
    about: AlertRow,
    wanted: "handling_pb2.Purpose.ValueType",
    *,
    now: int,
    thread: bytes,
) -> desk_service_pb2.Draft:
    """A draft to the agency that originated `about`, in reply to it: for nobody else, and kept no longer than a report."""
    purpose = purpose_for(ports.known, (about.originator,), alert_type, wanted, now)
    return desk_service_pb2.Draft(
        request_id=request_id,
        alert_type=alert_type,
        alert=alert,
        recipients=[about.originator],
        purpose=purpose,
        handling=reply_handling(purpose),
        not_after=now + KEPT_DAYS * DAY_MS,
        thread=thread,
        in_reply_to=about.digest,
    )


def reply_handling(purpose: "handling_pb2.Purpose.ValueType") -> handling_pb2.Handling:
    """Of a question or an answer between two desks: for them, and not to be passed on."""
    return handling_pb2.Handling(
        codes=[handling_pb2.HANDLING_CODE_H1],
        permitted_purposes=[purpose],
        judicial_use=handling_pb2.JUDICIAL_USE_ASK,
        onward=handling_pb2.ONWARD_RULE_NONE,
    )
