"""A desk that was told of an alert from abroad tells other agencies of its country, by national clauses (docs/national.md).

What goes is what the desk itself was told, and of that no more than the national clause admits, under the strictest of all handlings.
It is one row and one entry in the journal, in one transaction; the content is not copied: who reads it reads the desk's, field by field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from exchange.agreement import Allowed, Denied, Request
from exchange.encoding import encode
from exchange.handling import clause_handling, combine
from exchange.profile import AlertType, alert_type
from exchange.retention import erase_by
from exchange.v1 import desk_service_pb2, handling_pb2
from node.intake.problems import error
from node.operations.access import note_access
from node.operations.inbox import DESK, fragments_of, given_to, handling_of
from node.operations.inside import desk_fields, distribution, keep_distributions
from node.operations.officers import agency_of, require
from node.operations.onward_leave import leave_within
from node.operations.standing import standing_for
from node.ports import Ports
from node.store import alerts, inside
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "NATIONAL_NONE": ("this country has no national clauses here", "ask your administrator: national.clauses in the node's configuration"),
    "NATIONAL_NOT_YET": ("the national clauses are not in force yet", "wait until they are"),
    "NATIONAL_EXPIRED": ("the national clauses have expired", "ask your administrator for the next ones"),
    "CLAUSE_NONE": ("no national clause lets your agency distribute this kind of alert", "ask whoever issues the national clauses"),
    "AUDIENCE_UNKNOWN": ("this is no agency of this node", "choose one of your own country: exchange whoami shows the trust domain"),
    "AUDIENCE_NOT_AGREED": ("no national clause lets this kind of alert go to this agency", "choose another agency"),
    "AUDIENCE_SELF": ("this is your own agency", "choose another agency"),
    "PURPOSE_NOT_AGREED": ("no national clause allows this purpose", "choose a purpose that the clause allows: --purpose"),
    "FIELD_REQUIRED": ("a field that the clause requires was left out", "tick it again"),
    "FIELD_NOT_HELD": ("your agency was not told a field that the clause requires", "ask the originator for it"),
    "FIELD_NOT_ON_REQUEST": ("a reason was given for a field that the clause does not give on request", "take the grant off"),
    "FIELDS_NONE": ("the clause leaves nothing of what your agency was told", "tick a field again, or choose another agency"),
    "GROUND_MISSING": ("a field on request goes only on a ground", "name one: --ground"),
    "GROUNDS_DIFFER": ("the fields on request for one agency have different grounds", "distribute them one after the other"),
    "HANDLING_H2": (
        "it may not be disseminated without the originator's leave (H2)",
        "ask for it: exchange onward request ALERT --to AGENCY, for this purpose",
    ),
    "DISTRIBUTED_ALREADY": ("this agency was told all of this before", "see: exchange distribution list"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What goes to one agency."""

    agency: str
    allowed: Allowed
    ground: int
    handling: handling_pb2.Handling
    """The strictest of what binds the desk and the national clause."""
    erase_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a desk was told of one alert, and what binds it."""

    desk: str
    alert: AlertRow
    kind: AlertType
    held: frozenset[int]
    """Numbers of the fields."""
    handling: handling_pb2.Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a desk may make of one alert."""

    told: Told
    purpose: int
    ways: tuple[Way, ...]
    refused: Mapping[str, str]
    """Agency to the code of the reason."""
    problems: tuple[desk_service_pb2.Problem, ...]
    """Of the alert as a whole."""


def preview_distribution(
    ports: Ports, person: str, draft: desk_service_pb2.DistributionDraft
) -> desk_service_pb2.PreviewDistributionResponse:
    """Show what each agency would see of an alert. Nothing is stored and nothing goes. Raises `NotFound` as `alerts.find`."""
    desk = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        alert = alerts.find(tx, draft.alert, inbox_of=desk)
        outlook = _look(ports, tx, alert, desk, draft)
        fragments = {} if outlook.problems else fragments_of(ports, tx, alert, given_to(tx, alert, desk))
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="INBOX_ALERT", subject=alert.digest))
    recipients = [_shown(outlook, way, fragments, draft) for way in outlook.ways]
    recipients += [
        desk_service_pb2.RecipientPreview(recipient=agency, denied=[_denied(code, "agencies")]) for agency, code in outlook.refused.items()
    ]
    return desk_service_pb2.PreviewDistributionResponse(
        summary=desk_service_pb2.AlertSummary(
            alert_id=alert.alert_id, manifest_digest=alert.digest, alert_type=alert.alert_type, originator=alert.originator
        ),
        recipients=sorted(recipients, key=lambda one: one.recipient),
        problems=outlook.problems,
    )


def distribute(ports: Ports, person: str, draft: desk_service_pb2.DistributionDraft) -> desk_service_pb2.DistributeAlertResponse:
    """Tell agencies of the own country what the national clauses admit: all of those that are named, or none.

    The same request again answers as the first time. Raises `NotFound` as `alerts.find`.
    """
    desk = agency_of(require(ports, person, DESK))
    with ports.store.write() as tx:
        # Decided in the transaction that stores it: what was recalled meanwhile is not told any more.
        alert = alerts.find(tx, draft.alert, inbox_of=desk)
        done = inside.by_request(tx, draft.request_id)
        if done and {(row.desk, row.alert_ref) for row in done} == {(desk, alert.id)}:
            return desk_service_pb2.DistributeAlertResponse(distributions=[distribution(alert, row, None) for row in done])
        outlook = _look(ports, tx, alert, desk, draft)
        problems = [*_form(ports, draft, again=bool(done)), *outlook.problems]
        problems += [_denied(code, f"agencies[{agency}]") for agency, code in outlook.refused.items()]
        now = ports.clock.now_ms()
        if problems:
            refusals = [Event(code=code, subject=alert.digest) for code in sorted({problem.code for problem in problems})]
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_REFUSAL, person, refusals)
            return desk_service_pb2.DistributeAlertResponse(problems=problems)
        rows = [distribution_row(outlook.told, way, outlook.purpose, now) | {"request_id": draft.request_id} for way in outlook.ways]
        keep_distributions(tx, rows)
        events = [told_event(alert.digest, way, outlook.purpose, draft.reason.strip()) for way in outlook.ways]
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_DISCLOSURE, person, events)
        stored = inside.by_request(tx, draft.request_id)
    return desk_service_pb2.DistributeAlertResponse(distributions=[distribution(alert, row, None) for row in stored])


def distribution_row(told: Told, way: Way, purpose: int, now: int) -> dict[str, Any]:
    """The columns of a distribution but its id."""
    return {
        "request_id": None,
        "alert_ref": told.alert.id,
        "desk": told.desk,
        "agency": way.agency,
        "fields": bytes(way.allowed.fields),
        "desk_fields": bytes(sorted(told.held)),
        "clause": way.allowed.clause.id,
        "rules": way.allowed.agreement,
        "purpose": int(purpose),
        "ground": way.ground if way.allowed.on_request else 0,
        "handling": encode(way.handling),
        "at": now,
        "erase_by": way.erase_by,
        "ended_at": 0,
        "follows": b"",
    }


def told_event(digest: bytes, way: Way, purpose: int, justification: str) -> Event:
    """What the journal says of a distribution: in clear that an agency was told of a manifest, sealed by whom and why."""
    name = handling_pb2.Purpose.Name(handling_pb2.Purpose.ValueType(purpose)).removeprefix("PURPOSE_")
    return Event(code="DISTRIBUTED", subject=digest, counterparty=way.agency, justification=justification, purpose=name)


def decide_way(ports: Ports, told: Told, request: Request, ground: int) -> Way | str:
    """What one agency may be told of an alert; or the code of the reason against it.

    `request.fields` are those of the profile: those that the desk was not told do not go. `ground` (OnRequestGround) is 0 if there is none.
    """
    if request.agency == told.desk:
        return "AUDIENCE_SELF"
    decision = ports.national.decide(told.desk, request)
    if isinstance(decision, Denied):
        return decision.reasons[0]
    if set(decision.clause.required) & (request.fields - request.disclosed) - told.held:
        return "FIELD_NOT_HELD"
    fields = tuple(number for number in decision.fields if number in told.held)
    if not fields:
        return "FIELDS_NONE"
    allowed = Allowed(
        agreement=decision.agreement,
        clause=decision.clause,
        fields=fields,
        on_request=tuple(number for number in decision.on_request if number in told.held),
    )
    if allowed.on_request and not ground:
        return "GROUND_MISSING"
    binding = combine(told.handling, clause_handling(decision.clause))
    limit = erase_by(request.at, (binding.retention_days,), ports.retention.days(told.kind.name))
    return Way(agency=request.agency, allowed=allowed, ground=ground, handling=binding, erase_by=min(limit, told.alert.erase_by or limit))


def handling_problem(handling: handling_pb2.Handling, purpose: int, *, leave: bool = False) -> desk_service_pb2.Problem | None:
    """Why what binds the desk keeps an alert from being distributed for a purpose; None if it does not. `leave`: some was given."""
    if handling_pb2.HANDLING_CODE_H2 in handling.codes and not leave:
        return _denied("HANDLING_H2", "alert")
    if purpose not in handling.permitted_purposes:
        remedy = "choose one that the handling permits: --purpose"
        return error("PURPOSE_NOT_PERMITTED", "purpose", "the alert's handling does not permit this purpose", remedy)
    if purpose == handling_pb2.PURPOSE_PROSECUTION and handling.judicial_use != handling_pb2.JUDICIAL_USE_ALLOWED:
        remedy = "choose another purpose: --purpose; leave for court is for the agency alone that asked for it"
        return error("JUDICIAL_USE", "purpose", "it may not be used in court without the originator's leave", remedy)
    return None


def _look(ports: Ports, tx: Transaction, alert: AlertRow, desk: str, draft: desk_service_pb2.DistributionDraft) -> Outlook:
    given = given_to(tx, alert, desk)
    told = Told(
        desk=desk,
        alert=alert,
        kind=alert_type(alert.alert_type),
        held=desk_fields(tx, alert, desk),
        handling=handling_of(ports, tx, alert, given),
    )
    purpose = draft.purpose or given[-1].entry.purpose
    now, agencies = ports.clock.now_ms(), sorted(set(draft.agencies))
    closed = handling_pb2.HANDLING_CODE_H2 in told.handling.codes
    open_to = {agency: leave_within(ports, tx, alert, desk, agency, purpose, now) if closed else told.held for agency in agencies}
    problem = _not_in_force(tx, told, now) or handling_problem(told.handling, purpose, leave=any(open_to.values()))
    if problem:
        return Outlook(told=told, purpose=purpose, ways=(), refused={}, problems=(problem,))
    decided = {
        agency: _way(ports, tx, replace(told, held=told.held & fields), draft, agency, purpose) if fields or not closed else "HANDLING_H2"
        for agency, fields in open_to.items()
    }
    return Outlook(
        told=told,
        purpose=purpose,
        ways=tuple(way for way in decided.values() if isinstance(way, Way)),
        refused={agency: code for agency, code in decided.items() if isinstance(code, str)},
        problems=(),
    )


def _way(ports: Ports, tx: Transaction, told: Told, draft: desk_service_pb2.DistributionDraft, agency: str, purpose: int) -> Way | str:
    if agency not in ports.national.classes:
        return "AUDIENCE_UNKNOWN" if ports.national.clauses else "NATIONAL_NONE"
    now = ports.clock.now_ms()
    grants = [grant for grant in draft.on_request if grant.recipient == agency]
    grounds = {int(grant.ground) for grant in grants}
    if len(grounds) > 1:
        return "GROUNDS_DIFFER"
    live = [row for row in inside.of_agency(tx, told.alert.id, agency) if row.desk == told.desk and row.live(now)]
    before = frozenset(number for row in live for number in row.fields)
    request = Request(
        sender=ports.trust_domain,
        recipient=ports.trust_domain,
        agency=agency,
        alert_type=told.kind.name,
        purpose=purpose,
        fields=told.kind.profile,
        at=now,
        unticked=frozenset(draft.unticked),
        granted=frozenset(grant.field for grant in grants),
        disclosed=before,
    )
    way = decide_way(ports, told, request, next(iter(grounds), 0))
    return "DISTRIBUTED_ALREADY" if isinstance(way, Way) and before.issuperset(way.allowed.fields) else way


def _not_in_force(tx: Transaction, told: Told, now: int) -> desk_service_pb2.Problem | None:
    state = standing_for(tx, told.alert, told.desk).state
    if told.kind.control:
        return error("CONTROL_ALERT", "alert", "a recall reaches every agency that was told, by itself", "there is nothing to distribute")
    if state != "active":
        remedy = "see what holds now: exchange inbox show"
        return error("ALERT_NOT_IN_FORCE", "alert", f"this alert is {state}: nobody else is told of it", remedy)
    if told.alert.not_after and now >= told.alert.not_after:
        return error(
            "ALERT_EXPIRED", "alert", "this alert has expired: nobody else is told of it", "ask the originator whether it still holds"
        )
    return None


def _form(ports: Ports, draft: desk_service_pb2.DistributionDraft, *, again: bool) -> list[desk_service_pb2.Problem]:
    problems = []
    if ports.justification_mandatory and not draft.reason.strip():
        problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary: --reason"))
    if len(draft.request_id) != 16 or again:
        message = "the request id is not 16 bytes of its own"
        problems.append(error("REQUEST_ID", "request_id", message, "use the exchange command line"))
    if not draft.agencies:
        problems.append(error("AGENCIES_NONE", "agencies", "nobody is named: an empty list means nobody", "name an agency: --to"))
    return problems


def _denied(code: str, field: str) -> desk_service_pb2.Problem:
    message, remedy = REFUSALS[code]
    return error(code, field, message, remedy)


def _shown(
    outlook: Outlook, way: Way, fragments: Mapping[int, bytes], draft: desk_service_pb2.DistributionDraft
) -> desk_service_pb2.RecipientPreview:
    clause = way.allowed.clause
    return desk_service_pb2.RecipientPreview(
        recipient=way.agency,
        agreement_digest=way.allowed.agreement,
        clause=clause.id,
        # Of what the desk was not told itself, nothing can be said.
        fields=[
            desk_service_pb2.FieldPreview(
                field=field.number,
                name=field.name,
                category=field.category,
                visibility=_visibility(field.number, way, fragments, draft.unticked),
            )
            for field in outlook.told.kind.fields
            if field.number in outlook.told.held
        ],
        view=b"".join(fragments.get(number, b"") for number in way.allowed.fields),
    )


def _visibility(number: int, way: Way, fragments: Mapping[int, bytes], unticked: Sequence[int]) -> "desk_service_pb2.Visibility.ValueType":
    if number in way.allowed.fields:
        return desk_service_pb2.VISIBILITY_SHOWN if fragments.get(number) else desk_service_pb2.VISIBILITY_SHOWN_NOT_KNOWN
    if number in unticked and number in way.allowed.clause.permitted:
        return desk_service_pb2.VISIBILITY_UNTICKED
    if number in way.allowed.clause.on_request:
        return desk_service_pb2.VISIBILITY_NEEDS_REASON
    return desk_service_pb2.VISIBILITY_FORBIDDEN
