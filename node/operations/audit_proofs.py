"""Proofs for an auditor's own verifier: inclusion, consistency, checkpoints and tiles of the journal and of every disclosure log.

Hashes and checkpoints say nothing to whoever has not the entries, and witnesses get them too: only a proof that comes with its
entry is journalled as a look.
"""

from dataclasses import dataclass

from exchange.errors import Malformed, NotFound
from exchange.journal import journal_origin
from exchange.tlog.tree import TILE_WIDTH, prove_consistency, prove_inclusion
from exchange.v1 import audit_service_pb2
from node.operations.access import note_access
from node.operations.anchor import checkpoint_journal
from node.operations.audit_events import journal_at, journal_row
from node.operations.officers import AUDITOR, require
from node.operations.review import newest_checkpoint
from node.ports import Ports
from node.store import logs
from node.store.journal import Event, Kind
from node.store.nodes import StoredHashes, journal_log
from node.store.transaction import Transaction

_HIGHEST_LEVEL = 7
"""256⁷ entries are more than any log will have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTree:
    """The tree of the journal or of a disclosure log."""

    origin: str
    hashes: StoredHashes
    size: int
    generation: int
    """Of a journal; 0 for a disclosure log."""
    log_id: int


def get_proof(ports: Ports, person: str, request: audit_service_pb2.GetProofRequest) -> audit_service_pb2.GetProofResponse:
    """One entry of the journal or of a log, and that it is in the tree.

    Raises `NotFound` (LOG_UNKNOWN, ENTRY_UNKNOWN), `Malformed` (PROOF_RANGE).
    """
    require(ports, person, (AUDITOR,))
    with ports.store.read() as tx:
        tree = tree_of(ports, tx, request.origin)
        size = request.size or tree.size
        if size > tree.size:
            raise Malformed("PROOF_RANGE", "the log is not yet of that size")
        entry = entry_in(ports, tx, tree, request.index)
        hashes = prove_inclusion(tree.hashes, request.index, size)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="PROOF", origin=tree.origin, index=request.index, count=1))
    return audit_service_pb2.GetProofResponse(origin=tree.origin, index=request.index, size=size, entry=entry, hashes=hashes)


def get_consistency(
    ports: Ports, person: str, request: audit_service_pb2.GetConsistencyRequest
) -> audit_service_pb2.GetConsistencyResponse:
    """That the tree of one size begins that of another. Raises `NotFound` (LOG_UNKNOWN), `Malformed` (PROOF_RANGE)."""
    require(ports, person, (AUDITOR,))
    with ports.store.read() as tx:
        tree = tree_of(ports, tx, request.origin)
        if request.second_size > tree.size:
            raise Malformed("PROOF_RANGE", "the log is not yet of that size")
        hashes = prove_consistency(tree.hashes, request.first_size, request.second_size)
    return audit_service_pb2.GetConsistencyResponse(origin=tree.origin, hashes=hashes)


def get_checkpoint(ports: Ports, person: str, origin: str) -> audit_service_pb2.GetCheckpointResponse:
    """The newest checkpoint: of the newest journal and of our own logs signed now, of others the one that its owner signed last.

    Raises `NotFound` (LOG_UNKNOWN, CHECKPOINT_MISSING), and for the journal as `checkpoint_journal`.
    """
    require(ports, person, (AUDITOR,))
    with ports.store.read() as tx:
        tree = tree_of(ports, tx, origin)
        log = logs.find_log(tx, tree.origin)
        newest = logs.newest_receipt(tx, tree.log_id) if log else None
        current = tree.generation == ports.journal.edge(tx).generation
    checkpoint = b""
    if log is not None:
        checkpoint = newest_checkpoint(ports, log, newest)
    elif current:
        checkpoint = checkpoint_journal(ports)
    if not checkpoint:
        raise NotFound("CHECKPOINT_MISSING", "there is no signed checkpoint of this log yet")
    return audit_service_pb2.GetCheckpointResponse(checkpoint=checkpoint)


def get_tile(ports: Ports, person: str, request: audit_service_pb2.GetTileRequest) -> audit_service_pb2.GetTileResponse:
    """Hashes of one tile. Raises `NotFound` (LOG_UNKNOWN, TILE_UNKNOWN), `Malformed` (TILE_RANGE)."""
    require(ports, person, (AUDITOR,))
    if not 1 <= request.width <= TILE_WIDTH or request.level > _HIGHEST_LEVEL:
        raise Malformed("TILE_RANGE", "a tile is 1 to 256 hashes wide, of level 0 to 7")
    start = request.index * TILE_WIDTH
    with ports.store.read() as tx:
        tree = tree_of(ports, tx, request.origin)
        if start + request.width > tree.size >> 8 * request.level:
            raise NotFound("TILE_UNKNOWN", "the log has no such tile, or not yet of that width")
        hashes = tree.hashes.hashes(request.level, start, start + request.width)
    return audit_service_pb2.GetTileResponse(hashes=b"".join(hashes))


def tree_of(ports: Ports, tx: Transaction, origin: str) -> LogTree:
    """The journal or log of that origin; an empty one is the newest journal. Raises `NotFound` (LOG_UNKNOWN)."""
    log = logs.find_log(tx, origin) if origin else None
    if log is not None:
        return LogTree(origin=origin, hashes=StoredHashes(tx, log.id), size=log.size, generation=0, log_id=log.id)
    generation, size = journal_at(ports, tx, origin)
    log_id = journal_log(generation)
    return LogTree(
        origin=journal_origin(ports.trust_domain, generation),
        hashes=StoredHashes(tx, log_id),
        size=size,
        generation=generation,
        log_id=log_id,
    )


def entry_in(ports: Ports, tx: Transaction, tree: LogTree, index: int) -> bytes:
    """The bytes of one entry. Raises `NotFound` (ENTRY_UNKNOWN)."""
    if tree.generation:
        return journal_row(ports, tx, tree.generation, index).entry
    rows = logs.entry_rows(tx, tree.log_id, index, index + 1) if index < tree.size else []
    if not rows:
        raise NotFound("ENTRY_UNKNOWN", "the log has no entry at that index")
    return rows[0].entry
