"""Proof of many disclosures in one file, what they share stored once (PROTOCOL.md, section 9).

A bundle proves nothing together that its disclosures would not prove one by one: each is checked as an evidence file (E1 to E12). It
does not say that there were no others.

B1  BUNDLE_MALFORMED   the first line, the size, strict form, version; every list in its order, without duplicates
B2  BUNDLE_NOT_NAMED   nothing lies in the file that no entry in it names
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from google.protobuf.message import DecodeError

from exchange.encoding import decode, encode
from exchange.errors import ExchangeError, Malformed, Unverified
from exchange.evidence import EvidenceVerifier, Proof, VerifiedEvidence
from exchange.log import LogName
from exchange.signing import statement_digest
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.tlog.policy import Policy
from exchange.v1 import directory_pb2, disclosure_pb2, evidence_pb2, manifest_pb2, receipt_pb2, statement_pb2
from exchange.values import PartyId

BUNDLE_LINE = b"alert-exchange/v1 evidence-bundle\n"
CAP_BUNDLE = 64 * 1024 * 1024


def write_bundle(bundle: evidence_pb2.EvidenceBundle) -> bytes:
    """The bytes of a bundle's file."""
    return BUNDLE_LINE + encode(bundle)


def verify_bundle(data: bytes, pins: Mapping[str, bytes], policy: Policy | None = None) -> tuple[VerifiedEvidence, ...]:
    """Verify a bundle's file: what each of its disclosures proves, in the order of logs and indexes. Arguments are as in `verify_evidence`.

    Raises `Malformed` (BUNDLE_MALFORMED), `Unverified` (BUNDLE_NOT_NAMED), and as `verify_evidence`: one disclosure that does not hold
    spoils the file.
    """
    bundle = _b1_form(data)
    verifier = EvidenceVerifier(pins, policy)
    parts = _Parts(bundle)
    verified = tuple(verifier.verify(proof) for proof in parts.proofs(bundle.ranges))
    if not parts.all_named():
        raise Unverified("BUNDLE_NOT_NAMED", "the file holds descriptors or statements that none of its entries names")  # B2
    return verified


def _b1_form(data: bytes) -> evidence_pb2.EvidenceBundle:
    if not data.startswith(BUNDLE_LINE):
        raise Malformed("BUNDLE_MALFORMED", "the file does not begin as a bundle does")  # B1
    try:
        bundle = decode(evidence_pb2.EvidenceBundle, data[len(BUNDLE_LINE) :], CAP_BUNDLE)
        places = [_place(one.receipt) for one in bundle.ranges]
        nodes = [_trust_domain(chain) for chain in bundle.nodes]
    except ExchangeError as error:
        raise Malformed("BUNDLE_MALFORMED", f"the file is not a bundle: {error.code}") from error  # B1
    digests = [statement_digest(statement) for statement in bundle.statements]
    indexes = [[disclosure.index for disclosure in one.disclosures] for one in bundle.ranges]
    ordered = _ascend(nodes) and _ascend(digests) and _ascend(places) and all(map(_ascend, indexes))
    if bundle.version != 1 or not ordered or not places or not all(indexes):
        raise Malformed("BUNDLE_MALFORMED", "the bundle is of another version or out of order")  # B1
    return bundle


def _ascend(values: Sequence[Any]) -> bool:
    return all(a < b for a, b in pairwise(values))


def _trust_domain(chain: evidence_pb2.NodeChain) -> str:
    # What the chain says of itself; whether it may be believed, E2 finds out.
    if not chain.descriptors:
        raise Malformed("DESCRIPTOR_CHAIN_EMPTY", "there is no descriptor")
    payload = chain.descriptors[-1].payload
    try:
        return directory_pb2.NodeDescriptor.FromString(payload).trust_domain
    except DecodeError:
        raise Malformed("NOT_PROTOBUF", "a descriptor is not a protobuf message") from None


def _place(receipt: statement_pb2.Statement) -> tuple[str, int]:
    try:
        text = receipt_pb2.Receipt.FromString(receipt.payload).checkpoint
    except DecodeError:
        raise Malformed("NOT_PROTOBUF", "a receipt is not a protobuf message") from None
    checkpoint = parse_checkpoint_text(text)
    return checkpoint.origin, checkpoint.size


class _Parts:
    """What a bundle's disclosures share, found by the names that their entries bear."""

    def __init__(self, bundle: evidence_pb2.EvidenceBundle) -> None:
        self._nodes = {_trust_domain(chain): chain.descriptors for chain in bundle.nodes}
        self._statements = {statement_digest(statement): statement for statement in bundle.statements}
        self._named: set[str | bytes] = set()

    def proofs(self, ranges: Sequence[evidence_pb2.ReceiptedRange]) -> Iterator[Proof]:
        """Each disclosure as if it stood in a file of its own. Raises `Malformed` (BUNDLE_MALFORMED)."""
        for one in ranges:
            try:
                log = LogName.parse(_place(one.receipt)[0])
            except ExchangeError as error:
                raise Malformed("BUNDLE_MALFORMED", f"a receipt is not of a disclosure log: {error.code}") from error  # B1
            for disclosure in one.disclosures:
                yield self._proof(one, disclosure, log)

    def all_named(self) -> bool:
        """Whether every part of the bundle was named by one of its disclosures."""
        return self._named >= {*self._nodes, *self._statements}

    def _proof(self, one: evidence_pb2.ReceiptedRange, disclosure: evidence_pb2.BundledDisclosure, log: LogName) -> Proof:
        try:
            entry = disclosure_pb2.Entry.FromString(disclosure.entry)
        except DecodeError:
            raise Malformed("BUNDLE_MALFORMED", "an entry is not a protobuf message") from None  # B1
        content = disclosure.level in {evidence_pb2.EVIDENCE_LEVEL_DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS}
        manifest = self._statement(entry.manifest_digest) if content else None
        return Proof(
            level=disclosure.level,
            entry=disclosure.entry,
            index=disclosure.index,
            inclusion_proof=disclosure.inclusion_proof,
            receipt=one.receipt,
            checkpoint=one.checkpoint,
            manifest=manifest,
            openings=disclosure.openings,
            sender_descriptors=self._node(log.sender),
            recipient_descriptors=self._node(log.recipient),
            agreement=self._statement(entry.agreement_digest) or statement_pb2.Statement(),
            permit=self._statement(entry.permit_digest) or statement_pb2.Statement(),
            originator_descriptors=self._node(_originator(manifest)) if manifest else (),
            anchors=one.anchors,
        )

    def _node(self, trust_domain: str) -> Sequence[statement_pb2.Statement]:
        self._named.add(trust_domain)
        return self._nodes.get(trust_domain, ())

    def _statement(self, digest: bytes) -> statement_pb2.Statement | None:
        self._named.add(digest)
        return self._statements.get(digest)


def _originator(manifest: statement_pb2.Statement) -> str:
    try:
        return PartyId.parse(manifest_pb2.Manifest.FromString(manifest.payload).originator).trust_domain
    except (DecodeError, ExchangeError):
        return ""  # E7 says what is wrong with it
