"""One disclosure in front of an auditor: what was told to whom by names of fields, every check run again, who signed, what followed.

Never the content of an alert. It is opened inside for the checks, as `fsck` does, and only their verdicts come out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.errors import NotFound
from exchange.v1 import audit_service_pb2
from node.operations.access import note_access
from node.operations.audit_disclosures import record_of
from node.operations.audit_finding import Finding, findings_of
from node.operations.disclosure_scan import Disclosure, read_disclosures
from node.operations.entry_proof import EntryProof, prove_entry
from node.operations.evidence import find_entry
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.store import alerts, logs, recalls
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

RELATED_AT_MOST: Final = 30
"""Other disclosures of the same alert that are named beside one."""


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
    proved: EntryProof
    superseded_by: Sequence[bytes]
    recalls: Sequence[Recalled]
    related: Sequence[audit_service_pb2.DisclosureRecord]
    left_out: int
    findings: Sequence[Finding]


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
        proved, others = prove_entry(ports, tx, log, row), _others(tx, one)
        found = DisclosureReview(
            record=record_of(one),
            proved=proved,
            superseded_by=[later for _, later, _ in alerts.successors_of(tx, {one.entry.manifest_digest})],
            recalls=[
                Recalled(control=said.control, kind=said.kind.upper(), reason=said.reason, at=said.recorded_at)
                for said in recalls.recalls_of(tx, {one.entry.manifest_digest})
            ],
            related=list(_related(ports, tx, others[:RELATED_AT_MOST])),
            left_out=max(len(others) - RELATED_AT_MOST, 0),
            findings=findings_of(tx, origin, index),
        )
    place = Event(code="PROOF", subject=one.entry.manifest_digest, origin=origin, index=index, count=1)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, place)
    return found


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
