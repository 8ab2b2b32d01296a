"""That somebody looked: recorded durably before they see anything. Reading itself never waits for the store's writing turn."""

from node.ports import Ports
from node.store.journal import Event, journal


def note_access(ports: Ports, kind: Event, person: str, subject: str, what: str) -> None:
    """Record that `person` consulted, reviewed or exported `what` about `subject` (a digest, an origin, an agency, a trust domain)."""
    with ports.store.write() as tx:
        journal(tx, ports.clock.now_ms(), kind, person, [(subject, what)])
