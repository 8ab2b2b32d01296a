"""Rows of signing in to the console: passkeys, codes that enrol one, sessions. See `node.store.sign_in_tables`."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, func, or_, select, update

from node.store.insert import insert_rows
from node.store.sign_in_tables import enrolments, passkeys, sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """One authenticator of one person."""

    credential: bytes
    person: str
    public_key: bytes
    """COSE_Key."""
    sign_count: int
    added_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One browser in which a person is signed in; the secret that it shows is known here by its digest only."""

    digest: bytes
    person: str
    began_by: str
    """A code of the journal's SIGN_IN."""
    began_at: int
    seen_at: int


def add_passkey(tx: Connection, passkey: Passkey) -> bool:
    """Keep a new passkey; False where its credential id is known already, and then nothing changes."""
    known = passkey_of(tx, passkey.credential) is not None
    if not known:
        insert_rows(tx, passkeys, [asdict(passkey)])
    return not known


def passkey_of(tx: Connection, credential: bytes) -> Passkey | None:
    """The passkey of that credential id."""
    row = tx.execute(select(passkeys).where(passkeys.c.credential == credential)).first()
    return Passkey(**{name: getattr(row, name) for name in Passkey.__slots__}) if row else None


def credentials_of(tx: Connection, person: str) -> list[bytes]:
    """The credential ids of a person's passkeys, the oldest first."""
    query = select(passkeys.c.credential).where(passkeys.c.person == person)
    return list(tx.execute(query.order_by(passkeys.c.added_at, passkeys.c.credential)).scalars())


def count_passkey(tx: Connection, credential: bytes, before: int, now: int) -> bool:
    """Set the count of signatures from `before` to `now`; False if it is not `before` any more, or the passkey is gone."""
    query = update(passkeys).where(passkeys.c.credential == credential, passkeys.c.sign_count == before)
    return tx.execute(query.values(sign_count=now)).rowcount == 1


def put_enrolment(tx: Connection, person: str, digest: bytes, expires_at: int) -> None:
    """Keep the code's digest in the place of any before it."""
    tx.execute(delete(enrolments).where(enrolments.c.person == person))
    insert_rows(tx, enrolments, [{"person": person, "digest": digest, "expires_at": expires_at}])


def enrolment_of(tx: Connection, digest: bytes, now: int) -> str | None:
    """For whom a code is that has not expired."""
    query = select(enrolments.c.person).where(enrolments.c.digest == digest, enrolments.c.expires_at > now)
    person: str | None = tx.execute(query).scalar_one_or_none()
    return person


def use_enrolment(tx: Connection, digest: bytes, now: int) -> str | None:
    """For whom a code is that has not expired; it works no more."""
    person = enrolment_of(tx, digest, now)
    tx.execute(delete(enrolments).where(enrolments.c.digest == digest))
    return person


def add_session(tx: Connection, session: SessionRow) -> None:
    """Keep a new session."""
    insert_rows(tx, sessions, [asdict(session)])


def session_of(tx: Connection, digest: bytes) -> SessionRow | None:
    """The session of that digest, expired or not."""
    row = tx.execute(select(sessions).where(sessions.c.digest == digest)).first()
    return SessionRow(**{name: getattr(row, name) for name in SessionRow.__slots__}) if row else None


def touch_session(tx: Connection, digest: bytes, now: int) -> None:
    """Note that it was used."""
    tx.execute(update(sessions).where(sessions.c.digest == digest).values(seen_at=now))


def end_session(tx: Connection, digest: bytes) -> None:
    """Forget it."""
    tx.execute(delete(sessions).where(sessions.c.digest == digest))


def end_sessions(tx: Connection, began_by: int, seen_by: int) -> None:
    """Forget those that began, or were last used, at or before these times."""
    tx.execute(delete(sessions).where(or_(sessions.c.began_at <= began_by, sessions.c.seen_at <= seen_by)))


def end_sessions_of(tx: Connection, person: str) -> None:
    """Forget those of a person."""
    tx.execute(delete(sessions).where(sessions.c.person == person))


def count_passkeys(tx: Connection) -> dict[str, int]:
    """How many passkeys each person has who has any."""
    query = select(passkeys.c.person, func.count().label("many")).group_by(passkeys.c.person)
    return {row.person: row.many for row in tx.execute(query)}


def open_enrolments(tx: Connection, now: int) -> dict[str, int]:
    """Until when the code of each person works who has one."""
    query = select(enrolments.c.person, enrolments.c.expires_at).where(enrolments.c.expires_at > now)
    return {row.person: row.expires_at for row in tx.execute(query)}


def sessions_since(tx: Connection, began_after: int, seen_after: int) -> dict[str, tuple[int, int]]:
    """For each person who is signed in since then: in how many browsers, and when one of these was last used."""
    query = (
        select(sessions.c.person, func.count(), func.max(sessions.c.seen_at))
        .where(sessions.c.began_at > began_after, sessions.c.seen_at > seen_after)
        .group_by(sessions.c.person)
    )
    return {person: (count, seen_at) for person, count, seen_at in tx.execute(query)}


def forget_person(tx: Connection, person: str) -> int:
    """Forget the passkeys, codes and sessions of a person; tells how many passkeys."""
    end_sessions_of(tx, person)
    tx.execute(delete(enrolments).where(enrolments.c.person == person))
    return tx.execute(delete(passkeys).where(passkeys.c.person == person)).rowcount
