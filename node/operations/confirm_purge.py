"""An agency that was told inside the country confirms its purge: to its desk, which may attest abroad only then (docs/national.md)."""

from dataclasses import replace
from typing import Final

from exchange.v1 import control_pb2, desk_service_pb2
from node.intake.problems import error
from node.operations.inbox import DESK
from node.operations.inside import exceptions_of, standing_of, waiting_inside
from node.operations.inside_reports import desk_of
from node.operations.officers import agency_of, require
from node.operations.reach import lineage
from node.ports import Ports
from node.store import alerts, inside
from node.store.alerts import AlertRow
from node.store.inside import PurgeRow
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

_PREFIX: Final = "PURGE_EXCEPTION_"


def confirm_purge(ports: Ports, person: str, request: desk_service_pb2.ConfirmPurgeRequest) -> desk_service_pb2.ConfirmPurgeResponse:
    """Confirm the purge of a withdrawn alert, under each manifest of it that the caller's agency was told.

    It stays inside the country. What was confirmed with an exception may be confirmed again without. Raises `NotFound` as `alerts.find`.
    """
    agency = agency_of(require(ports, person, DESK))
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        alert = alerts.find(tx, request.alert, told=agency)
        owed = [row for row in lineage(tx, alert) if _owes(tx, row, agency, now)]
        problems = _problems(ports, request, owed)
        if problems:
            events = [Event(code=code, subject=alert.digest) for code in sorted({one.code for one in problems})]
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_REFUSAL, person, events)
            return desk_service_pb2.ConfirmPurgeResponse(problems=problems)
        purge = PurgeRow(
            alert_ref=0,
            agency=agency,
            at=now,
            copies_removed=request.copies_removed,
            lists_updated=request.local_lists_updated,
            exceptions=",".join(control_pb2.PurgeException.Name(one).removeprefix(_PREFIX) for one in sorted(set(request.exceptions))),
        )
        why = request.reason.strip()
        for row in owed:
            inside.confirm(tx, replace(purge, alert_ref=row.id))
            event = Event(code="ATTESTED", subject=row.digest, counterparty=desk_of(tx, row, agency), justification=why)
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALTERATION, person, [event])
    return desk_service_pb2.ConfirmPurgeResponse(confirmed=[row.digest for row in owed])


def unconfirmed(
    tx: Transaction, alert: AlertRow, desk: str, exceptions: "list[control_pb2.PurgeException.ValueType]"
) -> list[desk_service_pb2.Problem]:
    """Why `desk` cannot attest the purge of an alert yet: an agency that it told has not confirmed, or keeps something.

    The coded exceptions of the attestation answer for both: then the originator knows that something stays, and on what ground.
    """
    problems = []
    for agency, said in waiting_inside(tx, alert, desk).items():
        if said is None and not exceptions:
            remedy = "wait for its confirmation (exchange distribution confirm-purge there), or name a ground: --exception"
            problems.append(error("INSIDE_NOT_PURGED", f"agencies[{agency}]", "this agency has not confirmed its purge", remedy))
        elif not set(exceptions_of(said)) <= set(exceptions):
            remedy = "name its ground too: --exception; see exchange distribution list"
            problems.append(error("INSIDE_EXCEPTION", f"agencies[{agency}]", "this agency keeps something, on a ground", remedy))
    return problems


def _owes(tx: Transaction, row: AlertRow, agency: str, now: int) -> bool:
    standing = standing_of(tx, row, agency, now)
    said = inside.purges_of(tx, [row.id]).get((row.id, agency))
    withdrawn = row.state == "withdrawn"
    return standing.inside and (standing.owes_attestation or (withdrawn and said is not None and bool(said.exceptions)))


def _problems(ports: Ports, request: desk_service_pb2.ConfirmPurgeRequest, owed: list[AlertRow]) -> list[desk_service_pb2.Problem]:
    problems = []
    if not owed:
        remedy = "it is owed after a withdrawal, once (exchange inbox list shows PURGE_OWED)"
        problems.append(error("NOTHING_TO_CONFIRM", "alert", "your agency owes its desk no confirmation for this alert", remedy))
    if not (request.local_lists_updated or request.exceptions):
        remedy = "do it first, then say --lists-updated; or say on what ground something stays: --exception"
        problems.append(error("LISTS_NOT_UPDATED", "lists_updated", "it is not said that local lists are updated", remedy))
    if not set(request.exceptions) <= set(control_pb2.PurgeException.values()) - {0}:
        problems.append(error("EXCEPTION_UNKNOWN", "exceptions", "an exception has a coded ground", "name one that there is"))
    if ports.justification_mandatory and not request.reason.strip():
        problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary: --reason"))
    return problems
