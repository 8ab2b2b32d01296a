"""The sender's side of a subscription: answer a Hello, cut batches, settle receipts (PROTOCOL.md, sections 4 and 5).

An `Outgoing` belongs to one stream. What is durable stands in the store; the rest is where this stream is.
"""

from collections import deque
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from exchange.agreement import EntryDecisions, Parties
from exchange.directory import KnownNode
from exchange.encoding import CAP_BATCH, CAP_BATCH_DELIVERIES, CAP_DELIVERY
from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused, Unverified
from exchange.log import LogName, open_log_checkpoint, sign_alive
from exchange.profile import alert_type
from exchange.receipt import OpenedReceipt, open_receipt
from exchange.tlog.checkpoint import Checkpoint, parse_checkpoint_text
from exchange.tlog.merkle import Frontier
from exchange.v1 import disclosure_pb2, receipt_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS, PartyId
from node.operations.attempts import told_in_state
from node.operations.held_content import held_content
from node.operations.permitted import attach, holds
from node.operations.sign import check_high_water, own_log, sign, stop_log
from node.operations.standing import recalled_now
from node.ports import Ports
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.directory import clear_alarm, raise_alarm
from node.store.journal import Event, Kind
from node.store.logs import LogRow, ReceiptRow
from node.store.successions import find_succession
from node.store.transaction import Transaction

WINDOW = 4
"""Unreceipted batches on a stream at most; then the backlog gathers here, where it merges into larger batches."""
FEW = 2
"""The same while what waits does not fill a batch: one that the recipient works on, and the next. More small ones in a row would only queue
there, and each costs it as much as several more alerts in one."""
_RECEIPTS_IN_STATE = 500
_ROOM_FOR_CHECKPOINT = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A batch that awaits its receipt."""

    frontier: Frontier
    """Where it ended."""
    checkpoint: bytes
    """The signed note that went with it; empty if an earlier stream sent it."""


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """Where one stream to one partner stands."""

    partner: str
    name: LogName
    frontier: Frontier
    """Up to here everything was sent on this stream."""
    receipted: int
    limit: int | None = None
    """Send no further on this stream: the partner must first adopt receipts that did not fit into State."""
    clocks_apart: bool = False
    unreceipted: deque[Sent] = field(default_factory=deque)
    """Batches that await a receipt, oldest first: at most `WINDOW`, but for those that a control alert hurried."""
    waiting_since: int = 0
    """When the oldest of them was sent, Unix milliseconds."""
    alive_at: int = 0
    """When this stream last said that the log is alive."""
    idle: bool = True
    """The last turn sent all that it could: there is nothing to do before something happens."""
    alarmed: bool = False
    """A receipt is overdue, and the alarm was raised."""


def answer_hello(ports: Ports, partner: KnownNode, hello: disclosure_pb2.Hello) -> tuple[disclosure_pb2.State, Outgoing]:
    """Compare a recipient's Hello with our log and say where we stand.

    Raises `Unverified` (HELLO_CHECKPOINT), `Conflict` (LOG_FORK, and those of `check_high_water`), `Refused` (LOG_STOPPED),
    `NotFound` (LOG_UNKNOWN), `Malformed` (HELLO_MALFORMED).
    """
    log = _log_for(ports, partner.trust_domain, hello.origin)
    origin = log.name.origin
    if bool(hello.checkpoint) != bool(hello.size):
        raise Malformed("HELLO_MALFORMED", "a checkpoint is sent if and only if the mirror is not empty")
    if log.state != "open":
        raise Refused("LOG_STOPPED", "this log is stopped")
    try:
        check_high_water(ports, log)
    except ExchangeError as refused:
        stop_log(ports, log, refused.code, partner=partner.trust_domain)
        raise
    if hello.size:
        _compare(ports, log, partner, hello)
    now = ports.clock.now_ms()
    apart = abs(hello.time - now) > CLOCK_SKEW_MS
    with ports.store.write() as tx:
        if apart:
            raise_alarm(tx, now, "CLOCKS_APART", partner=partner.trust_domain)
        else:
            clear_alarm(tx, "CLOCKS_APART", partner=partner.trust_domain)
    with ports.store.read() as tx:
        newest = logs.newest_receipt(tx, log.id)
        above = logs.receipts_above(tx, log.id, hello.size, _RECEIPTS_IN_STATE)
        frontier = logs.frontier_at(tx, log, hello.size)
        attempts = told_in_state(tx, log, hello.size)
    receipted = newest.size if newest else 0
    state = disclosure_pb2.State(
        origin=origin,
        size=log.size,
        receipted_size=receipted,
        receipts=[statement_pb2.Statement.FromString(row.statement) for row in above],
        time=now,
        attempts=attempts,
    )
    limit = above[-1].size if len(above) == _RECEIPTS_IN_STATE else None
    outgoing = Outgoing(
        partner=partner.trust_domain, name=log.name, frontier=frontier, receipted=receipted, limit=limit, clocks_apart=apart
    )
    return state, outgoing


def next_batch(ports: Ports, outgoing: Outgoing) -> disclosure_pb2.Batch | None:
    """The next batch for this stream, or None if nothing waits or the window is full.

    The window never holds back a control alert or what precedes it. Raises `Refused` (LOG_STOPPED).
    """
    start = outgoing.frontier.size
    with ports.store.read() as tx:
        log = logs.find_log(tx, outgoing.name.origin)
        if log is None or log.state != "open":
            raise Refused("LOG_STOPPED", "this log is stopped")
        urgent = log.control_size > start
        end = log.size if outgoing.limit is None else min(log.size, outgoing.limit)
        lost = logs.receipt_covering(tx, log.id, start) if start < outgoing.receipted else None
        if lost is not None:
            # The partner rolled back and adopts the receipts that it gave once: a batch ends where each does, so that it has the
            # signed checkpoint of each again.
            end = min(end, lost.size)
        window = WINDOW if end - start >= CAP_BATCH_DELIVERIES else FEW
        held = len(outgoing.unreceipted) >= window or outgoing.clocks_apart
        if start >= end or (held and not urgent):
            return None
        rows = logs.entry_rows(tx, log.id, start, min(end, start + CAP_BATCH_DELIVERIES))
        owners = alerts.by_ids(tx, {row.alert_ref for row in rows if row.alert_ref is not None})
        batch, withheld = disclosure_pb2.Batch(), {}
        decisions = EntryDecisions(Parties(sender=ports.trust_domain, recipient=outgoing.partner), ports.clock.now_ms())
        room = CAP_BATCH - _ROOM_FOR_CHECKPOINT
        for row in rows:
            delivery = batch.deliveries.add(entry=row.entry)
            code = _fill(ports, tx, outgoing, delivery, owners.get(row.alert_ref or 0), decisions)
            size = delivery.ByteSize() + 8
            if size > room and len(batch.deliveries) > 1:
                del batch.deliveries[-1]
                break
            room -= size
            if code:
                withheld[row.idx] = code
    frontier = outgoing.frontier.extend(row.leaf for row in rows[: len(batch.deliveries)])
    if withheld:
        with ports.store.write() as tx:
            logs.note_withheld(tx, log.id, withheld)
            ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_REFUSAL, ports.trust_domain, _withheld_events(log, withheld))
    batch.checkpoint = sign(ports, log, frontier)
    outgoing.frontier = frontier
    outgoing.idle = frontier.size == log.size
    if frontier.size > outgoing.receipted:
        if not outgoing.unreceipted:
            outgoing.waiting_since = ports.clock.now_ms()
        outgoing.unreceipted.append(Sent(frontier=frontier, checkpoint=batch.checkpoint))
    return batch


def settle(ports: Ports, partner: KnownNode, outgoing: Outgoing, statement: statement_pb2.Statement) -> None:
    """Take a receipt: R1 to R4, then durable, then the window opens.

    Raises as `open_receipt`: the stream ends, with an alarm. A receipt that is held already is ignored.
    """
    now = ports.clock.now_ms()
    judged: tuple[OpenedReceipt, Sent] | ExchangeError
    with ports.store.read() as tx:
        log = _require_log(logs.find_log(tx, outgoing.name.origin))
        newest = logs.newest_receipt(tx, log.id)
        if newest is not None and _held_already(tx, log, newest, statement):
            return
        try:
            judged = _check_receipt(ports, tx, partner, outgoing, log, newest, statement, now)
        except ExchangeError as refused:
            judged = refused
    if isinstance(judged, ExchangeError):
        _keep_refused_receipt(ports, partner, log, statement, judged.code, now)
        raise judged
    opened, sent = judged
    receipt, frontier = opened.receipt.value, sent.frontier
    row = ReceiptRow(
        size=frontier.size,
        previous_size=receipt.previous_size,
        received_at=receipt.received_at,
        frontier=frontier,
        checkpoint=sent.checkpoint or sign(ports, log, frontier),
        statement=statement.SerializeToString(),
    )
    excepted = [(exception.index, int(exception.code)) for exception in receipt.exceptions]
    with ports.store.write() as tx:
        logs.add_receipt(tx, log.id, row, excepted)
        taken = Event(
            code="TAKEN",
            subject=opened.receipt.digest,
            origin=log.name.origin,
            index=receipt.previous_size,
            count=frontier.size - receipt.previous_size,
        )
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_RECEIPT, partner.trust_domain, [taken])
        for alarm in opened.alarms:
            raise_alarm(tx, now, alarm, partner=partner.trust_domain, origin=log.name.origin, evidence=row.statement)
    outgoing.receipted = frontier.size
    while outgoing.unreceipted and outgoing.unreceipted[0].frontier.size <= frontier.size:
        outgoing.unreceipted.popleft()
    outgoing.waiting_since = now


def _check_receipt(
    ports: Ports,
    tx: Transaction,
    partner: KnownNode,
    outgoing: Outgoing,
    log: LogRow,
    newest: ReceiptRow | None,
    statement: statement_pb2.Statement,
    now: int,
) -> tuple[OpenedReceipt, Sent]:
    waiting = {sent.frontier.size: sent for sent in outgoing.unreceipted}

    def signed_text(size: int) -> bytes | None:
        sent = waiting.get(size)
        if sent is None:
            # Of a batch that an earlier stream sent.
            mark = ports.high_water.get(log.name.origin)
            if mark is None or size > mark.size or size > log.size:
                return None
            sent = waiting[size] = Sent(frontier=logs.frontier_at(tx, log, size), checkpoint=b"")
        return Checkpoint(origin=log.name.origin, size=size, root=sent.frontier.root()).text()

    opened = open_receipt(statement, partner, signed_text, newest.size if newest else 0, now)
    return opened, waiting[opened.checkpoint.size]


def _keep_refused_receipt(ports: Ports, partner: KnownNode, log: LogRow, statement: statement_pb2.Statement, code: str, now: int) -> None:
    with ports.store.write() as tx:
        raise_alarm(tx, now, code, partner=partner.trust_domain, origin=log.name.origin, evidence=statement.SerializeToString())
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALARM, partner.trust_domain, [Event(code=code, origin=log.name.origin)])


def watch_receipts(ports: Ports, outgoing: Outgoing, now: int, patience_ms: int) -> None:
    """Raise an alarm when a batch has waited longer than `patience_ms` for its receipt with the stream up; clear it otherwise."""
    overdue = bool(outgoing.unreceipted) and now - outgoing.waiting_since > patience_ms
    if overdue == outgoing.alarmed:
        return
    outgoing.alarmed = overdue
    with ports.store.write() as tx:
        if overdue:
            raise_alarm(tx, now, "UNRECEIPTED", partner=outgoing.partner, origin=outgoing.name.origin)
        else:
            clear_alarm(tx, "UNRECEIPTED", partner=outgoing.partner, origin=outgoing.name.origin)


def alive(ports: Ports, outgoing: Outgoing) -> statement_pb2.Statement | None:
    """Say that this log lives, up to where this stream is, a prefix that was signed before. None while a recall still waits to be sent.

    A backlog of ordinary alerts does not silence it: what the partner already holds is still in force.
    """
    with ports.store.read() as tx:
        log = _require_log(logs.find_log(tx, outgoing.name.origin))
    if log.control_size > outgoing.frontier.size:
        return None
    return sign_alive(log.name, outgoing.frontier, ports.clock.now_ms(), ports.signers.log)


def _log_for(ports: Ports, partner: str, origin: str) -> LogRow:
    with ports.store.read() as tx:
        log = logs.find_log(tx, origin) if origin else logs.newest_log(tx, partner, outbound=True)
    if log is None:
        # The recipient came first: the log begins empty, and has a name from now on. Or it knows a log that is older than our database.
        with ports.store.write() as tx:
            log = own_log(ports, tx, partner)
    if not log.outbound or log.name.recipient != partner or origin not in {"", log.name.origin}:
        raise NotFound("LOG_UNKNOWN", "there is no such log towards you")
    return log


def _compare(ports: Ports, log: LogRow, partner: KnownNode, hello: disclosure_pb2.Hello) -> None:
    now = ports.clock.now_ms()
    try:
        claimed = open_log_checkpoint(hello.checkpoint, log.name, ports.known.own, None)
        if claimed.size != hello.size:
            raise Unverified("HELLO_CHECKPOINT", "the checkpoint is of another size than the Hello")
    except ExchangeError as refused:
        with ports.store.write() as tx:
            raise_alarm(tx, now, "HELLO_CHECKPOINT", partner=partner.trust_domain, origin=log.name.origin, evidence=hello.checkpoint)
        raise Unverified("HELLO_CHECKPOINT", "the Hello's checkpoint is not one that this node signed") from refused
    with ports.store.read() as tx:
        # A valid signature over more than we hold means that our own database was rolled back.
        same = claimed.size <= log.size and logs.frontier_at(tx, log, claimed.size).root() == claimed.root
    if not same:
        code = "LOG_FORK" if claimed.size <= log.size else "HIGH_WATER_ROLLBACK"
        stop_log(ports, log, code, partner=partner.trust_domain, evidence=hello.checkpoint)
        raise Conflict(code, "the partner holds a signed checkpoint that this node's log contradicts")


def _fill(
    ports: Ports,
    tx: Transaction,
    outgoing: Outgoing,
    delivery: disclosure_pb2.Delivery,
    alert: AlertRow | None,
    decisions: EntryDecisions,
) -> int:
    """Add what the entry discloses, or the code under which it goes alone."""
    entry = disclosure_pb2.Entry.FromString(delivery.entry)
    if entry.succession:
        row = find_succession(tx, entry.succession)
        if row is not None:
            delivery.attached.append(statement_pb2.Statement.FromString(row.statement))
        return 0
    code: int = disclosure_pb2.WITHHELD_CODE_UNSPECIFIED
    content = None
    try:
        if alert is None:
            raise NotFound("ERASED")
        content = held_content(ports, tx, alert)
        code = _withheld_now(ports, tx, outgoing, entry, alert, content, decisions)
    except NotFound:
        code = disclosure_pb2.WITHHELD_CODE_ERASED
    if code or alert is None or content is None:
        delivery.withheld = disclosure_pb2.WithheldCode.ValueType(code)
        return code
    fields = set(entry.fields)
    delivery.manifest.CopyFrom(content.manifest)
    delivery.openings.extend([opening for opening in content.openings if opening.field in fields])
    attach(ports, tx, delivery, entry, alert)
    if delivery.ByteSize() > CAP_DELIVERY:
        raise Malformed("TOO_LARGE", "a delivery that the sequencer should have refused")
    return 0


def _withheld_now(
    ports: Ports,
    tx: Transaction,
    outgoing: Outgoing,
    entry: disclosure_pb2.Entry,
    alert: AlertRow,
    content: disclosure_pb2.Delivery,
    decisions: EntryDecisions,
) -> int:
    """Decide again, just before sending: to fill a dense log never overrides a recall, an expiry or an agreement's end."""
    now = ports.clock.now_ms()
    kind = alert_type(alert.alert_type)
    if kind.control:
        return 0
    if outgoing.clocks_apart:
        return disclosure_pb2.WITHHELD_CODE_CLOCK
    # What another country told us is passed on only while it stands as it did: whoever blocked it did not know of this reader.
    if alert.state != "active" and (not alert.own or recalled_now(tx, alert)):
        return disclosure_pb2.WITHHELD_CODE_WITHDRAWN
    if alert.not_after and now >= alert.not_after:
        return disclosure_pb2.WITHHELD_CODE_EXPIRED
    originator = ports.known.own if alert.own else ports.known.nodes().get(PartyId.parse(alert.originator).trust_domain)
    signing_key = originator.find(content.manifest.signatures[0].key_id) if originator else None
    if signing_key is None or signing_key.revoked_at or signing_key.compromised_since:
        return disclosure_pb2.WITHHELD_CODE_KEY_REVOKED
    agreed = ports.known.agreements.get(entry.agreement_digest)
    if agreed is None or entry.clause not in agreed.clauses:
        return disclosure_pb2.WITHHELD_CODE_LAPSED
    if not alert.own and not holds(ports, tx, alert, entry.permit_digest, outgoing.partner, now):
        return disclosure_pb2.WITHHELD_CODE_LAPSED
    required = agreed.terms[entry.clause].required  # what was required was decided at release; other entries may have opened it
    denied = decisions.decide(agreed, entry, kind, required)
    return disclosure_pb2.WITHHELD_CODE_LAPSED if denied else 0


def _withheld_events(log: LogRow, withheld: dict[int, int]) -> list[Event]:
    names = disclosure_pb2.WithheldCode
    return [
        Event(code=names.Name(names.ValueType(code)), counterparty=log.name.recipient, origin=log.name.origin, index=index, count=1)
        for index, code in withheld.items()
    ]


def _held_already(tx: Transaction, log: LogRow, newest: ReceiptRow, statement: statement_pb2.Statement) -> bool:
    try:
        size = parse_checkpoint_text(receipt_pb2.Receipt.FromString(statement.payload).checkpoint).size
    except (DecodeError, ExchangeError):
        return False  # the checks say what is wrong with it
    held = logs.receipt_covering(tx, log.id, size - 1) if 0 < size <= newest.size else None
    return held is not None and held.statement == statement.SerializeToString()


def _require_log(log: LogRow | None) -> LogRow:
    if log is None:
        raise NotFound("LOG_UNKNOWN", "there is no such log")
    return log
