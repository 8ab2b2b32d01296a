"""The node's database: one process, one writer at a time, many readers, each with a snapshot of its own.

Commit point: a transaction of `Store.write` is durable when its block has ended without an error. Until then nothing of
it can be seen, and after a failure nothing of it remains.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from sqlalchemy import Connection

from node.store.connections import begin, journal_mode_of, open_engine, sqlite_driver
from node.store.errors import UNOPENED, StoreFailed, failures_named
from node.store.schema import bring_up_to_date
from node.store.turn import WorkTurn


class Store:
    """An open database; made by `open_store`. Safe to use from many threads."""

    def __init__(self, path: Path, driver: ModuleType, schema_number: int, lock_descriptor: int) -> None:
        self.path = path
        self.journal_mode = journal_mode_of(driver.sqlite_version_info)
        """`wal`, or `truncate` where the SQLite at hand is too old for WAL (see `node.store.connections`)."""
        self.sqlite_version: str = driver.sqlite_version
        self.schema_number = schema_number
        self.work = WorkTurn()
        """For whoever works on many alerts at once; a transaction that is committed ends it."""
        self._lock_descriptor = lock_descriptor
        self._writer = open_engine(path, driver, writes=True)
        self._readers = open_engine(path, driver, writes=False)
        self._turn = threading.Lock()
        self._writing_thread: int | None = None
        self._closed = False

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one writing transaction: waits for its turn, commits when the block ends, rolls back when it raises.

        Raises `StoreFailed` (STORE_FULL, STORE_LOCKED, STORE_CORRUPT, STORE_CLOSED) and leaves the store usable once the
        cause is gone. Inside it, `write` and `read` of the same thread raise `RuntimeError`: use the connection at hand.
        """
        with self._one_turn(), failures_named(), self._writer.begin() as connection:
            begin(connection, writes=True)
            yield connection
            self.work.end()  # what is left is to wait for the disk

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot as of now, which cannot write. Keep it short: what it sees cannot leave the journal.

        Raises `StoreFailed` (STORE_FULL, STORE_LOCKED, STORE_CORRUPT, STORE_CLOSED).
        """
        self._refuse_nesting()
        self._refuse_closed()
        with failures_named(), self._readers.begin() as connection:
            begin(connection, writes=False)
            yield connection

    def empty_journal(self) -> None:
        """Move all that is committed into the database file and empty the write-ahead log.

        Deleted content is gone from disk only after this: until then the log may hold older copies of its pages. Raises
        `StoreFailed` (STORE_LOCKED) if a reader holds on to the log longer than the busy timeout: try again.
        """
        with self._one_turn(), failures_named():
            connection = self._writer.raw_connection()
            try:
                busy, _frames, _moved = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.close()
            if busy:
                raise StoreFailed("STORE_LOCKED", "a read that does not end keeps the journal from being emptied")

    def copies(self) -> list[str]:
        """Names of the copies that migrations left beside the database, which no erasure reaches."""
        return sorted(path.name for path in self.path.parent.glob(f"{self.path.name}.before-*"))

    def close(self) -> None:
        """Wait for the writer, close the connections and let another process open the database. Twice is harmless."""
        self._refuse_nesting()
        with self._turn:
            if self._closed:
                return
            self._closed = True
            self._readers.dispose()
            self._writer.dispose()
            os.close(self._lock_descriptor)

    @contextmanager
    def _one_turn(self) -> Iterator[None]:
        self._refuse_nesting()
        with self._turn:
            self._refuse_closed()
            self._writing_thread = threading.get_ident()
            try:
                yield
            finally:
                self._writing_thread = None

    def _refuse_nesting(self) -> None:
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("a transaction inside a writing transaction of the same thread")

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreFailed("STORE_CLOSED", "the store is closed: the node is stopping")


def open_store(path: Path, *, create: bool = True) -> Store:
    """Open the database at `path` for this process alone, and bring its schema up to date.

    Its directory must exist; a new file is readable by its owner only. Beside it stand `<path>.lock` and, after a
    migration, `<path>.before-<n>`: the database as it was at schema number n.

    Raises `StoreFailed`: STORE_LOCKED (another process has it), STORE_ABSENT (no such file and not `create`, or no such
    directory), STORE_FOREIGN (a database of another program), STORE_NEWER (written by a newer version of this one),
    STORE_NOT_COPIED (no room for the copy that a migration needs),
    STORE_UNOPENED (permissions), STORE_FULL, STORE_CORRUPT, STORE_UNSAFE (SQLite does not take a setting).
    """
    if not (path.exists() or (create and path.parent.is_dir())):
        raise StoreFailed("STORE_ABSENT", "there is no database where the configuration says: run `exchange node init`")
    lock_descriptor = _lock(path)
    try:
        driver = sqlite_driver()
        os.close(_open_private(path))
        return Store(path, driver, bring_up_to_date(path, driver), lock_descriptor)
    except BaseException:
        os.close(lock_descriptor)
        raise


def _lock(path: Path) -> int:
    # The kernel lets go of the lock when the process ends, however it ends; so the file may stay behind.
    descriptor = _open_private(path.with_name(f"{path.name}.lock"))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreFailed("STORE_LOCKED", "another process has this database open: stop it first") from None
    return descriptor


def _open_private(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreFailed("STORE_UNOPENED", UNOPENED) from error
