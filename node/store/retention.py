"""What is due, what is held, and how far each erasure got: rows beside the alerts, narrow, for nothing here is asked on the hot path."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, select, update

from exchange.v1 import journal_pb2
from node.store.insert import insert_rows
from node.store.inside import end_distributions
from node.store.landings import forget_landings
from node.store.tables import alerts, entries, erasures, holds, journal, journal_details, key_periods

MONTH: Final = 7
"""Characters of a period that is a month; the journal's keys have longer names."""

_AMONG: BindParameter[Any] = bindparam("among", expanding=True)
# The text of the condition is that of the partial index, or SQLite does not use it.
_DUE: Final = (
    "SELECT id, due_at, erase_by, EXISTS (SELECT 1 FROM holds WHERE alert_ref = alerts.id) AS held FROM alerts "
    "WHERE due_at > 0 AND due_at <= ? AND erase_by <= ? AND (due_at, id) > (?, ?) ORDER BY due_at, id LIMIT ?"
)
_TO_ERASE: Final = (
    "SELECT id FROM alerts WHERE due_at > 0 AND due_at <= ? AND erase_by <= ? "
    "AND NOT EXISTS (SELECT 1 FROM holds WHERE alert_ref = alerts.id) "
    "AND NOT EXISTS (SELECT 1 FROM erasures WHERE alert_ref = alerts.id AND done_at IS NULL) ORDER BY due_at LIMIT ?"
)
_PAST: Final = (
    "SELECT count(*), coalesce(sum(EXISTS (SELECT 1 FROM holds WHERE alert_ref = alerts.id)), 0) FROM alerts "
    "WHERE due_at > 0 AND due_at <= ? AND erase_by <= ?"
)
_PERIODS_IN_USE: Final = (
    "SELECT DISTINCT period FROM alerts WHERE due_at > 0 UNION SELECT period FROM tips WHERE content = 'held' OR contact = 'held'"
)
_OLD_DETAILS: Final = (
    "SELECT d.generation, d.idx, j.at FROM journal_details d JOIN journal j ON j.generation = d.generation AND j.idx = d.idx "
    "WHERE d.detail_group = 'personal' ORDER BY d.generation, d.idx LIMIT ?"
)
_ABOUT: Final = (
    select(journal_details.c.generation, journal_details.c.idx)
    .join(journal, (journal.c.generation == journal_details.c.generation) & (journal.c.idx == journal_details.c.idx))
    .where(journal.c.subject.in_(_AMONG), journal_details.c.detail_group == "personal")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """An alert of which something is due: times are Unix milliseconds."""

    id: int
    due_at: int
    erase_by: int
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """A legal hold of one agency: as long as one stands, the alert is not erased."""

    alert_ref: int
    agency: str
    placed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRow:
    """How far one erasure got: of one alert (`alert_ref`), or of the key of a month (`period`). Times are None until then."""

    id: int
    alert_ref: int | None
    period: str | None
    intended_at: int
    destroyed_at: int | None
    done_at: int | None


def page_due(tx: Connection, now: int, limit: int, *, after: tuple[int, int] = (0, 0), erase_before: int = 2**62) -> list[DueRow]:
    """What is due at `now`, longest first, from behind (due_at, id) `after`; only what is to be erased by `erase_before`."""
    rows = tx.exec_driver_sql(_DUE, (now, erase_before, *after, limit))
    return [DueRow(id=row.id, due_at=row.due_at, erase_by=row.erase_by, held=bool(row.held)) for row in rows]


def to_erase(tx: Connection, now: int, limit: int) -> list[int]:
    """Rows of alerts whose limit has passed, that nobody holds and whose erasure is not under way."""
    return list(tx.exec_driver_sql(_TO_ERASE, (now, now, limit)).scalars())


def count_past(tx: Connection, now: int) -> tuple[int, int]:
    """How many alerts are past their limit and free to be erased, and how many of them a hold keeps. Reads the index of what is due."""
    past, held = tx.exec_driver_sql(_PAST, (now, now)).one()
    return past - held, held


def set_term(tx: Connection, alert_ref: int, erase_by: int, due_at: int) -> None:
    """Move the limit of an alert, and when something is due next."""
    tx.execute(update(alerts).where(alerts.c.id == alert_ref).values(erase_by=erase_by, due_at=due_at))


def put_hold(tx: Connection, hold: HoldRow) -> None:
    """Place a hold; the one that the same agency has placed already stays."""
    row = {"alert_ref": hold.alert_ref, "agency": hold.agency, "placed_at": hold.placed_at}
    insert_rows(tx, holds, [row], present_stay=True)


def remove_hold(tx: Connection, alert_ref: int, agency: str) -> bool:
    """Remove the hold of an agency; false if there is none."""
    return bool(tx.execute(delete(holds).where(holds.c.alert_ref == alert_ref, holds.c.agency == agency)).rowcount)


def holds_of(tx: Connection, references: Collection[int]) -> list[HoldRow]:
    """Every hold on these alerts."""
    query = select(holds).where(holds.c.alert_ref.in_(list(references))).order_by(holds.c.alert_ref, holds.c.agency)
    return [HoldRow(alert_ref=row.alert_ref, agency=row.agency, placed_at=row.placed_at) for row in tx.execute(query)]


def intend(tx: Connection, at: int, *, references: Sequence[int] = (), periods: Sequence[str] = ()) -> None:
    """Note that these alerts, or the keys of these months, are about to be erased."""
    rows = [{"alert_ref": reference, "period": None, "intended_at": at} for reference in references]
    insert_rows(tx, erasures, rows + [{"alert_ref": None, "period": period, "intended_at": at} for period in periods])


def unfinished(tx: Connection, limit: int) -> list[ErasureRow]:
    """Erasures that are not done, oldest first."""
    query = select(erasures).where(erasures.c.done_at.is_(None)).order_by(erasures.c.id).limit(limit)
    return [_erasure(row) for row in tx.execute(query)]


def erasures_of(tx: Connection, alert_ref: int) -> list[ErasureRow]:
    """Every erasure of one alert, oldest first: more than one if it was told again."""
    return [_erasure(row) for row in tx.execute(select(erasures).where(erasures.c.alert_ref == alert_ref).order_by(erasures.c.id))]


def destroyed(tx: Connection, ids: Collection[int], at: int) -> None:
    """Note that nothing of these is left in the tables."""
    tx.execute(update(erasures).where(erasures.c.id.in_(list(ids))).values(destroyed_at=at))


def done(tx: Connection, ids: Collection[int], at: int) -> None:
    """Note that nothing of these is left in the database's journal either."""
    tx.execute(update(erasures).where(erasures.c.id.in_(list(ids))).values(done_at=at))


def destroy_alerts(tx: Connection, references: Collection[int], now: int) -> None:
    """Destroy the data key of these alerts and all that it sealed; what was told to whom stays. `tx` must write.

    The request id, which the command line makes of the file that was sent, goes where the alert's own end makes a repetition harmless.
    """
    among = list(references)
    query = update(alerts).where(alerts.c.id.in_(among))
    tx.execute(query.values(wrapped_key=None, sealed=None, state="erased", arrives_at=0, due_at=0))
    tx.execute(query.where(alerts.c.not_after <= now, alerts.c.not_after > 0).values(request_id=None))
    tx.execute(update(entries).where(entries.c.alert_ref.in_(among)).values(sealed=None))
    tx.execute(delete(holds).where(holds.c.alert_ref.in_(among)))
    end_distributions(tx, among, now)
    forget_landings(tx, among)


def personal_details_about(tx: Connection, digests: Collection[bytes]) -> list[tuple[int, int]]:
    """(generation, index) of the journal's entries about these manifests that have a personal detail."""
    return [(row.generation, row.idx) for row in tx.execute(_ABOUT, {"among": list(digests)})]


def personal_details_before(tx: Connection, before: int, limit: int) -> list[tuple[int, int]]:
    """(generation, index) of the oldest entries of the journal that have a personal detail and were made at or before `before`."""
    return [(row.generation, row.idx) for row in tx.exec_driver_sql(_OLD_DETAILS, (limit,)) if row.at <= before]


def erasure_entries(tx: Connection, digest: bytes) -> list[tuple[int, int]]:
    """(generation, index) of what the journal says of the erasure of one manifest, oldest first."""
    query = select(journal.c.generation, journal.c.idx).where(
        journal.c.subject == digest, journal.c.kind == journal_pb2.JOURNAL_KIND_ERASURE
    )
    return [(row.generation, row.idx) for row in tx.execute(query.order_by(journal.c.generation, journal.c.idx))]


def idle_periods(tx: Connection, before: str) -> list[str]:
    """Months below `before` whose key wraps nothing that is still here. Reads the whole index of what is: not often."""
    used = set(tx.exec_driver_sql(_PERIODS_IN_USE).scalars())
    months = tx.execute(select(key_periods.c.period).where(key_periods.c.period < before).order_by(key_periods.c.period)).scalars()
    return [period for period in months if len(period) == MONTH and period not in used]


def _erasure(row: Row[Any]) -> ErasureRow:
    return ErasureRow(**{name: getattr(row, name) for name in ErasureRow.__slots__})
