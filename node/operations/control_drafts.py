"""Control alerts that an officer wrote as a file: a refusal, or a recall or attestation of exactly one manifest.

The verbs (`withdraw`, `correct`, `attest` and so on) recall an alert under all its manifests; a file names one, and is refused where
that would leave the others standing.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from google.protobuf.message import Message

from exchange.encoding import cut
from exchange.profile import alert_type, alert_types
from exchange.v1 import desk_service_pb2
from exchange.v1.control_pb2 import PURGE_EXCEPTION_PASSED_ON, PurgeAttestation, Refusal
from node.intake.completeness import check_draft, check_release
from node.intake.problems import error, refuses
from node.operations import preview, release
from node.operations.attest import answered_to, owes
from node.operations.confirm_purge import unconfirmed
from node.operations.control import Guard, Order, issuer_for, prepare_control
from node.operations.inbox import DESK, given_to
from node.operations.officers import LIAISON, agency_of, require
from node.operations.onward_reach import passed_on_by
from node.operations.reach import Holders, audiences, lineage, tellings
from node.operations.recall import request_problems, standing_problem
from node.operations.recalled import kind_of
from node.operations.release import NotReleased, Prepared
from node.operations.request_rules import reply_problem
from node.ports import Known, Ports
from node.store import alerts
from node.store.alerts import AlertRow
from node.store.recalls import RecallKind
from node.store.transaction import Transaction

_ANSWERS: Final = (Refusal, PurgeAttestation)


def prepare_all(
    ports: Ports, person: str, drafts: Sequence[desk_service_pb2.Draft], reason: str, *, urgent: bool = False
) -> list[Prepared | NotReleased]:
    """Make drafts of any type ready for the sequencer, each answered in its place; `urgent` as in `release.prepare_all`.

    Raises `NotPermitted`.
    """
    known = alert_types()
    control = [draft.alert_type in known and known[draft.alert_type].control for draft in drafts]
    ordinary = [draft for draft, one in zip(drafts, control, strict=True) if not one]
    items = iter(release.prepare_all(ports, person, ordinary, reason, urgent=urgent) if ordinary else ())
    prepared = [_prepare(ports, person, draft, reason) if one else next(items) for draft, one in zip(drafts, control, strict=True)]
    return [replace(item, urgent=True) if urgent and isinstance(item, Prepared) else item for item in prepared]


def _prepare(ports: Ports, person: str, draft: desk_service_pb2.Draft, reason: str) -> Prepared | NotReleased:
    kind = alert_type(draft.alert_type)
    roles = DESK if kind.message in _ANSWERS else (LIAISON,)
    agency = agency_of(require(ports, person, roles))
    issuer = issuer_for(ports, person, roles, in_node_name=False)
    problems = [*check_release(draft, ports.clock.now_ms()), *request_problems(draft.request_id, reason)]
    problems += [issuer] if isinstance(issuer, desk_service_pb2.Problem) else []
    if refuses(problems) or isinstance(issuer, desk_service_pb2.Problem):
        return NotReleased(request_id=draft.request_id, officer=person, problems=tuple(problems))
    message: Any = kind.message.FromString(draft.alert)
    found = _addressed(ports, draft, message, agency)
    if isinstance(found, desk_service_pb2.Problem):
        return NotReleased(request_id=draft.request_id, officer=person, problems=(found, *problems))
    order = Order(
        request_id=draft.request_id,
        alert=message,
        about=message.manifest_digest,
        thread=draft.thread or message.manifest_digest,
        to=found,
        reason=reason,
    )
    return prepare_control(ports, issuer, order, _guard(ports, message, agency, found))


def preview_draft(ports: Ports, person: str, draft: desk_service_pb2.Draft) -> desk_service_pb2.PreviewAlertResponse:
    """Show what each recipient of a draft of any type would see: of a control alert, everybody whom it must reach, and all of it."""
    kind = alert_types().get(draft.alert_type)
    if kind is None or not kind.control:
        return preview.preview(ports, person, draft)
    agency = agency_of(require(ports, person, DESK))
    problems = list(check_draft(draft, ports.clock.now_ms()))
    if any(problem.field in {"type", "alert"} for problem in problems):
        return desk_service_pb2.PreviewAlertResponse(problems=problems)
    message = kind.message.FromString(draft.alert)
    found = _addressed(ports, draft, message, agency)
    with ports.store.read() as tx:
        problems += [problem for problem in [reply_problem(ports, tx, message, agency)] if problem]
    if isinstance(found, desk_service_pb2.Problem):
        return desk_service_pb2.PreviewAlertResponse(problems=[found, *problems])
    present = cut(draft.alert)
    known, unknown = desk_service_pb2.VISIBILITY_SHOWN, desk_service_pb2.VISIBILITY_SHOWN_NOT_KNOWN
    fields = [
        desk_service_pb2.FieldPreview(
            field=field.number, name=field.name, category=field.category, visibility=known if field.number in present else unknown
        )
        for field in kind.fields
    ]
    recipients = [
        desk_service_pb2.RecipientPreview(recipient=recipient, fields=fields, view=draft.alert) for recipient in sorted(_agencies(found))
    ]
    return desk_service_pb2.PreviewAlertResponse(recipients=recipients, problems=problems)


def _addressed(ports: Ports, draft: desk_service_pb2.Draft, message: Any, agency: str) -> Holders | desk_service_pb2.Problem:
    """Whom a control alert must reach; or why it cannot go."""
    with ports.store.read() as tx:
        row = alerts.by_digests(tx, {message.manifest_digest}).get(message.manifest_digest)
        answers = isinstance(message, _ANSWERS)
        found = _answer(ports.known, tx, row, message, agency) if answers else _recall(tx, row, message, agency)
    if not isinstance(found, desk_service_pb2.Problem) and draft.recipients and set(draft.recipients) != _agencies(found):
        remedy = "leave recipients out: the node knows from its logs whom this must reach"
        return error("REACH_DIFFERS", "recipients", "these are not exactly those whom this must reach", remedy)
    return found


def _answer(known: Known, tx: Transaction, row: AlertRow | None, message: Message, agency: str) -> Holders | desk_service_pb2.Problem:
    """To whom a refusal or an attestation goes: to the agency that originated the alert, and to whoever passed it on to us."""
    given = given_to(tx, row, agency) if row is not None else []
    if row is None or not given:
        return _unknown()
    if isinstance(message, PurgeAttestation) and not owes(tx, row, agency):
        return error("NOTHING_TO_ATTEST", "alert", "your agency owes no attestation for this alert", "see: exchange inbox list")
    if isinstance(message, PurgeAttestation) and (waiting := unconfirmed(tx, row, agency, list(message.exceptions))):
        return waiting[0]
    open_abroad = isinstance(message, PurgeAttestation) and (message.on_behalf_of or PURGE_EXCEPTION_PASSED_ON in message.exceptions)
    if open_abroad or (isinstance(message, PurgeAttestation) and passed_on_by(tx, row.digest, agency)):
        remedy = "exchange inbox attest speaks for the third country as well"
        return error("ATTEST_BY_VERB", "alert", "what was passed on is not attested by a file", remedy)
    return answered_to(known, row, given)


def _recall(tx: Transaction, row: AlertRow | None, message: Message, agency: str) -> Holders | desk_service_pb2.Problem:
    """Whom a recall of one manifest must reach; or why a verb is needed instead."""
    if row is None or not row.own or row.originator != agency:
        return _unknown()
    kind = kind_of(message) or RecallKind.CORRECTION
    if problem := standing_problem(row, kind, again=False):
        return problem
    told = tellings(tx, row)
    if not told:
        return error("NOBODY_TOLD", "alert", "nobody was ever told of this alert", "there is nobody to recall it from")
    if len(lineage(tx, row)) > 1:
        remedy = "exchange alert withdraw, restrict or correct reaches everybody under all of them"
        return error("RECALL_BY_VERB", "alert.manifest_digest", "this alert was told under several manifests", remedy)
    return audiences(told)


def _guard(ports: Ports, message: Any, agency: str, to: Holders) -> Guard:
    """The same question again, in the transaction that logs it."""

    def guard(tx: Transaction) -> desk_service_pb2.Problem | None:
        row = alerts.by_digests(tx, {message.manifest_digest}).get(message.manifest_digest)
        answers = isinstance(message, _ANSWERS)
        found = _answer(ports.known, tx, row, message, agency) if answers else _recall(tx, row, message, agency)
        if isinstance(found, desk_service_pb2.Problem):
            return found
        if problem := reply_problem(ports, tx, message, agency):
            return problem
        return None if found == to else error("REACH_CHANGED", "alert", "somebody was told meanwhile", "ask again")

    return guard


def _unknown() -> desk_service_pb2.Problem:
    remedy = "name the digest of an alert of yours, or of one that came for your agency"
    return error("REFERENT_UNKNOWN", "alert.manifest_digest", "there is no such alert for you here", remedy)


def _agencies(to: Holders) -> set[str]:
    return {agency for agencies in to.values() for agency in agencies}
