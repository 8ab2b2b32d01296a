"""Two nodes whose streams break, whose databases go back in time, and whose partners contradict themselves: nothing lost, nothing twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, Refused, Unverified
from exchange.log import frontier_of, sign_alive, sign_log
from exchange.v1 import desk_service_pb2, disclosure_pb2, handling_pb2, receipt_pb2
from node.operations import inbox, outbox, receive, recover, succeed
from node.operations.deliver import WINDOW
from node.store import alerts, logs
from tests import builders
from tests.countries import BORDER, DAY, HOUR, POLICE, agency, agreement, changed, compromised, descriptor, key, known, with_key
from tests.federation import Federation, Stream, federation
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


def fates(office: Office, reference: bytes) -> list[tuple[str, str, str]]:
    """(state, exception, withheld) of each disclosure of an alert."""
    status = outbox.get_status(office.ports, office.person("liaison"), reference.hex())
    return [
        (
            desk_service_pb2.DisclosureState.Name(item.state).removeprefix("DISCLOSURE_STATE_"),
            receipt_pb2.ExceptionCode.Name(item.exception).removeprefix("EXCEPTION_CODE_"),
            disclosure_pb2.WithheldCode.Name(item.withheld).removeprefix("WITHHELD_CODE_"),
        )
        for item in status.disclosures
    ]


def received(office: Office, name: str = "border") -> list[desk_service_pb2.AlertSummary]:
    return list(inbox.list_inbox(office.ports, office.person(name), desk_service_pb2.ListInboxRequest()).alerts)


def same_log(gb: Office, kh: Office) -> bool:
    """Both hold one log, receipted to its end."""
    ours, theirs = gb.outbound(kh), kh.mirror(gb)
    with gb.ports.store.read() as here, kh.ports.store.read() as there:
        receipts = [logs.receipts_above(here, ours.id, 0, 1000), logs.receipts_above(there, theirs.id, 0, 1000)]
    told = [[(row.size, row.statement) for row in side] for side in receipts]
    return ours.frontier == theirs.frontier and told[0] == told[1] and told[0][-1][0] == ours.size


def held(office: Office, field: str) -> None:
    with office.ports.store.write() as tx:
        tx.exec_driver_sql(f"UPDATE alerts SET {field}")  # noqa: S608  a test's own words


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
    assert fates(gb, published.manifest_digest) == withheld("EXPIRED")
    assert fates(gb, later.manifest_digest) == [RECEIPTED]
    assert [alert.alert_id for alert in received(kh)] == [later.alert_id]
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
    assert fates(two["gb"], published.manifest_digest) == withheld(code)
    assert not received(two["kh"])


def test_what_an_agreement_no_longer_admits_goes_without_its_content(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        published = two["gb"].publish(draft(KH_BORDER))
        two.clock.pass_(HOUR)
        two.pump()
        assert fates(two["gb"], published.manifest_digest) == withheld("LAPSED")
        assert two["gb"].fsck() == []


def test_what_a_revoked_key_signed_goes_without_its_content(two: Federation) -> None:
    gb = two["gb"]
    published = gb.publish(draft(KH_BORDER))
    stolen = with_key(descriptor("gb"), key("gb", builders.agency_name("gb", POLICE)), **compromised(two.clock.now_ms() - DAY))
    gb.own = known(descriptor("gb"), changed(stolen, sequence=2))
    gb.restart()
    two.pump()
    assert fates(gb, published.manifest_digest) == withheld("KEY_REVOKED")


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
    assert fates(gb, published.manifest_digest) == withheld("CLOCK")
    Stream(gb, kh)
    assert gb.alarms() == set()


# Exceptions


def test_what_the_recipient_cannot_accept_is_excepted_kept_nowhere_and_repaired_by_a_new_entry(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER))
    forgotten, kh.ports.acquaintance.known = kh.ports.known, changed_known(kh, agreements={})
    two.pump()
    assert fates(gb, published.manifest_digest) == [("EXCEPTED", "NOT_AGREED", "UNSPECIFIED")]
    assert not received(kh)
    assert kh.alarms() == {"NOT_AGREED"}
    kh.ports.acquaintance.known = forgotten
    gb.log_again(kh, 0)
    two.pump()
    assert fates(gb, published.manifest_digest)[1] == RECEIPTED
    assert [alert.alert_id for alert in received(kh)] == [published.alert_id]
    assert gb.fsck() == kh.fsck() == []


def changed_known(office: Office, **changes: object) -> receive.Any:
    from dataclasses import replace

    return replace(office.ports.known, **changes)


def test_two_successors_of_one_alert_contradict_each_other_and_the_first_stays(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = gb.publish(draft(KH_BORDER)).manifest_digest
    second = gb.publish(draft(KH_BORDER, supersedes=[first])).manifest_digest
    third = gb.publish(draft(KH_BORDER, supersedes=[first])).manifest_digest
    two.pump()
    assert fates(gb, third) == [("EXCEPTED", "CONFLICT", "UNSPECIFIED")]
    assert {alert.manifest_digest: list(alert.flags) for alert in received(kh)} == {first: ["SUPERSEDED"], second: ["CONFLICT"]}
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
    stolen = with_key(descriptor("gb"), key("gb", builders.agency_name("gb", POLICE)), **compromised(since))
    from node.operations.partners import refresh_partner

    refresh_partner(kh.ports, gb.domain, known(descriptor("gb"), changed(stolen, sequence=2)).chain)
    assert {alert.manifest_digest: "UNCONFIRMED" in alert.flags for alert in received(kh)} == {earlier: False, later: True}


# Streams that break


def test_a_crash_after_the_release_loses_nothing(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER))
    gb.restart()
    two.pump()
    assert [alert.alert_id for alert in received(kh)] == [published.alert_id]
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
    assert len(received(kh)) == 2


def test_a_long_backlog_goes_in_full_batches_with_at_most_four_unreceipted(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    for _ in range(70):
        gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    first, second = stream.send(), stream.send()
    assert first is not None
    assert second is not None
    assert (len(first.deliveries), len(second.deliveries)) == (64, 6)
    for _ in range(WINDOW - 2):
        gb.publish(draft(KH_BORDER))
        assert stream.send() is not None
    gb.publish(draft(KH_BORDER))
    gb.publish(draft(KH_BORDER))
    assert stream.send() is None
    receipt = stream.take(first)
    assert receipt is not None
    stream.settle(receipt)
    merged = stream.send()
    assert merged is not None
    assert len(merged.deliveries) == 2


def test_one_partner_that_is_cut_off_holds_nobody_up(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh", "vn") as three:
        three.connect("gb", "kh")
        three.connect("gb", "vn")
        three.cut("gb", "kh")
        three["gb"].publish(draft(KH_BORDER, agency("vn", BORDER)))
        three.pump()
        assert (len(received(three["kh"])), len(received(three["vn"]))) == (0, 1)
        three.heal()
        three.pump()
        assert len(received(three["kh"])) == 1
        assert same_log(three["gb"], three["kh"])
        assert same_log(three["gb"], three["vn"])
        # Neither learns of the other.
        assert all("vn" not in row for row in audiences(three["kh"]))


def audiences(office: Office) -> list[str]:
    with office.ports.store.read() as tx:
        rows = [row for log in logs.all_logs(tx) for row in logs.entry_rows(tx, log.id, 0, log.size)]
    return [agency_ for row in rows for agency_ in disclosure_pb2.Entry.FromString(row.entry).audience]


# Databases that go back in time


def test_a_recipient_that_went_back_adopts_its_receipts_and_gives_no_others(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    two.pump()
    backup = kh.backup(tmp_path / "backup")
    digests = []
    for count in (1, 2, 3):
        digests += [gb.publish(draft(KH_BORDER)).manifest_digest for _ in range(count)]
        two.pump()
    with gb.ports.store.read() as tx:
        before = [row.statement for row in logs.receipts_above(tx, gb.outbound(kh).id, 0, 10)]
    two.clock.pass_(HOUR)
    kh.restore(backup)
    assert len(received(kh)) == 1
    stream = Stream(gb, kh)
    batch = stream.send()
    assert batch is not None
    assert len(batch.deliveries) == 1
    assert stream.take(batch) is None
    kh.restart()  # in the middle of it
    two.pump()
    assert same_log(gb, kh)
    with gb.ports.store.read() as tx:
        assert [row.statement for row in logs.receipts_above(tx, gb.outbound(kh).id, 0, 10)] == before
    assert {alert.manifest_digest for alert in received(kh)} >= set(digests)
    assert kh.alarms() == {"OWN_ROLLBACK"}
    assert gb.fsck() == kh.fsck() == []


def test_what_was_excepted_before_the_recipient_went_back_stays_excepted(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    backup = kh.backup(tmp_path / "backup")
    remembered, kh.ports.acquaintance.known = kh.ports.known, changed_known(kh, agreements={})
    published = gb.publish(draft(KH_BORDER))
    two.pump()
    assert remembered.agreements
    kh.restore(backup)
    two.pump()
    assert fates(gb, published.manifest_digest) == [("EXCEPTED", "NOT_AGREED", "UNSPECIFIED")]
    assert not received(kh)
    assert kh.fsck() == []


def test_what_has_expired_before_the_recipient_went_back_is_lost_there_and_said_to_be(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    backup = kh.backup(tmp_path / "backup")
    gb.publish(draft(KH_BORDER, not_after=two.clock.now_ms() + HOUR))
    two.pump()
    two.clock.pass_(HOUR)
    kh.restore(backup)
    two.pump()
    assert same_log(gb, kh)
    assert kh.fsck() == ["ENTRY_WITHOUT_ALERT"]


def test_a_sender_that_went_back_signs_nothing_says_why_and_recovers_from_its_partner(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    two.pump()
    backup = gb.backup(tmp_path / "backup")
    gb.publish(draft(KH_BORDER))
    gb.publish(draft(KH_POLICE))
    two.pump()
    gb.restore(backup)
    assert gb.outbound(kh).state == "stopped"
    assert gb.alarms() == {"HIGH_WATER_ROLLBACK"}
    assert "HIGH_WATER_ROLLBACK" in gb.fsck()
    with refused(Refused, "LOG_STOPPED"):
        Stream(gb, kh)
    assert [problem.code for problem in gb.publish(draft(KH_BORDER)).problems] == ["LOG_STOPPED"]
    origin = gb.outbound(kh).name.origin

    def ask(partner: str, asked: str, start: int) -> receive.Any:
        return two.fetch("gb", partner, asked, start)

    assert recover.recover_log(gb.ports, gb.person("administrator"), origin, ask) == 2
    assert gb.alarms() == set()
    gb.publish(draft(KH_BORDER))
    two.pump()
    assert same_log(gb, kh)
    assert len(received(kh)) == 3
    assert set(gb.fsck()) == {"ADOPTED"}
    assert kh.fsck() == []


def test_a_running_sender_does_not_sign_what_its_record_contradicts(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    two.pump()
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE logs SET frontier = zeroblob(32) WHERE outbound")
    with refused(Conflict, "HIGH_WATER_FORK"):
        Stream(gb, kh)
    assert gb.outbound(kh).state == "stopped"


def test_a_sender_that_lost_its_record_as_well_is_found_out_by_the_recipients_hello(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    backup = gb.backup(tmp_path / "backup")
    gb.publish(draft(KH_BORDER))
    two.pump()
    gb.restore(backup)
    for record in (gb.directory / "high-water").iterdir():
        record.unlink()
    gb.restart()
    gb.publish(draft(KH_POLICE))
    with refused(Conflict, "LOG_FORK"):
        Stream(gb, kh)
    assert gb.outbound(kh).state == "stopped"
    assert gb.alarms() == {"LOG_FORK"}


def test_a_sender_whose_log_is_shorter_than_the_recipients_mirror_stops_it(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    backup = gb.backup(tmp_path / "backup")
    gb.publish(draft(KH_BORDER))
    two.pump()
    gb.restore(backup)
    for record in (gb.directory / "high-water").iterdir():
        record.unlink()
    gb.restart()
    with refused(Conflict, "HIGH_WATER_ROLLBACK"):
        Stream(gb, kh)


# Contradictions


def test_an_alive_over_another_history_is_a_fork_and_stops_the_mirror(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    two.pump()
    stream = Stream(gb, kh)
    other = sign_alive(builders.log_name(), frontier_of([b"another entry"]), two.clock.now_ms(), key("gb", "log"))
    with refused(Conflict, "LOG_FORK"):
        receive.take_alive(kh.ports, kh.knows(gb), stream.incoming, other)
    assert kh.mirror(gb).state == "stopped"
    assert kh.alarms() == {"LOG_FORK"}
    with refused(Refused, "LOG_STOPPED"):
        Stream(gb, kh)


def test_a_batch_under_a_checkpoint_of_another_history_is_a_fork(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    two.pump()
    gb.publish(draft(KH_BORDER))
    stream = Stream(gb, kh)
    batch = stream.send()
    assert batch is not None
    batch.checkpoint = sign_log(builders.log_name(), frontier_of([b"another entry"]), key("gb", "log"))
    with refused(Conflict, "LOG_FORK"):
        stream.take(batch)
    assert kh.mirror(gb).state == "stopped"


def test_an_alive_of_another_log_or_for_what_has_not_come_yet_confirms_nothing(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    stream = Stream(gb, kh)
    ahead = sign_alive(builders.log_name(), frontier_of([b"to come"]), two.clock.now_ms(), key("gb", "log"))
    receive.take_alive(kh.ports, kh.knows(gb), stream.incoming, ahead)
    other = sign_alive(builders.log_name("gb", "vn"), frontier_of([]), two.clock.now_ms(), key("gb", "log"))
    with refused(Unverified, "NOT_THE_LOG_OWNER"):
        receive.take_alive(kh.ports, kh.knows(gb), stream.incoming, other)
    assert kh.mirror(gb).confirmed_at == 0


def test_a_hello_that_this_node_did_not_sign_ends_the_stream_with_an_alarm_and_is_no_fork(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    two.pump()
    forged = sign_log(builders.log_name(), frontier_of([b"x"]), key("kh", "log"))
    time, origin = two.clock.now_ms(), gb.outbound(kh).name.origin
    with refused(Unverified, "HELLO_CHECKPOINT"):
        Stream(gb, kh, offered=disclosure_pb2.Hello(origin=origin, size=1, checkpoint=forged, time=time))
    with refused(Malformed, "HELLO_MALFORMED"):
        Stream(gb, kh, offered=disclosure_pb2.Hello(origin=origin, size=1, time=time))
    assert gb.alarms() == {"HELLO_CHECKPOINT"}
    assert gb.outbound(kh).state == "open"


def test_a_log_towards_somebody_else_is_not_served(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    Stream(gb, kh)
    from exchange.errors import NotFound

    for origin in (kh.mirror(gb).name.origin.replace("/1", "/2"), builders.log_name("kh", "gb").origin):
        with refused(NotFound, "LOG_UNKNOWN"):
            Stream(gb, kh, offered=disclosure_pb2.Hello(origin=origin, time=two.clock.now_ms()))


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
    assert {alert.alert_id for alert in received(kh)} >= {waiting.alert_id}
    assert gb.fsck() == kh.fsck() == []
