"""What partners may fetch of each other's logs, and what a node does with it after its own database went back in time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, NotFound, Refused, Unverified
from exchange.log import frontier_of, open_log_checkpoint, sign_log
from exchange.receipt import open_receipt_of
from exchange.v1 import disclosure_pb2, exchange_service_pb2
from node.operations import fetch, receive, recover
from node.operations.officers import NotPermitted
from tests import builders
from tests.countries import BORDER, agency, key
from tests.federation import Federation, Stream, federation
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER = agency("kh", BORDER)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb told kh three things, in two batches."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        made["gb"].publish(draft(KH_BORDER))
        made.pump()
        made["gb"].publish(draft(KH_BORDER))
        made["gb"].publish(draft(KH_BORDER))
        made.pump()
        yield made


ORIGIN = builders.log_name().origin


def asked(start: int, origin: str = ORIGIN) -> exchange_service_pb2.FetchEntriesRequest:
    return exchange_service_pb2.FetchEntriesRequest(origin=origin, **{"from": start})


def checked(office: Office, response: exchange_service_pb2.FetchEntriesResponse) -> tuple[int, int]:
    """How many entries there are, and the size of the sender's checkpoint, if it is of the same history."""
    gb = office.ports.known.own if office.country == "gb" else office.ports.known.partners["gb.alerts.example"].node
    return len(response.entries), open_log_checkpoint(response.checkpoint, builders.log_name(), gb, office.clock.now_ms()).size


def test_owner_and_mirror_give_the_same_entries_under_the_owners_signature(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    ours, theirs = fetch.entries(gb.ports, kh.domain, asked(0)), fetch.entries(kh.ports, gb.domain, asked(0))
    assert list(ours.entries) == list(theirs.entries)
    assert checked(kh, ours) == checked(gb, theirs) == (3, 3)
    assert checked(kh, fetch.entries(gb.ports, kh.domain, asked(2))) == (1, 3)
    assert checked(gb, fetch.entries(kh.ports, gb.domain, asked(1))) == (2, 3)


def test_a_mirror_answers_up_to_where_it_has_a_checkpoint(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb, kh = two["gb"], two["kh"]
    monkeypatch.setattr(fetch, "_ENTRIES", 2)
    assert checked(gb, fetch.entries(kh.ports, gb.domain, asked(0))) == (1, 1)
    assert checked(kh, fetch.entries(gb.ports, kh.domain, asked(0))) == (2, 2)


def test_only_the_two_countries_of_a_log_fetch_from_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    with refused(NotFound, "LOG_UNKNOWN"):
        fetch.entries(gb.ports, "vn.alerts.example", asked(0))
    with refused(NotFound, "LOG_UNKNOWN"):
        fetch.latest_receipt(gb.ports, "vn.alerts.example", exchange_service_pb2.LatestReceiptRequest(origin=ORIGIN))
    with refused(Malformed, "RANGE"):
        fetch.entries(gb.ports, kh.domain, asked(3))


def test_the_newest_receipt_is_there_for_both(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    request = exchange_service_pb2.LatestReceiptRequest(origin=ORIGIN)
    given, got = fetch.latest_receipt(kh.ports, gb.domain, request), fetch.latest_receipt(gb.ports, kh.domain, request)
    assert given == got
    assert open_receipt_of(got.receipt, gb.knows(kh)).checkpoint.size == 3
    empty = exchange_service_pb2.LatestReceiptRequest(origin=kh.outbound(gb).name.origin)
    assert not fetch.latest_receipt(kh.ports, gb.domain, empty).HasField("receipt")


def test_a_sender_that_went_back_signs_nothing_for_whoever_fetches(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    backup = gb.backup(tmp_path / "backup")
    gb.publish(draft(KH_BORDER))
    two.pump()
    gb.restore(backup)
    with refused(Conflict, "HIGH_WATER_ROLLBACK"):
        fetch.entries(gb.ports, kh.domain, asked(0))


def test_a_database_older_than_the_log_itself_begins_no_second_history(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh")
        gb, kh = two["gb"], two["kh"]
        backup = gb.backup(tmp_path / "backup")
        first = gb.publish(draft(KH_BORDER))
        two.pump()
        gb.restore(backup)
        assert [problem.code for problem in gb.publish(draft(KH_BORDER)).problems] == ["LOG_STOPPED"]
        assert gb.outbound(kh).size == 0
        assert gb.alarms() == {"HIGH_WATER_ROLLBACK"}
        administrator = gb.person("administrator")
        assert recover.recover_log(gb.ports, administrator, ORIGIN, lambda *of: two.fetch("gb", *of)) == 1
        gb.publish(draft(KH_BORDER))
        two.pump()
        assert gb.outbound(kh).frontier == kh.mirror(gb).frontier
        assert kh.mirror(gb).size == 2
        assert first.alert_id
        assert set(gb.fsck()) == {"ADOPTED"}


def test_a_log_is_recovered_by_its_owners_administrator_only(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]

    def never(_partner: str, _origin: str, _start: int) -> exchange_service_pb2.FetchEntriesResponse:
        raise AssertionError

    with refused(NotPermitted, "ROLE_MISSING"):
        recover.recover_log(gb.ports, gb.person("liaison"), ORIGIN, never)
    with refused(Refused, "LOG_NOT_OURS"):
        recover.recover_log(kh.ports, kh.person("administrator"), ORIGIN, never)
    with refused(NotFound, "LOG_UNKNOWN"):
        recover.recover_log(gb.ports, gb.person("administrator"), ORIGIN.replace("/1", "/2"), never)
    assert recover.recover_log(gb.ports, gb.person("administrator"), ORIGIN, never) == 0


def test_what_the_partner_gives_is_adopted_only_if_it_continues_what_we_signed(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    backup = gb.backup(tmp_path / "backup")
    gb.publish(draft(KH_BORDER))
    two.pump()
    gb.restore(backup)
    administrator = gb.person("administrator")
    good = fetch.entries(kh.ports, gb.domain, asked(3))

    def answer(entries: list[bytes], checkpoint: bytes) -> recover.Fetch:
        return lambda *_: exchange_service_pb2.FetchEntriesResponse(entries=entries, checkpoint=checkpoint)

    with refused(Unverified, "CHECKPOINT_SIGNATURE"):
        forged = sign_log(builders.log_name(), frontier_of(good.entries), key("kh", "log"))
        recover.recover_log(gb.ports, administrator, ORIGIN, answer(list(good.entries), forged))
    with refused(Malformed, "RANGE"):
        recover.recover_log(gb.ports, administrator, ORIGIN, answer([*good.entries, *good.entries], good.checkpoint))
    other = disclosure_pb2.Entry.FromString(good.entries[0])
    other.purpose = 2  # type: ignore[assignment]
    with refused(Conflict, "LOG_FORK"):
        recover.recover_log(gb.ports, administrator, ORIGIN, answer([other.SerializeToString(deterministic=True)], good.checkpoint))
    assert gb.outbound(kh).size == 3
    assert gb.outbound(kh).state == "stopped"


def test_a_partner_that_lacks_what_was_signed_cannot_reopen_the_log(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    backup = gb.backup(tmp_path / "backup")
    gb.publish(draft(KH_BORDER))
    lost = Stream(gb, kh).send()  # signed and sent, and never arrived
    assert lost is not None
    gb.restore(backup)
    with refused(Malformed, "RANGE"):
        recover.recover_log(gb.ports, gb.person("administrator"), ORIGIN, lambda *of: two.fetch("gb", *of))
    assert gb.outbound(kh).state == "stopped"


def test_a_refused_stream_is_an_alarm_until_the_partner_is_heard_again(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    receive.note_refused_stream(kh.ports, gb.domain, "BATCH_CAP")
    assert kh.alarms() == {"STREAM_REFUSED"}
    two.pump()
    assert kh.alarms() == set()


def test_a_state_of_another_log_begins_no_mirror(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    for origin in (builders.log_name("vn", "kh").origin, builders.log_name("gb", "vn").origin):
        with refused(Unverified, "NOT_THE_LOG_OWNER"):
            receive.take_state(kh.ports, kh.knows(gb), disclosure_pb2.State(origin=origin))


def test_receipts_that_are_not_ours_or_do_not_tile_are_not_adopted(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    entries = [b"entry"] * 9
    with refused(Unverified, "RECEIPT_KEY"):
        state = disclosure_pb2.State(origin=ORIGIN, receipts=[builders.receipt(entries, 3, signer=key("gb", "receipt"))])
        receive.take_state(kh.ports, kh.knows(gb), state)
    with refused(Conflict, "RECEIPT_TILES"):
        receive.take_state(kh.ports, kh.knows(gb), disclosure_pb2.State(origin=ORIGIN, receipts=[builders.receipt(entries, 4)]))
    assert kh.alarms() == set()
