"""One disclosure in front of an auditor: what was told to whom by names of fields, every check run again, who signed, what followed.

Never the content of an alert. It is opened inside for the checks, as `fsck` does, and only their verdicts come out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.directory import KnownNode
from exchange.errors import NotFound
from exchange.log import raw_key
from exchange.signing import PublicKey
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import NoteVerifier, cosigned_at, split_note
from exchange.tlog.tree import prove_inclusion
from exchange.v1 import audit_service_pb2, directory_pb2
from node.operations.access import note_access
from node.operations.audit_disclosures import record_of
from node.operations.disclosure_checks import Check, Subject, run_checks
from node.operations.disclosure_scan import Disclosure, read_disclosures
from node.operations.evidence import find_entry
from node.operations.evidence_anchor import anchors_of
from node.operations.officers import AUDITOR, require
from node.operations.proof import countries
from node.ports import Ports
from node.store import alerts, logs, recalls
from node.store.journal import Event, Kind
from node.store.logs import LogRow
from node.store.nodes import StoredHashes
from node.store.transaction import Transaction

RELATED_AT_MOST: Final = 30
"""Other disclosures of the same alert that are named beside one."""


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
class Recalled:
    """What the originator said of the alert since. Times are Unix milliseconds."""

    control: bytes
    kind: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureReview:
    """All that the page of one disclosure shows."""

    record: audit_service_pb2.DisclosureRecord
    checks: Sequence[Check]
    signatures: Sequence[SignedBy]
    tree: Checkpoint | None
    """What both countries signed; None before the receipt."""
    proof: Sequence[bytes]
    """Inclusion in it (RFC 6962, 2.1.1)."""
    receipted: tuple[int, int]
    """The range of the receipt, from up to and not with; (0, 0) for none."""
    witnessed: Sequence[Witnessed]
    policy: bool
    """Whether this node has a policy that says which witnesses are enough."""
    superseded_by: Sequence[bytes]
    recalls: Sequence[Recalled]
    related: Sequence[audit_service_pb2.DisclosureRecord]
    left_out: int


def review_disclosure(ports: Ports, person: str, origin: str, index: int) -> DisclosureReview:
    """The disclosure at `index` of the log `origin`, and every numbered check run again on it.

    Raises `NotFound` (LOG_UNKNOWN, ENTRY_UNKNOWN, PARTNER_UNKNOWN).
    """
    require(ports, person, (AUDITOR,))
    with ports.store.read() as tx:
        log, row = find_entry(tx, origin, index)
        one = next(read_disclosures(ports, tx, log, index, index + 1), None)
        if one is None:
            raise NotFound("ENTRY_UNKNOWN", "this entry names the log's successor and discloses nothing")
        sender, recipient = countries(ports.known, log)
        receipt = logs.receipt_covering(tx, log.id, index)
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
        others = _others(tx, one)
        tree = subject.checkpoint
        found = DisclosureReview(
            record=record_of(one),
            checks=checks,
            signatures=list(_signatures(subject)),
            tree=tree,
            proof=prove_inclusion(StoredHashes(tx, log.id), index, tree.size) if tree else (),
            receipted=(subject.opened.receipt.value.previous_size, subject.opened.checkpoint.size) if subject.opened else (0, 0),
            witnessed=list(_witnessed(subject)),
            policy=ports.witnessing.policy is not None,
            superseded_by=[later for _, later, _ in alerts.successors_of(tx, {one.entry.manifest_digest})],
            recalls=[
                Recalled(control=said.control, kind=said.kind.upper(), reason=said.reason, at=said.recorded_at)
                for said in recalls.recalls_of(tx, {one.entry.manifest_digest})
            ],
            related=list(_related(ports, tx, others[:RELATED_AT_MOST])),
            left_out=max(len(others) - RELATED_AT_MOST, 0),
        )
    place = Event(code="PROOF", subject=one.entry.manifest_digest, origin=origin, index=index, count=1)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, place)
    return found


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


def _others(tx: Transaction, one: Disclosure) -> list[tuple[int, int]]:
    """(log id, index) of the other disclosures of the same alert, to whomever."""
    if one.row.alert_ref is None:
        return []
    places = [(log_id, row.idx) for log_id, row in logs.entries_of_alert(tx, one.row.alert_ref)]
    return [place for place in places if place != (one.log.id, one.row.idx)]


def _related(ports: Ports, tx: Transaction, places: Sequence[tuple[int, int]]) -> Iterator[audit_service_pb2.DisclosureRecord]:
    by_id = {log.id: log for log in logs.all_logs(tx)}
    for log_id, index in places:
        yield from map(record_of, read_disclosures(ports, tx, by_id[log_id], index, index + 1))
