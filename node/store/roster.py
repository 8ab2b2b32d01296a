"""Who could do what here when the node last started."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from node.store.insert import insert_rows
from node.store.journal import Acting
from node.store.tables import roster


def held_roster(tx: Connection) -> dict[str, Acting]:
    """Each person's agency and roles, by SPIFFE ID."""
    return {row.person: Acting(agency=row.agency, roles=row.roles) for row in tx.execute(select(roster))}


def put_roster(tx: Connection, people: Mapping[str, Acting]) -> None:
    """Replace the roster."""
    tx.execute(delete(roster))
    insert_rows(tx, roster, [{"person": person, "agency": acting.agency, "roles": acting.roles} for person, acting in people.items()])
