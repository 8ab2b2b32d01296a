"""Rows of recalls and attestations: what control alerts said of manifests, ours and received. No content, no personal data."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, literal_column, select

from node.store.insert import insert_rows
from node.store.plain import ask, ask_among, select_text
from node.store.recall_tables import attestations, recalls, unheld, untold
from node.store.tables import alerts as alert_rows
from node.store.tables import inbox


class RecallKind(StrEnum):
    """What a control alert does to the manifest that it names."""

    WITHDRAWAL = "withdrawal"
    RESTRICTION = "restriction"
    LIFTING = "lifting"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallRow:
    """One recall of one manifest. Times are Unix milliseconds."""

    control: bytes
    referent: bytes
    kind: RecallKind
    reason: str
    originator: str
    own: bool
    recorded_at: int
    attest_by: int
    wrong_fields: bytes
    """One byte for the number of each field."""
    replaced_by: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationRow:
    """One attestation of the purge of one manifest."""

    control: bytes
    referent: bytes
    attester: str
    on_behalf_of: str
    own: bool
    recorded_at: int
    copies_removed: int
    lists_updated: bool
    exceptions: str
    """Short names, joined by commas."""

    @property
    def complete(self) -> bool:
        """Whether it discharges the duty: local lists are updated, or it says on what ground something stays."""
        return self.lists_updated or bool(self.exceptions)


_WITHDRAWN = select_text(recalls, [recalls.c.referent, recalls.c.originator], "WHERE kind = 'withdrawal' AND referent IN")
_RECALLED = select_text(recalls, [recalls.c.referent], "WHERE referent IN")
_UNTOLD = select_text(untold, [untold.c.control, untold.c.partner], "")
_ROWS = select_text(alert_rows, [alert_rows.c.digest, alert_rows.c.id], "WHERE digest IN")
_UNHELD = select_text(unheld, [unheld.c.digest, unheld.c.own], "WHERE digest IN")


def add_recall(tx: Connection, row: RecallRow) -> None:
    """Keep a recall; the same control alert again changes nothing."""
    insert_rows(tx, recalls, [asdict(row)], present_stay=True)


def recalls_of(tx: Connection, referents: Collection[bytes]) -> list[RecallRow]:
    """Recalls of these manifests, in the order in which they took effect."""
    query = select(recalls).where(recalls.c.referent.in_(list(referents))).order_by(recalls.c.id)
    return [_recall(row) for row in tx.execute(query)]


def recalled_among(tx: Connection, referents: Collection[bytes]) -> set[bytes]:
    """Those of these manifests about which there is any recall: asked for every batch."""
    return {referent for (referent,) in ask_among(tx, _RECALLED, referents)}


def recall_by(tx: Connection, control: bytes) -> RecallRow | None:
    """The recall that a control alert of that digest is."""
    row = tx.execute(select(recalls).where(recalls.c.control == control)).first()
    return _recall(row) if row else None


def withdrawals(tx: Connection, *, own: bool) -> list[RecallRow]:
    """Every withdrawal that this country issued (`own`), or that was issued to it, oldest first."""
    query = select(recalls).where(recalls.c.kind == RecallKind.WITHDRAWAL.value, recalls.c.own == own).order_by(recalls.c.id)
    return [_recall(row) for row in tx.execute(query)]


def withdrawn_by(tx: Connection, referents: Collection[bytes]) -> dict[bytes, tuple[str, ...]]:
    """Originators of the withdrawals of each of these manifests that was withdrawn."""
    found: dict[bytes, tuple[str, ...]] = {}
    for referent, originator in ask_among(tx, _WITHDRAWN, referents):
        found[referent] = tuple(dict.fromkeys((*found.get(referent, ()), originator)))
    return found


def controls_in_inbox(tx: Connection, agency: str, controls: Collection[bytes]) -> set[bytes]:
    """Which of these control alerts came for an agency."""
    if not controls:
        return set()  # else SQLite walks the whole inbox to find none
    query = select(alert_rows.c.digest).join(inbox, inbox.c.alert_ref == alert_rows.c.id)
    return set(tx.execute(query.where(inbox.c.agency == agency, alert_rows.c.digest.in_(list(controls)))).scalars())


def add_attestation(tx: Connection, row: AttestationRow) -> None:
    """Keep an attestation; the same control alert again changes nothing."""
    insert_rows(tx, attestations, [asdict(row)], present_stay=True)


def attestation_by(tx: Connection, control: bytes) -> bytes | None:
    """Digest of the manifest whose purge the control alert of that digest attests."""
    return tx.execute(select(attestations.c.referent).where(attestations.c.control == control)).scalar()


def attestations_of(tx: Connection, referents: Collection[bytes], *, own: bool) -> list[AttestationRow]:
    """Attestations about these manifests that this country gave (`own`), or got, oldest first."""
    query = select(attestations).where(attestations.c.referent.in_(list(referents)), attestations.c.own == own)
    # Of two in one millisecond the later counts, whatever their digests are.
    rows = tx.execute(query.order_by(attestations.c.recorded_at, literal_column("attestations.rowid")))
    return [AttestationRow(**{name: getattr(row, name) for name in AttestationRow.__slots__}) for row in rows]


def note_unheld(tx: Connection, digests: Iterable[bytes], *, own: bool) -> None:
    """Note manifests that a log names and that are not here."""
    rows = [{"digest": digest, "own": own} for digest in sorted(set(digests))]
    insert_rows(tx, unheld, rows, present_stay=True)


def find_unheld(tx: Connection, digests: Collection[bytes]) -> dict[bytes, bool]:
    """Those of these manifests that a log names and that are not here, and whether the log is ours."""
    return {digest: bool(own) for digest, own in ask_among(tx, _UNHELD, digests)}


def note_untold(tx: Connection, control: bytes, partner: str) -> None:
    """Note that a partner is still to be told of a control alert."""
    insert_rows(tx, untold, [{"control": control, "partner": partner}], present_stay=True)


def all_untold(tx: Connection) -> list[tuple[bytes, str]]:
    """(digest of the control alert, partner) of all that is to be told, in the order in which it was said, which decides what holds."""
    waiting = [(control, partner) for control, partner in ask(tx, _UNTOLD)]
    said = dict(ask_among(tx, _ROWS, {control for control, _ in waiting}))
    return sorted((one for one in waiting if one[0] in said), key=lambda one: (said[one[0]], one[1]))


def clear_untold(tx: Connection, control: bytes, partner: str) -> None:
    """Note that a partner has been told."""
    tx.execute(delete(untold).where(untold.c.control == control, untold.c.partner == partner))


def _recall(row: Row[Any]) -> RecallRow:
    values = {name: getattr(row, name) for name in RecallRow.__slots__}
    return RecallRow(**values | {"kind": RecallKind(row.kind)})
