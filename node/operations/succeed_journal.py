"""When the journal cannot go on: its successor, and the proof of how far the old one was signed (PROTOCOL.md, section 10).

After a restored backup the database holds less of the journal than was signed. No partner has a copy of the rest: its entries are lost
here, though what was signed, and what witnesses cosigned, stays true and says so. The successor's first entry names the ended journal and
how far this database holds it; the alarm keeps the signed note of how far it had been signed.
"""

from dataclasses import dataclass

from exchange.errors import ExchangeError, Refused
from node.operations.anchor import check_journal
from node.operations.journal_alarm import alarm
from node.ports import Ports
from node.store.errors import StoreFailed

_GENERATIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """Which journal ended, how many entries of it are here, how many had been signed (0 if that is unknown), and what follows it."""

    ended: str
    held: int
    signed: int
    successor: str
    code: str
    """Why: the code with which the old one was refused."""


def succeed_journal(ports: Ports) -> Succeeded:
    """Begin the successor of a journal that may not be signed any more. For a node that does not run.

    Raises `Refused` (JOURNAL_SOUND: the journal is the one that was signed, and goes on; HIGH_WATER_UNREADABLE: no successor's record can
    be read either, so nothing says which generations were signed).
    """
    try:
        check_journal(ports)
    except ExchangeError as refused:
        code = refused.code
    else:
        raise Refused("JOURNAL_SOUND", "the journal is the one that was signed: it goes on, and needs no successor")
    with ports.store.read() as tx:
        edge, ended = ports.journal.edge(tx), ports.journal.origin(tx)
    proof, mark = _signed(ports, ended)
    with ports.store.write() as tx:
        for _ in range(_GENERATIONS):
            ports.journal.succeed(tx, ports.clock.now_ms(), ports.trust_domain)
            successor = ports.journal.origin(tx)
            if not _was_signed(ports, successor):
                break
        else:
            raise Refused("HIGH_WATER_UNREADABLE", "the high-water directory cannot be read: bring it back first, empty if need be")
        alarm(ports, tx, code, origin=ended, evidence=proof)
    return Succeeded(ended=ended, held=edge.frontier.size, signed=mark, successor=successor, code=code)


def _signed(ports: Ports, origin: str) -> tuple[bytes | None, int]:
    try:
        mark = ports.high_water.get(origin)
        return ports.high_water.note(origin), mark.size if mark else 0
    except StoreFailed:
        return None, 0


def _was_signed(ports: Ports, origin: str) -> bool:
    # A restored database may lack a successor that was begun before: that one was signed, and cannot be begun a second time.
    try:
        return ports.high_water.get(origin) is not None
    except StoreFailed:
        return True
