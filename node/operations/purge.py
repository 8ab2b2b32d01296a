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
    emptied, so that no older copy of a page is left, and the deed is journalled. Raises `StoreFailed` (STORE_LOCKED) if a read keeps that
    journal from being emptied: what was destroyed is destroyed, and the next call goes on from there.
    """
    with ports.store.read() as tx:
        rows = list(alerts.by_ids(tx, purges.purgeable(tx)).values())
        if not rows:
            return []
        firsts = {first_of(tx, row.digest) for row in rows}
    references = [row.id for row in rows]
    intended = [Event(code="INTENDED", subject=row.digest) for row in rows if row.wrapped_key is not None]
    with ports.store.write() as tx:
        ports.journal.record(tx, ports.clock.now_ms(), _ERASURE, actor, intended)
    with ports.store.write() as tx:
        purges.destroy(tx, references)
        mis_hits.forget(tx, firsts)
    ports.store.empty_journal()
    with ports.store.write() as tx:
        purges.note_erased(tx, references)
        done = [Event(code="DONE", subject=row.digest) for row in rows]
        ports.journal.record(tx, ports.clock.now_ms(), _ERASURE, ports.trust_domain, done)
    return [row.digest for row in rows]
