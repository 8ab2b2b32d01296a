"""Questions as text: any number of values, and what the tables say."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from node.store.engine import Store, open_store
from node.store.errors import StoreFailed
from node.store.insert import insert_rows
from node.store.plain import ask, ask_among, ask_one, select_text, tell
from node.store.tables import key_periods

PERIODS = [f"{year:04d}-01" for year in range(600)]
OF_PERIODS = select_text(key_periods, [key_periods.c.period, key_periods.c.wrapped_key], "WHERE period IN")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "node.db")
    with opened.write() as connection:
        insert_rows(connection, key_periods, [{"period": period, "wrapped_key": period.encode()} for period in PERIODS])
    yield opened
    opened.close()


@pytest.mark.parametrize("count", [0, 1, 2, 4, 5, 64, 65, 256, 257, 513, 600])
def test_each_of_any_number_of_values_is_found_once(store: Store, count: int) -> None:
    wanted = PERIODS[:count]
    with store.read() as connection:
        found = ask_among(connection, OF_PERIODS, [*wanted, "no such period"] if count else [])
    assert sorted(found) == [(period, period.encode()) for period in wanted]


@pytest.mark.parametrize("count", [1, 3, 4, 5, 16, 63, 64, 65, 150])
def test_any_number_of_rows_is_inserted_once(store: Store, count: int) -> None:
    wanted = [(f"{number:07d}", b"%d" % number) for number in range(count)]
    rows = [{"wrapped_key": wrapped, "period": period} for period, wrapped in wanted]
    with store.write() as connection:
        insert_rows(connection, key_periods, rows)
        insert_rows(connection, key_periods, [{**row, "wrapped_key": b"later"} for row in rows], present_stay=True)
    with store.read() as connection:
        text = select_text(key_periods, [key_periods.c.period, key_periods.c.wrapped_key], "WHERE period NOT LIKE ? ORDER BY period")
        assert ask(connection, text, ("%-%",)) == wanted
        assert len(ask(connection, "SELECT period FROM key_periods")) == len(PERIODS) + count


def test_one_row_or_none(store: Store) -> None:
    text = select_text(key_periods, [key_periods.c.period], "WHERE period >= ? ORDER BY period")
    with store.read() as connection:
        assert ask_one(connection, text, ("0007",)) == ("0007-01",)
        assert ask_one(connection, text, ("9999",)) is None
        assert len(ask(connection, text, ("0007",))) == 593


def test_what_is_told_is_undone_with_its_transaction(store: Store) -> None:
    def forget_and_fail() -> None:
        with store.write() as connection:
            tell(connection, "DELETE FROM key_periods WHERE period = ?", (PERIODS[0],))
            assert not ask_among(connection, OF_PERIODS, PERIODS[:1])
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        forget_and_fail()
    with store.read() as connection:
        assert ask_among(connection, OF_PERIODS, PERIODS[:1])


def test_a_reader_cannot_tell(store: Store) -> None:
    with pytest.raises(Exception, match="readonly") as failure, store.read() as connection:
        tell(connection, "DELETE FROM key_periods WHERE period = ?", (PERIODS[0],))
    assert not isinstance(failure.value, (DBAPIError, StoreFailed))
