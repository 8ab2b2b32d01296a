"""What this node's journal says of a disclosure log or a receipt, ready for a file: under the first checkpoint that witnesses cosigned after it."""

from collections.abc import Iterator

from exchange.signing import statement_digest
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.tlog.note import split_note
from exchange.tlog.tree import prove_consistency, prove_inclusion
from exchange.v1 import evidence_pb2, journal_pb2, statement_pb2
from node.ports import Ports
from node.store.anchors import Place, first_anchor, first_cosigned, receipt_entry
from node.store.logs import LogRow, ReceiptRow
from node.store.nodes import StoredHashes, journal_log
from node.store.transaction import Transaction


def anchors_of(ports: Ports, tx: Transaction, log: LogRow, receipt: ReceiptRow) -> list[evidence_pb2.Anchor]:
    """The anchor of the log at or above the receipt's size, and the journal's word for the receipt; none before witnesses cosigned them."""
    return list(_anchors(ports, tx, log, receipt))


def _anchors(_ports: Ports, tx: Transaction, log: LogRow, receipt: ReceiptRow) -> Iterator[evidence_pb2.Anchor]:
    place = first_anchor(tx, log.name.origin, receipt.size)
    if place is not None:
        anchor = _prove(tx, place)
        if anchor is not None:
            size = journal_pb2.JournalEntry.FromString(place[2]).count
            anchor.consistency_proof.extend(prove_consistency(StoredHashes(tx, log.id), receipt.size, size))
            yield anchor
    place = receipt_entry(tx, statement_digest(statement_pb2.Statement.FromString(receipt.statement)))
    if place is not None:
        anchor = _prove(tx, place)
        if anchor is not None:
            yield anchor


def _prove(tx: Transaction, place: Place) -> evidence_pb2.Anchor | None:
    generation, index, entry = place
    note = first_cosigned(tx, generation, index)
    if note is None:
        return None
    size = parse_checkpoint_text(split_note(note)[0]).size
    hashes = StoredHashes(tx, journal_log(generation))
    return evidence_pb2.Anchor(entry=entry, index=index, inclusion_proof=prove_inclusion(hashes, index, size), checkpoint=note)
