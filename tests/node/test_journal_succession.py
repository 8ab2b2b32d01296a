"""A journal that may not be signed any more: its successor, and what an auditor is told of witnessing meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.journal import journal_origin
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.tlog.merkle import verify_consistency
from exchange.tlog.note import split_note
from exchange.v1 import desk_service_pb2
from exchange.v1.journal_pb2 import JOURNAL_KIND_SUCCESSION, JournalEntry
from node.operations.anchor import check_journal
from node.operations.officers import NotPermitted
from node.operations.succeed_journal import succeed_journal
from node.operations.witness_status import journal_consistency, witness_status
from node.operations.witnesses import sign_journal_checkpoint
from node.store.directory import alarms_about
from tests.countries import domain
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office
from tests.witnessing import happens, heartbeat, serving, witnessed_by

FIRST, SECOND, THIRD = (journal_origin(domain("gb"), generation) for generation in (1, 2, 3))


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.introduce("gb", "kh")
        yield made


def restored(office: Office, place: Path, events: int = 5) -> bytes:
    """An office whose database is older than its journal was signed; gives what was signed last."""
    happens(office, 3)
    sign_journal_checkpoint(office.ports)
    backup = office.backup(place)
    happens(office, events)
    newest = sign_journal_checkpoint(office.ports)
    office.restore(backup)
    return newest


def test_a_journal_that_is_sound_has_no_successor(two: Federation) -> None:
    gb = two["gb"]
    happens(gb, 3)
    sign_journal_checkpoint(gb.ports)
    before = gb.journal()
    with refused(Refused, "JOURNAL_SOUND"):
        succeed_journal(gb.ports)
    assert gb.journal() == before


def test_the_successor_says_how_far_the_old_one_is_here_and_keeps_the_proof_of_the_rest(two: Federation, tmp_path: Path) -> None:
    gb = two["gb"]
    newest = restored(gb, tmp_path / "backup")
    with gb.ports.store.read() as tx:
        held = gb.ports.journal.edge(tx).frontier
    done = succeed_journal(gb.ports)
    assert (done.ended, done.successor, done.code) == (FIRST, SECOND, "JOURNAL_ROLLBACK")
    assert (done.held, done.signed) == (held.size, held.size + 5)
    with gb.ports.store.read() as tx:
        (first, *_) = gb.ports.journal.rows(tx, 0, 10)
        assert alarms_about(tx, FIRST) == {"JOURNAL_ROLLBACK": newest}
    entry = JournalEntry.FromString(first.entry)
    assert (entry.kind, entry.origin, entry.count, entry.root) == (JOURNAL_KIND_SUCCESSION, FIRST, held.size, held.root())
    check_journal(gb.ports)
    assert sign_journal_checkpoint(gb.ports).startswith(f"{SECOND}\n".encode())


def test_a_successor_that_was_signed_already_is_not_begun_again(two: Federation, tmp_path: Path) -> None:
    """The same old backup, restored twice: the first successor's name is taken, and its witnesses know it."""
    gb = two["gb"]
    restored(gb, tmp_path / "backup")
    succeed_journal(gb.ports)
    sign_journal_checkpoint(gb.ports)
    gb.restore(tmp_path / "backup/node.db")
    with refused(Conflict, "JOURNAL_ROLLBACK"):
        check_journal(gb.ports)
    assert succeed_journal(gb.ports).successor == THIRD
    check_journal(gb.ports)


def test_without_any_readable_record_no_name_is_known_to_be_free(two: Federation) -> None:
    gb = two["gb"]
    happens(gb, 3)
    sign_journal_checkpoint(gb.ports)
    gb.close()
    (gb.directory / "high-water").rename(gb.directory / "away")
    gb.open()
    before = gb.journal()
    with refused(Refused, "HIGH_WATER_UNREADABLE"):
        succeed_journal(gb.ports)
    assert gb.journal() == before
    (gb.directory / "high-water").mkdir()
    gb.restart()
    done = succeed_journal(gb.ports)
    assert (done.code, done.signed, done.successor) == ("HIGH_WATER_MISSING", 0, SECOND)


def test_a_witness_sees_the_successor(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    with serving(kh) as url:
        witnessed_by(gb, {kh.domain: url})
        happens(gb, 3)
        heartbeat(gb)
        restored(gb, tmp_path / "backup")
        succeed_journal(gb.ports)
        witnessed_by(gb, {kh.domain: url})
        heartbeat(gb)
    assert kh.alarms() == {"JOURNAL_SUCCEEDED"}
    status = witness_status(gb.ports, gb.person("auditor"))
    assert [(item.name, item.size > 0, item.code) for item in status.witnesses] == [(f"{kh.domain}/witness", True, "")]
    assert status.origin == SECOND
    assert [alarm.code for alarm in status.alarms] == ["JOURNAL_ROLLBACK"]


def test_how_witnessing_stands_is_for_auditors_and_journalled(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    for look in (witness_status, lambda *of: journal_consistency(*of, desk_service_pb2.GetJournalConsistencyRequest())):
        with refused(NotPermitted, "ROLE_MISSING"):
            look(gb.ports, gb.person("liaison"))
    status = witness_status(gb.ports, gb.person("auditor"))
    assert (status.checkpoint, status.signed_at, status.policy_configured, list(status.witnesses)) == (b"", 0, False, [])
    assert gb.journal()[-1][:2] == ("review", gb.person("auditor"))
    assert gb.journal()[-1][3] == "WITNESSES"
    witnessed_by(gb, {kh.domain: "http://127.0.0.1:9"})
    (waiting,) = witness_status(gb.ports, gb.person("administrator")).witnesses
    assert (waiting.code, waiting.url, waiting.organisation) == ("WITNESS_NOT_ASKED", "http://127.0.0.1:9", kh.domain)


def test_two_checkpoints_come_with_their_proof(two: Federation) -> None:
    gb = two["gb"]
    happens(gb, 300)
    early = parse_checkpoint_text(split_note(sign_journal_checkpoint(gb.ports))[0])
    happens(gb, 700)
    late = parse_checkpoint_text(split_note(sign_journal_checkpoint(gb.ports))[0])
    request = desk_service_pb2.GetJournalConsistencyRequest

    def ask(**fields: int | str) -> desk_service_pb2.GetJournalConsistencyResponse:
        return journal_consistency(gb.ports, gb.person("auditor"), request(**fields))  # type: ignore[arg-type] - the test's own words

    answer = ask(first_size=early.size)
    assert parse_checkpoint_text(split_note(answer.first)[0]) == early
    assert parse_checkpoint_text(split_note(answer.second)[0]) == late
    verify_consistency(early.size, early.root, late.size, late.root, list(answer.hashes))
    assert gb.journal()[-1][2:] == (FIRST, "CONSISTENCY")
    assert ask(first_size=7).first == b"", "nobody was shown that size"
    assert ask(first_size=early.size, second_size=early.size).second == answer.first
    assert list(ask(first_size=9_999).hashes) == []
    with refused(NotFound, "CHECKPOINT_UNKNOWN"):
        ask(first_size=1, second_size=7)
    with refused(NotFound, "JOURNAL_UNKNOWN"):
        ask(first_size=1, origin=journal_origin(domain("kh"), 1))
    with refused(NotFound, "JOURNAL_UNKNOWN"):
        ask(first_size=1, origin=SECOND)
    with refused(Malformed, "ORIGIN_MALFORMED"):
        ask(first_size=1, origin="x")
