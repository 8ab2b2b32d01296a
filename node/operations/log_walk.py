"""One disclosure log compared with a partner's copy: down the tree to the first entry that differs, and what can be said of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from google.protobuf.message import DecodeError

from exchange.contradiction import contradict, contradict_receipts
from exchange.directory import KnownNode
from exchange.errors import ExchangeError, Malformed
from exchange.log import LogName
from exchange.log_file import HeldReceipt
from exchange.receipt import open_receipt_of
from exchange.reconcile import MEANING, Difference, compare_receipts, compare_tails, equal_prefix, grade
from exchange.reconcile import Code as Differs
from exchange.tlog.merkle import EMPTY_ROOT
from exchange.tlog.tree import frontier_at, root_at
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import disclosure_pb2, exchange_service_pb2, statement_pb2
from node.ports import Ports
from node.store import logs
from node.store.logs import LogRow
from node.store.nodes import StoredHashes, stored_leaves

LEAVES_AT_MOST = 2_000_000
"""Leaf hashes that are fetched of one log; beyond, only the first difference is named."""
_RECEIPTS_AT_MOST = 1_000_000

_OF_TREES = frozenset({"DIFFERENT_CONTENT", "OUT_OF_ORDER", "NOT_DISCLOSED", "NOT_RECEIVED"})
_MESSAGES = {
    **MEANING,
    "PARTNER_INCONSISTENT": "the partner's hashes do not lead to the root that it gave: its answers about this log count for nothing",
    "RECEIPT_UNVERIFIED": "the partner shows a receipt whose signature does not hold",
}


class SharedLogs(Protocol):
    """A partner's answers about its copies of the logs between us."""

    def log_heads(self) -> exchange_service_pb2.GetLogHeadsResponse:
        """How far each of them reaches."""
        ...

    def log_root(self, origin: str, size: int) -> bytes:
        """The root of the first `size` entries."""
        ...

    def log_leaves(self, origin: str, start: int) -> list[bytes]:
        """Leaf hashes from `start` on."""
        ...

    def log_receipts(self, origin: str, above: int) -> list[statement_pb2.Statement]:
        """Receipts above a size."""
        ...

    def entries(self, origin: str, start: int) -> exchange_service_pb2.FetchEntriesResponse:
        """Entries from `start` on."""
        ...


def wrong_answer() -> Malformed:
    """What to raise when a partner answers something else than was asked."""
    return Malformed("RECONCILE_ANSWER", "the partner answered something else than was asked")


@dataclass(slots=True, kw_only=True)
class LogWalk:
    """The comparison of one log."""

    ports: Ports
    partner: SharedLogs
    name: LogName
    ours: LogRow | None
    head: exchange_service_pb2.LogHead | None
    questions: int = 0
    differences: list[tuple[str, Difference]] = field(default_factory=list)
    contradiction: bytes = b""
    receipts_contradict: bytes = b""

    @property
    def size(self) -> int:
        """Entries in our copy."""
        return self.ours.size if self.ours else 0

    @property
    def root(self) -> bytes:
        """Root of our copy, 32 bytes."""
        return self.ours.frontier.root() if self.ours else EMPTY_ROOT

    @property
    def their_size(self) -> int:
        """Entries in the partner's copy, as it says."""
        return self.head.size if self.head else 0

    @property
    def their_root(self) -> bytes:
        """Root of the partner's copy, as it says."""
        return self.head.root if self.head else EMPTY_ROOT

    def summary(self) -> messages.ReconciledLog:
        """Both heads, and what the comparison cost."""
        return messages.ReconciledLog(
            origin=self.name.origin,
            size=self.size,
            root=self.root,
            partner_size=self.their_size,
            partner_root=self.their_root,
            questions=self.questions,
        )

    def run(self) -> Iterator[int]:
        """Find what differs; yields how many leaf hashes have been fetched."""
        found = self.differences
        least = min(self.size, self.their_size)
        common = least if self._equal_heads() else equal_prefix(least, self._equal)
        if common == least:
            if self.size != self.their_size:
                found += [(one.code, one) for one in self._longer(common)]
        else:
            yield from self._tails(common, found)
        ours, theirs = self._receipts(found)
        if self._is_ours():
            receipts = compare_receipts((self.size, self.their_size), common, ours, theirs)
        else:
            receipts = compare_receipts((self.their_size, self.size), common, theirs, ours)
        found += [(one.code, one) for one in receipts]
        self.receipts_contradict = self._receipts_contradict(ours, theirs)

    def told(self, now: int) -> Iterator[messages.LogDifference]:
        """Each difference as a finding."""
        for code, one in self.differences:
            disclosed_at, manifest = self._entry(one.index)
            grave = "CRITICAL" if code != one.code else str(grade(one, disclosed_at, now))
            yield messages.LogDifference(
                code=code,
                origin=self.name.origin,
                index=one.index,
                count=one.count,
                grade=messages.FindingGrade.Value(f"FINDING_GRADE_{grave}"),
                sender_leaf=one.sender_leaf,
                recipient_leaf=one.recipient_leaf,
                manifest_digest=manifest,
                disclosed_at=disclosed_at,
                message=_MESSAGES[code],
                contradiction=self._shown_by(code),
            )

    def _shown_by(self, code: str) -> bytes:
        if code == "RECEIPT_DIFFERS":
            return self.receipts_contradict
        return self.contradiction if code in _OF_TREES else b""

    def _receipts_contradict(self, ours: Sequence[HeldReceipt], theirs: Sequence[HeldReceipt]) -> bytes:
        """The proof that the recipient signed two receipts for one entry, if it did."""
        differing = {receipt.statement for receipt in ours} ^ {receipt.statement for receipt in theirs}
        recipient = self._countries()[1]
        for one in (receipt for receipt in ours if receipt.statement in differing):
            for other in (receipt for receipt in theirs if receipt.statement in differing):
                if max(one.previous_size, other.previous_size) < min(one.size, other.size):
                    pair = (statement_pb2.Statement.FromString(receipt.statement) for receipt in (one, other))
                    return contradict_receipts(recipient, *pair) or b""
        return b""

    def _is_ours(self) -> bool:
        return self.name.sender == self.ports.trust_domain

    def _equal_heads(self) -> bool:
        return (self.size, self.root) == (self.their_size, self.their_root)

    def _equal(self, size: int) -> bool:
        return self._our_root(size) == self._their_root(size)

    def _our_root(self, size: int) -> bytes:
        if self.ours is None or size == self.size:
            return self.root
        with self.ports.store.read() as tx:
            return root_at(StoredHashes(tx, self.ours.id), size)

    def _their_root(self, size: int) -> bytes:
        if size == self.their_size:
            return self.their_root
        self.questions += 1
        root = self.partner.log_root(self.name.origin, size)
        if len(root) != len(EMPTY_ROOT):
            raise wrong_answer()
        return root

    def _our_leaves(self, start: int) -> list[bytes]:
        if self.ours is None:
            return []
        with self.ports.store.read() as tx:
            return stored_leaves(tx, self.ours.id, start, self.size)

    def _longer(self, common: int) -> list[Difference]:
        """One copy is the beginning of the other."""
        we_are_longer = self.size > self.their_size
        leaf = self._our_leaves_at(common) if we_are_longer else b""
        senders = we_are_longer == self._is_ours()
        return [
            Difference(
                code=Differs.NOT_RECEIVED if senders else Differs.NOT_DISCLOSED,
                index=common,
                count=abs(self.size - self.their_size),
                sender_leaf=leaf if senders else b"",
                recipient_leaf=b"" if senders else leaf,
            )
        ]

    def _our_leaves_at(self, index: int) -> bytes:
        if self.ours is None:
            return b""
        with self.ports.store.read() as tx:
            return stored_leaves(tx, self.ours.id, index, index + 1)[0]

    def _tails(self, common: int, found: list[tuple[str, Difference]]) -> Iterator[int]:
        theirs: list[bytes] = []
        whole = self.their_size - common <= LEAVES_AT_MOST
        wanted = self.their_size - common if whole else 1
        while len(theirs) < wanted:
            self.questions += 1
            page = self.partner.log_leaves(self.name.origin, common + len(theirs))
            if not page or any(len(leaf) != len(EMPTY_ROOT) for leaf in page):
                raise wrong_answer()
            theirs += page[: wanted - len(theirs)]
            yield len(theirs)
        if whole and not self._lead_to_their_root(common, theirs):
            found.append(("PARTNER_INCONSISTENT", Difference(code=Differs.DIFFERENT_CONTENT, index=common)))
            return
        ours = self._our_leaves(common) if whole else [self._our_leaves_at(common)]
        pair = (ours, theirs) if self._is_ours() else (theirs, ours)
        found += [(one.code, one) for one in compare_tails(common, *pair)]
        self.contradiction = self._contradiction(common, theirs) if whole else b""

    def _lead_to_their_root(self, common: int, theirs: Sequence[bytes]) -> bool:
        assert self.ours is not None  # noqa: S101 - there is no prefix to differ after without a log; said for the type checker
        with self.ports.store.read() as tx:
            frontier = frontier_at(StoredHashes(tx, self.ours.id), common)
        return frontier.extend(theirs).root() == self.their_root

    def _contradiction(self, common: int, theirs: Sequence[bytes]) -> bytes:
        """The proof that the owner of a log signed two histories of it, if it did and this node holds both."""
        if self._is_ours() or self.ours is None or self.head is None or not self.head.checkpoint or not self.ours.checkpoint:
            return b""
        owner, _ = self._countries()
        with self.ports.store.read() as tx:
            ours = stored_leaves(tx, self.ours.id, 0, self.size)
        larger = ours if self.size > self.their_size else [*ours[:common], *theirs]
        try:
            return contradict(owner, self.ours.checkpoint, self.head.checkpoint, larger) or b""
        except ExchangeError:  # what the partner gave as its note is none
            return b""

    def _countries(self) -> tuple[KnownNode, KnownNode]:
        known = self.ports.known
        nodes = {known.own.trust_domain: known.own, **known.nodes()}
        return nodes[self.name.sender], nodes[self.name.recipient]

    def _receipts(self, found: list[tuple[str, Difference]]) -> tuple[list[HeldReceipt], list[HeldReceipt]]:
        """Our receipts and the partner's; only the newest of each if they are the same, for then all before them are."""
        newest = self._our_receipts(newest=True)
        theirs = self._checked([self.head.receipt] if self.head is not None and self.head.HasField("receipt") else [], found)
        if newest == theirs:
            return newest, theirs
        everything: list[HeldReceipt] = []
        above = 0
        while theirs and above < theirs[0].size:
            self.questions += 1
            page = self._checked(self.partner.log_receipts(self.name.origin, above), found)
            if not page or page[-1].size <= above:
                raise wrong_answer()
            everything += page
            above = page[-1].size
        return self._our_receipts(newest=False), everything

    def _our_receipts(self, *, newest: bool) -> list[HeldReceipt]:
        if self.ours is None:
            return []
        with self.ports.store.read() as tx:
            last = logs.newest_receipt(tx, self.ours.id)
            rows = logs.receipts_above(tx, self.ours.id, 0, _RECEIPTS_AT_MOST) if not newest else [last] if last else []
        return [
            HeldReceipt(previous_size=row.previous_size, size=row.size, received_at=row.received_at, statement=row.statement)
            for row in rows
        ]

    def _checked(self, statements: Sequence[statement_pb2.Statement], found: list[tuple[str, Difference]]) -> list[HeldReceipt]:
        """The partner's receipts whose signatures hold; the others are found."""
        recipient = self._countries()[1]
        held: list[HeldReceipt] = []
        for statement in statements:
            try:
                opened = open_receipt_of(statement, recipient)
            except ExchangeError:
                found.append(("RECEIPT_UNVERIFIED", Difference(code=Differs.RECEIPT_DIFFERS, index=held[-1].size if held else 0)))
                continue
            receipt, checkpoint = opened.receipt.value, opened.checkpoint
            if checkpoint.origin != self.name.origin:
                raise wrong_answer()
            data = statement.SerializeToString()
            held.append(
                HeldReceipt(previous_size=receipt.previous_size, size=checkpoint.size, received_at=receipt.received_at, statement=data)
            )
        return held

    def _entry(self, index: int) -> tuple[int, bytes]:
        """When the entry there was disclosed, and its manifest; 0 and empty if neither side's copy tells."""
        try:
            entry = disclosure_pb2.Entry.FromString(self._our_entry(index) or self._their_entry(index))
        except (DecodeError, ExchangeError):
            return 0, b""
        return entry.disclosed_at, entry.manifest_digest

    def _our_entry(self, index: int) -> bytes:
        if self.ours is None or index >= self.size:
            return b""
        with self.ports.store.read() as tx:
            (row,) = logs.entry_rows(tx, self.ours.id, index, index + 1)
        return row.entry

    def _their_entry(self, index: int) -> bytes:
        if index >= self.their_size:
            return b""
        self.questions += 1
        return next(iter(self.partner.entries(self.name.origin, index).entries), b"")
