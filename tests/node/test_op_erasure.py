"""An erased alert: nothing of it is readable, everything that proves its disclosure still holds, and the journal says so."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Malformed, NotFound, Refused
from exchange.evidence import verify_evidence
from exchange.journal import SALT_SIZE, open_journal_checkpoint, open_journal_entry
from exchange.profile import alert_type
from exchange.retention import NationalRule
from exchange.tlog.merkle import leaf_hash, verify_inclusion
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import evidence_pb2, handling_pb2
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations import erase, erasure_proof, evidence, inbox, outbox, recipients, retention
from node.operations.officers import NotPermitted
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.engine import Store
from node.store.errors import StoreFailed
from node.store.journal import PERSONAL
from node.store.retention import unfinished
from tests.countries import BORDER, DAY, NOW, POLICE, TRAVEL, agency, node, pins
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
ORIGIN = "gb.alerts.example/disclosures/kh.alerts.example/1"
ENTRY_ONLY, DATA = evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY, evidence_pb2.EVIDENCE_LEVEL_DATA
NODE = {country: f"spiffe://{country}.alerts.example/node" for country in ("gb", "kh")}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb told kh's police (index 0) and border (index 1) of one alert, and the police (index 2) of another."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        for to in ((KH_POLICE, KH_BORDER), (KH_POLICE,)):
            assert not made["gb"].publish(draft(*to)).problems
        made.pump()
        yield made


def rows(office: Office) -> list[AlertRow]:
    with office.ports.store.read() as tx:
        return list(alerts.every(tx))


def erase_first(office: Office) -> AlertRow:
    first = rows(office)[0]
    erase.intend(office.ports, office.domain, [first.id])
    assert erase.finish(office.ports) == 1
    return first


def erasures(office: Office) -> list[tuple[str, str, str]]:
    """(who, what, code)."""
    return [(who, what, code) for kind, who, what, code in office.journal() if kind == "erasure"]


def personal_details(office: Office) -> list[JournalPersonal]:
    journal = office.ports.journal
    with office.ports.store.read() as tx:
        found = [journal.detail(tx, index, PERSONAL) for index in range(journal.edge(tx).frontier.size)]
    return [JournalPersonal.FromString(detail[SALT_SIZE:]) for detail in found if detail is not None]


def test_keys_and_contents_go_and_everything_that_is_proof_stays(two: Federation) -> None:
    for office in (two["gb"], two["kh"]):
        before, others = rows(office)[0], rows(office)[1:]
        log = office.outbound(two["kh"]) if office.country == "gb" else office.mirror(two["gb"])
        erase_first(office)
        after = rows(office)[0]
        assert (after.wrapped_key, after.sealed, after.state, after.arrives_at, after.due_at) == (None, None, "erased", 0, 0)
        kept = ("id", "alert_id", "digest", "own", "alert_type", "originator", "issued_at", "not_after", "recorded_at", "erase_by")
        assert all(getattr(after, name) == getattr(before, name) for name in kept)
        assert rows(office)[1:] == others
        again = office.outbound(two["kh"]) if office.country == "gb" else office.mirror(two["gb"])
        assert again.frontier == log.frontier
        with office.ports.store.read() as tx:
            sealed = [row.sealed is None for row in logs.entry_rows(tx, log.id, 0, 3)]
        assert sealed == [True, True, False]
        assert office.fsck() == []


def test_it_is_journalled_as_intended_and_as_done(two: Federation) -> None:
    digest = erase_first(two["gb"]).digest.hex()
    assert erasures(two["gb"]) == [(NODE["gb"], digest, "INTENDED"), (NODE["gb"], digest, "DONE")]


def test_nothing_is_erased_twice(two: Federation) -> None:
    first = erase_first(two["gb"])
    assert erase.intend(two["gb"].ports, two["gb"].domain, [first.id]) == 0
    assert erase.finish(two["gb"].ports) == 0
    assert len(erasures(two["gb"])) == 2


def test_an_erasure_under_way_is_not_begun_again(two: Federation) -> None:
    first = rows(two["gb"])[0]
    assert [erase.intend(two["gb"].ports, two["gb"].domain, [first.id]) for _ in range(2)] == [1, 0]


def test_officers_read_the_record_of_what_was_told_and_nothing_else(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = erase_first(gb).digest.hex()
    erase_first(kh)
    own = outbox.get_alert(gb.ports, gb.person("liaison"), digest)
    assert (list(own.summary.flags), own.view, own.HasField("handling")) == (["ERASED"], b"", False)
    told = outbox.get_status(gb.ports, gb.person("liaison"), digest).disclosures
    assert [list(one.disclosure.audience) for one in told] == [[KH_BORDER], [KH_POLICE]]
    got = inbox.get_inbox_alert(kh.ports, kh.person("police"), digest)
    assert ("ERASED" in got.summary.flags, got.view, got.handling.ByteSize(), got.confirmed_now) == (True, b"", 0, False)
    (record,) = got.disclosures
    assert (list(record.audience), record.clause, record.disclosed_at) == ([KH_POLICE], "gb-kh-travelalert-police", NOW)
    assert set(record.fields).isdisjoint(got.undisclosed)
    assert len(kh.received("police")) == 2


def test_only_the_entry_can_be_proved_afterwards_and_older_evidence_still_holds(two: Federation) -> None:
    gb = two["gb"]
    liaison = gb.person("liaison")
    before = evidence.export_evidence(gb.ports, liaison, ORIGIN, 0, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS)
    erase_first(gb)
    for level in (DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS):
        with pytest.raises(NotFound, match="only level entry_only"):
            evidence.export_evidence(gb.ports, liaison, ORIGIN, 0, level)
    after = verify_evidence(evidence.export_evidence(gb.ports, liaison, ORIGIN, 0, ENTRY_ONLY), pins("gb", "kh"))
    assert (after.level, after.index, list(after.entry.audience)) == (ENTRY_ONLY, 0, [KH_BORDER])
    assert verify_evidence(before, pins("gb", "kh")).index == 0
    assert verify_evidence(evidence.export_evidence(gb.ports, liaison, ORIGIN, 2, DATA), pins("gb", "kh")).view


def test_what_the_originator_erased_is_withheld_if_it_is_told_again(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = erase_first(gb).digest
    gb.log_again(kh, 1, audience=[KH_POLICE])
    two.pump()
    assert ("EXCEPTED", "WITHHELD", "ERASED") in gb.fates(digest)
    assert gb.fsck() == kh.fsck() == []


def test_what_the_recipient_erased_and_is_told_again_is_kept_anew(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = erase_first(kh).digest
    two.clock.pass_(5 * DAY)
    gb.log_again(kh, 0, purpose=handling_pb2.PURPOSE_BORDER_CONTROL)
    two.pump()
    again = rows(kh)[0]
    assert (again.state, again.recorded_at, again.erase_by) == ("active", NOW + 5 * DAY, NOW + 185 * DAY)
    seen = {name: inbox.get_inbox_alert(kh.ports, kh.person(name), digest.hex()) for name in ("border", "police")}
    assert seen["border"].view
    assert (seen["police"].view, len(seen["police"].undisclosed)) == (b"", len(alert_type(TRAVEL).numbers))
    assert kh.fsck() == []
    assert digest in {alert.summary.manifest_digest for alert in find(kh, "925076473")}
    erase_first(kh)
    assert kh.fsck() == []
    assert [code for _, _, code in erasures(kh)] == ["INTENDED", "DONE"] * 2


# A crash


@pytest.mark.parametrize("step", ["intended", "destroyed"])
def test_an_erasure_that_a_crash_left_is_finished_at_the_next_start(two: Federation, step: str) -> None:
    gb = two["gb"]
    first = rows(gb)[0]
    erase.intend(gb.ports, gb.domain, [first.id])
    if step == "destroyed":
        erase.destroy(gb.ports)
    gb.restart()
    assert rows(gb)[0].state == ("active" if step == "intended" else "erased")
    assert gb.fsck() == ["ERASURE_UNDER_WAY"]
    assert [code for *_, code in erasures(gb)] == ["INTENDED"]
    assert erase.finish(gb.ports) == 1
    assert rows(gb)[0].state == "erased"
    assert [code for *_, code in erasures(gb)] == ["INTENDED", "DONE"]
    assert gb.fsck() == []


def test_it_is_not_called_done_while_older_copies_of_its_pages_are_left(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb = two["gb"]
    erase.intend(gb.ports, gb.domain, [rows(gb)[0].id])

    def busy(_self: Store) -> None:
        raise StoreFailed("STORE_LOCKED", "a read that does not end")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "empty_journal", busy)
        with refused(StoreFailed, "STORE_LOCKED"):
            erase.finish(gb.ports)
    assert [code for *_, code in erasures(gb)] == ["INTENDED"]
    with gb.ports.store.read() as tx:
        assert [row.done_at for row in unfinished(tx, 9)] == [None]
    assert erase.finish(gb.ports) == 1
    assert [code for *_, code in erasures(gb)] == ["INTENDED", "DONE"]


def test_what_is_told_again_between_destruction_and_deed_is_not_destroyed_with_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    erase.intend(kh.ports, kh.domain, [rows(kh)[0].id])
    erase.destroy(kh.ports)
    gb.log_again(kh, 0, purpose=handling_pb2.PURPOSE_BORDER_CONTROL)
    two.pump()
    assert rows(kh)[0].state == "active"
    kh.restart()
    assert erase.finish(kh.ports) == 1
    assert rows(kh)[0].state == "active"


# Keys of months, and what the journal itself keeps


def test_the_key_of_a_month_goes_when_nothing_is_left_under_it(two: Federation) -> None:
    gb = two["gb"]
    periods = {row.period for row in rows(gb)}
    assert len(periods) == 1
    two.clock.pass_(60 * DAY)
    assert erase.intend_periods(gb.ports, gb.domain) == []
    erase_first(gb)
    assert erase.intend_periods(gb.ports, gb.domain) == []
    two.clock.pass_(200 * DAY)
    answer = retention.run(gb.ports, gb.person("administrator"), dry_run=False)
    assert (answer.erased, answer.periods) == (1, 1)
    assert [code for *_, code in erasures(gb)][-2:] == ["PERIOD_INTENDED", "PERIOD_DONE"]
    with gb.ports.store.read() as tx:
        left = set(tx.exec_driver_sql("SELECT period FROM key_periods").scalars())
    assert left.isdisjoint(periods)
    assert {"journal-accountability", "journal-personal"} <= left
    assert gb.fsck() == []


def test_the_key_of_the_month_that_runs_stays(two: Federation) -> None:
    gb = two["gb"]
    erase.intend(gb.ports, gb.domain, [row.id for row in rows(gb)])
    erase.finish(gb.ports)
    assert erase.intend_periods(gb.ports, gb.domain) == []


def test_personal_details_of_the_journal_go_after_the_national_limit(two: Federation) -> None:
    kh = two["kh"]
    kh.ports = replace(kh.ports, retention=NationalRule(default_days=100))
    kh.received("police")
    two.clock.pass_(50 * DAY)
    kh.received("police")
    assert len(personal_details(kh)) == 2
    two.clock.pass_(51 * DAY)
    assert erase.expire_details(kh.ports, kh.domain) == 1
    assert len(personal_details(kh)) == 1
    assert [code for *_, code in erasures(kh)] == ["INTENDED", "DONE"]
    assert erase.expire_details(kh.ports, kh.domain) == 0
    assert kh.fsck() == []


# Who was told about a person


def find(office: Office, subject: str, born: str = "", reason: str = "complaint 1 (synthetic)") -> list[messages.FoundAlert]:
    asked = messages.FindRecipientsRequest(subject=subject, born=born, reason=reason)
    return list(recipients.find_recipients(office.ports, office.person("auditor"), asked).alerts)


@pytest.mark.parametrize(
    ("subject", "born"),
    [
        ("925076473", ""),
        ("9250 76473", ""),
        ("Thomas Specimen Example", "1961-04-12"),
        ("EXAMPLE THOMAS SPECIMEN", "1961"),
        ("Tom Sample", "196X"),
    ],
)
def test_an_auditor_finds_who_was_told_about_a_person_by_document_or_by_name_and_birth(two: Federation, subject: str, born: str) -> None:
    found = find(two["gb"], subject, born)
    assert [[list(one.disclosure.audience) for one in alert.disclosures] for alert in found] == [[[KH_POLICE]], [[KH_BORDER], [KH_POLICE]]]
    assert all(one.disclosure.fields and one.disclosure.clause and one.disclosed_at == NOW for alert in found for one in alert.disclosures)
    assert [alert.own for alert in found] == [True, True]
    assert [alert.own for alert in find(two["kh"], subject, born)] == [False, False]


@pytest.mark.parametrize(
    ("subject", "born"), [("925076474", ""), ("Thomas Example", "1961"), ("Tom Sample", "1962"), ("Tom Sample", "1961-05-01")]
)
def test_nobody_else_is_found(two: Federation, subject: str, born: str) -> None:
    assert find(two["gb"], subject, born) == []


def test_the_question_is_recorded_with_its_reason_and_goes_with_the_last_alert_that_it_found(two: Federation) -> None:
    gb = two["gb"]
    find(gb, "Tom Sample", "1961")
    find(gb, "Nobody Known", "1970")
    assert [event for event in gb.journal() if event[0] == "consultation"] == [("consultation", gb.person("auditor"), "", "SEARCH")] * 2
    asked = [(detail.query, len(detail.results)) for detail in personal_details(gb)]
    assert asked == [("Tom Sample\n1961", 2), ("Nobody Known\n1970", 0)]
    first, second = rows(gb)
    erase.intend(gb.ports, gb.domain, [first.id])
    erase.finish(gb.ports)
    assert len(personal_details(gb)) == 2
    erase.intend(gb.ports, gb.domain, [second.id])
    erase.finish(gb.ports)
    assert [detail.query for detail in personal_details(gb)] == ["Nobody Known\n1970"]
    assert gb.fsck() == []


def test_what_one_answer_does_not_carry_is_counted(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb = two["gb"]
    asked = messages.FindRecipientsRequest(subject="925076473", reason="complaint 1 (synthetic)")
    assert recipients.find_recipients(gb.ports, gb.person("auditor"), asked).left_out == 0
    monkeypatch.setattr(recipients, "AT_MOST", 1)
    answer = recipients.find_recipients(gb.ports, gb.person("auditor"), asked)
    assert (answer.left_out, [alert.summary.manifest_digest for alert in answer.alerts]) == (1, [rows(gb)[1].digest])


def test_who_was_erased_is_not_found_any_more(two: Federation) -> None:
    digest = erase_first(two["gb"]).digest
    assert [alert.summary.manifest_digest for alert in find(two["gb"], "925076473")] != [digest]
    assert len(find(two["gb"], "925076473")) == 1
    with two["gb"].ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM subject_index").scalar() == 1


def test_nobody_but_an_auditor_searches_for_people_and_nobody_without_a_reason(two: Federation) -> None:
    gb = two["gb"]
    asked = messages.FindRecipientsRequest(subject="925076473", reason="because")
    for name in ("liaison", "administrator", "police"):
        with refused(NotPermitted, "ROLE_MISSING"):
            recipients.find_recipients(gb.ports, gb.person(name), asked)
    with refused(Refused, "REASON_MISSING"):
        find(gb, "925076473", reason="  ")
    for subject, born in (("", ""), ("--", ""), ("...", "1961")):
        with refused(Malformed, "SUBJECT"):
            find(gb, subject, born)


# The proof of an erasure


@pytest.mark.parametrize("country", ["gb", "kh"])
def test_an_erasure_is_proved_by_the_journal(two: Federation, country: str) -> None:
    office = two[country]
    digest = erase_first(office).digest
    proof = erasure_proof.prove_erasure(office.ports, office.person("auditor"), digest.hex())
    checkpoint = open_journal_checkpoint(proof.checkpoint, node(country), NOW)
    codes = []
    for one in proof.entries:
        verify_inclusion(leaf_hash(one.entry), one.index, checkpoint.size, list(one.inclusion_proof), checkpoint.root)
        entry = open_journal_entry(one.entry)
        assert entry.subject == digest
        codes.append(entry.code)
    assert codes == ["INTENDED", "DONE"]
    assert ([log.origin for log in proof.logs], list(proof.findings)) == ([ORIGIN], [])
    assert [list(one.disclosure.audience) for one in proof.disclosures] == [[KH_BORDER], [KH_POLICE]]


def test_there_is_no_proof_of_an_erasure_that_was_not_made_or_of_another_agencys(two: Federation) -> None:
    gb = two["gb"]
    first, second = rows(gb)
    erase_first(gb)
    with refused(NotFound, "ERASURE_NONE"):
        erasure_proof.prove_erasure(gb.ports, gb.person("auditor"), second.digest.hex())
    with refused(NotFound, "ALERT_NOT_FOUND"):
        erasure_proof.prove_erasure(gb.ports, gb.person("both"), first.digest.hex())
    erase.intend(gb.ports, gb.domain, [second.id])
    half = erasure_proof.prove_erasure(gb.ports, gb.person("liaison"), second.digest.hex())
    assert [finding.code for finding in half.findings] == ["ERASURE_UNDER_WAY"]


# What a check of the records finds


def test_an_erasure_that_the_journal_does_not_tell_of_is_found(two: Federation) -> None:
    gb = two["gb"]
    first = rows(gb)[0]
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET state = 'erased', wrapped_key = NULL, sealed = NULL, due_at = 0 WHERE id = ?", (first.id,))
        tx.exec_driver_sql("UPDATE entries SET sealed = NULL WHERE alert_ref = ?", (first.id,))
    assert sorted(gb.fsck()) == ["ERASURE_INCOMPLETE", "ERASURE_NOT_RECORDED"]


def test_something_left_of_an_erased_alert_is_found(two: Federation) -> None:
    gb = two["gb"]
    sealed = rows(gb)[0].sealed
    first = erase_first(gb)
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET sealed = ? WHERE id = ?", (sealed, first.id))
    assert gb.fsck() == ["CONTENT_UNREADABLE"]


def test_openings_that_go_without_an_erasure_are_found(two: Federation) -> None:
    kh = two["kh"]
    with kh.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE entries SET sealed = NULL WHERE idx = 0")
    assert kh.fsck() == ["CONTENT_UNREADABLE"]
