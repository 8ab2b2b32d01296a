"""The rows of passing on as a check reads them: by the driver's own statements, a page of alerts at a time.

What is read here may have been altered by anybody who can write the file: texts are read as bytes, and may be anything.
"""

from typing import Any, Final

from sqlalchemy import Connection, select

from node.store.onward_tables import onward_decisions, onward_notices, onward_requests
from node.store.tables import alerts

Said = tuple[Any, ...]
"""The columns of a row that its alert determines, in the order of its dataclass in `node.store.onward`, without the time recorded."""

_REQUESTS: Final = (
    "SELECT q.request, q.manifest, q.own, CAST(q.asker AS BLOB), CAST(q.third_party AS BLOB), q.fields, q.purpose, q.until, q.judicial "
    "FROM alerts a CROSS JOIN onward_requests q ON q.request = a.digest WHERE a.id > ? AND a.id <= ?"
)
_DECISIONS: Final = (
    "SELECT d.decision, d.request, d.own, CAST(d.decider AS BLOB), d.granted, d.permit, d.until "
    "FROM alerts a CROSS JOIN onward_decisions d ON d.decision = a.digest WHERE a.id > ? AND a.id <= ?"
)
_NOTICES: Final = (
    "SELECT n.notice, n.permit, n.manifest, CAST(n.holder AS BLOB), CAST(n.third_party AS BLOB), n.fields, n.passed_on_at, n.own "
    "FROM alerts a CROSS JOIN onward_notices n ON n.notice = a.digest WHERE a.id > ? AND a.id <= ?"
)
_PERMIT: Final = "SELECT CAST(statement AS BLOB) FROM permits WHERE permit = ?"


def onward_between(tx: Connection, after: int, last: int) -> dict[bytes, Said]:
    """What the tables say that each alert with a row id above `after` up to, and with, `last` said of passing on, by digest."""
    return {row[0]: tuple(row) for query in (_REQUESTS, _DECISIONS, _NOTICES) for row in tx.exec_driver_sql(query, (after, last))}


def permit_bytes(tx: Connection, digest: bytes) -> bytes:
    """What is stored as the permit of that digest; empty if nothing is."""
    return bytes(tx.exec_driver_sql(_PERMIT, (digest,)).scalar() or b"")


def onward_of_nobody(tx: Connection, limit: int) -> list[bytes]:
    """Digests of requests, decisions and notices that the tables name and that are no alerts here."""
    found: list[bytes] = []
    for table, column in (
        (onward_requests, onward_requests.c.request),
        (onward_decisions, onward_decisions.c.decision),
        (onward_notices, onward_notices.c.notice),
    ):
        here = select(alerts.c.id).where(alerts.c.digest == column, alerts.c.own == table.c.own)
        found += tx.execute(select(column).where(~here.exists()).limit(limit)).scalars()
    return found
