"""Rows of what was told under agreements for an emergency."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from node.store.gate_tables import emergencies
from node.store.insert import insert_rows
from node.store.plain import ask_among, select_text


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRow:
    """The one use of one agreement. Times are Unix milliseconds."""

    agreement: bytes
    partner: str
    own: bool
    manifest: bytes
    origin: str
    idx: int
    at: int
    officer: str
    agency: str
    review_by: int
    reviewed_by: str = ""
    reviewed_at: int = 0


_TOLD = select_text(emergencies, [emergencies.c.manifest], "WHERE manifest IN")
_COLUMNS = [emergencies.c[name] for name in EmergencyRow.__slots__]


def add_emergency(tx: Connection, row: EmergencyRow) -> None:
    """Keep the use of an agreement; one that is kept already stays as it is."""
    insert_rows(tx, emergencies, [{name: getattr(row, name) for name in EmergencyRow.__slots__}], present_stay=True)


def all_emergencies(tx: Connection) -> list[EmergencyRow]:
    """Every use, newest first. Few: each was agreed by two countries."""
    return [_row(row) for row in tx.execute(select(*_COLUMNS).order_by(emergencies.c.at.desc(), emergencies.c.agreement))]


def told_in_emergency(tx: Connection, manifests: Collection[bytes]) -> set[bytes]:
    """Those of these manifests that were told under an agreement for an emergency."""
    return {manifest for (manifest,) in ask_among(tx, _TOLD, manifests)}


def spent(tx: Connection) -> frozenset[bytes]:
    """Digests of our agreements for an emergency that we used."""
    return frozenset(tx.execute(select(emergencies.c.agreement).where(emergencies.c.own)).scalars())


def unreviewed(tx: Connection, before: int) -> list[EmergencyRow]:
    """Those of ours that should have been reviewed before that time."""
    late = (emergencies.c.review_by > 0, emergencies.c.review_by <= before, emergencies.c.reviewed_at == 0)
    return [_row(row) for row in tx.execute(select(*_COLUMNS).where(*late))]


def note_review(tx: Connection, agreement: bytes, person: str, at: int) -> None:
    """Note who reviewed a use."""
    tx.execute(update(emergencies).where(emergencies.c.agreement == agreement).values(reviewed_by=person, reviewed_at=at))


def _row(row: Row[Any]) -> EmergencyRow:
    return EmergencyRow(**{name: getattr(row, name) for name in EmergencyRow.__slots__})
