"""What a check finds in the journal: one planted defect a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.tlog.merkle import leaf_hash
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations.anchor import anchor_logs, checkpoint_journal
from node.store.journal import PERSONAL, Event, Kind
from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation, federation
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

GB_KH = "gb.alerts.example/disclosures/kh.alerts.example/1"
JOURNAL = "gb.alerts.example/journal/1"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb told kh three things, anchored its logs, looked something up, and signed its journal."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        gb = made["gb"]
        gb.publish(draft(agency("kh", BORDER), agency("kh", POLICE)))
        made.pump()
        anchor_logs(gb.ports)
        gb.publish(draft(agency("kh", BORDER)))
        made.pump()
        anchor_logs(gb.ports)
        personal = JournalPersonal(query="synthetic", results=[bytes(32)])
        with gb.ports.store.write() as tx:
            event = Event(code="SEARCH", justification="synthetic", personal=personal)
            gb.ports.journal.record(tx, made.clock.now_ms(), Kind.JOURNAL_KIND_CONSULTATION, gb.person("liaison"), [event])
        checkpoint_journal(gb.ports)
        yield made


def size(office: Office) -> int:
    with office.ports.store.read() as tx:
        return office.ports.journal.edge(tx).frontier.size


def spoil(office: Office, *statements: str) -> set[tuple[str, str, int]]:
    """(code, origin, index) of what is found after the database was changed behind the node's back."""
    with office.ports.store.write() as tx:
        for statement in statements:
            tx.exec_driver_sql(statement)
    return {(one.code, one.origin, one.index) for one in office.findings()}


def test_a_sound_journal_is_checked_whole(two: Federation) -> None:
    assert two["gb"].fsck() == []


def test_the_journal_is_never_shorter_than_what_was_signed(two: Federation) -> None:
    gb = two["gb"]
    last = size(gb) - 1
    found = spoil(gb, f"DELETE FROM journal WHERE idx = {last}", f"DELETE FROM journal_details WHERE idx = {last}")  # noqa: S608  a number
    assert found == {("ENTRY_MISSING", JOURNAL, last), ("JOURNAL_ROLLBACK", JOURNAL, last), ("LOG_FRONTIER", JOURNAL, 0)}


def test_another_journal_than_the_signed_one_is_a_fork(two: Federation) -> None:
    gb = two["gb"]
    last = size(gb) - 1
    with gb.ports.store.read() as tx:
        (row,) = gb.ports.journal.rows(tx, last, last + 1)
        edge = gb.ports.journal.edge(tx).frontier
    other = row.entry.replace(b"SEARCH", b"STATUS")
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE journal SET entry = ?, leaf = ?, code = 'STATUS' WHERE idx = ?", (other, leaf_hash(other), last))
    codes = {one.code for one in gb.findings()}
    assert edge.size == last + 1
    assert codes == {"JOURNAL_FORK", "LOG_FRONTIER"}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE journal SET entry = x'00' WHERE idx = 3", "JOURNAL_ENTRY_MALFORMED"),
        ("UPDATE journal SET entry = 'text' WHERE idx = 3", "JOURNAL_ENTRY_MALFORMED"),
        ("UPDATE journal SET party = 'spiffe://gb.alerts.example/agency/other' WHERE idx = 3", "JOURNAL_COLUMNS"),
        ("UPDATE journal SET first = first + 1 WHERE idx = 3", "JOURNAL_COLUMNS"),
        ("UPDATE journal_details SET sealed = zeroblob(80) WHERE idx = (SELECT min(idx) FROM journal_details)", "DETAIL_UNREADABLE"),
        ("UPDATE journal_details SET sealed = 'text' WHERE idx = (SELECT min(idx) FROM journal_details)", "DETAIL_UNREADABLE"),
        ("DELETE FROM journal_details WHERE detail_group = 'accountability'", "DETAIL_MISSING"),
        ("DELETE FROM journal_details WHERE detail_group = 'personal'", "DETAIL_MISSING"),
        ("INSERT INTO journal_details SELECT generation, idx, 'personal', sealed FROM journal_details ORDER BY idx LIMIT 1",
         "DETAIL_SURPLUS"),
        ("INSERT INTO journal_details VALUES (1, 999, 'personal', x'00')", "DETAIL_SURPLUS"),
        ("UPDATE journal SET idx = 999 WHERE idx = 1", "ENTRY_BEYOND_LOG"),
        ("UPDATE journals SET frontier = x'00'", "JOURNAL_ROW"),
        ("UPDATE journals SET last_at = last_at + 1", "JOURNAL_ROW"),
        ("UPDATE key_periods SET wrapped_key = zeroblob(60) WHERE period = 'journal-personal'", "PERIOD_KEY_UNREADABLE"),
        ("DELETE FROM key_periods WHERE period = 'journal-personal'", "DETAIL_UNREADABLE"),
    ],
)  # fmt: skip
def test_a_defect_of_the_journal_is_found(two: Federation, statement: str, code: str) -> None:
    assert code in {found for found, _, _ in spoil(two["gb"], statement)}


def test_a_detail_is_the_one_that_its_entry_commits_to(two: Federation) -> None:
    gb = two["gb"]
    journal = gb.ports.journal
    last = size(gb) - 1
    with gb.ports.store.write() as tx:
        key = gb.ports.vault.stored_key(tx, "journal-personal")
        assert key is not None
        sealed = key.seal(f"journal detail 1 {last} personal".encode(), bytes(40))
        tx.exec_driver_sql("UPDATE journal_details SET sealed = ? WHERE detail_group = 'personal'", (sealed,))
    with gb.ports.store.read() as tx:
        assert journal.detail(tx, last, PERSONAL) == bytes(40)
    assert [(one.code, one.origin, one.index) for one in gb.findings()] == [("DETAIL_MISMATCH", JOURNAL, last)]


def test_a_personal_detail_may_go_only_with_an_erasure_that_was_recorded(two: Federation) -> None:
    gb = two["gb"]
    last = size(gb) - 1
    with gb.ports.store.write() as tx:
        gb.ports.journal.erase_detail(tx, last, PERSONAL)
    assert [(one.code, one.origin, one.index) for one in gb.findings()] == [("DETAIL_MISSING", JOURNAL, last)]
    with gb.ports.store.write() as tx:
        event = Event(code="DONE", subject=bytes(32))
        gb.ports.journal.record(tx, two.clock.now_ms(), Kind.JOURNAL_KIND_ERASURE, gb.domain, [event])
    assert gb.fsck() == []


def test_time_does_not_run_backwards(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.read() as tx:
        first, second = gb.ports.journal.rows(tx, 0, 2)
    with gb.ports.store.write() as tx:
        two.clock.pass_(1000)
        gb.ports.journal.record(tx, two.clock.now_ms(), Kind.JOURNAL_KIND_REVIEW, gb.domain, [Event(code="LOGS")])
    with gb.ports.store.read() as tx:
        (late,) = gb.ports.journal.rows(tx, size(gb) - 1, size(gb))
    assert first.at == second.at < late.at
    found = spoil(gb, f"UPDATE journal SET entry = (SELECT entry FROM journal WHERE idx = {late.idx}) WHERE idx = 0")  # noqa: S608  a number
    assert ("JOURNAL_TIME_FALLS", JOURNAL, 1) in found


def test_an_anchor_is_of_the_log_as_it_was_and_is(two: Federation) -> None:
    gb = two["gb"]
    altered = "UPDATE entries SET entry = CAST('x' AS BLOB), leaf = x'{}' WHERE log_id = (SELECT id FROM logs WHERE outbound) AND idx = 0"
    found = spoil(gb, altered.format(leaf_hash(b"x").hex()))
    assert ("ANCHOR_ROOT", GB_KH, 0) in found
    assert ("ANCHOR_BEYOND_LOG", GB_KH, 0) in spoil(
        gb, "UPDATE logs SET origin = 'gb.alerts.example/disclosures/kh.alerts.example/7' WHERE outbound"
    )


def test_anchors_do_not_fall(two: Federation) -> None:
    gb = two["gb"]
    log = gb.outbound(two["kh"])
    with gb.ports.store.write() as tx:
        smaller = Event(code="OUTBOUND", origin=GB_KH, count=2, root=bytes(32))
        gb.ports.journal.record(tx, two.clock.now_ms(), Kind.JOURNAL_KIND_ANCHOR, gb.domain, [smaller])
    assert log.size == 3
    assert {("ANCHOR_FALLS", GB_KH), ("ANCHOR_ROOT", GB_KH)} <= {(one.code, one.origin) for one in gb.findings()}


def test_an_ended_journal_is_checked_beside_its_successor(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        gb.ports.journal.succeed(tx, two.clock.now_ms(), gb.domain)
    assert gb.fsck() == []
    assert ("JOURNAL_COLUMNS", "gb.alerts.example/journal/2", 0) in spoil(gb, "UPDATE journal SET count = 1 WHERE generation = 2")
    assert ("ENTRY_LEAF", JOURNAL, 2) in spoil(gb, "UPDATE journal SET leaf = zeroblob(32) WHERE generation = 1 AND idx = 2")
