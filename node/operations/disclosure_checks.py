"""The numbered checks of the protocol, run again on one disclosure as it is stored: S1 to S4, D1 to D11, R1 to R4, E11 and E12.

They are the recipient's and the owner's own checks, called with what was known when the entry came; content is opened inside and
never handed on. What cannot be asked twice says so: that a batch came over its owner's connection, and by whose clock.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from google.protobuf.message import DecodeError

from exchange.agreement import Agreed, open_agreement
from exchange.anchor import Anchored, open_anchor
from exchange.directory import KnownNode
from exchange.disclosure import accept, check_entry, obeys_rules, open_content, open_form, open_signed
from exchange.encoding import CAP_ENTRY, decode
from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Unverified
from exchange.log import open_log_checkpoint
from exchange.receipt import OpenedReceipt, open_receipt_of
from exchange.recipient import Recipient
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import leaf_hash, verify_inclusion
from exchange.tlog.tree import prove_inclusion
from exchange.v1 import disclosure_pb2, evidence_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS
from node.documents import loosely
from node.operations.held_then import HeldThen
from node.operations.proof import Contents
from node.ports import Ports
from node.store import logs
from node.store.alerts import AlertRow
from node.store.logs import EntryRow, LogRow, ReceiptRow
from node.store.nodes import StoredHashes
from node.store.transaction import Transaction

NUMBERS: Final = (
    *("S1", "S2", "S3", "S4"),
    *("D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11"),
    *("R1", "R2", "R3", "R4", "E11", "E12"),
)
"""Every check in the order in which it is run."""
CODES: Final = {
    "D1": {"DELIVERY_MALFORMED"},
    "D2": {"MANIFEST_UNVERIFIED"},
    "D3": {"NOT_THE_ORIGINATOR"},
    "D4": {"MANIFEST_MALFORMED", "PROFILE_UNKNOWN"},
    "D5": {"OPENINGS_MISMATCH"},
    "D6": {"COMMITMENT_MISMATCH"},
    "D7": {"FRAGMENT_MALFORMED"},
    "D8": {"NOT_AGREED", "REQUIRED_MISSING"},
    "D9": {"EXPIRED", "FROM_THE_FUTURE", "TRAINING_MISMATCH"},
    "D10": {"CONFLICT", "WITHDRAWN"},
    "D11": {"SCHEMA"},
}
"""Which of the recipient's checks refuses with which code, as `exchange.disclosure` says; a test compares them."""


class Verdict(StrEnum):
    """What a check says when it is run again."""

    HOLDS = "HOLDS"
    FAILS = "FAILS"
    NOT_RUN = "NOT_RUN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check and its verdict; `code` says why it does not hold, or why it cannot be run."""

    number: str
    verdict: Verdict
    code: str = ""


@dataclass(slots=True, kw_only=True)
class Subject:
    """One entry with all that is stored about it."""

    ports: Ports
    tx: Transaction
    log: LogRow
    row: EntryRow
    alert: AlertRow | None
    receipt: ReceiptRow | None
    sender: KnownNode
    recipient: KnownNode
    anchors: Sequence[evidence_pb2.Anchor]
    checkpoint: Checkpoint | None = None
    """Of the receipt, once the sender's signature was found to hold."""
    opened: OpenedReceipt | None = None
    """Once its signature was found to hold."""
    anchored: list[Anchored] = field(default_factory=list)


def run_checks(subject: Subject) -> list[Check]:
    """Every check of `NUMBERS`, in order."""
    return [*_stream(subject), *_delivery(subject), *_receipt(subject), *_anchors(subject)]


def _stream(subject: Subject) -> Iterator[Check]:
    log, entry = subject.log, subject.row.entry
    yield _ask("S1", lambda: _hold(len(entry) <= CAP_ENTRY, "BATCH_CAP"))
    parties = (log.name.sender, log.name.recipient)
    yield _ask("S2", lambda: _hold(parties == (subject.sender.trust_domain, subject.recipient.trust_domain), "NOT_THE_LOG_OWNER"))
    yield _ask("S3", lambda: _in_the_tree(subject))
    if subject.receipt is None or not subject.receipt.checkpoint:
        yield _not_run("S4", "NOT_RECEIPTED" if subject.receipt is None else "CHECKPOINT_MISSING")
        return
    yield _ask("S4", lambda: _open_checkpoint(subject))


def _in_the_tree(subject: Subject) -> None:
    log, row = subject.log, subject.row
    size, root = log.size, log.frontier.root()
    _hold(leaf_hash(row.entry) == row.leaf, "LOG_MISMATCH")
    verify_inclusion(row.leaf, row.idx, size, prove_inclusion(StoredHashes(subject.tx, log.id), row.idx, size), root)


def _open_checkpoint(subject: Subject) -> None:
    assert subject.receipt is not None  # noqa: S101 - asked before; said for the type checker
    signed = open_log_checkpoint(subject.receipt.checkpoint, subject.log.name, subject.sender, subject.receipt.received_at)
    row, size = subject.row, signed.size
    verify_inclusion(row.leaf, row.idx, size, prove_inclusion(StoredHashes(subject.tx, subject.log.id), row.idx, size), signed.root)
    subject.checkpoint = signed


def _delivery(subject: Subject) -> Iterator[Check]:
    numbers = [number for number in NUMBERS if number.startswith("D")]
    if subject.alert is None or subject.alert.wrapped_key is None:
        yield _ask("D1", lambda: check_entry(decode(disclosure_pb2.Entry, subject.row.entry, CAP_ENTRY), subject.log.name.recipient))
        yield from (_not_run(number, "ERASED" if subject.alert else "CONTENT_NOT_HERE") for number in numbers[1:])
        return
    code = ""
    try:
        _open(subject, subject.alert)
    except NotFound as gone:  # the key of its period was destroyed
        yield from (_not_run(number, gone.code) for number in numbers)
        return
    except (ExchangeError, DecodeError) as error:
        code = error.code if isinstance(error, ExchangeError) else "CONTENT_UNREADABLE"
    # What is stored beside the entry and does not open at all is no delivery either.
    failed = next((number for number in numbers if code in CODES[number]), "D1" if code else "")
    reached = numbers.index(failed) if failed else len(numbers)
    yield from (Check(number=number, verdict=Verdict.HOLDS) for number in numbers[:reached])
    if failed:
        yield Check(number=failed, verdict=Verdict.FAILS, code=code)
        yield from (_not_run(number, "CHECK_BEFORE_FAILED") for number in numbers[reached + 1 :])


def _open(subject: Subject, alert: AlertRow) -> None:
    """Run D1 to D11 as the recipient did, at the time of its receipt."""
    ports, tx, log, row = subject.ports, subject.tx, subject.log, subject.row
    entry = loosely(disclosure_pb2.Entry, row.entry)
    contents = Contents(ports, tx)
    permit = contents.permit(entry.permit_digest)
    delivery = disclosure_pb2.Delivery(
        entry=row.entry,
        manifest=contents.manifest(alert),
        openings=contents.openings(log, row, entry, alert),
        attached=[permit] if permit is not None else [],
    )
    now = subject.receipt.received_at if subject.receipt else entry.disclosed_at
    recipient = Recipient(
        trust_domain=log.name.recipient,
        training=ports.training,
        sender=subject.sender,
        nodes={ports.trust_domain: ports.known.own, **ports.known.nodes()},
        agreements=_agreement(subject, contents, entry, now),
        now=now,
    )
    content = open_content(open_signed(open_form(delivery, recipient), recipient))
    accept(content, recipient, HeldThen(tx, log, row.idx), lawful=obeys_rules(content))


def _agreement(subject: Subject, contents: Contents, entry: disclosure_pb2.Entry, now: int) -> dict[bytes, Agreed]:
    """The agreement that the entry names, as it held then: also one that was replaced since."""
    statement = contents.agreement(entry.agreement_digest)
    if statement is None:
        return {}
    try:
        return {entry.agreement_digest: open_agreement(statement, (subject.sender, subject.recipient), held_since=now)}
    except ExchangeError:
        return {}  # D8 then says that there is none


def _receipt(subject: Subject) -> Iterator[Check]:
    receipt = subject.receipt
    if receipt is None:
        yield from (_not_run(number, "NOT_RECEIPTED") for number in ("R1", "R2", "R3", "R4"))
        return
    yield _ask("R1", lambda: _open_receipt(subject, receipt))
    opened = subject.opened
    if opened is None:
        yield from (_not_run(number, "CHECK_BEFORE_FAILED") for number in ("R2", "R3", "R4"))
        return
    if subject.checkpoint is None:
        yield _not_run("R2", "CHECKPOINT_MISSING" if not receipt.checkpoint else "CHECK_BEFORE_FAILED")
    else:
        yield _ask("R2", lambda: _hold(opened.checkpoint == subject.checkpoint, "RECEIPT_CHECKPOINT"))
    yield _ask("R3", lambda: _tiles(subject, opened))
    yield _ask("R4", lambda: _after(opened, subject.row))


def _open_receipt(subject: Subject, receipt: ReceiptRow) -> None:
    subject.opened = open_receipt_of(statement_pb2.Statement.FromString(receipt.statement), subject.recipient)


def _tiles(subject: Subject, opened: OpenedReceipt) -> None:
    said = opened.receipt.value
    _hold(said.previous_size <= subject.row.idx < opened.checkpoint.size, "RECEIPT_TILES")
    before = logs.receipt_covering(subject.tx, subject.log.id, said.previous_size - 1) if said.previous_size else None
    _hold((before.size if before else 0) == said.previous_size, "RECEIPT_TILES")
    excepted = {exception.index: int(exception.code) for exception in said.exceptions}
    held = logs.exception_codes(subject.tx, subject.log.id, said.previous_size, opened.checkpoint.size)
    _hold(excepted == held, "RECEIPT_TILES")


def _after(opened: OpenedReceipt, row: EntryRow) -> None:
    """By whose clock it came nobody can ask again; a receipt from before its entry would show a false one."""
    disclosed_at = loosely(disclosure_pb2.Entry, row.entry).disclosed_at
    _hold(opened.receipt.value.received_at + CLOCK_SKEW_MS >= disclosed_at, "RECEIPT_CLOCK")


def _anchors(subject: Subject) -> Iterator[Check]:
    opened = subject.opened
    if not subject.anchors or opened is None:
        yield from (_not_run(number, "NOT_ANCHORED") for number in ("E11", "E12"))
        return
    yield _ask("E11", lambda: _open_anchors(subject, opened))
    if subject.ports.witnessing.policy is None:
        yield _not_run("E12", "NO_POLICY")
    else:
        yield _ask("E12", lambda: _hold(any(one.witnessed_at for one in subject.anchored), "EVIDENCE_WITNESSED"))


def _open_anchors(subject: Subject, opened: OpenedReceipt) -> None:
    nodes, policy = (subject.sender, subject.recipient), subject.ports.witnessing.policy
    subject.anchored.extend(open_anchor(anchor, opened, nodes, policy) for anchor in subject.anchors)


def _hold(holds: bool, code: str) -> None:  # noqa: FBT001  one statement, and what it is called when it is not so
    if not holds:
        raise Unverified(code)


def _ask(number: str, check: Callable[[], None]) -> Check:
    try:
        check()
    except (Malformed, Unverified, Conflict) as error:
        return Check(number=number, verdict=Verdict.FAILS, code=error.code)
    return Check(number=number, verdict=Verdict.HOLDS)


def _not_run(number: str, code: str) -> Check:
    return Check(number=number, verdict=Verdict.NOT_RUN, code=code)
