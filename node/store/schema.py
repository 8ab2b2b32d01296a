"""The schema number of a database file: who may open it, and how an older one is brought up to date.

SQLite keeps two numbers in the file's header. `application_id` says whose file it is; `user_version` holds our schema
number. Both change in the transaction of the migration itself, so a crash leaves the file as it was before.
"""

import os
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Final

from sqlalchemy import Engine

from node.store.connections import begin, open_engine
from node.store.durable import sync_directory
from node.store.errors import StoreFailed, failures_named
from node.store.tables import SCHEMA_NUMBER

APPLICATION_ID: Final = 0x416C4578
"""`AlEx` in ASCII."""

MIGRATIONS: Final = "node.store:migrations"


def schema_number_of(path: Path, driver: ModuleType) -> int:
    """The schema number of an existing file, 0 if it is empty; changes nothing in it.

    Raises `StoreFailed`: STORE_FOREIGN, STORE_NEWER, STORE_CORRUPT (not a database, or damaged).
    """
    questions = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    with failures_named(), closing(driver.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
        owner, number, things = (int(connection.execute(question).fetchone()[0]) for question in questions)
    if (owner, number, things) == (0, 0, 0):
        return 0
    if owner != APPLICATION_ID:
        raise StoreFailed("STORE_FOREIGN", "the file is a database of another program and is left alone")
    if number > SCHEMA_NUMBER:
        raise StoreFailed(
            "STORE_NEWER",
            "the database was written by a newer version of this program: install that version or a later one, "
            "or restore the file that ends in `.before-` and the older number",
        )
    return number


def bring_up_to_date(path: Path, driver: ModuleType) -> int:
    """The schema number of an existing file, which is ours, or becomes ours by one transaction of migrations.

    Before it migrates it copies the database, as it is at schema n, to `<path>.before-<n>`. Nobody erases anything from
    that copy, so it is to be deleted once the new version is trusted. Raises like `schema_number_of`, and `StoreFailed`
    (STORE_FULL, STORE_LOCKED, STORE_NOT_COPIED); the file is then as it was.
    """
    number = schema_number_of(path, driver)
    if number == SCHEMA_NUMBER:
        return number
    # Slow to import, and needed only here.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    engine = open_engine(path, driver, writes=True)
    try:
        with failures_named():
            if number:
                _copy_aside(path, engine, number)
            with engine.begin() as connection:
                begin(connection, writes=True)
                config.attributes["connection"] = connection
                command.upgrade(config, f"{SCHEMA_NUMBER:04d}")
                connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
                connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_NUMBER}")
    finally:
        engine.dispose()
    return SCHEMA_NUMBER


def _copy_aside(path: Path, engine: Engine, number: int) -> None:
    # Written under another name first, so that a file called `.before-n` is always whole.
    unfinished = path.with_name(f"{path.name}.before-{number}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with closing(engine.raw_connection()) as connection:
                connection.cursor().execute("VACUUM INTO ?", (str(unfinished),))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        unfinished.replace(path.with_name(f"{path.name}.before-{number}"))
        sync_directory(path.parent)
    except OSError as error:
        raise StoreFailed(
            "STORE_NOT_COPIED", "the database is not migrated, since no copy can be made beside it: free space or mend access"
        ) from error
