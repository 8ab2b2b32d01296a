"""Many rows into one table by one prepared statement: on the hot path, SQLAlchemy's work per row would cost as much again."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, present_stay: bool = False) -> None:
    """Insert rows, all with the same columns (those of the first), in their order. With `present_stay`, what is there already stays.

    Values go to SQLite as they are: int, bool, str, bytes, None. A column left out gets its default. Raises `ValueError`
    if the rows differ in their columns or name an unknown one, and `sqlalchemy.exc.IntegrityError` as SQLite finds.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    if any(row.keys() != rows[0].keys() for row in rows):
        raise ValueError("the rows of one insert differ in their columns")
    statement = _statement(table, columns) + (" ON CONFLICT DO NOTHING" if present_stay else "")
    pick = itemgetter(*columns)
    values = [pick(row) for row in rows] if len(columns) > 1 else [(pick(row),) for row in rows]
    connection.exec_driver_sql(statement, values)


@lru_cache(maxsize=256)
def _statement(table: Table, columns: tuple[str, ...]) -> str:
    if unknown := set(columns) - set(table.c.keys()):
        raise ValueError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 — checked names
