"""What a check for gaps finds: one thing that is missing a test, and nothing where nothing is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2
from node.operations import retention, succeed
from node.operations.anchor import anchor_logs
from node.operations.check_records import check_records
from node.operations.findings import ACTION, CRITICAL, OBSERVATION, PRIORITY
from node.operations.gap_check import ANCHOR_DUE_MS, ERASURE_DUE_MS, RECEIPT_DUE_MS
from node.operations.witnesses import sign_journal_checkpoint
from tests.countries import BORDER, HOUR, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
GB_KH = "gb.alerts.example/disclosures/kh.alerts.example/1"
KH_GB = "kh.alerts.example/disclosures/gb.alerts.example/1"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb told kh three things, kh answered, and both have anchored their logs."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        first = made["gb"].publish(draft(KH_BORDER, KH_POLICE))
        made["gb"].publish(draft(KH_BORDER))
        made.pump()
        made["kh"].report(first.manifest_digest.hex())
        made.pump()
        for office in made.offices.values():
            anchor_logs(office.ports)
        yield made


def checked(office: Office, origin: str = "") -> list[desk_service_pb2.CheckRecordsResponse]:
    """All that a check for gaps answers."""
    request = desk_service_pb2.CheckRecordsRequest(scope=desk_service_pb2.CHECK_SCOPE_GAPS, origin=origin)
    return list(check_records(office.ports, office.person("auditor"), request))


def gaps(office: Office, origin: str = "") -> set[tuple[str, int, str, int, int]]:
    """(code, grade, origin, index, count) of each finding."""
    found = [one for answer in checked(office, origin) for one in answer.findings]
    return {(one.code, one.grade, one.origin, one.index, one.count) for one in found}


def message_of(office: Office, code: str) -> str:
    """What the one finding of that code says."""
    (message,) = [one.message for answer in checked(office) for one in answer.findings if one.code == code]
    return message


def counted(office: Office) -> dict[str, int]:
    """What the check's summary counts."""
    return {item.name: item.value for item in checked(office)[-1].summary.counts}


def spoil(office: Office, statement: str) -> set[tuple[str, int, str, int, int]]:
    """Change the database behind the node's back, and look for gaps."""
    with office.ports.store.write() as tx:
        tx.exec_driver_sql(statement.replace(":ours", "(SELECT id FROM logs WHERE outbound)"))
    return gaps(office)


def test_nothing_is_missing_where_all_was_done(two: Federation) -> None:
    assert gaps(two["gb"]) == set()
    assert gaps(two["kh"]) == set()
    two.clock.pass_(30 * 24 * HOUR)
    assert gaps(two["gb"]) == set()


def test_a_receipt_is_pending_at_first_and_then_overdue(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(draft(KH_BORDER, KH_POLICE))
    anchor_logs(gb.ports)
    two.clock.pass_(RECEIPT_DUE_MS)
    assert gaps(gb) == {("RECEIPT_PENDING", OBSERVATION, GB_KH, 3, 2)}
    two.clock.pass_(1)
    assert gaps(gb) == {("RECEIPT_OVERDUE", PRIORITY, GB_KH, 3, 2)}
    assert gaps(gb, KH_GB) == set()
    two.pump()
    assert gaps(gb) == set()


def test_an_ended_log_awaits_no_receipts(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(draft(KH_BORDER))
    anchor_logs(gb.ports)
    two.clock.pass_(2 * RECEIPT_DUE_MS)
    assert spoil(gb, "UPDATE logs SET state = 'ended' WHERE outbound") == set()


def test_entries_of_a_partner_are_receipted(two: Federation) -> None:
    found = spoil(two["kh"], "DELETE FROM receipts WHERE log_id <> :ours")
    assert found == {("RECEIPT_NOT_GIVEN", PRIORITY, GB_KH, 0, 3)}


@pytest.mark.parametrize("index", [0, 1])
def test_a_missing_entry_is_named(two: Federation, index: int) -> None:
    assert ("ENTRY_MISSING", CRITICAL, GB_KH, index, 1) in spoil(two["gb"], f"DELETE FROM entries WHERE log_id = :ours AND idx = {index}")  # noqa: S608  a number


def test_what_was_not_taken_is_for_somebody_to_mend_until_it_is_disclosed_again(two: Federation) -> None:
    gb = two["gb"]
    assert spoil(gb, "INSERT INTO exceptions VALUES (:ours, 1, 10)") == {("EXCEPTED", ACTION, GB_KH, 1, 1)}
    gb.log_again(two["kh"], 1)
    assert "EXCEPTED" not in {code for code, *_ in gaps(gb)}
    assert ("WITHHELD", OBSERVATION, GB_KH, 1, 1) in spoil(gb, "UPDATE exceptions SET code = 1")


def test_who_authorised_a_disclosure_is_recorded(two: Federation) -> None:
    found = spoil(two["gb"], "UPDATE entries SET sealed = NULL WHERE log_id = :ours AND idx = 2")
    assert found == {("AUTHORISATION_MISSING", PRIORITY, GB_KH, 2, 1)}
    assert spoil(two["gb"], "UPDATE alerts SET state = 'erased' WHERE id = 2") == set()


def test_a_disclosure_has_an_agreement_in_force(tmp_path: Path) -> None:
    narrow = with_clause(agreement(), "gb-kh-travelalert-border", permitted=[])
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", narrow)
        gb = two["gb"]
        allowed = list(gb.publish(draft(KH_BORDER)).disclosures[0].fields)
        leaked = next(number for number in range(1, 35) if number not in allowed)
        gb.log_again(two["kh"], 0, fields=sorted([*allowed, leaked]))
        assert ("NOT_AGREED", PRIORITY, GB_KH, 1, 1) in gaps(gb)
        with gb.ports.store.write() as tx:
            tx.exec_driver_sql("DELETE FROM agreements")
        gb.restart()
        assert ("AGREEMENT_UNKNOWN", OBSERVATION, GB_KH, 0, 1) in gaps(gb)


def test_logs_are_anchored_in_time(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(draft(KH_BORDER))
    two.pump()
    two.clock.pass_(ANCHOR_DUE_MS)
    assert gaps(gb) == set()
    two.clock.pass_(1)
    assert gaps(gb) == {("ANCHOR_OVERDUE", PRIORITY, GB_KH, 3, 1)}
    assert gaps(two["kh"]) == {("ANCHOR_OVERDUE", PRIORITY, GB_KH, 3, 1)}
    anchor_logs(gb.ports)
    assert gaps(gb) == set()


def test_the_journal_is_signed_in_time(two: Federation) -> None:
    gb = two["gb"]
    sign_journal_checkpoint(gb.ports)
    gaps(gb)  # which is itself recorded, and with the next one not yet covered
    two.clock.pass_(ANCHOR_DUE_MS + 1)
    (found,) = gaps(gb)
    assert found[:3] == ("CHECKPOINT_OVERDUE", PRIORITY, "gb.alerts.example/journal/1")
    sign_journal_checkpoint(gb.ports)
    assert gaps(gb) == set()


def test_every_entry_stands_in_the_journal(two: Federation) -> None:
    gb = two["gb"]
    gb.log_again(two["kh"], 0)  # behind the journal's back
    assert ("NOT_JOURNALLED", PRIORITY, GB_KH, 3, 1) in gaps(gb)
    assert ("NOT_JOURNALLED", PRIORITY, GB_KH, 2, 2) in spoil(gb, "DELETE FROM journal WHERE origin LIKE 'gb.%' AND first = 2")


def test_what_the_journal_records_is_here(two: Federation) -> None:
    found = spoil(two["kh"], "UPDATE logs SET size = 2, frontier = (SELECT zeroblob(32)) WHERE NOT outbound")
    assert ("JOURNAL_BEYOND_LOG", CRITICAL, GB_KH, 2, 1) in found


def test_every_log_of_which_the_journal_speaks_is_here(two: Federation) -> None:
    found = spoil(two["gb"], "UPDATE logs SET origin = 'gb.alerts.example/disclosures/kh.alerts.example/7', generation = 7 WHERE outbound")
    assert ("LOG_MISSING", CRITICAL, GB_KH, -1, 0) in found


def test_a_successor_is_journalled_with_what_it_begins_with(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    succeed.end(gb.ports, gb.person("administrator"), GB_KH)
    two.carry()
    succeed.end(kh.ports, kh.person("administrator"), GB_KH)
    two.carry()
    two.pump()
    for office in (gb, kh):
        anchor_logs(office.ports)
        assert {code for code, grade, *_ in gaps(office) if grade in {CRITICAL, PRIORITY}} == set()
    assert gb.fsck() == []


def test_what_is_past_its_limit_is_a_duty_missed_until_it_is_erased(two: Federation) -> None:
    kh = two["kh"]
    two.clock.pass_(180 * 24 * HOUR + ERASURE_DUE_MS - 1)  # as the handling of both alerts says
    assert gaps(kh) == set()
    two.clock.pass_(1)
    assert gaps(kh) == {("PAST_LIMIT", PRIORITY, "", -1, 0)}
    assert gaps(kh, GB_KH) == set()
    assert "past the limit of its retention: 2. See" in message_of(kh, "PAST_LIMIT")
    (kept, _) = kh.received("border")
    retention.hold(kh.ports, kh.person("border"), kept.manifest_digest.hex(), "court order 7 (synthetic)")
    assert "past the limit of its retention: 1. See" in message_of(kh, "PAST_LIMIT")
    assert retention.run_due(kh.ports, kh.domain).erased == 1
    assert gaps(kh) == set()
    assert counted(kh)["alerts held past their limit"] == 1
