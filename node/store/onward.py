"""Rows of passing on: requests, decisions, permits and notices, ours and received. No content, no personal data."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from exchange.v1 import statement_pb2
from node.store.insert import insert_rows
from node.store.onward_tables import onward_decisions, onward_notices, onward_requests, permits
from node.store.tables import alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One OnwardRequest. Times are Unix milliseconds."""

    request: bytes
    manifest: bytes
    own: bool
    asker: str
    third_party: str
    fields: bytes
    """One byte for the number of each field."""
    purpose: int
    until: int
    judicial: bool
    recorded_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """One OnwardDecision."""

    decision: bytes
    request: bytes
    own: bool
    decider: str
    granted: bool
    permit: bytes
    until: int
    recorded_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """One OnwardNotice."""

    notice: bytes
    permit: bytes
    manifest: bytes
    holder: str
    third_party: str
    fields: bytes
    passed_on_at: int
    own: bool


def add_request(tx: Connection, row: RequestRow) -> None:
    """Keep a request; the same again changes nothing."""
    insert_rows(tx, onward_requests, [asdict(row)], present_stay=True)


def add_decision(tx: Connection, row: DecisionRow) -> None:
    """Keep a decision; the same again changes nothing."""
    insert_rows(tx, onward_decisions, [asdict(row)], present_stay=True)


def add_notice(tx: Connection, row: NoticeRow) -> None:
    """Keep a notice; the same again changes nothing."""
    insert_rows(tx, onward_notices, [asdict(row)], present_stay=True)


def add_permit(tx: Connection, digest: bytes, manifest: bytes, statement: statement_pb2.Statement) -> None:
    """Keep a permit that was verified, by the digest of its statement."""
    row = {"permit": digest, "manifest": manifest, "statement": statement.SerializeToString()}
    insert_rows(tx, permits, [row], present_stay=True)


def find_permit(tx: Connection, digest: bytes) -> statement_pb2.Statement | None:
    """The permit statement of that digest."""
    found = tx.execute(select(permits.c.statement).where(permits.c.permit == digest)).scalar()
    return statement_pb2.Statement.FromString(found) if found is not None else None


def requests_of(tx: Connection, agency: str, limit: int, *, prefix: str = "") -> list[RequestRow]:
    """Requests that an agency of ours made, or about alerts that it originated, newest first.

    `prefix` is a beginning of the request's digest in hex.
    """
    low = bytes.fromhex(prefix + "0" * (len(prefix) % 2))
    high = bytes.fromhex(prefix + "f" * (len(prefix) % 2)) + b"\xff" * 32
    originated = select(alerts.c.id).where(alerts.c.digest == onward_requests.c.manifest, alerts.c.own, alerts.c.originator == agency)
    made = onward_requests.c.own & (onward_requests.c.asker == agency)
    query = select(onward_requests).where(made | (~onward_requests.c.own & originated.exists()))
    query = query.where(onward_requests.c.request >= low, onward_requests.c.request <= high)
    query = query.order_by(onward_requests.c.recorded_at.desc(), onward_requests.c.request).limit(limit)
    return [RequestRow(**_values(onward_requests, row)) for row in tx.execute(query)]


def requests_about(tx: Connection, manifest: bytes) -> list[RequestRow]:
    """Requests about one manifest, oldest first."""
    query = select(onward_requests).where(onward_requests.c.manifest == manifest)
    query = query.order_by(onward_requests.c.recorded_at, onward_requests.c.request)
    return [RequestRow(**_values(onward_requests, row)) for row in tx.execute(query)]


def permits_about(tx: Connection, manifest: bytes) -> list[statement_pb2.Statement]:
    """Every permit about one manifest."""
    query = select(permits.c.statement).where(permits.c.manifest == manifest).order_by(permits.c.permit)
    return [statement_pb2.Statement.FromString(found) for found in tx.execute(query).scalars()]


def find_request(tx: Connection, digest: bytes) -> RequestRow | None:
    """The request of that digest."""
    row = tx.execute(select(onward_requests).where(onward_requests.c.request == digest)).first()
    return RequestRow(**_values(onward_requests, row)) if row else None


def decision_on(tx: Connection, request: bytes, decider: str) -> DecisionRow | None:
    """The decision that holds for a request: the first that `decider`, the agency that originated the alert, made."""
    query = select(onward_decisions).where(onward_decisions.c.request == request, onward_decisions.c.decider == decider)
    row = tx.execute(query.order_by(onward_decisions.c.id).limit(1)).first()
    return DecisionRow(**{name: getattr(row, name) for name in DecisionRow.__slots__}) if row else None


def notices_about(tx: Connection, manifests: Collection[bytes], *, own: bool) -> list[NoticeRow]:
    """Notices about these manifests that we gave (`own`) or got, oldest first."""
    query = select(onward_notices).where(onward_notices.c.manifest.in_(list(manifests)), onward_notices.c.own == own)
    rows = tx.execute(query.order_by(onward_notices.c.passed_on_at, onward_notices.c.notice))
    return [NoticeRow(**_values(onward_notices, row)) for row in rows]


def said_of(tx: Connection, digest: bytes) -> RequestRow | DecisionRow | NoticeRow | None:
    """What is kept of the alert of that digest, if it is a request, a decision or a notice: for verification."""
    row = tx.execute(select(onward_decisions).where(onward_decisions.c.decision == digest)).first()
    if row is not None:
        return DecisionRow(**{name: getattr(row, name) for name in DecisionRow.__slots__})
    row = tx.execute(select(onward_notices).where(onward_notices.c.notice == digest)).first()
    return NoticeRow(**_values(onward_notices, row)) if row else find_request(tx, digest)


def _values(table: Table, row: Row[Any]) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in table.columns}
