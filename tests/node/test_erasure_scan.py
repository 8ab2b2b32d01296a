"""After an erasure neither a person's values nor the keys and ciphertexts that held them stand in any file, whoever has the master key."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from exchange.encoding import encode
from exchange.v1 import desk_service_pb2 as messages
from node.operations import erase, inbox, outbox, recipients
from node.store import alerts, logs
from node.subjects import searched_terms
from tests import person
from tests.byte_scan import aligned, files_below, forms, hits, scan
from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation, federation
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

REASON = "Synthetic reason about VORBILDMANN"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """An alert about the made-up person was told, read at both ends, searched for and answered; another alert goes on."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        gb, kh = made["gb"], made["kh"]
        about = draft(agency("kh", POLICE), agency("kh", BORDER), alert=encode(person.alert()))
        published = gb.publish(about, reason=REASON)
        assert not published.problems
        gb.publish(draft(agency("kh", POLICE)))
        made.pump()
        digest = published.manifest_digest.hex()
        outbox.get_alert(gb.ports, gb.person("liaison"), digest)
        inbox.get_inbox_alert(kh.ports, kh.person("border"), digest)
        for office in (gb, kh):
            for name in person.NAMES:
                question = messages.FindRecipientsRequest(subject=name.as_written, born=person.BORN, reason="complaint (synthetic)")
                assert len(recipients.find_recipients(office.ports, office.person("auditor"), question).alerts) == 1
        yield made


def secrets(office: Office) -> list[bytes]:
    """What would bring the first alert back, or say who it was about, for somebody with the master key: as it stands in the database."""
    with office.ports.store.read() as tx:
        row = next(iter(alerts.every(tx)))
        sealed = [entry.sealed for _, entry in logs.entries_of_alert(tx, row.id)]
        questions = tx.exec_driver_sql("SELECT sealed FROM journal_details WHERE detail_group = 'personal'").scalars().all()
    tokens = [office.ports.vault.subject_token(term) for name in person.NAMES for term in searched_terms(name.as_written, person.BORN)]
    held = [row.wrapped_key, row.sealed, *sealed]
    assert all(held)
    # A long value may be spread over pages, and part of one is enough to matter.
    pieces = [value[at : at + 24] for value in held if value for at in range(0, len(value) - 24, 24)]
    return [*pieces, *questions, *tokens]


def left(places: list[Path], wanted: list[bytes]) -> int:
    """How many of these stand in the files below these places."""
    contents = [path.read_bytes() for path in files_below(*places)]
    return sum(any(one in content for content in contents) for one in wanted)


def erase_first(office: Office) -> None:
    with office.ports.store.read() as tx:
        first = next(iter(alerts.every(tx)))
    erase.intend(office.ports, office.domain, [first.id])
    assert erase.finish(office.ports) == 1


@pytest.mark.parametrize("country", ["gb", "kh"])
def test_keys_ciphertexts_tokens_and_questions_leave_the_files(two: Federation, country: str, tmp_path: Path) -> None:
    office = two[country]
    places = [office.directory / "data", office.directory / "high-water"]
    wanted = secrets(office)
    before = left(places, wanted)
    assert before > len(wanted) // 2, "the search finds what is there; of the tokens only those of the alert's own birth date are"
    erase_first(office)
    assert left(places, wanted) == 0, "while the node runs: database and its journal"
    office.backup(tmp_path / "backup")
    assert left([tmp_path / "backup"], wanted) == 0
    assert left(places, wanted) == 0, "after the database was closed and opened again"
    with office.ports.store.read() as tx:
        others = list(alerts.every(tx))[1:]
    assert all(row.wrapped_key and left(places, [row.wrapped_key]) == 1 for row in others)


@pytest.mark.parametrize("country", ["gb", "kh"])
def test_no_value_of_the_person_is_left_in_any_encoding(two: Federation, country: str, tmp_path: Path) -> None:
    office = two[country]
    erase_first(office)
    office.backup(tmp_path / "backup")
    assert scan([office.directory, tmp_path / "backup"], [*person.VALUES, REASON]) == []


def test_the_scanner_finds_every_value_in_every_encoding_in_a_database_without_encryption(tmp_path: Path) -> None:
    path = tmp_path / "plain.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE plain (form TEXT, content BLOB)")
        for value in person.VALUES:
            rows = [(name, b"before " + form + b" behind") for name, form in forms(value).items()]
            database.executemany("INSERT INTO plain VALUES (?, ?)", rows)
    found = {(value, name) for _, value, name in scan([path], person.VALUES)}
    assert found >= {(value, name) for value in person.VALUES for name in forms(value)}


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_base64_is_found_at_every_alignment(offset: int) -> None:
    import base64

    for value in person.VALUES:
        text = base64.b64encode(b"x" * offset + value.encode() + b"tail")
        assert aligned(value.encode(), offset) in text
        assert any(name.startswith("base64") for _, name in hits(text, [value]))


def test_a_database_that_erased_without_overwriting_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "careless.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA secure_delete=0")
        with database:
            database.execute("CREATE TABLE plain (content TEXT)")
            database.executemany("INSERT INTO plain VALUES (?)", [(value * 40,) for value in person.VALUES])
        with database:
            database.execute("DELETE FROM plain")
    assert scan([path], person.VALUES)
    shutil.copy(path, tmp_path / "copy.db")
    assert scan([tmp_path / "copy.db"], person.VALUES)
