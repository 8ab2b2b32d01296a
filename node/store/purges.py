"""Alerts that were withdrawn from this country, and whose purge is attested."""

from sqlalchemy import Connection, select

from node.store.recall_tables import attestations, recalls
from node.store.tables import alerts, inbox


def purgeable(tx: Connection) -> list[int]:
    """Row ids of withdrawn alerts whose every agency has attested the purge, and none of them that something stays."""
    # Left to itself, SQLAlchemy would take `alerts` anew two levels down, and an attestation of any other alert would do.
    done = (
        select(attestations.c.control)
        .correlate(alerts, inbox)
        .where(
            attestations.c.referent == alerts.c.digest,
            attestations.c.attester == inbox.c.agency,
            attestations.c.own.is_(True),
            attestations.c.on_behalf_of == "",
            attestations.c.lists_updated.is_(True),
            attestations.c.exceptions == "",
        )
    )
    waiting = select(inbox.c.agency).where(inbox.c.alert_ref == alerts.c.id, ~done.exists())
    withdrawn = select(recalls.c.referent).where(recalls.c.kind == "withdrawal", recalls.c.own.is_(False))
    received = alerts.c.digest.in_(withdrawn) & alerts.c.own.is_(False) & (alerts.c.state == "withdrawn")
    return list(tx.execute(select(alerts.c.id).where(received, ~waiting.exists()).order_by(alerts.c.id)).scalars())
