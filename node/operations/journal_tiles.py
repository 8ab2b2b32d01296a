"""This node's journal as the world may see it: signed checkpoints and tiles of hashes (C2SP tlog-tiles), never entries.

What is shown ends at the newest checkpoint that was signed and kept: no hash leaves before a signature covers it.
"""

from exchange.errors import NotFound
from exchange.journal import journal_origin
from exchange.tlog.tiles import Tile, read_tile
from node.ports import Ports
from node.store.nodes import StoredHashes, journal_log
from node.store.witnesses import newest_checkpoint, shown_note


def journal_note(ports: Ports, generation: int) -> bytes:
    """The newest checkpoint of a generation of the journal with its cosignatures. Raises `NotFound` (JOURNAL_UNKNOWN)."""
    with ports.store.read() as tx:
        note = shown_note(tx, journal_origin(ports.trust_domain, generation))
    if note is None:
        raise NotFound("JOURNAL_UNKNOWN", "this node has shown no such journal")
    return note


def journal_tile(ports: Ports, generation: int, tile: Tile) -> bytes:
    """The hashes of one tile, joined. Raises `NotFound` (JOURNAL_UNKNOWN, TILE_UNKNOWN)."""
    with ports.store.read() as tx:
        newest = newest_checkpoint(tx, journal_origin(ports.trust_domain, generation))
        if newest is None:
            raise NotFound("JOURNAL_UNKNOWN", "this node has shown no such journal")
        return read_tile(StoredHashes(tx, journal_log(generation)), tile, newest.size)
