"""What was withdrawn and attested is erased here: key, content and openings go, and every entry, root and receipt stays.

What is to go follows from what is stored, and `erase.finish` goes on wherever a crash left off: nothing is forgotten.
"""

from node.operations import erase
from node.ports import Ports
from node.store import alerts, purges

_WHY = "withdrawn by its originator, and the purge attested"


def purge_attested(ports: Ports, actor: str) -> list[bytes]:
    """Erase what every agency that was given it has attested without an exception; returns digests. Also called when a node starts.

    A legal hold puts it off. Raises `StoreFailed` (STORE_LOCKED) if a read keeps the database's journal from being emptied: what was
    destroyed is destroyed, and `erase.finish` goes on from there.
    """
    with ports.store.read() as tx:
        rows = list(alerts.by_ids(tx, purges.purgeable(tx)).values())
        if not rows:
            return []
    erase.intend(ports, actor, [row.id for row in rows], justification=_WHY)
    erase.finish(ports)
    with ports.store.read() as tx:
        return [row.digest for row in alerts.by_ids(tx, [row.id for row in rows]).values() if row.state == "erased"]
