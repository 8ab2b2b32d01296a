"""Who did what and why, read inside the node for a comparison or a register: never handed on as it is."""

from collections.abc import Iterator

from exchange.journal import SALT_SIZE, journal_origin
from exchange.v1.journal_pb2 import JournalAccountability
from node.ports import Ports
from node.store.journal import ACCOUNTABILITY, JournalRow
from node.store.journal_queries import generations

_CHUNK = 500


def accountabilities(ports: Ports, since: int, until: int) -> Iterator[tuple[str, JournalRow, JournalAccountability]]:
    """(origin, entry, record) of the entries from `since` up to `until`, Unix milliseconds, whose record is kept.

    Of every journal that this node began, oldest first: an audit does not end where a restored backup made a successor necessary. Each
    chunk is read in a transaction of its own, so that a long look holds nothing back. Raises `StoreFailed` (VAULT_TAMPERED).
    """
    with ports.store.read() as tx:
        began = generations(tx)
    for generation in began:
        origin = journal_origin(ports.trust_domain, generation)
        for row, salted in _of_generation(ports, generation):
            if since <= row.at < until:
                yield origin, row, JournalAccountability.FromString(salted[SALT_SIZE:])


def _of_generation(ports: Ports, generation: int) -> Iterator[tuple[JournalRow, bytes]]:
    start = 0
    while True:
        with ports.store.read() as tx:
            found = ports.journal.details(tx, ACCOUNTABILITY, start, _CHUNK, generation=generation)
        yield from found
        if len(found) < _CHUNK:
            return
        start = found[-1][0].idx + 1
