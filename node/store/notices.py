"""Rows of notices: raised once for each round and way, delivered, or given up."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from node.store.insert import insert_rows
from node.store.notice_tables import notices


class NoticeKey(NamedTuple):
    """What is told once: a round of one thing, by one way."""

    kind: str
    reference: str
    due_at: int
    round: int
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """One notice. Times are Unix milliseconds, 0 for never."""

    id: bytes
    kind: str
    reference: str
    due_at: int
    has_term: int
    round: int
    channel: str
    raised_at: int
    attempts: int
    next_attempt_at: int
    delivered_at: int
    given_up_at: int

    @property
    def key(self) -> NoticeKey:
        """What makes it the one that it is."""
        return NoticeKey(kind=self.kind, reference=self.reference, due_at=self.due_at, round=self.round, channel=self.channel)

    @property
    def waits(self) -> bool:
        """Whether it is still to be delivered."""
        return not (self.delivered_at or self.given_up_at)


def all_notices(tx: Connection) -> list[NoticeRow]:
    """Every notice that is kept, oldest first: what is done is forgotten after a while."""
    query = select(notices).order_by(notices.c.raised_at, notices.c.id)
    return [NoticeRow(**{name: getattr(row, name) for name in NoticeRow.__slots__}) for row in tx.execute(query)]


def find_notice(tx: Connection, identifier: bytes) -> NoticeRow | None:
    """The notice of that id."""
    row = tx.execute(select(notices).where(notices.c.id == identifier)).first()
    return None if row is None else NoticeRow(**{name: getattr(row, name) for name in NoticeRow.__slots__})


def add_notices(tx: Connection, rows: Sequence[NoticeRow]) -> None:
    """Raise notices; what was raised already stays as it is."""
    insert_rows(tx, notices, [asdict(row) for row in rows], present_stay=True)


def remove_notices(tx: Connection, ids: Collection[bytes]) -> None:
    """Forget these notices."""
    for identifier in ids:
        tx.execute(delete(notices).where(notices.c.id == identifier))


def note_delivered(tx: Connection, identifier: bytes, at: int) -> None:
    """Note that a notice was taken."""
    tx.execute(update(notices).where(notices.c.id == identifier).values(delivered_at=at, attempts=notices.c.attempts + 1))


def note_failed(tx: Connection, identifier: bytes, *, next_attempt_at: int, given_up_at: int) -> None:
    """Note that a notice was not taken, and when it is tried again; or that it never is."""
    values = {"attempts": notices.c.attempts + 1, "next_attempt_at": next_attempt_at, "given_up_at": given_up_at}
    tx.execute(update(notices).where(notices.c.id == identifier).values(values))
