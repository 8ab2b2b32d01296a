"""Tiles: a log's tree as files of up to 256 hashes that anybody can fetch and check (C2SP tlog-tiles).

A tile's path is below the log's own prefix: `tile/<level>/<index>`, with `.p/<width>` behind it while the tile is not whole. Bundles of
entries, which that standard also knows, are not served: a journal's entries are for its auditors.
"""

import re
from dataclasses import dataclass
from typing import Self

from exchange.errors import Malformed, NotFound
from exchange.tlog.checkpoint import MAX_SIZE
from exchange.tlog.merkle import HASH_BYTES
from exchange.tlog.tree import TILE_WIDTH, HashReader

MAX_LEVEL = 63
_PATH = re.compile(r"tile/(0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Which tile: its level (0 to 63, leaf hashes at 0), its index in that level, and how many hashes it holds (1 to 256).

    Raises `Malformed` (TILE_MALFORMED).
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not 0 <= self.level <= MAX_LEVEL or not 0 <= self.index <= MAX_SIZE or not 1 <= self.width <= TILE_WIDTH:
            raise Malformed("TILE_MALFORMED", "a tile has a level from 0 to 63, an index and from 1 to 256 hashes")

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read `tile/<level>/<index>[.p/<width>]`, exactly as `path` writes it. Raises `Malformed` (TILE_MALFORMED)."""
        matched = _PATH.fullmatch(path)
        if matched is None:
            raise Malformed("TILE_MALFORMED", "not the path of a tile of hashes")
        level, index, width = matched.groups()
        tile = cls(level=int(level), index=int(index.replace("/", "").replace("x", "")), width=int(width or TILE_WIDTH))
        if tile.path != path:  # one comparison for superfluous zeros and a whole tile that is called partial
            raise Malformed("TILE_MALFORMED", "a tile has one path")
        return tile

    @property
    def path(self) -> str:
        """Where the tile is, below the log's prefix."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        part = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{number}{part}"


def tile_shapes(size: int, width: int = TILE_WIDTH) -> list[tuple[int, int, int]]:
    """(level, index, hashes) of every tile of a tree of `size` leaves, the lowest level first and in it the partial tile last.

    `width` is a whole tile's: 256 in this standard, another power of two elsewhere.
    """
    shapes: list[tuple[int, int, int]] = []
    level, hashes = 0, size
    while hashes:
        whole, rest = divmod(hashes, width)
        shapes += [(level, index, width) for index in range(whole)]
        shapes += [(level, whole, rest)] if rest else []
        level, hashes = level + 1, whole
    return shapes


def tiles_of(size: int) -> list[Tile]:
    """Every tile of a tree of `size` leaves, in the order of `tile_shapes`."""
    return [Tile(level=level, index=index, width=width) for level, index, width in tile_shapes(size)]


def read_tile(stored: HashReader, tile: Tile, size: int) -> bytes:
    """The hashes of a tile, joined, from a tree whose published size is `size`. Raises `NotFound` (TILE_UNKNOWN) if it has no such tile."""
    start = tile.index * TILE_WIDTH
    end = start + tile.width
    if end > size // TILE_WIDTH**tile.level:
        raise NotFound("TILE_UNKNOWN", "the tree has not grown to this tile")
    return b"".join(stored.hashes(tile.level, start, end))


def split_tile(tile: Tile, content: bytes) -> list[bytes]:
    """The hashes in a tile's content, 32 bytes each. Raises `Malformed` (TILE_MALFORMED) unless it has exactly its width."""
    if len(content) != tile.width * HASH_BYTES:
        raise Malformed("TILE_MALFORMED", "a tile holds exactly as many hashes as its path says")
    return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]
