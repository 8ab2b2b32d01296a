"""What a country's journal says of a disclosure log, and by when witnesses had seen it (PROTOCOL.md, sections 9 and 10).

A receipt bears a date that its signer chose. A journal's checkpoint that others cosigned bears theirs: whatever it covers stood by then.
"""

from collections.abc import Callable
from dataclasses import dataclass

from exchange.directory import KnownNode
from exchange.errors import ExchangeError, Unverified
from exchange.journal import open_journal_entry, parse_journal_origin
from exchange.log import open_owned_checkpoint
from exchange.receipt import OpenedReceipt
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from exchange.tlog.note import split_note
from exchange.v1 import evidence_pb2, journal_pb2

Quorum = Callable[[bytes], int]
"""An auditor's own witness policy: the time (Unix milliseconds) by which enough witnesses had cosigned a signed note.

Raises an `ExchangeError` when not enough of them did.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """What an anchor proves."""

    journal: str
    """Origin."""
    index: int
    """Of the entry in the journal."""
    receipt: bool
    """It names the receipt itself, and not only the log."""
    witnessed_at: int
    """By when a quorum had cosigned it, Unix milliseconds; 0 if no policy was given or too few cosigned."""


def open_anchor(anchor: evidence_pb2.Anchor, receipt: OpenedReceipt, nodes: tuple[KnownNode, KnownNode], quorum: Quorum | None) -> Anchored:
    """Open an anchor of the log that `receipt` is about, or of the receipt, in the journal of one of `nodes`. Raises `Unverified`.

    The journal's key is judged when the quorum had cosigned; without one, a key that is known as compromised says nothing.
    """
    checkpoint = parse_checkpoint_text(split_note(anchor.checkpoint)[0])
    owner, _ = parse_journal_origin(checkpoint.origin)
    node = next((node for node in nodes if node.trust_domain == owner), None)
    if node is None:
        raise Unverified("ANCHOR_OF_ANOTHER", "the journal is neither the sender's nor the recipient's")
    witnessed_at = _cosigned(anchor.checkpoint, quorum)
    open_owned_checkpoint(anchor.checkpoint, checkpoint.origin, node, witnessed_at or None)
    verify_inclusion(leaf_hash(anchor.entry), anchor.index, checkpoint.size, anchor.inclusion_proof, checkpoint.root)
    entry = open_journal_entry(anchor.entry)
    of_receipt = _says(entry, anchor, receipt)
    return Anchored(journal=checkpoint.origin, index=anchor.index, receipt=of_receipt, witnessed_at=witnessed_at)


def _cosigned(note: bytes, quorum: Quorum | None) -> int:
    if quorum is None:
        return 0
    try:
        return quorum(note)
    except ExchangeError:
        return 0


def _says(entry: journal_pb2.JournalEntry, anchor: evidence_pb2.Anchor, receipt: OpenedReceipt) -> bool:
    held = receipt.checkpoint
    if entry.kind == journal_pb2.JOURNAL_KIND_ANCHOR and entry.origin == held.origin:
        verify_consistency(held.size, held.root, entry.count, entry.root, anchor.consistency_proof)
        return False
    if entry.kind != journal_pb2.JOURNAL_KIND_RECEIPT or entry.subject != receipt.receipt.digest or anchor.consistency_proof:
        raise Unverified("ANCHOR_OF_ANOTHER", "the journal's entry is about another log or another receipt")
    return True
