"""Notes of one shift of an agency for the next, and their table. Times are Unix milliseconds; persons and agencies are SPIFFE IDs."""

from collections.abc import Collection
from dataclasses import asdict, dataclass

from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, String, Table, delete, func, select, update

from node.store.insert import insert_rows
from node.store.tables import metadata

handovers = Table(
    "handovers",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("author", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Column("erase_by", BigInteger, nullable=False),
    # Empty, and 0, until somebody took it over.
    Column("taken_by", String, nullable=False),
    Column("taken_at", BigInteger, nullable=False),
    # The note, encrypted; null once it was destroyed, until that is attested and the row goes.
    Column("sealed", LargeBinary),
)
Index("handovers_by_agency", handovers.c.agency, handovers.c.written_at)
Index("handovers_by_limit", handovers.c.erase_by)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HandoverRow:
    """One note; `sealed` is None once it was destroyed."""

    id: bytes
    author: str
    agency: str
    written_at: int
    erase_by: int
    taken_by: str
    taken_at: int
    sealed: bytes | None


_HELD = handovers.c.sealed.is_not(None)


def add_handover(tx: Connection, row: HandoverRow) -> None:
    """Keep a note. Raises `sqlalchemy.exc.IntegrityError` if its id was used."""
    insert_rows(tx, handovers, [asdict(row)])


def handovers_of(tx: Connection, agency: str, limit: int) -> list[HandoverRow]:
    """Those of one agency, the newest first."""
    newest = (handovers.c.written_at.desc(), handovers.c.id)
    query = select(handovers).where(handovers.c.agency == agency, _HELD).order_by(*newest).limit(limit)
    return [HandoverRow(**row._asdict()) for row in tx.execute(query)]


def count_handovers(tx: Connection, agency: str) -> int:
    """How many of one agency are here."""
    return tx.execute(select(func.count()).where(handovers.c.agency == agency, _HELD)).scalar() or 0


def take_handover(tx: Connection, identifier: bytes, person: str, now: int) -> bool:
    """Note who took it over; False if somebody had, or it is gone."""
    waits = (handovers.c.id == identifier, handovers.c.taken_at == 0, _HELD)
    return tx.execute(update(handovers).where(*waits).values(taken_by=person, taken_at=now)).rowcount == 1


def handovers_past(tx: Connection, now: int, limit: int) -> list[bytes]:
    """Ids of those whose limit has passed."""
    return list(tx.execute(select(handovers.c.id).where(handovers.c.erase_by <= now, _HELD).limit(limit)).scalars())


def count_past(tx: Connection, now: int) -> int:
    """How many there are of these."""
    return tx.execute(select(func.count()).where(handovers.c.erase_by <= now, _HELD)).scalar() or 0


def destroy_handovers(tx: Connection, identifiers: Collection[bytes]) -> None:
    """Destroy what was written; the rows stay until that is attested."""
    tx.execute(update(handovers).where(handovers.c.id.in_(identifiers)).values(sealed=None))


def destroyed_handovers(tx: Connection, limit: int) -> list[bytes]:
    """Ids of those that were destroyed, and of which that is not yet attested."""
    return list(tx.execute(select(handovers.c.id).where(handovers.c.sealed.is_(None)).limit(limit)).scalars())


def remove_handovers(tx: Connection, identifiers: Collection[bytes]) -> None:
    """Let the rows go."""
    tx.execute(delete(handovers).where(handovers.c.id.in_(identifiers)))
