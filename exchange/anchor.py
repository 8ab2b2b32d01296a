"""What a country's journal says of a disclosure log, and by when witnesses had seen it (PROTOCOL.md, sections 9 and 10).

A receipt bears a date that its signer chose. A journal's checkpoint that others cosigned bears theirs: whatever it covers stood by then.
"""

from dataclasses import dataclass

from exchange.directory import KnownNode
from exchange.errors import ExchangeError, Unverified
from exchange.journal import open_journal_entry, parse_journal_origin
from exchange.log import open_owned_checkpoint, raw_key
from exchange.receipt import OpenedReceipt
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from exchange.tlog.note import NoteVerifier, cosigned_at, open_note, split_note
from exchange.tlog.policy import Policy
from exchange.v1 import evidence_pb2, journal_pb2
from exchange.witness import check_policy


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
    """By when a quorum of the policy's witnesses had cosigned it, Unix milliseconds; 0 if no policy was given or it is not satisfied."""
    refusal: str
    """The code under which the policy is not satisfied; empty if it is, or was not given."""


def open_anchor(anchor: evidence_pb2.Anchor, receipt: OpenedReceipt, nodes: tuple[KnownNode, KnownNode], policy: Policy | None) -> Anchored:
    """Open an anchor of the log that `receipt` is about, or of the receipt, in the journal of one of `nodes`.

    The journal's key is judged when the policy's quorum had cosigned; without one, a key that is known as compromised says nothing.
    Raises `Unverified` (ANCHOR_OF_ANOTHER), and as reading a checkpoint, a journal's entry and both kinds of proof do.
    """
    checkpoint = parse_checkpoint_text(split_note(anchor.checkpoint)[0])
    owner, _ = parse_journal_origin(checkpoint.origin)
    node = next((node for node in nodes if node.trust_domain == owner), None)
    if node is None:
        raise Unverified("ANCHOR_OF_ANOTHER", "the journal is neither the sender's nor the recipient's")
    witnessed_at, refusal = 0, ""
    if policy is not None:
        try:
            witnessed_at = _cosigned(anchor.checkpoint, checkpoint.origin, node, policy)
        except ExchangeError as error:
            refusal = error.code
    open_owned_checkpoint(anchor.checkpoint, checkpoint.origin, node, witnessed_at or None)
    verify_inclusion(leaf_hash(anchor.entry), anchor.index, checkpoint.size, anchor.inclusion_proof, checkpoint.root)
    return Anchored(
        journal=checkpoint.origin,
        index=anchor.index,
        receipt=_names_receipt(open_journal_entry(anchor.entry), anchor, receipt),
        witnessed_at=witnessed_at,
        refusal=refusal,
    )


def _cosigned(note: bytes, origin: str, node: KnownNode, policy: Policy) -> int:
    """When the last of the earliest cosignatures that together satisfy the policy was made."""
    check_policy(policy, note, [NoteVerifier(name=origin, public_key=raw_key(key.spki)) for key in node.log_keys()])
    if policy.satisfied([], own=node.trust_domain):
        raise Unverified("POLICY_NOBODY", "the policy asks for no witness, so it says nothing of when")
    opened = open_note(note, [witness.key for witness in policy.witnesses.values()])
    earliest = sorted(zip(map(cosigned_at, opened.signatures), opened.verified, strict=True), key=lambda pair: pair[0])
    enough = next(n for n in range(len(earliest)) if policy.satisfied([key for _, key in earliest[: n + 1]], own=node.trust_domain))
    return earliest[enough][0] * 1000


def _names_receipt(entry: journal_pb2.JournalEntry, anchor: evidence_pb2.Anchor, receipt: OpenedReceipt) -> bool:
    held = receipt.checkpoint
    if entry.kind == journal_pb2.JOURNAL_KIND_ANCHOR and entry.origin == held.origin:
        verify_consistency(held.size, held.root, entry.count, entry.root, anchor.consistency_proof)
        return False
    if entry.kind != journal_pb2.JOURNAL_KIND_RECEIPT or entry.subject != receipt.receipt.digest or anchor.consistency_proof:
        raise Unverified("ANCHOR_OF_ANOTHER", "the journal's entry is about another log or another receipt")
    return True
