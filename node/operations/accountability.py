"""Who did what and why, read inside the node for a comparison or a register: never handed on as it is."""

from collections.abc import Iterator

from exchange.journal import SALT_SIZE, journal_origin
from exchange.v1.journal_pb2 import JournalAccountability
from node.ports import Ports
from node.store.journal import ACCOUNTABILITY, JournalRow

_CHUNK = 500


def accountabilities(ports: Ports, since: int, until: int) -> Iterator[tuple[str, JournalRow, JournalAccountability]]:
    """(origin, entry, record) of the newest journal's entries from `since` up to `until`, Unix milliseconds, whose record is kept.

    Each chunk is read in a transaction of its own, so that a long look holds nothing back. Raises `StoreFailed` (VAULT_TAMPERED).
    """
    start = 0
    while True:
        with ports.store.read() as tx:
            generation = ports.journal.edge(tx).generation
            found = ports.journal.details(tx, ACCOUNTABILITY, start, _CHUNK, generation=generation)
        for row, salted in found:
            if since <= row.at < until:
                yield journal_origin(ports.trust_domain, generation), row, JournalAccountability.FromString(salted[SALT_SIZE:])
        if len(found) < _CHUNK:
            return
        start = found[-1][0].idx + 1
