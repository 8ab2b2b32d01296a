"""What can fail in the keeping of a country's own records; a refusal of the protocol is never one of these."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError

from exchange.errors import ExchangeError


class StoreFailed(ExchangeError):
    """The node's own storage did not do its work: full, locked, newer, damaged. Nothing of the transaction was kept."""


UNOPENED: Final = "the database cannot be opened: check that this user may read and write the file and its directory"

# Primary result codes of SQLite (sqlite.org/rescode.html); the extended ones carry them in their low byte.
_NAMED: Final = {
    5: ("STORE_LOCKED", "the database is locked by another process or by a read that does not end"),
    6: ("STORE_LOCKED", "the database is locked by another process or by a read that does not end"),
    10: ("STORE_FULL", "the disk is full or fails: nothing was kept; free space or mend the disk, then try again"),
    11: ("STORE_CORRUPT", "the database file is damaged: stop the node and restore a backup"),
    13: ("STORE_FULL", "the disk is full: nothing was kept; free space, then try again"),
    14: ("STORE_UNOPENED", UNOPENED),
    26: ("STORE_CORRUPT", "the database file is not a database: stop the node and restore a backup"),
}


def store_failure(error: Exception) -> StoreFailed | None:
    """The failure of storage that an error stands for, the driver's own or SQLAlchemy's; None if it is of another kind."""
    code = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlite_errorcode", None)
    named = _NAMED.get(code & 0xFF) if isinstance(code, int) else None
    return StoreFailed(*named) if named else None


@contextmanager
def failures_named() -> Iterator[None]:
    """Raise SQLite's failures as `StoreFailed` (STORE_FULL, STORE_LOCKED, STORE_CORRUPT); let everything else pass."""
    try:
        yield
    except Exception as error:
        if failure := store_failure(error):
            raise failure from error
        raise
