"""Deliveries as they go wrong and right again: withheld, excepted, interrupted, sent twice, succeeded by another log."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Conflict, Unverified
from exchange.v1 import disclosure_pb2, handling_pb2, receipt_pb2, statement_pb2
from node.operations import succeed
from node.operations.deliver import FEW, WINDOW
from node.operations.partners import refresh_partner
from node.store import alerts, logs
from tests import builders
from tests.countries import BORDER, DAY, HOUR, POLICE, agency, agreement, changed, compromised, descriptor, key, known, with_key
from tests.federation import Federation, Stream, federation, same_log
from tests.refusals import refused
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)


def held(office: Office, field: str) -> None:
    with office.ports.store.write() as tx:
        tx.exec_driver_sql(f"UPDATE alerts SET {field}")  # noqa: S608  a test's own words


def digests(office: Office) -> list[bytes]:
    with office.ports.store.read() as tx:
        return [alert.digest for alert in alerts.every(tx)]


RECEIPTED = ("RECEIPTED", "UNSPECIFIED", "UNSPECIFIED")


# Decided again just before sending


def withheld(code: str) -> list[tuple[str, str, str]]:
    return [("EXCEPTED", "WITHHELD", code)]


def test_what_expired_while_it_waited_goes_without_its_content(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER, not_after=two.clock.now_ms() + HOUR))
    later = gb.publish(draft(KH_BORDER))
    two.clock.pass_(HOUR)
    two.pump()
    assert gb.fates(published.manifest_digest) == withheld("EXPIRED")
    assert gb.fates(later.manifest_digest) == [RECEIPTED]
    assert [alert.alert_id for alert in kh.received()] == [later.alert_id]
    assert same_log(gb, kh)
    assert kh.alarms() == set()
    assert gb.fsck() == kh.fsck() == []


@pytest.mark.parametrize(
    ("change", "code"), [("state = 'withdrawn'", "WITHDRAWN"), ("wrapped_key = NULL, sealed = NULL, state = 'erased'", "ERASED")]
)
def test_what_was_recalled_or_erased_while_it_waited_goes_without_its_content(two: Federation, change: str, code: str) -> None:
    published = two["gb"].publish(draft(KH_BORDER))
    held(two["gb"], change)
    two.pump()
    assert two["gb"].fates(published.manifest_digest) == withheld(code)
    assert not two["kh"].received()


def test_what_an_agreement_no_longer_admits_goes_without_its_content(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        published = two["gb"].publish(draft(KH_BORDER))
        two.clock.pass_(HOUR)
        two.pump()
        assert two["gb"].fates(published.manifest_digest) == withheld("LAPSED")
        assert two["gb"].fsck() == []


def test_what_a_revoked_key_signed_goes_without_its_content(two: Federation) -> None:
    gb = two["gb"]
    published = gb.publish(draft(KH_BORDER))
    stolen = with_key(descriptor("gb"), key("gb", builders.agency_name("gb", POLICE)), **compromised(two.clock.now_ms() - DAY))
    gb.own = known(descriptor("gb"), changed(stolen, sequence=2))
    gb.restart()
    two.pump()
    assert gb.fates(published.manifest_digest) == withheld("KEY_REVOKED")


def test_while_clocks_stand_apart_ordinary_alerts_wait_and_before_a_recall_they_go_without_content(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER))
    late = disclosure_pb2.Hello(time=two.clock.now_ms() + 10 * 60_000)
    stream = Stream(gb, kh, offered=late)
    assert stream.send() is None
    assert gb.alarms() == {"CLOCKS_APART"}
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE logs SET control_size = 1 WHERE outbound")
    assert stream.run() == 1
    assert gb.fates(published.manifest_digest) == withheld("CLOCK")
    Stream(gb, kh)
    assert gb.alarms() == set()


# Exceptions


def test_what_the_recipient_cannot_accept_is_excepted_kept_nowhere_and_repaired_by_a_new_entry(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER))
    forgotten, kh.ports.acquaintance.known = kh.ports.known, replace(kh.ports.known, agreements={})
    two.pump()
    assert gb.fates(published.manifest_digest) == [("EXCEPTED", "NOT_AGREED", "UNSPECIFIED")]
    assert not kh.received()
    assert kh.alarms() == {"NOT_AGREED"}
    kh.ports.acquaintance.known = forgotten
    gb.log_again(kh, 0)
    two.pump()
    assert gb.fates(published.manifest_digest)[1] == RECEIPTED
    assert [alert.alert_id for alert in kh.received()] == [published.alert_id]
    assert gb.fsck() == kh.fsck() == []


def test_two_successors_of_one_alert_contradict_each_other_and_the_first_stays(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = gb.publish(draft(KH_BORDER)).manifest_digest
    second = gb.publish(draft(KH_BORDER, supersedes=[first])).manifest_digest
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("DELETE FROM supersessions")  # a sender that does not look after its own
    third = gb.publish(draft(KH_BORDER, supersedes=[first])).manifest_digest
    with gb.ports.store.write() as tx:
        alerts.note_supersessions(tx, [(first, second)], agency("gb", POLICE))
    two.pump()
    assert gb.fates(third) == [("EXCEPTED", "CONFLICT", "UNSPECIFIED")]
    assert {alert.manifest_digest: list(alert.flags) for alert in kh.received()} == {first: ["SUPERSEDED"], second: ["CONFLICT"]}
    assert kh.alarms() == {"CONFLICT"}
    with kh.ports.store.read() as tx:
        assert [digest for digest, _ in alerts.all_conflicts(tx)] == [third]
    assert gb.fsck() == kh.fsck() == []


def test_what_a_stolen_key_signed_is_unconfirmed_from_the_theft_on(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    earlier = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    two.clock.pass_(HOUR)
    since = two.clock.now_ms()
    two.clock.pass_(HOUR)
    later = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    stolen = with_key(descriptor("gb"), key("gb", builders.agency_name("gb", POLICE)), **compromised(since) | {"revoked_at": since + HOUR})
    refresh_partner(kh.ports, gb.domain, known(descriptor("gb"), changed(stolen, sequence=2)).chain)
    assert {alert.manifest_digest: "UNCONFIRMED" in alert.flags for alert in kh.received()} == {earlier: False, later: True}
    assert kh.fsck() == ["MANIFEST_UNCONFIRMED"]


# Streams that break


def test_a_crash_after_the_release_loses_nothing(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER))
    gb.restart()
    two.pump()
    assert [alert.alert_id for alert in kh.received()] == [published.alert_id]
    assert same_log(gb, kh)


def test_a_receipt_that_was_lost_is_sent_again_verbatim(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    batch = stream.send()
    assert batch is not None
    lost = stream.take(batch)
    kh.restart()
    gb.restart()
    two.clock.pass_(HOUR)
    assert two.pump() == 0
    assert same_log(gb, kh)
    with gb.ports.store.read() as tx:
        (kept,) = logs.receipts_above(tx, gb.outbound(kh).id, 0, 10)
    assert lost is not None
    assert kept.statement == lost.SerializeToString()
    assert "RECEIPT_CLOCK" in gb.alarms()


def test_a_receipt_settled_twice_is_settled_once_and_another_for_the_same_entries_is_refused(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    batch = stream.send()
    assert batch is not None
    receipt = stream.take(batch)
    assert receipt is not None
    stream.settle(receipt)
    stream.settle(receipt)
    entries = [batch.deliveries[0].entry]
    with refused(Conflict, "RECEIPT_TILES"):
        stream.settle(builders.receipt(entries, received_at=two.clock.now_ms() + 1))
    with refused(Conflict, "RECEIPT_CHECKPOINT"):
        stream.settle(builders.receipt([*entries, b"never logged"], previous_size=1))
    with refused(Unverified, "RECEIPT_KEY"):
        stream.settle(builders.receipt(entries, signer=key("vn", "receipt")))
    assert gb.alarms() == {"RECEIPT_TILES", "RECEIPT_CHECKPOINT", "RECEIPT_KEY"}


def test_a_batch_sent_twice_ends_the_stream_and_changes_nothing(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    batch = stream.send()
    assert batch is not None
    receipt = stream.take(batch)
    with refused(Conflict, "LOG_MISMATCH"):
        stream.take(batch)
    assert kh.alarms() == {"LOG_MISMATCH"}
    assert kh.mirror(gb).state == "open"
    assert receipt is not None
    gb.publish(draft(KH_BORDER))
    two.pump()
    assert same_log(gb, kh)
    assert len(kh.received()) == 2


def test_refusals_of_different_checks_ascend_in_the_receipt(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER, not_after=two.clock.now_ms() + HOUR))
    gb.publish(draft(KH_BORDER))
    gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    batch = stream.send()
    assert batch is not None
    batch.deliveries[1].manifest.signatures[0].signature = bytes(64)  # found before anything is asked of the time
    batch.deliveries[2].openings[0].salt = bytes(32)
    two.clock.pass_(2 * HOUR)
    receipt = stream.take(batch)
    assert receipt is not None
    said = receipt_pb2.Receipt.FromString(receipt.payload)
    names = receipt_pb2.ExceptionCode
    assert [(exception.index, names.Name(exception.code)) for exception in said.exceptions] == [
        (0, "EXCEPTION_CODE_EXPIRED"),
        (1, "EXCEPTION_CODE_MANIFEST_UNVERIFIED"),
        (2, "EXCEPTION_CODE_COMMITMENT_MISMATCH"),
    ]
    stream.settle(receipt)
    assert gb.outbound(kh).size == 3
    assert [state for digest in digests(gb) for state, *_ in gb.fates(digest)] == ["EXCEPTED"] * 3


@pytest.mark.parametrize("restarted", [False, True])
def test_a_receipt_is_kept_with_the_checkpoint_that_went_with_its_batch(two: Federation, *, restarted: bool) -> None:
    gb, kh = two["gb"], two["kh"]
    stream = Stream(gb, kh)
    for _ in range(3):
        gb.publish(draft(KH_BORDER))
        batch = stream.send()
        assert batch is not None
        receipt = stream.take(batch)
        assert receipt is not None
        if restarted:  # whoever settles knows nothing of the batch that an earlier stream sent
            gb.publish(draft(KH_BORDER))
            gb.restart()
            stream = Stream(gb, kh)
        else:
            stream.settle(receipt)
        with gb.ports.store.read() as tx:
            newest = logs.newest_receipt(tx, gb.outbound(kh).id)
        assert newest is not None
        assert (newest.checkpoint, newest.statement) == (batch.checkpoint, receipt.SerializeToString())
        assert newest.frontier.size == newest.size
    assert gb.fsck() == kh.fsck() == []


def test_a_stream_that_sent_all_waits_and_one_that_is_behind_does_not(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    for _ in range(65):
        gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    assert stream.send() is not None
    assert not stream.outgoing.idle
    assert stream.send() is not None
    assert stream.outgoing.idle


def one_of(batches: Sequence[disclosure_pb2.Batch | None]) -> disclosure_pb2.Batch:
    """The first, which there must be."""
    assert batches[0] is not None
    return batches[0]


def taken(stream: Stream, batch: disclosure_pb2.Batch) -> statement_pb2.Statement:
    """The receipt of a batch, which there must be."""
    receipt = stream.take(batch)
    assert receipt is not None
    return receipt


def test_a_long_backlog_goes_in_full_batches(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    for _ in range(70):
        gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    first, second = stream.send(), stream.send()
    assert first is not None
    assert second is not None
    assert (len(first.deliveries), len(second.deliveries)) == (64, 6)


def test_no_more_than_four_full_batches_are_unreceipted_on_a_stream(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.operations.deliver.CAP_BATCH_DELIVERIES", 2)
    gb, kh = two["gb"], two["kh"]
    for _ in range(2 * WINDOW + 3):
        gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    sent = [stream.send() for _ in range(WINDOW)]
    assert [len(batch.deliveries) for batch in sent if batch is not None] == [2] * WINDOW
    assert stream.send() is None
    stream.settle(taken(stream, one_of(sent)))
    assert len(one_of([stream.send()]).deliveries) == 2
    assert stream.send() is None


def test_a_batch_of_all_that_is_logged_goes_with_the_note_that_was_recorded(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.operations.deliver.CAP_BATCH_DELIVERIES", 2)
    gb, kh = two["gb"], two["kh"]
    for _ in range(3):
        gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    first, last = one_of([stream.send()]), one_of([stream.send()])
    recorded = gb.ports.high_water.note(gb.outbound(kh).name.origin)
    assert first.checkpoint != recorded
    gb.publish(draft(KH_BORDER))
    stream.settle(taken(stream, first))
    whole = one_of([stream.send()])
    assert last.checkpoint == recorded
    assert whole.checkpoint == gb.ports.high_water.note(gb.outbound(kh).name.origin) != recorded
    for batch in (last, whole):
        stream.settle(taken(stream, batch))
    assert gb.fsck() == kh.fsck() == []


def test_what_does_not_fill_a_batch_waits_while_two_are_unreceipted_and_merges(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    stream = Stream(gb, kh)
    sent = []
    for _ in range(FEW):
        gb.publish(draft(KH_BORDER))
        sent.append(stream.send())
    gb.publish(draft(KH_BORDER))
    gb.publish(draft(KH_BORDER))
    assert stream.send() is None
    assert stream.outgoing.idle
    stream.settle(taken(stream, one_of(sent)))
    assert len(one_of([stream.send()]).deliveries) == 2


def test_one_partner_that_is_cut_off_holds_nobody_up(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh", "vn") as three:
        three.connect("gb", "kh")
        three.connect("gb", "vn")
        three.cut("gb", "kh")
        three["gb"].publish(draft(KH_BORDER, agency("vn", BORDER)))
        three.pump()
        assert (len(three["kh"].received()), len(three["vn"].received())) == (0, 1)
        three.heal()
        three.pump()
        assert len(three["kh"].received()) == 1
        assert same_log(three["gb"], three["kh"])
        assert same_log(three["gb"], three["vn"])
        # Neither learns of the other.
        assert all("vn" not in row for row in audiences(three["kh"]))


def audiences(office: Office) -> list[str]:
    with office.ports.store.read() as tx:
        rows = [row for log in logs.all_logs(tx) for row in logs.entry_rows(tx, log.id, 0, log.size)]
    return [agency_ for row in rows for agency_ in disclosure_pb2.Entry.FromString(row.entry).audience]


# Successors


def test_a_log_that_ends_is_continued_and_what_was_not_receipted_is_logged_again(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    two.pump()
    waiting = gb.publish(draft(KH_BORDER, handling=builders.handling(codes=[handling_pb2.HANDLING_CODE_H3])))
    origin = gb.outbound(kh).name.origin
    succeed.end_log(gb.ports, gb.person("administrator"), origin)
    two.carry()
    succeed.accept_end(kh.ports, kh.person("administrator"), origin)
    two.carry()
    two.pump()
    assert gb.outbound(kh).state == kh.mirror(gb).state == "ended"
    assert gb.outbound(kh, generation=2).frontier == kh.mirror(gb, generation=2).frontier
    assert gb.outbound(kh, generation=2).size == 2
    assert {alert.alert_id for alert in kh.received()} >= {waiting.alert_id}
    assert gb.fsck() == kh.fsck() == []
