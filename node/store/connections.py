"""Connections to one SQLite file, each with the settings that make a commit durable and a deletion real, asserted.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode that several connections write or checkpoint, so an older
library gets a rollback journal instead: slower, since a commit then waits for readers, and safe.
"""

import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import QueuePool

from node.store.errors import StoreFailed

FIRST_SAFE_WAL: Final = (3, 51, 3)
BUSY_TIMEOUT_MS: Final = 5000

SETTINGS: Final = {
    "foreign_keys": 1,
    "synchronous": 2,  # FULL: a commit returns after its fsync
    "secure_delete": 1,  # deleted content is overwritten with zeros
    "busy_timeout": BUSY_TIMEOUT_MS,
    "cell_size_check": 1,  # damage is noticed where it is read
    "trusted_schema": 0,  # a doctored schema runs no function of ours
}


def sqlite_driver() -> ModuleType:
    """The newest SQLite at hand: `pysqlite3`, which brings its own, or else the one that Python links."""
    try:
        import pysqlite3.dbapi2 as driver
    except ImportError:
        return sqlite3
    return driver  # type: ignore[no-any-return]


def journal_mode_of(version: tuple[int, ...]) -> str:
    """`wal` where this version of SQLite keeps it safe, `truncate` (a rollback journal) where it does not."""
    return "wal" if version >= FIRST_SAFE_WAL else "truncate"


def open_engine(path: Path, driver: ModuleType, *, writes: bool) -> Engine:
    """Connections to an existing file, each used by one thread at a time: one that writes, or many that only read.

    A transaction of the writer begins IMMEDIATE, so that it never fails half way because somebody else wrote. Errors
    never show bound values. Connecting raises `StoreFailed` (STORE_UNSAFE if SQLite does not take a setting).
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    mode = journal_mode_of(driver.sqlite_version_info)

    def connect() -> Any:
        connection = driver.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            _set_and_assert(connection, {"journal_mode": mode, **SETTINGS, "query_only": int(not writes)})
        except BaseException:
            connection.close()
            raise
        return connection

    return create_engine(
        "sqlite+pysqlite://",
        module=driver,
        creator=connect,
        poolclass=QueuePool,
        pool_size=1 if writes else 16,
        max_overflow=0 if writes else -1,
        hide_parameters=True,
    )


def begin(connection: Connection, *, writes: bool) -> None:
    """Begin the transaction of a fresh connection, for the driver begins nothing by itself (isolation_level=None).

    By the driver's own execute, and not by a listener of the engine: one listener makes every statement look for listeners.
    Raises the driver's errors.
    """
    driver_connection: Any = connection.connection.driver_connection
    if writes:
        driver_connection.execute("BEGIN IMMEDIATE")
    else:
        driver_connection.execute("BEGIN")
        # BEGIN alone waits with the snapshot until the first read; this is that read.
        driver_connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()


def _set_and_assert(connection: Any, settings: dict[str, int | str]) -> None:
    for name, value in settings.items():
        connection.execute(f"PRAGMA {name}={value}").fetchall()
        if connection.execute(f"PRAGMA {name}").fetchone() != (value,):
            raise StoreFailed("STORE_UNSAFE", f"SQLite did not take the setting {name}, so nothing is stored with it")
