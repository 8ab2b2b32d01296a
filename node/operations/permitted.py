"""What is passed on goes only under a permit that holds, and takes it along (PROTOCOL.md, sections 5 and 8)."""

from exchange.encoding import CAP_DELIVERY
from exchange.errors import ExchangeError, Refused
from exchange.onward import check_permit, open_permit
from exchange.signing import Verified
from exchange.v1 import disclosure_pb2, permit_pb2, statement_pb2
from exchange.v1.onward_pb2 import OnwardDecision
from exchange.values import PartyId, node_of
from node.ports import Known, Ports
from node.store import onward
from node.store.alerts import AlertRow
from node.store.transaction import Transaction

_DECISION = OnwardDecision.DESCRIPTOR.full_name


def verified_permit(known: Known, statement: statement_pb2.Statement | None, alert: AlertRow) -> Verified[permit_pb2.Permit]:
    """A permit of the agency that originated `alert`, about it.

    Raises `Refused` (PERMIT_MISSING, PERMIT_OTHER_ORIGINATOR, PERMIT_OTHER_MANIFEST), and as `open_permit`.
    """
    originator = known.nodes().get(PartyId.parse(alert.originator).trust_domain)
    if statement is None or originator is None:
        raise Refused("PERMIT_MISSING", "there is no permit for this here")
    permit = open_permit(statement, originator)
    if permit.value.originator != alert.originator:
        raise Refused("PERMIT_OTHER_ORIGINATOR", "the permit is not of the agency that originated the alert")
    if permit.value.manifest_digest != alert.digest:
        raise Refused("PERMIT_OTHER_MANIFEST", "the permit is about another manifest")
    return permit


def holds(ports: Ports, tx: Transaction, alert: AlertRow, digest: bytes, partner: str, now: int) -> bool:
    """Whether the permit of that digest still lets this node tell `partner` (a trust domain) of a received alert."""
    try:
        permit = verified_permit(ports.known, onward.find_permit(tx, digest), alert)
        check_permit(
            permit.value,
            manifest_digest=alert.digest,
            holder=str(node_of(ports.trust_domain)),
            third_party=str(node_of(partner)),
            recall=False,
            at=now,
        )
    except ExchangeError:
        return False
    return True


def attach(ports: Ports, tx: Transaction, delivery: disclosure_pb2.Delivery, entry: disclosure_pb2.Entry, alert: AlertRow) -> None:
    """Add what must go along: with what is passed on the permit and the originator's newest descriptor, with a grant of ours its permit."""
    digest = entry.permit_digest
    if alert.own and alert.alert_type == _DECISION:
        decision = onward.said_of(tx, alert.digest)
        digest = decision.permit if isinstance(decision, onward.DecisionRow) else b""
    permit = onward.find_permit(tx, digest) if digest else None
    if permit is None:
        return
    delivery.attached.append(permit)
    originator = None if alert.own else ports.known.nodes().get(PartyId.parse(alert.originator).trust_domain)
    # Recipients judge by the descriptor that they pin, so one that does not fit is left out rather than hold up the log.
    if originator is not None and delivery.ByteSize() + originator.chain[-1].ByteSize() + 16 <= CAP_DELIVERY:
        delivery.attached.append(originator.chain[-1])
