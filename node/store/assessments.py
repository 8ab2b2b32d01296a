"""Transfer assessments: what the gate asks of them in clear, what was weighed sealed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select, update

from node.policy.gate import Assessment
from node.store.insert import insert_rows
from node.store.tables import assessments


def add_assessment(tx: Connection, assessment: Assessment, sealed: bytes) -> None:
    """Keep one; `sealed` is its salt and record, encrypted."""
    row: Mapping[str, Any] = {
        "digest": assessment.digest,
        "destination": assessment.destination,
        "recipients": "\n".join(sorted(assessment.recipients)),
        "states": " ".join(sorted(assessment.states)),
        "policy": assessment.policy,
        "assessed_at": assessment.assessed_at,
        "review_by": assessment.review_by,
        "withdrawn": False,
        "sealed": sealed,
    }
    insert_rows(tx, assessments, [row])


def assessments_in_force(tx: Connection) -> tuple[Assessment, ...]:
    """Those that were not withdrawn, oldest first, whether or not their review is due."""
    query = select(assessments).where(~assessments.c.withdrawn).order_by(assessments.c.assessed_at)
    return tuple(_assessment(row) for row in tx.execute(query))


def all_assessments(tx: Connection) -> list[tuple[Assessment, bool, bytes]]:
    """Every assessment, newest first: with whether it was withdrawn, and its sealed record."""
    query = select(assessments).order_by(assessments.c.assessed_at.desc())
    return [(_assessment(row), row.withdrawn, row.sealed) for row in tx.execute(query)]


def withdraw_assessment(tx: Connection, digest: bytes) -> None:
    """Nothing rests on it from now on."""
    tx.execute(update(assessments).where(assessments.c.digest == digest).values(withdrawn=True))


def _assessment(row: Row[Any]) -> Assessment:
    return Assessment(
        digest=row.digest,
        destination=row.destination,
        recipients=frozenset(row.recipients.split("\n")) - {""},
        states=frozenset(row.states.split()),
        policy=row.policy,
        assessed_at=row.assessed_at,
        review_by=row.review_by,
    )
