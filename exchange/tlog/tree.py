"""Proofs of a long log from stored nodes, at the cost of a few reads instead of one for each leaf.

Beside its leaf hashes a log stores one hash for each complete subtree of 256, 256², 256³… leaves: the same nodes that head the
tiles of C2SP tlog-tiles, one row more for every 255 leaves. Every hash of the tree is then at most 255 node hashes away from
what is stored. Tree and proofs are those of RFC 6962 section 2.1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from exchange.errors import Malformed
from exchange.tlog.merkle import Frontier, root

TILE_WIDTH = 256
"""Hashes in a whole tile (C2SP tlog-tiles): the stored levels are this far apart."""
_BITS = 8


class HashReader(Protocol):
    """Where stored hashes are read: level 0 holds the leaf hashes, level n the roots of complete subtrees of 256ⁿ leaves."""

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """The hashes from `start` up to, and not with, `end`: never more than 256, all inside one tile."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The root of one complete subtree of 256^level leaves, the `index`-th of them; 32 bytes. `level` is at least 1."""

    level: int
    index: int
    hash: bytes


def grow(frontier: Frontier, leaves: Sequence[bytes]) -> tuple[Frontier, list[Node]]:
    """The frontier after these leaf hashes, and the nodes that they complete, lower levels first within each tile.

    Raises Malformed LEAF_MALFORMED as `Frontier.extend`.
    """
    nodes: list[Node] = []
    done = 0
    while done < len(leaves):
        room = TILE_WIDTH - frontier.size % TILE_WIDTH
        part = leaves[done : done + room]
        before, frontier = frontier, frontier.extend(part)
        done += len(part)
        if frontier.size % TILE_WIDTH == 0:
            nodes += _completed(before, part)
    return frontier, nodes


def _completed(before: Frontier, leaves: Sequence[bytes]) -> Iterator[Node]:
    """The nodes that end where these leaves end, which fill the tile of leaves that `before` stands in."""
    hashes, size = list(before.hashes), before.size
    level, new = 0, leaves
    while size % TILE_WIDTH + len(new) == TILE_WIDTH:
        # Of the frontier, the last hashes are those of the tile that is being filled: one for each bit of its size.
        in_tile = size % TILE_WIDTH
        edge = [hashes.pop() for _ in range(in_tile.bit_count())][::-1]
        level, index = level + 1, size // TILE_WIDTH
        node = Frontier(size=in_tile, hashes=tuple(edge)).extend(new).root()
        yield Node(level=level, index=index, hash=node)
        size, new = index, [node]


class Climb:
    """A tree that is built from its first leaf on, at one hash a leaf: its frontier at any size, and each node when it is complete.

    Where `grow` starts from a frontier, this keeps the edge of every stored level, so that nothing is hashed twice. Beside leaves it takes
    the roots of whole tiles (`add_tile`), for whoever has nodes and not leaves.
    """

    __slots__ = ("_levels", "size")

    def __init__(self) -> None:
        self._levels = [Frontier.empty()]
        self.size = 0

    def add(self, leaves: Sequence[bytes]) -> list[Node]:
        """Append leaf hashes; returns the nodes that they complete, lower levels first. Raises Malformed LEAF_MALFORMED."""
        nodes: list[Node] = []
        done = 0
        while done < len(leaves):
            part = leaves[done : done + TILE_WIDTH - self._levels[0].size]
            self._levels[0] = self._levels[0].extend(part)
            self.size += len(part)
            done += len(part)
            nodes += self._close()
        return nodes

    def add_tile(self, node: bytes) -> list[Node]:
        """Append 256 leaves by the root over them; only between tiles. Returns the nodes that this completes, itself not among them.

        Raises Malformed LEAF_MALFORMED, and PROOF_RANGE inside a tile.
        """
        if self._levels[0].size:
            raise Malformed("PROOF_RANGE", "a tile follows whole tiles")
        self.size += TILE_WIDTH
        self._put(1, node)
        return list(self._close(1))

    def frontier(self) -> Frontier:
        """The right edge of the tree as it stands."""
        return Frontier(size=self.size, hashes=tuple(subtree for level in reversed(self._levels) for subtree in level.hashes))

    def copy(self) -> "Climb":
        """The same tree, to go on from apart."""
        other = Climb()
        other._levels, other.size = list(self._levels), self.size
        return other

    def _close(self, level: int = 0) -> Iterator[Node]:
        while self._levels[level].size == TILE_WIDTH:
            (node,) = self._levels[level].hashes
            self._levels[level] = Frontier.empty()
            level += 1
            self._put(level, node)
            yield Node(level=level, index=(self.size >> level * _BITS) - 1, hash=node)

    def _put(self, level: int, node: bytes) -> None:
        if level == len(self._levels):
            self._levels.append(Frontier.empty())
        self._levels[level] = self._levels[level].append(node)


def root_at(stored: HashReader, size: int) -> bytes:
    """The root of the first `size` leaves, 32 bytes."""
    return frontier_at(stored, size).root()


def frontier_at(stored: HashReader, size: int) -> Frontier:
    """The right edge of the tree of the first `size` leaves, from at most 255 stored hashes a level."""
    hashes: list[bytes] = []
    start = 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            hashes.append(_subtree(stored, start, 1 << bit))
            start += 1 << bit
    return Frontier(size=size, hashes=tuple(hashes))


def prove_inclusion(stored: HashReader, index: int, size: int) -> list[bytes]:
    """Prove that leaf `index` is in the tree of the first `size` leaves: sibling hashes from the leaf upwards (RFC 6962 section 2.1.1).

    Raises Malformed PROOF_RANGE unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise Malformed("PROOF_RANGE", "an inclusion proof needs 0 <= index < size")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_root(stored, middle, end))
            end = middle
        else:
            proof.append(_root(stored, start, middle))
            start = middle
    return proof[::-1]


def prove_consistency(stored: HashReader, old_size: int, new_size: int) -> list[bytes]:
    """Prove that the tree of `old_size` leaves begins that of `new_size`: hashes in the standard's order (RFC 6962 section 2.1.2).

    None when the sizes are equal. Raises Malformed PROOF_RANGE unless 0 < old_size <= new_size.
    """
    if not 0 < old_size <= new_size:
        raise Malformed("PROOF_RANGE", "a consistency proof needs 0 < old size <= new size")
    proof: list[bytes] = []
    start, end = 0, new_size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(_root(stored, middle, end))
            end = middle
        else:
            proof.append(_root(stored, start, middle))
            start = middle
    if start:  # else the remaining subtree is the whole old tree, whose root the verifier already has
        proof.append(_root(stored, start, end))
    return proof[::-1]


def _root(stored: HashReader, start: int, end: int) -> bytes:
    """The root over leaves `start` up to `end`, a range that RFC 6962 splits a tree into: all but its last subtree are perfect."""
    hashes = []
    size = end - start
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            hashes.append(_subtree(stored, start, 1 << bit))
            start += 1 << bit
    return Frontier(size=size, hashes=tuple(hashes)).root()


def _subtree(stored: HashReader, start: int, width: int) -> bytes:
    """The root of the perfect subtree of `width` (a power of two) leaves from `start`, a multiple of it."""
    level = (width.bit_length() - 1) // _BITS
    span = 1 << level * _BITS
    return root(stored.hashes(level, start // span, (start + width) // span))


def _split(width: int) -> int:
    """Return the width of the left subtree over `width` > 1 leaves: the largest power of two below it."""
    return 1 << ((width - 1).bit_length() - 1)
