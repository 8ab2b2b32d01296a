"""After a restored backup: adopt our own signed entries from the partner, so that signing may go on (PROTOCOL.md, section 4).

The content of what is adopted stays lost here; the log, and with it what was disclosed, is whole again.
"""

from collections.abc import Callable, Sequence
from typing import Any

from exchange.disclosure import check_entry
from exchange.encoding import CAP_ENTRY, decode
from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.log import open_log_checkpoint
from exchange.tlog.merkle import leaf_hash
from exchange.v1 import disclosure_pb2, exchange_service_pb2
from node.operations.emergency import note_recovered
from node.operations.officers import ADMINISTRATOR, require
from node.operations.onward_reach import note_forwards
from node.operations.partners import reload
from node.operations.recalled import note_doubts
from node.operations.sign import check_high_water
from node.ports import Ports
from node.store import alerts, logs, recalls
from node.store.directory import clear_alarm
from node.store.journal import Event, Kind
from node.store.logs import LogRow
from node.store.transaction import Transaction

Fetch = Callable[[str, str, int], exchange_service_pb2.FetchEntriesResponse]
"""Asks a partner (trust domain) for the entries of a log (origin) from an index on."""


def recover_log(ports: Ports, person: str, origin: str, fetch: Fetch) -> int:
    """Adopt what the partner holds of one of our logs beyond what we have; returns how many entries that were.

    If then everything that was ever signed is here again, the log is open again. Raises `NotFound` (LOG_UNKNOWN), `Refused`
    (LOG_NOT_OURS, LOG_ENDED), `Conflict` (LOG_FORK: the partner's entries are not a continuation of ours; and as `check_high_water`: the
    partner lacks something that was signed, so the log must be ended), and what `fetch` raises.
    """
    require(ports, person, (ADMINISTRATOR,))
    log = _ours(ports, origin)
    adopted = 0
    while (mark := ports.high_water.get(origin)) is not None and log.size < mark.size:
        taken = _adopt(ports, person, log, fetch(log.name.recipient, origin, log.size))
        if not taken:
            break
        adopted += taken
        log = _ours(ports, origin)
    check_high_water(ports, log)
    with ports.store.write() as tx:
        logs.set_state(tx, log.id, "open")
        clear_alarm(tx, "HIGH_WATER_ROLLBACK", partner=log.name.recipient, origin=origin)
        event = Event(code="RECOVERED", counterparty=log.name.recipient, origin=origin)
        ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_LOG, person, [event])
    reload(ports)  # what it told in an emergency is known again, too
    ports.signals.notify(log.name.recipient)
    return adopted


def _ours(ports: Ports, origin: str) -> LogRow:
    with ports.store.read() as tx:
        log = logs.find_log(tx, origin)
    if log is None:
        raise NotFound("LOG_UNKNOWN", "there is no such log here: see `exchange log list`")
    if not log.outbound:
        raise Refused("LOG_NOT_OURS", "only the owner of a log recovers it")
    if log.state == "ended":
        raise Refused("LOG_ENDED", "this log has a successor already")
    return log


def _adopt(ports: Ports, person: str, log: LogRow, response: exchange_service_pb2.FetchEntriesResponse) -> int:
    now = ports.clock.now_ms()
    claimed = open_log_checkpoint(response.checkpoint, log.name, ports.known.own, now)
    rows: list[dict[str, Any]] = []
    adopted: list[tuple[int, disclosure_pb2.Entry]] = []
    disclosed_at = log.last_disclosed_at
    for index, data in enumerate(response.entries, log.size):
        entry = decode(disclosure_pb2.Entry, data, CAP_ENTRY)
        check_entry(entry, log.name.recipient)
        disclosed_at = max(disclosed_at, entry.disclosed_at)
        adopted.append((index, entry))
        rows.append({"log_id": log.id, "idx": index, "entry": data, "leaf": leaf_hash(data), "alert_ref": None, "sealed": None})
    frontier = log.frontier.extend(row["leaf"] for row in rows)
    if claimed.size != frontier.size:
        raise Malformed("RANGE", "the partner's answer does not end where its checkpoint does")
    if claimed.root != frontier.root():
        raise Conflict("LOG_FORK", "the partner holds another history of this log than the one that this database begins with")
    with ports.store.write() as tx:
        logs.grow(tx, log, frontier, rows, disclosed_at=disclosed_at, control_size=log.control_size)
        _note_lost(tx, [entry for _, entry in adopted])
        note_doubts(ports, tx, log, adopted, person, now)
        note_recovered(ports, tx, log, adopted, now)
        event = Event(code="ADOPTED", counterparty=log.name.recipient, origin=log.name.origin, index=log.size, count=len(rows))
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_COLLECTION, person, [event])
    return len(rows)


def _note_lost(tx: Transaction, entries: Sequence[disclosure_pb2.Entry]) -> None:
    """Note the manifests that adopted entries name and that are lost here, and to whom recalls of what we passed on are to go."""
    here = alerts.by_digests(tx, {entry.manifest_digest for entry in entries})
    recalls.note_unheld(tx, (e.manifest_digest for e in entries if e.manifest_digest and e.manifest_digest not in here), own=True)
    note_forwards(tx, {entry.manifest_digest for entry in entries if entry.permit_digest})
