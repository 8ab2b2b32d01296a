"""Release, first half: check, decide, seal and sign. Nothing is stored and nothing leaves; the sequencer does that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from exchange.disclosure import commit_authorisation
from exchange.encoding import CAP_DELIVERY, CAP_ENTRY, cut
from exchange.errors import ExchangeError, Malformed
from exchange.manifest import SALT_SIZE, Envelope, Sealed, seal
from exchange.profile import AlertType, alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2
from exchange.v1.hit_report_pb2 import HIT_OUTCOME_NOT_THIS_PERSON, HitReport
from exchange.v1.onward_pb2 import OnwardDecision, OnwardNotice, OnwardRequest
from exchange.values import uuid7
from node.config import OfficerEntry
from node.intake.completeness import check_release
from node.intake.problems import error, refuses
from node.operations.arrivals import first_arrival
from node.operations.contents import SALT, Authorisation, pack_own, purpose_of_alert
from node.operations.keeping import own_limit, subject_tokens, term_columns
from node.operations.mis_hits import Remembered
from node.operations.officers import LIAISON, PARTNER_OFFICER, agency_of, require, turned_away
from node.operations.onward_kept import Kept
from node.operations.planning import Plan, plan
from node.operations.preview import refusals
from node.ports import Ports
from node.store.envelope import period_of
from node.store.transaction import Transaction
from node.store.vault import DataKey

ANSWERS = frozenset({"exchange.v1.HitReport", "exchange.v1.Acknowledgement", "exchange.v1.OnwardRequest", "exchange.v1.Refusal"})
"""What a partner officer may send: answers to what came in, and the question whether it may be passed on."""
_ONWARD = (OnwardRequest, OnwardDecision, OnwardNotice)
_UUID_ENTROPY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEntry:
    """One entry to come; the sequencer adds its time and its place."""

    partner: str
    entry: disclosure_pb2.Entry
    record: bytes
    """Salt and authorisation record, to be sealed."""


class Consequence(Protocol):
    """What a release means for other alerts: asked and done in the one transaction that gives it its place in the logs."""

    def obstacle(self, ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        """Why it cannot be released after all, as the store stands now; None if it can."""
        ...

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """Do what follows from it, with its own row and relations already stored."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A release for which everything is decided and signed."""

    request_id: bytes
    officer: str
    alert: Mapping[str, Any]
    """A row of the alerts table without its id."""
    data_key: DataKey
    supersedes: tuple[bytes, ...]
    in_reply_to: bytes
    entries: tuple[PreparedEntry, ...]
    tokens: bytes = b""
    """For the subject index."""
    existing: int = 0
    """Row id of an alert that is told further; 0 for a new one."""
    control: bool = False
    """A control alert goes before the window, and a stopped log does not refuse it: that partner is told when the log goes on."""
    only_with: bytes = b""
    """Request id of a release before it in the same call, without which this one falls away."""
    consequence: Consequence | None = None
    urgent: bool = False
    """Declared so by the officer, or released on an approval by word of mouth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReleased:
    """Why a draft goes to nobody: everything that is wrong, at once."""

    request_id: bytes
    officer: str
    problems: tuple[desk_service_pb2.Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """A draft for which everything is decided, and nothing sealed."""

    draft: desk_service_pb2.Draft
    kind: AlertType
    fragments: Mapping[int, bytes]
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class _Committed:
    """The same, committed to and signed."""

    decided: _Decided
    envelope: Envelope
    sealed: Sealed
    salts: bytes
    """One of `SALT` bytes for each entry to come."""


def prepare(
    ports: Ports, person: str, draft: desk_service_pb2.Draft, reason: str, *, approvers: Sequence[str] = (), urgent: bool = False
) -> Prepared | NotReleased:
    """The same as `prepare_all` for one draft, which `approvers` (SPIFFE IDs) have approved."""
    return prepare_all(ports, person, [draft], reason, approvers=approvers, urgent=urgent)[0]


def prepare_all(
    ports: Ports,
    person: str,
    drafts: Sequence[desk_service_pb2.Draft],
    reason: str,
    *,
    approvers: Sequence[str] = (),
    urgent: bool = False,
) -> list[Prepared | NotReleased]:
    """Make drafts ready for the sequencer, each answered in its place; `urgent` if the person declares that they could not wait.

    If one recipient of a draft cannot be told, nobody is told of that draft: an officer released what the preview showed.
    Raises `NotPermitted` when the person may not release one of these at all.
    """
    officer = require(ports, person, (LIAISON, PARTNER_OFFICER))
    if LIAISON not in officer.roles and any(draft.alert_type not in ANSWERS for draft in drafts):
        raise turned_away(ports, person, "ROLE_MISSING", "only a liaison officer releases alerts of this kind")
    now = ports.clock.now_ms()
    # Each step for all drafts before the next step: its code and its tables are then still in the processor's cache.
    decided = [_decide(ports, officer, draft, reason, now, len(approvers)) for draft in drafts]
    committed = [item if isinstance(item, NotReleased) else _commit(ports, officer, item, now) for item in decided]
    return [
        item if isinstance(item, NotReleased) else _record(ports, officer, item, reason, now, approvers, urgent=urgent)
        for item in committed
    ]


def _decide(
    ports: Ports, officer: OfficerEntry, draft: desk_service_pb2.Draft, reason: str, now: int, approvals: int
) -> _Decided | NotReleased:
    problems = [*check_release(draft, now)]
    if ports.justification_mandatory and not reason.strip():
        problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary: --reason"))
    if len(draft.request_id) != SALT // 2:
        problems.append(error("REQUEST_ID", "request_id", "the request id is not 16 bytes", "use the exchange command line"))
    originator = draft.originator or agency_of(officer)
    if originator != agency_of(officer):
        problems.append(error("ORIGINATOR", "originator", "you cannot release for this agency", "leave the originator out"))
    elif originator not in ports.signers.statement:
        remedy = "ask your administrator for one: keys.statement in the node's configuration, and in its descriptor"
        problems.append(error("STATEMENT_KEY_MISSING", "originator", "your agency has no key to sign with at this node", remedy))
    if refuses(problems):
        return _not_released(draft, officer, problems)
    kind = alert_type(draft.alert_type)
    fragments = cut(draft.alert)
    decided = plan(draft, fragments, kind, ports.known, now, approvals=approvals)
    if decided.refused or not decided.planned:
        return _not_released(draft, officer, (*refusals(decided), *problems))
    return _Decided(draft=draft, kind=kind, fragments=fragments, plan=decided)


def _commit(ports: Ports, officer: OfficerEntry, decided: _Decided, now: int) -> _Committed | NotReleased:
    draft, kind = decided.draft, decided.kind
    originator = agency_of(officer)
    # Asked for once: the system's generator takes as long for ten bytes as for a thousand.
    entropy = ports.entropy(SALT_SIZE * len(kind.numbers) + SALT * len(decided.plan.planned) + _UUID_ENTROPY)
    fields, entries = entropy[: SALT_SIZE * len(kind.numbers)], entropy[SALT_SIZE * len(kind.numbers) : -_UUID_ENTROPY]
    envelope = Envelope(
        alert_id=uuid7(now, entropy[-_UUID_ENTROPY:]),
        originator=originator,
        issued_at=now,
        not_after=0 if kind.control else draft.not_after,
        handling=draft.handling,
        training=ports.training,
        supersedes=draft.supersedes,
    )
    try:
        sealed = seal(kind, decided.fragments, envelope, fields, ports.signers.statement[originator])
    except ExchangeError as refused:
        return _too_much(draft, officer, refused)
    return _Committed(decided=decided, envelope=envelope, sealed=sealed, salts=entries)


def _record(
    ports: Ports, officer: OfficerEntry, committed: _Committed, reason: str, now: int, approvers: Sequence[str], *, urgent: bool
) -> Prepared | NotReleased:
    draft, kind, planned = committed.decided.draft, committed.decided.kind, committed.decided.plan
    envelope, sealed = committed.envelope, committed.sealed
    content = pack_own(sealed.statement, sealed.opened)
    if len(content) > CAP_DELIVERY - CAP_ENTRY:
        # Later, when it has its place in a log, it could not be sent and would hold back all that follows.
        return _too_much(draft, officer, Malformed("DELIVERY_TOO_LARGE", "the alert as a whole is larger than the protocol carries"))
    entries = []
    for place, item in enumerate(planned.planned):
        salt = committed.salts[SALT * place : SALT * (place + 1)]
        record = Authorisation(
            officer=str(officer.id),
            agency=envelope.originator,
            reason=reason.strip(),
            preview=planned.digest,
            at=now,
            assessment=item.assessment,
            approvers=tuple(approvers),
        ).record()
        entry = disclosure_pb2.Entry(
            manifest_digest=sealed.digest,
            fields=item.allowed.fields,
            audience=item.audience,
            agreement_digest=item.allowed.agreement,
            clause=item.allowed.clause.id,
            purpose=draft.purpose,
            thread=draft.thread,
            in_reply_to=draft.in_reply_to,
            on_request_ground=disclosure_pb2.OnRequestGround.ValueType(item.ground if item.allowed.on_request else 0),
            request_digest=item.request_digest if item.allowed.on_request else b"",
            authorisation=commit_authorisation(salt, record),
        )
        entries.append(PreparedEntry(partner=item.partner, entry=entry, record=salt + record))
    try:
        row, data_key = own_row(ports, kind, envelope, sealed.digest, content, committed.decided.fragments)
    except ExchangeError as refused:
        return _too_much(draft, officer, refused)
    return Prepared(
        request_id=draft.request_id,
        officer=str(officer.id),
        alert={**row, "request_id": draft.request_id},
        data_key=data_key,
        supersedes=tuple(draft.supersedes),
        in_reply_to=draft.in_reply_to,
        entries=tuple(entries),
        consequence=_consequence(kind, draft.alert, officer, sealed.digest),
        tokens=subject_tokens(ports, kind, kind.message.FromString(draft.alert)),
        urgent=urgent,
    )


def own_row(
    ports: Ports, kind: AlertType, envelope: Envelope, digest: bytes, content: bytes, fragments: Mapping[int, bytes]
) -> tuple[dict[str, Any], DataKey]:
    """The row of an alert of ours with that packed content, without its id and request id, and the key that sealed it.

    Raises as `Vault.new_data_key`.
    """
    period = period_of(envelope.not_after, envelope.issued_at)
    data_key = ports.vault.new_data_key(ports.store, period)
    row = {
        "alert_id": envelope.alert_id,
        "digest": digest,
        "own": True,
        "alert_type": kind.name,
        "originator": envelope.originator,
        "issued_at": envelope.issued_at,
        "not_after": envelope.not_after,
        "training": ports.training,
        "recorded_at": envelope.issued_at,
        "arrives_at": first_arrival(kind, fragments),
        "state": "active",
        "period": period,
        "wrapped_key": data_key.wrapped,
        "sealed": data_key.seal(purpose_of_alert(envelope.alert_id), content),
        **term_columns(ports, envelope.issued_at, own_limit(ports, kind, envelope.handling.retention_days, envelope.issued_at)),
    }
    return row, data_key


def _consequence(kind: AlertType, alert: bytes, officer: OfficerEntry, digest: bytes) -> Consequence | None:
    if kind.message in _ONWARD:
        return Kept(alert=kind.message.FromString(alert), digest=digest, issuer=agency_of(officer))
    if kind.message is not HitReport:
        return None
    report = HitReport.FromString(alert)
    return Remembered(report, str(officer.id)) if report.outcome == HIT_OUTCOME_NOT_THIS_PERSON else None


def _too_much(draft: desk_service_pb2.Draft, officer: OfficerEntry, refused: ExchangeError) -> NotReleased:
    return _not_released(draft, officer, [error(refused.code, "alert", str(refused), "shorten the alert, or mend what is named")])


def _not_released(draft: desk_service_pb2.Draft, officer: OfficerEntry, problems: Sequence[desk_service_pb2.Problem]) -> NotReleased:
    return NotReleased(request_id=draft.request_id, officer=str(officer.id), problems=tuple(problems))
