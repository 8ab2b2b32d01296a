"""The journal and the disclosures as an auditor lists them: every field, every page, what is recorded of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import Malformed, NotFound
from exchange.journal import open_journal_entry
from exchange.tlog.merkle import leaf_hash
from exchange.v1 import audit_service_pb2, desk_service_pb2, disclosure_pb2, handling_pb2, receipt_pb2
from node.operations import audit_disclosures, audit_events
from node.operations import disclosure_scan as scanning
from node.store import alerts, logs
from node.store.journal import Kind
from tests.countries import HOUR, NOW, agreement, changed
from tests.federation import Federation
from tests.node.audit_office import (
    GB_KH,
    JOURNAL,
    KH_BORDER,
    KH_GB,
    KH_POLICE,
    auditor,
    disclosures,
    events,
    iso,
    newest,
    places,
    told,
)
from tests.refusals import refused
from tests.rig import draft


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with told(tmp_path) as made:
        yield made


def test_events_are_the_journal_as_it_was_hashed(two: Federation) -> None:
    gb = two["gb"]
    answer = events(gb)
    told = gb.journal()
    assert answer.size == len(answer.events) == len(told) - 1  # the look itself is the last
    assert [event.index for event in answer.events] == list(range(answer.size))
    for event, (kind, _, _, code) in zip(answer.events, told, strict=False):
        entry = open_journal_entry(event.entry)
        assert (Kind.Name(entry.kind).removeprefix("JOURNAL_KIND_").lower(), entry.code) == (kind, code)
        assert event.leaf_hash == leaf_hash(event.entry)
        assert event.accountability_kept == bool(entry.accountability)
    assert newest(gb)[:2] == ("review", auditor(gb))
    assert newest(gb)[3] == "EVENTS"


def test_events_are_found_by_every_field(two: Federation) -> None:
    gb = two["gb"]
    every = events(gb).events
    released = [event.index for event in every if open_journal_entry(event.entry).code == "RELEASED"]
    assert released

    def found(wanted: str) -> list[int]:
        return [event.index for event in events(gb, wanted).events]

    assert found("kind = DISCLOSURE") == found("code = RELEASED") == found("code = RELE*") == released
    assert found(f"origin = {GB_KH} AND kind = DISCLOSURE AND first >= 2") == released[1:]
    assert found("kind = DISCLOSURE AND count = 2") == released[:1]
    assert found(f"at >= {iso(NOW + HOUR)} AND kind = DISCLOSURE") == released[1:]
    assert found("counterparty = kh.alerts.example AND kind = PARTNER") == [0]
    assert found("party = spiffe://gb.alerts.example/agency/* AND kind = DISCLOSURE") == released
    subject = open_journal_entry(every[0].entry).subject.hex()
    assert 0 in found(f"subject = {subject}")
    assert found("NOT (kind = REVIEW OR index > 0)") == [0]


@pytest.mark.parametrize("order", ["", "oldest", "newest"])
def test_pages_of_events_end_where_the_journal_ended_atfirst_alert(two: Federation, order: str) -> None:
    gb = two["gb"]
    size = len(gb.journal())
    found: list[int] = []
    token = ""
    while True:
        page = events(gb, order_by=order, page_size=3, page_token=token)
        assert page.size == size
        found += [event.index for event in page.events]
        token = page.next_page_token
        if not token:
            break
    assert found == (list(range(size))[::-1] if order == "newest" else list(range(size)))


def test_a_page_token_is_good_for_its_own_list_only(two: Federation) -> None:
    gb = two["gb"]
    token = events(gb, page_size=1).next_page_token
    assert events(gb, page_size=2, page_token=token).events[0].index == 1
    for more in ({"filter": "index >= 0"}, {"order_by": "newest"}, {"origin": "x"}):
        question = audit_service_pb2.ListEventsRequest(page_size=1, page_token=token)
        with pytest.raises((Malformed, NotFound)) as wrong:
            audit_events.list_events(gb.ports, auditor(gb), changed(question, **more))
        assert wrong.value.code in {"PAGE_TOKEN", "LOG_UNKNOWN"}
    for spoilt in ("x", token[:-4], token + "AAAA", token.lower(), "é"):
        with refused(Malformed, "PAGE_TOKEN"):
            events(gb, page_size=1, page_token=spoilt)
    with refused(Malformed, "PAGE_TOKEN"):
        disclosures(gb, page_token=token)
    with refused(Malformed, "PAGE_SIZE"):
        events(gb, page_size=-1)
    with refused(Malformed, "ORDER_BY"):
        events(gb, order_by="at")
    with refused(Malformed, "FILTER"):
        events(gb, "name = x")


def test_an_export_is_recorded_as_one(two: Federation) -> None:
    gb = two["gb"]
    events(gb, for_export=True)
    assert (newest(gb)[0], newest(gb)[3]) == ("export", "EVENTS")
    disclosures(gb, for_export=True)
    assert (newest(gb)[0], newest(gb)[3]) == ("export", "DISCLOSURES")


def test_one_event(two: Federation) -> None:
    gb = two["gb"]
    question = audit_service_pb2.GetEventRequest(index=0, origin=JOURNAL)
    event = audit_events.get_event(gb.ports, auditor(gb), question).event
    assert (event.index, event.origin) == (0, JOURNAL)
    assert newest(gb) == ("review", auditor(gb), f"{JOURNAL}#0+1", "EVENT")
    for index, origin, code in ((10_000, "", "ENTRY_UNKNOWN"), (2**63, "", "ENTRY_UNKNOWN"), (0, GB_KH, "LOG_UNKNOWN")):
        with refused(NotFound, code):
            audit_events.get_event(gb.ports, auditor(gb), audit_service_pb2.GetEventRequest(index=index, origin=origin))
    for origin in ("kh.alerts.example/journal/1", "gb.alerts.example/journal/2", "x"):
        with refused(NotFound, "LOG_UNKNOWN"):
            events(gb, origin=origin)


def test_disclosures_are_found_by_every_field(two: Federation) -> None:
    gb = two["gb"]
    ours = [(GB_KH, index) for index in range(4)]
    theirs = [(KH_GB, 0)]

    def found(wanted: str) -> list[tuple[str, int]]:
        return places(disclosures(gb, wanted))

    assert found("") == ours + theirs
    assert found("partner = kh.alerts.example AND direction = OUTBOUND") == ours
    assert found(f"origin = {KH_GB}") == found("direction = inbound") == theirs
    assert found(f"audience:{KH_POLICE}") == ours[1:2]
    assert found("audience:spiffe://gb.*") == theirs
    assert found("clause = gb-kh-travelalert-border") == [ours[0], ours[2], ours[3]]
    assert found("clause:* AND purpose = PREVENTION AND index >= 1 AND index < 3") == ours[1:3]
    assert found("field:primary_name AND field:1 AND direction = OUTBOUND") == ours
    assert found("field:risk_narrative") == ours[1:2]
    assert found("alert_type = HitReport") == theirs
    assert found(f"at >= {iso(NOW + HOUR)}") == ours[2:] + theirs
    assert found("state = RECEIPTED") == ours + theirs
    assert found("state = EXCEPTED OR exception:* OR withheld:* OR conflict = true OR emergency = true OR ground:*") == []
    assert found("correction = true") == ours[3:]
    assert found("alert_state = superseded") == ours[:2]
    digest = disclosure_pb2.Entry.FromString(disclosures(gb).disclosures[0].entry)
    assert found(f"manifest = {digest.manifest_digest.hex()}") == ours[:2]
    assert found(f"agreement = {digest.agreement_digest.hex()}") == ours + theirs
    assert found("originator = spiffe://kh.*") == theirs


def test_a_disclosure_is_shown_whole_and_without_content(two: Federation) -> None:
    gb = two["gb"]
    record = disclosures(gb).disclosures[3]
    assert record.leaf_hash == leaf_hash(record.entry)
    assert record.state == desk_service_pb2.DISCLOSURE_STATE_RECEIPTED
    assert record.receipted_at == NOW + HOUR
    assert record.alert_type == "exchange.v1.TravelAlert"
    assert "primary_name" in record.field_names
    assert record.instrument == agreement("gb", "kh").instrument
    assert list(record.supersedes) == [disclosure_pb2.Entry.FromString(disclosures(gb).disclosures[0].entry).manifest_digest]
    assert newest(gb)[3] == "DISCLOSURES"


def test_an_exception_is_found(two: Federation) -> None:
    gb = two["gb"]
    index = gb.log_again(two["kh"], 0, purpose=handling_pb2.PURPOSE_PROSECUTION)
    two.pump()
    (record,) = disclosures(gb, "exception:* AND state = EXCEPTED").disclosures
    assert (record.index, record.state) == (index, desk_service_pb2.DISCLOSURE_STATE_EXCEPTED)
    code = receipt_pb2.ExceptionCode.Name(record.exception).removeprefix("EXCEPTION_CODE_")
    assert places(disclosures(two["kh"], f"exception = {code}")) == [(GB_KH, index)]


def test_what_was_withheld_and_what_contradicts_is_found(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    assert not gb.publish(draft(KH_BORDER)).problems
    ours, theirs = gb.outbound(kh).id, kh.mirror(gb).id
    with gb.ports.store.write() as tx:
        logs.note_withheld(tx, ours, {4: disclosure_pb2.WITHHELD_CODE_LAPSED})
    (record,) = disclosures(gb, "withheld = LAPSED").disclosures
    assert (record.index, record.withheld) == (4, disclosure_pb2.WITHHELD_CODE_LAPSED)
    with kh.ports.store.write() as tx:
        alerts.keep_conflict(tx, bytes(32), theirs, 2, b"synthetic")
    (record,) = disclosures(kh, "conflict = true").disclosures
    assert (record.origin, record.index, record.conflict) == (GB_KH, 2, True)


def test_of_what_few_entries_have_the_same_are_found_as_where_each_is_looked_at(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.log_again(kh, 0, purpose=handling_pb2.PURPOSE_PROSECUTION)
    two.pump()
    theirs = kh.mirror(gb).id
    with kh.ports.store.write() as tx:
        logs.note_withheld(tx, theirs, {1: disclosure_pb2.WITHHELD_CODE_LAPSED})
        alerts.keep_conflict(tx, bytes(32), theirs, 2, b"synthetic")
    parts = ["exception:*", "withheld:*", "conflict = true", "correction = true"]
    asked = [*parts, " OR ".join(parts), "partner = gb.alerts.example AND conflict = true", "NOT correction = true", "conflict = false"]
    found = {one: places(disclosures(kh, one)) for one in asked}
    assert found == {one: places(disclosures(kh, f"index >= 0 AND ({one})")) for one in asked}
    assert found[" OR ".join(parts)] == [(GB_KH, 2), (GB_KH, 3), (GB_KH, 4)]
    assert len(found["conflict = false"]) == 5


@pytest.mark.parametrize("order", ["", "newest"])
def test_pages_of_disclosures_look_at_so_many_entries_and_no_more(two: Federation, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "AT_ONCE", 2)
    monkeypatch.setattr(scanning, "_CHUNK", 2)
    gb = two["gb"]

    def pages(wanted: str, size: int) -> list[list[tuple[str, int]]]:
        found, token = [], ""
        while True:
            page = disclosures(gb, wanted, page_size=size, page_token=token, order_by=order)
            assert page.scanned <= 2
            assert page.total == 5
            found.append(places(page))
            token = page.next_page_token
            if not token:
                return found

    everything = [(GB_KH, index) for index in range(4)] + [(KH_GB, 0)]
    for size in (1, 2, 3):
        joined = [place for page in pages("", size) for place in page]
        assert joined == (everything[::-1] if order else everything)
    rare = pages("alert_type = HitReport", 10)
    assert [place for page in rare for place in page] == [(KH_GB, 0)]
    assert [] in rare  # a page may be empty and not the last


def test_statistics_count_what_is_listed(two: Federation) -> None:
    gb = two["gb"]
    answer = audit_disclosures.get_statistics(gb.ports, auditor(gb), "direction = OUTBOUND")
    rows = [(row.partner, row.outbound, row.month, row.alert_type, row.clause, row.purpose, row.count) for row in answer.disclosures]
    month = iso(NOW)[:7]
    assert rows == [
        ("kh.alerts.example", True, month, "TravelAlert", "gb-kh-travelalert-border", "PREVENTION", 3),
        ("kh.alerts.example", True, month, "TravelAlert", "gb-kh-travelalert-police", "PREVENTION", 1),
    ]
    counted = {(row.kind, row.code): row.count for row in answer.events}
    told = gb.journal()[:-1]
    assert counted == {pair: sum((k.upper(), c) == pair for k, _, _, c in told) for pair in {(k.upper(), c) for k, _, _, c in told}}
    nothing = audit_disclosures.get_statistics(gb.ports, auditor(gb), "at < 1971-01-01")
    assert not nothing.disclosures
    assert not nothing.events


def test_statistics_count_the_events_of_every_journal(two: Federation) -> None:
    gb = two["gb"]

    def counted(first: str = "") -> dict[tuple[str, str, str], int]:
        answer = audit_disclosures.get_statistics(gb.ports, auditor(gb), first)
        return {(row.month, row.kind, row.code): row.count for row in answer.events}

    before = counted()
    with gb.ports.store.write() as tx:
        gb.ports.journal.succeed(tx, two.clock.now_ms(), gb.domain)
    gb.publish(draft(KH_BORDER))
    after, month = counted(), iso(NOW)[:7]
    grown = {event: number - before.get(event, 0) for event, number in after.items() if number != before.get(event, 0)}
    assert grown == {
        (month, "SUCCESSION", "FOLLOWS"): 1,
        (month, "DISCLOSURE", "RELEASED"): 1,
        (month, "REVIEW", "STATISTICS"): 1,
    }
