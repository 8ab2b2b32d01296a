"""Which leave the originator of a received alert gave, and whether it still holds."""

from exchange.errors import ExchangeError
from exchange.onward import check_permit
from exchange.values import node_of
from node.operations.permitted import verified_permit
from node.ports import Ports
from node.store import onward
from node.store.alerts import AlertRow
from node.store.onward import DecisionRow
from node.store.transaction import Transaction


def judicial_leave(tx: Transaction, alert: AlertRow, agency: str, now: int) -> DecisionRow | None:
    """The originator's decision that lets `agency` use an alert in court at `now`; the one that holds longest, or None."""
    found = None
    for asked in onward.requests_about(tx, alert.digest):
        if asked.own and asked.judicial and asked.asker == agency:
            decided = onward.decision_on(tx, asked.request, alert.originator)
            if decided is not None and decided.granted and now < decided.until and (found is None or decided.until > found.until):
                found = decided
    return found


def leave_within(ports: Ports, tx: Transaction, alert: AlertRow, desk: str, agency: str, purpose: int, now: int) -> frozenset[int]:
    """The fields of an alert under H2 that its originator lets `desk` tell `agency`, of its own country, for that purpose at `now`."""
    country = str(node_of(ports.trust_domain))
    found: set[int] = set()
    for asked in onward.requests_about(tx, alert.digest):
        if not asked.own or asked.judicial or asked.asker != desk or asked.third_party not in {agency, country}:
            continue
        decided = onward.decision_on(tx, asked.request, alert.originator)
        statement = onward.find_permit(tx, decided.permit) if decided is not None else None
        try:
            permit = verified_permit(ports.known, statement, alert).value
            check_permit(permit, manifest_digest=alert.digest, holder=country, third_party=country, recall=False, at=now)
        except ExchangeError:
            continue
        if permit.purpose == purpose:
            found |= set(permit.fields)
    return frozenset(found)
