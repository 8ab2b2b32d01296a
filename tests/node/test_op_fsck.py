"""What a check of the whole store finds: one planted defect a test, and nothing where nothing is wrong."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from exchange.encoding import encode
from exchange.errors import Conflict, Malformed, NotFound
from exchange.signing import sign_statement
from exchange.tlog.merkle import leaf_hash
from exchange.v1 import desk_service_pb2, disclosure_pb2
from node.operations import erase, review
from node.operations.check_records import check_records
from node.operations.contents import pack_content, purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.findings import AT_MOST, Findings
from node.operations.officers import NotPermitted
from node.store import alerts, logs
from node.store.transaction import Transaction
from node.store.vault import DataKey
from tests.countries import BORDER, HOUR, POLICE, agency, agreement, changed, key, with_clause
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb told kh's border (0, 2) and police (1), in two batches; kh's border answered."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        first = made["gb"].publish(draft(KH_BORDER, KH_POLICE))
        made.pump()
        made.clock.pass_(HOUR)
        made["gb"].publish(draft(KH_BORDER))
        made.pump()
        made["kh"].report(first.manifest_digest.hex())
        made.pump()
        yield made


def spoil(office: Office, *statements: str) -> list[str]:
    """Change the database behind the node's back, and check it."""
    with office.ports.store.write() as tx:
        for statement in statements:
            tx.exec_driver_sql(statement.replace(":ours", "(SELECT id FROM logs WHERE outbound)"))
    return office.fsck()


def asked(office: Office, scope: str, origin: str = "", name: str = "auditor") -> list[desk_service_pb2.CheckRecordsResponse]:
    """What a check answers, message by message."""
    request = desk_service_pb2.CheckRecordsRequest(scope=desk_service_pb2.CheckScope.Value(f"CHECK_SCOPE_{scope}"), origin=origin)
    return list(check_records(office.ports, office.person(name), request))


def found_in(answers: list[desk_service_pb2.CheckRecordsResponse]) -> list[desk_service_pb2.Finding]:
    return [finding for answer in answers for finding in answer.findings]


def test_nothing_is_found_where_nothing_is_wrong_and_all_is_counted(two: Federation) -> None:
    answers = asked(two["gb"], "FSCK")
    assert not found_in(answers)
    counts = {count.name: count.value for count in answers[-1].summary.counts}
    assert counts["alerts originated"] == 2
    assert counts["alerts received"] == 1
    assert (counts["logs"], counts["entries read"], counts["receipts"], counts["authorisations"]) == (2, 4, 3, 3)
    assert counts["entries"] == 4 + counts["events"]
    assert counts["details"] > 0
    passes = [getattr(answer.progress, "pass") for answer in answers if answer.HasField("progress")]
    assert [name for name, _ in groupby(passes)] == [
        *("tree", "signatures") * 2, "tree", "checkpoints", "entries", "contents", "journal"
    ]  # fmt: skip
    assert two["kh"].fsck() == []


@pytest.mark.parametrize("state", ["withdrawn", "restricted", "superseded"])
def test_an_alert_that_stands_otherwise_than_its_recalls_say_is_found(two: Federation, state: str) -> None:
    for office in (two["gb"], two["kh"]):
        assert "STATE_MISMATCH" in spoil(office, f"UPDATE alerts SET state = '{state}'")  # noqa: S608  a test's own words
        assert spoil(office, "UPDATE alerts SET state = 'active'") == []


# Logs


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE entries SET leaf = zeroblob(32) WHERE log_id = :ours AND idx = 1", "ENTRY_LEAF"),
        ("UPDATE entries SET leaf = zeroblob(32) WHERE log_id = :ours AND idx = 1", "RECEIPT_ROW"),
        ("UPDATE entries SET leaf = zeroblob(32) WHERE log_id = :ours AND idx = 1", "LOG_FRONTIER"),
        ("UPDATE entries SET entry = CAST(entry || x'7801' AS BLOB) WHERE log_id = :ours AND idx = 1", "ENTRY_MALFORMED"),
        ("DELETE FROM entries WHERE log_id = :ours AND idx = 1", "ENTRY_MISSING"),
        ("INSERT INTO entries SELECT log_id, idx + 1, entry, leaf, alert_ref, sealed FROM entries WHERE log_id = :ours AND idx = 2",
         "ENTRY_BEYOND_LOG"),
        ("UPDATE receipts SET previous_size = 1 WHERE log_id = :ours AND size = 3", "RECEIPT_TILES"),
        ("UPDATE receipts SET received_at = 1 WHERE log_id = :ours AND size = 3", "RECEIPT_ROW"),
        ("UPDATE receipts SET frontier = zeroblob(32) WHERE log_id = :ours AND size = 2", "RECEIPT_ROW"),
        ("UPDATE receipts SET statement = (SELECT statement FROM agreements) WHERE log_id = :ours AND size = 3", "RECEIPT_UNVERIFIED"),
        ("UPDATE receipts SET checkpoint = (SELECT checkpoint FROM receipts WHERE size = 2) WHERE log_id = :ours AND size = 3",
         "CHECKPOINT_UNVERIFIED"),
        ("UPDATE receipts SET checkpoint = x'' WHERE log_id = :ours AND size = 3", "CHECKPOINT_MISSING"),
        ("UPDATE receipts SET size = 9 WHERE log_id = :ours AND size = 3", "RECEIPT_BEYOND_LOG"),
        ("INSERT INTO exceptions VALUES (:ours, 1, 10)", "EXCEPTION_MISMATCH"),
        ("INSERT INTO exceptions VALUES (:ours, 7, 10)", "EXCEPTION_OUTSIDE_RECEIPT"),
    ],
)  # fmt: skip
def test_a_defect_of_our_own_log_is_found(two: Federation, statement: str, code: str) -> None:
    assert code in spoil(two["gb"], statement)


def test_a_mirror_is_checked_as_well(two: Federation) -> None:
    assert spoil(two["kh"], "UPDATE logs SET checkpoint = x'00' WHERE NOT outbound") == ["CHECKPOINT_UNVERIFIED"]
    assert "RECEIPT_BEYOND_LOG" in spoil(two["kh"], "UPDATE receipts SET size = 9 WHERE size = 3")


def test_a_time_that_falls_is_an_error_in_our_log_and_a_warning_in_a_partners(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    with gb.ports.store.read() as tx:
        (row,) = logs.entry_rows(tx, gb.outbound(kh).id, 2, 3)
    early = disclosure_pb2.Entry.FromString(row.entry)
    early.disclosed_at -= 2 * HOUR
    for office, severity in ((gb, desk_service_pb2.SEVERITY_ERROR), (kh, desk_service_pb2.SEVERITY_WARNING)):
        log = gb.outbound(kh) if office is gb else kh.mirror(gb)
        with office.ports.store.write() as tx:
            tx.exec_driver_sql(
                "UPDATE entries SET entry = ?, leaf = ? WHERE log_id = ? AND idx = 2", (encode(early), leaf_hash(encode(early)), log.id)
            )
        found = found_in(asked(office, "FSCK", log.name.origin))
        assert severity in {finding.severity for finding in found if finding.code == "DISCLOSED_AT_FALLS"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "HIGH_WATER_MISSING"),
        ((9, bytes(32)), "HIGH_WATER_ROLLBACK"),
        ((3, bytes(32)), "HIGH_WATER_FORK"),
        (b"torn", "HIGH_WATER_UNREADABLE"),
    ],
)
def test_the_high_water_record_is_compared(two: Federation, content: tuple[int, bytes] | bytes | None, code: str) -> None:
    gb, kh = two["gb"], two["kh"]
    origin = gb.outbound(kh).name.origin
    gb.close()
    for record in (gb.directory / "high-water").iterdir():
        record.unlink()
        if isinstance(content, bytes):
            record.write_bytes(content)
    gb.open()
    if isinstance(content, tuple):
        gb.ports.high_water.advance(origin, *content)
    assert code in gb.fsck()


def test_a_log_with_a_country_that_is_no_partner_any_more_is_checked_without_signatures(two: Federation) -> None:
    gb = two["gb"]
    assert "PARTNER_UNKNOWN" not in gb.fsck()
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("DELETE FROM partners")
    gb.restart()
    assert {"PARTNER_UNKNOWN", "AGREEMENT_UNKNOWN"} <= set(gb.fsck())


# Alerts


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE entries SET alert_ref = 99 WHERE idx = 2", "ENTRY_WITHOUT_ALERT"),
        ("UPDATE entries SET alert_ref = NULL WHERE idx = 2", "ENTRY_WITHOUT_ALERT"),
        ("UPDATE entries SET alert_ref = NULL WHERE idx = 2", "ALERT_WITHOUT_ENTRY"),
        ("UPDATE entries SET alert_ref = 1 WHERE idx = 2", "ENTRY_OF_OTHER_ALERT"),
        ("UPDATE alerts SET not_after = not_after + 1", "ROW_MISMATCH"),
        ("UPDATE alerts SET sealed = zeroblob(100)", "CONTENT_UNREADABLE"),
        ("UPDATE entries SET sealed = zeroblob(100)", "CONTENT_UNREADABLE"),
        ("UPDATE alerts SET state = 'erased'", "CONTENT_UNREADABLE"),
        ("UPDATE alerts SET wrapped_key = NULL", "CONTENT_ERASED"),
        ("DELETE FROM key_periods", "CONTENT_ERASED"),
        ("DELETE FROM answers", "ANSWER_MISMATCH"),
        ("UPDATE answers SET outbound = NOT outbound", "ANSWER_MISMATCH"),
        ("UPDATE answers SET answer = zeroblob(32)", "ANSWER_MISMATCH"),
    ],
)
@pytest.mark.parametrize("country", ["gb", "kh"])
def test_a_defect_of_an_alert_is_found_at_either_end(two: Federation, country: str, statement: str, code: str) -> None:
    office = two[country]
    if statement == "DELETE FROM key_periods":
        spoil(office, statement)
        office.restart()  # the vault remembers keys that it has opened
        assert code in office.fsck()
    else:
        assert code in spoil(office, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM inbox",
        "INSERT INTO inbox VALUES ('spiffe://kh.alerts.example/agency/anti-trafficking', 2)",
        "INSERT INTO inbox VALUES ('spiffe://kh.alerts.example/agency/anti-trafficking', 99)",
    ],
)
def test_an_inbox_holds_exactly_what_its_agency_was_given(two: Federation, statement: str) -> None:
    assert set(spoil(two["kh"], statement)) == {"INBOX_MISMATCH"}


def test_an_alert_that_stands_twice_is_found(two: Federation) -> None:
    with two["kh"].ports.store.write() as tx:
        tx.exec_driver_sql("CREATE TABLE twice AS SELECT * FROM alerts")
        tx.exec_driver_sql("DROP TABLE alerts")
        tx.exec_driver_sql("ALTER TABLE twice RENAME TO alerts")
        tx.exec_driver_sql("INSERT INTO alerts SELECT * FROM alerts WHERE id = 1")
        tx.exec_driver_sql("UPDATE alerts SET id = 77 WHERE rowid = (SELECT max(rowid) FROM alerts)")
    assert {"ALERT_TWICE", "ALERT_WITHOUT_ENTRY"} <= set(two["kh"].fsck())


def test_the_same_disclosed_twice_is_found(two: Federation) -> None:
    two["gb"].log_again(two["kh"], 0)
    assert two["gb"].fsck() == ["DISCLOSED_TWICE"]


def test_a_field_that_the_clause_does_not_allow_is_found(tmp_path: Path) -> None:
    narrow = with_clause(agreement(), "gb-kh-travelalert-border", permitted=[])
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", narrow)
        published = two["gb"].publish(draft(KH_BORDER))
        allowed = list(published.disclosures[0].fields)
        leaked = next(number for number in range(1, 35) if number not in allowed)
        two["gb"].log_again(two["kh"], 0, fields=sorted([*allowed, leaked]))
        assert two["gb"].fsck() == ["NOT_AGREED"]


def test_a_fragment_beyond_the_entry_is_found_at_the_recipient(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    with gb.ports.store.read() as tx:
        (whole,) = [row for row in alerts.page_all(tx, 0, 10) if row.id == 2]
        content = unpack_content(open_row(gb, tx, whole).open(purpose_of_alert(whole.alert_id), whole.sealed or b""))
    purpose = purpose_of_entry(whole.alert_id, kh.mirror(gb).name.origin)
    with kh.ports.store.write() as tx:
        (row,) = [row for row in alerts.page_all(tx, 0, 10) if row.digest == whole.digest]
        sealed = open_row(kh, tx, row).seal(purpose, pack_content(content.manifest, content.openings))  # type: ignore[arg-type]
        tx.exec_driver_sql("UPDATE entries SET sealed = ? WHERE alert_ref = ?", (sealed, row.id))
    assert kh.fsck() == ["OPENINGS_MISMATCH"]


def open_row(office: Office, tx: Transaction, row: alerts.AlertRow) -> DataKey:
    return office.ports.vault.unwrap(tx, row.period, row.wrapped_key)


def test_another_content_than_the_manifest_commits_to_is_found_at_the_originator(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        (row,) = [row for row in alerts.page_all(tx, 0, 10) if row.id == 1]
        data_key = open_row(gb, tx, row)
        content = unpack_content(data_key.open(purpose_of_alert(row.alert_id), row.sealed or b""))
        content.openings[0].fragment = b""
        tx.exec_driver_sql(
            "UPDATE alerts SET sealed = ? WHERE id = 1", (data_key.seal(purpose_of_alert(row.alert_id), content.SerializeToString()),)
        )
    assert gb.fsck() == ["OPENINGS_MISMATCH"]


def test_a_manifest_under_another_key_is_found(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        (row,) = [row for row in alerts.page_all(tx, 0, 10) if row.id == 1]
        data_key = open_row(gb, tx, row)
        content = unpack_content(data_key.open(purpose_of_alert(row.alert_id), row.sealed or b""))
        content.manifest.CopyFrom(sign_statement("manifest", content.manifest.payload, [key("gb", "node")]))
        tx.exec_driver_sql(
            "UPDATE alerts SET sealed = ? WHERE id = 1", (data_key.seal(purpose_of_alert(row.alert_id), content.SerializeToString()),)
        )
    assert gb.fsck() == ["MANIFEST_UNVERIFIED"]


def test_another_authorisation_than_the_entry_commits_to_is_found(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    origin = gb.outbound(kh).name.origin
    with gb.ports.store.write() as tx:
        (row,) = [row for row in alerts.page_all(tx, 0, 10) if row.id == 1]
        sealed = open_row(gb, tx, row).seal(purpose_of_entry(row.alert_id, origin), bytes(32) + b'{"at":0}')
        tx.exec_driver_sql("UPDATE entries SET sealed = ? WHERE alert_ref = 1 AND idx = 0", (sealed,))
    assert gb.fsck() == ["AUTHORISATION_MISMATCH"]


def test_something_kept_of_an_excepted_delivery_is_found(two: Federation) -> None:
    found = spoil(two["kh"], "INSERT INTO exceptions SELECT id, 1, 10 FROM logs WHERE NOT outbound")
    assert set(found) == {"EXCEPTION_MISMATCH", "EXCEPTED_BUT_KEPT"}


def test_erased_is_erased_and_not_a_defect(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.read() as tx:
        references = [row.id for row in alerts.every(tx)]
    assert erase.intend(gb.ports, gb.domain, references) == len(references)
    erase.finish(gb.ports)
    assert gb.fsck() == []


def test_findings_are_counted_beyond_those_that_are_kept() -> None:
    findings = Findings()
    for _ in range(AT_MOST + 5):
        findings.error("X", "synthetic")
    assert (len(findings.found), findings.counts["findings"]) == (AT_MOST, AT_MOST + 5)


# Reviews


def test_both_countries_compare_one_hash(two: Federation) -> None:
    ours = {log.origin: log for log in review.list_logs(two["gb"].ports, two["gb"].person("auditor"))}
    theirs = {log.origin: log for log in review.list_logs(two["kh"].ports, two["kh"].person("auditor"))}
    assert ours.keys() == theirs.keys()
    for origin, log in ours.items():
        other = theirs[origin]
        assert (log.size, log.root, log.receipted_size, log.outbound) == (other.size, other.root, other.receipted_size, not other.outbound)


def test_a_log_is_read_in_pages_with_its_newest_checkpoint(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    origin = gb.outbound(kh).name.origin
    request = desk_service_pb2.GetLogRequest(origin=origin, page_size=2, **{"from": 1})
    answer = review.get_log(gb.ports, gb.person("auditor"), request)
    assert [entry.index for entry in answer.entries] == [1, 2]
    assert all(entry.leaf_hash == leaf_hash(entry.entry) for entry in answer.entries)
    assert answer.checkpoint.startswith(f"{origin}\n3\n".encode())
    assert {entry.state for entry in answer.entries} == {desk_service_pb2.DISCLOSURE_STATE_RECEIPTED}
    gb.publish(draft(KH_BORDER))
    grown = review.get_log(gb.ports, gb.person("auditor"), changed(request, page_size=0))
    assert grown.checkpoint.startswith(f"{origin}\n4\n".encode())
    assert grown.entries[-1].state == desk_service_pb2.DISCLOSURE_STATE_LOGGED
    assert not review.get_log(gb.ports, gb.person("auditor"), desk_service_pb2.GetLogRequest(origin=origin, **{"from": 9})).entries


def test_a_log_that_may_not_be_signed_shows_what_was_receipted(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    origin = gb.outbound(kh).name.origin
    gb.ports.high_water.advance(origin, 9, bytes(32))
    answer = review.get_log(gb.ports, gb.person("auditor"), desk_service_pb2.GetLogRequest(origin=origin))
    assert answer.checkpoint.startswith(f"{origin}\n3\n".encode())


def test_verification_is_of_one_log_or_of_all(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    answers = asked(gb, "VERIFY")
    assert (len(answers[-1].summary.logs), found_in(answers)) == (2, [])
    one = asked(gb, "VERIFY", kh.outbound(gb).name.origin)
    assert [log.origin for log in one[-1].summary.logs] == [kh.outbound(gb).name.origin]
    assert {answer.progress.origin for answer in one if answer.HasField("progress")} == {kh.outbound(gb).name.origin}
    stranger = "gb.alerts.example/disclosures/vn.alerts.example/1"
    with refused(NotFound, "LOG_UNKNOWN"):
        asked(gb, "VERIFY", stranger)
    with refused(Malformed, "CHECK_SCOPE"):
        asked(gb, "UNSPECIFIED")
    with refused(NotFound, "LOG_UNKNOWN"):
        review.get_log(gb.ports, gb.person("auditor"), desk_service_pb2.GetLogRequest(origin=stranger))


def test_reviews_are_for_reviewers_and_stand_in_the_journal(two: Federation) -> None:
    gb = two["gb"]
    for scope in ("VERIFY", "FSCK", "GAPS"):
        with refused(NotPermitted, "ROLE_MISSING"):
            asked(gb, scope, name="border")
        asked(gb, scope, name="administrator")
    with refused(NotPermitted, "ROLE_MISSING"):
        review.list_logs(gb.ports, gb.person("border"))
    review.list_logs(gb.ports, gb.person("administrator"))
    with refused(NotPermitted, "ROLE_MISSING"):
        review.get_log(gb.ports, gb.person("administrator"), desk_service_pb2.GetLogRequest())
    told = [(kind, who.rpartition("/")[2], code) for kind, who, _, code in gb.journal()[-9:]]
    away = ("refusal", "border", "ROLE_MISSING")
    reviews = [("review", "administrator", code) for code in ("VERIFICATION", "STORE", "GAPS", "LOGS")]
    told_apart = [one for review_ in reviews for one in (away, review_)]
    assert told == [*told_apart, ("refusal", "administrator", "ROLE_MISSING")]


def test_nodes_are_made_anew_from_sound_leaves_and_never_over_altered_ones(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    log = gb.outbound(kh)
    rows = [
        {"log_id": log.id, "idx": index, "entry": b"%d" % index, "leaf": leaf_hash(b"%d" % index), "alert_ref": None, "sealed": None}
        for index in range(log.size, 600)
    ]
    with gb.ports.store.write() as tx:
        frontier = log.frontier.extend([leaf_hash(b"%d" % index) for index in range(log.size, 600)])
        logs.grow(tx, log, frontier, rows, disclosed_at=log.last_disclosed_at, control_size=log.control_size)
        before = tx.exec_driver_sql("SELECT * FROM nodes ORDER BY 1, 2, 3").fetchall()
        tx.exec_driver_sql("DELETE FROM nodes WHERE idx = 1")
        tx.exec_driver_sql("UPDATE nodes SET hash = zeroblob(32)")
        tx.exec_driver_sql("INSERT INTO nodes VALUES (?, 2, 0, zeroblob(32))", (log.id,))
    request = desk_service_pb2.CheckRecordsRequest(scope=desk_service_pb2.CHECK_SCOPE_VERIFY, origin=log.name.origin, rebuild_nodes=True)
    assert {"TREE_NODE", "TREE_NODE_MISSING", "TREE_NODE_SURPLUS"} <= {finding.code for finding in found_in(asked(gb, "VERIFY"))}
    with refused(NotPermitted, "ROLE_MISSING"):
        list(check_records(gb.ports, gb.person("auditor"), request))
    assert found_in(list(check_records(gb.ports, gb.person("administrator"), request))) == []
    with gb.ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT * FROM nodes ORDER BY 1, 2, 3").fetchall() == before
    assert len(before) == 2
    spoil(gb, "UPDATE entries SET leaf = zeroblob(32) WHERE idx = 300")
    with refused(Conflict, "TREE_NOT_REBUILT"):
        list(check_records(gb.ports, gb.person("administrator"), request))
    spoil(gb, "DELETE FROM entries WHERE idx = 300")
    with refused(Conflict, "TREE_NOT_REBUILT"):
        list(check_records(gb.ports, gb.person("administrator"), request))
