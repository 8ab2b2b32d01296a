"""Proof of one disclosure, made from what this node holds, for an auditor or a court (PROTOCOL.md, section 9)."""

from collections.abc import Mapping

from exchange.directory import KnownNode
from exchange.encoding import encode
from exchange.errors import Malformed, NotFound, Refused
from exchange.evidence import verify_evidence
from exchange.tlog.tree import prove_inclusion
from exchange.v1 import disclosure_pb2, evidence_pb2, manifest_pb2, statement_pb2
from exchange.values import PartyId
from node.config import OfficerEntry
from node.operations.access import note_access
from node.operations.contents import purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.officers import AUDITOR, LIAISON, PARTNER_OFFICER, NotPermitted, require
from node.operations.partners import own_fingerprint
from node.ports import Known, Ports
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.directory import all_agreements
from node.store.journal import Event, Kind
from node.store.logs import EntryRow, LogRow, ReceiptRow
from node.store.nodes import StoredHashes
from node.store.transaction import Transaction

_DATA, _CONTENTLESS = evidence_pb2.EVIDENCE_LEVEL_DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
_LOGGED_ONLY = evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY


def export_evidence(ports: Ports, person: str, origin: str, index: int, level: int) -> bytes:
    """A serialized EvidenceFile of the disclosure at `index` of the log `origin`, verified before it is given out.

    With content only for the agency that sent it or was given it; an auditor gets any other level. Raises `NotPermitted`
    (EVIDENCE_NOT_YOURS), `NotFound` (LOG_UNKNOWN, ENTRY_UNKNOWN, ERASED), `Refused` (NOT_RECEIPTED, EVIDENCE_LEVEL, CHECKPOINT_MISSING),
    `Malformed` (EVIDENCE_LEVEL), and as `verify_evidence`.
    """
    officer = require(ports, person, (LIAISON, PARTNER_OFFICER, AUDITOR))
    if level not in evidence_pb2.EvidenceLevel.values() or not level:
        raise Malformed("EVIDENCE_LEVEL", "name a level of evidence: data, contentless, entry_only or logged_only")
    with ports.store.read() as tx:
        log, row = _find(tx, origin, index)
        entry = disclosure_pb2.Entry.FromString(row.entry)
        alert = alerts.by_ids(tx, {row.alert_ref}).get(row.alert_ref) if row.alert_ref is not None else None
        _check_may_have(officer, log, entry, alert, level)
        receipt = _receipt(tx, log, index, level)
        sender, recipient = _nodes(ports.known, log)
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
            agreement=_agreement(tx, entry.agreement_digest),
        )
        if level in {_DATA, _CONTENTLESS}:
            _add_content(ports, tx, evidence, log, row, entry, alert)
    data = encode(evidence)
    verify_evidence(data, _pins(ports.known))
    name = evidence_pb2.EvidenceLevel.Name(evidence.level).removeprefix("EVIDENCE_LEVEL_")
    note_access(
        ports, Kind.JOURNAL_KIND_EXPORT, person, Event(code=name, subject=entry.manifest_digest, origin=origin, index=index, count=1)
    )
    return data


def _find(tx: Transaction, origin: str, index: int) -> tuple[LogRow, EntryRow]:
    log = logs.find_log(tx, origin)
    if log is None:
        raise NotFound("LOG_UNKNOWN", "there is no such log here: see `exchange log list`")
    rows = logs.entry_rows(tx, log.id, index, index + 1) if index < log.size else []
    if not rows:
        raise NotFound("ENTRY_UNKNOWN", "the log has no entry at that index")
    return log, rows[0]


def _check_may_have(officer: OfficerEntry, log: LogRow, entry: disclosure_pb2.Entry, alert: AlertRow | None, level: int) -> None:
    agency = str(officer.agency) if officer.agency else ""
    if log.outbound:
        theirs = LIAISON in officer.roles and alert is not None and alert.originator == agency
    else:
        theirs = bool({LIAISON, PARTNER_OFFICER} & set(officer.roles)) and agency in entry.audience
    if not theirs and (AUDITOR not in officer.roles or level == _DATA):
        raise NotPermitted("EVIDENCE_NOT_YOURS", "evidence with content is for the agency concerned, without it also for an auditor")


def _receipt(tx: Transaction, log: LogRow, index: int, level: int) -> ReceiptRow:
    receipt = logs.receipt_covering(tx, log.id, index)
    if receipt is None:
        raise Refused("NOT_RECEIPTED", "the recipient has not receipted this yet: there is no proof without its signature")
    if bool(logs.exception_codes(tx, log.id, index, index + 1)) != (level == _LOGGED_ONLY):
        raise Refused("EVIDENCE_LEVEL", "logged_only is the level of what the recipient excepted, and of nothing else")
    if not receipt.checkpoint:
        raise Refused(
            "CHECKPOINT_MISSING", "the sender's checkpoint was lost with a restored backup: ask the other country for this evidence"
        )
    return receipt


def _nodes(known: Known, log: LogRow) -> tuple[KnownNode, KnownNode]:
    nodes = {known.own.trust_domain: known.own, **known.nodes()}
    if log.name.sender not in nodes or log.name.recipient not in nodes:
        raise NotFound("PARTNER_UNKNOWN", "the other country of this log is not a partner any more")
    return nodes[log.name.sender], nodes[log.name.recipient]


def _agreement(tx: Transaction, digest: bytes) -> statement_pb2.Statement | None:
    # Also one that no longer verifies now: it is judged at the time of the receipt.
    found = [row for row in all_agreements(tx) if row.digest == digest]
    return statement_pb2.Statement.FromString(found[0].statement) if found else None


def _add_content(
    ports: Ports,
    tx: Transaction,
    evidence: evidence_pb2.EvidenceFile,
    log: LogRow,
    row: EntryRow,
    entry: disclosure_pb2.Entry,
    alert: AlertRow | None,
) -> None:
    if alert is None:
        raise NotFound("ERASED", "the content is not here any more: only entry_only can be proved")
    data_key = ports.vault.unwrap(tx, alert.period, alert.wrapped_key)
    content = unpack_content(data_key.open(purpose_of_alert(alert.alert_id), alert.sealed or b""))
    evidence.manifest.CopyFrom(content.manifest)
    originator = ports.known.nodes().get(PartyId.parse(alert.originator).trust_domain)
    if originator is not None and originator.trust_domain != log.name.sender:
        evidence.originator_descriptors.extend(originator.chain)
    if evidence.level == _DATA:
        openings: list[manifest_pb2.Opening] = list(content.openings)
        if not log.outbound:
            openings = list(unpack_content(data_key.open(purpose_of_entry(alert.alert_id, log.name.origin), row.sealed or b"")).openings)
        evidence.openings.extend(opening for opening in openings if opening.field in set(entry.fields))


def _pins(known: Known) -> Mapping[str, bytes]:
    pins = {trust_domain: partner.fingerprint for trust_domain, partner in known.partners.items()}
    return {known.own.trust_domain: own_fingerprint(known.own), **pins}
