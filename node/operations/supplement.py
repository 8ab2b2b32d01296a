"""Tell one agency more fields of an alert that it was told of: the same manifest, another entry, and only the new openings."""

import hashlib
from dataclasses import dataclass

from exchange.agreement import Agreed, Allowed, Request, decide_under
from exchange.disclosure import commit_authorisation
from exchange.encoding import cut
from exchange.errors import Malformed
from exchange.profile import AlertType, alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2, manifest_pb2
from exchange.values import PartyId
from node.intake.problems import error
from node.operations.approved import ALONE, Approved
from node.operations.contents import SALT, Authorisation, purpose_of_alert, unpack_content
from node.operations.officers import LIAISON, agency_of, require
from node.operations.outbox import logged
from node.operations.planning import ENOUGH, unsupported_condition
from node.operations.preview import denials
from node.operations.reach import Telling, lineage, tellings, withdrawn
from node.operations.recall import Release, request_problems
from node.operations.release import NotReleased, Prepared, PreparedEntry, preview_changed
from node.operations.transfers import offences_of, pass_transfer
from node.policy.gate import Passed
from node.ports import Ports
from node.store import alerts
from node.store.alerts import AlertRow
from node.store.transaction import Transaction
from node.store.vault import DataKey

_PREVIEW = b"alert-exchange/v1 supplement\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One alert, and what one agency was told of it so far."""

    row: AlertRow
    told: tuple[Telling, ...]
    """Every entry to that agency's node that it did not except."""
    data_key: DataKey
    openings: tuple[manifest_pb2.Opening, ...]
    """All that we know."""

    @property
    def alert(self) -> bytes:
        """The same, encoded."""
        return b"".join(opening.fragment for opening in self.openings)

    def to(self, agency: str) -> list[Telling]:
        """Those of them that were for one agency."""
        return [one for one in self.told if agency in one.entry.audience]

    def fields_of(self, agency: str) -> set[int]:
        """Fields that an agency was told."""
        return {field for one in self.to(agency) for field in one.entry.fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What may be told one agency, and why."""

    case: _Case
    agency: str
    allowed: Allowed
    assessment: bytes
    """Digest; empty where no rule asks for one."""

    @property
    def preview(self) -> bytes:
        """The digest of exactly this."""
        allowed = self.allowed
        parts = (allowed.agreement, allowed.clause.id.encode(), bytes(allowed.fields), self.agency.encode(), self.case.row.digest)
        return hashlib.sha256(_PREVIEW + b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()

    @property
    def kind(self) -> AlertType:
        """Of what type the alert is."""
        return alert_type(self.case.row.alert_type)

    @property
    def view(self) -> bytes:
        """The new fields, encoded."""
        return b"".join(opening.fragment for opening in self.case.openings if opening.field in self.allowed.fields)

    @property
    def present(self) -> frozenset[int]:
        """Fields that have a value."""
        return frozenset(cut(self.case.alert))


def supplement_alert(
    ports: Ports,
    person: str,
    request: desk_service_pb2.SupplementAlertRequest,
    release: Release,
    approved: Approved = ALONE,
) -> desk_service_pb2.SupplementAlertResponse:
    """Disclose more of an alert of the caller's agency; `release` gives the entry its place.

    What was approved goes exactly so, or not at all (PREVIEW_CHANGED). What was told already is answered by the entry that told it: the
    same request again tells nothing twice. Raises `NotPermitted`, and `NotFound` as `alerts.find`, and ERASED.
    """
    agency = agency_of(require(ports, person, (LIAISON,)))
    case, problem = _case(ports, agency, request)
    row, wanted = case.row, frozenset(request.fields)
    if wanted and wanted <= case.fields_of(request.recipient):
        published = desk_service_pb2.PublishedAlert(
            request_id=request.request_id,
            alert_id=row.alert_id,
            manifest_digest=row.digest,
            disclosures=[logged(one.log, one.index, one.entry) for one in case.to(request.recipient) if wanted & set(one.entry.fields)],
        )
        return desk_service_pb2.SupplementAlertResponse(published=published)
    weighed = _weigh(ports, request, case, problem, len(approved.approvers))
    problems = [*request_problems(request.request_id, request.reason), *(weighed if isinstance(weighed, list) else ())]
    if not isinstance(weighed, list) and approved.seen not in {b"", weighed.preview}:
        problems.append(preview_changed())
    if isinstance(weighed, list) or problems:
        item: Prepared | NotReleased = NotReleased(request_id=request.request_id, officer=person, problems=tuple(problems))
    else:
        item = _prepared(ports, person, request, weighed, approved)
    (published,) = release([item])
    return desk_service_pb2.SupplementAlertResponse(published=published)


def weigh_supplement(
    ports: Ports, person: str, request: desk_service_pb2.SupplementAlertRequest
) -> Weighed | list[desk_service_pb2.Problem]:
    """What would be told once everybody has approved it, or why nothing would. Raises as `supplement_alert`."""
    case, problem = _case(ports, agency_of(require(ports, person, (LIAISON,))), request)
    found = _weigh(ports, request, case, problem, ENOUGH)
    problems = request_problems(request.request_id, request.reason)
    return [*problems, *(found if isinstance(found, list) else ())] if problems else found


def _case(ports: Ports, agency: str, request: desk_service_pb2.SupplementAlertRequest) -> tuple[_Case, desk_service_pb2.Problem | None]:
    """The alert and what was told of it, and why no more of it may be."""
    partner = _partner(request.recipient)
    with ports.store.read() as tx:
        row = alerts.find(tx, request.alert, originator=agency)
        told = tuple(one for one in tellings(tx, row) if one.log.name.recipient == partner and not one.exception)
        data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
        content = unpack_content(data_key.open(purpose_of_alert(row.alert_id), row.sealed or b""))
        return _Case(row=row, told=told, data_key=data_key, openings=tuple(content.openings)), _obstacle(tx, row)


def _weigh(
    ports: Ports,
    request: desk_service_pb2.SupplementAlertRequest,
    case: _Case,
    problem: desk_service_pb2.Problem | None,
    approvals: int,
) -> Weighed | list[desk_service_pb2.Problem]:
    if problem:
        return [problem]
    wanted = frozenset(request.fields) - case.fields_of(request.recipient)
    allowed = _decide(ports, request, case, wanted, approvals)
    if isinstance(allowed, list):
        return allowed
    assessment = _pass_transfer(ports, request.recipient, case, allowed)
    return (
        assessment if isinstance(assessment, list) else Weighed(case=case, allowed=allowed, assessment=assessment, agency=request.recipient)
    )


def _partner(recipient: str) -> str:
    try:
        return PartyId.parse(recipient).trust_domain
    except Malformed:
        return ""


def _obstacle(tx: Transaction, row: AlertRow) -> desk_service_pb2.Problem | None:
    """Why no more of an alert may be told as it stands."""
    if row.state == "withdrawn":
        return withdrawn()
    if row.state == "restricted":
        return error("ALERT_RESTRICTED", "alert", "this alert is restricted", "lift the restriction first")
    if lineage(tx, row)[-1].digest != row.digest or row.state != "active":
        return error("ALREADY_SUPERSEDED", "alert", "another alert took this one's place", "supplement that one (exchange alert list)")
    return None


def _decide(
    ports: Ports, request: desk_service_pb2.SupplementAlertRequest, case: _Case, wanted: frozenset[int], approvals: int
) -> Allowed | list[desk_service_pb2.Problem]:
    """The clause under which exactly these fields go, or why none lets them."""
    before = case.to(request.recipient)
    kind = alert_type(case.row.alert_type)
    partner = ports.known.partners.get(_partner(request.recipient))
    if not wanted or not wanted <= kind.profile:
        return [error("FIELD_UNKNOWN", "field", "this alert type has no such field", "name the fields: --field")]
    if not before or partner is None:
        return [error("AGENCY_NOT_TOLD", "recipient", "this agency was not told of this alert", "publish it to that agency")]
    if partner.suspended:
        return denials("PARTNER_SUSPENDED", "recipient")
    route = (ports.trust_domain, partner.node.trust_domain, kind.name)
    reasons: list[str] = []
    groundless = False
    for agreed in sorted(ports.known.agreements.values(), key=lambda one: (-one.agreement.valid_from, one.digest)):
        for terms in agreed.routes.get(route, ()):
            granted = wanted & terms.on_request if request.ground else frozenset()
            asked = Request(
                sender=route[0],
                recipient=route[1],
                agency=request.recipient,
                alert_type=kind.name,
                purpose=before[0].entry.purpose,
                fields=kind.profile,
                at=ports.clock.now_ms(),
                unticked=kind.profile - wanted,
                granted=granted,
                disclosed=frozenset(field for one in case.told for field in one.entry.fields),
            )
            outcome = _under(agreed, terms.clause.id, asked, wanted, gated=ports.known.policy is not None, approvals=approvals)
            if isinstance(outcome, Allowed):
                return outcome
            reasons.append(outcome)
            groundless |= not request.ground and outcome == "FIELDS_NOT_AGREED" and not wanted.isdisjoint(terms.on_request)
    if groundless:
        return [error("GROUND_MISSING", "ground", "no clause gives this field without a reason of the case", "give one: --ground")]
    if not reasons or "FIELDS_NOT_AGREED" in reasons:
        code = "FIELDS_NOT_AGREED" if reasons else "CLAUSE_NONE"
        return [error(code, "field", "no clause lets this agency have these fields", "ask for less, or agree on it")]
    return denials(reasons[0], "recipient")


def _pass_transfer(ports: Ports, agency: str, case: _Case, allowed: Allowed) -> bytes | list[desk_service_pb2.Problem]:
    """The transfer assessment on whose strength the fields go, by digest, empty where no rule asks for one; or why they may not go."""
    if ports.known.policy is None:
        return b""
    kind = alert_type(case.row.alert_type)
    purpose = case.to(agency)[0].entry.purpose
    offences = offences_of(kind, case.alert)
    gate = pass_transfer(ports.known, ports.known.policy, agency, kind, purpose, allowed, offences, ports.clock.now_ms())
    if not isinstance(gate, Passed):
        return denials(gate[0].code, "recipient", gate)
    return gate.assessment.digest if gate.assessment else b""


def _under(agreed: Agreed, clause: str, asked: Request, wanted: frozenset[int], *, gated: bool, approvals: int) -> Allowed | str:
    outcome = decide_under(agreed, clause, asked)
    if not isinstance(outcome, Allowed):
        return outcome.reasons[0] if outcome.reasons[0] != "FIELDS_NONE" else "FIELDS_NOT_AGREED"
    if frozenset(outcome.fields) != wanted:
        return "FIELDS_NOT_AGREED"
    return unsupported_condition(outcome, gated=gated, approvals=approvals) or outcome


def _prepared(
    ports: Ports, person: str, request: desk_service_pb2.SupplementAlertRequest, weighed: Weighed, approved: Approved
) -> Prepared:
    now, case, allowed = ports.clock.now_ms(), weighed.case, weighed.allowed
    row, first = case.row, case.to(request.recipient)[0].entry
    record = Authorisation(
        officer=person,
        agency=row.originator,
        reason=request.reason.strip(),
        preview=weighed.preview,
        at=now,
        assessment=weighed.assessment,
        approvers=approved.approvers,
        confirmations=approved.confirmations,
    ).record()
    salt = ports.entropy(SALT)
    entry = disclosure_pb2.Entry(
        manifest_digest=row.digest,
        fields=allowed.fields,
        audience=[request.recipient],
        agreement_digest=allowed.agreement,
        clause=allowed.clause.id,
        purpose=first.purpose,
        thread=first.thread,
        in_reply_to=first.in_reply_to,
        on_request_ground=request.ground if allowed.on_request else disclosure_pb2.ON_REQUEST_GROUND_UNSPECIFIED,
        request_digest=request.request_digest if allowed.on_request and request.ground else b"",
        authorisation=commit_authorisation(salt, record),
    )
    return Prepared(
        request_id=request.request_id,
        officer=person,
        alert={"alert_id": row.alert_id, "digest": row.digest, "originator": row.originator},
        data_key=case.data_key,
        supersedes=(),
        in_reply_to=b"",
        entries=(PreparedEntry(partner=_partner(request.recipient), entry=entry, record=salt + record),),
        existing=row.id,
        urgent=approved.urgent,
        consequence=_Supplemented(row=row, agency=request.recipient, fields=frozenset(allowed.fields)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Supplemented:
    """Telling more changes nothing else; but a recall that came first stands in its way."""

    row: AlertRow
    agency: str
    fields: frozenset[int]

    def obstacle(self, _ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        """Why no more may be told, as the store stands now."""
        (row,) = alerts.by_ids(tx, {self.row.id}).values()
        told = (one.entry.fields for one in tellings(tx, row) if self.agency in one.entry.audience and not one.exception)
        if self.fields <= {field for fields in told for field in fields}:
            return error("ALREADY_TOLD", "field", "this agency was told meanwhile", "see: exchange alert reach")
        return _obstacle(tx, row)

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """Nothing follows."""
