"""Rows of who comes into the console by an OpenID Connect issuer. See `node.store.sign_in_tables`."""

from sqlalchemy import Connection, delete, select

from node.store.insert import insert_rows
from node.store.sign_in_tables import identities


def put_identity(tx: Connection, person: str, issuer: str, subject: str, now: int) -> None:
    """Keep as whom an issuer names a person, in the place of any before it."""
    forget_identity(tx, person)
    insert_rows(tx, identities, [{"person": person, "issuer": issuer, "subject": subject, "linked_at": now}])


def person_of(tx: Connection, issuer: str, subject: str) -> str | None:
    """Whom that issuer means by that subject."""
    query = select(identities.c.person).where(identities.c.issuer == issuer, identities.c.subject == subject)
    person: str | None = tx.execute(query).scalar_one_or_none()
    return person


def is_linked(tx: Connection, person: str, issuer: str) -> bool:
    """Whether that issuer means this person by any subject."""
    query = select(identities.c.person).where(identities.c.person == person, identities.c.issuer == issuer)
    return tx.execute(query).first() is not None


def subjects_of(tx: Connection, issuer: str) -> dict[str, str]:
    """By which subject that issuer names each person whom it names."""
    query = select(identities.c.person, identities.c.subject).where(identities.c.issuer == issuer)
    return {row.person: row.subject for row in tx.execute(query)}


def forget_identity(tx: Connection, person: str) -> bool:
    """Forget as whom any issuer names a person; whether one did."""
    return tx.execute(delete(identities).where(identities.c.person == person)).rowcount > 0
