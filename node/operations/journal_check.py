"""The journal, recomputed: its tree, the form of each entry and what repeats it, the details that it commits to, and its anchors.

Beside the codes of the tree (`node.operations.tree_check`): JOURNAL_ROW, JOURNAL_ENTRY_MALFORMED, JOURNAL_TIME_FALLS,
JOURNAL_COLUMNS, JOURNAL_ROLLBACK, JOURNAL_FORK, HIGH_WATER_UNREADABLE, DETAIL_MISSING, DETAIL_UNREADABLE, DETAIL_MISMATCH,
DETAIL_SURPLUS, ANCHOR_ROOT, ANCHOR_BEYOND_LOG, ANCHOR_FALLS.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from exchange.errors import ExchangeError
from exchange.journal import SALT_SIZE, commit_detail, journal_origin, open_journal_entry
from exchange.tlog.merkle import Frontier
from exchange.v1.journal_pb2 import JOURNAL_KIND_ANCHOR, JOURNAL_KIND_ERASURE, JournalEntry
from node.operations.checkpoint_check import expected_checkpoints
from node.operations.findings import Findings, Step
from node.operations.tree_check import Expectations, Expected, Tree, check_tree
from node.ports import Known
from node.store import logs
from node.store.engine import Store
from node.store.envelope import SealingKey
from node.store.errors import StoreFailed
from node.store.high_water import HighWater, Mark
from node.store.journal import ACCOUNTABILITY, PERSONAL, columns, purpose_of_detail
from node.store.logs import LogRow
from node.store.nodes import journal_log
from node.store.scan import leaves_of_journal
from node.store.scan_journal import (
    JournalRecord,
    anchors_after,
    details_in,
    details_of_nothing,
    event_at,
    events_in,
    journal_length,
    journals,
    outside_journal,
)
from node.store.transaction import Transaction
from node.store.vault import Vault

_CHUNK: Final = 1024
_PAGE: Final = 256
_NAMED: Final = 100
_GROUPS: Final = ((ACCOUNTABILITY, ACCOUNTABILITY.encode()), (PERSONAL, PERSONAL.encode()))


def check_journal_trees(store: Store, high_water: HighWater, known: Known, findings: Findings) -> Iterator[Step]:
    """Recompute the tree of each generation of the journal, to what was ever signed of it."""
    with store.read() as tx:
        found = journals(tx)
    for record in found:
        origin = journal_origin(known.own.trust_domain, record.generation)
        newest = record is found[-1]
        with store.read() as tx:
            tree = _tree(tx, record, origin, findings)
        mark = _mark(high_water, origin, findings)
        if mark is not None and mark.size > tree.size:
            tell = findings.error if newest else findings.warning  # why an earlier one ended is settled with its witnesses
            message = "the journal is shorter than what was signed of it"
            tell("JOURNAL_ROLLBACK", message, origin=origin, index=tree.size, count=mark.size - tree.size)
            mark = None
        sources = [expected_checkpoints(origin)]
        if mark is not None:
            sources.append(_at_mark(mark, explained=not newest))
        yield from check_tree(store, replace(tree, expected=sources), findings)


def check_journal_entries(store: Store, vault: Vault, known: Known, by_origin: Mapping[str, LogRow], findings: Findings) -> Iterator[Step]:
    """Check each entry of the journal, the columns that repeat it, and the details that it commits to."""
    with store.read() as tx:
        found = journals(tx)
        keys = {name: _key(vault, tx, name, findings) for name, _ in _GROUPS}
        for generation, index in details_of_nothing(tx, _NAMED):
            origin = journal_origin(known.own.trust_domain, generation)
            findings.error("DETAIL_SURPLUS", "a detail stands beside no entry of the journal", origin=origin, index=index)
    for record in found:
        origin = journal_origin(known.own.trust_domain, record.generation)
        with store.read() as tx:
            size = journal_length(tx, record.generation)
        checker = _EventChecker(generation=record.generation, origin=origin, keys=keys, by_origin=by_origin, findings=findings)
        for start in range(0, size, _CHUNK):
            yield Step("journal", origin, start, size)
            with store.read() as tx:
                checker.take(tx, start, min(start + _CHUNK, size))
        checker.finish()
        yield Step("journal", origin, size, size)


class Anchors:
    """What the journal's anchors say of one log, in the order of its sizes: an `Expectations` of its tree."""

    def __init__(self, origin: str, findings: Findings) -> None:
        self._origin = origin
        self._findings = findings
        self._place = (0, -1)
        self._waiting: list[Expected] = []
        self._reached = 0

    def __call__(self, tx: Transaction, start: int, end: int) -> Iterable[Expected]:
        """The anchors above `start` up to, and with, `end`."""
        while True:
            while self._waiting and self._waiting[0].size <= end:
                one = self._waiting.pop(0)
                if one.size > start:
                    yield one
            if self._waiting or not self._read(tx):
                return

    def _read(self, tx: Transaction) -> bool:
        page = anchors_after(tx, self._origin, JOURNAL_KIND_ANCHOR, *self._place, _PAGE)
        for generation, index, data in page:
            self._place = (generation, index)
            try:
                anchor = open_journal_entry(data)
            except (ExchangeError, TypeError):
                continue  # the pass over the journal says so
            if anchor.kind != JOURNAL_KIND_ANCHOR or anchor.origin != self._origin:
                continue
            self._findings.counts["anchors"] += 1
            if anchor.count < self._reached:
                message = "an anchor of this log is of a smaller size than one before it"
                self._findings.error("ANCHOR_FALLS", message, origin=self._origin, index=anchor.count, count=self._reached - anchor.count)
            self._reached = max(self._reached, anchor.count)
            message = f"the log had another root when the journal anchored it (journal entry {index})"
            self._waiting.append(Expected(size=anchor.count, root=anchor.root, code="ANCHOR_ROOT", message=message))
        return bool(page)


@dataclass(slots=True, kw_only=True)
class _EventChecker:
    """Walks the entries of one generation."""

    generation: int
    origin: str
    keys: Mapping[str, SealingKey | None]
    by_origin: Mapping[str, LogRow]
    findings: Findings
    last_at: int = 0
    erased_at: int = -1
    """Where an erasure was last recorded."""
    absent: list[int] = field(default_factory=list)
    """Entries whose personal detail is gone."""

    def take(self, tx: Transaction, start: int, end: int) -> None:
        """Check the entries from `start` up to, and not with, `end`."""
        details = details_in(tx, self.generation, start, end)
        for record in events_in(tx, self.generation, start, end):
            self.findings.counts["events"] += 1
            try:
                entry = open_journal_entry(record.entry)
            except (ExchangeError, TypeError):
                self._wrong("JOURNAL_ENTRY_MALFORMED", "the entry breaks a rule of its form", record.idx)
                continue
            if entry.at < self.last_at:
                self._wrong("JOURNAL_TIME_FALLS", "an entry bears an earlier time than the one before it", record.idx)
            self.last_at = max(self.last_at, entry.at)
            if record.beside != tuple(value.encode() if isinstance(value, str) else value for value in columns(entry).values()):
                self._wrong("JOURNAL_COLUMNS", "what stands beside the entry, to be searched, is not what it says", record.idx)
            if entry.kind == JOURNAL_KIND_ERASURE:
                self.erased_at = record.idx
            self._check_anchor(entry, record.idx)
            self._check_details(entry, record.idx, details)

    def finish(self) -> None:
        """Judge the personal details that are gone: an erasure must have been recorded after them."""
        for index in self.absent:
            if index > self.erased_at:
                self._wrong("DETAIL_MISSING", "a personal detail is gone and no erasure was recorded since", index)

    def _check_anchor(self, entry: JournalEntry, index: int) -> None:
        if entry.kind != JOURNAL_KIND_ANCHOR:
            return
        log = self.by_origin.get(entry.origin)
        if log is None or entry.count > log.size:
            size = log.size if log else 0
            message = f"the journal anchors entries that are not here (journal entry {index})"
            self.findings.error("ANCHOR_BEYOND_LOG", message, origin=entry.origin, index=size, count=max(entry.count - size, 1))

    def _check_details(self, entry: JournalEntry, index: int, details: Mapping[tuple[int, bytes], Any]) -> None:
        for name, group in _GROUPS:
            commitment: bytes = getattr(entry, name)
            sealed = details.get((index, group))
            if sealed is None and commitment:
                if name == PERSONAL:
                    self._note_absent(index)
                else:
                    self._wrong("DETAIL_MISSING", "who did it and why is committed to, and gone", index)
            elif sealed is not None and not commitment:
                self._wrong("DETAIL_SURPLUS", "a detail stands beside an entry that commits to none", index)
            elif sealed is not None:
                self._open(name, index, sealed, commitment)

    def _note_absent(self, index: int) -> None:
        if len(self.absent) < _NAMED:
            self.absent.append(index)
        else:
            self.absent[-1] = index  # the latest one decides whether something is wrong

    def _open(self, name: str, index: int, sealed: Any, commitment: bytes) -> None:
        self.findings.counts["details"] += 1
        key = self.keys[name]
        try:
            salted = key.open(purpose_of_detail(self.generation, index, name), sealed) if key is not None else b""
        except (StoreFailed, TypeError):
            salted = b""
        if len(salted) < SALT_SIZE:
            self._wrong("DETAIL_UNREADABLE", f"the {name} detail does not open", index)
        elif commit_detail(salted[:SALT_SIZE], salted[SALT_SIZE:]) != commitment:
            self._wrong("DETAIL_MISMATCH", f"the {name} detail is not the one that the entry commits to", index)

    def _wrong(self, code: str, message: str, index: int) -> None:
        self.findings.error(code, message, origin=self.origin, index=index)


def _tree(tx: Transaction, record: JournalRecord, origin: str, findings: Findings) -> Tree:
    length = journal_length(tx, record.generation)
    edge: Frontier | None = None
    size = length
    try:
        edge = logs.unpack(record.size, record.frontier)
        size = record.size
    except (ExchangeError, TypeError):
        findings.error("JOURNAL_ROW", "the recorded edge of the journal is none", origin=origin, index=length)
    missing = max(size - length, 0)
    if missing:
        findings.error("ENTRY_MISSING", "the journal ends before its recorded size", origin=origin, index=length, count=missing)
        edge, size = None, length
    if edge is not None and size and event_at(tx, record.generation, size - 1) != record.last_at:
        findings.error("JOURNAL_ROW", "the recorded time of the last entry is not what that says", origin=origin, index=size - 1)
    for index in outside_journal(tx, record.generation, size, _NAMED):
        findings.error("ENTRY_BEYOND_LOG", "an entry stands outside the size of its journal", origin=origin, index=index)
    leaves = leaves_of_journal(record.generation)
    return Tree(origin=origin, log_id=journal_log(record.generation), leaves=leaves, size=size, edge=edge, missing=missing)


def _mark(high_water: HighWater, origin: str, findings: Findings) -> Mark | None:
    try:
        return high_water.get(origin)
    except StoreFailed as failed:
        findings.error(failed.code, str(failed), origin=origin)
        return None


def _at_mark(mark: Mark, *, explained: bool) -> Expectations:
    def expected(_tx: Transaction, start: int, end: int) -> Iterable[Expected]:
        if start < mark.size <= end:
            message = "the journal has another root than the one that was signed"
            yield Expected(size=mark.size, root=mark.root, code="JOURNAL_FORK", message=message, explained=explained)

    return expected


def _key(vault: Vault, tx: Transaction, name: str, findings: Findings) -> SealingKey | None:
    try:
        return vault.stored_key(tx, f"journal-{name}")
    except StoreFailed:
        findings.error("DETAIL_UNREADABLE", f"the key of the {name} details does not open")
        return None
