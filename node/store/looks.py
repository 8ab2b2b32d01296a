"""What second officers looked at, and its table: kept while a submission waits or a draft for the next is kept.

All submissions that stand in one another's place have one lineage: the id of the first. Times are Unix milliseconds, persons SPIFFE IDs.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, String, Table, delete, exists, select

from node.store.draft_table import drafts
from node.store.insert import insert_rows
from node.store.tables import metadata, submissions

looks = Table(
    "looks",
    metadata,
    Column("lineage", LargeBinary(16), primary_key=True),
    Column("person", String, primary_key=True),
    # Of what was shown, when last, and all of it, encrypted.
    Column("digest", LargeBinary(32), nullable=False),
    Column("looked_at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    # The same of the last look before it read so; null and 0 if it never read otherwise.
    Column("before_at", BigInteger, nullable=False),
    Column("before_sealed", LargeBinary),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LookRow:
    """The last look of one person at one lineage, and the last one before it read otherwise."""

    lineage: bytes
    person: str
    digest: bytes
    looked_at: int
    sealed: bytes
    before_at: int = 0
    before_sealed: bytes | None = None


def look_of(tx: Connection, lineage: bytes, person: str) -> LookRow | None:
    """The one of that person, if they looked."""
    row = tx.execute(select(looks).where(looks.c.lineage == lineage, looks.c.person == person)).first()
    return LookRow(**row._asdict()) if row else None


def put_look(tx: Connection, row: LookRow) -> None:
    """Keep it instead of the one before."""
    tx.execute(delete(looks).where(looks.c.lineage == row.lineage, looks.c.person == row.person))
    insert_rows(tx, looks, [asdict(row)])


def forget_looks(tx: Connection, lineage: bytes) -> None:
    """Destroy what was kept of all looks at a lineage, unless a submission of it still waits or a draft for the next one is kept."""
    waits = exists().where(submissions.c.lineage == lineage, submissions.c.sealed.is_not(None))
    kept = exists().where(drafts.c.lineage == lineage, drafts.c.sealed.is_not(None))
    tx.execute(delete(looks).where(looks.c.lineage == lineage, ~waits, ~kept))
