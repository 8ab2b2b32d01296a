"""Alarms about journals, one's own and partners': raised once, journalled when they are new, with both sides kept as evidence."""

from node.ports import Ports
from node.store.directory import raise_alarm
from node.store.journal import Event, Kind
from node.store.transaction import Transaction


def alarm(ports: Ports, tx: Transaction, code: str, *, origin: str, partner: str = "", evidence: bytes | None = None) -> bool:
    """Raise an alarm about a journal and say whether it is new. `partner` is whom it concerns; without one, this node itself."""
    now = ports.clock.now_ms()
    if not raise_alarm(tx, now, code, partner=partner or ports.trust_domain, origin=origin, evidence=evidence):
        return False
    ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALARM, ports.trust_domain, [Event(code=code, counterparty=partner, origin=origin)])
    return True
