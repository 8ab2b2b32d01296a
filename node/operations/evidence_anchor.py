"""What this node's journal says of a log or a receipt, ready for a file: under the first checkpoint that witnesses cosigned after it."""

from collections.abc import Iterator

from exchange.errors import ExchangeError
from exchange.journal import journal_origin
from exchange.log import raw_key
from exchange.signing import statement_digest
from exchange.tlog.note import NoteVerifier, split_note
from exchange.tlog.tree import prove_consistency, prove_inclusion
from exchange.v1 import evidence_pb2, journal_pb2, statement_pb2
from exchange.witness import check_policy
from node.ports import Ports
from node.store.anchors import Place, first_anchor, receipt_entry
from node.store.logs import LogRow, ReceiptRow
from node.store.nodes import StoredHashes, journal_log
from node.store.transaction import Transaction
from node.store.witnesses import CheckpointRow, checkpoint_covering

_CHECKPOINTS_AT_MOST = 1440
"""A day without enough witnesses."""


def anchors_of(ports: Ports, tx: Transaction, log: LogRow, receipt: ReceiptRow) -> list[evidence_pb2.Anchor]:
    """The anchor of the log at or above the receipt's size, and the journal's word for the receipt; none before witnesses cosigned them."""
    return list(_anchors(ports, tx, log, receipt))


def _anchors(ports: Ports, tx: Transaction, log: LogRow, receipt: ReceiptRow) -> Iterator[evidence_pb2.Anchor]:
    place = first_anchor(tx, log.name.origin, receipt.size)
    anchor = _prove(ports, tx, place) if place else None
    if place is not None and anchor is not None:
        size = journal_pb2.JournalEntry.FromString(place[2]).count
        anchor.consistency_proof.extend(prove_consistency(StoredHashes(tx, log.id), receipt.size, size))
        yield anchor
    place = receipt_entry(tx, statement_digest(statement_pb2.Statement.FromString(receipt.statement)))
    anchor = _prove(ports, tx, place) if place else None
    if anchor is not None:
        yield anchor


def _prove(ports: Ports, tx: Transaction, place: Place) -> evidence_pb2.Anchor | None:
    generation, index, entry = place
    found = _cosigned(ports, tx, journal_origin(ports.trust_domain, generation), index)
    if found is None:
        return None
    proof = prove_inclusion(StoredHashes(tx, journal_log(generation)), index, found.size)
    return evidence_pb2.Anchor(entry=entry, index=index, inclusion_proof=proof, checkpoint=found.note)


def _cosigned(ports: Ports, tx: Transaction, origin: str, index: int) -> CheckpointRow | None:
    """The first checkpoint with this entry that witnesses cosigned: enough of them, where this node has a policy of its own."""
    policy = ports.witnessing.policy
    keys = [NoteVerifier(name=origin, public_key=raw_key(key.spki)) for key in ports.known.own.log_keys()]
    size = index + 1
    for _ in range(_CHECKPOINTS_AT_MOST):
        kept = checkpoint_covering(tx, origin, size)
        if kept is None:
            return None
        size = kept.size + 1
        if len(split_note(kept.note)[1]) < 2:  # the log's own signature, and no witness's
            continue
        try:
            if policy is not None:
                check_policy(policy, kept.note, keys)
        except ExchangeError:
            continue
        return kept
    return None
