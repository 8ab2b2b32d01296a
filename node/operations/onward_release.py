"""Pass an alert on under the originator's permit: our entry towards the third country, and in the same transaction the notice of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from exchange.disclosure import commit_authorisation
from exchange.encoding import CAP_DELIVERY, CAP_ENTRY, encode
from exchange.errors import ExchangeError
from exchange.handling import combine
from exchange.onward import check_permit
from exchange.profile import AlertType, alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2, handling_pb2, manifest_pb2, permit_pb2
from exchange.v1.onward_pb2 import OnwardNotice
from exchange.values import PartyId, node_of
from node.intake.problems import error
from node.operations.approved import ALONE, Approved, Together
from node.operations.contents import SALT, Authorisation
from node.operations.control import request_ids
from node.operations.held_content import held_content
from node.operations.inbox import given_to, handling_of
from node.operations.officers import LIAISON, agency_of, require
from node.operations.onward_kept import Guard
from node.operations.onward_list import asked_by, permit_of
from node.operations.onward_reach import onward_tellings
from node.operations.onward_request import answer_draft
from node.operations.permitted import holds
from node.operations.planning import ENOUGH, Plan, plan
from node.operations.preview import refusals
from node.operations.recall import request_problems, without_followers
from node.operations.release import NotReleased, Prepared, PreparedEntry, prepare, preview_changed
from node.operations.sequence import answer_again
from node.operations.standing import standing_for
from node.ports import Ports
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.onward import RequestRow
from node.store.transaction import Transaction
from node.store.vault import DataKey

_NOTICE = OnwardNotice.DESCRIPTOR.full_name
_PERMIT_CODES: Mapping[str, str] = {
    "PERMIT_EXPIRED": "the permit is not in force any more: ask anew",
    "PERMIT_OTHER_PARTY": "the permit is for another country: ask for this one",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """An alert that an agency would pass on."""

    row: AlertRow
    kind: AlertType
    asked: RequestRow
    permit: tuple[bytes, permit_pb2.Permit] | None
    openings: Mapping[int, manifest_pb2.Opening]
    """Of fields that the agency was told."""
    handling: handling_pb2.Handling
    """In force for the agency."""
    data_key: DataKey
    size: int
    """Bytes of the manifest and the permit."""
    thread: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OnwardPlan:
    """What would be passed on."""

    kind: AlertType
    decided: Plan
    present: frozenset[int]
    """Fields that have a value, so far as they were told here."""


def release_onward(
    ports: Ports, person: str, request: desk_service_pb2.ReleaseOnwardRequest, release: Together, approved: Approved = ALONE
) -> desk_service_pb2.ReleaseOnwardResponse:
    """Pass on what the permit for a request of the caller's agency covers; `release` gives entry and notice their places, or neither.

    What was approved goes exactly so, or not at all (PREVIEW_CHANGED). The same request again answers as the first time. Raises
    `NotPermitted`, and `NotFound` (ONWARD_UNKNOWN, ERASED).
    """
    agency = agency_of(require(ports, person, (LIAISON,)))
    ids = request_ids(request.request_id, 2)
    with ports.store.read() as tx:
        asked = asked_by(tx, agency, request.request)
        if again := alerts.by_requests(tx, [ids[1]]).get(ids[1]):
            return _again(tx, asked, request.request_id, answer_again(tx, ids[1], again))
        looked = _look(ports, tx, request, asked, agency, len(approved.approvers))
    if not isinstance(looked, list) and approved.seen not in {b"", looked[1].digest}:
        looked = [preview_changed()]
    if isinstance(looked, list):
        (refused,) = release([NotReleased(request_id=ids[0], officer=person, problems=tuple(looked))])
        return desk_service_pb2.ReleaseOnwardResponse(released=refused)
    case, decided = looked
    notice = _notice(ports, person, ids, case, decided, request.reason)
    if isinstance(notice, NotReleased):
        # Whoever originated it must know: what cannot be told to them is not passed on.
        (refused,) = release([NotReleased(request_id=ids[0], officer=person, problems=notice.problems)])
        return desk_service_pb2.ReleaseOnwardResponse(released=refused)
    entry = _prepared(ports, person, agency, ids[0], case, decided, request.reason, approved)
    released, *told = without_followers(release([entry, notice]))
    return desk_service_pb2.ReleaseOnwardResponse(released=released, notice=told[0] if told else None)


def weigh_onward(ports: Ports, person: str, request: desk_service_pb2.ReleaseOnwardRequest) -> OnwardPlan | list[desk_service_pb2.Problem]:
    """What would be passed on once everybody has approved it, or why nothing would. Raises as `release_onward`."""
    agency = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        looked = _look(ports, tx, request, asked_by(tx, agency, request.request), agency, ENOUGH)
    if isinstance(looked, list):
        return looked
    case, decided = looked
    present = frozenset(number for number, opening in case.openings.items() if opening.fragment)
    return OnwardPlan(kind=case.kind, decided=decided, present=present)


def _look(
    ports: Ports, tx: Transaction, request: desk_service_pb2.ReleaseOnwardRequest, asked: RequestRow, agency: str, approvals: int
) -> tuple[_Case, Plan] | list[desk_service_pb2.Problem]:
    """The alert, and what of it goes to whom once so many have approved it; or everything that is wrong."""
    problems = request_problems(request.request_id, request.reason)
    if problem := _blocked(tx, asked, agency):
        return [*problems, problem]
    if problems:
        return problems
    case = _case(ports, tx, asked, agency)
    decided = _decide(ports, case, sorted(set(request.recipients)) or [asked.third_party], approvals)
    return decided if isinstance(decided, list) else (case, decided)


def _again(
    tx: Transaction, asked: RequestRow, request_id: bytes, notice: desk_service_pb2.PublishedAlert
) -> desk_service_pb2.ReleaseOnwardResponse:
    (row,) = alerts.by_digests(tx, {asked.manifest}).values()
    told = answer_again(tx, request_id, row)
    outbound = {log.name.origin for log in logs.all_logs(tx) if log.outbound}
    passed_on = [one for one in told.disclosures if one.origin in outbound]
    del told.disclosures[:]
    told.disclosures.extend(passed_on)
    return desk_service_pb2.ReleaseOnwardResponse(released=told, notice=notice)


def _blocked(tx: Transaction, asked: RequestRow, agency: str) -> desk_service_pb2.Problem | None:
    """Why an alert may not be passed on as it stands now."""
    row = alerts.by_digests(tx, {asked.manifest}).get(asked.manifest)
    if row is None or row.wrapped_key is None:
        return error("ERASED", "request", "the alert is not here any more", "there is nothing to pass on")
    if row.state != "active" or standing_for(tx, row, agency).state != "active":
        remedy = "see: exchange inbox show; leave is for one alert as it was told"
        return error("ALERT_NOT_IN_FORCE", "request", "this alert is withdrawn, restricted, replaced or disputed", remedy)
    return None


def _case(ports: Ports, tx: Transaction, asked: RequestRow, agency: str) -> _Case:
    (row,) = alerts.by_digests(tx, {asked.manifest}).values()
    given = given_to(tx, row, agency)
    told = {number for one in given for number in one.entry.fields}
    content = held_content(ports, tx, row)
    permit = permit_of(ports, tx, asked, row)
    return _Case(
        row=row,
        kind=alert_type(row.alert_type),
        asked=asked,
        permit=permit,
        openings={opening.field: opening for opening in content.openings if opening.field in told},
        handling=handling_of(ports, tx, row, given),
        data_key=ports.vault.unwrap(tx, row.period, row.wrapped_key),
        size=content.manifest.ByteSize() + (permit[1].ByteSize() + 256 if permit else 0),
        thread=given[0].entry.thread or row.digest,
    )


def _decide(ports: Ports, case: _Case, recipients: Sequence[str], approvals: int) -> Plan | list[desk_service_pb2.Problem]:
    """What goes to whom: no more than the permit, the clause towards the third country, and its transfer gate let go."""
    now = ports.clock.now_ms()
    if case.permit is None:
        return [error("PERMIT_NONE", "request", "there is no permit for this", "see: exchange onward show")]
    if case.asked.third_party and PartyId.parse(case.asked.third_party).trust_domain == ports.trust_domain:
        return [error("LEAVE_WITHIN", "request", "this leave is for agencies of your own country", "tell them: exchange distribution send")]
    _, permit = case.permit
    for recipient in recipients:
        try:
            party = PartyId.parse(recipient)
            if party.role != "agency":
                raise ExchangeError("RECIPIENT_MALFORMED")
            check_permit(
                permit,
                manifest_digest=case.row.digest,
                holder=str(node_of(ports.trust_domain)),
                third_party=str(node_of(party.trust_domain)),
                recall=False,
                at=now,
            )
        except ExchangeError as refused:
            message, _, remedy = _PERMIT_CODES.get(refused.code, "an agency of the third country is to be named: --to").partition(": ")
            code = refused.code if refused.code in _PERMIT_CODES else "RECIPIENT_MALFORMED"
            return [error(code, "recipients", message, remedy)]
    if not _as_asked(case.asked, recipients):
        message = "leave was asked, and given, for one agency there, which is not this one"
        return [error("RECIPIENT_NOT_ASKED", "recipients", message, "leave --to out, or ask for this one: exchange onward request")]
    fields = frozenset(permit.fields) & case.openings.keys()
    draft = desk_service_pb2.Draft(
        alert_type=case.kind.name,
        alert=b"".join(case.openings[number].fragment for number in sorted(case.openings)),
        recipients=recipients,
        purpose=permit.purpose,
        handling=case.handling,
        unticked=sorted(case.kind.profile - fields),
    )
    fragments = {number: opening.fragment for number, opening in case.openings.items()}
    decided = plan(draft, fragments, case.kind, ports.known, now, approvals=approvals)
    if decided.refused or not decided.planned:
        return refusals(decided)
    goes = (case.openings[number].ByteSize() + 8 for one in decided.planned for number in one.allowed.fields)
    if case.size + sum(goes) > CAP_DELIVERY - CAP_ENTRY:
        return [error("TOO_LARGE", "request", "this is more than one delivery carries", "pass on fewer fields")]
    return decided


def _as_asked(asked: RequestRow, recipients: Sequence[str]) -> bool:
    """Whether these are whom the originator decided about: the permit itself names no more than the country."""
    return PartyId.parse(asked.third_party).role == "node" or list(recipients) == [asked.third_party]


def _prepared(
    ports: Ports, person: str, agency: str, request_id: bytes, case: _Case, decided: Plan, reason: str, approved: Approved
) -> Prepared:
    now = ports.clock.now_ms()
    entries = []
    for one in decided.planned:
        salt = ports.entropy(SALT)
        record = Authorisation(
            officer=person,
            agency=agency,
            reason=reason.strip(),
            preview=decided.digest,
            at=now,
            assessment=one.assessment,
            approvers=approved.approvers,
            confirmations=approved.confirmations,
        ).record()
        entry = disclosure_pb2.Entry(
            manifest_digest=case.row.digest,
            fields=one.allowed.fields,
            audience=one.audience,
            agreement_digest=one.allowed.agreement,
            clause=one.allowed.clause.id,
            purpose=case.permit[1].purpose if case.permit else handling_pb2.PURPOSE_UNSPECIFIED,
            thread=case.thread,
            # What binds us binds whoever has it from us; and it ends there: who would pass it further asks the originator as a recipient.
            stricter=combine(case.handling, _no_further(case.handling)),
            permit_digest=case.permit[0] if case.permit else b"",
            authorisation=commit_authorisation(salt, record),
        )
        entries.append(PreparedEntry(partner=one.partner, entry=entry, record=salt + record))
    told = frozenset((agency, one.allowed.fields) for one in decided.planned for agency in one.audience)
    return Prepared(
        request_id=request_id,
        officer=person,
        alert={"alert_id": case.row.alert_id, "digest": case.row.digest, "originator": case.row.originator},
        data_key=case.data_key,
        supersedes=(),
        in_reply_to=b"",
        entries=tuple(entries),
        existing=case.row.id,
        urgent=approved.urgent,
        consequence=_PassedOn(guard=_guard(ports, case, agency, told)),
    )


def _no_further(handling: handling_pb2.Handling) -> handling_pb2.Handling:
    no_further = handling_pb2.Handling()
    no_further.CopyFrom(handling)
    no_further.onward = handling_pb2.ONWARD_RULE_NONE
    return no_further


def _notice(ports: Ports, person: str, ids: Sequence[bytes], case: _Case, decided: Plan, reason: str) -> Prepared | NotReleased:
    now = ports.clock.now_ms()
    digest, permit = case.permit or (b"", permit_pb2.Permit())
    notice = OnwardNotice(
        permit_digest=digest,
        manifest_digest=case.row.digest,
        third_party=permit.third_party,
        fields=sorted({number for one in decided.planned for number in one.allowed.fields}),
        passed_on_at=now,
    )
    draft = answer_draft(ports, ids[1], _NOTICE, encode(notice), case.row, permit.purpose, now=now, thread=case.thread)
    item = prepare(ports, person, draft, reason)
    return item if isinstance(item, NotReleased) else replace(item, only_with=ids[0])


def _guard(ports: Ports, case: _Case, agency: str, told: frozenset[tuple[str, tuple[int, ...]]]) -> Guard:
    """The same questions again, in the transaction that logs it: what came meanwhile stands in the way."""
    digest, permit = case.permit or (b"", permit_pb2.Permit())
    third = PartyId.parse(permit.third_party).trust_domain if permit.third_party else ""
    originator = PartyId.parse(case.row.originator).trust_domain

    def guard(tx: Transaction) -> desk_service_pb2.Problem | None:
        if problem := _blocked(tx, case.asked, agency):
            return problem
        if not holds(ports, tx, case.row, digest, third, ports.clock.now_ms()):
            return error("PERMIT_EXPIRED", "request", "the permit is not in force any more", "ask anew")
        before = {
            (audience, tuple(one.entry.fields))
            for one in onward_tellings(tx, case.row.digest)
            if not one.exception
            for audience in one.entry.audience
        }
        if not told.isdisjoint(before):
            return error("ALREADY_TOLD", "recipients", "this was passed on already", "see: exchange onward show")
        log = logs.newest_log(tx, originator, outbound=True)
        if log is not None and log.state != "open":
            message = "the log towards the originator is stopped, who could not be told of it"
            return error("LOG_STOPPED", "request", message, "see: exchange partner show")
        return None

    return guard


@dataclass(frozen=True, slots=True, kw_only=True)
class _PassedOn:
    """Passing on changes nothing at home; but what came first stands in its way."""

    guard: Guard

    def obstacle(self, _ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        """Whatever the guard finds."""
        return self.guard(tx)

    def take_effect(self, _ports: Ports, tx: Transaction, _now: int) -> None:
        """Nothing follows."""
