"""One call by which every operation records, inside its own transaction, that it happened.

For now a plain table. Kinds are closed, subjects are digests, origins or trust domains, and nothing here is personal data.
"""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import Connection

from node.store.insert import insert_rows
from node.store.tables import journal as table


class Event(StrEnum):
    """What can have happened. LED Art. 25 and UK DPA s.62 name the first four that occur here."""

    COLLECTION = "collection"
    DISCLOSURE = "disclosure"
    CONSULTATION = "consultation"
    ALTERATION = "alteration"
    REFUSAL = "refusal"
    RECEIPT = "receipt"
    LOG_OPENED = "log opened"
    LOG_STOPPED = "log stopped"
    PARTNER = "partner"
    AGREEMENT = "agreement"
    EXPORT = "export"
    REVIEW = "review"
    ALARM = "alarm"


def journal(tx: Connection, at: int, kind: Event, actor: str, events: Iterable[tuple[str, str]]) -> None:
    """Record (subject, code) pairs that `actor` (a SPIFFE ID or a trust domain) caused at `at`, Unix milliseconds."""
    rows = [{"at": at, "kind": kind.value, "actor": actor, "subject": subject, "code": code} for subject, code in events]
    if rows:
        insert_rows(tx, table, rows)
