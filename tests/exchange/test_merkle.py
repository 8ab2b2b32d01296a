from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import Malformed, Unverified
from exchange.tlog.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(b"entry %d" % index) for index in range(300)]
SIZES = st.integers(1, len(LEAVES))
HASH = st.binary(min_size=32, max_size=32)


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word: the oracle."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = max(1 << power for power in range(20) if 1 << power < len(leaves))
    return node_hash(mth(leaves[:split]), mth(leaves[split:]))


def flip(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(32, "big")


@st.composite
def changed_proof(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """The proof after one change of any kind that makes it another list."""
    at = draw(st.integers(0, len(proof)))
    kinds: list[Callable[[], list[bytes]]] = [lambda: [*proof[:at], draw(HASH), *proof[at:]]]
    if at < len(proof):
        kinds += [
            lambda: [*proof[:at], *proof[at + 1 :]],
            lambda: [*proof[:at], flip(proof[at], draw(st.integers(0, 255))), *proof[at + 1 :]],
            lambda: [*proof[:at], proof[at][:-1], *proof[at + 1 :]],
            lambda: [*proof[:at], proof[at] + b"\0", *proof[at + 1 :]],
        ]
    if at + 1 < len(proof):
        kinds.append(lambda: [*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]])
    return draw(st.sampled_from(kinds))()


def assert_refused(code: str, verify: Callable[[], None]) -> None:
    with pytest.raises(Unverified) as refusal:
        verify()
    assert refusal.value.code == code


def test_leaves_and_nodes_are_hashed_apart() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


@given(st.integers(0, len(LEAVES)))
def test_root_is_the_standards(size: int) -> None:
    assert root(LEAVES[:size]) == mth(LEAVES[:size])


@given(st.lists(st.integers(0, 64), max_size=8))
def test_frontier_agrees_with_root_however_it_is_batched(batches: list[int]) -> None:
    frontier, size = Frontier.empty(), 0
    for batch in batches:
        frontier = frontier.extend(iter(LEAVES[size : size + batch]))
        size = min(size + batch, len(LEAVES))
        assert frontier.size == size
        assert frontier.root() == mth(LEAVES[:size])
    assert Frontier(size=frontier.size, hashes=frontier.hashes) == frontier


def test_frontier_appends_one_at_a_time() -> None:
    frontier = Frontier.empty()
    for leaf in LEAVES[:70]:
        before, frontier = frontier, frontier.append(leaf)
        assert frontier == before.extend([leaf])
    assert frontier.root() == mth(LEAVES[:70])


def test_extending_leaves_the_old_frontier_as_it_was() -> None:
    frontier = Frontier.empty().extend(LEAVES[:7])
    frontier.extend(LEAVES[7:20])
    assert frontier.root() == mth(LEAVES[:7])


@pytest.mark.parametrize(
    ("size", "hashes"),
    [
        (-1, (LEAVES[0],)),
        (0, (LEAVES[0],)),
        (1, ()),
        (3, (LEAVES[0],)),
        (4, (LEAVES[0], LEAVES[1])),
        (1, (b"",)),
        (1, (LEAVES[0][:31],)),
        (3, (LEAVES[0], LEAVES[1] + b"\0")),
    ],
)
def test_frontier_whose_parts_do_not_fit_is_refused(size: int, hashes: tuple[bytes, ...]) -> None:
    with pytest.raises(Malformed) as refusal:
        Frontier(size=size, hashes=hashes)
    assert refusal.value.code == "FRONTIER_MALFORMED"


@pytest.mark.parametrize("leaf", [b"", LEAVES[0][:31], LEAVES[0] + b"\0"])
def test_leaf_that_is_not_a_hash_is_refused(leaf: bytes) -> None:
    for extend in (Frontier.empty().append, lambda last: root([LEAVES[0], last])):
        with pytest.raises(Malformed) as refusal:
            extend(leaf)
        assert refusal.value.code == "LEAF_MALFORMED"


def test_every_proof_of_every_small_tree_verifies() -> None:
    for size in range(1, 34):
        new_root = mth(LEAVES[:size])
        for index in range(size):
            verify_inclusion(LEAVES[index], index, size, inclusion_proof(LEAVES, index, size), new_root)
            proof = consistency_proof(LEAVES, index + 1, size)
            verify_consistency(index + 1, mth(LEAVES[: index + 1]), size, new_root, proof)


@given(st.data(), SIZES)
def test_inclusion_proof_verifies_and_no_single_change_of_it_does(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaf, tree, proof = LEAVES[index], root(LEAVES[:size]), inclusion_proof(LEAVES, index, size)
    verify_inclusion(leaf, index, size, proof, tree)

    changed = data.draw(changed_proof(proof))
    elsewhere = data.draw(st.integers(-1, size).filter(lambda other: other != index))
    bit = data.draw(st.integers(0, 255))
    for verify in (
        lambda: verify_inclusion(leaf, index, size, changed, tree),
        lambda: verify_inclusion(leaf, elsewhere, size, proof, tree),
        lambda: verify_inclusion(flip(leaf, bit), index, size, proof, tree),
        lambda: verify_inclusion(leaf, index, size, proof, flip(tree, bit)),
        lambda: verify_inclusion(leaf + b"\0", index, size, proof, tree),
        lambda: verify_inclusion(leaf, index, size, proof, tree[:-1]),
    ):
        assert_refused("INCLUSION_INVALID", verify)


@given(st.data(), SIZES)
def test_consistency_proof_verifies_and_no_single_change_of_it_does(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new))
    old_root, new_root, proof = root(LEAVES[:old]), root(LEAVES[:new]), consistency_proof(LEAVES, old, new)
    verify_consistency(old, old_root, new, new_root, proof)

    changed = data.draw(changed_proof(proof))
    bit = data.draw(st.integers(0, 255))
    attempts = [
        lambda: verify_consistency(old, old_root, new, new_root, changed),
        lambda: verify_consistency(old, flip(old_root, bit), new, new_root, proof),
        lambda: verify_consistency(old, old_root, new, flip(new_root, bit), proof),
        lambda: verify_consistency(old, old_root[:-1], new, new_root, proof),
        lambda: verify_consistency(old, old_root, new, new_root + b"\0", proof),
        lambda: verify_consistency(0, EMPTY_ROOT, new, new_root, proof),
    ]
    if old != new:
        attempts += [
            lambda: verify_consistency(old, new_root, new, old_root, proof),
            lambda: verify_consistency(new, new_root, old, old_root, proof),
            lambda: verify_consistency(new, old_root, new, new_root, proof),
        ]
    for verify in attempts:
        assert_refused("CONSISTENCY_INVALID", verify)


def test_a_node_does_not_pass_for_a_leaf() -> None:
    pair = node_hash(LEAVES[0], LEAVES[1])
    tree = root(LEAVES[:4])
    assert_refused("INCLUSION_INVALID", lambda: verify_inclusion(pair, 0, 4, [node_hash(LEAVES[2], LEAVES[3])], tree))


def test_a_proof_longer_than_its_size_allows_is_refused_even_where_it_leads_to_the_root() -> None:
    proof = inclusion_proof(LEAVES, 1, 2)
    assert_refused("INCLUSION_INVALID", lambda: verify_inclusion(LEAVES[1], 0, 1, proof, root(LEAVES[:2])))
    old_root, new_root, proof = root(LEAVES[:7]), root(LEAVES[:8]), consistency_proof(LEAVES, 7, 8)
    assert_refused("CONSISTENCY_INVALID", lambda: verify_consistency(3, old_root, 4, new_root, proof))


def test_a_root_of_the_wrong_length_is_refused_even_where_both_are_equal() -> None:
    assert_refused("CONSISTENCY_INVALID", lambda: verify_consistency(1, b"short", 1, b"short", []))


def test_sizes_of_zero_are_refused() -> None:
    assert_refused("INCLUSION_INVALID", lambda: verify_inclusion(EMPTY_ROOT, 0, 0, [], EMPTY_ROOT))
    assert_refused("CONSISTENCY_INVALID", lambda: verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, []))


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (0, 0), (1, 1), (0, 5), (5, 4)])
def test_inclusion_proof_out_of_range_is_refused(index: int, size: int) -> None:
    with pytest.raises(Malformed) as refusal:
        inclusion_proof(LEAVES[:4], index, size)
    assert refusal.value.code == "PROOF_RANGE"


@pytest.mark.parametrize(("old", "new"), [(-1, 4), (0, 4), (3, 2), (1, 5), (5, 5)])
def test_consistency_proof_out_of_range_is_refused(old: int, new: int) -> None:
    with pytest.raises(Malformed) as refusal:
        consistency_proof(LEAVES[:4], old, new)
    assert refusal.value.code == "PROOF_RANGE"
