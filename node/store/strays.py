"""Rows that nothing accounts for: asked only when the whole store is checked."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, func, select

from exchange.v1 import journal_pb2
from node.store.recall_tables import doubts
from node.store.tables import (
    alerts,
    answers,
    entries,
    exceptions,
    inbox,
    journal,
    key_periods,
    landings,
    receipts,
    subject_index,
    supersessions,
    withheld,
)

_TWICE: Final = (
    "SELECT l.origin, e.idx FROM (SELECT * FROM (SELECT max(id) AS id FROM alerts GROUP BY alert_id, originator HAVING count(*) > 1 "
    "LIMIT ?) UNION SELECT * FROM (SELECT max(id) FROM alerts GROUP BY digest HAVING count(*) > 1 LIMIT ?)) d "
    "LEFT JOIN entries e ON e.alert_ref = d.id LEFT JOIN logs l ON l.id = e.log_id GROUP BY d.id"
)


def duplicate_alerts(tx: Connection, limit: int) -> list[tuple[str, int]]:
    """(origin, index) of the first entry of each alert that shares its originator and id, or its digest, with an earlier one.

    An alert that has no entry counts with ("", -1).
    """
    return [(row[0] or "", -1 if row[1] is None else row[1]) for row in tx.exec_driver_sql(_TWICE, (limit, limit))]


def stray_answers(tx: Connection, limit: int) -> list[bytes]:
    """Digests of answers that no alert of the right direction has."""
    known = select(alerts.c.id).where(alerts.c.digest == answers.c.answer, alerts.c.own == answers.c.outbound)
    return list(tx.execute(select(answers.c.answer).where(~known.exists()).limit(limit)).scalars())


def stray_inboxes(tx: Connection, limit: int) -> list[int]:
    """Alert row ids that stand in an inbox and nowhere else."""
    known = select(alerts.c.id).where(alerts.c.id == inbox.c.alert_ref)
    return list(tx.execute(select(inbox.c.alert_ref).where(~known.exists()).limit(limit)).scalars())


def erased_in_silence(tx: Connection, limit: int) -> list[bytes]:
    """Digests of erased alerts of whose erasure the journal says nothing."""
    said = select(journal.c.idx).where(
        journal.c.subject == alerts.c.digest, journal.c.kind == journal_pb2.JOURNAL_KIND_ERASURE, journal.c.code == "INTENDED"
    )
    return list(tx.execute(select(alerts.c.digest).where(alerts.c.state == "erased", ~said.exists()).limit(limit)).scalars())


def indexed_though_erased(tx: Connection, limit: int) -> list[int]:
    """Alert row ids in the subject index that are erased, or not here at all."""
    here = select(alerts.c.id).where(alerts.c.id == subject_index.c.alert_ref, alerts.c.state != "erased")
    return list(tx.execute(select(subject_index.c.alert_ref).where(~here.exists()).limit(limit)).scalars())


def landings_though_erased(tx: Connection, limit: int) -> list[int]:
    """Alert row ids whose landing is still noted, though they are erased, or not here at all."""
    here = select(alerts.c.id).where(alerts.c.id == landings.c.alert_ref, alerts.c.state != "erased")
    return list(tx.execute(select(landings.c.alert_ref).where(~here.exists()).limit(limit)).scalars())


def stray_supersessions(tx: Connection, limit: int) -> list[bytes]:
    """Digests of superseding alerts that are not here."""
    known = select(alerts.c.id).where(alerts.c.digest == supersessions.c.later)
    return list(tx.execute(select(supersessions.c.later).where(~known.exists()).limit(limit)).scalars())


def rows_of_no_log(tx: Connection, log_ids: Sequence[int], limit: int) -> list[tuple[str, int]]:
    """(table, index) of rows under a log that is not here."""
    found: list[tuple[str, int]] = []
    for table in (entries, exceptions, withheld, doubts):
        query = select(table.c.idx).where(table.c.log_id.not_in(log_ids)).limit(limit)
        found += [(table.name, index) for index in tx.execute(query).scalars()]
    query = select(receipts.c.size).where(receipts.c.log_id.not_in(log_ids)).limit(limit)
    return found + [(receipts.name, size) for size in tx.execute(query).scalars()]


def periods(tx: Connection) -> list[str]:
    """Every period and group that has a key."""
    return list(tx.execute(select(key_periods.c.period)).scalars())


def newest_alert(tx: Connection) -> int:
    """The greatest row id of an alert, 0 if there is none."""
    return tx.execute(select(func.max(alerts.c.id))).scalar() or 0


def journalled(tx: Connection, origin: str, index: int, code: str) -> bool:
    """Whether the journal says this of that entry of a log."""
    of_log = (journal.c.origin == origin, journal.c.first <= index, journal.c.first + journal.c.count > index)
    return tx.execute(select(journal.c.idx).where(*of_log, journal.c.code == code).limit(1)).first() is not None
