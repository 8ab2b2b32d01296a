"""Databases that go back in time, and partners that contradict themselves: nothing is signed twice, and nothing is lost unsaid."""

from dataclasses import replace
from pathlib import Path

from exchange.errors import Conflict, Malformed, NotFound, Refused, Unverified
from exchange.log import frontier_of, sign_alive, sign_log
from exchange.v1 import disclosure_pb2, exchange_service_pb2
from node.operations import receive, recover
from node.store import logs
from tests import builders
from tests.countries import BORDER, HOUR, POLICE, agency, key
from tests.federation import Federation, Stream, same_log
from tests.refusals import refused
from tests.rig import draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)


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
    assert len(kh.received()) == 1
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
    assert {alert.manifest_digest for alert in kh.received()} >= set(digests)
    assert kh.alarms() == {"OWN_ROLLBACK"}
    assert gb.fsck() == kh.fsck() == []


def test_what_was_excepted_before_the_recipient_went_back_stays_excepted(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    backup = kh.backup(tmp_path / "backup")
    remembered, kh.ports.acquaintance.known = kh.ports.known, replace(kh.ports.known, agreements={})
    published = gb.publish(draft(KH_BORDER))
    two.pump()
    assert remembered.agreements
    kh.restore(backup)
    two.pump()
    assert gb.fates(published.manifest_digest) == [("EXCEPTED", "NOT_AGREED", "UNSPECIFIED")]
    assert not kh.received()
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

    def ask(partner: str, asked: str, start: int) -> exchange_service_pb2.FetchEntriesResponse:
        return two.fetch("gb", partner, asked, start)

    assert recover.recover_log(gb.ports, gb.person("administrator"), origin, ask) == 2
    assert gb.alarms() == set()
    gb.publish(draft(KH_BORDER))
    two.pump()
    assert same_log(gb, kh)
    assert len(kh.received()) == 3
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
    for origin in (kh.mirror(gb).name.origin.replace("/1", "/2"), builders.log_name("kh", "gb").origin):
        with refused(NotFound, "LOG_UNKNOWN"):
            Stream(gb, kh, offered=disclosure_pb2.Hello(origin=origin, time=two.clock.now_ms()))
