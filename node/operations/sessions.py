"""Sessions of the console: 15 minutes without use, 8 hours in all. Whoever holds the secret is the person; the store holds its digest."""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from node.operations.officers import ADMINISTRATOR
from node.ports import Ports
from node.store import identities, sign_ins
from node.store.journal import Event, Kind
from node.store.sign_ins import SessionRow
from node.store.transaction import Transaction

IDLE_MS: Final = 15 * 60_000
WHOLE_MS: Final = 8 * 3_600_000
_TOUCH_MS: Final = 30_000
"""A session that is used more often is not written down each time; it ends that much earlier at most."""
SECRET_BYTES: Final = 32
BY_ISSUER: Final = "OIDC"
"""The code of a session that began by an OpenID Connect issuer's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is signed in."""

    person: str
    """SPIFFE ID."""
    began_by: str
    """By what: a code of the journal's SIGN_IN."""
    ends_at: int
    """At the latest, Unix milliseconds."""
    idle_at: int
    """If it is not used any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A session that stands no more."""

    person: str = ""
    """Whose it was; empty where nothing is kept of it."""
    why: str = "ENDED"
    """IDLE: without use. WHOLE: after its hours. ENDED: in another way, or nobody knows any more."""


def begin_session(ports: Ports, tx: Transaction, person: str, code: str) -> bytes:
    """Sign `person` in, journalled by `code`; the secret for the browser. What has expired is forgotten."""
    now = ports.clock.now_ms()
    secret = ports.entropy(SECRET_BYTES)
    ports.journal.record(tx, now, Kind.JOURNAL_KIND_SIGN_IN, person, [Event(code=code)])
    sign_ins.end_sessions(tx, now - WHOLE_MS, now - IDLE_MS)
    sign_ins.add_session(tx, SessionRow(digest=_digest(secret), person=person, began_by=code, began_at=now, seen_at=now))
    return secret


def open_session(ports: Ports, secret: bytes) -> Session | None:
    """Whose session a browser shows, noting that it was used; None for one that has expired, or whose person left the roster."""
    now = ports.clock.now_ms()
    row = _standing(ports, secret, now)
    if row is None:
        return None
    if now - row.seen_at >= _TOUCH_MS:
        with ports.store.write() as tx:
            sign_ins.touch_session(tx, row.digest, now)
        row = replace(row, seen_at=now)
    return _session(row)


def watch_session(ports: Ports, secret: bytes) -> Session | None:
    """The same for what a browser asks by itself: it is no use of the session, which ends as if nobody had asked."""
    row = _standing(ports, secret, ports.clock.now_ms())
    return _session(row) if row else None


def ended_session(ports: Ports, secret: bytes) -> Ended:
    """What is known of a session that does not stand. It says who it was, so it is for this node's own use."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        row = sign_ins.session_of(tx, _digest(secret))
    if row is None:
        return Ended()
    return Ended(person=row.person, why="WHOLE" if now - row.began_at >= WHOLE_MS else "IDLE" if now - row.seen_at >= IDLE_MS else "ENDED")


def end_session(ports: Ports, secret: bytes) -> None:
    """Sign out; unknown secrets change nothing."""
    with ports.store.write() as tx:
        sign_ins.end_session(tx, _digest(secret))


def _standing(ports: Ports, secret: bytes, now: int) -> SessionRow | None:
    with ports.store.read() as tx:
        row = sign_ins.session_of(tx, _digest(secret))
        if row is None or row.person not in ports.officers or now - row.seen_at >= IDLE_MS or now - row.began_at >= WHOLE_MS:
            return None
        # An office that trusts its issuer no more takes it out of the configuration: who came by its word goes too, and so does
        # whoever became administrator since.
        if row.began_by == BY_ISSUER:
            administers = ADMINISTRATOR in ports.officers[row.person].roles
            if administers or not identities.is_linked(tx, row.person, ports.issuer):
                return None
    return row


def _session(row: SessionRow) -> Session:
    return Session(person=row.person, began_by=row.began_by, ends_at=row.began_at + WHOLE_MS, idle_at=row.seen_at + IDLE_MS)


def _digest(secret: bytes) -> bytes:
    return sha256(secret).digest()
