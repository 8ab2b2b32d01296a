"""What was distributed inside the country, against the journal: asked only when the whole store is checked."""

from typing import Final

from sqlalchemy import Connection, select

from exchange.v1 import journal_pb2
from node.store.inside_tables import distributions
from node.store.tables import alerts

_UNEVEN: Final = (
    "SELECT digest, agency, sum(n) AS surplus FROM ("
    "SELECT subject AS digest, counterparty AS agency, 1 AS n FROM journal WHERE kind = ? AND code = 'DISTRIBUTED' UNION ALL "
    "SELECT alerts.digest, distributions.agency, -1 FROM distributions JOIN alerts ON alerts.id = distributions.alert_ref"
    ") GROUP BY digest, agency HAVING sum(n) != 0 ORDER BY digest, agency LIMIT ?"
)


def uneven_distributions(tx: Connection, limit: int) -> list[tuple[bytes, str, int]]:
    """(manifest digest, agency, surplus) where the journal tells of more distributions than there are, or below 0 of fewer."""
    rows = tx.exec_driver_sql(_UNEVEN, (int(journal_pb2.JOURNAL_KIND_DISCLOSURE), limit))
    return [(row.digest, row.agency, row.surplus) for row in rows]


def distributions_of_nothing(tx: Connection, limit: int) -> list[int]:
    """Ids of distributions of an alert that is not here, or that did not come from abroad."""
    known = select(alerts.c.id).where(alerts.c.id == distributions.c.alert_ref, ~alerts.c.own)
    return list(tx.execute(select(distributions.c.id).where(~known.exists()).limit(limit)).scalars())
