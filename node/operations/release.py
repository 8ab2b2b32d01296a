"""Release, first half: check, decide, seal and sign. Nothing is stored and nothing leaves; the sequencer does that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import Message

from exchange.disclosure import commit_authorisation
from exchange.encoding import CAP_DELIVERY, CAP_ENTRY, cut
from exchange.errors import ExchangeError, Malformed
from exchange.manifest import SALT_SIZE, Envelope, Unsigned, draw_up, sign_manifest
from exchange.profile import AlertType, alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2
from exchange.values import uuid7
from node.config import OfficerEntry
from node.confirmations import Confirmation
from node.intake.completeness import Checked, check_releases
from node.intake.problems import error, refuses
from node.operations.arrivals import landing
from node.operations.consequences import ANSWERS, Consequence, consequence_of
from node.operations.contents import SALT, Authorisation, pack_own, purpose_of_alert
from node.operations.duplicates import TELLING, Compared, compare, problems_of
from node.operations.keeping import own_limit, term_columns
from node.operations.officers import LIAISON, PARTNER_OFFICER, agency_of, require, turned_away
from node.operations.planning import Asked, Plan, Planned, plan
from node.operations.preview import refusals
from node.ports import Known, Ports
from node.store.envelope import period_of
from node.store.journal import Event
from node.store.vault import DataKey

_UUID_ENTROPY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEntry:
    """One entry to come; the sequencer adds its time and its place."""

    partner: str
    entry: disclosure_pb2.Entry
    record: bytes
    """Salt and authorisation record, to be sealed."""


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
    person: bytes = b""
    """As in `node.operations.keeping.Tokens`, of a type that is compared; empty for any other, and where a duplicate refuses nothing."""
    compared: frozenset[int] = frozenset()
    """Rows of alerts that the person was compared with."""
    despite: tuple[Event, ...] = ()
    """To be journalled: other alerts about the same person of which the officer knew."""
    existing: int = 0
    """Row id of an alert that is told further; 0 for a new one."""
    control: bool = False
    """A control alert goes before the window, and a stopped log does not refuse it: that partner is told when the log goes on."""
    only_with: bytes = b""
    """Request id of a release before it in the same call, without which this one falls away."""
    consequence: Consequence | None = None
    urgent: bool = False
    """Declared so by the officer, released on an approval by word of mouth, or under an agreement for an emergency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReleased:
    """Why a draft goes to nobody: everything that is wrong, at once."""

    request_id: bytes
    officer: str
    problems: tuple[desk_service_pb2.Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """What all drafts of one call have in common."""

    ports: Ports
    officer: OfficerEntry
    agency: str
    reason: str
    now: int
    known: Known
    approvers: tuple[str, ...]
    urgent: bool
    seen: bytes
    confirmations: tuple[Confirmation, ...]
    asked: Asked


@dataclass(slots=True, kw_only=True)
class _Work:
    """One draft on its way: each step adds what it makes, or says why the draft goes to nobody."""

    draft: desk_service_pb2.Draft
    checked: Checked
    kind: AlertType = field(init=False)
    alert: Message = field(init=False)
    fragments: Mapping[int, bytes] = field(init=False)
    plan: Plan = field(init=False)
    envelope: Envelope = field(init=False)
    salts: bytes = field(init=False)
    """One of `SALT` bytes for each entry to come."""
    unsigned: Unsigned = field(init=False)
    digest: bytes = field(init=False)
    content: bytes = field(init=False)
    row: dict[str, Any] = field(init=False)
    data_key: DataKey = field(init=False)
    compared: Compared = field(init=False)


def prepare(
    ports: Ports,
    person: str,
    draft: desk_service_pb2.Draft,
    reason: str,
    *,
    approvers: Sequence[str] = (),
    urgent: bool = False,
    seen: bytes = b"",
    confirmations: Sequence[Confirmation] = (),
) -> Prepared | NotReleased:
    """The same as `prepare_all` for one draft, which `approvers` (SPIFFE IDs) have approved.

    If `seen` is the digest of a preview, what would go otherwise now goes to nobody (PREVIEW_CHANGED): that is what was confirmed.
    """
    call = _call(ports, person, [draft], reason, approvers=approvers, urgent=urgent)
    return _prepare_all(replace(call, seen=seen, confirmations=tuple(confirmations)), [draft])[0]


def prepare_all(
    ports: Ports,
    person: str,
    drafts: Sequence[desk_service_pb2.Draft],
    reason: str,
    *,
    urgent: bool = False,
) -> list[Prepared | NotReleased]:
    """Make drafts ready for the sequencer, each answered in its place; `urgent` if the person declares that they could not wait.

    If one recipient of a draft cannot be told, nobody is told of that draft: an officer released what the preview showed.
    Raises `NotPermitted` when the person may not release one of these at all.
    """
    return _prepare_all(_call(ports, person, drafts, reason, approvers=(), urgent=urgent), drafts)


def _call(
    ports: Ports, person: str, drafts: Sequence[desk_service_pb2.Draft], reason: str, *, approvers: Sequence[str], urgent: bool
) -> _Call:
    officer = require(ports, person, (LIAISON, PARTNER_OFFICER))
    if LIAISON not in officer.roles and any(draft.alert_type not in ANSWERS for draft in drafts):
        raise turned_away(ports, person, "ROLE_MISSING", "only a liaison officer releases alerts of this kind")
    return _Call(
        ports=ports,
        officer=officer,
        agency=agency_of(officer),
        reason=reason.strip(),
        now=ports.clock.now_ms(),
        known=ports.known,
        approvers=tuple(approvers),
        urgent=urgent,
        seen=b"",
        confirmations=(),
        asked={},
    )


def _prepare_all(call: _Call, drafts: Sequence[desk_service_pb2.Draft]) -> list[Prepared | NotReleased]:
    works = [_Work(draft=draft, checked=checked) for draft, checked in zip(drafts, check_releases(drafts, call.now), strict=True)]
    refused: dict[int, NotReleased] = {}
    # Each step for all drafts before the next step: its code and its tables are then still in the processor's cache.
    for step in (_check, _cut, _plan, _compare, _draw_up, _sign, _seal):
        for place, work in enumerate(works):
            if place not in refused and (answer := step(call, work)) is not None:
                refused[place] = answer
    return [refused.get(place) or _prepared(call, work) for place, work in enumerate(works)]


def _check(call: _Call, work: _Work) -> NotReleased | None:
    draft, problems = work.draft, [*work.checked.problems]
    if call.ports.justification_mandatory and not call.reason:
        problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary: --reason"))
    if len(draft.request_id) != SALT // 2:
        problems.append(error("REQUEST_ID", "request_id", "the request id is not 16 bytes", "use the exchange command line"))
    if draft.originator not in {"", call.agency}:
        problems.append(error("ORIGINATOR", "originator", "you cannot release for this agency", "leave the originator out"))
    elif call.agency not in call.ports.signers.statement:
        remedy = "ask your administrator for one: keys.statement in the node's configuration, and in its descriptor"
        problems.append(error("STATEMENT_KEY_MISSING", "originator", "your agency has no key to sign with at this node", remedy))
    if work.checked.alert is None or refuses(problems):
        return _not_released(draft, call.officer, problems)
    work.kind, work.alert = alert_type(draft.alert_type), work.checked.alert
    return None


def _cut(_call: _Call, work: _Work) -> None:
    work.fragments = cut(work.draft.alert)


def _plan(call: _Call, work: _Work) -> NotReleased | None:
    work.plan = plan(work.draft, work.fragments, work.kind, call.known, call.now, approvals=len(call.approvers), asked=call.asked)
    if work.plan.refused or not work.plan.planned:
        return _not_released(work.draft, call.officer, (*refusals(work.plan), *work.checked.problems))
    if call.seen and work.plan.digest != call.seen:
        return _not_released(work.draft, call.officer, [preview_changed()])
    return None


def _compare(call: _Call, work: _Work) -> NotReleased | None:
    work.compared = compare(call.ports, work.draft, work.kind, work.alert, call.agency)
    if call.ports.duplicates_refuse and (found := problems_of(work.compared.duplicates, work.draft.despite, refuse=True)):
        return _not_released(work.draft, call.officer, (*found, *work.checked.problems))
    return None


def _draw_up(call: _Call, work: _Work) -> NotReleased | None:
    draft, kind = work.draft, work.kind
    # Asked for once: the system's generator takes as long for ten bytes as for a thousand.
    entropy = call.ports.entropy(SALT_SIZE * len(kind.numbers) + SALT * len(work.plan.planned) + _UUID_ENTROPY)
    fields, work.salts = entropy[: SALT_SIZE * len(kind.numbers)], entropy[SALT_SIZE * len(kind.numbers) : -_UUID_ENTROPY]
    work.envelope = Envelope(
        alert_id=uuid7(call.now, entropy[-_UUID_ENTROPY:]),
        originator=call.agency,
        issued_at=call.now,
        not_after=0 if kind.control else draft.not_after,
        handling=draft.handling,
        training=call.ports.training,
        supersedes=draft.supersedes,
    )
    try:
        work.unsigned = draw_up(kind, work.fragments, work.envelope, fields)
    except ExchangeError as refused:
        return _too_much(draft, call.officer, refused)
    return None


def _sign(call: _Call, work: _Work) -> NotReleased | None:
    sealed = sign_manifest(work.unsigned, call.ports.signers.statement[call.agency])
    work.digest, work.content = sealed.digest, pack_own(sealed.statement, sealed.opened)
    if len(work.content) > CAP_DELIVERY - CAP_ENTRY:
        # Later, when it has its place in a log, it could not be sent and would hold back all that follows.
        return _too_much(
            work.draft, call.officer, Malformed("DELIVERY_TOO_LARGE", "the alert as a whole is larger than the protocol carries")
        )
    return None


def _seal(call: _Call, work: _Work) -> NotReleased | None:
    try:
        work.row, work.data_key = own_row(call.ports, work.kind, work.envelope, work.digest, work.content, work.alert)
    except ExchangeError as refused:
        return _too_much(work.draft, call.officer, refused)
    return None


def _prepared(call: _Call, work: _Work) -> Prepared:
    draft, officer, compared = work.draft, str(call.officer.id), work.compared
    return Prepared(
        request_id=draft.request_id,
        officer=officer,
        alert={**work.row, "request_id": draft.request_id},
        data_key=work.data_key,
        supersedes=tuple(draft.supersedes),
        in_reply_to=draft.in_reply_to,
        entries=tuple(
            _entry(call, work, item, work.salts[SALT * place : SALT * (place + 1)]) for place, item in enumerate(work.plan.planned)
        ),
        consequence=consequence_of(work.alert, draft, call.officer, work.plan, work.digest),
        tokens=compared.tokens.joined,
        person=compared.tokens.person if work.kind.name in TELLING else b"",
        compared=compared.known,
        despite=tuple(
            Event(code="DESPITE_DUPLICATE", subject=one.digest, counterparty=one.originator, justification=call.reason)
            for one in compared.duplicates
            if one.accepted(draft.despite)
        ),
        urgent=call.urgent or any(_for_emergency(call.known, item.allowed.agreement) for item in work.plan.planned),
    )


def _entry(call: _Call, work: _Work, item: Planned, salt: bytes) -> PreparedEntry:
    draft, allowed = work.draft, item.allowed
    record = Authorisation(
        officer=str(call.officer.id),
        agency=call.agency,
        reason=call.reason,
        preview=work.plan.digest,
        at=call.now,
        assessment=item.assessment,
        approvers=call.approvers,
        confirmations=call.confirmations,
    ).record()
    entry = disclosure_pb2.Entry(
        manifest_digest=work.digest,
        fields=allowed.fields,
        audience=item.audience,
        agreement_digest=allowed.agreement,
        clause=allowed.clause.id,
        purpose=draft.purpose,
        thread=draft.thread,
        in_reply_to=draft.in_reply_to,
        on_request_ground=disclosure_pb2.OnRequestGround.ValueType(item.ground if allowed.on_request else 0),
        request_digest=item.request_digest if allowed.on_request else b"",
        authorisation=commit_authorisation(salt, record),
    )
    return PreparedEntry(partner=item.partner, entry=entry, record=salt + record)


def _for_emergency(known: Known, agreement: bytes) -> bool:
    agreed = known.agreements.get(agreement)
    return agreed is not None and agreed.agreement.emergency


def own_row(
    ports: Ports, kind: AlertType, envelope: Envelope, digest: bytes, content: bytes, alert: Message
) -> tuple[dict[str, Any], DataKey]:
    """The row of this alert of ours with that packed content, without its id and request id, and the key that sealed it.

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
        "arrives_at": landing(alert),
        "state": "active",
        "period": period,
        "wrapped_key": data_key.wrapped,
        "sealed": data_key.seal(purpose_of_alert(envelope.alert_id), content),
        **term_columns(ports, envelope.issued_at, own_limit(ports, kind, envelope.handling.retention_days, envelope.issued_at)),
    }
    return row, data_key


def preview_changed() -> desk_service_pb2.Problem:
    """The problem of a release of which something else would go than was confirmed."""
    return error("PREVIEW_CHANGED", "recipients", "what would go is no longer what you saw", "look at the preview again")


def _too_much(draft: desk_service_pb2.Draft, officer: OfficerEntry, refused: ExchangeError) -> NotReleased:
    return _not_released(draft, officer, [error(refused.code, "alert", str(refused), "shorten the alert, or mend what is named")])


def _not_released(draft: desk_service_pb2.Draft, officer: OfficerEntry, problems: Sequence[desk_service_pb2.Problem]) -> NotReleased:
    return NotReleased(request_id=draft.request_id, officer=str(officer.id), problems=tuple(problems))
