"""What may befall a database: a full disk, a kill, a second process, damage, an SQLite that is too old or does not listen."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from node.store import connections, engine
from node.store.connections import SETTINGS, journal_mode_of, sqlite_driver
from node.store.engine import Store, open_store
from node.store.errors import StoreFailed
from node.store.insert import insert_rows
from node.store.tables import key_periods, metadata

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node 1%.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = open_store(path)
    yield opened
    opened.close()


@pytest.fixture(params=["bundled", "of Python"])
def each_store(request: pytest.FixtureRequest, path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store on either SQLite; the one of Python 3.11 is usually too old for WAL."""
    if request.param == "of Python":
        monkeypatch.setattr(engine, "sqlite_driver", lambda: sqlite3)
    opened = open_store(path)
    yield opened
    opened.close()


def add(store: Store, period: str, wrapped: bytes = b"w") -> None:
    with store.write() as connection:
        insert_rows(connection, key_periods, [{"period": period, "wrapped_key": wrapped}])


def periods(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(key_periods.c.period).order_by(key_periods.c.period)).scalars())


def code_of(failure: pytest.ExceptionInfo[StoreFailed]) -> str:
    return failure.value.code


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_full_disk_keeps_nothing_and_is_survived(each_store: Store) -> None:
    add(each_store, "2027-01")
    with each_store.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 3}")
    for _ in range(3):
        with pytest.raises(StoreFailed) as failure:
            add(each_store, "2027-02", bytes(100_000))
        assert code_of(failure) == "STORE_FULL"
    add(each_store, "2027-03")
    with each_store.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    add(each_store, "2027-04", bytes(100_000))
    assert periods(each_store) == ["2027-01", "2027-03", "2027-04"]


LIMITED = """
import resource, sys
from pathlib import Path
from node.store import engine
from node.store.errors import StoreFailed
from node.store.insert import insert_rows
from node.store.tables import key_periods

def add(period, size):
    with store.write() as connection:
        insert_rows(connection, key_periods, [{"period": period, "wrapped_key": bytes(size)}])

if sys.argv[2] == "of Python":
    import sqlite3
    engine.sqlite_driver = lambda: sqlite3
store = engine.open_store(Path(sys.argv[1]))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
for period in ("2027-01", "2027-02"):
    try:
        add(period, 3_000_000)
    except StoreFailed as failure:
        print(failure.code)
add("2027-03", 10)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
add("2027-04", 3_000_000)
with store.read() as connection:
    print(*connection.exec_driver_sql("SELECT period FROM key_periods ORDER BY 1").scalars())
    print(connection.exec_driver_sql("PRAGMA integrity_check").scalar_one())
"""


@pytest.mark.parametrize("driver", ["bundled", "of Python"])
def test_a_disk_that_refuses_to_write_keeps_nothing_and_is_survived(path: Path, driver: str) -> None:
    output, errors = start(LIMITED, path, driver).communicate(timeout=60)
    assert output.split("\n") == ["STORE_FULL", "STORE_FULL", "2027-03 2027-04", "ok", ""], errors


HOLDS = """
import sys
from pathlib import Path
from node.store.engine import open_store
from node.store.errors import StoreFailed
try:
    store = open_store(Path(sys.argv[1]))
except StoreFailed as failure:
    sys.exit(failure.code)
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_at_once_and_admitted_after_the_first(store: Store, path: Path) -> None:
    _, errors = start(HOLDS, path).communicate(timeout=60)
    assert errors == "STORE_LOCKED\n"
    add(store, "2027-01")
    store.close()
    with start(HOLDS, path) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreFailed) as failure:
            open_store(path)
        assert code_of(failure) == "STORE_LOCKED"
        other.kill()
    open_store(path).close()


def test_a_second_opening_in_the_same_process_is_refused(store: Store, path: Path) -> None:
    with pytest.raises(StoreFailed) as failure:
        open_store(path)
    assert code_of(failure) == "STORE_LOCKED"


def test_a_writing_transaction_keeps_others_out_from_its_start(store: Store, path: Path) -> None:
    with closing(sqlite_driver().connect(path, isolation_level=None, timeout=0)) as other:
        with store.write(), pytest.raises(sqlite_driver().OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


def test_somebody_who_minds_no_lock_file_is_noticed(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "busy_timeout", 10)
    other = sqlite_driver().connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailed) as failure:
        add(store, "2027-01")
    assert code_of(failure) == "STORE_LOCKED"
    other.execute("ROLLBACK")
    other.close()
    add(store, "2027-02")
    assert periods(store) == ["2027-02"]


INTERRUPTED = """
import sys
from pathlib import Path
from node.store import engine
from node.store.insert import insert_rows
from node.store.tables import key_periods
if sys.argv[2] == "of Python":
    import sqlite3
    engine.sqlite_driver = lambda: sqlite3
store = engine.open_store(Path(sys.argv[1]))
with store.write() as connection:
    insert_rows(connection, key_periods, [{"period": "2027-01", "wrapped_key": b"whole"}])
with store.write() as connection:
    # A small cache spills what is not committed into the files.
    connection.exec_driver_sql("PRAGMA cache_size=5")
    insert_rows(connection, key_periods, [{"period": f"{n:07}", "wrapped_key": bytes(5000)} for n in range(300)])
    print("half way", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("driver", ["bundled", "of Python"])
def test_a_process_killed_in_mid_transaction_leaves_nothing_half_written(path: Path, driver: str) -> None:
    with start(INTERRUPTED, path, driver) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "half way\n"
        written = sum(file.stat().st_size for file in path.parent.iterdir())
        killed.kill()
    assert written > 300 * 5000
    again = open_store(path)
    assert periods(again) == ["2027-01"]
    with again.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    again.close()


class Deaf:
    """A connection of SQLite that does not hear one setting."""

    def __init__(self, connection: Any, setting: str) -> None:
        self._connection = connection
        self._setting = setting

    def execute(self, statement: str) -> Any:
        return self._connection.execute("SELECT 0" if statement.startswith(f"PRAGMA {self._setting}=") else statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def deaf_driver(setting: str) -> ModuleType:
    driver = sqlite_driver()

    def connect(*arguments: Any, **options: Any) -> Any:
        connection = driver.connect(*arguments, **options)
        # What the library starts with may be right by chance.
        connection.execute("PRAGMA synchronous=1")
        connection.execute("PRAGMA busy_timeout=1")
        connection.execute("PRAGMA trusted_schema=1")
        return Deaf(connection, setting)

    return SimpleNamespace(**{**vars(driver), "connect": connect})  # type: ignore[return-value]


@pytest.mark.parametrize("setting", [*SETTINGS, "journal_mode"])
def test_a_setting_that_sqlite_does_not_take_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setattr(engine, "sqlite_driver", lambda: deaf_driver(setting))
    with pytest.raises(StoreFailed, match=setting) as failure:
        open_store(path)
    assert code_of(failure) == "STORE_UNSAFE"
    monkeypatch.undo()
    open_store(path).close()


@pytest.mark.parametrize("opens", ["write", "read"])
def test_every_connection_has_the_settings(each_store: Store, opens: str) -> None:
    with getattr(each_store, opens)() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in SETTINGS}
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    assert found == SETTINGS
    assert found["synchronous"] == 2
    assert mode == each_store.journal_mode


@pytest.mark.parametrize(
    ("version", "mode"),
    [((3, 40, 1), "truncate"), ((3, 51, 2), "truncate"), ((3, 51, 3), "wal"), ((3, 53, 4), "wal"), ((4, 0, 0), "wal")],
)
def test_a_sqlite_that_can_corrupt_a_wal_database_gets_none(version: tuple[int, ...], mode: str) -> None:
    assert journal_mode_of(version) == mode


def test_a_wal_database_is_taken_out_of_wal_under_an_old_sqlite(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(path)
    assert store.journal_mode == "wal"
    add(store, "2027-01")
    store.close()
    monkeypatch.setattr(engine, "sqlite_driver", lambda: SimpleNamespace(**{**vars(sqlite_driver()), "sqlite_version_info": (3, 51, 2)}))
    store = open_store(path)
    add(store, "2027-02")
    assert store.journal_mode == "truncate"
    assert periods(store) == ["2027-01", "2027-02"]
    assert not path.with_name(f"{path.name}-wal").exists()
    store.close()


def test_without_the_bundled_sqlite_that_of_python_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)
    assert connections.sqlite_driver() is sqlite3


def test_only_the_owner_reads_the_files(store: Store, path: Path) -> None:
    add(store, "2027-01")
    modes = {file.name.removeprefix(path.name): stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"": 0o600, "-wal": 0o600, "-shm": 0o600, ".lock": 0o600}


def test_a_database_that_should_be_there_is_not_made(path: Path) -> None:
    with pytest.raises(StoreFailed) as failure:
        open_store(path, create=False)
    assert code_of(failure) == "STORE_ABSENT"
    with pytest.raises(StoreFailed) as failure:
        open_store(path / "deeper.db")
    assert code_of(failure) == "STORE_ABSENT"
    assert list(path.parent.iterdir()) == []


def test_a_path_that_cannot_be_opened_is_named(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreFailed) as failure:
        open_store(path)
    assert code_of(failure) == "STORE_UNOPENED"


def read_all(path: Path) -> None:
    store = open_store(path)
    try:
        with store.read() as connection:
            for table in metadata.sorted_tables:
                connection.execute(select(table)).all()
    finally:
        store.close()


@pytest.mark.parametrize("page", [0, 1])
def test_damage_is_noticed(store: Store, path: Path, page: int) -> None:
    store.close()
    whole = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xff" * (whole - page * 4096))
    with pytest.raises(StoreFailed) as failure:
        read_all(path)
    assert code_of(failure) == "STORE_CORRUPT"
