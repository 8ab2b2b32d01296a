"""What a check finds in kept checkpoints: one planted defect a test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exchange.tlog.note import split_note
from node.store.witnesses import newest_checkpoint
from tests.countries import domain
from tests.federation import Federation, federation
from tests.rig import Office
from tests.witnessing import heartbeat, serving, witnessed_by

pytestmark = pytest.mark.thorough

JOURNAL = "gb.alerts.example/journal/1"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb and kh, each of which has cosigned the other's journal."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        gb, kh = made["gb"], made["kh"]
        with serving(gb) as to_gb, serving(kh) as to_kh:
            witnessed_by(gb, {domain("kh"): to_kh})
            witnessed_by(kh, {domain("gb"): to_gb})
            for _ in range(2):
                made.clock.pass_(60_000)
                for office in (gb, kh):
                    heartbeat(office)
        yield made


def found(office: Office) -> set[tuple[str, str, int]]:
    return {(one.code, one.origin, one.index) for one in office.findings()}


def rewrite(office: Office, change: Callable[[bytes], bytes], table: str = "journal_checkpoints") -> int:
    """Change the newest note of a table; returns the index that a finding should name."""
    with office.ports.store.write() as tx:
        size, note = tx.exec_driver_sql(f"SELECT size, note FROM {table} ORDER BY size DESC LIMIT 1").one()  # noqa: S608  one of two
        tx.exec_driver_sql(f"UPDATE {table} SET note = ? WHERE size = ?", (change(note), size))  # noqa: S608  one of two
    return int(size) - 1


def test_cosigned_checkpoints_are_checked_and_hold(two: Federation) -> None:
    assert found(two["gb"]) == set()
    with two["gb"].ports.store.read() as tx:
        kept = newest_checkpoint(tx, JOURNAL)
    assert kept is not None
    assert len(split_note(kept.note)[1]) == 2


def test_a_checkpoint_of_ours_has_our_signature_and_is_of_its_size(two: Federation) -> None:
    gb = two["gb"]
    index = rewrite(gb, lambda note: note.replace(b"\n\n", b"\nx\n\n", 1))
    assert found(gb) == {("JOURNAL_CHECKPOINT", JOURNAL, index)}
    rewrite(gb, lambda _note: b"\xff")
    assert found(gb) == {("JOURNAL_CHECKPOINT", JOURNAL, index)}


def test_a_line_of_ours_stands_once_and_first(two: Federation) -> None:
    gb = two["gb"]

    def twice(note: bytes) -> bytes:
        text, lines = split_note(note)
        return text + b"\n" + b"".join(line.line() for line in (lines[0], *lines))

    index = rewrite(gb, twice)
    assert found(gb) == {("JOURNAL_CHECKPOINT", JOURNAL, index)}


def test_an_altered_cosignature_is_found(two: Federation) -> None:
    gb = two["gb"]

    def other(note: bytes) -> bytes:
        text, (own, line) = split_note(note)
        altered = type(line)(name=line.name, key_id=line.key_id, signature=line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
        return text + b"\n" + own.line() + altered.line()

    index = rewrite(gb, other)
    assert found(gb) == {("COSIGNATURE_UNVERIFIED", JOURNAL, index)}

    def unknown(note: bytes) -> bytes:
        text, (own, line) = split_note(note)
        return text + b"\n" + own.line() + type(line)(name=line.name, key_id=b"none", signature=line.signature).line()

    rewrite(gb, unknown)
    assert found(gb) == {("COSIGNATURE_UNVERIFIED", JOURNAL, index)}


def test_another_root_than_the_journal_had_is_found(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        sizes = [row[0] for row in tx.exec_driver_sql("SELECT size FROM journal_checkpoints ORDER BY size")]
        tx.exec_driver_sql("UPDATE journal_checkpoints SET size = size + 1000 WHERE size = ?", (sizes[-1],))
        tx.exec_driver_sql("UPDATE journal_checkpoints SET size = ? WHERE size > 1000", (sizes[-1] - 1,))
    assert sizes[-1] > 1
    assert {code for code, *_ in found(gb)} == {"JOURNAL_CHECKPOINT", "JOURNAL_CHECKPOINT_ROOT"}


def test_what_this_node_cosigned_is_checked(two: Federation) -> None:
    kh = two["kh"]
    index = rewrite(kh, lambda note: note[:-5], "witnessed")
    assert found(kh) == {("WITNESSED_MISMATCH", JOURNAL, index)}
    with kh.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE witnessed SET note = 5")
    assert found(kh) == {("WITNESSED_MISMATCH", JOURNAL, index)}


def test_what_this_node_cosigned_bears_its_cosignature(two: Federation) -> None:
    kh = two["kh"]

    def alone(note: bytes) -> bytes:
        text, lines = split_note(note)
        return text + b"\n" + lines[0].line()

    index = rewrite(kh, alone, "witnessed")
    assert found(kh) == {("WITNESSED_MISMATCH", JOURNAL, index)}
