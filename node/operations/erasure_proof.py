"""That an alert was erased, and that nothing else changed: the journal's own words, proved, and every log that discloses it, recomputed."""

from exchange.errors import NotFound
from exchange.tlog.tree import prove_inclusion
from exchange.v1 import desk_service_pb2 as messages
from node.operations.access import note_access
from node.operations.anchor import checkpoint_journal
from node.operations.findings import Findings
from node.operations.fsck import verify_logs
from node.operations.officers import AUDITOR, agency_of, require
from node.operations.outbox import disclosures_of
from node.operations.partners import own_chain
from node.operations.records import Records
from node.operations.retention import DESK, find, retention_of
from node.operations.review import log_summary
from node.ports import Ports
from node.store import alerts, retention
from node.store.journal import Event, Kind
from node.store.nodes import StoredHashes, journal_log


def prove_erasure(ports: Ports, person: str, reference: str) -> messages.GetErasureProofResponse:
    """The journalled intent and deed of an alert's erasure, with proofs below a signed checkpoint, and what is left of the alert.

    For auditors, and for officers of the agency that sent it or was given it. Raises `NotFound` as `alerts.find`, and ERASURE_NONE,
    and as `checkpoint_journal`. Findings: what does not hold in a log, ERASURE_UNDER_WAY, ERASURE_EARLIER_JOURNAL.
    """
    officer = require(ports, person, (AUDITOR, *DESK))
    with ports.store.read() as tx:
        row = alerts.find(tx, reference, anywhere=True) if AUDITOR in officer.roles else find(tx, agency_of(officer), reference)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="ERASURE", subject=row.digest))
    checkpoint = checkpoint_journal(ports)
    findings = Findings()
    with ports.store.read() as tx:
        said = retention.erasure_entries(tx, row.digest)
        if not said:
            raise NotFound("ERASURE_NONE", "this alert has not been erased")
        edge = ports.journal.edge(tx)
        size = int(checkpoint.split(b"\n")[1])
        places = [index for generation, index in said if generation == edge.generation and index < size]
        if len(places) != len(said):
            findings.warning("ERASURE_EARLIER_JOURNAL", "some of it stands in an earlier journal, below that one's last checkpoint")
        if any(one.done_at is None for one in retention.erasures_of(tx, row.id)):
            findings.warning("ERASURE_UNDER_WAY", "the erasure is intended and not done yet")
        hashes = StoredHashes(tx, journal_log(edge.generation))
        entries = [
            messages.JournalProof(
                index=index,
                entry=ports.journal.rows(tx, index, index + 1)[0].entry,
                inclusion_proof=prove_inclusion(hashes, index, size),
            )
            for index in places
        ]
        left = disclosures_of(ports, tx, row, [])
        kept = retention_of(ports, tx, [row])[0]
    origins = sorted({one.disclosure.origin for one in left})
    records = Records(store=ports.store, vault=ports.vault, high_water=ports.high_water, known=ports.known)
    for origin in origins:
        for _ in verify_logs(records, findings, origin):
            pass
    return messages.GetErasureProofResponse(
        retention=kept,
        entries=entries,
        checkpoint=checkpoint,
        descriptors=own_chain(ports.known.own),
        logs=[log_summary(ports, origin) for origin in origins],
        findings=findings.found,
        disclosures=left,
    )
