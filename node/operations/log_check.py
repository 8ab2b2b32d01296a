"""One disclosure log, recomputed from its entries: every leaf, root, receipt and checkpoint, in pages of bounded memory.

What is found has one of these codes: ENTRY_MISSING, ENTRY_LEAF, ENTRY_MALFORMED, ENTRY_BEYOND_LOG, DISCLOSED_AT_FALLS, LOG_FRONTIER,
RECEIPT_UNVERIFIED, RECEIPT_ROOT, RECEIPT_ROW, RECEIPT_TILES, RECEIPT_BEYOND_LOG, CHECKPOINT_UNVERIFIED, CHECKPOINT_MISSING,
EXCEPTION_MISMATCH, EXCEPTION_OUTSIDE_RECEIPT, HIGH_WATER_MISSING, HIGH_WATER_ROLLBACK, HIGH_WATER_FORK, HIGH_WATER_UNREADABLE,
PARTNER_UNKNOWN.
"""

from collections.abc import Callable
from dataclasses import dataclass

from exchange.directory import KnownNode
from exchange.disclosure import check_entry
from exchange.encoding import CAP_ENTRY, decode
from exchange.errors import ExchangeError, Unverified
from exchange.log import open_log_checkpoint
from exchange.receipt import open_receipt_of
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.v1 import disclosure_pb2, statement_pb2
from node.operations.findings import Findings
from node.ports import Known
from node.store import logs
from node.store.directory import all_alarms
from node.store.engine import Store
from node.store.errors import StoreFailed
from node.store.high_water import HighWater, Mark
from node.store.logs import EntryRow, LogRow, ReceiptRow
from node.store.strays import entries_from
from node.store.transaction import Transaction

PAGE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """A log as it stood at one moment of the check."""

    log: LogRow
    receipted: int
    received_at: int
    """When the newest receipt was given, Unix milliseconds; 0 if there is none."""
    rolled_back: bool
    """This node lost what it had receipted, and adopted its receipts from the sender."""


Visit = Callable[[Transaction, LogView, list[EntryRow], dict[int, int]], None]
"""Told of each page: the log, its entries, and the exceptions among them by index."""


def check_log(
    store: Store, high_water: HighWater, known: Known, origin: str, findings: Findings, visit: Visit | None = None
) -> LogView | None:
    """Recompute the log `origin` and add what is wrong to `findings`; None if there is no such log."""
    try:
        # Read first: in a sound node the log can only have grown since.
        mark = high_water.get(origin)
    except StoreFailed as failed:
        findings.error(failed.code, str(failed), origin=origin)
        mark = None
    with store.read() as tx:
        view = _view(tx, origin)
        if view is None:
            return None
        _check_edges(tx, view, mark, findings)
    findings.counts["logs"] += 1
    checker = _LogChecker(view=view, known=known, findings=findings)
    for start in range(0, view.log.size, PAGE):
        with store.read() as tx:
            page = logs.entry_rows(tx, view.log.id, start, min(start + PAGE, view.log.size))
            if not checker.take(tx, page):
                return view
            if visit is not None:
                visit(tx, view, page, logs.exception_codes(tx, view.log.id, page[0].idx, page[-1].idx + 1))
    checker.finish()
    return view


def _view(tx: Transaction, origin: str) -> LogView | None:
    log = logs.find_log(tx, origin)
    if log is None:
        return None
    newest = logs.newest_receipt(tx, log.id)
    rolled_back = any((alarm.code, alarm.origin) == ("OWN_ROLLBACK", origin) for alarm in all_alarms(tx))
    return LogView(
        log=log, receipted=newest.size if newest else 0, received_at=newest.received_at if newest else 0, rolled_back=rolled_back
    )


def _check_edges(tx: Transaction, view: LogView, mark: Mark | None, findings: Findings) -> None:
    log, origin = view.log, view.log.name.origin
    if entries_from(tx, log.id, log.size):
        findings.error("ENTRY_BEYOND_LOG", "entries stand above the size of their log", origin=origin, index=log.size)
    if view.receipted > log.size:
        tell = findings.warning if view.rolled_back else findings.error
        tell("RECEIPT_BEYOND_LOG", "a receipt covers entries that are not here", origin=origin, index=log.size)
    if logs.exception_codes(tx, log.id, view.receipted, 2**62):
        findings.error("EXCEPTION_OUTSIDE_RECEIPT", "an exception stands where no receipt does", origin=origin, index=view.receipted)
    if not log.outbound:
        return
    if mark is None:
        if view.receipted:
            findings.error("HIGH_WATER_MISSING", "a log that was signed has no high-water record", origin=origin)
    elif mark.size > log.size:
        tell = findings.warning if log.state == "ended" else findings.error  # what ended it is settled with the partner
        tell("HIGH_WATER_ROLLBACK", "the log is shorter than what was signed", origin=origin, index=log.size)
    elif logs.frontier_at(tx, log, mark.size).root() != mark.root:
        tell = findings.warning if log.state == "ended" else findings.error
        tell("HIGH_WATER_FORK", "the log has another root than the one that was signed", origin=origin, index=mark.size)


class _LogChecker:
    """Walks one log from its beginning."""

    def __init__(self, *, view: LogView, known: Known, findings: Findings) -> None:
        self._log = view.log
        self._received_at = view.received_at
        self._origin = view.log.name.origin
        self._findings = findings
        self._frontier = Frontier.empty()
        self._tiled = 0
        self._disclosed_at = 0
        nodes = {known.own.trust_domain: known.own, **known.nodes()}
        self._sender: KnownNode | None = nodes.get(view.log.name.sender)
        self._recipient: KnownNode | None = nodes.get(view.log.name.recipient)
        if self._sender is None or self._recipient is None:
            findings.warning("PARTNER_UNKNOWN", "signatures are not checked: this partner is not known any more", origin=self._origin)

    def take(self, tx: Transaction, page: list[EntryRow]) -> bool:
        """Check a page and the receipts that end in it; false if the log cannot be followed any further."""
        start = self._frontier.size
        end = min(start + PAGE, self._log.size)
        if [row.idx for row in page] != list(range(start, end)):
            self._findings.error("ENTRY_MISSING", "the log has a gap", origin=self._origin, index=start)
            return False
        excepted = logs.exception_codes(tx, self._log.id, start, end)
        for row in page:
            self._check_row(row, excepted=row.idx in excepted)
        self._findings.counts["entries"] += len(page)
        for receipt in logs.receipts_above(tx, self._log.id, start, PAGE):
            if receipt.size > end:
                break
            self._frontier = self._frontier.extend(row.leaf for row in page[self._frontier.size - start : receipt.size - start])
            self._check_receipt(tx, receipt)
        self._frontier = self._frontier.extend(row.leaf for row in page[self._frontier.size - start :])
        return True

    def finish(self) -> None:
        """Compare the recomputed edge with the recorded one."""
        if self._frontier != self._log.frontier:
            self._findings.error("LOG_FRONTIER", "the entries do not lead to the recorded root", origin=self._origin, index=self._log.size)
        if not self._log.outbound and self._log.size and self._sender is not None:
            edge = Checkpoint(origin=self._origin, size=self._log.size, root=self._frontier.root())
            self._check_note(self._log.checkpoint, edge, self._sender, self._received_at)

    def _check_row(self, row: EntryRow, *, excepted: bool) -> None:
        if row.leaf != leaf_hash(row.entry):
            self._findings.error("ENTRY_LEAF", "the leaf is not the hash of the entry", origin=self._origin, index=row.idx)
        try:
            entry = decode(disclosure_pb2.Entry, row.entry, CAP_ENTRY)
            check_entry(entry, self._log.name.recipient)
        except ExchangeError:
            # What a partner logged and we excepted may be anything at all.
            if self._log.outbound or not excepted:
                self._findings.error("ENTRY_MALFORMED", "the entry breaks a rule of its form", origin=self._origin, index=row.idx)
            return
        if entry.disclosed_at < self._disclosed_at and not entry.succession:
            tell = self._findings.error if self._log.outbound else self._findings.warning
            tell("DISCLOSED_AT_FALLS", "an entry bears an earlier time than the one before it", origin=self._origin, index=row.idx)
        self._disclosed_at = max(self._disclosed_at, entry.disclosed_at)

    def _check_receipt(self, tx: Transaction, row: ReceiptRow) -> None:
        self._findings.counts["receipts"] += 1
        if row.previous_size != self._tiled:
            self._wrong("RECEIPT_TILES", "the receipt does not begin where the last one ended", row)
        first, self._tiled = self._tiled, row.size
        checkpoint = Checkpoint(origin=self._origin, size=row.size, root=self._frontier.root())
        if row.frontier.size and row.frontier != self._frontier:
            self._wrong("RECEIPT_ROW", "the edge kept beside the receipt is not the log's", row)
        if self._recipient is None or self._sender is None:
            return
        try:
            opened = open_receipt_of(statement_pb2.Statement.FromString(row.statement), self._recipient)
        except ExchangeError as refused:
            self._wrong("RECEIPT_UNVERIFIED", f"the receipt does not hold: {refused.code}", row)
            return
        receipt = opened.receipt.value
        if opened.checkpoint != checkpoint:
            self._wrong("RECEIPT_ROOT", "the receipt is for another history than the log's", row)
        if (receipt.previous_size, receipt.received_at) != (row.previous_size, row.received_at):
            self._wrong("RECEIPT_ROW", "what is kept beside the receipt is not what it says", row)
        said = {exception.index: int(exception.code) for exception in receipt.exceptions}
        if said != logs.exception_codes(tx, self._log.id, first, row.size):
            self._wrong("EXCEPTION_MISMATCH", "the exceptions kept are not those of the receipt", row)
        if row.checkpoint:
            self._check_note(row.checkpoint, checkpoint, self._sender, receipt.received_at)
        else:
            message = "the sender's checkpoint was lost with a restored backup: there is no evidence from this receipt"
            self._findings.warning("CHECKPOINT_MISSING", message, origin=self._origin, index=row.size - 1)

    def _check_note(self, note: bytes, checkpoint: Checkpoint, sender: KnownNode, at: int) -> None:
        try:
            if open_log_checkpoint(note, self._log.name, sender, at) != checkpoint:
                raise Unverified("CHECKPOINT_ROOT")
        except ExchangeError as refused:
            message = f"the sender's checkpoint does not hold: {refused.code}"
            self._findings.error("CHECKPOINT_UNVERIFIED", message, origin=self._origin, index=checkpoint.size - 1)

    def _wrong(self, code: str, message: str, row: ReceiptRow) -> None:
        self._findings.error(code, message, origin=self._origin, index=row.size - 1)
