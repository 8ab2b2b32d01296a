"""Decide on a request to pass on, or to use in court: a grant of the first signs the permit, which goes along with the decision."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from exchange.agreement import Agreed
from exchange.encoding import encode
from exchange.handling import clause_handling, combine
from exchange.manifest import decode_manifest
from exchange.onward import sign_permit
from exchange.profile import alert_type
from exchange.signing import statement_digest
from exchange.v1 import desk_service_pb2, handling_pb2, people_pb2, permit_pb2, statement_pb2
from exchange.v1.onward_pb2 import OnwardDecision
from exchange.values import PartyId, node_of
from node.confirmations import Confirmation, check_confirmation
from node.intake.problems import error
from node.operations.held_content import held_content
from node.operations.officers import LIAISON, agency_of, require
from node.operations.onward_kept import Kept
from node.operations.onward_list import asked_of
from node.operations.onward_reach import onward_holders
from node.operations.onward_request import Release, reply_handling
from node.operations.preview import denials
from node.operations.reach import tellings, withdrawn
from node.operations.release import NotReleased, Prepared, prepare, preview_changed
from node.operations.reply import KEPT_DAYS, purpose_for
from node.operations.transfers import offences_of, pass_leave
from node.policy.gate import Passed
from node.policy.pack import PolicyPack
from node.ports import Ports
from node.store import alerts, onward
from node.store.alerts import AlertRow
from node.store.envelope import DAY_MS
from node.store.journal import Event, Kind
from node.store.onward import RequestRow
from node.store.transaction import Transaction

_TYPE = OnwardDecision.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A request, and what whoever asks was told."""

    asked: RequestRow
    row: AlertRow
    told: frozenset[int]
    """Fields; none if they were never told."""
    handling: handling_pb2.Handling
    """In force for them, as this side knows it."""
    thread: bytes
    alert: bytes
    """All that we know, encoded; empty once it was erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leave:
    """What is granted."""

    fields: tuple[int, ...]
    until: int
    permit: statement_pb2.Statement | None
    """None for judicial use: nothing is passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What a decision would say: what a person confirms."""

    fields: tuple[int, ...]
    """Those that are granted; none of a denial."""
    until: int


def weigh_decision(ports: Ports, person: str, request: desk_service_pb2.DecideOnwardRequest) -> Weighed | list[desk_service_pb2.Problem]:
    """What `decide_onward` would decide, or what stands against it. Raises `NotFound` (ONWARD_UNKNOWN), `NotPermitted`."""
    agency = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        case, problems = _weigh(ports, tx, agency, request)
    return problems or _weighed(request, case)


def decide_onward(
    ports: Ports,
    person: str,
    request: desk_service_pb2.DecideOnwardRequest,
    release: Release,
    confirmation: Confirmation | None = None,
) -> desk_service_pb2.DecideOnwardResponse:
    """Grant or deny a request about an alert of the caller's agency; `release` gives the decision its place in the log.

    What was confirmed is decided exactly so, or not at all (PREVIEW_CHANGED). Raises `NotFound` (ONWARD_UNKNOWN), and as `prepare`.
    """
    agency = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        if row := alerts.by_requests(tx, [request.request_id]).get(request.request_id):
            return _again(tx, request, row)
        case, problems = _weigh(ports, tx, agency, request)
    if not problems and confirmation and not _said(check_confirmation(confirmation).said, request, case):
        problems = [preview_changed()]
    leave = None if problems or not request.grant else _leave(ports, request, case)
    if isinstance(leave, desk_service_pb2.Problem):
        problems, leave = [leave], None
    if problems:
        published = release(NotReleased(request_id=request.request_id, officer=person, problems=tuple(problems)))
        return desk_service_pb2.DecideOnwardResponse(published=published)
    item = _prepared(ports, person, request, case, leave, confirmation)
    published = release(item)
    granted = leave if leave is not None and not published.problems else None
    return desk_service_pb2.DecideOnwardResponse(
        published=published,
        permit_digest=statement_digest(granted.permit) if granted and granted.permit else b"",
        granted_until=granted.until if granted else 0,
    )


def _weigh(
    ports: Ports, tx: Transaction, agency: str, request: desk_service_pb2.DecideOnwardRequest
) -> tuple[_Case, list[desk_service_pb2.Problem]]:
    asked = asked_of(tx, agency, request.request)
    case = _case(ports, tx, asked)
    problem = _decided(tx, asked, agency)
    return case, [problem] if problem else list(_problems(ports, request, case)) if request.grant else []


def _weighed(request: desk_service_pb2.DecideOnwardRequest, case: _Case) -> Weighed:
    return Weighed(fields=_fields(request, case), until=_until(request, case)) if request.grant else Weighed(fields=(), until=0)


def _said(said: Mapping[str, Any], request: desk_service_pb2.DecideOnwardRequest, case: _Case) -> bool:
    """Whether a confirmed text says this decision."""
    weighed, asked = _weighed(request, case), case.asked
    told = (said.get("action"), said.get("request"), said.get("to"), said.get("fields"), said.get("until"))
    return told == ("grant" if request.grant else "deny", asked.request.hex(), [asked.asker], list(weighed.fields), weighed.until)


def _again(tx: Transaction, request: desk_service_pb2.DecideOnwardRequest, row: AlertRow) -> desk_service_pb2.DecideOnwardResponse:
    said = onward.said_of(tx, row.digest)
    published = desk_service_pb2.PublishedAlert(request_id=request.request_id, alert_id=row.alert_id, manifest_digest=row.digest)
    if not isinstance(said, onward.DecisionRow):
        return desk_service_pb2.DecideOnwardResponse(published=published)
    return desk_service_pb2.DecideOnwardResponse(published=published, permit_digest=said.permit, granted_until=said.until)


def _case(ports: Ports, tx: Transaction, asked: RequestRow) -> _Case:
    (row,) = alerts.by_digests(tx, {asked.manifest}).values()
    told = [one for one in tellings(tx, row) if asked.asker in one.entry.audience and not one.exception]
    country = PartyId.parse(asked.asker).trust_domain
    # Whoever has it by passing on may ask for judicial use as well.
    passed_on = [notice.fields for (third, _), notice in onward_holders(tx, row).items() if PartyId.parse(third).trust_domain == country]
    handlings, alert = [handling_pb2.Handling()], b""
    if row.wrapped_key is not None:
        content = held_content(ports, tx, row)
        handlings = [decode_manifest(content.manifest.payload).handling]
        alert = b"".join(opening.fragment for opening in content.openings)
    for one in told:
        handlings.append(_of_clause(ports.known.agreements.get(one.entry.agreement_digest), one.entry.clause))
        if one.entry.HasField("stricter"):
            handlings.append(one.entry.stricter)
    return _Case(
        asked=asked,
        row=row,
        told=frozenset((*(n for one in told for n in one.entry.fields), *(n for fields in passed_on for n in fields))),
        handling=combine(*handlings),
        thread=next((one.entry.thread for one in told if one.entry.thread), row.digest),
        alert=alert,
    )


def _of_clause(agreed: Agreed | None, clause: str) -> handling_pb2.Handling:
    # An agreement that no longer verifies says nothing any more, and absence is never permission.
    found = agreed.clauses.get(clause) if agreed else None
    return clause_handling(found) if found else handling_pb2.Handling()


def _decided(tx: Transaction, asked: RequestRow, agency: str) -> desk_service_pb2.Problem | None:
    if onward.decision_on(tx, asked.request, agency) is None:
        return None
    return error("ALREADY_DECIDED", "request", "this was decided already, and the first decision holds", "see: exchange onward show")


def _stands(row: AlertRow) -> desk_service_pb2.Problem | None:
    if row.state == "withdrawn":
        return withdrawn()
    if row.state != "active":
        remedy = "deny it; they may ask again about the alert in its place"
        return error("ALERT_NOT_IN_FORCE", "request", "this alert is restricted, replaced or disputed", remedy)
    return None


def _problems(ports: Ports, request: desk_service_pb2.DecideOnwardRequest, case: _Case) -> Iterator[desk_service_pb2.Problem]:
    asked = case.asked
    if problem := _stands(case.row):
        yield problem
        return
    if not case.told:
        yield error("AGENCY_NOT_TOLD", "request", "whoever asks was never told of this alert", "deny it")
        return
    if asked.judicial and case.handling.judicial_use != handling_pb2.JUDICIAL_USE_ASK:
        yield error("JUDICIAL_NONE", "request", "the alert's handling rules out judicial use, or needs no leave", "deny it")
    if not asked.judicial:
        asker, third = (PartyId.parse(party).trust_domain if party else "" for party in (asked.asker, asked.third_party))
        # Under H2 an agency asks before it tells others of its own country, whatever the alert says of other countries.
        within = third == asker and handling_pb2.HANDLING_CODE_H2 in case.handling.codes
        if not within and case.handling.onward != handling_pb2.ONWARD_RULE_ASK:
            yield error("ONWARD_NONE", "request", "the alert's handling or its clause rules out passing on", "deny it")
        if not within and third in {"", asker, ports.trust_domain}:
            yield error("THIRD_PARTY", "request", "the request names no third country", "deny it")
        if asked.purpose not in case.handling.permitted_purposes:
            yield error("PURPOSE_NOT_PERMITTED", "request", "the alert's own handling does not permit this purpose", "deny it")
    fields = set(request.fields) or set(asked.fields)
    if not fields or not fields <= set(asked.fields):
        yield error("FIELD_NOT_ASKED", "fields", "this field was not asked for", "grant a part of what was asked")
    elif not fields <= case.told:
        yield error("FIELD_NOT_TOLD", "fields", "whoever asks was not told this field", "leave it out: --fields")
    if request.until > asked.until:
        yield error("UNTIL_LATER", "until", "that is later than was asked", "name an earlier time, or none")
    if _until(request, case) <= ports.clock.now_ms():
        yield error("UNTIL", "until", "the leave would be over already", "deny it; they may ask anew")
    if ports.known.policy is not None and not asked.judicial and asked.third_party:
        yield from _law(ports, ports.known.policy, case, fields)


def _law(ports: Ports, policy: PolicyPack, case: _Case, fields: Iterable[int]) -> Iterable[desk_service_pb2.Problem]:
    """What our own policy pack says against that country's being told, through whomever."""
    asked, kind = case.asked, alert_type(case.row.alert_type)
    offences = offences_of(kind, case.alert)
    gate = pass_leave(ports.known, policy, asked.third_party, kind, asked.purpose, fields, offences, ports.clock.now_ms())
    return () if isinstance(gate, Passed) else denials(gate[0].code, f"recipients[{asked.third_party}]", gate)


def _fields(request: desk_service_pb2.DecideOnwardRequest, case: _Case) -> tuple[int, ...]:
    return tuple(sorted(set(request.fields) or set(case.asked.fields)))


def _until(request: desk_service_pb2.DecideOnwardRequest, case: _Case) -> int:
    return min(request.until or case.asked.until, case.asked.until, case.row.not_after or case.asked.until)


def _leave(ports: Ports, request: desk_service_pb2.DecideOnwardRequest, case: _Case) -> _Leave | desk_service_pb2.Problem:
    asked, fields, until = case.asked, _fields(request, case), _until(request, case)
    if asked.judicial:
        return _Leave(fields=fields, until=until, permit=None)
    signer = ports.signers.statement.get(case.row.originator)
    if signer is None:
        return error("STATEMENT_KEY_MISSING", "originator", "your agency has no key to sign with at this node", "ask your administrator")
    permit = permit_pb2.Permit(
        version=1,
        manifest_digest=case.row.digest,
        originator=case.row.originator,
        holder=str(node_of(PartyId.parse(asked.asker).trust_domain)),
        third_party=str(node_of(PartyId.parse(asked.third_party).trust_domain)),
        fields=fields,
        purpose=handling_pb2.Purpose.ValueType(asked.purpose),
        issued_at=ports.clock.now_ms(),
        expires_at=until,
    )
    return _Leave(fields=fields, until=until, permit=sign_permit(permit, signer))


def _prepared(
    ports: Ports,
    person: str,
    request: desk_service_pb2.DecideOnwardRequest,
    case: _Case,
    leave: _Leave | None,
    confirmation: Confirmation | None,
) -> Prepared | NotReleased:
    asked, now = case.asked, ports.clock.now_ms()
    decision = OnwardDecision(request_digest=asked.request, granted=leave is not None)
    if leave is not None:
        decision.until = leave.until
        if leave.permit is not None:
            decision.permit_digest = statement_digest(leave.permit)
    if request.reason.strip():
        decision.reason.append(people_pb2.Text(language=request.language or "en", text=request.reason.strip()))
    purpose = purpose_for(ports.known, (asked.asker,), _TYPE, handling_pb2.Purpose.ValueType(asked.purpose), now)
    draft = desk_service_pb2.Draft(
        request_id=request.request_id,
        alert_type=_TYPE,
        alert=encode(decision),
        recipients=[asked.asker],
        purpose=purpose,
        handling=reply_handling(purpose),
        not_after=now + KEPT_DAYS * DAY_MS,
        thread=case.thread,
        in_reply_to=asked.request,
    )
    item = prepare(ports, person, draft, request.reason, confirmations=(confirmation,) if confirmation else ())
    if isinstance(item, NotReleased):
        return item

    def guard(tx: Transaction) -> desk_service_pb2.Problem | None:
        (row,) = alerts.by_digests(tx, {asked.manifest}).values()
        return _decided(tx, asked, case.row.originator) or (_stands(row) if leave is not None else None)

    def journal(ports: Ports, tx: Transaction, now: int) -> None:
        code = "ONWARD_GRANTED" if leave is not None else "ONWARD_DENIED"
        # Which of the two it is stands in no log entry, so what was signed is kept beside the code that says it, too.
        signed = confirmation.encoded() if confirmation else b""
        event = Event(
            code=code, subject=asked.manifest, counterparty=asked.asker, justification=request.reason.strip(), confirmation=signed
        )
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, person, [event])

    kept = Kept(
        alert=decision,
        digest=item.alert["digest"],
        issuer=case.row.originator,
        guard=guard,
        permit=leave.permit if leave is not None else None,
        journal=journal,
    )
    return replace(item, consequence=kept)
