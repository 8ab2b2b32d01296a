"""When the travellers of alerts land, by agency that was told so: the order of an inbox. Times are Unix milliseconds."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, delete

from node.store.alerts import COLUMNS, AlertRow, alert_of
from node.store.insert import insert_rows
from node.store.inside_tables import distributions
from node.store.plain import ask, ask_among, select_text, tell
from node.store.tables import inbox, landings

_NAMES: Final = ", ".join(f"alerts.{column.name}" for column in COLUMNS)
_OVER: Final = "('superseded', 'withdrawn', 'erased')"
"""States of alerts that nobody acts upon any more: they do not stand first, whenever he lands."""
_LANDING: Final = (
    f"SELECT {_NAMES} FROM landings CROSS JOIN alerts ON alerts.id = landings.alert_ref "  # noqa: S608 - names of our own tables
    f"WHERE landings.agency = ? AND landings.lands_at >= ? AND (landings.lands_at > ? OR alerts.id < ?) AND alerts.state NOT IN {_OVER} "
    "ORDER BY landings.lands_at, landings.alert_ref DESC LIMIT ?"
)
_REST: Final = (
    "SELECT {names} FROM {table} CROSS JOIN alerts ON alerts.id = {table}.alert_ref WHERE {table}.agency = ? AND {table}.alert_ref < ? "
    "AND (alerts.state IN {over} OR NOT EXISTS (SELECT 1 FROM landings WHERE landings.alert_ref = {table}.alert_ref "
    "AND landings.agency = {table}.agency AND landings.lands_at >= ?)) GROUP BY {table}.alert_ref ORDER BY {table}.alert_ref DESC LIMIT ?"
)
_REST_OF: Final = tuple(_REST.format(names=_NAMES, table=table.name, over=_OVER) for table in (inbox, distributions))
_INSIDE: Final = (
    "INSERT INTO landings (alert_ref, agency, lands_at) SELECT alert_ref, ?, lands_at FROM landings WHERE alert_ref = ? AND agency = ? "
    "ON CONFLICT DO NOTHING"
)
_OF: Final = select_text(landings, [landings.c.alert_ref, landings.c.agency, landings.c.lands_at], "WHERE alert_ref IN")


def note_landings(tx: Connection, found: Collection[tuple[int, str, int]]) -> None:
    """Note (alert row, agency, landing); what is noted already stays. `tx` must write."""
    rows: list[dict[str, Any]] = [
        {"alert_ref": reference, "agency": agency, "lands_at": lands_at} for reference, agency, lands_at in sorted(set(found))
    ]
    insert_rows(tx, landings, rows, present_stay=True)


def pass_landing(tx: Connection, alert_ref: int, desk: str, agency: str) -> None:
    """Note for an agency what its desk was told of a landing, if it was. `tx` must write."""
    tell(tx, _INSIDE, (agency, alert_ref, desk))


def landings_for(tx: Connection, references: Collection[int], agency: str) -> dict[int, int]:
    """When the travellers of these alerts land, by row, as far as the agency was told."""
    return {reference: lands_at for reference, told, lands_at in ask_among(tx, _OF, references) if told == agency}


def forget_landings(tx: Connection, references: Collection[int]) -> None:
    """Forget it with the content of these alerts. `tx` must write."""
    tx.execute(delete(landings).where(landings.c.alert_ref.in_(list(references))))


def page_landing(tx: Connection, agency: str, after: tuple[int, int], limit: int) -> list[AlertRow]:
    """What the agency was told and may be acted upon, of travellers who land at or after a moment, the next landing first.

    `after` is the moment and the row below which to go on among those who land just then.
    """
    return [alert_of(row) for row in ask(tx, _LANDING, (agency, after[0], *after, limit))]


def page_rest(tx: Connection, agency: str, since: int, before: int, limit: int) -> list[AlertRow]:
    """All else in the agency's inbox, from abroad or told inside the country, with row ids below `before`, newest first.

    Else than what `page_landing` has from `since` on.
    """
    found: dict[int, AlertRow] = {}
    for question in _REST_OF:  # each by its own index: an inbox may be long
        found |= {row.id: row for row in map(alert_of, ask(tx, question, (agency, before, since, limit)))}
    return [found[key] for key in sorted(found, reverse=True)[:limit]]
