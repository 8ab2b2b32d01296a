"""The rows of recalls as a check reads them: by the driver's own statements, a page of alerts at a time.

What is read here may have been altered by anybody who can write the file: texts are read as bytes, and may be anything.
"""

from typing import Any, Final

from sqlalchemy import Connection, select

from node.store.recall_tables import attestations, recalls
from node.store.tables import alerts

Said = tuple[Any, ...]
"""The columns of a row that its control alert determines, `kept_recall` or `kept_attestation` in their order."""

_ABOUT: Final = (
    "SELECT r.referent, CAST(r.kind AS BLOB), CAST(r.originator AS BLOB) FROM alerts a CROSS JOIN recalls r ON r.referent = a.digest "
    "WHERE a.id > ? AND a.id <= ? ORDER BY r.id"
)
_SUCCESSORS: Final = (
    "SELECT s.earlier, CAST(s.originator AS BLOB) FROM alerts a CROSS JOIN supersessions s ON s.earlier = a.digest "
    "WHERE a.id > ? AND a.id <= ?"
)
_RECALLS: Final = (
    "SELECT r.control, r.referent, CAST(r.kind AS BLOB), CAST(r.reason AS BLOB), CAST(r.originator AS BLOB), r.own, r.attest_by, "
    "r.wrong_fields, r.replaced_by FROM alerts a CROSS JOIN recalls r ON r.control = a.digest WHERE a.id > ? AND a.id <= ?"
)
_ATTESTATIONS: Final = (
    "SELECT t.control, t.referent, CAST(t.attester AS BLOB), CAST(t.on_behalf_of AS BLOB), t.own, t.copies_removed, t.lists_updated, "
    "CAST(t.exceptions AS BLOB) FROM alerts a CROSS JOIN attestations t ON t.control = a.digest WHERE a.id > ? AND a.id <= ?"
)


def recalls_between(tx: Connection, after: int, last: int) -> dict[bytes, list[tuple[bytes, bytes]]]:
    """(kind, issuer), as they are stored, of every recall of the alerts with row ids above `after` up to, and with, `last`, by digest."""
    found: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for referent, kind, originator in tx.exec_driver_sql(_ABOUT, (after, last)):
        found.setdefault(referent, []).append((kind, originator))
    return found


def successors_between(tx: Connection, after: int, last: int) -> set[tuple[bytes, bytes]]:
    """(digest, originator of a successor) for each of those alerts that has one."""
    return {(earlier, originator) for earlier, originator in tx.exec_driver_sql(_SUCCESSORS, (after, last))}


def said_between(tx: Connection, after: int, last: int) -> dict[bytes, Said]:
    """What the tables say that each of those alerts said, by digest: of control alerts that recall or attest something."""
    return {row[0]: tuple(row[1:]) for query in (_RECALLS, _ATTESTATIONS) for row in tx.exec_driver_sql(query, (after, last))}


def said_by_nobody(tx: Connection, limit: int) -> list[bytes]:
    """Digests of control alerts that the tables of recalls and attestations name and that are not here."""
    found: list[bytes] = []
    for table in (recalls, attestations):
        here = select(alerts.c.id).where(alerts.c.digest == table.c.control, alerts.c.own == table.c.own)
        found += tx.execute(select(table.c.control).where(~here.exists()).limit(limit)).scalars()
    return found
