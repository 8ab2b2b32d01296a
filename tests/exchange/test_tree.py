import random
from collections.abc import Sequence
from hashlib import sha256

import pytest

from exchange.errors import Malformed
from exchange.tlog import merkle, tree
from exchange.tlog.merkle import Frontier


class Stored:
    """Hashes as a database would hold them, counting how many are read."""

    def __init__(self) -> None:
        self.levels: dict[int, dict[int, bytes]] = {}
        self.reads: list[int] = []

    def add(self, leaves: Sequence[bytes], first: int, nodes: Sequence[tree.Node]) -> None:
        self.levels.setdefault(0, {}).update(enumerate(leaves, first))
        for node in nodes:
            assert node.index not in self.levels.setdefault(node.level, {})
            self.levels[node.level][node.index] = node.hash

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        assert start // tree.TILE_WIDTH == (end - 1) // tree.TILE_WIDTH, "within one tile"
        self.reads.append(end - start)
        return [self.levels[level][index] for index in range(start, end)]


LEAVES = [sha256(str(number).encode()).digest() for number in range(70_000)]


@pytest.fixture(scope="module")
def stored() -> Stored:
    held = Stored()
    frontier = Frontier.empty()
    randomness = random.Random(7)
    done = 0
    while done < len(LEAVES):
        part = LEAVES[done : done + randomness.choice((1, 3, 64, 255, 256, 257, 700))]
        frontier, nodes = tree.grow(frontier, part)
        held.add(part, done, nodes)
        done += len(part)
    assert frontier == Frontier.empty().extend(LEAVES)
    return held


def test_one_node_is_stored_for_each_complete_tile_of_every_level(stored: Stored) -> None:
    assert {level: len(nodes) for level, nodes in stored.levels.items()} == {0: 70_000, 1: 273, 2: 1}
    assert stored.levels[2][0] == merkle.root(LEAVES[:65536])
    assert all(stored.levels[1][index] == merkle.root(LEAVES[index * 256 : index * 256 + 256]) for index in range(273))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 1000, 4097])
def test_proofs_from_stored_nodes_are_those_of_the_standard(stored: Stored, size: int) -> None:
    assert tree.frontier_at(stored, size) == Frontier.empty().extend(LEAVES[:size])
    for index in {0, 1, size // 3, size - 1} & set(range(size)):
        assert tree.prove_inclusion(stored, index, size) == merkle.inclusion_proof(LEAVES, index, size)
    for old in {1, 2, size // 3, size - 1, size} & set(range(1, size + 1)):
        assert tree.prove_consistency(stored, old, size) == merkle.consistency_proof(LEAVES, old, size)


def test_a_proof_in_a_long_log_reads_at_most_two_tiles_a_level(stored: Stored) -> None:
    whole = merkle.root(LEAVES)
    for index in (0, 65_535, 65_536, 69_999, 12_345):
        stored.reads.clear()
        proof = tree.prove_inclusion(stored, index, len(LEAVES))
        assert sum(stored.reads) <= 3 * 2 * tree.TILE_WIDTH
        merkle.verify_inclusion(LEAVES[index], index, len(LEAVES), proof, whole)
    assert tree.root_at(stored, len(LEAVES)) == whole


def test_an_empty_tree_has_the_empty_root(stored: Stored) -> None:
    assert tree.root_at(stored, 0) == merkle.EMPTY_ROOT
    assert tree.grow(Frontier.empty(), []) == (Frontier.empty(), [])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_an_inclusion_proof_outside_the_tree_is_refused(stored: Stored, index: int, size: int) -> None:
    with pytest.raises(Malformed) as refused:
        tree.prove_inclusion(stored, index, size)
    assert refused.value.code == "PROOF_RANGE"


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_a_consistency_proof_outside_the_tree_is_refused(stored: Stored, old: int, new: int) -> None:
    with pytest.raises(Malformed) as refused:
        tree.prove_consistency(stored, old, new)
    assert refused.value.code == "PROOF_RANGE"


def test_a_climb_from_leaves_or_from_tiles_meets_every_node_and_every_edge(stored: Stored) -> None:
    by_leaf, by_tile = tree.Climb(), tree.Climb()
    met: list[tree.Node] = []
    randomness = random.Random(8)
    while by_leaf.size < len(LEAVES):
        met += by_leaf.add(LEAVES[by_leaf.size : by_leaf.size + randomness.choice((0, 1, 64, 257, 5000))])
        assert by_leaf.frontier() == tree.frontier_at(stored, by_leaf.size)
    assert {(node.level, node.index): node.hash for node in met} == {
        (level, index): node for level, nodes in stored.levels.items() if level for index, node in nodes.items()
    }
    above = [node for index in range(273) for node in by_tile.add_tile(stored.levels[1][index])]
    assert above == [node for node in met if node.level > 1]
    apart = by_tile.copy()
    apart.add(LEAVES[by_tile.size :])
    assert apart.frontier() == by_leaf.frontier()
    assert by_tile.frontier() == tree.frontier_at(stored, 273 * 256)
    with pytest.raises(Malformed) as refused:
        apart.add_tile(LEAVES[0])
    assert refused.value.code == "PROOF_RANGE"
