"""The end of a disclosure log and its successor: proposed by the log's owner, countersigned by its mirror (PROTOCOL.md, section 4).

Entry 0 of the successor holds only the succession's digest. What the partner has not receipted under the ended log is logged
again under the new one, so that nothing released is lost: recalls first.
"""

from dataclasses import replace
from typing import Any

from exchange.directory import KnownNode
from exchange.disclosure import encode_entry
from exchange.encoding import encode
from exchange.errors import Conflict, NotFound, Refused
from exchange.log import LogName
from exchange.profile import alert_types
from exchange.signing import statement_digest
from exchange.succession import countersign_succession, open_succession, open_succession_proposal, propose_succession, successor_entry
from exchange.tlog.checkpoint import Checkpoint, parse_checkpoint_text
from exchange.tlog.merkle import EMPTY_ROOT, leaf_hash
from exchange.v1 import disclosure_pb2, statement_pb2, succession_pb2
from node.operations.contents import purpose_of_entry
from node.operations.officers import ADMINISTRATOR, require
from node.ports import Ports
from node.store import alerts, logs
from node.store.directory import all_alarms, clear_alarm
from node.store.journal import Event, Kind
from node.store.logs import LogRow
from node.store.successions import SuccessionRow, all_successions, find_succession, put_succession
from node.store.transaction import Transaction

_STOPPING = ("LOG_FORK", "LOG_MISMATCH", "HIGH_WATER_ROLLBACK", "HIGH_WATER_FORK", "HIGH_WATER_MISSING")
_REASONS = {
    "LOG_FORK": succession_pb2.SUCCESSION_REASON_FORK,
    "LOG_MISMATCH": succession_pb2.SUCCESSION_REASON_FORK,
    "HIGH_WATER_FORK": succession_pb2.SUCCESSION_REASON_FORK,
}


def end(ports: Ports, person: str, origin: str) -> SuccessionRow:
    """End a log: propose it for one of ours, accept it for a partner's. Raises as `end_log` and `accept_end`."""
    ours = LogName.parse(origin).sender == ports.trust_domain
    return end_log(ports, person, origin) if ours else accept_end(ports, person, origin)


def end_log(ports: Ports, person: str, origin: str) -> SuccessionRow:
    """Propose to end one of our logs and to begin its successor; it ends when the partner has countersigned.

    Why it ends follows from what stopped it; a log that goes on is ended for RETENTION. Raises `NotFound` (LOG_UNKNOWN), `Refused`
    (LOG_NOT_OURS, LOG_ENDED, SUCCESSION_PENDING).
    """
    require(ports, person, (ADMINISTRATOR,))
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        log = _log(tx, origin)
        if not log.outbound:
            raise Refused("LOG_NOT_OURS", "only the owner of a log proposes to end it: ask the partner")
        if log.state == "ended":
            raise Refused("LOG_ENDED", "this log has a successor already")
        if any(row.ended_origin == origin for row in all_successions(tx)):
            raise Refused("SUCCESSION_PENDING", "a succession of this log is on its way: the partner has to accept it")
        codes = {alarm.code for alarm in all_alarms(tx) if alarm.origin == origin and alarm.code in _STOPPING}
        newest = logs.newest_receipt(tx, log.id)
        last = Checkpoint(origin=origin, size=newest.size, root=newest.frontier.root()) if newest else None
        content = succession_pb2.LogSuccession(
            version=1,
            ended_origin=origin,
            successor_origin=replace(log.name, generation=log.name.generation + 1).origin,
            last_checkpoint=(last or Checkpoint(origin=origin, size=0, root=EMPTY_ROOT)).text(),
            reason=_reason(codes),
            agreed_at=now,
        )
        statement = propose_succession(content, ports.signers.agreement)
        row = SuccessionRow(
            digest=statement_digest(statement),
            partner=log.name.recipient,
            ended_origin=origin,
            state="proposed",
            statement=encode(statement),
            delivered=False,
        )
        put_succession(tx, row, now)
        logs.set_state(tx, log.id, "stopped")
        event = Event(code="SUCCESSION_PROPOSED", subject=row.digest, counterparty=row.partner, origin=origin)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_LOG, person, [event])
    ports.signals.notify(row.partner)
    return row


def receive_proposal(ports: Ports, partner: KnownNode, statement: statement_pb2.Statement) -> None:
    """Take a succession that the log's owner signed, for an administrator to read. The same again changes nothing."""
    proposed = open_succession_proposal(statement, partner)
    name = LogName.parse(proposed.value.ended_origin)
    if (name.sender, name.recipient) != (partner.trust_domain, ports.trust_domain):
        raise Refused("LOG_NOT_YOURS", "only the owner of a log proposes to end it")
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        if find_succession(tx, proposed.digest) is None:
            row = SuccessionRow(
                digest=proposed.digest,
                partner=partner.trust_domain,
                ended_origin=name.origin,
                state="offered",
                statement=encode(statement),
                delivered=True,
            )
            put_succession(tx, row, now)
            event = Event(code="SUCCESSION_OFFERED", subject=row.digest, origin=name.origin)
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_LOG, partner.trust_domain, [event])


def accept_end(ports: Ports, person: str, origin: str) -> SuccessionRow:
    """Countersign the end of a partner's log, if it ends where our mirror can follow. Our mirror then ends.

    Raises `NotFound` (SUCCESSION_UNKNOWN), `Conflict` (SUCCESSION_DIFFERS): the last checkpoint is not one that we receipted.
    """
    require(ports, person, (ADMINISTRATOR,))
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        offered = next((row for row in all_successions(tx) if row.ended_origin == origin and row.state != "proposed"), None)
        if offered is None:
            raise NotFound("SUCCESSION_UNKNOWN", "the partner has not proposed to end this log")
        if offered.state == "accepted":
            return offered
        partner = ports.known.partners[offered.partner].node
        statement = statement_pb2.Statement.FromString(offered.statement)
        content = open_succession_proposal(statement, partner).value
        log = _log(tx, origin)
        last = parse_checkpoint_text(content.last_checkpoint)
        if last.size > log.size or logs.frontier_at(tx, log, last.size).root() != last.root:
            raise Conflict("SUCCESSION_DIFFERS", "the partner would end its log at another history than the one we hold: talk to it")
        signed = countersign_succession(statement, ports.signers.agreement)
        open_succession(signed, [ports.known.own, partner])
        row = replace(offered, state="accepted", statement=encode(signed), delivered=False)
        put_succession(tx, row, now)
        logs.set_state(tx, log.id, "ended")
        event = Event(code="ENDED", subject=row.digest, counterparty=row.partner, origin=origin)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_LOG, person, [event])
    ports.signals.notify(row.partner)
    return row


def receive_countersigned(ports: Ports, partner: KnownNode, statement: statement_pb2.Statement) -> None:
    """Take a succession that both signed: our log ends, its successor begins, and what was not receipted is logged again.

    Raises as `open_succession`; `Refused` (SUCCESSION_UNKNOWN) for one that this node never proposed.
    """
    opened = open_succession(statement, [ports.known.own, partner])
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        held = find_succession(tx, opened.digest)
        if held is None or held.partner != partner.trust_domain or held.state == "offered":
            raise Refused("SUCCESSION_UNKNOWN", "this node did not propose that succession")
        if held.state == "accepted":
            return
        put_succession(tx, replace(held, state="accepted", statement=encode(statement), delivered=True), now)
        ended = _log(tx, opened.value.ended_origin)
        logs.set_state(tx, ended.id, "ended")
        for code in _STOPPING:
            clear_alarm(tx, code, partner=partner.trust_domain, origin=ended.name.origin)
        successor = logs.open_log(tx, LogName.parse(opened.value.successor_origin), outbound=True)
        begun = _begin(ports, tx, ended, successor, opened.digest, now)
        event = Event(code="OPENED", subject=opened.digest, origin=successor.name.origin, count=begun)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_LOG, partner.trust_domain, [event])
    ports.signals.notify(partner.trust_domain)


def undelivered(ports: Ports) -> list[SuccessionRow]:
    """What the courier still has to carry: proposals and countersignatures."""
    with ports.store.read() as tx:
        return [row for row in all_successions(tx) if not row.delivered]


def mark_delivered(ports: Ports, digest: bytes) -> None:
    """Note that the partner has the succession of that digest as it stands here."""
    with ports.store.write() as tx:
        row = find_succession(tx, digest)
        if row is not None:
            put_succession(tx, replace(row, delivered=True), ports.clock.now_ms())


def _begin(ports: Ports, tx: Transaction, ended: LogRow, successor: LogRow, digest: bytes, now: int) -> int:
    """Log the succession and again what was not receipted; returns with how many entries the successor begins."""
    first = encode(successor_entry(digest))
    rows: list[dict[str, Any]] = [_row(successor, 0, first, None, None)]
    again = _unreceipted(tx, ended)
    owners = alerts.by_ids(tx, {row.alert_ref for row in again if row.alert_ref is not None})
    control = {row.idx for row in again if _is_control(owners, row.alert_ref)}
    control_size = 0
    for row in sorted(again, key=lambda row: (row.idx not in control, row.idx)):
        owner = owners.get(row.alert_ref or 0)
        if owner is None or row.sealed is None or owner.wrapped_key is None:
            continue  # erased meanwhile: there is nothing left to tell
        entry = disclosure_pb2.Entry.FromString(row.entry)
        entry.disclosed_at = max(ended.last_disclosed_at, now)
        key = ports.vault.unwrap(tx, owner.period, owner.wrapped_key)
        record = key.open(purpose_of_entry(owner.alert_id, ended.name.origin), row.sealed)
        sealed = key.seal(purpose_of_entry(owner.alert_id, successor.name.origin), record)
        rows.append(_row(successor, len(rows), encode_entry(entry, successor.name.recipient), owner.id, sealed))
        if row.idx in control:
            control_size = len(rows)
    frontier = successor.frontier.extend(row["leaf"] for row in rows)
    logs.grow(tx, successor, frontier, rows, disclosed_at=max(ended.last_disclosed_at, now), control_size=control_size)
    return len(rows)


def _unreceipted(tx: Transaction, log: LogRow) -> list[logs.EntryRow]:
    newest = logs.newest_receipt(tx, log.id)
    return logs.entry_rows(tx, log.id, newest.size if newest else 0, log.size)


def _is_control(owners: dict[int, alerts.AlertRow], reference: int | None) -> bool:
    owner = owners.get(reference or 0)
    return owner is not None and alert_types()[owner.alert_type].control


def _row(log: LogRow, index: int, entry: bytes, alert_ref: int | None, sealed: bytes | None) -> dict[str, Any]:
    return {"log_id": log.id, "idx": index, "entry": entry, "leaf": leaf_hash(entry), "alert_ref": alert_ref, "sealed": sealed}


def _reason(codes: set[str]) -> "succession_pb2.SuccessionReason.ValueType":
    if not codes:
        return succession_pb2.SUCCESSION_REASON_RETENTION
    return next((reason for code, reason in _REASONS.items() if code in codes), succession_pb2.SUCCESSION_REASON_ROLLBACK)


def _log(tx: Transaction, origin: str) -> LogRow:
    log = logs.find_log(tx, origin)
    if log is None:
        raise NotFound("LOG_UNKNOWN", "there is no such log here: see `exchange log list`")
    return log
