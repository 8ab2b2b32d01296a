"""Many rows into one table by few prepared statements: on the hot path, SQLAlchemy's work per row would cost as much again."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table

_AT_ONCE = (64, 16, 4, 1)
"""Rows of one statement: few sizes, so that the driver keeps their statements prepared."""


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
    pick: Callable[[Mapping[str, Any]], Sequence[Any]] = itemgetter(*columns) if len(columns) > 1 else lambda row: (row[columns[0]],)
    start = 0
    while start < len(rows):
        # One statement for many rows: the driver lets go of the interpreter once for each, and may wait long to have it back.
        size = next(size for size in _AT_ONCE if size <= len(rows) - start)
        values = tuple(chain.from_iterable(map(pick, rows[start : start + size])))
        connection.exec_driver_sql(_statement(table, columns, size) + (" ON CONFLICT DO NOTHING" if present_stay else ""), values)
        start += size


@lru_cache(maxsize=256)
def _statement(table: Table, columns: tuple[str, ...], rows: int) -> str:
    if unknown := set(columns) - set(table.c.keys()):
        raise ValueError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    places = ", ".join([f"({', '.join('?' * len(columns))})"] * rows)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {places}"  # noqa: S608 — checked names
