"""Rows of alerts: our own and received, what supersedes and what answers them, and whose inbox they are in."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select, update

from exchange.errors import NotFound
from node.store.insert import insert_rows
from node.store.inside_tables import distributions
from node.store.plain import ask, ask_among, select_text
from node.store.tables import alerts, answers, conflicts, inbox, supersessions

PREFIX_AT_LEAST = 8
"""Characters of an id that a person must give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert as the store holds it; content stays sealed. Times are Unix milliseconds."""

    id: int
    alert_id: bytes
    digest: bytes
    own: bool
    alert_type: str
    originator: str
    issued_at: int
    not_after: int
    training: bool
    recorded_at: int
    arrives_at: int
    state: str
    period: str
    wrapped_key: bytes | None
    sealed: bytes | None
    erase_by: int
    due_at: int
    """0 once erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One alert of ours that answers a manifest."""

    answered: bytes
    originator: str
    alert_type: str


COLUMNS = [alerts.c[name] for name in AlertRow.__slots__]

_HIGHEST_ID = "SELECT max(id) FROM alerts"
_BY_REQUEST = select_text(alerts, [*COLUMNS, alerts.c.request_id], "WHERE request_id IN")
_BY_DIGEST = select_text(alerts, COLUMNS, "WHERE digest IN")
_BY_ID = select_text(alerts, COLUMNS, "WHERE id IN")
_SUPERSEDED = select_text(supersessions, [supersessions.c.earlier], "WHERE earlier IN")
_ANSWERS = (
    "SELECT answers.answered, alerts.originator, alerts.alert_type FROM answers JOIN alerts ON alerts.digest = answers.answer "
    "WHERE answers.outbound AND answers.answered IN"
)
_ANSWERED = _ANSWERS.replace("WHERE answers.outbound", "WHERE NOT answers.outbound")
_NEWEST_TOLD = tuple(f"SELECT max(alert_ref) FROM {table.name} WHERE agency = ?" for table in (inbox, distributions))  # noqa: S608 - our own tables
_BY_ALERT_ID = select_text(alerts, COLUMNS, "WHERE alert_id IN")


def next_id(tx: Connection) -> int:
    """The id for the next new row; safe because there is one writer at a time."""
    ((highest,),) = ask(tx, _HIGHEST_ID)
    return (highest or 0) + 1


def insert_alerts(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows with all columns of the table."""
    insert_rows(tx, alerts, rows)


def revive(tx: Connection, reference: int, values: Mapping[str, Any]) -> None:
    """Take an erased alert in once more, as it was told again: its row gets these columns anew."""
    tx.execute(update(alerts).where(alerts.c.id == reference).values(**values))


def by_requests(tx: Connection, request_ids: Collection[bytes]) -> dict[bytes, AlertRow]:
    """Which of these idempotency keys were used, and for what."""
    return {row[-1]: alert_of(row) for row in ask_among(tx, _BY_REQUEST, request_ids)}


def by_digests(tx: Connection, digests: Collection[bytes]) -> dict[bytes, AlertRow]:
    """Alerts by manifest digest."""
    return {row.digest: row for row in map(alert_of, ask_among(tx, _BY_DIGEST, digests))}


def by_ids(tx: Connection, ids: Collection[int]) -> dict[int, AlertRow]:
    """Alerts by row id."""
    return {row.id: row for row in map(alert_of, ask_among(tx, _BY_ID, ids))}


def by_alert_ids(tx: Connection, alert_ids: Collection[bytes]) -> dict[tuple[str, bytes], AlertRow]:
    """Alerts by (originator, alert id)."""
    return {(row.originator, row.alert_id): row for row in map(alert_of, ask_among(tx, _BY_ALERT_ID, alert_ids))}


def find(
    tx: Connection,
    text: str,
    *,
    inbox_of: str | None = None,
    told: str | None = None,
    originator: str | None = None,
    anywhere: bool = False,
) -> AlertRow:
    """The one alert whose id or digest begins with `text` (hex, hyphens allowed).

    With `inbox_of`, an agency, among what came from abroad for it; with `told` also among what a desk distributed to it; with `anywhere`
    among all that is here; otherwise among our own, with `originator` only among that agency's. What is outside may not even make a
    beginning ambiguous. Raises `NotFound`: ALERT_NOT_FOUND, ALERT_AMBIGUOUS, and ALERT_REFERENCE for what is no beginning of an id.
    """
    wanted = text.replace("-", "").lower()
    if len(wanted) < PREFIX_AT_LEAST or len(wanted) > 64 or not all(c in "0123456789abcdef" for c in wanted):
        raise NotFound("ALERT_REFERENCE", "give an alert id or a manifest digest in hex, or at least its first 8 characters")
    low, high = bytes.fromhex(wanted + "0" * (len(wanted) % 2)), bytes.fromhex(wanted + "f" * (len(wanted) % 2)) + b"\xff" * 32
    found: dict[int, AlertRow] = {}
    for column in (alerts.c.alert_id, alerts.c.digest):
        query = select(*COLUMNS).where(column >= low, column <= high)
        # Asked of the few that begin so: a list of all that an agency was told may be long.
        came = exists().where(inbox.c.agency == (told or inbox_of), inbox.c.alert_ref == alerts.c.id)
        if told is not None:
            query = query.where(came | exists().where(distributions.c.agency == told, distributions.c.alert_ref == alerts.c.id))
        elif inbox_of is not None:
            query = query.where(came)
        elif not anywhere:
            query = query.where(_own(originator))
        found |= {row.id: alert_of(row) for row in tx.execute(query.limit(2))}
    if not found:
        raise NotFound("ALERT_NOT_FOUND", "there is no such alert here, or it is not for you")
    if len(found) > 1:
        raise NotFound("ALERT_AMBIGUOUS", "more than one alert begins like this: give more characters")
    return next(iter(found.values()))


def page_own(tx: Connection, originator: str | None, before: int, limit: int) -> list[AlertRow]:
    """Our own alerts, or those of one agency, with row ids below `before`, newest first."""
    query = select(*COLUMNS).where(_own(originator), alerts.c.id < before).order_by(alerts.c.id.desc()).limit(limit)
    return [alert_of(row) for row in tx.execute(query)]


def page_all(tx: Connection, after: int, limit: int) -> list[AlertRow]:
    """Alerts with row ids above `after`, oldest first: for verification."""
    return [alert_of(row) for row in tx.execute(select(*COLUMNS).where(alerts.c.id > after).order_by(alerts.c.id).limit(limit))]


def every(tx: Connection) -> Iterable[AlertRow]:
    """All alerts, oldest first."""
    return (alert_of(row) for row in tx.execute(select(*COLUMNS).order_by(alerts.c.id)))


def put_in_inboxes(tx: Connection, pairs: Collection[tuple[str, int]]) -> None:
    """Put (agency, alert row) pairs into inboxes; what is there already stays."""
    rows = [{"agency": agency, "alert_ref": reference} for agency, reference in sorted(set(pairs))]
    insert_rows(tx, inbox, rows, present_stay=True)


def newest_told(tx: Connection, agency: str) -> int:
    """The highest row of what came for an agency from abroad or was distributed to it, 0 if nothing did."""
    return max(row or 0 for question in _NEWEST_TOLD for (row,) in ask(tx, question, (agency,)))


def inboxes_of(tx: Connection, alert_ref: int) -> set[str]:
    """The agencies that were given an alert from abroad."""
    return set(tx.execute(select(inbox.c.agency).where(inbox.c.alert_ref == alert_ref)).scalars())


def told_of(tx: Connection, alert_ref: int) -> set[str]:
    """The agencies that were given an alert, from abroad or by a desk of this country."""
    inside = select(distributions.c.agency).where(distributions.c.alert_ref == alert_ref)
    return inboxes_of(tx, alert_ref) | set(tx.execute(inside).scalars())


def note_answers(tx: Connection, pairs: Iterable[tuple[bytes, bytes]], *, outbound: bool) -> None:
    """Note (answered, answer) digests."""
    rows = [{"answered": answered, "answer": answer, "outbound": outbound, "mis_hit": False} for answered, answer in pairs]
    if rows:
        insert_rows(tx, answers, rows)


def note_mis_hit(tx: Connection, answer: bytes) -> None:
    """Note of a report of ours that it is about somebody else than the alert that it answers."""
    tx.execute(update(answers).where(answers.c.answer == answer).values(mis_hit=True))


def answers_to(tx: Connection, digest: bytes, *, outbound: bool) -> list[AlertRow]:
    """What answered a manifest: alerts that we sent (`outbound`), or that came in."""
    query = select(*COLUMNS).join(answers, answers.c.answer == alerts.c.digest)
    query = query.where(answers.c.answered == digest, answers.c.outbound == outbound).order_by(alerts.c.id)
    return [alert_of(row) for row in tx.execute(query)]


def answers_among(tx: Connection, digests: Collection[bytes]) -> list[Answer]:
    """What we sent in answer to any of these manifests."""
    return [Answer(answered=row[0], originator=row[1], alert_type=row[2]) for row in ask_among(tx, _ANSWERS, digests)]


def answered_among(tx: Connection, digests: Collection[bytes]) -> list[Answer]:
    """What came in in answer to any of these manifests."""
    return [Answer(answered=row[0], originator=row[1], alert_type=row[2]) for row in ask_among(tx, _ANSWERED, digests)]


def answered_by(tx: Connection, digest: bytes) -> bytes | None:
    """Digest of the manifest that an alert of ours answers."""
    return tx.execute(select(answers.c.answered).where(answers.c.answer == digest, answers.c.outbound)).scalar()


def note_supersessions(tx: Connection, pairs: Collection[tuple[bytes, bytes]], originator: str) -> None:
    """Note (earlier, later) digests, and mark the earlier alerts of the same originator as superseded."""
    insert_rows(tx, supersessions, [{"earlier": earlier, "later": later, "originator": originator} for earlier, later in pairs])
    earlier = [digest for digest, _ in pairs]
    tx.execute(
        update(alerts)
        .where(alerts.c.digest.in_(earlier), alerts.c.originator == originator, alerts.c.state.in_(("active", "disputed")))
        .values(state="superseded")
    )


def set_state(tx: Connection, alert_ref: int, state: str) -> None:
    """Say how an alert stands now."""
    tx.execute(update(alerts).where(alerts.c.id == alert_ref).values(state=state))


def successors_of(tx: Connection, digests: Collection[bytes]) -> list[tuple[bytes, bytes, str]]:
    """(earlier, later, originator) for each of these earlier manifests."""
    if not digests:
        return []
    query = select(supersessions).where(supersessions.c.earlier.in_(digests))
    return [(row.earlier, row.later, row.originator) for row in tx.execute(query)]


def superseded_among(tx: Connection, digests: Collection[bytes]) -> set[bytes]:
    """Those of these manifests that anything supersedes: asked for every batch."""
    return {earlier for (earlier,) in ask_among(tx, _SUPERSEDED, digests)}


def superseded_by(tx: Connection, digest: bytes) -> frozenset[bytes]:
    """What a manifest supersedes."""
    return frozenset(tx.execute(select(supersessions.c.earlier).where(supersessions.c.later == digest)).scalars())


def keep_conflict(tx: Connection, digest: bytes, log_id: int, index: int, statement: bytes) -> None:
    """Keep a manifest that was not taken into use, once."""
    if tx.execute(select(conflicts.c.digest).where(conflicts.c.digest == digest)).first() is None:
        tx.execute(conflicts.insert().values(digest=digest, log_id=log_id, idx=index, statement=statement))


def all_conflicts(tx: Connection) -> list[tuple[bytes, bytes]]:
    """(digest, serialized statement) of every manifest that was not taken into use. Few: each raised an alarm."""
    return [(row.digest, row.statement) for row in tx.execute(select(conflicts.c.digest, conflicts.c.statement))]


def _own(originator: str | None) -> ColumnElement[bool]:
    return alerts.c.own if originator is None else alerts.c.own & (alerts.c.originator == originator)


def alert_of(row: Sequence[Any]) -> AlertRow:
    """The alert of a row that begins with `COLUMNS`."""
    (id_, alert_id, digest, own, alert_type, originator, issued_at, not_after, training, recorded_at, arrives_at, *rest) = row
    state, period, wrapped_key, sealed, erase_by, due_at = rest[:6]  # behind the columns of an alert a row may have more
    return AlertRow(
        id=id_,
        alert_id=alert_id,
        digest=digest,
        own=bool(own),
        alert_type=alert_type,
        originator=originator,
        issued_at=issued_at,
        not_after=not_after,
        training=bool(training),
        recorded_at=recorded_at,
        arrives_at=arrives_at,
        state=state,
        period=period,
        wrapped_key=wrapped_key,
        sealed=sealed,
        erase_by=erase_by,
        due_at=due_at,
    )
