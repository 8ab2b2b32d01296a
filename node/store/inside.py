"""Rows of what was passed on inside the country."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from node.store.insert import insert_rows
from node.store.inside_tables import distributions, inside_purges, inside_reports
from node.store.plain import ask_among, select_text

_TOLD = select_text(distributions, [distributions.c.alert_ref, distributions.c.agency], "WHERE alert_ref IN")


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionRow:
    """One desk told one agency of its country some fields of one alert. Times are Unix milliseconds."""

    id: int
    request_id: bytes | None
    alert_ref: int
    desk: str
    agency: str
    fields: bytes
    """One byte for the number of each field, ascending."""
    desk_fields: bytes
    """All that the desk had been told then, likewise."""
    clause: str
    rules: bytes
    purpose: int
    ground: int
    handling: bytes
    at: int
    erase_by: int
    ended_at: int
    follows: bytes

    def live(self, now: int) -> bool:
        """Whether the agency may still see it."""
        return not self.ended_at and now < self.erase_by


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeRow:
    """One agency has confirmed its purge of one alert."""

    alert_ref: int
    agency: str
    at: int
    copies_removed: int
    lists_updated: bool
    exceptions: str
    """Short names, joined by commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One report of an agency that its desk is to pass on."""

    id: int
    request_id: bytes
    alert_ref: int
    agency: str
    desk: str
    at: int
    sealed: bytes | None
    """None once it went with its alert."""
    forwarded: bytes

    @property
    def waits(self) -> bool:
        """Whether its desk is still to pass it on, and can."""
        return not self.forwarded and self.sealed is not None


def distribute(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert distributions with all columns but the id. `tx` must write."""
    insert_rows(tx, distributions, rows)


def of_alert(tx: Connection, alert_ref: int) -> list[DistributionRow]:
    """Every distribution of one alert, oldest first."""
    return of_alerts(tx, [alert_ref])


def of_alerts(tx: Connection, references: Collection[int]) -> list[DistributionRow]:
    """Every distribution of these alerts, oldest first."""
    query = select(distributions).where(distributions.c.alert_ref.in_(list(references))).order_by(distributions.c.id)
    return [_distribution(row) for row in tx.execute(query)]


def of_agency(tx: Connection, alert_ref: int, agency: str) -> list[DistributionRow]:
    """What one agency was told of one alert inside the country, oldest first."""
    query = select(distributions).where(distributions.c.alert_ref == alert_ref, distributions.c.agency == agency)
    return [_distribution(row) for row in tx.execute(query.order_by(distributions.c.id))]


def told_among(tx: Connection, references: Collection[int], agency: str) -> set[int]:
    """Those of these alerts of which a desk told an agency, by row."""
    return {reference for reference, told in ask_among(tx, _TOLD, references) if told == agency}


def by_request(tx: Connection, request_id: bytes) -> list[DistributionRow]:
    """What one request distributed."""
    query = select(distributions).where(distributions.c.request_id == request_id).order_by(distributions.c.agency)
    return [_distribution(row) for row in tx.execute(query)]


def page_of_desk(tx: Connection, desk: str, before: int, limit: int) -> list[DistributionRow]:
    """What one desk distributed, with ids below `before`, newest first."""
    query = select(distributions).where(distributions.c.desk == desk, distributions.c.id < before)
    return [_distribution(row) for row in tx.execute(query.order_by(distributions.c.id.desc()).limit(limit))]


def told_inside(tx: Connection, alert_ref: int) -> set[str]:
    """The agencies that a desk of this country told of an alert."""
    return set(tx.execute(select(distributions.c.agency).where(distributions.c.alert_ref == alert_ref)).scalars())


def counts_for(tx: Connection, agency: str, now: int) -> dict[int, int]:
    """How many distributions to an agency hold at `now` (Unix milliseconds), by alert row."""
    live = (distributions.c.agency == agency, distributions.c.ended_at == 0, distributions.c.erase_by > now)
    query = select(distributions.c.alert_ref, func.count()).where(*live).group_by(distributions.c.alert_ref)
    return {row[0]: row[1] for row in tx.execute(query)}


def newest_distribution(tx: Connection) -> int:
    """The highest id, 0 if there is none."""
    return tx.execute(select(func.max(distributions.c.id))).scalar() or 0


def page_all(tx: Connection, after: int, limit: int) -> list[DistributionRow]:
    """Distributions with ids above `after`, oldest first: for verification."""
    query = select(distributions).where(distributions.c.id > after).order_by(distributions.c.id).limit(limit)
    return [_distribution(row) for row in tx.execute(query)]


def end_distributions(tx: Connection, references: Collection[int], now: int) -> None:
    """Note that the content of these alerts is erased: what was distributed of them is shown no more, and reports on them are gone."""
    among = list(references)
    tx.execute(update(distributions).where(distributions.c.alert_ref.in_(among), distributions.c.ended_at == 0).values(ended_at=now))
    tx.execute(update(inside_reports).where(inside_reports.c.alert_ref.in_(among)).values(sealed=None))


def confirm(tx: Connection, row: PurgeRow) -> None:
    """Keep an agency's confirmation; a later one takes the place of an earlier one."""
    tx.execute(inside_purges.delete().where(inside_purges.c.alert_ref == row.alert_ref, inside_purges.c.agency == row.agency))
    insert_rows(tx, inside_purges, [asdict(row)])


def purges_of(tx: Connection, references: Collection[int]) -> dict[tuple[int, str], PurgeRow]:
    """Confirmations by (alert row, agency)."""
    query = select(inside_purges).where(inside_purges.c.alert_ref.in_(list(references)))
    rows = [PurgeRow(**{name: getattr(row, name) for name in PurgeRow.__slots__}) for row in tx.execute(query)]
    return {(row.alert_ref, row.agency): row for row in rows}


def keep_report(tx: Connection, row: Mapping[str, Any]) -> None:
    """Keep a report for its desk: all columns but the id."""
    insert_rows(tx, inside_reports, [row])


def reports_of(tx: Connection, references: Collection[int]) -> list[ReportRow]:
    """Reports on these alerts, oldest first."""
    query = select(inside_reports).where(inside_reports.c.alert_ref.in_(list(references))).order_by(inside_reports.c.id)
    return [_report(row) for row in tx.execute(query)]


def report_by(tx: Connection, *, request_id: bytes = b"", number: int = 0) -> ReportRow | None:
    """The report of that request, or of that id."""
    found = inside_reports.c.request_id == request_id if request_id else inside_reports.c.id == number
    row = tx.execute(select(inside_reports).where(found)).first()
    return _report(row) if row else None


def waiting_reports(tx: Connection, desk: str) -> list[ReportRow]:
    """Reports that a desk has not passed on and that are still here, oldest first."""
    waiting = (inside_reports.c.desk == desk, inside_reports.c.forwarded == b"", inside_reports.c.sealed.is_not(None))
    return [_report(row) for row in tx.execute(select(inside_reports).where(*waiting).order_by(inside_reports.c.id))]


def forward(tx: Connection, number: int, digest: bytes) -> None:
    """Note by which manifest a report went on."""
    tx.execute(update(inside_reports).where(inside_reports.c.id == number).values(forwarded=digest))


def _distribution(row: Row[Any]) -> DistributionRow:
    return DistributionRow(**{name: getattr(row, name) for name in DistributionRow.__slots__})


def _report(row: Row[Any]) -> ReportRow:
    return ReportRow(**{name: getattr(row, name) for name in ReportRow.__slots__})
