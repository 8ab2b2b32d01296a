"""Merkle trees of an append-only log: hashing, the right edge of a tree, and both kinds of proof.

Tree shape and hashing are RFC 6962 section 2.1 (RFC 9162 section 2.1 is the same tree); proofs are verified as RFC 9162
sections 2.1.3.2 and 2.1.4.2 say. All hashes are SHA-256, 32 bytes. Leaves and nodes are hashed under different first
bytes, so that no node can pass for an entry. Comparisons need not take constant time: nothing here is secret.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from exchange.errors import Malformed, Unverified

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash one log entry: SHA-256(0x00 ‖ entry), 32 bytes (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent: SHA-256(0x01 ‖ left ‖ right), 32 bytes (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The right edge of a tree: all that is needed to append to it and to know its root.

    `hashes` holds the roots of the perfect subtrees that `size` leaves fall into, the largest (leftmost) first: one for
    each bit set in `size`. Raises Malformed FRONTIER_MALFORMED when the two do not fit together.
    """

    size: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise Malformed("FRONTIER_MALFORMED", "a frontier holds one hash for each bit set in its size")
        if any(len(subtree) != HASH_BYTES for subtree in self.hashes):
            raise Malformed("FRONTIER_MALFORMED", "a hash is exactly 32 bytes")

    @classmethod
    def empty(cls) -> Self:
        """Return the frontier of a tree without leaves."""
        return cls(size=0, hashes=())

    def append(self, leaf: bytes) -> "Frontier":
        """Return the frontier after one more leaf hash (not entry); raises like `extend`."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """Return the frontier after these leaf hashes (not entries), in order, at about one hash a leaf.

        Raises Malformed LEAF_MALFORMED for a leaf hash that is not 32 bytes.
        """
        # Every batch passes here on both sides, hence the inlined node hash and the single check of the result.
        stack = list(self.hashes)
        size = self.size
        for leaf in leaves:
            if len(leaf) != HASH_BYTES:
                raise Malformed("LEAF_MALFORMED", "a leaf hash is exactly 32 bytes")
            subtree = leaf
            merges = size
            while merges & 1:
                subtree = sha256(b"\x01" + stack.pop() + subtree).digest()
                merges >>= 1
            stack.append(subtree)
            size += 1
        return Frontier(size=size, hashes=tuple(stack))

    def root(self) -> bytes:
        """Return the root hash, 32 bytes; of no leaves, SHA-256 of nothing (RFC 6962 section 2.1)."""
        if not self.hashes:
            return EMPTY_ROOT
        *larger, total = self.hashes
        for subtree in reversed(larger):
            total = node_hash(subtree, total)
        return total


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over these leaf hashes, 32 bytes. Raises Malformed LEAF_MALFORMED."""
    return Frontier.empty().extend(leaves).root()


def inclusion_proof(leaves: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Prove that leaf `index` is in the tree of the first `size` of these leaf hashes (RFC 6962 section 2.1.1).

    Takes time in proportion to `size`. Returns the sibling hashes from the leaf upwards; raises Malformed PROOF_RANGE
    unless 0 <= index < size <= len(leaves).
    """
    if not 0 <= index < size <= len(leaves):
        raise Malformed("PROOF_RANGE", "an inclusion proof needs 0 <= index < size <= leaves")
    proof = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(root(leaves[middle:end]))
            end = middle
        else:
            proof.append(root(leaves[start:middle]))
            start = middle
    return proof[::-1]


def consistency_proof(leaves: Sequence[bytes], old_size: int, new_size: int) -> list[bytes]:
    """Prove that the tree of `old_size` of these leaf hashes begins that of `new_size` (RFC 6962 section 2.1.2).

    Takes time in proportion to `new_size`. Returns the hashes in the standard's order, none when the sizes are equal;
    raises Malformed PROOF_RANGE unless 0 < old_size <= new_size <= len(leaves).
    """
    if not 0 < old_size <= new_size <= len(leaves):
        raise Malformed("PROOF_RANGE", "a consistency proof needs 0 < old size <= new size <= leaves")
    proof = []
    start, end = 0, new_size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(root(leaves[middle:end]))
            end = middle
        else:
            proof.append(root(leaves[start:middle]))
            start = middle
    if start:  # else the remaining subtree is the whole old tree, whose root the verifier already has
        proof.append(root(leaves[start:end]))
    return proof[::-1]


def consistency_nodes(leaves: Sequence[bytes], old_size: int, new_size: int) -> list[bytes]:
    """The nodes that `consistency_roots` reads: a consistency proof that does not leave out the old tree's own node.

    Raises Malformed PROOF_RANGE as `consistency_proof`; there is nothing to read when the sizes are equal.
    """
    proof = consistency_proof(leaves, old_size, new_size)
    return proof if old_size & (old_size - 1) or old_size == new_size else [root(leaves[:old_size]), *proof]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> None:
    """Check that the leaf hash `leaf` is at `index` in the tree of this size and root (RFC 9162 section 2.1.3.2).

    Raises Unverified INCLUSION_INVALID. Size and root must come from one checkpoint: a proof by itself does not tell
    apart two sizes that lead to the same path.
    """
    failure = Unverified("INCLUSION_INVALID", "the inclusion proof does not lead to this root")
    if not 0 <= index < size or not _are_hashes((leaf, expected_root, *proof)):
        raise failure
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise failure
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            node, last = _skip_missing_siblings(node, last)
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last != 0 or computed != expected_root:
        raise failure


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the old tree is a prefix of the new one (RFC 9162 section 2.1.4.2).

    Equal sizes need equal roots and no proof. Raises Unverified CONSISTENCY_INVALID, also for size 0: an empty tree is
    a prefix of every tree, so a proof from it says nothing.
    """
    failure = Unverified("CONSISTENCY_INVALID", "the consistency proof does not join these roots")
    if not 0 < old_size <= new_size or not _are_hashes((old_root, new_root, *proof)):
        raise failure
    if old_size == new_size:
        if proof or old_root != new_root:
            raise failure
        return
    if not proof:
        raise failure
    # An old tree that is perfect is itself a node of the new one, so its root is left out of the proof.
    nodes = proof if old_size & (old_size - 1) else (old_root, *proof)
    if consistency_roots(old_size, new_size, nodes) != (old_root, new_root):
        raise failure


def consistency_roots(old_size: int, new_size: int, nodes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of a tree and of its first `old_size` leaves that these nodes of it lead to (RFC 9162 section 2.1.4.2, from step 4).

    `nodes` are a consistency proof that does not leave out the old tree's own node. Whoever finds the second root to be that of a
    checkpoint knows the first: no other tree of that size begins this one. Raises Unverified CONSISTENCY_INVALID unless there are as many
    nodes as the sizes call for, and 0 < old size < new size.
    """
    failure = Unverified("CONSISTENCY_INVALID", "these are not the nodes that the sizes call for")
    if not 0 < old_size < new_size or not nodes or not _are_hashes(nodes):
        raise failure
    first, *rest = nodes
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_computed = new_computed = first
    for sibling in rest:
        if last == 0:
            raise failure
        if node & 1 or node == last:
            old_computed = node_hash(sibling, old_computed)
            new_computed = node_hash(sibling, new_computed)
            node, last = _skip_missing_siblings(node, last)
        else:
            new_computed = node_hash(new_computed, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise failure
    return old_computed, new_computed


def _split(width: int) -> int:
    """Return the width of the left subtree over `width` > 1 leaves: the largest power of two below it."""
    return 1 << ((width - 1).bit_length() - 1)


def _skip_missing_siblings(node: int, last: int) -> tuple[int, int]:
    """Climb from the right edge past the levels where a node is carried up without a sibling."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _are_hashes(values: Iterable[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
