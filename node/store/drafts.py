"""Rows of drafts. See `node.store.draft_table`."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from node.store.draft_table import drafts
from node.store.insert import insert_rows
from node.store.looks import forget_looks


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DraftRow:
    """One draft; `sealed` is None once it was destroyed."""

    id: bytes
    author: str
    agency: str
    alert_type: str
    version: int
    saved_at: int
    erase_by: int
    useful_until: int
    lineage: bytes | None = None
    """Of the submission that it was before it was taken back."""
    sealed: bytes | None
    """None also where it was not asked for."""


_HELD = drafts.c.sealed.is_not(None)


def add_draft(tx: Connection, row: DraftRow) -> None:
    """Keep a new draft. Raises `sqlalchemy.exc.IntegrityError` if its id was used."""
    insert_rows(tx, drafts, [asdict(row)])


def draft_of(tx: Connection, identifier: bytes, agency: str) -> DraftRow | None:
    """The one of that id, if it is that agency's and not destroyed."""
    row = tx.execute(select(drafts).where(drafts.c.id == identifier, drafts.c.agency == agency, _HELD)).first()
    return _draft(row) if row else None


def drafts_of(tx: Connection, agency: str) -> list[DraftRow]:
    """Those of one agency, last saved first, without what was typed."""
    listed = [column for column in drafts.c if column.name != "sealed"]
    query = select(*listed).where(drafts.c.agency == agency, _HELD).order_by(drafts.c.saved_at.desc(), drafts.c.id)
    return [DraftRow(**row._asdict(), sealed=None) for row in tx.execute(query)]


def count_drafts(tx: Connection, agency: str) -> int:
    """How many of one agency are here."""
    return tx.execute(select(func.count()).where(drafts.c.agency == agency, _HELD)).scalar() or 0


def put_draft(tx: Connection, row: DraftRow, seen: int) -> bool:
    """Replace the version `seen` of a draft; False if it is not that one any more."""
    same = (drafts.c.id == row.id, drafts.c.version == seen, _HELD)
    return tx.execute(update(drafts).where(*same).values(asdict(row))).rowcount == 1


def destroy_draft(tx: Connection, identifier: bytes) -> None:
    """Destroy what was typed, and what was looked at of it unless a submission waits; the row stays until that is attested."""
    tx.execute(update(drafts).where(drafts.c.id == identifier).values(sealed=None))
    for lineage in tx.execute(select(drafts.c.lineage).where(drafts.c.id == identifier)).scalars():
        if lineage is not None:
            forget_looks(tx, lineage)


def drafts_past(tx: Connection, now: int, limit: int) -> list[DraftRow]:
    """Those whose limit has passed."""
    return [_draft(row) for row in tx.execute(select(drafts).where(drafts.c.erase_by <= now, _HELD).limit(limit))]


def count_past(tx: Connection, now: int) -> int:
    """How many there are of these."""
    return tx.execute(select(func.count()).where(drafts.c.erase_by <= now, _HELD)).scalar() or 0


def destroyed_drafts(tx: Connection, limit: int) -> list[bytes]:
    """Ids of those that were destroyed, and of which that is not yet attested."""
    return list(tx.execute(select(drafts.c.id).where(drafts.c.sealed.is_(None)).limit(limit)).scalars())


def remove_drafts(tx: Connection, identifiers: Collection[bytes]) -> None:
    """Let the rows go."""
    tx.execute(delete(drafts).where(drafts.c.id.in_(identifiers)))


def _draft(row: Row[Any]) -> DraftRow:
    return DraftRow(**{name: getattr(row, name) for name in DraftRow.__slots__})
