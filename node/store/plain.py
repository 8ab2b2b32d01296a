"""Questions that every batch asks, put to the driver as text: by an expression of SQLAlchemy each would cost four times as much.

Text and tables cannot part: the names of columns come from the tables. Values are bound, never written into the text.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table

_SIZES = (1, 4, 16, 64, 256)
"""Lengths of a list of values: few, so that the driver keeps their statements prepared. The sequencer takes some 256 at once."""


def select_text(table: Table, columns: Sequence[Column[Any]], rest: str) -> str:
    """`SELECT` these columns of one table, as text that ends in `rest`, such as `WHERE origin = ?`."""
    return f"SELECT {', '.join(column.name for column in columns)} FROM {table.name} {rest}"  # noqa: S608 - names of our own tables


def ask(connection: Connection, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows that answer a question, as SQLite has them: a Boolean comes as 0 or 1. Raises the driver's errors."""
    driver_connection: Any = connection.connection.driver_connection
    rows: list[tuple[Any, ...]] = driver_connection.execute(text, values).fetchall()
    return rows


def ask_one(connection: Connection, text: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
    """The first of these rows, or None."""
    driver_connection: Any = connection.connection.driver_connection
    row: tuple[Any, ...] | None = driver_connection.execute(text, values).fetchone()
    return row


def ask_among(connection: Connection, text: str, values: Collection[Any], before: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a question that ends in `IN`, for any number of values; none for none. `before` are the values of what stands before."""
    rows: list[tuple[Any, ...]] = []
    wanted = list(values)
    for start in range(0, len(wanted), _SIZES[-1]):
        part = wanted[start : start + _SIZES[-1]]
        size = next(size for size in _SIZES if size >= len(part))
        # Filled up with the last value: to ask for it twice changes nothing.
        rows += ask(connection, f"{text} ({', '.join('?' * size)})", [*before, *part, *part[-1:] * (size - len(part))])
    return rows


def tell(connection: Connection, text: str, values: Sequence[Any]) -> None:
    """Change what is stored. Raises the driver's errors."""
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.execute(text, values)
