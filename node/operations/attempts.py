"""Attempts to deliver that ended without a receipt: the third starts statutory clocks (PROTOCOL.md, section 5).

Partners fetch what is for them, so an attempt failed if no stream of the partner's was there for entries that wait, or if one ended on
which they were sent. Nothing is written per alert, nor while everything gets its receipt: a row for a log and a moment, at most three for
any size of the log.
"""

from typing import Final

from exchange.v1 import disclosure_pb2
from node.ports import Ports
from node.store import logs
from node.store.logs import LogRow
from node.store.requests import STARTS_A_CLOCK, attempts_above, attempts_since, note_attempt, replace_attempts
from node.store.transaction import Transaction

APART: Final = 600_000
"""Milliseconds at least between two attempts: a stream that breaks three times within a second was one attempt."""
_LARGEST: Final = 2**62
"""Size of a log that the store can hold."""
IN_STATE: Final = 1_000
"""Attempts that a State tells of at most."""


def note_waiting(ports: Ports) -> None:
    """Note an attempt for each partner that no stream is open to while entries wait for its receipt."""
    for name, partner in ports.known.partners.items():
        if not (partner.suspended or ports.streams.is_up(name, "outbound")):
            note_failed(ports, name)


def note_failed(ports: Ports, partner: str) -> None:
    """Note that whatever waits for a partner's receipt could not be delivered now, unless that was noted a short time ago."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        log = logs.newest_log(tx, partner, outbound=True)
        if log is None or not _worth_noting(tx, log, now):
            return
    with ports.store.write() as tx:
        note_attempt(tx, log.id, (now, log.size))


def told_in_state(tx: Transaction, log: LogRow, size: int) -> list[disclosure_pb2.DeliveryAttempt]:
    """What to tell a recipient whose mirror has that size: otherwise it could not know when its clocks started."""
    return [disclosure_pb2.DeliveryAttempt(at=at, size=reached) for at, reached in attempts_above(tx, log.id, size, IN_STATE)]


def take_told(tx: Transaction, log: LogRow, state: disclosure_pb2.State) -> None:
    """Keep what a sender says of its attempts on what our mirror lacks; `tx` must write.

    It is the sender's word; but none counts for an entry that was logged later, and a receipt of ours starts a clock in any case.
    """
    told = [(one.at, one.size) for one in state.attempts[:IN_STATE] if log.size < one.size <= _LARGEST]
    replace_attempts(tx, log.id, log.size, told)


def _worth_noting(tx: Transaction, log: LogRow, now: int) -> bool:
    newest = logs.newest_receipt(tx, log.id)
    if log.state != "open" or log.size <= (newest.size if newest else 0):
        return False
    count, last = attempts_since(tx, log.id, log.size)
    return count < STARTS_A_CLOCK and now - last >= APART
