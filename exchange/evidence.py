"""One disclosure, proved to a stranger: no database, no network, nothing trusted but pinned fingerprints (PROTOCOL.md, section 9).

The checks, in order, each with its own code:

E1  EVIDENCE_MALFORMED    the file and its entry are strict, of version 1
E2  EVIDENCE_NOT_PINNED   both descriptor chains lead from the pinned keys
E3  EVIDENCE_RECEIPT      the recipient's receipt holds, its key judged at received_at
E4  EVIDENCE_CHECKPOINT   the sender signed the same checkpoint
E5  EVIDENCE_INCLUSION    the entry is in the log at its index, within the receipt's range
E6  EVIDENCE_LEVEL        the level is what the file holds, the entry of the one form; an exception proves logging, never delivery
E7  EVIDENCE_MANIFEST     the entry's manifest, signed by the originator; a compromised key only if receipted before
E8  EVIDENCE_OPENINGS     the openings are exactly the entry's fields and match their commitments
E9  EVIDENCE_AGREEMENT    the agreement that the entry names, signed by both, whose clause allows exactly this
E10 EVIDENCE_PERMIT       what was passed on carries the originator's permit
E11 EVIDENCE_ANCHOR       each anchor stands in a journal of one of the two countries, and is of this log or this receipt
E12 EVIDENCE_WITNESSED    under an auditor's policy: a quorum cosigned an anchor, before the compromise of any key that counts

E11 and E12 run before E7: they say by when the disclosure stood, which E7, E9 and E10 ask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from exchange.agreement import Agreed, Parties, decide_entry, open_agreement
from exchange.anchor import Anchored, open_anchor
from exchange.directory import KnownNode, check_key, check_not_compromised
from exchange.disclosure import check_entry, open_view
from exchange.encoding import CAP_ENTRY, decode
from exchange.errors import ExchangeError, Malformed, Unverified
from exchange.log import LogName, open_log_checkpoint, open_owned_checkpoint
from exchange.manifest import decode_manifest
from exchange.onward import check_permit, check_scope, open_permit
from exchange.pinned import PinnedNodes
from exchange.profile import AlertType, alert_type
from exchange.receipt import OpenedReceipt, excepted, open_receipt_of
from exchange.signing import open_statement, statement_digest
from exchange.tlog.merkle import leaf_hash, verify_inclusion
from exchange.tlog.policy import Policy
from exchange.v1 import agreement_pb2, disclosure_pb2, evidence_pb2, manifest_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS, PartyId, node_of

CAP_EVIDENCE = 4 * 1024 * 1024
_ANCHORS_AT_MOST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEvidence:
    """What an evidence file proves. Times are Unix milliseconds."""

    level: int
    """EvidenceLevel."""
    log: LogName
    index: int
    entry: disclosure_pb2.Entry
    received_at: int
    root: bytes
    size: int
    exception: int
    """ExceptionCode, 0 unless the level is LOGGED_ONLY."""
    agreement: agreement_pb2.Agreement | None
    clause: agreement_pb2.Clause | None
    manifest: manifest_pb2.Manifest | None
    kind: AlertType | None
    alert: Message | None
    """What the recipient was shown; None unless the level is DATA."""
    view: bytes
    anchors: tuple[Anchored, ...]
    witnessed_at: int
    """By when an auditor's quorum of witnesses had seen it; 0 if no policy was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One disclosure with all that proves it: the fields of an EvidenceFile, wherever they are stored."""

    level: evidence_pb2.EvidenceLevel.ValueType
    entry: bytes
    index: int
    inclusion_proof: Sequence[bytes]
    receipt: statement_pb2.Statement
    checkpoint: bytes
    manifest: statement_pb2.Statement | None
    openings: Sequence[manifest_pb2.Opening]
    sender_descriptors: Sequence[statement_pb2.Statement]
    recipient_descriptors: Sequence[statement_pb2.Statement]
    agreement: statement_pb2.Statement
    permit: statement_pb2.Statement
    originator_descriptors: Sequence[statement_pb2.Statement]
    anchors: Sequence[evidence_pb2.Anchor]


def verify_evidence(data: bytes, pins: Mapping[str, bytes], policy: Policy | None = None) -> VerifiedEvidence:
    """Verify an evidence file. `pins` maps trust domains to the SHA-256 fingerprints of their identity keys, got apart from the file.

    With `policy`, the auditor's own and never one that came with the file, it must prove that enough witnesses had seen it, and when.
    Raises `Malformed` and `Unverified` with the codes above.
    """
    try:
        evidence = decode(evidence_pb2.EvidenceFile, data, CAP_EVIDENCE)
    except ExchangeError as error:
        raise Malformed("EVIDENCE_MALFORMED", f"the file is not an evidence file: {error.code}") from error  # E1
    if evidence.version != 1:
        raise Malformed("EVIDENCE_MALFORMED", "the file is of another version")  # E1
    proof = Proof(
        level=evidence.level,
        entry=evidence.entry,
        index=evidence.index,
        inclusion_proof=evidence.inclusion_proof,
        receipt=evidence.receipt,
        checkpoint=evidence.checkpoint,
        manifest=evidence.manifest if evidence.HasField("manifest") else None,
        openings=evidence.openings,
        sender_descriptors=evidence.sender_descriptors,
        recipient_descriptors=evidence.recipient_descriptors,
        agreement=evidence.agreement,
        permit=evidence.permit,
        originator_descriptors=evidence.originator_descriptors,
        anchors=evidence.anchors,
    )
    return EvidenceVerifier(pins, policy).verify(proof)


class EvidenceVerifier:
    """Verifies proofs under one set of pins and one policy; what several of them share is opened once."""

    def __init__(self, pins: Mapping[str, bytes], policy: Policy | None = None) -> None:
        self._pinned = PinnedNodes(pins)
        self._policy = policy
        self._receipts: dict[tuple[bytes, bytes], OpenedReceipt] = {}
        self._agreements: dict[tuple[bytes, str, str, int], Agreed] = {}

    def verify(self, proof: Proof) -> VerifiedEvidence:
        """Run E1 (the entry) to E12. Raises as `verify_evidence`."""
        entry = _e1_entry(proof)
        sender, recipient = self._pinned.open(proof.sender_descriptors), self._pinned.open(proof.recipient_descriptors)
        receipt = self._e3_receipt(proof, recipient)
        received_at = receipt.receipt.value.received_at
        log = _e4_checkpoint(proof, receipt, sender, recipient)
        _e5_inclusion(proof, receipt)
        exception = _e6_level(proof, entry, receipt, log)
        anchors = self._e11_anchors(proof, receipt, (sender, recipient))
        witnessed_at = 0 if self._policy is None else _e12_witnessed(proof, receipt, sender, anchors)
        held_since = witnessed_at or received_at
        manifest, kind, alert, view = None, None, None, b""
        agreement, clause = None, None
        if proof.manifest is not None:
            manifest, originator = self._e7_manifest(proof, proof.manifest, entry, sender, held_since)
            kind = alert_type(manifest.alert_type)
            if proof.level == evidence_pb2.EVIDENCE_LEVEL_DATA:
                view, alert = _e8_openings(proof, entry, manifest, kind)
            agreement, clause = self._e9_agreement(proof, entry, manifest, (sender, recipient), (received_at, held_since))
            _e10_permit(proof, entry, manifest, originator, log, (received_at, held_since))
        return VerifiedEvidence(
            level=proof.level,
            log=log,
            index=proof.index,
            entry=entry,
            received_at=received_at,
            root=receipt.checkpoint.root,
            size=receipt.checkpoint.size,
            exception=exception,
            agreement=agreement,
            clause=clause,
            manifest=manifest,
            kind=kind,
            alert=alert,
            view=view,
            anchors=anchors,
            witnessed_at=witnessed_at,
        )

    def _e3_receipt(self, proof: Proof, recipient: KnownNode) -> OpenedReceipt:
        key = (proof.receipt.SerializeToString(), recipient.digest)
        if key not in self._receipts:
            try:
                self._receipts[key] = open_receipt_of(proof.receipt, recipient)
            except ExchangeError as error:
                raise Unverified("EVIDENCE_RECEIPT", f"the receipt does not hold: {error.code}") from error  # E3
        return self._receipts[key]

    def _e11_anchors(self, proof: Proof, receipt: OpenedReceipt, nodes: tuple[KnownNode, KnownNode]) -> tuple[Anchored, ...]:
        if len(proof.anchors) > _ANCHORS_AT_MOST:
            raise Unverified("EVIDENCE_ANCHOR", "there are more than four anchors")  # E11
        try:
            return tuple(open_anchor(anchor, receipt, nodes, self._policy) for anchor in proof.anchors)
        except ExchangeError as error:
            raise Unverified("EVIDENCE_ANCHOR", f"an anchor does not hold: {error.code}") from error  # E11

    def _e7_manifest(
        self, proof: Proof, statement: statement_pb2.Statement, entry: disclosure_pb2.Entry, sender: KnownNode, held_since: int
    ) -> tuple[manifest_pb2.Manifest, KnownNode]:
        try:
            manifest = decode_manifest(statement.payload)
            own = PartyId.parse(manifest.originator).trust_domain == sender.trust_domain
            originator = sender if own else self._pinned.open(proof.originator_descriptors)
            (key,) = open_statement(statement, "manifest", originator)
            check_key(key, manifest.originator, manifest.issued_at)
            check_not_compromised(key, held_since)
        except ExchangeError as error:
            raise Unverified("EVIDENCE_MANIFEST", f"the manifest does not hold: {error.code}") from error  # E7
        if statement_digest(statement) != entry.manifest_digest:
            raise Unverified("EVIDENCE_MANIFEST", "the manifest is not the one that the entry names")  # E7
        return manifest, originator

    def _e9_agreement(
        self,
        proof: Proof,
        entry: disclosure_pb2.Entry,
        manifest: manifest_pb2.Manifest,
        nodes: tuple[KnownNode, KnownNode],
        times: tuple[int, int],
    ) -> tuple[agreement_pb2.Agreement | None, agreement_pb2.Clause | None]:
        kind = alert_type(manifest.alert_type)
        if kind.control:
            return None, None
        received_at, held_since = times
        parties = Parties(sender=nodes[0].trust_domain, recipient=nodes[1].trust_domain)
        key = (proof.agreement.SerializeToString(), parties.sender, parties.recipient, held_since)
        try:
            agreed = self._agreements.get(key) or open_agreement(proof.agreement, nodes, held_since=held_since)
        except ExchangeError as error:
            raise Unverified("EVIDENCE_AGREEMENT", f"the agreement does not hold: {error.code}") from error  # E9
        self._agreements[key] = agreed
        clause = agreed.clauses.get(entry.clause)
        if agreed.digest != entry.agreement_digest or clause is None:
            raise Unverified("EVIDENCE_AGREEMENT", "the agreement is not the one that the entry names, or it has no such clause")  # E9
        # Required fields may have gone with an earlier entry, which this file does not hold.
        earlier = frozenset(clause.required)
        if decide_entry(agreed, entry, parties, kind, received_at, disclosed=earlier, grace=CLOCK_SKEW_MS) is not None:
            raise Unverified("EVIDENCE_AGREEMENT", "the clause does not allow what was disclosed")  # E9
        if entry.purpose not in manifest.handling.permitted_purposes:
            raise Unverified("EVIDENCE_AGREEMENT", "the originator does not permit the purpose")  # E9
        return agreed.agreement, clause


def _e1_entry(proof: Proof) -> disclosure_pb2.Entry:
    try:
        entry = decode(disclosure_pb2.Entry, proof.entry, CAP_ENTRY)
    except ExchangeError as error:
        raise Malformed("EVIDENCE_MALFORMED", f"the file is not an evidence file: {error.code}") from error  # E1
    if entry.succession:
        raise Malformed("EVIDENCE_MALFORMED", "an entry that names a succession discloses nothing")  # E1
    return entry


def _e4_checkpoint(proof: Proof, receipt: OpenedReceipt, sender: KnownNode, recipient: KnownNode) -> LogName:
    try:
        log = LogName.parse(receipt.checkpoint.origin)
        signed = open_log_checkpoint(proof.checkpoint, log, sender, receipt.receipt.value.received_at)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_CHECKPOINT", f"the checkpoint does not hold: {error.code}") from error  # E4
    if signed != receipt.checkpoint or (log.sender, log.recipient) != (sender.trust_domain, recipient.trust_domain):
        raise Unverified("EVIDENCE_CHECKPOINT", "the sender's checkpoint is not the one that the recipient receipted")  # E4
    return log


def _e5_inclusion(proof: Proof, receipt: OpenedReceipt) -> None:
    checkpoint = receipt.checkpoint
    if not receipt.receipt.value.previous_size <= proof.index < checkpoint.size:
        raise Unverified("EVIDENCE_INCLUSION", "the receipt does not cover this index")  # E5
    try:
        verify_inclusion(leaf_hash(proof.entry), proof.index, checkpoint.size, proof.inclusion_proof, checkpoint.root)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_INCLUSION", "the entry is not in the log at this index") from error  # E5


def _e6_level(proof: Proof, entry: disclosure_pb2.Entry, receipt: OpenedReceipt, log: LogName) -> int:
    exception = excepted(receipt.receipt.value, proof.index)
    holds = {
        evidence_pb2.EVIDENCE_LEVEL_DATA: (True, True, False),
        evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS: (True, False, False),
        evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY: (False, False, False),
        evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY: (False, False, True),
    }.get(proof.level)
    if holds != (proof.manifest is not None, bool(proof.openings), bool(exception)):
        raise Unverified("EVIDENCE_LEVEL", "the file does not hold what its level says, or the receipt excepts this index")  # E6
    if not exception:  # an entry of another form may be proved as logged, but nobody can have taken it for a disclosure
        try:
            check_entry(entry, log.recipient)
        except ExchangeError as error:
            raise Unverified("EVIDENCE_LEVEL", f"the entry does not hold: {error.code}") from error  # E6
    return exception


def _e12_witnessed(proof: Proof, receipt: OpenedReceipt, sender: KnownNode, anchors: Sequence[Anchored]) -> int:
    seen = [anchor.witnessed_at for anchor in anchors if anchor.witnessed_at]
    if not seen:
        why = ", ".join(sorted({anchor.refusal for anchor in anchors})) or "there is none"
        raise Unverified("EVIDENCE_WITNESSED", f"no anchor satisfies the witness policy: {why}")  # E12
    stolen = receipt.receipt.keys[0].compromised_since
    if stolen and not any(anchor.receipt and 0 < anchor.witnessed_at < stolen for anchor in anchors):
        # A thief dates receipts as he likes: only one that a journal names, seen by others before the theft, is surely not his.
        raise Unverified("EVIDENCE_WITNESSED", "the receipt's key was in other hands before any witness had seen the receipt")  # E12
    witnessed_at = min(seen)
    origin, received_at = receipt.checkpoint.origin, receipt.receipt.value.received_at
    try:
        open_owned_checkpoint(proof.checkpoint, origin, sender, received_at, held_since=witnessed_at)
    except ExchangeError as error:
        raise Unverified(
            "EVIDENCE_WITNESSED", f"the log's key was in other hands before any witness had seen it: {error.code}"
        ) from error  # E12
    return witnessed_at


def _e8_openings(proof: Proof, entry: disclosure_pb2.Entry, manifest: manifest_pb2.Manifest, kind: AlertType) -> tuple[bytes, Message]:
    try:
        _, view, alert = open_view(proof.openings, entry, manifest, kind)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_OPENINGS", f"the openings do not hold: {error.code}") from error  # E8
    return view, alert


def _e10_permit(
    proof: Proof,
    entry: disclosure_pb2.Entry,
    manifest: manifest_pb2.Manifest,
    originator: KnownNode,
    log: LogName,
    times: tuple[int, int],
) -> None:
    if originator.trust_domain == log.sender:
        return
    received_at, held_since = times
    control = alert_type(manifest.alert_type).control
    try:
        permit = open_permit(proof.permit, originator, held_since=held_since)
        check_permit(
            permit.value,
            manifest_digest=entry.in_reply_to if control else entry.manifest_digest,
            holder=str(node_of(log.sender)),
            third_party=str(node_of(log.recipient)),
            recall=control,
            at=received_at,
        )
        check_scope(permit.value, manifest, entry, recall=control)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_PERMIT", f"the permit does not hold: {error.code}") from error  # E10
    if permit.digest != entry.permit_digest:
        raise Unverified("EVIDENCE_PERMIT", "the permit is not the one that the entry names")  # E10
