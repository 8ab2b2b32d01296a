"""Questions about what waits for a person: by agency, bounded, from rows that are kept for other reasons. Nothing of content."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, union

from node.store.inside_tables import distributions, inside_purges
from node.store.journal import Kind
from node.store.recall_tables import attestations, doubts, recalls
from node.store.tables import NOT_TRAVEL, alerts, approvals, entries, exceptions, inbox, journal, logs, receipts, submissions

_INBOX_ALERT: Final = "INBOX_ALERT"
_SORTED_AFTERWARDS: Final = alerts.c.id + 0
"""For a few among many alerts: SQLite would rather walk through all of them than sort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A disclosure of ours that its recipient refused by its receipt."""

    digest: bytes
    partner: str
    code: int
    at: int
    """When the receipt came, Unix milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OralApproval:
    """An approval by word of mouth that is still to be put in writing."""

    submission: bytes
    person: str
    at: int
    confirm_by: int


def unopened(tx: Connection, agency: str, types: Collection[str], limit: int) -> list[int]:
    """Rows of what came for the agency, of these types, and that nobody there has opened; oldest first."""
    query = select(alerts.c.id).where(
        NOT_TRAVEL,
        alerts.c.alert_type.in_(sorted(types)),
        alerts.c.state == "active",
        _given(agency),
        ~exists().where(_consulted(_INBOX_ALERT, agency), journal.c.subject == alerts.c.digest),
    )
    return list(tx.execute(query.order_by(_SORTED_AFTERWARDS).limit(limit)).scalars())


def recalled(tx: Connection, agency: str, limit: int) -> list[tuple[int, int]]:
    """(alert row, when it was last opened there or 0) of what the agency was given and was, or may have been, recalled; newest first."""
    opened = select(func.coalesce(func.max(journal.c.at), 0)).where(_consulted(_INBOX_ALERT, agency), journal.c.subject == alerts.c.digest)
    query = select(alerts.c.id, opened.scalar_subquery().label("opened")).where(
        alerts.c.digest.in_(union(select(recalls.c.referent), select(doubts.c.referent))),
        alerts.c.state.in_(("restricted", "disputed", "superseded")),
        _given(agency),
    )
    return [(row.id, row.opened) for row in tx.execute(query.order_by(_SORTED_AFTERWARDS.desc()).limit(limit))]


def purges_owed(tx: Connection, agency: str, limit: int) -> list[int]:
    """Rows of what the agency was given, a partner withdrew, and whose purge the agency has not attested; oldest first."""
    complete = or_(attestations.c.lists_updated, attestations.c.exceptions != "")
    mine = and_(attestations.c.referent == alerts.c.digest, attestations.c.own, attestations.c.attester == agency)
    query = select(alerts.c.id).where(
        alerts.c.digest.in_(select(recalls.c.referent).where(recalls.c.kind == "withdrawal", ~recalls.c.own)),
        ~exists().where(mine, complete),
        _given(agency),
    )
    return list(tx.execute(query.order_by(_SORTED_AFTERWARDS).limit(limit)).scalars())


def purges_inside(tx: Connection, agency: str, limit: int) -> list[int]:
    """Rows of what a desk here told the agency, a partner withdrew, and the agency has not confirmed as purged; oldest first."""
    complete = or_(inside_purges.c.lists_updated, inside_purges.c.exceptions != "")
    mine = and_(inside_purges.c.alert_ref == alerts.c.id, inside_purges.c.agency == agency)
    query = select(alerts.c.id).where(
        alerts.c.id.in_(select(distributions.c.alert_ref).where(distributions.c.agency == agency)),
        exists().where(recalls.c.referent == alerts.c.digest, recalls.c.kind == "withdrawal", ~recalls.c.own),
        ~exists().where(mine, complete),
    )
    return list(tx.execute(query.order_by(alerts.c.id).limit(limit)).scalars())


def refused(tx: Connection, agency: str, limit: int) -> list[Refused]:
    """What recipients refused of the agency's alerts by a receipt, and that nobody of the agency has looked at since; newest first."""
    came = select(func.min(receipts.c.received_at)).where(receipts.c.log_id == exceptions.c.log_id, receipts.c.size > exceptions.c.idx)
    at = came.correlate(exceptions).scalar_subquery()  # said outright, for it stands two levels down as well
    query = select(alerts.c.digest, logs.c.partner, exceptions.c.code, at.label("at"))
    query = query.join(logs, and_(logs.c.id == exceptions.c.log_id, logs.c.outbound))
    query = query.join(entries, and_(entries.c.log_id == exceptions.c.log_id, entries.c.idx == exceptions.c.idx))
    query = query.join(alerts, and_(alerts.c.id == entries.c.alert_ref, alerts.c.own, alerts.c.originator == agency))
    query = query.where(~exists().where(_consulted("STATUS", agency), journal.c.subject == alerts.c.digest, journal.c.at >= at))
    query = query.order_by(exceptions.c.log_id.desc(), exceptions.c.idx.desc()).limit(limit)
    return [Refused(digest=row.digest, partner=row.partner, code=row.code, at=row.at or 0) for row in tx.execute(query)]


def unwritten(tx: Connection, agency: str) -> list[OralApproval]:
    """Oral approvals of the agency's releases that are not in writing; few."""
    query = select(approvals).join(submissions, submissions.c.id == approvals.c.submission)
    query = query.where(submissions.c.agency == agency, approvals.c.confirm_by > 0, approvals.c.confirmed_at == 0)
    return [
        OralApproval(submission=row.submission, person=row.person, at=row.at, confirm_by=row.confirm_by)
        for row in tx.execute(query.order_by(approvals.c.confirm_by))
    ]


def _given(agency: str) -> ColumnElement[bool]:
    """That an alert came for the agency."""
    return exists().where(inbox.c.agency == agency, inbox.c.alert_ref == alerts.c.id)


def _consulted(code: str, agency: str) -> ColumnElement[bool]:
    """That an officer of the agency looked: the journal names the agency, never the person."""
    return and_(journal.c.kind == Kind.JOURNAL_KIND_CONSULTATION, journal.c.code == code, journal.c.party == agency)
