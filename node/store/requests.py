"""Rows about questions with a clock: which there are, and attempts to deliver that ended without a receipt."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, func, literal_column, select

from node.store.alerts import AlertRow, by_ids
from node.store.insert import insert_rows
from node.store.request_tables import attempts
from node.store.tables import INFORMATION_REQUEST, alerts, inbox

Attempt = tuple[int, int]
"""When, Unix milliseconds, and the size of the log then."""

STARTS_A_CLOCK = 3
"""Attempts after which a clock starts: of one entry no more are kept."""
# As text: SQLite uses a partial index only if it can see that the condition is the index's own.
_IS_REQUEST = alerts.c.alert_type == literal_column(f"'{INFORMATION_REQUEST}'")


def requests_of(tx: Connection, agency: str, limit: int) -> list[AlertRow]:
    """The newest questions that an agency of ours asked, and the newest that came for it: at most `limit` of each, newest first."""
    asked = select(alerts.c.id).where(_IS_REQUEST, alerts.c.own, alerts.c.originator == agency)
    # Not a join: SQLite would look at everything that ever came for the agency.
    given = select(inbox.c.alert_ref).where(inbox.c.agency == agency, inbox.c.alert_ref == alerts.c.id).exists()
    came = select(alerts.c.id).where(_IS_REQUEST, given)
    found = {key for query in (asked, came) for key in tx.execute(query.order_by(alerts.c.id.desc()).limit(limit)).scalars()}
    return [row for _, row in sorted(by_ids(tx, found).items(), reverse=True)]


def note_attempt(tx: Connection, log_id: int, attempt: Attempt) -> None:
    """Note an attempt; a second one at the same moment changes nothing."""
    at, size = attempt
    insert_rows(tx, attempts, [{"log_id": log_id, "at": at, "size": size}], present_stay=True)


def attempts_since(tx: Connection, log_id: int, size: int) -> tuple[int, int]:
    """How many attempts there were for all of the first `size` entries of a log, and when the newest for any was; 0 for none."""
    row = tx.execute(select(func.count().filter(attempts.c.size >= size), func.max(attempts.c.at)).where(attempts.c.log_id == log_id)).one()
    return row[0] or 0, row[1] or 0


def attempts_on(tx: Connection, log_id: int, index: int, since: int) -> list[int]:
    """When it was attempted to deliver an entry that was logged at `since`, oldest first: as many as start a clock."""
    query = select(attempts.c.at).where(attempts.c.log_id == log_id, attempts.c.size > index, attempts.c.at >= since)
    return list(tx.execute(query.order_by(attempts.c.at).limit(STARTS_A_CLOCK)).scalars())


def attempts_above(tx: Connection, log_id: int, size: int, limit: int) -> list[Attempt]:
    """Attempts on entries from `size` on, oldest first."""
    query = select(attempts.c.at, attempts.c.size).where(attempts.c.log_id == log_id, attempts.c.size > size)
    return [(row.at, row.size) for row in tx.execute(query.order_by(attempts.c.at).limit(limit))]


def replace_attempts(tx: Connection, log_id: int, size: int, told: Sequence[Attempt]) -> None:
    """Keep what the owner of a mirrored log says of attempts on entries from `size` on, in the place of what it said before."""
    tx.execute(delete(attempts).where(attempts.c.log_id == log_id, attempts.c.size > size))
    rows: Collection[Attempt] = dict(told).items()
    insert_rows(tx, attempts, [{"log_id": log_id, "at": at, "size": reached} for at, reached in rows], present_stay=True)
