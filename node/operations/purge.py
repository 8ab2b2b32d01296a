"""What was withdrawn and attested is erased here: key, content and openings go, and every entry, root and receipt stays.

What is to go follows from what is stored, so a crash loses nothing: `purge_attested` goes on wherever it left off.
"""

from node.operations.reach import first_of
from node.ports import Ports
from node.store import alerts, mis_hits, purges
from node.store.journal import Event, Kind

_ERASURE = Kind.JOURNAL_KIND_ERASURE


def purge_attested(ports: Ports, actor: str) -> list[bytes]:
    """Erase what every agency that was given it has attested without an exception; returns digests. Also called when a node starts.

    Three steps, each durable before the next: the intent is journalled; keys and sealed values are destroyed; the database's own journal is
    emptied, so that no older copy of a page is left, and the deed is journalled.
    """
    with ports.store.read() as tx:
        rows = list(alerts.by_ids(tx, purges.purgeable(tx)).values())
        if not rows:
            return []
        firsts = {first_of(tx, row.digest) for row in rows}
    digests = [row.digest for row in rows]
    with ports.store.write() as tx:
        ports.journal.record(tx, ports.clock.now_ms(), _ERASURE, actor, [Event(code="INTENDED", subject=digest) for digest in digests])
    with ports.store.write() as tx:
        purges.destroy(tx, [row.id for row in rows])
        mis_hits.forget(tx, firsts)
    ports.store.empty_journal()
    with ports.store.write() as tx:
        events = [Event(code="DONE", subject=digest) for digest in digests]
        ports.journal.record(tx, ports.clock.now_ms(), _ERASURE, ports.trust_domain, events)
    return digests
