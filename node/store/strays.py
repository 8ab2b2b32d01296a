"""Rows that nothing accounts for: asked only when the whole store is checked."""

from sqlalchemy import Connection, func, select

from node.store.tables import alerts, answers, entries, inbox, journal


def duplicate_alerts(tx: Connection, limit: int) -> list[int]:
    """Row ids of alerts that share their originator and id, or their digest, with an earlier one."""
    same_id = select(func.max(alerts.c.id)).group_by(alerts.c.alert_id, alerts.c.originator).having(func.count() > 1).limit(limit)
    same_digest = select(func.max(alerts.c.id)).group_by(alerts.c.digest).having(func.count() > 1).limit(limit)
    return sorted({*tx.execute(same_id).scalars(), *tx.execute(same_digest).scalars()})


def stray_answers(tx: Connection, limit: int) -> list[bytes]:
    """Digests of answers that no alert of the right direction has."""
    known = select(alerts.c.id).where(alerts.c.digest == answers.c.answer, alerts.c.own == answers.c.outbound)
    return list(tx.execute(select(answers.c.answer).where(~known.exists()).limit(limit)).scalars())


def stray_inboxes(tx: Connection, limit: int) -> list[int]:
    """Alert row ids that stand in an inbox and nowhere else."""
    known = select(alerts.c.id).where(alerts.c.id == inbox.c.alert_ref)
    return list(tx.execute(select(inbox.c.alert_ref).where(~known.exists()).limit(limit)).scalars())


def answered_by(tx: Connection, answer: bytes) -> set[tuple[bytes, bool]]:
    """(digest of what was answered, outbound) for one answer."""
    return {(row.answered, row.outbound) for row in tx.execute(select(answers).where(answers.c.answer == answer))}


def newest_alert(tx: Connection) -> int:
    """The greatest row id of an alert, 0 if there is none."""
    return tx.execute(select(func.max(alerts.c.id))).scalar() or 0


def journalled(tx: Connection, origin: str, index: int, code: str) -> bool:
    """Whether the journal says this of that entry of a log."""
    of_log = (journal.c.origin == origin, journal.c.first <= index, journal.c.first + journal.c.count > index)
    return tx.execute(select(journal.c.idx).where(*of_log, journal.c.code == code).limit(1)).first() is not None


def entries_from(tx: Connection, log_id: int, index: int) -> int:
    """How many entries stand at `index` or above."""
    query = select(func.count()).select_from(entries).where(entries.c.log_id == log_id, entries.c.idx >= index)
    return tx.execute(query).scalar_one()
