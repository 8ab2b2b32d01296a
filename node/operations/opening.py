"""What changed while the node was not running: its roster and its keys, recorded before the doors open."""

from exchange.signing import statement_digest
from node.operations.officers import acting
from node.ports import Ports
from node.store.journal import Acting, Event, Kind
from node.store.roster import held_roster, put_roster
from node.store.transaction import Transaction


def note_changes(ports: Ports) -> None:
    """Record every person who was added, removed or given other roles since the last start, and a new descriptor of our own."""
    roster = acting(ports.officers)
    digest = statement_digest(ports.known.own.chain[-1])
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        before = held_roster(tx)
        for person in sorted(before.keys() | roster.keys()):
            if before.get(person) != roster.get(person):
                _note_person(ports, tx, now, person, before.get(person), roster.get(person))
        put_roster(tx, roster)
        if not ports.journal.says(tx, Kind.JOURNAL_KIND_KEY, digest):
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_KEY, ports.trust_domain, [Event(code="DESCRIPTOR", subject=digest)])


def _note_person(ports: Ports, tx: Transaction, now: int, person: str, before: Acting | None, after: Acting | None) -> None:
    code = "ADDED" if before is None else "REMOVED" if after is None else "CHANGED"
    ports.journal.record(tx, now, Kind.JOURNAL_KIND_ACCESS, person, [Event(code=code)], acting=after or before)
