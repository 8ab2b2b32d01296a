"""Rows of witnessing, in both directions: partners' journals as this node cosigned them, and its own as others did."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import NoteSignature, split_note
from node.store.tables import journal_checkpoints, witnessed, witnesses


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedRow:
    """The newest checkpoint of a partner's journal that this node cosigned, at `at` (Unix milliseconds) for the last time."""

    checkpoint: Checkpoint
    at: int
    note: bytes
    """The text, the log's signature and this node's cosignature: a C2SP signed note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """A checkpoint of this node's own journal, first signed at `at` (Unix milliseconds)."""

    size: int
    at: int
    note: bytes
    """The log's signature and the first cosignature of each witness: a C2SP signed note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRow:
    """How far one witness has cosigned this node's journal. Times are Unix milliseconds, 0 for never."""

    name: str
    """Of its key."""
    size: int
    at: int
    line: bytes
    """Its newest cosignature, of the checkpoint of `size`; empty if there is none."""
    asked_at: int
    """When it was first asked about this journal."""
    code: str
    """Of its last answer; empty if it cosigned."""


def find_witnessed(tx: Connection, origin: str) -> WitnessedRow | None:
    """What this node cosigned of that journal."""
    row = tx.execute(select(witnessed).where(witnessed.c.origin == origin)).first()
    return _witnessed(row) if row else None


def all_witnessed(tx: Connection) -> list[WitnessedRow]:
    """What this node cosigned of every journal, by origin."""
    return [_witnessed(row) for row in tx.execute(select(witnessed).order_by(witnessed.c.origin))]


def put_witnessed(tx: Connection, row: WitnessedRow) -> None:
    """Replace what was cosigned of a journal; the caller has checked, in this transaction, that the new one continues the old."""
    checkpoint = row.checkpoint
    values = {"size": checkpoint.size, "root": checkpoint.root, "at": row.at, "note": row.note}
    if tx.execute(update(witnessed).where(witnessed.c.origin == checkpoint.origin).values(values)).rowcount == 0:
        tx.execute(witnessed.insert().values(origin=checkpoint.origin, **values))


def keep_checkpoint(tx: Connection, origin: str, size: int, at: int, note: bytes) -> None:
    """Keep a checkpoint of this node's journal as it was signed; the same size again keeps the first."""
    if find_checkpoint(tx, origin, size) is None:
        tx.execute(journal_checkpoints.insert().values(origin=origin, size=size, at=at, note=note))


def find_checkpoint(tx: Connection, origin: str, size: int) -> CheckpointRow | None:
    """The kept checkpoint of exactly that size."""
    return _first(tx, origin, journal_checkpoints.c.size == size)


def newest_checkpoint(tx: Connection, origin: str) -> CheckpointRow | None:
    """The greatest kept checkpoint: how far the journal has been shown to anybody."""
    return _first(tx, origin, newest=True)


def checkpoint_covering(tx: Connection, origin: str, size: int) -> CheckpointRow | None:
    """The smallest kept checkpoint of at least `size` entries, with the first cosignature of each witness that has cosigned it."""
    return _first(tx, origin, journal_checkpoints.c.size >= size)


def all_witnesses(tx: Connection, origin: str) -> list[WitnessRow]:
    """Every witness that was ever asked about this journal, by name."""
    rows = tx.execute(select(witnesses).where(witnesses.c.origin == origin).order_by(witnesses.c.name))
    return [WitnessRow(**{name: getattr(row, name) for name in WitnessRow.__slots__}) for row in rows]


def find_witness(tx: Connection, origin: str, name: str) -> WitnessRow | None:
    """How far the witness of that name has cosigned this journal."""
    return next((row for row in all_witnesses(tx, origin) if row.name == name), None)


def put_witness(tx: Connection, origin: str, row: WitnessRow) -> None:
    """Add a witness, or replace what it answered last."""
    values = {"size": row.size, "at": row.at, "line": row.line, "asked_at": row.asked_at, "code": row.code}
    same = (witnesses.c.origin == origin, witnesses.c.name == row.name)
    if tx.execute(update(witnesses).where(*same).values(values)).rowcount == 0:
        tx.execute(witnesses.insert().values(origin=origin, name=row.name, **values))


def add_cosignature(tx: Connection, origin: str, size: int, line: NoteSignature) -> None:
    """Add a witness's cosignature to a kept checkpoint, unless it has one of this key already."""
    kept = find_checkpoint(tx, origin, size)
    if kept is None or any((signature.name, signature.key_id) == (line.name, line.key_id) for signature in split_note(kept.note)[1]):
        return
    same = (journal_checkpoints.c.origin == origin, journal_checkpoints.c.size == size)
    tx.execute(update(journal_checkpoints).where(*same).values(note=kept.note + line.line()))


def shown_note(tx: Connection, origin: str) -> bytes | None:
    """The newest kept checkpoint with each witness's newest cosignature of it: what is shown to the world."""
    kept = newest_checkpoint(tx, origin)
    if kept is None:
        return None
    text, signatures = split_note(kept.note)
    fresh = {row.name: row.line for row in all_witnesses(tx, origin) if row.size == kept.size and row.line}
    return text + b"\n" + b"".join(fresh.get(signature.name, signature.line()) for signature in signatures)


def _first(tx: Connection, origin: str, *conditions: Any, newest: bool = False) -> CheckpointRow | None:
    size = journal_checkpoints.c.size
    query = select(journal_checkpoints).where(journal_checkpoints.c.origin == origin, *conditions)
    row = tx.execute(query.order_by(size.desc() if newest else size).limit(1)).first()
    return CheckpointRow(size=row.size, at=row.at, note=row.note) if row else None


def _witnessed(row: Row[Any]) -> WitnessedRow:
    return WitnessedRow(checkpoint=Checkpoint(origin=row.origin, size=row.size, root=row.root), at=row.at, note=row.note)
