"""The proof that an alert was logged, for the agency that sent it: one entry against a signed checkpoint, verified when it is asked.

With the receipt both countries signed the tree. Before it this node signs its own, as it does for the next delivery.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.errors import ExchangeError, NotFound
from exchange.log import open_log_checkpoint
from exchange.signing import statement_digest
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import leaf_hash, verify_inclusion
from exchange.tlog.tree import prove_inclusion
from exchange.v1 import disclosure_pb2, statement_pb2
from node.documents import loosely
from node.operations.access import note_access
from node.operations.entry_proof import EntryProof, prove_entry
from node.operations.evidence import find_entry
from node.operations.log_export import newest_note
from node.operations.officers import LIAISON, agency_of, require
from node.ports import Ports
from node.store import alerts, logs
from node.store.journal import Event, Kind
from node.store.logs import EntryRow, LogRow, ReceiptRow
from node.store.nodes import StoredHashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """An entry's place in a signed tree, as found by the node when it was asked."""

    note: bytes
    """The signed checkpoint; empty where this node may sign none now."""
    tree: Checkpoint | None = None
    """Once its signature was found to hold."""
    path: Sequence[bytes] = ()
    """From the entry to the root (RFC 6962, 2.1.1)."""
    failed: str = ""
    """The code of what does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentProof:
    """One entry and what proves it. Times are Unix milliseconds."""

    origin: str
    index: int
    audience: Sequence[str]
    disclosed_at: int
    leaf: bytes
    """The hash of the entry's bytes as they stand."""
    verified: Verified
    proved: EntryProof
    receipt: bytes
    """Digest of the recipient's signed receipt; empty as long as none came."""
    levels: Sequence[str]
    """Of the evidence that can be exported of it; none before the receipt."""

    @property
    def holds(self) -> bool:
        """Whether it is proved."""
        return self.verified.tree is not None and not self.verified.failed and not self.proved.failed

    @property
    def fails(self) -> bool:
        """Whether something does not hold: not the same as what cannot be said yet."""
        return bool(self.verified.failed or self.proved.failed)


def prove_sent(ports: Ports, person: str, reference: str, origin: str, index: int) -> SentProof:
    """The proof that an alert of the caller's agency was logged at `index` of the log `origin`. Never content.

    Raises `NotFound`: as `alerts.find`, and LOG_UNKNOWN, ENTRY_UNKNOWN, PARTNER_UNKNOWN.
    """
    agency = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        alert = alerts.find(tx, reference, originator=agency)
        log, row = find_entry(tx, origin, index)
        if not log.outbound or row.alert_ref != alert.id:
            raise NotFound("ENTRY_UNKNOWN", "that entry of the log tells nobody of this alert")
        proved = prove_entry(ports, tx, log, row)
        excepted = bool(logs.exception_codes(tx, log.id, index, index + 1))
    receipt = proved.receipt
    if receipt is not None and receipt.checkpoint:
        verified = _verified(ports, log, row, receipt.checkpoint, receipt.received_at)
    else:
        verified = _verified(ports, log, row, newest_note(ports, log), ports.clock.now_ms())
    place = Event(code="PROOF", subject=alert.digest, origin=origin, index=index, count=1)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, place)
    entry = loosely(disclosure_pb2.Entry, row.entry)
    return SentProof(
        origin=origin,
        index=index,
        audience=list(entry.audience),
        disclosed_at=entry.disclosed_at,
        leaf=leaf_hash(row.entry),
        verified=verified,
        proved=proved,
        receipt=statement_digest(statement_pb2.Statement.FromString(receipt.statement)) if receipt else b"",
        levels=_levels(receipt, erased=alert.wrapped_key is None, excepted=excepted),
    )


def _verified(ports: Ports, log: LogRow, row: EntryRow, note: bytes, at: int) -> Verified:
    tree: Checkpoint | None = None
    path: tuple[bytes, ...] = ()
    if not note:
        return Verified(note=note)
    try:
        tree = open_log_checkpoint(note, log.name, ports.known.own, at)
        with ports.store.read() as tx:
            path = tuple(prove_inclusion(StoredHashes(tx, log.id), row.idx, tree.size))
        verify_inclusion(leaf_hash(row.entry), row.idx, tree.size, path, tree.root)
    except ExchangeError as error:
        return Verified(note=note, tree=tree, path=path, failed=error.code)
    return Verified(note=note, tree=tree, path=path)


def _levels(receipt: ReceiptRow | None, *, erased: bool, excepted: bool) -> tuple[str, ...]:
    if receipt is None or not receipt.checkpoint:
        return ()
    return ("LOGGED_ONLY",) if excepted else ("ENTRY_ONLY",) if erased else ("CONTENTLESS", "DATA")
