"""What the journal says of everything else: the logs' anchors, and its own signed checkpoint (PROTOCOL.md, section 10)."""

from exchange.errors import Conflict
from exchange.journal import sign_journal
from exchange.tlog.tree import root_at
from node.ports import Ports
from node.store import logs
from node.store.directory import alarms_about
from node.store.journal import Event, JournalEdge, Kind
from node.store.logs import LogRow
from node.store.nodes import StoredHashes, journal_log
from node.store.transaction import Transaction
from node.store.witnesses import newest_checkpoint

_NEXT = (
    "Restore the newest database; if it is lost, `exchange node succeed-journal` begins a successor and keeps the proof of what was lost"
)


def anchor_logs(ports: Ports) -> int:
    """Record how far each disclosure log reaches, in both directions, where that has changed; returns how many had.

    So one checkpoint of the journal covers everything that this node ever said or heard. An anchor stands until the next.
    """
    with ports.store.read() as tx:
        if not _grown(ports, tx):
            return 0
    with ports.store.write() as tx:
        events = [
            Event(
                code="OUTBOUND" if log.outbound else "INBOUND",
                counterparty=log.name.recipient if log.outbound else log.name.sender,
                origin=log.name.origin,
                count=log.size,
                root=log.frontier.root(),
            )
            for log in _grown(ports, tx)
        ]
        ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_ANCHOR, ports.trust_domain, events)
    return len(events)


def check_journal(ports: Ports) -> None:
    """Raise unless the journal still holds everything that was ever signed of it.

    Raises `Conflict`: JOURNAL_ROLLBACK (the database is older than what was signed: a restored backup), JOURNAL_FORK (it has another
    history), HIGH_WATER_MISSING (it was signed, and the record is gone); and `StoreFailed` (HIGH_WATER_UNREADABLE).
    """
    with ports.store.read() as tx:
        _check(ports, tx, ports.journal.edge(tx), ports.journal.origin(tx))


def checkpoint_journal(ports: Ports) -> bytes:
    """The signed checkpoint of the whole journal as it stands: a C2SP note. The high-water record is advanced before this returns.

    Raises as `check_journal`, and `StoreFailed` (HIGH_WATER_FULL).
    """
    with ports.store.read() as tx:
        edge, origin = ports.journal.edge(tx), ports.journal.origin(tx)
        _check(ports, tx, edge, origin)
    ports.high_water.advance(origin, edge.frontier.size, edge.frontier.root())
    return sign_journal(origin, edge.frontier, ports.signers.log)


def _grown(ports: Ports, tx: Transaction) -> list[LogRow]:
    return [log for log in logs.all_logs(tx) if log.size != ports.journal.anchored(tx, log.name.origin)]


def _check(ports: Ports, tx: Transaction, edge: JournalEdge, origin: str) -> None:
    for code in ("JOURNAL_ROLLBACK", "JOURNAL_FORK"):
        if code in alarms_about(tx, origin):
            raise Conflict(code, "this journal contradicts what this node signed of it, as an alarm says: nothing more is signed. " + _NEXT)
    mark = ports.high_water.get(origin)
    if mark is None:
        if newest_checkpoint(tx, origin) is not None:
            raise Conflict("HIGH_WATER_MISSING", "the high-water record of the journal, which was signed, is gone: restore it. " + _NEXT)
        return
    if mark.size > edge.frontier.size:
        raise Conflict(
            "JOURNAL_ROLLBACK",
            "this database is older than the journal that was signed with it, as after restoring a backup: nothing more is signed. "
            + _NEXT,
        )
    if root_at(StoredHashes(tx, journal_log(edge.generation)), mark.size) != mark.root:
        raise Conflict("JOURNAL_FORK", "this database holds another journal than the one that was signed: nothing more is signed. " + _NEXT)
