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
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from exchange.agreement import Parties, decide_entry, open_agreement
from exchange.directory import KnownNode, check_key, check_not_compromised, open_descriptor_chain
from exchange.disclosure import check_entry, open_view
from exchange.encoding import CAP_ENTRY, decode
from exchange.errors import ExchangeError, Malformed, Unverified
from exchange.log import LogName, open_log_checkpoint
from exchange.manifest import decode_manifest
from exchange.onward import check_permit, check_scope, open_permit
from exchange.profile import AlertType, alert_type
from exchange.receipt import OpenedReceipt, excepted, open_receipt_of
from exchange.signing import open_statement, statement_digest
from exchange.tlog.merkle import leaf_hash, verify_inclusion
from exchange.v1 import agreement_pb2, disclosure_pb2, evidence_pb2, manifest_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS, PartyId, node_of

CAP_EVIDENCE = 4 * 1024 * 1024


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


def verify_evidence(data: bytes, pins: Mapping[str, bytes]) -> VerifiedEvidence:
    """Verify an evidence file. `pins` maps trust domains to the SHA-256 fingerprints of their identity keys, got apart from the file.

    Raises `Malformed` and `Unverified` with the codes above.
    """
    evidence, entry = _e1_form(data)
    sender, recipient = _e2_nodes(evidence, pins)
    receipt = _e3_receipt(evidence, recipient)
    received_at = receipt.receipt.value.received_at
    log = _e4_checkpoint(evidence, receipt, sender, recipient)
    _e5_inclusion(evidence, receipt)
    exception = _e6_level(evidence, entry, receipt, log)
    manifest, kind, alert, view = None, None, None, b""
    agreement, clause = None, None
    if evidence.HasField("manifest"):
        manifest, originator = _e7_manifest(evidence, entry, sender, pins, received_at)
        kind = alert_type(manifest.alert_type)
        if evidence.level == evidence_pb2.EVIDENCE_LEVEL_DATA:
            view, alert = _e8_openings(evidence, entry, manifest, kind)
        agreement, clause = _e9_agreement(evidence, entry, manifest, (sender, recipient), received_at)
        _e10_permit(evidence, entry, manifest, originator, log, received_at)
    return VerifiedEvidence(
        level=evidence.level,
        log=log,
        index=evidence.index,
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
    )


def _e1_form(data: bytes) -> tuple[evidence_pb2.EvidenceFile, disclosure_pb2.Entry]:
    try:
        evidence = decode(evidence_pb2.EvidenceFile, data, CAP_EVIDENCE)
        entry = decode(disclosure_pb2.Entry, evidence.entry, CAP_ENTRY)
    except ExchangeError as error:
        raise Malformed("EVIDENCE_MALFORMED", f"the file is not an evidence file: {error.code}") from error  # E1
    if evidence.version != 1 or entry.succession:
        raise Malformed("EVIDENCE_MALFORMED", "the file is of another version")  # E1
    return evidence, entry


def _e2_nodes(evidence: evidence_pb2.EvidenceFile, pins: Mapping[str, bytes]) -> tuple[KnownNode, KnownNode]:
    return _pinned(evidence.sender_descriptors, pins), _pinned(evidence.recipient_descriptors, pins)


def _pinned(statements: Sequence[statement_pb2.Statement], pins: Mapping[str, bytes]) -> KnownNode:
    # The chain says which node it is about; the pin that is then looked up says whether to believe it.
    for trust_domain, fingerprint in pins.items():
        try:
            node = open_descriptor_chain(statements, fingerprint)
        except ExchangeError:
            continue
        if node.trust_domain == trust_domain:
            return node
    raise Unverified("EVIDENCE_NOT_PINNED", "the descriptors do not lead from a fingerprint that was given for their trust domain")  # E2


def _e3_receipt(evidence: evidence_pb2.EvidenceFile, recipient: KnownNode) -> OpenedReceipt:
    try:
        return open_receipt_of(evidence.receipt, recipient)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_RECEIPT", f"the receipt does not hold: {error.code}") from error  # E3


def _e4_checkpoint(evidence: evidence_pb2.EvidenceFile, receipt: OpenedReceipt, sender: KnownNode, recipient: KnownNode) -> LogName:
    try:
        log = LogName.parse(receipt.checkpoint.origin)
        signed = open_log_checkpoint(evidence.checkpoint, log, sender, receipt.receipt.value.received_at)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_CHECKPOINT", f"the checkpoint does not hold: {error.code}") from error  # E4
    if signed != receipt.checkpoint or (log.sender, log.recipient) != (sender.trust_domain, recipient.trust_domain):
        raise Unverified("EVIDENCE_CHECKPOINT", "the sender's checkpoint is not the one that the recipient receipted")  # E4
    return log


def _e5_inclusion(evidence: evidence_pb2.EvidenceFile, receipt: OpenedReceipt) -> None:
    checkpoint = receipt.checkpoint
    if not receipt.receipt.value.previous_size <= evidence.index < checkpoint.size:
        raise Unverified("EVIDENCE_INCLUSION", "the receipt does not cover this index")  # E5
    try:
        verify_inclusion(leaf_hash(evidence.entry), evidence.index, checkpoint.size, evidence.inclusion_proof, checkpoint.root)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_INCLUSION", "the entry is not in the log at this index") from error  # E5


def _e6_level(evidence: evidence_pb2.EvidenceFile, entry: disclosure_pb2.Entry, receipt: OpenedReceipt, log: LogName) -> int:
    exception = excepted(receipt.receipt.value, evidence.index)
    holds = {
        evidence_pb2.EVIDENCE_LEVEL_DATA: (True, True, False),
        evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS: (True, False, False),
        evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY: (False, False, False),
        evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY: (False, False, True),
    }.get(evidence.level)
    if holds != (evidence.HasField("manifest"), bool(evidence.openings), bool(exception)):
        raise Unverified("EVIDENCE_LEVEL", "the file does not hold what its level says, or the receipt excepts this index")  # E6
    if not exception:  # an entry of another form may be proved as logged, but nobody can have taken it for a disclosure
        try:
            check_entry(entry, log.recipient)
        except ExchangeError as error:
            raise Unverified("EVIDENCE_LEVEL", f"the entry does not hold: {error.code}") from error  # E6
    return exception


def _e7_manifest(
    evidence: evidence_pb2.EvidenceFile, entry: disclosure_pb2.Entry, sender: KnownNode, pins: Mapping[str, bytes], received_at: int
) -> tuple[manifest_pb2.Manifest, KnownNode]:
    try:
        manifest = decode_manifest(evidence.manifest.payload)
        own = PartyId.parse(manifest.originator).trust_domain == sender.trust_domain
        originator = sender if own else _pinned(evidence.originator_descriptors, pins)
        (key,) = open_statement(evidence.manifest, "manifest", originator)
        check_key(key, manifest.originator, manifest.issued_at)
        check_not_compromised(key, received_at)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_MANIFEST", f"the manifest does not hold: {error.code}") from error  # E7
    if statement_digest(evidence.manifest) != entry.manifest_digest:
        raise Unverified("EVIDENCE_MANIFEST", "the manifest is not the one that the entry names")  # E7
    return manifest, originator


def _e8_openings(
    evidence: evidence_pb2.EvidenceFile, entry: disclosure_pb2.Entry, manifest: manifest_pb2.Manifest, kind: AlertType
) -> tuple[bytes, Message]:
    try:
        _, view, alert = open_view(evidence.openings, entry, manifest, kind)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_OPENINGS", f"the openings do not hold: {error.code}") from error  # E8
    return view, alert


def _e9_agreement(
    evidence: evidence_pb2.EvidenceFile,
    entry: disclosure_pb2.Entry,
    manifest: manifest_pb2.Manifest,
    nodes: tuple[KnownNode, KnownNode],
    received_at: int,
) -> tuple[agreement_pb2.Agreement | None, agreement_pb2.Clause | None]:
    kind = alert_type(manifest.alert_type)
    if kind.control:
        return None, None
    try:
        agreed = open_agreement(evidence.agreement, nodes, held_since=received_at)
    except ExchangeError as error:
        raise Unverified("EVIDENCE_AGREEMENT", f"the agreement does not hold: {error.code}") from error  # E9
    clause = agreed.clauses.get(entry.clause)
    if agreed.digest != entry.agreement_digest or clause is None:
        raise Unverified("EVIDENCE_AGREEMENT", "the agreement is not the one that the entry names, or it has no such clause")  # E9
    parties = Parties(sender=nodes[0].trust_domain, recipient=nodes[1].trust_domain)
    # Required fields may have gone with an earlier entry, which this file does not hold.
    earlier = frozenset(clause.required)
    if decide_entry(agreed, entry, parties, kind, received_at, disclosed=earlier, grace=CLOCK_SKEW_MS) is not None:
        raise Unverified("EVIDENCE_AGREEMENT", "the clause does not allow what was disclosed")  # E9
    if entry.purpose not in manifest.handling.permitted_purposes:
        raise Unverified("EVIDENCE_AGREEMENT", "the originator does not permit the purpose")  # E9
    return agreed.agreement, clause


def _e10_permit(
    evidence: evidence_pb2.EvidenceFile,
    entry: disclosure_pb2.Entry,
    manifest: manifest_pb2.Manifest,
    originator: KnownNode,
    log: LogName,
    received_at: int,
) -> None:
    if originator.trust_domain == log.sender:
        return
    control = alert_type(manifest.alert_type).control
    try:
        permit = open_permit(evidence.permit, originator, held_since=received_at)
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
