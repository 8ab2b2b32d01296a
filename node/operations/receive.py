"""The recipient's side of a subscription: greet, check, keep, and only then say so (PROTOCOL.md, sections 4 and 5).

The commit point of a batch is the transaction in `receive`: the entries, what they disclose, and the receipt are durable
together, or not at all. The receipt is signed inside it and leaves only after it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, TypeVar

from google.protobuf.message import DecodeError

from exchange.directory import KnownNode
from exchange.disclosure import Disclosure, accept, exception_code, obeys_rules, open_content, open_form, open_signed
from exchange.errors import Conflict, ExchangeError, Refused, Unverified
from exchange.log import Extension, LogName, extend, open_alive, open_log_checkpoint
from exchange.receipt import issue, open_receipt_of
from exchange.recipient import Recipient
from exchange.succession import check_successor
from exchange.v1 import disclosure_pb2, receipt_pb2, statement_pb2
from node.operations.arrivals import landing
from node.operations.attempts import take_told
from node.operations.contents import pack_content, purpose_of_alert, purpose_of_entry
from node.operations.emergency import note_received as note_emergencies
from node.operations.follow import follow
from node.operations.holdings import BatchHoldings
from node.operations.keeping import Notes, note_received, notes_of, state_again, term_columns
from node.operations.onward_kept import take_onward
from node.operations.onward_reach import note_forwards
from node.operations.recalled import named_by, note_doubts, take_recalls, withheld_in
from node.operations.sign import stop_log
from node.ports import Ports
from node.store import alerts, logs
from node.store.directory import clear_alarm, raise_alarm
from node.store.journal import Event, Kind
from node.store.landings import note_landings
from node.store.logs import LogRow, ReceiptRow
from node.store.recalls import note_unheld
from node.store.transaction import Transaction
from node.store.vault import DataKey

Before = TypeVar("Before")
After = TypeVar("After")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Where one subscription to a partner stands: our mirror of its log."""

    partner: str
    log: LogRow
    receipted: int
    """Size of the newest receipt that we gave, or adopted after a rollback of ours."""


def hello(ports: Ports, partner: str) -> disclosure_pb2.Hello:
    """What our mirror of a partner's newest log holds."""
    with ports.store.read() as tx:
        log = logs.newest_log(tx, partner, outbound=False)
    if log is None or log.state == "ended":
        return disclosure_pb2.Hello(time=ports.clock.now_ms())  # the newest generation, whichever that is by now
    return disclosure_pb2.Hello(origin=log.name.origin, size=log.size, checkpoint=log.checkpoint, time=ports.clock.now_ms())


def take_state(ports: Ports, partner: KnownNode, state: disclosure_pb2.State) -> tuple[Incoming, list[statement_pb2.Statement]]:
    """Begin a stream: adopt receipts that we lost, and return those that the sender misses.

    Raises `Unverified` (NOT_THE_LOG_OWNER), `Refused` (LOG_STOPPED), and as `open_receipt_of`.
    """
    name = LogName.parse(state.origin)
    if (name.sender, name.recipient) != (partner.trust_domain, ports.trust_domain):
        raise Unverified("NOT_THE_LOG_OWNER", "this log does not lead from that partner to this node")
    with ports.store.write() as tx:
        now = ports.clock.now_ms()
        log = logs.find_log(tx, state.origin)
        if log is None:
            log = logs.open_log(tx, name, outbound=False)
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_LOG, partner.trust_domain, [Event(code="OPENED", origin=name.origin)])
        if log.state != "open":
            raise Refused("LOG_STOPPED", "this log is stopped")
        _adopt(ports, tx, log, state)
        take_told(tx, log, state)
        newest = logs.newest_receipt(tx, log.id)
        missing = logs.receipts_above(tx, log.id, state.receipted_size, 10_000)
    incoming = Incoming(partner=partner.trust_domain, log=log, receipted=newest.size if newest else 0)
    return incoming, [statement_pb2.Statement.FromString(row.statement) for row in missing]


def receive(
    ports: Ports, partner: KnownNode, incoming: Incoming, batch: disclosure_pb2.Batch
) -> tuple[Incoming, statement_pb2.Statement | None]:
    """Check a batch, keep it, and return our receipt; None while what we adopted already covers it.

    Raises what S1 to S4 raise: then nothing is kept and the stream ends, with an alarm.
    """
    now = ports.clock.now_ms()
    log = incoming.log
    try:
        extension = extend(log.name, log.frontier, batch, partner, ports.trust_domain, now)
    except Conflict:
        _keep_contradiction(ports, partner, log, batch.checkpoint, now)
        raise
    known = ports.known
    recipient = Recipient(
        trust_domain=ports.trust_domain,
        training=ports.training,
        sender=partner,
        nodes=known.nodes(),
        agreements=known.agreements,
        now=now,
    )
    # Checked before the writing turn is taken: who only writes never waits for these signatures.
    kept, refused = _open_all(ports, log, batch, recipient)
    excepted = [(index, exception_code(error)) for index, error in refused]
    notes = notes_of(ports, kept, now)
    with ports.store.write() as tx:
        _note_refusals(tx, log, batch, refused, now)
        note_unheld(tx, named_by(log, batch, refused), own=False)
        note_doubts(ports, tx, log, withheld_in(log, batch, refused), partner.trust_domain, now)
        rows = _keep(ports, tx, log, batch, extension, kept, notes, now)
        control = max((index + 1 for index, disclosure in kept if disclosure.kind.control), default=log.control_size)
        disclosed_at = max((disclosure.entry.disclosed_at for _, disclosure in kept), default=log.last_disclosed_at)
        logs.grow(tx, log, extension.frontier, rows, disclosed_at=disclosed_at, control_size=control, checkpoint=batch.checkpoint)
        note_emergencies(ports, tx, log, kept, now)
        receipt = _receipt(ports, tx, incoming, batch, extension, excepted, now)
        origin = log.name.origin
        received = Event(code="RECEIVED", origin=origin, index=log.size, count=extension.frontier.size - log.size)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_COLLECTION, partner.trust_domain, [received])
        if excepted:
            refusals = [
                Event(code=_exception_name(code), counterparty=log.name.sender, origin=origin, index=index, count=1)
                for index, code in excepted
            ]
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_REFUSAL, ports.trust_domain, refusals)
    grown = replace(
        log,
        frontier=extension.frontier,
        checkpoint=batch.checkpoint,
        last_disclosed_at=disclosed_at,
        control_size=control,
    )
    receipted = max(incoming.receipted, extension.frontier.size if receipt else 0)
    return replace(incoming, log=grown, receipted=receipted), receipt


def take_alive(ports: Ports, partner: KnownNode, incoming: Incoming, statement: statement_pb2.Statement) -> None:
    """Confirm what is in force, or find a fork: the roots must agree once our mirror has reached the size.

    Raises as `open_alive`; `Conflict` (LOG_FORK).
    """
    now = ports.clock.now_ms()
    said = open_alive(statement, partner, now).value
    log = incoming.log
    if said.origin != log.name.origin:
        raise Unverified("NOT_THE_LOG_OWNER", "the partner speaks of another log than the one of this stream")
    if said.size > log.size:
        return
    with ports.store.read() as tx:
        root = logs.frontier_at(tx, log, said.size).root()
    if root != said.root:
        stop_log(ports, log, "LOG_FORK", partner=partner.trust_domain, evidence=statement.SerializeToString())
        raise Conflict("LOG_FORK", "the partner signed another history than the one that it sent")
    with ports.store.write() as tx:
        logs.confirm(tx, log.id, min(said.time, now))
        clear_alarm(tx, "STREAM_REFUSED", partner=partner.trust_domain)


def note_refused_stream(ports: Ports, partner: str, code: str) -> None:
    """Raise the alarm that a stream ended because of what the partner sent or refused."""
    with ports.store.write() as tx:
        now = ports.clock.now_ms()
        raise_alarm(tx, now, "STREAM_REFUSED", partner=partner)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALARM, partner, [Event(code=code)])


def _keep_contradiction(ports: Ports, partner: KnownNode, log: LogRow, note: bytes, now: int) -> None:
    """Raise the alarm for a batch that did not fit, and keep its signed checkpoint. Two roots at one size are a fork: the log stops.

    Anything else, such as a batch sent twice, ends the stream and no more. Raises `Conflict` (LOG_FORK).
    """
    said = open_log_checkpoint(note, log.name, partner, now)
    with ports.store.read() as tx:
        forked = said.size <= log.size and logs.frontier_at(tx, log, said.size).root() != said.root
    if forked:
        stop_log(ports, log, "LOG_FORK", partner=partner.trust_domain, evidence=note)
        raise Conflict("LOG_FORK", "the partner signed another history than the one that it sent")
    with ports.store.write() as tx:
        raise_alarm(tx, now, "LOG_MISMATCH", partner=partner.trust_domain, origin=log.name.origin, evidence=note)


def _adopt(ports: Ports, tx: Transaction, log: LogRow, state: disclosure_pb2.State) -> None:
    newest = logs.newest_receipt(tx, log.id)
    size = newest.size if newest else 0
    for statement in state.receipts:
        opened = open_receipt_of(statement, ports.known.own)
        if opened.checkpoint.origin != log.name.origin:
            raise Unverified("RECEIPT_CHECKPOINT", "the receipt is for another log")
        if opened.checkpoint.size <= size:
            continue
        receipt = opened.receipt.value
        if receipt.previous_size != size:
            raise Conflict("RECEIPT_TILES", "the receipts that the partner holds do not tile with ours")
        row = ReceiptRow(
            size=opened.checkpoint.size,
            previous_size=receipt.previous_size,
            received_at=receipt.received_at,
            frontier=logs.unpack(0, b""),
            checkpoint=b"",
            statement=statement.SerializeToString(),
        )
        logs.add_receipt(tx, log.id, row, [(exception.index, int(exception.code)) for exception in receipt.exceptions])
        raise_alarm(tx, ports.clock.now_ms(), "OWN_ROLLBACK", partner=log.name.sender, origin=log.name.origin)
        size = opened.checkpoint.size


def _open_all(
    ports: Ports, log: LogRow, batch: disclosure_pb2.Batch, recipient: Recipient
) -> tuple[list[tuple[int, Disclosure]], list[tuple[int, ExchangeError]]]:
    refused: list[tuple[int, ExchangeError]] = []
    ordinary: list[tuple[int, disclosure_pb2.Delivery]] = []
    for index, delivery in enumerate(batch.deliveries, log.size):
        if not _names_succession(delivery):
            ordinary.append((index, delivery))
            continue
        try:
            check_successor(delivery, log.name, index, [ports.known.own, recipient.sender])
        except ExchangeError as error:
            refused.append((index, error))
    # Each step for all deliveries before the next step: its code and its tables are then still in the processor's cache.
    formed = _each(lambda delivery: open_form(delivery, recipient), ordinary, refused)
    signed = _each(lambda one: open_signed(one, recipient), formed, refused)
    contents = _each(open_content, signed, refused)
    lawful = [obeys_rules(content) for _, content in contents]
    kept: list[tuple[int, Disclosure]] = []
    with ports.store.read() as tx:
        holdings = BatchHoldings(tx, log, [content for _, content in contents])
        for digest in named_by(log, batch, refused):
            holdings.miss(digest)
        # What a receipt of ours excepted, before this node lost it and adopted it again, stays excepted: only a new entry repairs it.
        said = logs.exception_codes(tx, log.id, log.size, log.size + len(batch.deliveries))
        for (index, content), obeys in zip(contents, lawful, strict=True):
            try:
                disclosure = accept(content, recipient, holdings, lawful=obeys)
                if index in said:
                    raise Refused(_exception_name(said[index]), "this node excepted it once, and a receipt is never changed")
            except ExchangeError as error:
                refused.append((index, error))
                holdings.miss(content.signed.entry.manifest_digest)
            else:
                holdings.add(disclosure)
                kept.append((index, disclosure))
    return kept, sorted(refused, key=itemgetter(0))


def _each(
    step: Callable[[Before], After], items: Iterable[tuple[int, Before]], refused: list[tuple[int, ExchangeError]]
) -> list[tuple[int, After]]:
    """Take a step for all items; what it refuses is out, and stands under its index in `refused`."""
    taken: list[tuple[int, After]] = []
    for index, item in items:
        try:
            taken.append((index, step(item)))
        except ExchangeError as error:
            refused.append((index, error))
    return taken


def _exception_name(code: int) -> str:
    return receipt_pb2.ExceptionCode.Name(receipt_pb2.ExceptionCode.ValueType(code)).removeprefix("EXCEPTION_CODE_")


def _names_succession(delivery: disclosure_pb2.Delivery) -> bool:
    try:
        return bool(disclosure_pb2.Entry.FromString(delivery.entry).succession)
    except DecodeError:
        return False  # D1 says what is wrong with it


def _note_refusals(
    tx: Transaction, log: LogRow, batch: disclosure_pb2.Batch, refused: Sequence[tuple[int, ExchangeError]], now: int
) -> None:
    for index, error in refused:
        if error.code == "WITHHELD":
            continue
        evidence = None
        if error.code == "CONFLICT":
            delivery = batch.deliveries[index - log.size]
            evidence = delivery.manifest.SerializeToString()
            entry = disclosure_pb2.Entry.FromString(delivery.entry)
            alerts.keep_conflict(tx, entry.manifest_digest, log.id, index, evidence)
        raise_alarm(tx, now, error.code, partner=log.name.sender, origin=log.name.origin, evidence=evidence)


def _keep(
    ports: Ports,
    tx: Transaction,
    log: LogRow,
    batch: disclosure_pb2.Batch,
    extension: Extension,
    kept: Sequence[tuple[int, Disclosure]],
    notes: Mapping[bytes, Notes],
    now: int,
) -> list[dict[str, Any]]:
    """Store new alerts and return the entry rows, the openings of what was kept sealed in them."""
    held = alerts.by_digests(tx, {disclosure.manifest.digest for _, disclosure in kept})
    references = {digest: row.id for digest, row in held.items()}
    # What was erased here and is told again is taken in anew, under a key of its own.
    keys = {d: ports.vault.unwrap(tx, row.period, row.wrapped_key) for d, row in held.items() if row.wrapped_key is not None}
    still = [held[digest] for digest in keys]
    next_id = alerts.next_id(tx)
    new: list[dict[str, Any]] = []
    rows: dict[int, dict[str, Any]] = {
        index: {"log_id": log.id, "idx": index, "entry": delivery.entry, "leaf": leaf, "alert_ref": None, "sealed": None}
        for index, (delivery, leaf) in enumerate(zip(batch.deliveries, extension.leaves, strict=True), log.size)
    }
    inboxes: list[tuple[str, int]] = []
    landings: list[tuple[int, str, int]] = []
    for index, disclosure in kept:
        digest, manifest = disclosure.manifest.digest, disclosure.manifest.value
        lands_at = landing(disclosure.alert, ports.country)
        if digest not in keys:
            keys[digest] = notes[digest].key
            row = _alert_row(disclosure, notes[digest].period, keys[digest], lands_at, now) | term_columns(ports, now, notes[digest].limit)
            if digest in held:
                alerts.revive(tx, references[digest], row | {"state": state_again(tx, held[digest])})
            else:
                references[digest] = next_id + len(new)
                new.append({"id": references[digest], **row})
        reference = references[digest]
        rows[index]["alert_ref"] = reference
        rows[index]["sealed"] = keys[digest].seal(
            purpose_of_entry(manifest.alert_id, log.name.origin), pack_content(statement_pb2.Statement(), disclosure.openings)
        )
        inboxes += [(agency, reference) for agency in disclosure.entry.audience]
        if lands_at:
            landings += [(reference, agency, lands_at) for agency in disclosure.entry.audience]
    alerts.insert_alerts(tx, new)
    if inboxes:
        alerts.put_in_inboxes(tx, inboxes)
    note_landings(tx, landings)
    note_received(ports, tx, notes, references, still, now)
    _note_relations(ports, tx, log.name.sender, kept, {row["digest"] for row in new})
    fresh = {row["digest"] for row in new}
    take_recalls(ports, tx, kept, fresh, now)
    follow(ports, tx, kept, references, now)
    take_onward(ports, tx, log, batch, kept, fresh, now)
    note_forwards(tx, {d.entry.in_reply_to for _, d in kept if d.kind.control and d.manifest.digest in fresh})
    merged = [Event(code="MERGED", subject=digest, counterparty=log.name.sender) for digest in held]
    if merged:
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_COMBINATION, ports.trust_domain, merged)
    return list(rows.values())


def _alert_row(disclosure: Disclosure, period: str, key: DataKey, lands_at: int, now: int) -> dict[str, Any]:
    manifest = disclosure.manifest.value
    return {
        "alert_id": manifest.alert_id,
        "digest": disclosure.manifest.digest,
        "own": False,
        "alert_type": manifest.alert_type,
        "originator": manifest.originator,
        "issued_at": manifest.issued_at,
        "not_after": manifest.not_after,
        "training": manifest.training,
        "recorded_at": now,
        "arrives_at": lands_at,
        "state": "active",
        "period": period,
        "wrapped_key": key.wrapped,
        "sealed": key.seal(purpose_of_alert(manifest.alert_id), pack_content(disclosure.manifest.statement, ())),
        "request_id": None,
    }


def _note_relations(ports: Ports, tx: Transaction, sender: str, kept: Sequence[tuple[int, Disclosure]], new: set[bytes]) -> None:
    first = {disclosure.manifest.digest: disclosure for _, disclosure in reversed(kept) if disclosure.manifest.digest in new}
    answers = [(d.entry.in_reply_to, digest) for digest, d in first.items() if d.entry.in_reply_to]
    alerts.note_answers(tx, answers, outbound=False)
    for digest, disclosure in first.items():
        earlier = list(disclosure.manifest.value.supersedes)
        if earlier:
            alerts.note_supersessions(tx, [(one, digest) for one in earlier], disclosure.manifest.value.originator)
            events = [Event(code="SUPERSEDED", subject=one) for one in earlier]
            ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_ALTERATION, sender, events)


def _receipt(
    ports: Ports,
    tx: Transaction,
    incoming: Incoming,
    batch: disclosure_pb2.Batch,
    extension: Extension,
    excepted: Sequence[tuple[int, int]],
    now: int,
) -> statement_pb2.Statement | None:
    size = extension.frontier.size
    if size <= incoming.receipted:
        # We said this once and lost it: never again for those indexes. Now we know what stands behind the adopted receipt.
        logs.complete_receipt(tx, incoming.log.id, size, extension.frontier, batch.checkpoint)
        return None
    new = [(index, code) for index, code in excepted if index >= incoming.receipted]
    statement = issue(extension.checkpoint, incoming.receipted, now, new, ports.signers.receipt)
    row = ReceiptRow(
        size=size,
        previous_size=incoming.receipted,
        received_at=now,
        frontier=extension.frontier,
        checkpoint=batch.checkpoint,
        statement=statement.SerializeToString(),
    )
    logs.add_receipt(tx, incoming.log.id, row, new)
    return statement
