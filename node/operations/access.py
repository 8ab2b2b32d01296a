"""That somebody looked: recorded durably before they see anything. Reading itself never waits for the store's writing turn."""

from node.ports import Ports
from node.store.journal import Event, Kind


def note_access(ports: Ports, kind: Kind.ValueType, person: str, *events: Event) -> None:
    """Record what `person` consulted, reviewed or exported. Returns once it is durable: show nothing before."""
    with ports.store.write() as tx:
        ports.journal.record(tx, ports.clock.now_ms(), kind, person, events)
