"""The schema number: who may open a file, and how an older one is brought up to date."""

import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select
from sqlalchemy.exc import OperationalError

import node.store.draft_table
import node.store.gate_tables
import node.store.handovers
import node.store.inside_tables
import node.store.looks
import node.store.notice_tables
import node.store.onward_tables
import node.store.recall_tables
import node.store.request_tables
import node.store.sign_in_tables
import node.store.tip_tables  # noqa: F401  tables that belong to the same metadata
from node.store import schema
from node.store.connections import sqlite_driver
from node.store.engine import Store, open_store
from node.store.errors import StoreFailed
from node.store.insert import insert_rows
from node.store.tables import SCHEMA_NUMBER, key_periods, metadata

MIGRATIONS = Path(schema.__file__).with_name("migrations")
NEXT = SCHEMA_NUMBER + 1
NEXT_MIGRATION = f"""
from alembic import op
revision = "{NEXT:04d}"
down_revision = "{SCHEMA_NUMBER:04d}"

def upgrade() -> None:
    op.execute("CREATE TABLE novelty (x)")
    op.execute("INSERT INTO novelty SELECT period FROM key_periods")
"""  # noqa: S608 — two numbers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.db"


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program of tomorrow: one migration more. Gives the file of that migration."""
    later = tmp_path / "later"
    shutil.copytree(MIGRATIONS, later, ignore=shutil.ignore_patterns("__pycache__"))
    file = later / "versions" / "next.py"
    file.write_text(NEXT_MIGRATION, encoding="utf-8")
    monkeypatch.setattr(schema, "MIGRATIONS", str(later))
    monkeypatch.setattr(schema, "SCHEMA_NUMBER", NEXT)
    return file


def make(path: Path, *periods: str) -> None:
    store = open_store(path)
    with store.write() as connection:
        insert_rows(connection, key_periods, [{"period": period, "wrapped_key": b"w"} for period in periods])
    store.close()


def read(store: Store, question: str) -> list[object]:
    with store.read() as connection:
        return list(connection.exec_driver_sql(question).scalars())


def number_of(path: Path) -> int:
    return schema.schema_number_of(path, sqlite_driver())


def objects(path: Path) -> dict[str, str]:
    question = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'alembic_version'"
    connection = sqlite3.connect(path)
    found = {name: " ".join(sql.split()) for name, sql in connection.execute(question)}
    connection.close()
    return found


def code_of(failure: pytest.ExceptionInfo[StoreFailed]) -> str:
    return failure.value.code


def test_the_migrations_make_exactly_the_tables(path: Path) -> None:
    make(path)
    at_once = path.with_name("at once.db")
    engine = create_engine(f"sqlite:///{at_once}")
    metadata.create_all(engine)
    engine.dispose()
    assert len(objects(path)) > len(metadata.tables)
    assert objects(path) == objects(at_once)


def test_the_newest_migration_has_the_number_of_the_schema() -> None:
    config = Config()
    config.set_main_option("script_location", schema.MIGRATIONS)
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [f"{SCHEMA_NUMBER:04d}"]
    assert len(list(scripts.walk_revisions())) == SCHEMA_NUMBER


def test_a_new_database_says_whose_it_is_and_which_schema_it_has(path: Path) -> None:
    store = open_store(path)
    assert read(store, "PRAGMA user_version") == [SCHEMA_NUMBER]
    assert read(store, "PRAGMA application_id") == [schema.APPLICATION_ID]
    assert store.schema_number == SCHEMA_NUMBER
    store.close()
    assert [file.name for file in path.parent.iterdir() if ".before" in file.name] == []


def test_an_older_program_refuses_a_newer_database_and_leaves_it_alone(
    path: Path, next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(path, "2027-01")
    assert number_of(path) == NEXT
    before = path.read_bytes()
    monkeypatch.undo()
    with pytest.raises(StoreFailed, match="newer version") as failure:
        open_store(path)
    assert code_of(failure) == "STORE_NEWER"
    assert path.read_bytes() == before


def test_an_older_database_is_brought_up_to_date_after_a_copy(
    path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    make(path, "2027-01", "2027-02")
    request.getfixturevalue("next_version")
    store = open_store(path)
    assert store.schema_number == NEXT
    assert read(store, "SELECT x FROM novelty ORDER BY 1") == ["2027-01", "2027-02"]
    assert read(store, "SELECT version_num FROM alembic_version") == [f"{NEXT:04d}"]
    store.close()
    assert number_of(path) == NEXT
    monkeypatch.undo()
    copy = path.with_name(f"node.db.before-{SCHEMA_NUMBER}")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    store = open_store(copy)
    with store.read() as connection:
        assert connection.execute(select(key_periods.c.period)).scalars().all() == ["2027-01", "2027-02"]
    store.close()


def test_a_migration_that_fails_changes_nothing(path: Path, request: pytest.FixtureRequest) -> None:
    make(path, "2027-01")
    file: Path = request.getfixturevalue("next_version")
    file.write_text(NEXT_MIGRATION + '    op.execute("DROP TABLE nowhere")\n', encoding="utf-8")
    before = objects(path)
    with pytest.raises(OperationalError, match="nowhere"):
        open_store(path)
    assert objects(path) == before
    assert number_of(path) == SCHEMA_NUMBER
    file.write_text(NEXT_MIGRATION, encoding="utf-8")
    open_store(path).close()
    assert number_of(path) == NEXT


def test_no_copy_no_migration(path: Path, request: pytest.FixtureRequest) -> None:
    make(path, "2027-01")
    request.getfixturevalue("next_version")
    in_the_way = path.with_name(f"node.db.before-{SCHEMA_NUMBER}")
    in_the_way.mkdir()
    with pytest.raises(StoreFailed) as failure:
        open_store(path)
    assert code_of(failure) == "STORE_NOT_COPIED"
    assert number_of(path) == SCHEMA_NUMBER


def test_a_copy_that_was_interrupted_is_made_again(path: Path, request: pytest.FixtureRequest) -> None:
    make(path, "2027-01")
    request.getfixturevalue("next_version")
    unfinished = path.with_name(f"node.db.before-{SCHEMA_NUMBER}.unfinished")
    unfinished.write_bytes(b"half a copy")
    open_store(path).close()
    assert not unfinished.exists()
    assert number_of(path.with_name(f"node.db.before-{SCHEMA_NUMBER}")) == SCHEMA_NUMBER


@pytest.mark.parametrize("statement", ["CREATE TABLE theirs (x)", "PRAGMA user_version=1", "PRAGMA application_id=77"])
def test_a_database_of_another_program_is_left_alone(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreFailed) as failure:
        open_store(path)
    assert code_of(failure) == "STORE_FOREIGN"
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"a letter to a friend" * 1000)
    with pytest.raises(StoreFailed) as failure:
        open_store(path)
    assert code_of(failure) == "STORE_CORRUPT"
    assert path.read_bytes() == b"a letter to a friend" * 1000


def test_a_birth_that_was_interrupted_is_repeated(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", str(tmp_path / "nowhere"))
    with pytest.raises(Exception, match="nowhere"):
        open_store(path)
    monkeypatch.undo()
    make(path, "2027-01")
    assert number_of(path) == SCHEMA_NUMBER


def test_opening_what_is_up_to_date_does_not_import_alembic(path: Path) -> None:
    make(path)
    program = (
        "import sys; from pathlib import Path; from node.store.engine import open_store\n"
        "open_store(Path(sys.argv[1])).close(); sys.exit('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(path)]
    assert subprocess.run(command, cwd=Path(__file__).parents[2], check=False, timeout=60).returncode == 0
