"""One disclosure log as its store keeps it: its tree (`node.operations.tree_check`), then every signature over it.

Beside the codes of the tree: LOG_ROW, RECEIPT_UNVERIFIED, RECEIPT_ROOT, RECEIPT_ROW, RECEIPT_TILES, RECEIPT_BEYOND_LOG,
CHECKPOINT_UNVERIFIED, CHECKPOINT_MISSING, EXCEPTION_MISMATCH, EXCEPTION_OUTSIDE_RECEIPT, HIGH_WATER_MISSING, HIGH_WATER_ROLLBACK,
HIGH_WATER_FORK, HIGH_WATER_UNREADABLE, PARTNER_UNKNOWN.

The two passes meet in the edge that is kept beside each receipt: the first compares it with the entries, the second with what both
countries signed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from exchange.directory import KnownNode
from exchange.encoding import CAP_STATEMENT, decode
from exchange.errors import ExchangeError, Unverified
from exchange.log import open_log_checkpoint
from exchange.receipt import OpenedReceipt, open_receipt_of
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import Frontier
from exchange.tlog.note import split_note
from exchange.tlog.tree import frontier_at
from exchange.v1 import statement_pb2
from node.operations.findings import Findings, Step
from node.operations.tree_check import Expectations, Expected, Tree, check_tree
from node.ports import Known
from node.store import logs
from node.store.directory import all_alarms
from node.store.engine import Store
from node.store.errors import StoreFailed
from node.store.high_water import HighWater, Mark
from node.store.logs import LogRow
from node.store.nodes import StoredHashes
from node.store.scan import ReceiptRecord, edges_in, entries_beyond, exceptions_beyond, leaves_of_log, newest_receipted, receipts_from
from node.store.transaction import Transaction

_PAGE = 256
_NAMED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """A log as it stood at one moment of the check."""

    log: LogRow
    edge: Frontier | None
    """As it is recorded; None if what is recorded is no edge at all, which was said."""
    receipted: int
    received_at: int
    """When the newest receipt was given, Unix milliseconds; 0 if there is none."""
    rolled_back: bool
    """This node lost what it had receipted, and adopted its receipts from the sender."""
    missing: int
    """How many more entries its recorded size says that it has."""


def view_log(tx: Transaction, log: LogRow, edge: Frontier | None, missing: int) -> LogView:
    """What is needed to judge a log, in one snapshot."""
    origin = log.name.origin
    receipted, received_at = newest_receipted(tx, log.id)
    rolled_back = any((alarm.code, alarm.origin) == ("OWN_ROLLBACK", origin) for alarm in all_alarms(tx))
    return LogView(log=log, edge=edge, receipted=receipted, received_at=received_at, rolled_back=rolled_back, missing=missing)


def check_log(
    store: Store, high_water: HighWater, known: Known, view: LogView, findings: Findings, anchors: Expectations | None = None
) -> Iterator[Step]:
    """Recompute a log and verify every signature over it; what is wrong is added to `findings`."""
    log, origin = view.log, view.log.name.origin
    findings.counts["logs"] += 1
    with store.read() as tx:
        mark = _check_bounds(tx, high_water, view, findings)
    sources: list[Expectations] = [_edges_of_receipts(log.id)]
    if mark is not None and 0 < mark.size <= log.size:
        sources.append(_at_mark(mark, ended=log.state == "ended"))
    if anchors is not None:
        sources.append(anchors)
    tree = Tree(
        origin=origin,
        log_id=log.id,
        leaves=leaves_of_log(log.id),
        size=log.size,
        edge=view.edge,
        expected=sources,
        missing=view.missing,
    )
    yield from check_tree(store, tree, findings)
    checker = _Signatures(view=view, known=known, findings=findings)
    while True:
        yield Step("signatures", origin, checker.tiled, log.size)
        with store.read() as tx:
            page = receipts_from(tx, log.id, checker.above, _PAGE)
            for record in page:
                checker.check(tx, record)
        if len(page) < _PAGE:
            break
    checker.finish()
    yield Step("signatures", origin, log.size, log.size)


def _edges_of_receipts(log_id: int) -> Expectations:
    def expected(tx: Transaction, start: int, end: int) -> Iterable[Expected]:
        message = "the entries do not lead to the edge that is kept beside the receipt of this size"
        for size, packed in edges_in(tx, log_id, start, end):
            if packed != b"":  # an adopted receipt has none until its entries are here again; the signatures are checked without it
                yield Expected(size=size, packed=packed, code="RECEIPT_ROW", message=message)

    return expected


def _at_mark(mark: Mark, *, ended: bool) -> Expectations:
    def expected(_tx: Transaction, start: int, end: int) -> Iterable[Expected]:
        if start < mark.size <= end:
            message = "the log has another root than the one that was signed"
            # What ended a log is settled with the partner.
            yield Expected(size=mark.size, root=mark.root, code="HIGH_WATER_FORK", message=message, explained=ended)

    return expected


def _check_bounds(tx: Transaction, high_water: HighWater, view: LogView, findings: Findings) -> Mark | None:
    log, origin = view.log, view.log.name.origin
    for index in entries_beyond(tx, log.id, log.size, _NAMED):
        findings.error("ENTRY_BEYOND_LOG", "an entry stands outside the size of its log", origin=origin, index=index)
    if view.receipted > log.size:
        tell = findings.warning if view.rolled_back else findings.error
        tell("RECEIPT_BEYOND_LOG", "a receipt covers entries that are not here", origin=origin, index=log.size)
    for index in exceptions_beyond(tx, log.id, view.receipted, _NAMED):
        findings.error("EXCEPTION_OUTSIDE_RECEIPT", "an exception stands where no receipt does", origin=origin, index=index)
    if not log.outbound:
        return None
    try:
        mark = high_water.get(origin)
    except StoreFailed as failed:
        findings.error(failed.code, str(failed), origin=origin)
        return None
    if mark is None and view.receipted:
        findings.error("HIGH_WATER_MISSING", "a log that was signed has no high-water record", origin=origin)
    elif mark is not None and mark.size > log.size:
        with_cause = log.state == "ended"  # what ended it is settled with the partner
        tell = findings.warning if with_cause else findings.error
        tell("HIGH_WATER_ROLLBACK", "the log is shorter than what was signed", origin=origin, index=log.size, count=mark.size - log.size)
    return mark


@dataclass(slots=True, kw_only=True)
class _Signatures:
    """Walks the receipts of one log from its beginning."""

    view: LogView
    known: Known
    findings: Findings
    tiled: int = 0
    """How far the receipts reach without a gap."""
    above: int = -1
    broken: bool = False
    """A receipt is for another history than the log's: so is each one after it, which is not said again."""
    sender: KnownNode | None = field(init=False)
    recipient: KnownNode | None = field(init=False)

    def __post_init__(self) -> None:
        nodes = {self.known.own.trust_domain: self.known.own, **self.known.nodes()}
        self.sender = nodes.get(self.view.log.name.sender)
        self.recipient = nodes.get(self.view.log.name.recipient)
        if self.sender is None or self.recipient is None:
            message = "signatures are not checked: this partner is not known any more"
            self.findings.warning("PARTNER_UNKNOWN", message, origin=self._origin)

    @property
    def _origin(self) -> str:
        return self.view.log.name.origin

    def check(self, tx: Transaction, record: ReceiptRecord) -> None:
        """Check one receipt against the edge beside it, the row that keeps it, and the signatures of both countries."""
        self.above = record.size
        self.findings.counts["receipts"] += 1
        first, self.tiled = self.tiled, record.size
        if record.previous_size != first:
            self._wrong("RECEIPT_TILES", "the receipt does not begin where the last one ended", first, record)
        edge = self._edge(tx, first, record)
        if self.recipient is None or self.sender is None or edge is None:
            return
        checkpoint = Checkpoint(origin=self._origin, size=record.size, root=edge.root())
        try:
            opened = _open(record, self.recipient)
        except ExchangeError as refused:
            self._wrong("RECEIPT_UNVERIFIED", f"the receipt does not hold: {refused.code}", first, record)
            return
        self._compare(tx, first, record, opened, checkpoint)
        if record.checkpoint != b"":
            self._check_note(record.checkpoint, checkpoint, self.sender, opened.receipt.value.received_at, first)
        else:
            message = "the sender's checkpoint was lost with a restored backup: there is no evidence from this receipt"
            tell = self.findings.warning if self.view.rolled_back or self.view.log.outbound else self.findings.error
            tell("CHECKPOINT_MISSING", message, origin=self._origin, index=first, count=record.size - first)

    def finish(self) -> None:
        """Check the newest note of a mirror, over its edge as it is recorded."""
        view = self.view
        if not view.log.outbound and view.log.size and self.sender is not None and view.edge is not None:
            edge = Checkpoint(origin=self._origin, size=view.log.size, root=view.edge.root())
            self._check_note(view.log.checkpoint, edge, self.sender, view.received_at, view.log.size - 1)

    def _edge(self, tx: Transaction, first: int, record: ReceiptRecord) -> Frontier | None:
        """The edge beside a receipt; for one that was adopted and has none, that of the stored tree."""
        if record.size > self.view.log.size:
            return None
        try:
            if record.frontier != b"":
                return logs.unpack(record.size, record.frontier)
            if not self.view.rolled_back:
                self._wrong("RECEIPT_ROW", "no edge is kept beside the receipt", first, record)
            return frontier_at(StoredHashes(tx, self.view.log.id), record.size)
        except (ExchangeError, TypeError):
            return None  # the pass over the tree says what is wrong with it

    def _compare(self, tx: Transaction, first: int, record: ReceiptRecord, opened: OpenedReceipt, checkpoint: Checkpoint) -> None:
        receipt = opened.receipt.value
        if opened.checkpoint == checkpoint:
            self.broken = False
        elif (opened.checkpoint.origin, opened.checkpoint.size) != (checkpoint.origin, checkpoint.size):
            self._wrong("RECEIPT_ROOT", "the receipt is of another log or of another size", first, record)
        elif not self.broken:
            self._wrong("RECEIPT_ROOT", "the receipt is for another history than the log's", first, record)
            self.broken = True
        if (receipt.previous_size, receipt.received_at) != (record.previous_size, record.received_at):
            self._wrong("RECEIPT_ROW", "what is kept beside the receipt is not what it says", first, record)
        said = {exception.index: int(exception.code) for exception in receipt.exceptions}
        held = logs.exception_codes(tx, self.view.log.id, first, record.size)
        for index in sorted(index for index in said.keys() | held.keys() if said.get(index) != held.get(index)):
            message = "the exceptions kept are not those of the receipt"
            self.findings.error("EXCEPTION_MISMATCH", message, origin=self._origin, index=index)

    def _check_note(self, note: object, checkpoint: Checkpoint, sender: KnownNode, at: int, first: int) -> None:
        try:
            if not isinstance(note, bytes) or open_log_checkpoint(note, self.view.log.name, sender, at) != checkpoint:
                raise Unverified("CHECKPOINT_ROOT")
            if len(split_note(note)[1]) != 1:
                raise Unverified("CHECKPOINT_LINES")  # a line that no key of the sender's vouches for
        except ExchangeError as refused:
            message = f"the sender's checkpoint does not hold: {refused.code}"
            index = max(first, 0)
            self.findings.error("CHECKPOINT_UNVERIFIED", message, origin=self._origin, index=index, count=checkpoint.size - index)

    def _wrong(self, code: str, message: str, first: int, record: ReceiptRecord) -> None:
        first = min(first, record.size - 1)
        self.findings.error(code, message, origin=self._origin, index=first, count=record.size - first)


def _open(record: ReceiptRecord, recipient: KnownNode) -> OpenedReceipt:
    if not isinstance(record.statement, bytes):
        raise Unverified("NOT_PROTOBUF")
    return open_receipt_of(decode(statement_pb2.Statement, record.statement, CAP_STATEMENT), recipient)
