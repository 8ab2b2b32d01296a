"""Which leave the originator of a received alert gave, and whether it still holds."""

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
