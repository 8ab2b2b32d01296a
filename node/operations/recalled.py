"""What control alerts do here when they come in: recalls of what partners told us, attestations of the purge of what we told them.

All of it happens in the transaction that keeps the batch, in the order of the log.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError, Message

from exchange.disclosure import Disclosure
from exchange.errors import ExchangeError
from exchange.v1 import disclosure_pb2
from exchange.v1.control_pb2 import Correction, PurgeAttestation, PurgeException, Restriction, Withdrawal
from exchange.v1.hit_report_pb2 import HitReport
from exchange.v1.tip_pb2 import TipStatus
from exchange.values import PartyId
from node.intake.fields import enum_prefix
from node.operations.mis_hits import remember_report
from node.operations.standing import restate
from node.operations.tip_thread import note_tip_status
from node.ports import Ports
from node.store import alerts, doubts, recalls
from node.store.doubts import DoubtRow
from node.store.journal import Event, Kind
from node.store.logs import LogRow
from node.store.recalls import AttestationRow, RecallKind, RecallRow
from node.store.transaction import Transaction

CODES: Final[Mapping[RecallKind, str]] = {
    RecallKind.WITHDRAWAL: "WITHDRAWN",
    RecallKind.RESTRICTION: "RESTRICTED",
    RecallKind.LIFTING: "LIFTED",
    RecallKind.CORRECTION: "CORRECTED",
}
"""What the journal calls each, as an alteration of the manifest that it names."""


def take_recalls(ports: Ports, tx: Transaction, kept: Iterable[tuple[int, Disclosure]], new: Collection[bytes], now: int) -> None:
    """Do what the control alerts of a batch say, and note what answers in it say of mis-hits and tips; `new` are digests new here."""
    seen: set[bytes] = set()  # one that is told to many agencies comes by several entries
    for _, disclosure in kept:
        digest, alert = disclosure.manifest.digest, disclosure.alert
        if digest not in new or digest in seen:
            continue
        seen.add(digest)
        if isinstance(alert, HitReport):
            remember_report(ports, tx, alert, disclosure.manifest.value.originator, now)
        elif isinstance(alert, TipStatus):
            note_tip_status(ports, tx, alert, digest, disclosure.manifest.value.originator, now)
        elif disclosure.kind.control:
            issuer = disclosure.manifest.value.originator
            event = keep_control(tx, alert, control=digest, issuer=issuer, own=False, now=now)
            if event is not None:
                ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALTERATION, issuer, [event])
    # What came after a recall of it, or after its successor, as when its first delivery was withheld, begins as these say.
    if held := recalls.recalled_among(tx, new) | alerts.superseded_among(tx, new) | doubts.doubted_among(tx, new):
        restate(tx, held)


def named_by(log: LogRow, batch: disclosure_pb2.Batch, refused: Sequence[tuple[int, ExchangeError]]) -> list[bytes]:
    """The manifests that refused deliveries of a batch name, so far as an entry can be read."""
    found = []
    for index, _ in refused:
        try:
            entry = disclosure_pb2.Entry.FromString(batch.deliveries[index - log.size].entry)
        except DecodeError:
            continue
        if len(entry.manifest_digest) == 32:
            found.append(entry.manifest_digest)
    return found


def says_of(entry: disclosure_pb2.Entry) -> bytes:
    """The manifest of which an entry says something as a control alert does, without an agreement; empty for any other."""
    return b"" if entry.agreement_digest else entry.in_reply_to


def note_doubts(ports: Ports, tx: Transaction, log: LogRow, lost: Iterable[tuple[int, disclosure_pb2.Entry]], actor: str, now: int) -> None:
    """Note what these entries (by index) say of manifests and what is lost of that; those that are here read as disputed from now on.

    Which control alert it was, an entry does not tell: the safe reading is that something was wrong.
    """
    rows = [
        DoubtRow(log_id=log.id, idx=index, control=entry.manifest_digest, referent=about, permit=entry.permit_digest, noted_at=now)
        for index, entry in lost
        if (about := says_of(entry))
    ]
    if not rows:
        return
    doubts.note_doubts(tx, rows)
    if changed := restate(tx, {row.referent for row in rows}):
        events = [Event(code="DISPUTED", subject=digest) for digest in changed]
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALTERATION, actor, events)


def withheld_in(
    log: LogRow, batch: disclosure_pb2.Batch, refused: Sequence[tuple[int, ExchangeError]]
) -> list[tuple[int, disclosure_pb2.Entry]]:
    """The entries of a batch whose content its sender withheld, by index. That an entry has its form was checked before (D1)."""
    indexes = [index for index, error in refused if error.code == "WITHHELD"]
    return [(index, disclosure_pb2.Entry.FromString(batch.deliveries[index - log.size].entry)) for index in indexes]


def recall_row(alert: Message, *, control: bytes, issuer: str, own: bool, now: int) -> RecallRow | None:
    """The row of a recall, or None for a control alert that recalls nothing."""
    kind = kind_of(alert)
    if kind is None:
        return None
    recall: Any = alert
    return RecallRow(
        control=control,
        referent=recall.manifest_digest,
        kind=kind,
        reason=short_name(recall.DESCRIPTOR.fields_by_name["reason"].enum_type, recall.reason),
        originator=issuer,
        own=own,
        recorded_at=now,
        attest_by=max(alert.attest_by, 0) if isinstance(alert, Withdrawal) else 0,
        # The schema keeps numbers of fields below 65.
        wrong_fields=bytes(alert.wrong_fields) if isinstance(alert, Correction) else b"",
        replaced_by=alert.replaced_by if isinstance(alert, Correction) else b"",
    )


def kind_of(alert: Message) -> RecallKind | None:
    """What a control alert does to its manifest; None if it recalls nothing."""
    if isinstance(alert, Restriction):
        return RecallKind.LIFTING if alert.lifted else RecallKind.RESTRICTION
    return {Withdrawal: RecallKind.WITHDRAWAL, Correction: RecallKind.CORRECTION}.get(type(alert))


def attestation_row(alert: PurgeAttestation, *, control: bytes, issuer: str, own: bool, now: int) -> AttestationRow:
    """The row of an attestation."""
    return AttestationRow(
        control=control,
        referent=alert.manifest_digest,
        attester=issuer,
        on_behalf_of=_party(alert.on_behalf_of),
        own=own,
        recorded_at=now,
        copies_removed=alert.copies_removed,
        lists_updated=alert.local_lists_updated,
        exceptions=",".join(short_name(PurgeException.DESCRIPTOR, number) for number in alert.exceptions),
    )


def keep_control(tx: Transaction, alert: Message, *, control: bytes, issuer: str, own: bool, now: int) -> Event | None:
    """Keep what a control alert says, and set how its manifest stands; `control` is its digest, `own` whether it is ours.

    Returns what to journal, or None for a control alert that changes nothing, such as a refusal.
    """
    if isinstance(alert, PurgeAttestation):
        attestation = attestation_row(alert, control=control, issuer=issuer, own=own, now=now)
        recalls.add_attestation(tx, attestation)
        return Event(code="ATTESTED", subject=attestation.referent)
    row = recall_row(alert, control=control, issuer=issuer, own=own, now=now)
    if row is None:
        return None
    recalls.add_recall(tx, row)
    restate(tx, {row.referent})
    disputed = row.kind is RecallKind.CORRECTION and not row.replaced_by
    return Event(code="DISPUTED" if disputed else CODES[row.kind], subject=row.referent)


def short_name(enum: Any, number: int) -> str:
    """The short name of a code; of one that a later version added, its number."""
    if not number:
        return ""
    known = enum.values_by_number.get(number)
    return known.name.removeprefix(enum_prefix(enum)) if known else f"UNKNOWN_{number}"


def _party(text: str) -> str:
    """A SPIFFE ID, or nothing: no other text of a control alert is kept."""
    try:
        return str(PartyId.parse(text))
    except ExchangeError:
        return ""
