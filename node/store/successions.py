"""Rows of log successions: the end of one log between two countries and the beginning of the next."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from node.store.tables import successions


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessionRow:
    """A log-succession statement and how far it got: proposed, offered, accepted."""

    digest: bytes
    partner: str
    ended_origin: str
    state: str
    statement: bytes
    delivered: bool


def all_successions(tx: Connection) -> list[SuccessionRow]:
    """Every succession, oldest first."""
    return [_succession(row) for row in tx.execute(select(successions).order_by(successions.c.recorded_at, successions.c.digest))]


def find_succession(tx: Connection, digest: bytes) -> SuccessionRow | None:
    """The succession of that digest."""
    row = tx.execute(select(successions).where(successions.c.digest == digest)).first()
    return _succession(row) if row else None


def put_succession(tx: Connection, row: SuccessionRow, at: int) -> None:
    """Add a succession, or replace its state and signatures."""
    values: dict[str, Any] = {"state": row.state, "statement": row.statement, "delivered": row.delivered}
    if tx.execute(update(successions).where(successions.c.digest == row.digest).values(values)).rowcount == 0:
        tx.execute(
            successions.insert().values(digest=row.digest, partner=row.partner, ended_origin=row.ended_origin, recorded_at=at, **values)
        )


def _succession(row: Row[Any]) -> SuccessionRow:
    return SuccessionRow(
        digest=row.digest,
        partner=row.partner,
        ended_origin=row.ended_origin,
        state=row.state,
        statement=row.statement,
        delivered=row.delivered,
    )
