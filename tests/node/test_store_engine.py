"""The database of a node: one writer, many readers, whole transactions, and nothing left of what was deleted."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, Table, delete, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from node.store import engine
from node.store.connections import SETTINGS
from node.store.engine import Store, open_store
from node.store.errors import StoreFailed
from node.store.insert import insert_rows
from node.store.tables import alarms, answers, key_periods, partners

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


def test_what_is_committed_is_there_after_reopening(each_store: Store, path: Path) -> None:
    add(each_store, "2027-01")
    each_store.close()
    again = open_store(path, create=False)
    assert periods(again) == ["2027-01"]
    again.close()


def test_a_block_that_raises_leaves_nothing_and_passes_its_error_on(each_store: Store) -> None:
    def fail() -> None:
        with each_store.write() as connection:
            insert_rows(connection, key_periods, [{"period": "2027-01", "wrapped_key": b"w"}])
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert periods(each_store) == []
    add(each_store, "2027-02")
    assert periods(each_store) == ["2027-02"]


def use(store: Store, door: str) -> None:
    with getattr(store, door)() or nullcontext():
        pass


@pytest.mark.parametrize("door", ["write", "read", "empty_journal", "close"])
def test_a_writing_transaction_takes_no_other_of_its_thread(store: Store, door: str) -> None:
    with store.write() as connection:
        insert_rows(connection, key_periods, [{"period": "2027-01", "wrapped_key": b"w"}])
        with pytest.raises(RuntimeError, match="same thread"):
            use(store, door)
    assert periods(store) == ["2027-01"]


def test_writers_take_turns(each_store: Store) -> None:
    def count_up() -> None:
        for _ in range(20):
            with each_store.write() as connection:
                value = connection.execute(select(answers.c.answered)).scalar_one()
                connection.execute(delete(answers))
                connection.execute(insert(answers), {"answered": bytes([value[0] + 1]), "answer": b"", "outbound": True, "mis_hit": False})

    with each_store.write() as connection:
        connection.execute(insert(answers), {"answered": b"\0", "answer": b"", "outbound": True, "mis_hit": False})
    threads = [threading.Thread(target=count_up) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with each_store.read() as connection:
        assert connection.execute(select(answers.c.answered)).scalar_one() == bytes([120])


def test_a_reader_keeps_the_snapshot_of_when_it_began(store: Store) -> None:
    add(store, "2027-01")
    with store.read() as connection:
        writer = threading.Thread(target=add, args=(store, "2027-02"))
        writer.start()
        writer.join()
        assert connection.execute(select(key_periods.c.period)).scalars().all() == ["2027-01"]
        assert periods(store) == ["2027-01", "2027-02"]


def test_many_read_at_once(store: Store) -> None:
    add(store, "2027-01")
    meet = threading.Barrier(40, timeout=20)
    seen: list[list[str]] = []

    def read() -> None:
        with store.read() as connection:
            meet.wait()
            seen.append(list(connection.execute(select(key_periods.c.period)).scalars()))

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [["2027-01"]] * 40


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(DBAPIError, match="readonly"), store.read() as connection:
        insert_rows(connection, key_periods, [{"period": "2027-01", "wrapped_key": b"w"}])
    assert periods(store) == []


def test_an_error_shows_no_bound_value(store: Store) -> None:
    add(store, "2027-01")
    with pytest.raises(IntegrityError) as failure:
        add(store, "2027-01", b"a name")
    assert "a name" not in str(failure.value)
    assert "2027-01" not in str(failure.value)


def test_python_values_are_bound_as_what_they_are(store: Store) -> None:
    row = {"trust_domain": "gb.example", "fingerprint": b"\0" * 32, "chain": b"", "suspended": True, "added_at": 1}
    other = row | {"trust_domain": "kh.example", "suspended": False}
    with store.write() as connection:
        insert_rows(connection, partners, [row, other])
        rows = connection.execute(text("SELECT suspended, typeof(suspended), typeof(fingerprint), typeof(chain) FROM partners"))
        assert [tuple(found) for found in rows] == [(1, "integer", "blob", "blob"), (0, "integer", "blob", "blob")]
        alarm = {"at": 1, "code": "FORK", "partner": "", "origin": ""}
        insert_rows(connection, alarms, [alarm | {"evidence": None}])
        assert connection.execute(select(alarms.c.id, alarms.c.evidence)).one() == (1, None)


def test_rows_of_one_column_and_no_rows_are_inserted_as_such(store: Store) -> None:
    with store.write() as connection:
        narrow = Table("narrow", MetaData(), Column("x", LargeBinary))
        narrow.create(connection)
        insert_rows(connection, narrow, [{"x": "ab"}, {"x": b"cd"}])
        insert_rows(connection, narrow, [])
        assert connection.execute(text("SELECT x FROM narrow")).scalars().all() == ["ab", b"cd"]


@pytest.mark.parametrize(
    "rows",
    [
        [{"period": "2027-01", "wrapped_key": b""}, {"period": "2027-02"}],
        [{"period": "2027-01", "wrapped_key": b""}, {"period": "2027-02", "wrapped_key": b"", "more": 1}],
        [{"period": "2027-01", "wrapped": b""}],
        [{'period") --': "2027-01"}],
    ],
)
def test_rows_that_do_not_fit_are_refused(store: Store, rows: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="column"), store.write() as connection:
        insert_rows(connection, key_periods, rows)
    assert periods(store) == []


def test_what_is_deleted_leaves_the_disk(each_store: Store, path: Path) -> None:
    secret = b"\xfeKeys of the alert that is erased\xff"
    add(each_store, "2027-01", secret * 300)
    add(each_store, "2027-02", secret)
    each_store.empty_journal()
    assert secret in path.read_bytes()
    with each_store.write() as connection:
        connection.execute(delete(key_periods))
    each_store.empty_journal()
    left = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert path.name in left
    assert [name for name, content in left.items() if secret in content] == []


def test_a_reader_in_the_way_of_emptying_the_journal_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "busy_timeout", 10)
    store = open_store(path)
    with store.read():
        add(store, "2027-01")
        with pytest.raises(StoreFailed) as failure:
            store.empty_journal()
    assert code_of(failure) == "STORE_LOCKED"
    store.empty_journal()
    store.close()


def test_a_closed_store_does_nothing(store: Store) -> None:
    store.close()
    store.close()
    for use in (lambda: add(store, "2027-01"), lambda: periods(store), store.empty_journal):
        with pytest.raises(StoreFailed) as failure:
            use()
        assert code_of(failure) == "STORE_CLOSED"
