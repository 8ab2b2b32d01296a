"""Rows of doubts: entries that say something of a manifest and came without what they say. No content, no personal data."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from exchange.errors import ExchangeError
from exchange.log import LogName
from exchange.v1 import permit_pb2
from exchange.values import node_of
from node.store.insert import insert_rows
from node.store.onward import find_permit
from node.store.plain import ask_among, select_text
from node.store.recall_tables import doubts


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtRow:
    """One such entry, by its place in a log."""

    log_id: int
    idx: int
    control: bytes
    referent: bytes
    permit: bytes
    noted_at: int
    """Unix milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What is not known any more, or not yet, of one manifest."""

    referent: bytes
    sender: str
    """Trust domain of whoever logged it."""
    forwarded: bool
    """Under a permit about this manifest, for this sender: it passed on what the originator said."""
    noted_at: int


_OPEN: Final = (
    "SELECT d.referent, d.permit, d.noted_at, CAST(l.origin AS BLOB) FROM {} d JOIN logs l ON l.id = d.log_id "
    "WHERE NOT EXISTS (SELECT 1 FROM recalls r WHERE r.control = d.control) AND "
)
_ABOUT: Final = _OPEN.format("doubts") + "d.referent IN"
_BETWEEN: Final = _OPEN.format("alerts a CROSS JOIN doubts") + "d.referent = a.digest AND a.id > ? AND a.id <= ?"
_AMONG: Final = select_text(doubts, [doubts.c.referent], "WHERE referent IN")
_ENTRIES: Final = (
    "SELECT d.idx, CAST(l.origin AS BLOB), d.control, d.referent, d.permit, e.entry, e.alert_ref FROM doubts d "
    "LEFT JOIN logs l ON l.id = d.log_id LEFT JOIN entries e ON e.log_id = d.log_id AND e.idx = d.idx ORDER BY d.log_id, d.idx"
)


def note_doubts(tx: Connection, rows: Iterable[DoubtRow]) -> None:
    """Note entries; the same again changes nothing."""
    insert_rows(tx, doubts, [asdict(row) for row in rows], present_stay=True)


def doubted_among(tx: Connection, referents: Collection[bytes]) -> set[bytes]:
    """Those of these manifests of which any such entry says something, known by now or not: asked for every batch."""
    return {referent for (referent,) in ask_among(tx, _AMONG, referents)}


def doubts_about(tx: Connection, referents: Collection[bytes]) -> list[Doubt]:
    """What is said of these manifests by entries whose control alerts are not here."""
    return _doubts(tx, ask_among(tx, _ABOUT, referents))


def doubts_between(tx: Connection, after: int, last: int) -> list[Doubt]:
    """The same of the alerts with row ids above `after` up to, and with, `last`: for verification."""
    return _doubts(tx, tx.exec_driver_sql(_BETWEEN, (after, last)))


def is_noted(tx: Connection, log_id: int, idx: int) -> bool:
    """Whether the entry at that place is noted."""
    return tx.execute(select(doubts.c.idx).where(doubts.c.log_id == log_id, doubts.c.idx == idx)).first() is not None


def noted_entries(tx: Connection) -> Iterator[Sequence[Any]]:
    """(index, origin, control, referent, permit, entry, alert row) of all that is noted, as it is stored: for verification. Few."""
    return iter(tx.exec_driver_sql(_ENTRIES))


def _doubts(tx: Connection, rows: Iterable[Sequence[Any]]) -> list[Doubt]:
    found = []
    for referent, permit, noted_at, origin in rows:
        try:
            sender = LogName.parse(origin.decode()).sender
        except (ExchangeError, UnicodeDecodeError):
            continue  # an altered row, which the check of the logs names
        found.append(Doubt(referent=referent, sender=sender, forwarded=_forwarded(tx, permit, referent, sender), noted_at=noted_at))
    return found


def _forwarded(tx: Connection, permit: bytes, referent: bytes, sender: str) -> bool:
    """Whether a permit that is kept here let the sender pass this manifest on. It was verified when it came."""
    statement = find_permit(tx, permit) if permit else None
    if statement is None:
        return False
    said = permit_pb2.Permit.FromString(statement.payload)
    return (said.manifest_digest, said.holder) == (referent, str(node_of(sender)))
