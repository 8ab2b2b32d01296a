"""One entry of a log and its proof, made anew from what is stored: every check run again, who signed, the tree and the way to its root.

Never the content of an alert. It is opened inside for the checks, as `fsck` does, and only their verdicts come out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exchange.directory import KnownNode
from exchange.log import raw_key
from exchange.signing import PublicKey
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import NoteVerifier, cosigned_at, split_note
from exchange.tlog.tree import prove_inclusion
from exchange.v1 import directory_pb2
from node.operations.disclosure_checks import Check, Subject, run_checks
from node.operations.evidence_anchor import anchors_of
from node.operations.proof import countries
from node.ports import Ports
from node.store import alerts, logs
from node.store.logs import EntryRow, LogRow, ReceiptRow
from node.store.nodes import StoredHashes
from node.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBy:
    """A signature that holds, and by which key. Times are Unix milliseconds."""

    what: str
    """CHECKPOINT or RECEIPT."""
    party: str
    key_id: bytes
    """SHA-256 of the key's SubjectPublicKeyInfo."""
    suite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A line of a witness below a checkpoint of a journal that anchors the log or the receipt."""

    journal: str
    index: int
    of_receipt: bool
    witness: str
    at: int
    """As the line says, Unix milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryProof:
    """All that proves one entry."""

    checks: Sequence[Check]
    signatures: Sequence[SignedBy]
    tree: Checkpoint | None
    """What both countries signed; None before the receipt."""
    proof: Sequence[bytes]
    """Inclusion in it (RFC 6962, 2.1.1)."""
    receipt: ReceiptRow | None
    receipted: tuple[int, int]
    """The range of the receipt, from up to and not with; (0, 0) for none."""
    witnessed: Sequence[Witnessed]
    policy: bool
    """Whether this node has a policy that says which witnesses are enough."""

    @property
    def failed(self) -> list[str]:
        """The numbers of what does not hold."""
        return [check.number for check in self.checks if check.verdict == "FAILS"]


def prove_entry(ports: Ports, tx: Transaction, log: LogRow, row: EntryRow) -> EntryProof:
    """The proof of one entry of one log, and every numbered check run again. Raises `NotFound` (PARTNER_UNKNOWN)."""
    sender, recipient = countries(ports.known, log)
    receipt = logs.receipt_covering(tx, log.id, row.idx)
    subject = Subject(
        ports=ports,
        tx=tx,
        log=log,
        row=row,
        alert=alerts.by_ids(tx, {row.alert_ref}).get(row.alert_ref) if row.alert_ref is not None else None,
        receipt=receipt,
        sender=sender,
        recipient=recipient,
        anchors=anchors_of(ports, tx, log, receipt) if receipt and receipt.checkpoint else (),
    )
    checks = run_checks(subject)
    tree = subject.checkpoint
    return EntryProof(
        checks=checks,
        signatures=list(_signatures(subject)),
        tree=tree,
        proof=prove_inclusion(StoredHashes(tx, log.id), row.idx, tree.size) if tree else (),
        receipt=receipt,
        receipted=(subject.opened.receipt.value.previous_size, subject.opened.checkpoint.size) if subject.opened else (0, 0),
        witnessed=list(_witnessed(subject)),
        policy=ports.witnessing.policy is not None,
    )


def _signatures(subject: Subject) -> Iterator[SignedBy]:
    if subject.checkpoint is not None and subject.receipt is not None:
        key = _log_key(subject.sender, subject.log, subject.receipt.checkpoint)
        if key is not None:
            yield SignedBy(what="CHECKPOINT", party=subject.sender.trust_domain, key_id=key.key_id, suite=_suite(key))
    if subject.opened is not None:
        key = subject.opened.receipt.keys[0]
        yield SignedBy(what="RECEIPT", party=subject.recipient.trust_domain, key_id=key.key_id, suite=_suite(key))


def _log_key(owner: KnownNode, log: LogRow, note: bytes) -> PublicKey | None:
    ids = {line.key_id for line in split_note(note)[1]}
    named = ((key, NoteVerifier(name=log.name.origin, public_key=raw_key(key.spki)).key_id) for key in owner.log_keys())
    return next((key for key, short_id in named if short_id in ids), None)


def _suite(key: PublicKey) -> str:
    return directory_pb2.Suite.Name(directory_pb2.Suite.ValueType(key.suite)).removeprefix("SUITE_")


def _witnessed(subject: Subject) -> Iterator[Witnessed]:
    for anchor, proved in zip(subject.anchors, subject.anchored, strict=False):
        for line in split_note(anchor.checkpoint)[1][1:]:
            yield Witnessed(
                journal=proved.journal, index=proved.index, of_receipt=proved.receipt, witness=line.name, at=cosigned_at(line) * 1000
            )
