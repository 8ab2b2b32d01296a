"""Signing a log's checkpoint: only what the high-water record allows (PROTOCOL.md, section 4).

A node signs nothing unless its tree at the high-water size has the recorded root; then it may sign any prefix.
"""

from dataclasses import replace

from exchange.errors import Conflict
from exchange.log import LogName, sign_log
from exchange.tlog.merkle import Frontier
from node.ports import Ports
from node.store import logs
from node.store.directory import raise_alarm
from node.store.journal import Event, Kind
from node.store.logs import LogRow
from node.store.transaction import Transaction


def check_high_water(ports: Ports, log: LogRow) -> None:
    """Raise unless our own `log` still holds everything that it ever signed.

    Raises `Conflict`: HIGH_WATER_ROLLBACK (the database is older than what was signed: a restored backup), HIGH_WATER_FORK (it has
    another history), HIGH_WATER_MISSING (there are receipts, but no record); and `StoreFailed` (HIGH_WATER_UNREADABLE).
    """
    origin = log.name.origin
    mark = ports.high_water.get(origin)
    with ports.store.read() as tx:
        if mark is None:
            if logs.newest_receipt(tx, log.id) is not None:
                raise Conflict("HIGH_WATER_MISSING", "the high-water record of a log that was signed is gone: restore it")
            return
        if mark.size > log.size:
            raise Conflict(
                "HIGH_WATER_ROLLBACK",
                "this database is older than what was signed with it, as after restoring a backup: nothing more is signed. "
                "Restore the newest database, or agree a successor log with the partner",
            )
        if logs.frontier_at(tx, log, mark.size).root() != mark.root:
            raise Conflict("HIGH_WATER_FORK", "this database holds another history than the one that was signed: nothing more is signed")


def sign(ports: Ports, log: LogRow, frontier: Frontier) -> bytes:
    """Sign the checkpoint of our own log at `frontier`, a prefix of `log`: a C2SP note. Call `check_high_water` when a stream begins.

    The high-water record is advanced, durably, before this returns; it is raised to all that is committed, so that one
    advance serves many batches.
    """
    origin = log.name.origin
    mark = ports.high_water.get(origin)
    if mark is None or mark.size < frontier.size:
        note = ports.high_water.advance(origin, log.frontier.size, log.frontier.root())
        if log.frontier.size == frontier.size:
            return note  # the same checkpoint, signed by the same key
    return sign_log(log.name, frontier, ports.signers.log)


def own_log(ports: Ports, tx: Transaction, partner: str) -> LogRow:
    """Our newest log towards a partner; the first, empty, if there is none yet.

    If the high-water record knows the first one already, the database is older than that log: it is stopped at once, with the alarm.
    """
    newest = logs.newest_log(tx, partner, outbound=True)
    if newest is not None:
        return newest
    now = ports.clock.now_ms()
    name = LogName(sender=ports.trust_domain, recipient=partner, generation=1)
    log = logs.open_log(tx, name, outbound=True)
    ports.journal.record(
        tx, now, Kind.JOURNAL_KIND_LOG, ports.trust_domain, [Event(code="OPENED", counterparty=partner, origin=name.origin)]
    )
    if ports.high_water.get(name.origin) is not None:
        _stop(ports, tx, log, "HIGH_WATER_ROLLBACK", partner=partner)
        return replace(log, state="stopped")
    return log


def stop_log(ports: Ports, log: LogRow, code: str, *, partner: str, evidence: bytes | None = None) -> None:
    """Stop a log for good and raise the alarm; both sides of a contradiction are kept."""
    with ports.store.write() as tx:
        _stop(ports, tx, log, code, partner=partner, evidence=evidence)


def _stop(ports: Ports, tx: Transaction, log: LogRow, code: str, *, partner: str, evidence: bytes | None = None) -> None:
    now = ports.clock.now_ms()
    logs.set_state(tx, log.id, "stopped")
    raise_alarm(tx, now, code, partner=partner, origin=log.name.origin, evidence=evidence)
    ports.journal.record(
        tx, now, Kind.JOURNAL_KIND_LOG, ports.trust_domain, [Event(code="STOPPED", counterparty=partner, origin=log.name.origin)]
    )
    ports.journal.record(
        tx, now, Kind.JOURNAL_KIND_ALARM, ports.trust_domain, [Event(code=code, counterparty=partner, origin=log.name.origin)]
    )
