"""What became of the agency's own alerts and needs somebody: refusals by receipt, and attestations that partners still owe."""

from collections.abc import Iterable

from exchange.v1 import desk_service_pb2
from exchange.v1.receipt_pb2 import ExceptionCode
from node.intake.fields import enum_prefix
from node.notify.plan import Term
from node.operations.officers import LIAISON
from node.operations.owing import attestation_term, attestations_owed
from node.operations.work_item import Viewer, WorkItem
from node.ports import Ports
from node.store import recalls, work
from node.store.recalls import RecallKind
from node.store.transaction import Transaction


def refusals_to_read(_ports: Ports, tx: Transaction, viewer: Viewer, _now: int) -> Iterable[WorkItem]:
    """Disclosures that a recipient's receipt excepted, until somebody of the agency has looked what became of the alert."""
    if not viewer.may(LIAISON):
        return
    for one in work.refused(tx, viewer.agency, viewer.at_most):
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_REFUSAL_TO_READ,
            reference=one.digest,
            counterparty=one.partner,
            term=Term(raised_at=one.at),
            detail=_code(one.code),
            command=f"exchange alert status {one.digest.hex()[:12]}",
        )


def attestations_to_come(ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """Attestations that partners' agencies owe for what this agency withdrew; from half of their time on somebody should ask."""
    if not viewer.may(LIAISON):
        return
    for owed in attestations_owed(ports, tx):
        if owed.manifest.originator != viewer.agency:
            continue
        first = next(
            one for one in recalls.recalls_of(tx, {owed.manifest.digest}) if one.own and one.kind is RecallKind.WITHDRAWAL
        )  # it is owed for that one
        term = attestation_term(first)
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_ATTESTATION_TO_COME,
            reference=owed.manifest.digest,
            counterparty=owed.agency,
            term=term,
            later=now < (term.remind_at or 0),
            command=f"exchange alert status {owed.manifest.digest.hex()[:12]}",
        )


def _code(number: int) -> str:
    known = ExceptionCode.DESCRIPTOR.values_by_number.get(number)
    return known.name.removeprefix(enum_prefix(ExceptionCode.DESCRIPTOR)) if known else f"UNKNOWN_{number}"
