"""Tiles and their paths, and whether somebody who has only tiles can compute the log's root."""

import pytest

from exchange.errors import Malformed, NotFound
from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.tlog.tiles import Tile, read_tile, split_tile, tiles_of
from exchange.tlog.tree import grow, root_at


class Stored:
    """A log's hashes in memory."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.levels: dict[int, list[bytes]] = {0: leaves}
        _, nodes = grow(Frontier.empty(), leaves)
        for node in nodes:
            self.levels.setdefault(node.level, []).append(node.hash)

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        assert end - start <= 256
        assert start // 256 == (end - 1) // 256
        return self.levels[level][start:end]


class Fetched:
    """The same, from tiles only."""

    def __init__(self, tiles: dict[str, bytes], size: int) -> None:
        self.tiles, self.size = tiles, size

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        index = start // 256
        width = min(256, (self.size >> 8 * level) - index * 256)
        tile = Tile(level=level, index=index, width=width)
        return split_tile(tile, self.tiles[tile.path])[start - index * 256 : end - index * 256]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700, 65536, 65537])
def test_tiles_are_enough_for_every_root(size: int) -> None:
    leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(size)]
    stored = Stored(leaves)
    tiles = {tile.path: read_tile(stored, tile, size) for tile in tiles_of(size)}
    for wanted in {1, size // 2 or 1, size}:
        assert root_at(Fetched(tiles, size), wanted) == Frontier.empty().extend(leaves[:wanted]).root()


def test_an_empty_tree_has_no_tiles() -> None:
    assert tiles_of(0) == []


@pytest.mark.parametrize(
    "tile", [Tile(level=0, index=0, width=4), Tile(level=0, index=1, width=1), Tile(level=1, index=0, width=1), Tile(level=0, index=0)]
)
def test_what_the_tree_has_not_grown_to_is_not_served(tile: Tile) -> None:
    with pytest.raises(NotFound) as refusal:
        read_tile(Stored([leaf_hash(b"%d" % n) for n in range(3)]), tile, 3)
    assert refusal.value.code == "TILE_UNKNOWN"


def test_a_partial_tile_stays_when_the_tree_has_grown() -> None:
    stored = Stored([leaf_hash(b"%d" % n) for n in range(3)])
    assert read_tile(stored, Tile(level=0, index=0, width=2), 3) == b"".join(stored.levels[0][:2])


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0",
        "tile/00/000",
        "tile/64/000",
        "tile/99/000",
        "tile/100/000",
        "tile/0/0",
        "tile/0/x000/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/999",
        "tile/entries/000",
        "tile/0/x009/x223/x372/x036/x854/x775/808",
        "tile/0/000\n",
        "/tile/0/000",
    ],
)
def test_a_path_out_of_form_is_refused(path: str) -> None:
    with pytest.raises(Malformed) as refusal:
        Tile.parse(path)
    assert refusal.value.code == "TILE_MALFORMED"


def test_the_largest_index_has_a_path() -> None:
    tile = Tile(level=0, index=(1 << 63) - 1, width=7)
    assert Tile.parse(tile.path) == tile


def test_a_tile_of_another_length_is_refused() -> None:
    tile = Tile(level=0, index=0, width=2)
    assert split_tile(tile, bytes(64)) == [bytes(32), bytes(32)]
    for length in (0, 63, 65, 8192):
        with pytest.raises(Malformed) as refusal:
            split_tile(tile, bytes(length))
        assert refusal.value.code == "TILE_MALFORMED"
