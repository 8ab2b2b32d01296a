"""Release, first half: check, decide, seal and sign. Nothing is stored and nothing leaves; the sequencer does that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.disclosure import commit_authorisation
from exchange.encoding import CAP_DELIVERY, CAP_ENTRY, cut
from exchange.errors import ExchangeError, Malformed
from exchange.manifest import SALT_SIZE, Envelope, seal
from exchange.profile import AlertType, alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2
from exchange.values import uuid7
from node.config import OfficerEntry
from node.intake.completeness import check_release
from node.intake.problems import error, refuses
from node.operations.arrivals import first_arrival
from node.operations.contents import SALT, Authorisation, pack_content, purpose_of_alert
from node.operations.officers import LIAISON, PARTNER_OFFICER, agency_of, require, turned_away
from node.operations.planning import Plan, plan
from node.operations.preview import refusals
from node.ports import Ports
from node.store.envelope import period_of
from node.store.vault import DataKey

ANSWERS = frozenset({"exchange.v1.HitReport"})
"""What a partner officer may send: answers to what came in."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReleased:
    """Why a draft goes to nobody: everything that is wrong, at once."""

    request_id: bytes
    officer: str
    problems: tuple[desk_service_pb2.Problem, ...]


def prepare(ports: Ports, person: str, draft: desk_service_pb2.Draft, reason: str) -> Prepared | NotReleased:
    """Make a draft ready for the sequencer. If one recipient cannot be told, nobody is: an officer released what the preview showed.

    Raises `NotPermitted` when the person may not release this at all.
    """
    officer = require(ports, person, (LIAISON, PARTNER_OFFICER))
    if LIAISON not in officer.roles and draft.alert_type not in ANSWERS:
        raise turned_away(ports, person, "ROLE_MISSING", "only a liaison officer releases alerts of this kind")
    now = ports.clock.now_ms()
    problems = [*check_release(draft, now)]
    if not reason.strip():
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
        return NotReleased(request_id=draft.request_id, officer=person, problems=tuple(problems))
    kind = alert_type(draft.alert_type)
    fragments = cut(draft.alert)
    decided = plan(draft, fragments, kind, ports.known, now)
    if decided.refused or not decided.planned:
        return NotReleased(request_id=draft.request_id, officer=person, problems=(*refusals(decided), *problems))
    try:
        return _seal(ports, officer, draft, kind, fragments, decided, reason, now)
    except ExchangeError as refused:
        return NotReleased(
            request_id=draft.request_id,
            officer=person,
            problems=(error(refused.code, "alert", str(refused), "shorten the alert, or mend what is named"),),
        )


def _seal(
    ports: Ports,
    officer: OfficerEntry,
    draft: desk_service_pb2.Draft,
    kind: AlertType,
    fragments: Mapping[int, bytes],
    decided: Plan,
    reason: str,
    now: int,
) -> Prepared:
    originator = agency_of(officer)
    salts = ports.entropy(SALT_SIZE * len(kind.numbers))
    envelope = Envelope(
        alert_id=uuid7(now, ports.entropy(10)),
        originator=originator,
        issued_at=now,
        not_after=0 if kind.control else draft.not_after,
        handling=draft.handling,
        training=ports.training,
        supersedes=tuple(draft.supersedes),
    )
    sealed = seal(kind, fragments, envelope, salts, ports.signers.statement[originator])
    entries = []
    for item in decided.planned:
        salt = ports.entropy(SALT)
        record = Authorisation(
            officer=str(officer.id),
            agency=originator,
            reason=reason.strip(),
            preview=decided.digest,
            at=now,
            assessment=item.assessment,
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
    content = pack_content(sealed.statement, sealed.openings.values())
    if len(content) > CAP_DELIVERY - CAP_ENTRY:
        # Later, when it has its place in a log, it could not be sent and would hold back all that follows.
        raise Malformed("DELIVERY_TOO_LARGE", "the alert as a whole is larger than the protocol carries")
    period = period_of(envelope.not_after, now)
    data_key = ports.vault.new_data_key(ports.store, period)
    alert = {
        "alert_id": envelope.alert_id,
        "digest": sealed.digest,
        "own": True,
        "alert_type": kind.name,
        "originator": originator,
        "issued_at": now,
        "not_after": envelope.not_after,
        "training": ports.training,
        "recorded_at": now,
        "arrives_at": first_arrival(kind, fragments),
        "state": "active",
        "period": period,
        "wrapped_key": data_key.wrapped,
        "sealed": data_key.seal(purpose_of_alert(envelope.alert_id), content),
        "request_id": draft.request_id,
    }
    return Prepared(
        request_id=draft.request_id,
        officer=str(officer.id),
        alert=alert,
        data_key=data_key,
        supersedes=tuple(draft.supersedes),
        in_reply_to=draft.in_reply_to,
        entries=tuple(entries),
    )
