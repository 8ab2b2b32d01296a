"""Withdraw an alert, restrict it, or lift a restriction, towards everybody who was ever told any of it (PROTOCOL.md, section 7).

There is one control alert for each manifest of the alert that was told and is not yet recalled so, to exactly those who were told of that
manifest: whoever holds only an older one is reached as well. Who these are is decided anew in the transaction that logs it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from google.protobuf.message import Message

from exchange.errors import Unverified
from exchange.profile import alert_types
from exchange.v1 import desk_service_pb2
from exchange.v1.control_pb2 import Restriction, Withdrawal
from exchange.values import node_of
from node.confirmations import Confirmation, check_confirmation, check_subject
from node.intake.problems import error
from node.operations.control import Guard, Issuer, Order, issuer_for, prepare_control, request_ids
from node.operations.officers import ADMINISTRATOR, LIAISON, agency_of, require
from node.operations.reach import Holders, audiences, holders, lineage, tellings, withdrawn
from node.operations.release import NotReleased, Prepared
from node.operations.sequence import NOT_ALONE, answer_again
from node.ports import Ports
from node.store import alerts, recalls
from node.store.alerts import AlertRow
from node.store.envelope import DAY_MS
from node.store.recalls import RecallKind
from node.store.transaction import Transaction

ATTEST_WITHIN_DAYS: Final = 7
ATTEST_WITHIN_AT_MOST: Final = 90
LINEAGE_AT_MOST: Final = 33
"""Manifests of one alert: one, and the 32 that it may supersede."""
_CHANGED: Final = "REACH_CHANGED"
_ATTEMPTS: Final = 5

Item = Prepared | NotReleased
Release = Callable[[Sequence[Item]], list[desk_service_pb2.PublishedAlert]]
"""Gives releases of one request their places, all in one transaction."""
_KINDS: Final = {
    desk_service_pb2.RECALL_KIND_WITHDRAWAL: RecallKind.WITHDRAWAL,
    desk_service_pb2.RECALL_KIND_RESTRICTION: RecallKind.RESTRICTION,
    desk_service_pb2.RECALL_KIND_LIFTING: RecallKind.LIFTING,
}


def recall_alert(
    ports: Ports,
    person: str,
    request: desk_service_pb2.RecallAlertRequest,
    release: Release,
    confirmation: Confirmation | None = None,
) -> desk_service_pb2.RecallAlertResponse:
    """Recall an alert of the caller's agency, or in the node's name any of this country's; `release` gives it its places.

    What was confirmed reaches exactly those whom the confirmation names, or nobody (REACH_CHANGED).
    The same request again answers as the first time, while what it did still holds. Raises `NotPermitted`, and `NotFound` as `alerts.find`.
    """
    officer = require(ports, person, (ADMINISTRATOR,) if request.in_node_name else (LIAISON,))
    issuer = issuer_for(ports, person, (LIAISON,), in_node_name=request.in_node_name)
    if isinstance(issuer, Issuer):
        issuer = replace(issuer, confirmation=confirmation)
    originator = None if request.in_node_name else agency_of(officer)
    answers: list[desk_service_pb2.PublishedAlert] = []
    for _ in range(_ATTEMPTS):
        with ports.store.read() as tx:
            row = alerts.find(tx, request.alert, originator=originator)
            again = answered_before(tx, request.request_id, originator or str(node_of(ports.trust_domain)))
            undone = _undone(request, lineage(tx, row)[-1]) if again else None
            if again and undone is None:
                return desk_service_pb2.RecallAlertResponse(controls=again, waiting=waiting_for(tx, again))
            items = (
                [NotReleased(request_id=request.request_id, officer=person, problems=(undone,))]
                if undone
                else _prepared(ports, tx, person, issuer, request, row)
            )
        answers = release(as_confirmed(items, confirmation))
        # Somebody was told meanwhile: whoever that is must be reached too.
        if confirmation or not any(problem.code == _CHANGED for answer in answers for problem in answer.problems):
            break
    controls = without_followers(answers)
    with ports.store.read() as tx:
        return desk_service_pb2.RecallAlertResponse(controls=controls, waiting=waiting_for(tx, controls))


def as_confirmed(items: Sequence[Item], confirmation: Confirmation | None) -> Sequence[Item]:
    """The same, or that they reach others than was confirmed."""
    if confirmation is None:
        return items
    said = check_confirmation(confirmation).said
    try:
        for item in items:
            for one in item.entries if isinstance(item, Prepared) else ():
                check_subject(said, one.entry)
    except Unverified:
        problem = error(_CHANGED, "alert", "somebody was told meanwhile", "look again at whom it reaches")
        return [NotReleased(request_id=items[0].request_id, officer=items[0].officer, problems=(problem,))]
    return items


def without_followers(answers: Sequence[desk_service_pb2.PublishedAlert]) -> list[desk_service_pb2.PublishedAlert]:
    """The answers without those of releases that only fell away with another, which says why."""
    return [answer for answer in answers if all(problem.code != NOT_ALONE for problem in answer.problems)]


def answered_before(tx: Transaction, base: bytes, party: str) -> list[desk_service_pb2.PublishedAlert]:
    """The answers to a request that `party` released before; empty for a new one, and for one of somebody else."""
    found = alerts.by_requests(tx, request_ids(base, LINEAGE_AT_MOST))
    mine = [(row.id, request_id, row) for request_id, row in found.items() if row.originator == party]
    return [answer_again(tx, request_id, row) for _, request_id, row in sorted(mine)]


def waiting_for(tx: Transaction, controls: Sequence[desk_service_pb2.PublishedAlert]) -> list[str]:
    """Partners that some of these control alerts have not reached, because the logs towards them are stopped."""
    digests = {control.manifest_digest for control in controls}
    return sorted({partner for digest, partner in recalls.all_untold(tx) if digest in digests})


def standing_problem(row: AlertRow, kind: RecallKind, *, again: bool) -> desk_service_pb2.Problem | None:
    """Why an alert in that state cannot be recalled so; `again` issues a live withdrawal anew, as when its key was stolen."""
    if row.state == "withdrawn" and not (again and kind is RecallKind.WITHDRAWAL):
        return withdrawn()
    if kind is RecallKind.RESTRICTION and row.state == "restricted":
        return error("ALERT_RESTRICTED", "alert", "this alert is restricted already", "lift it, or withdraw it")
    if kind is RecallKind.LIFTING and row.state != "restricted":
        return error("ALERT_NOT_RESTRICTED", "alert", "this alert is not restricted", "there is nothing to lift")
    return None


def done_before(message: str) -> desk_service_pb2.Problem:
    """The problem of a request that was answered once, and whose answer would now be read as what is not so any more."""
    return error("DONE_BEFORE", "alert", message, "look first: exchange alert status; to mean it anew: --again")


def _undone(request: desk_service_pb2.RecallAlertRequest, newest: AlertRow) -> desk_service_pb2.Problem | None:
    """Why the first answer would mislead: what was restricted and lifted since is not restricted by saying so once more."""
    if request.kind == desk_service_pb2.RECALL_KIND_WITHDRAWAL:
        return None
    if newest.state == "withdrawn":
        return withdrawn()
    restricted = newest.state == "restricted"
    if request.kind == desk_service_pb2.RECALL_KIND_RESTRICTION and not restricted:
        return done_before("this restricted the alert before, and it is not restricted any more")
    if request.kind == desk_service_pb2.RECALL_KIND_LIFTING and restricted:
        return done_before("this lifted a restriction before, and the alert was restricted anew since")
    return None


def _prepared(
    ports: Ports,
    tx: Transaction,
    person: str,
    issuer: Issuer | desk_service_pb2.Problem,
    request: desk_service_pb2.RecallAlertRequest,
    row: AlertRow,
) -> list[Item]:
    problems = request_problems(request.request_id, request.reason)
    kind = _KINDS.get(request.kind)
    if kind is None or not _has_reason(request, kind):
        problems.append(error("REASON_CODE", "code", "it is not said for which coded reason", "write --code"))
    if request.attest_within_days > ATTEST_WITHIN_AT_MOST:
        problems.append(error("ATTEST_WITHIN", "within", "an attestation is due within 90 days at most", "write fewer days"))
    line = lineage(tx, row)
    if alert_types()[row.alert_type].control:
        problems.append(error("CONTROL_ALERT", "alert", "a recall or an answer is not recalled itself", "name the alert that it is about"))
    again = request.in_node_name
    if kind is not None and (problem := standing_problem(line[-1], kind, again=again)):
        problems.append(problem)
    if isinstance(issuer, desk_service_pb2.Problem):
        problems.append(issuer)
    if problems or kind is None or isinstance(issuer, desk_service_pb2.Problem):
        return [NotReleased(request_id=request.request_id, officer=person, problems=tuple(problems))]
    concerned = [one for one in line if standing_problem(one, kind, again=again) is None]
    told = {one.digest: tellings(tx, one) for one in concerned}
    concerned = [one for one in concerned if told[one.digest]]
    if not concerned:
        problem = error("NOBODY_TOLD", "alert", "nobody was ever told of this alert", "there is nobody to recall it from")
        return [NotReleased(request_id=request.request_id, officer=person, problems=(problem,))]
    ids = request_ids(request.request_id, LINEAGE_AT_MOST)
    until = ports.clock.now_ms() + (request.attest_within_days or ATTEST_WITHIN_DAYS) * DAY_MS
    items: list[Item] = []
    for place, one in enumerate(concerned):
        first = told[one.digest][0].entry
        to = audiences(told[one.digest])
        order = Order(
            request_id=ids[place],
            alert=_message(request, kind, one.digest, until),
            about=one.digest,
            thread=first.thread or one.digest,
            to=to,
            reason=request.reason,
            only_with=ids[0] if place else b"",
        )
        items.append(prepare_control(ports, issuer, order, _unchanged(one, line[-1], to)))
    return items


def request_problems(request_id: bytes, reason: str) -> list[desk_service_pb2.Problem]:
    """What every request must have: an id that makes it harmless to ask again, and a reason for the auditors."""
    problems = []
    if not reason.strip():
        problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary: --reason"))
    if len(request_id) != 16:
        problems.append(error("REQUEST_ID", "request_id", "the request id is not 16 bytes", "use the exchange command line"))
    return problems


def _unchanged(row: AlertRow, newest: AlertRow, to: Holders) -> Guard:
    """Still the newest manifest of its alert, and told to nobody else."""

    def guard(tx: Transaction) -> desk_service_pb2.Problem | None:
        same = lineage(tx, row)[-1].digest == newest.digest and holders(tx, row) == to
        return None if same else error(_CHANGED, "alert", "somebody was told meanwhile", "ask again")

    return guard


def _has_reason(request: desk_service_pb2.RecallAlertRequest, kind: RecallKind) -> bool:
    if kind is RecallKind.WITHDRAWAL:
        return bool(request.withdrawal_reason)
    return kind is RecallKind.LIFTING or bool(request.restriction_reason)


def _message(request: desk_service_pb2.RecallAlertRequest, kind: RecallKind, about: bytes, attest_by: int) -> Message:
    if kind is RecallKind.WITHDRAWAL:
        return Withdrawal(manifest_digest=about, reason=request.withdrawal_reason, attest_by=attest_by)
    lifted = kind is RecallKind.LIFTING
    return Restriction(manifest_digest=about, reason=request.restriction_reason or None, lifted=lifted)
