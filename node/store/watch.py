"""Which alerts an agency may be screened against: those in force that it was given or that it originated, read in few statements."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, select

from node.store.logs import EntryRow
from node.store.tables import entries

# As text, since screening asks for all of them each time.
_GIVEN: Final = (
    "SELECT alerts.id FROM inbox JOIN alerts ON alerts.id = inbox.alert_ref WHERE inbox.agency = ?"
    " AND alerts.state IN ('active', 'disputed') AND (alerts.not_after = 0 OR alerts.not_after > ?) AND alerts.sealed IS NOT NULL"
)
_OWN: Final = (
    "SELECT id FROM alerts WHERE own AND originator = ?"
    " AND state IN ('active', 'disputed') AND (not_after = 0 OR not_after > ?) AND sealed IS NOT NULL"
)
_INSIDE: Final = (
    "SELECT alerts.id FROM distributions JOIN alerts ON alerts.id = distributions.alert_ref WHERE distributions.agency = ?"
    " AND distributions.ended_at = 0 AND distributions.erase_by > ?"
    " AND alerts.state IN ('active', 'disputed', 'superseded') AND (alerts.not_after = 0 OR alerts.not_after > ?)"
    " AND alerts.sealed IS NOT NULL"
)
_REPLACED_ELSEWHERE: Final = (
    "SELECT alerts.id FROM recalls JOIN alerts ON alerts.digest = recalls.referent"
    " JOIN inbox ON inbox.alert_ref = alerts.id AND inbox.agency = ?"
    " WHERE recalls.kind = 'correction' AND NOT recalls.own AND alerts.state = 'superseded'"
    " AND (alerts.not_after = 0 OR alerts.not_after > ?) AND alerts.sealed IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM supersessions JOIN alerts later ON later.digest = supersessions.later"
    " JOIN inbox given ON given.alert_ref = later.id AND given.agency = inbox.agency"
    " WHERE supersessions.earlier = alerts.digest AND supersessions.originator = alerts.originator)"
)
_SINCE: Final = "SELECT DISTINCT alert_ref FROM entries WHERE log_id = ? AND idx >= ? AND alert_ref IS NOT NULL"
_ABOUT = select(entries).where(entries.c.alert_ref.in_(bindparam("among", expanding=True))).order_by(entries.c.log_id, entries.c.idx)


def in_force(tx: Connection, agency: str, now: int) -> set[int]:
    """Row ids of the alerts that are in force at `now` (Unix milliseconds) and that `agency` was given or originated.

    Those that are disputed are among them: that something of them was wrong does not say that the person is not sought.
    """
    return {row[0] for query in (_GIVEN, _OWN) for row in tx.exec_driver_sql(query, (agency, now))}


def distributed_to(tx: Connection, agency: str, now: int) -> set[int]:
    """Row ids of alerts that a desk of this country distributed to `agency` and that it may still see; also of those that were replaced."""
    return {row[0] for row in tx.exec_driver_sql(_INSIDE, (agency, now, now))}


def replaced_elsewhere(tx: Connection, agency: str, now: int) -> set[int]:
    """Row ids of alerts that `agency` was given and that were corrected, while what took their place went to others. Few."""
    return {row[0] for row in tx.exec_driver_sql(_REPLACED_ELSEWHERE, (agency, now))}


def told_since(tx: Connection, sizes: Mapping[int, int]) -> set[int]:
    """Row ids of the alerts of which the logs (ids) tell beyond these sizes: perhaps more of an alert that was there before."""
    return {row[0] for log_id, size in sizes.items() for row in tx.exec_driver_sql(_SINCE, (log_id, size))}


def entries_about(tx: Connection, references: Collection[int]) -> dict[int, list[tuple[int, EntryRow]]]:
    """(log id, entry) of every disclosure of these alerts, by alert row."""
    found: dict[int, list[tuple[int, EntryRow]]] = {}
    for row in tx.execute(_ABOUT, {"among": list(references)}) if references else ():
        entry = EntryRow(idx=row.idx, entry=row.entry, leaf=row.leaf, alert_ref=row.alert_ref, sealed=row.sealed)
        found.setdefault(row.alert_ref, []).append((row.log_id, entry))
    return found
