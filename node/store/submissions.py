"""Drafts that wait for a second officer, and who approved them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from node.store.insert import insert_rows
from node.store.looks import forget_looks
from node.store.tables import approvals, submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRow:
    """One approval. Times are Unix milliseconds; of an oral one `confirm_by` is above 0."""

    person: str
    at: int
    confirm_by: int
    confirmed_at: int
    confirmation: bytes | None = None
    """What the person signed, sealed; gone with the draft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionRow:
    """One draft that was submitted; `sealed` holds it with its reason while it waits."""

    id: bytes
    lineage: bytes
    """Id of the first of those that stand in one another's place."""
    state: str
    """waiting, released, void, taken back, lapsed"""
    author: str
    agency: str
    submitted_at: int
    alert_type: str
    needed: int
    preview: bytes
    sealed: bytes | None


_COLUMNS = [submissions.c[name] for name in SubmissionRow.__slots__]


def add_submission(tx: Connection, row: SubmissionRow) -> None:
    """Keep a draft. Raises `sqlalchemy.exc.IntegrityError` if its id was used."""
    insert_rows(tx, submissions, [{name: getattr(row, name) for name in SubmissionRow.__slots__}])


def find_submission(tx: Connection, identifier: bytes) -> SubmissionRow | None:
    """The one of that id."""
    row = tx.execute(select(*_COLUMNS).where(submissions.c.id == identifier)).first()
    return _submission(row) if row else None


def submissions_of(tx: Connection, agency: str) -> list[SubmissionRow]:
    """Those of one agency, newest first."""
    query = select(*_COLUMNS).where(submissions.c.agency == agency).order_by(submissions.c.submitted_at.desc(), submissions.c.id)
    return [_submission(row) for row in tx.execute(query)]


def submissions_before(tx: Connection, submitted: int, limit: int) -> list[SubmissionRow]:
    """Those that wait since before that time."""
    query = select(*_COLUMNS).where(*_waiting_before(submitted)).order_by(submissions.c.submitted_at, submissions.c.id).limit(limit)
    return [_submission(row) for row in tx.execute(query)]


def count_before(tx: Connection, submitted: int) -> int:
    """How many there are of these."""
    return tx.execute(select(func.count()).where(*_waiting_before(submitted))).scalar() or 0


def close_submission(tx: Connection, identifier: bytes, state: str) -> None:
    """End a submission: its draft is erased here, and what was looked at unless another follows: what was released stands elsewhere."""
    tx.execute(update(submissions).where(submissions.c.id == identifier).values(state=state, sealed=None))
    tx.execute(update(approvals).where(approvals.c.submission == identifier).values(confirmation=None))
    for lineage in tx.execute(select(submissions.c.lineage).where(submissions.c.id == identifier)).scalars():
        forget_looks(tx, lineage)


def add_approval(tx: Connection, submission: bytes, approval: ApprovalRow) -> None:
    """Note that a person approved. Raises `sqlalchemy.exc.IntegrityError` if that person had."""
    row: Mapping[str, Any] = {"submission": submission, **{name: getattr(approval, name) for name in ApprovalRow.__slots__}}
    insert_rows(tx, approvals, [row])


def approvals_of(tx: Connection, submission: bytes) -> list[ApprovalRow]:
    """Who approved, in order."""
    query = select(approvals).where(approvals.c.submission == submission).order_by(approvals.c.at, approvals.c.person)
    return [_approval(row) for row in tx.execute(query)]


def confirm_approval(tx: Connection, submission: bytes, person: str, at: int) -> None:
    """Note that an oral approval is in writing now; what its person signed stands in the journal."""
    same = (approvals.c.submission == submission, approvals.c.person == person)
    tx.execute(update(approvals).where(*same).values(confirmed_at=at))


def unconfirmed(tx: Connection, before: int) -> list[bytes]:
    """Submissions with an oral approval that should have been in writing before that time."""
    late = (approvals.c.confirm_by > 0, approvals.c.confirm_by <= before, approvals.c.confirmed_at == 0)
    return list(tx.execute(select(approvals.c.submission).where(*late)).scalars())


def _waiting_before(submitted: int) -> tuple[ColumnElement[bool], ...]:
    return (submissions.c.sealed.is_not(None), submissions.c.submitted_at <= submitted)


def _submission(row: Row[Any]) -> SubmissionRow:
    return SubmissionRow(**{name: getattr(row, name) for name in SubmissionRow.__slots__})


def _approval(row: Row[Any]) -> ApprovalRow:
    return ApprovalRow(**{name: getattr(row, name) for name in ApprovalRow.__slots__})
