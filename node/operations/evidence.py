"""Proof of one disclosure, made from what this node holds, for an auditor or a court (PROTOCOL.md, section 9)."""

from exchange.encoding import encode
from exchange.errors import Malformed, NotFound, Refused
from exchange.evidence import verify_evidence
from exchange.tlog.tree import prove_inclusion
from exchange.v1 import disclosure_pb2, evidence_pb2, statement_pb2
from node.confirmations import Confirmation
from node.operations.access import note_access
from node.operations.evidence_anchor import anchors_of
from node.operations.officers import NotPermitted, require, turned_away
from node.operations.proof import DATA, LOGGED_ONLY, PROVERS, Contents, check_may_have, countries, covering_receipt, pins_of
from node.ports import Ports
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.logs import EntryRow, LogRow
from node.store.nodes import StoredHashes
from node.store.transaction import Transaction


def export_evidence(ports: Ports, person: str, origin: str, index: int, level: int, confirmation: Confirmation | None = None) -> bytes:
    """A serialized EvidenceFile of the disclosure at `index` of the log `origin`, verified before it is given out.

    `confirmation` is what a passkey signed of it. With content only for the agency that sent it or was given it; an auditor gets any other
    level. Raises `NotPermitted`
    (EVIDENCE_NOT_YOURS), `NotFound` (LOG_UNKNOWN, ENTRY_UNKNOWN, ERASED), `Refused` (NOT_RECEIPTED, EVIDENCE_LEVEL, CHECKPOINT_MISSING),
    `Malformed` (EVIDENCE_LEVEL), and as `verify_evidence`.
    """
    officer = require(ports, person, PROVERS)
    if level not in evidence_pb2.EvidenceLevel.values() or not level:
        raise Malformed("EVIDENCE_LEVEL", "name a level of evidence: data, contentless, entry_only or logged_only")
    with ports.store.read() as tx:
        log, row = find_entry(tx, origin, index)
        entry = disclosure_pb2.Entry.FromString(row.entry)
        alert = alerts.by_ids(tx, {row.alert_ref}).get(row.alert_ref) if row.alert_ref is not None else None
        try:
            check_may_have(tx, officer, log, entry, alert, level)
        except NotPermitted as refused:
            raise turned_away(ports, person, refused.code, str(refused)) from None
        receipt = covering_receipt(tx, log, index)
        if bool(logs.exception_codes(tx, log.id, index, index + 1)) != (level == LOGGED_ONLY):
            raise Refused("EVIDENCE_LEVEL", "logged_only is the level of what the recipient excepted, and of nothing else")
        sender, recipient = countries(ports.known, log)
        contents = Contents(ports, tx)
        evidence = evidence_pb2.EvidenceFile(
            version=1,
            level=evidence_pb2.EvidenceLevel.ValueType(level),
            entry=row.entry,
            index=index,
            inclusion_proof=prove_inclusion(StoredHashes(tx, log.id), index, receipt.size),
            receipt=statement_pb2.Statement.FromString(receipt.statement),
            checkpoint=receipt.checkpoint,
            sender_descriptors=sender.chain,
            recipient_descriptors=recipient.chain,
            anchors=anchors_of(ports, tx, log, receipt),
        )
        if level in {DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS}:
            _add_content(contents, evidence, log, row, entry, alert)
    data = encode(evidence)
    verify_evidence(data, pins_of(ports.known))
    name = evidence_pb2.EvidenceLevel.Name(evidence.level).removeprefix("EVIDENCE_LEVEL_")
    signed = confirmation.encoded() if confirmation else b""
    event = Event(code=name, subject=entry.manifest_digest, origin=origin, index=index, count=1, confirmation=signed)
    note_access(ports, Kind.JOURNAL_KIND_EXPORT, person, event)
    return data


def find_entry(tx: Transaction, origin: str, index: int) -> tuple[LogRow, EntryRow]:
    """One entry of one log. Raises `NotFound` (LOG_UNKNOWN, ENTRY_UNKNOWN)."""
    log = logs.find_log(tx, origin)
    if log is None:
        raise NotFound("LOG_UNKNOWN", "there is no such log here: see `exchange log list`")
    rows = logs.entry_rows(tx, log.id, index, index + 1) if index < log.size else []
    if not rows:
        raise NotFound("ENTRY_UNKNOWN", "the log has no entry at that index")
    return log, rows[0]


def _add_content(
    contents: Contents,
    evidence: evidence_pb2.EvidenceFile,
    log: LogRow,
    row: EntryRow,
    entry: disclosure_pb2.Entry,
    alert: AlertRow | None,
) -> None:
    if alert is None or alert.wrapped_key is None:
        raise NotFound(
            "ERASED", "the content is not here any more: only level entry_only can be exported anew; earlier evidence still holds"
        )
    evidence.manifest.CopyFrom(contents.manifest(alert))
    agreement = contents.agreement(entry.agreement_digest)
    if agreement is not None:
        evidence.agreement.CopyFrom(agreement)
    permit = contents.permit(entry.permit_digest)
    if permit is not None:
        evidence.permit.CopyFrom(permit)
    originator = contents.originator(alert, log)
    if originator is not None:
        evidence.originator_descriptors.extend(originator.chain)
    if evidence.level == DATA:
        evidence.openings.extend(contents.openings(log, row, entry, alert))
