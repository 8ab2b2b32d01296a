"""The first pass of a check: every entry hashed again, and every leaf, node and edge compared, at a few microseconds an entry.

What is found has one of these codes: ENTRY_MISSING, ENTRY_LEAF, ENTRY_BEYOND_LOG, TREE_NODE, TREE_NODE_MISSING, TREE_NODE_SURPLUS,
LOG_FRONTIER, and those of the edges that are expected (of a receipt, a high-water record, an anchor).

To name where a log was altered the pass climbs two trees: one from the leaves, one that believes the stored nodes where these differ.
An edge that the second meets and the first does not was signed over the stored node: so the fault lies below that node and nowhere
else, and the pass goes on with the believed tree, in which later faults can still be told apart.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import takewhile
from typing import Any

from exchange.tlog.merkle import HASH_BYTES, Frontier
from exchange.tlog.tree import TILE_WIDTH, Climb
from node.operations.findings import Findings, Step
from node.store import logs
from node.store.engine import Store
from node.store.scan import Leaves, nodes_in, surplus_nodes
from node.store.transaction import Transaction

CHUNK = 16 * TILE_WIDTH
"""Entries in memory at a time: 16 MiB if all were as large as they may be."""
_NAMED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the tree should be at one size: its root, or with `packed` its whole edge; and what it means if it is not."""

    size: int
    code: str
    message: str
    root: bytes = b""
    packed: bytes | None = None
    explained: bool = False
    """That it differs is known and settled: a warning."""

    def is_met(self, frontier: Frontier) -> bool:
        """Whether the tree stands there as expected."""
        if self.packed is not None:
            return logs.pack(frontier) == self.packed
        return frontier.root() == self.root


Expectations = Callable[[Transaction, int, int], Iterable[Expected]]
"""What is expected above one size and up to, and with, another. Asked for ascending ranges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One log whose tree is to be checked."""

    origin: str
    log_id: int
    """Of its nodes."""
    leaves: Leaves
    size: int
    edge: Frontier | None
    """As it is recorded; None if that cannot be read, which is then said elsewhere."""
    expected: Sequence[Expectations] = ()
    missing: int = 0
    """How many more entries its recorded size says that it has."""


def check_tree(store: Store, tree: Tree, findings: Findings) -> Iterator[Step]:
    """Recompute a tree from its entries, and add what is wrong to `findings`."""
    checker = _Checker(tree=tree, findings=findings)
    for start in range(0, tree.size, CHUNK):
        yield Step("tree", tree.origin, start, tree.size)
        end = min(start + CHUNK, tree.size)
        with store.read() as tx:
            rows = tree.leaves.read(tx, start, end)
            expected = sorted((one for source in tree.expected for one in source(tx, start, end)), key=lambda one: one.size)
            checker.take(tx, start, end, rows, expected)
    with store.read() as tx:
        checker.finish(tx)
    yield Step("tree", tree.origin, tree.size, tree.size)


@dataclass(slots=True, kw_only=True)
class _Checker:
    tree: Tree
    findings: Findings
    computed: Climb = field(default_factory=Climb)
    """The whole tiles so far, as their leaves have them."""
    believed: Climb | None = None
    """The same as the stored nodes have them, once they differ."""
    tail: Frontier = field(default_factory=Frontier.empty)
    """Of the last tile, if it is not whole."""
    sound: int = 0
    """The greatest size so far at which the tree is what was expected."""
    lost: bool = False
    """Entries are missing and no stored node stands for them: no edge above can be known."""

    def take(self, tx: Transaction, start: int, end: int, rows: Sequence[Sequence[Any]], expected: Sequence[Expected]) -> None:
        """Check the entries from `start` (a multiple of 256) up to `end`."""
        self.findings.counts["entries"] += len(rows)
        leaves = self._leaves(start, end, rows)
        stored = nodes_in(tx, self.tree.log_id, 1, start // TILE_WIDTH, end // TILE_WIDTH)
        waiting = list(reversed(expected))
        for first in range(start, end, TILE_WIDTH):
            last = min(first + TILE_WIDTH, end)
            edges = []
            while waiting and waiting[-1].size <= last:
                edges.append(waiting.pop())
            self._take_tile(tx, first, leaves[first - start : last - start], edges, stored.get(first // TILE_WIDTH))

    def finish(self, tx: Transaction) -> None:
        """Compare the recomputed edge with the recorded one, and look for nodes that belong to nothing."""
        tree = self.tree
        message = "the entries do not lead to the recorded root"
        if self.lost or tree.missing:
            # Entries that moved down to fill a gap leave it at the end: it may have been anywhere above what is sound.
            self._wrong("LOG_FRONTIER", message, self.sound, tree.size + tree.missing - self.sound)
        elif tree.edge is not None:
            self._meet(Expected(size=tree.size, code="LOG_FRONTIER", message=message, packed=logs.pack(tree.edge)), self.tail)
        complete: list[int] = []
        while tree.size >> 8 * (len(complete) + 1):
            complete.append(tree.size >> 8 * (len(complete) + 1))
        for level, index in surplus_nodes(tx, tree.log_id, complete, _NAMED):
            self._wrong("TREE_NODE_SURPLUS", f"a node is stored where the tree has none: level {level}, node {index}", tree.size)

    def _leaves(self, start: int, end: int, rows: Sequence[Sequence[Any]]) -> list[bytes | None]:
        """The leaf hash at each index, None where the entry is missing; where the row has no hash, that of its entry."""
        leaves: list[Any] = [row[2] for row in rows]
        try:
            hashes = [sha256(b"\x00" + row[1]).digest() for row in rows]
        except TypeError:
            hashes = [sha256(b"\x00" + row[1]).digest() if isinstance(row[1], bytes) else b"" for row in rows]
        if hashes != leaves:
            for place, (row, computed) in enumerate(zip(rows, hashes, strict=True)):
                if row[2] != computed:
                    self._wrong("ENTRY_LEAF", "the leaf is not the hash of the entry", row[0])
                    if not is_hash(row[2]):
                        leaves[place] = computed or None
        if len(rows) == end - start:  # whole numbers in that range, unique and in order: all of them
            return leaves
        held = {row[0]: leaf for row, leaf in zip(rows, leaves, strict=True)}
        self._name_gaps(start, end, held)
        return [held.get(index) for index in range(start, end)]

    def _name_gaps(self, start: int, end: int, held: Collection[int]) -> None:
        first = start
        for index in (*sorted(held), end):
            if index > first:
                self._wrong("ENTRY_MISSING", "the log has a gap", first, index - first)
            first = index + 1

    def _take_tile(self, tx: Transaction, first: int, leaves: Sequence[bytes | None], edges: Sequence[Expected], stored: Any) -> None:
        whole = len(leaves) == TILE_WIDTH
        if whole and not is_hash(stored):
            self._wrong("TREE_NODE_MISSING", "no node is stored for these entries: level 1", first, TILE_WIDTH)
            stored = None
        known = [leaf for leaf in takewhile(lambda leaf: leaf is not None, leaves) if leaf is not None]
        partial = Frontier.empty()
        for edge in edges:  # also before a gap: what was signed up to there says whether these entries are the ones
            if edge.size <= first + len(known) and edge.size < first + TILE_WIDTH and not self.lost:
                partial = partial.extend(known[partial.size : edge.size - first])
                self._meet(edge, partial)
        if len(known) != len(leaves):
            self._skip(stored if whole else None)
        elif not self.lost:
            partial = partial.extend(known[partial.size :])
            if whole:
                self._close(tx, first, partial.root(), stored)
                for edge in edges:
                    if edge.size == first + TILE_WIDTH:
                        self._meet(edge, Frontier.empty())
            else:
                self.tail = partial

    def _skip(self, stored: bytes | None) -> None:
        """Go on above entries that are missing, with the node that is stored for them."""
        if stored is None:
            self.lost = True
        if not self.lost and stored is not None:
            self.computed, self.believed = self.believed or self.computed, None
            self.computed.add_tile(stored)

    def _close(self, tx: Transaction, first: int, node: bytes, stored: bytes | None) -> None:
        kept = node if stored is None else stored
        if kept != node:
            self._wrong("TREE_NODE", "the stored node is not the hash of these entries: level 1", first, TILE_WIDTH)
            self.believed = self.believed or self.computed.copy()
        above = self.computed.add_tile(node)
        believed = self.believed.add_tile(kept) if self.believed else above
        for one, other in zip(above, believed, strict=True):
            held = nodes_in(tx, self.tree.log_id, one.level, one.index, one.index + 1).get(one.index)
            width = TILE_WIDTH**one.level
            if held is None:
                self._wrong("TREE_NODE_MISSING", f"no node is stored for these entries: level {one.level}", one.index * width, width)
            elif held not in {one.hash, other.hash}:
                message = f"the stored node is not the hash of these entries: level {one.level}"
                self._wrong("TREE_NODE", message, one.index * width, width)

    def _meet(self, edge: Expected, partial: Frontier) -> None:
        """Compare an expected edge with the tree; `partial` is what follows the whole tiles."""
        if edge.is_met(_joined(self.computed, partial)):
            self.believed, self.sound = None, edge.size
        elif self.believed is not None and edge.is_met(_joined(self.believed, partial)):
            self.computed, self.believed, self.sound = self.believed, None, edge.size
        else:
            first = min(self.sound, edge.size - 1)  # where the log is sound up to here, what is expected is not
            tell = self.findings.warning if edge.explained else self.findings.error
            tell(edge.code, edge.message, origin=self.tree.origin, index=first, count=edge.size - first)

    def _wrong(self, code: str, message: str, index: int, count: int = 1) -> None:
        self.findings.error(code, message, origin=self.tree.origin, index=index, count=count)


def is_hash(value: object) -> bool:
    """Whether a stored value can be a hash at all."""
    return isinstance(value, bytes) and len(value) == HASH_BYTES


def _joined(tiles: Climb, partial: Frontier) -> Frontier:
    return Frontier(size=tiles.size + partial.size, hashes=(*tiles.frontier().hashes, *partial.hashes))
