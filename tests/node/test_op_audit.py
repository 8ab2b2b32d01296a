"""What an auditor asks of a node: lists by a filter, proofs, opening for a purpose, repeated reasons, reports. Never content."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from exchange.disclosure import commit_authorisation
from exchange.errors import Malformed, NotFound, Refused, Unverified
from exchange.journal import CODES, commit_detail, open_journal_checkpoint, open_journal_entry
from exchange.tlog.merkle import Frontier, leaf_hash, verify_consistency, verify_inclusion
from exchange.v1 import audit_service_pb2, desk_service_pb2, disclosure_pb2, handling_pb2, receipt_pb2
from exchange.v1.journal_pb2 import JournalAccountability, JournalPersonal
from node.operations import audit_disclosures, audit_events, audit_open, audit_proofs, audit_reasons, audit_subject, audit_urgent
from node.operations import disclosure_scan as scanning
from node.operations.audit_reasons import normalised
from node.operations.officers import NotPermitted
from node.store.directory import raise_alarm
from node.store.journal import PERSONAL, Event, Kind
from tests.countries import BORDER, HOUR, NOW, POLICE, agency, agreement, changed
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, draft

GB_KH = "gb.alerts.example/disclosures/kh.alerts.example/1"
KH_GB = "kh.alerts.example/disclosures/gb.alerts.example/1"
JOURNAL = "gb.alerts.example/journal/1"
KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
LAWFULNESS = audit_service_pb2.LAWFUL_PURPOSE_LAWFULNESS
WHO, PERSON = audit_service_pb2.DETAIL_GROUP_ACCOUNTABILITY, audit_service_pb2.DETAIL_GROUP_PERSONAL


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb told kh's border and police (0, 1), an hour later kh's border twice more (2, 3); kh's border answered the first."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        first = made["gb"].publish(draft(KH_BORDER, KH_POLICE))
        made.pump()
        made.clock.pass_(HOUR)
        made["gb"].publish(draft(KH_BORDER))
        made["gb"].publish(draft(KH_BORDER, supersedes=[first.manifest_digest]), reason=" SYNTHETIC  reason.")
        made.pump()
        made["kh"].report(first.manifest_digest.hex())
        made.pump()
        yield made


def auditor(office: Office) -> str:
    return office.person("auditor")


def events(office: Office, wanted: str = "", **more: Any) -> audit_service_pb2.ListEventsResponse:
    return audit_events.list_events(office.ports, auditor(office), audit_service_pb2.ListEventsRequest(filter=wanted, **more))


def disclosures(office: Office, wanted: str = "", **more: Any) -> audit_service_pb2.ListDisclosuresResponse:
    question = audit_service_pb2.ListDisclosuresRequest(filter=wanted, **more)
    return audit_disclosures.list_disclosures(office.ports, auditor(office), question)


def places(answer: audit_service_pb2.ListDisclosuresResponse) -> list[tuple[str, int]]:
    return [(record.origin, record.index) for record in answer.disclosures]


def opened(office: Office, index: int, origin: str = "", **changes: Any) -> audit_service_pb2.OpenEventResponse:
    asked = audit_service_pb2.OpenEventRequest(origin=origin, index=index, group=WHO, purpose=LAWFULNESS, justification="inspection 7")
    return audit_open.open_event(office.ports, auditor(office), changed(asked, **changes))


def newest(office: Office) -> tuple[str, str, str, str]:
    return office.journal()[-1]


def index_of(office: Office, kind: str, code: str) -> int:
    """Of the first event of that kind and code."""
    return next(number for number, event in enumerate(office.journal()) if (event[0], event[3]) == (kind, code))


# Events


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
    assert found(f"at >= {_iso(NOW + HOUR)} AND kind = DISCLOSURE") == released[1:]
    assert found("counterparty = kh.alerts.example AND kind = PARTNER") == [0]
    assert found("party = spiffe://gb.alerts.example/agency/* AND kind = DISCLOSURE") == released
    subject = open_journal_entry(every[0].entry).subject.hex()
    assert 0 in found(f"subject = {subject}")
    assert found("NOT (kind = REVIEW OR index > 0)") == [0]


def _iso(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


@pytest.mark.parametrize("order", ["", "oldest", "newest"])
def test_pages_of_events_end_where_the_journal_ended_at_first(two: Federation, order: str) -> None:
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


# Proofs


def test_every_entry_is_proved_to_be_in_the_signed_journal(two: Federation) -> None:
    gb = two["gb"]
    note = audit_proofs.get_checkpoint(gb.ports, auditor(gb), "").checkpoint
    tree = open_journal_checkpoint(note, gb.own, None)
    assert tree.size == len(gb.journal())
    for index in range(tree.size):
        question = audit_service_pb2.GetProofRequest(index=index, size=tree.size)
        proof = audit_proofs.get_proof(gb.ports, auditor(gb), question)
        verify_inclusion(leaf_hash(proof.entry), index, tree.size, proof.hashes, tree.root)
    assert newest(gb) == ("review", auditor(gb), f"{JOURNAL}#{tree.size - 1}+1", "PROOF")


@pytest.mark.parametrize("origin", [GB_KH, KH_GB])
def test_every_entry_of_a_disclosure_log_is_proved(two: Federation, origin: str) -> None:
    from exchange.tlog.checkpoint import parse_checkpoint_text

    gb = two["gb"]
    note = audit_proofs.get_checkpoint(gb.ports, auditor(gb), origin).checkpoint
    tree = parse_checkpoint_text(note.partition(b"\n\n")[0] + b"\n")
    assert (tree.origin, tree.size) == (origin, 4 if origin == GB_KH else 1)
    for index in range(tree.size):
        proof = audit_proofs.get_proof(gb.ports, auditor(gb), audit_service_pb2.GetProofRequest(origin=origin, index=index))
        verify_inclusion(leaf_hash(proof.entry), index, tree.size, proof.hashes, tree.root)


def test_a_later_journal_continues_an_earlier_one(two: Federation) -> None:
    gb = two["gb"]
    leaves = [leaf_hash(event.entry) for event in events(gb).events]
    root = [Frontier.empty().extend(leaves[:size]).root() for size in range(len(leaves) + 1)]
    for first, second in ((1, 2), (3, len(leaves)), (len(leaves), len(leaves))):
        question = audit_service_pb2.GetConsistencyRequest(first_size=first, second_size=second)
        proof = audit_proofs.get_consistency(gb.ports, auditor(gb), question)
        verify_consistency(first, root[first], second, root[second], proof.hashes)
    for first, second in ((0, 3), (3, 2), (1, 10_000)):
        with refused(Malformed, "PROOF_RANGE"):
            audit_proofs.get_consistency(
                gb.ports, auditor(gb), audit_service_pb2.GetConsistencyRequest(first_size=first, second_size=second)
            )


def test_tiles_are_leaves_and_nodes(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        many = [Event(code="LOGS") for _ in range(600)]
        gb.ports.journal.record(tx, two.clock.now_ms(), Kind.JOURNAL_KIND_REVIEW, auditor(gb), many)
        leaves = [row.leaf for row in gb.ports.journal.rows(tx, 0, 1000)]

    def tile(level: int, index: int, wide: int, origin: str = "") -> bytes:
        question = audit_service_pb2.GetTileRequest(origin=origin, level=level, index=index, width=wide)
        return audit_proofs.get_tile(gb.ports, auditor(gb), question).hashes

    assert tile(0, 1, 256) == b"".join(leaves[256:512])
    assert tile(0, 2, len(leaves) - 512) == b"".join(leaves[512:])
    assert tile(1, 0, 2) == b"".join(Frontier.empty().extend(leaves[start : start + 256]).root() for start in (0, 256))
    assert len(tile(0, 0, 4, GB_KH)) == 4 * 32
    for level, index, wide in ((0, 2, 256), (1, 0, 3), (2, 0, 1), (7, 0, 1), (0, 2**62, 1)):
        with refused(NotFound, "TILE_UNKNOWN"):
            tile(level, index, wide)
    for level, wide in ((0, 0), (0, 257), (8, 1)):
        with refused(Malformed, "TILE_RANGE"):
            tile(level, 0, wide)


def test_what_is_not_there_is_not_proved(two: Federation) -> None:
    gb = two["gb"]

    def ask(**fields: Any) -> audit_service_pb2.GetProofResponse:
        return audit_proofs.get_proof(gb.ports, auditor(gb), audit_service_pb2.GetProofRequest(**fields))

    with refused(NotFound, "LOG_UNKNOWN"):
        ask(origin="gb.alerts.example/disclosures/vn.alerts.example/1")
    with refused(NotFound, "LOG_UNKNOWN"):
        audit_proofs.get_checkpoint(gb.ports, auditor(gb), "kh.alerts.example/journal/1")
    with refused(NotFound, "ENTRY_UNKNOWN"):
        ask(origin=GB_KH, index=4)
    with refused(Malformed, "PROOF_RANGE"):
        ask(origin=GB_KH, index=3, size=5)
    with refused(Malformed, "PROOF_RANGE"):
        ask(origin=GB_KH, index=3, size=2)


# Disclosures


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
    assert found(f"at >= {_iso(NOW + HOUR)}") == ours[2:] + theirs
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
    month = _iso(NOW)[:7]
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


# Opening


def test_a_record_is_opened_for_a_purpose_and_that_is_journalled(two: Federation) -> None:
    gb = two["gb"]
    index = index_of(gb, "disclosure", "RELEASED")
    answer = opened(gb, index)
    entry = open_journal_entry(answer.entry)
    assert commit_detail(answer.salt, answer.record) == answer.commitment == entry.accountability
    assert JournalAccountability.FromString(answer.record).person == gb.person("liaison")
    (kind, who, _, code) = newest(gb)
    assert (kind, who, code) == ("review", auditor(gb), "OPENED")
    last = opened(gb, len(gb.journal()) - 1)
    said = JournalAccountability.FromString(last.record)
    assert (said.person, said.purpose, said.justification) == (auditor(gb), "LAWFULNESS", "inspection 7")
    place = open_journal_entry(last.entry)
    assert (place.origin, place.index, place.count, place.subject) == (JOURNAL, index, 1, entry.accountability)


def test_an_authorisation_is_opened_from_a_log_of_ours(two: Federation) -> None:
    gb = two["gb"]
    answer = opened(gb, 0, GB_KH)
    entry = disclosure_pb2.Entry.FromString(answer.entry)
    assert commit_authorisation(answer.salt, answer.record) == answer.commitment == entry.authorisation
    assert gb.person("liaison").encode() in answer.record
    assert newest(gb)[3] == "OPENED"


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"purpose": 0}, Refused, "PURPOSE_MISSING"),
        ({"purpose": 77}, Refused, "PURPOSE_MISSING"),
        ({"justification": " \n"}, Refused, "REASON_MISSING"),
        ({"justification": "x" * 2001}, Malformed, "REASON_TOO_LONG"),
        ({"group": 0}, Malformed, "DETAIL_GROUP"),
        ({"group": PERSON}, NotFound, "DETAIL_NONE"),
        ({"index": 99_999}, NotFound, "ENTRY_UNKNOWN"),
        ({"origin": GB_KH, "index": 99}, NotFound, "ENTRY_UNKNOWN"),
        ({"origin": GB_KH, "group": PERSON}, NotFound, "DETAIL_NONE"),
        ({"origin": KH_GB}, NotFound, "DETAIL_NONE"),
        ({"origin": "kh.alerts.example/journal/1"}, NotFound, "LOG_UNKNOWN"),
    ],
)
def test_nothing_is_opened_otherwise(two: Federation, changes: dict[str, Any], error: type[Malformed], code: str) -> None:
    gb = two["gb"]
    before = gb.journal()
    with refused(error, code):
        opened(gb, **{"index": 0, **changes})
    after = gb.journal()
    if error is Refused:
        assert after[:-1] == before
        assert (after[-1][0], after[-1][1], after[-1][3]) == ("refusal", auditor(gb), code)
    else:
        assert after == before


def test_the_content_of_what_came_in_is_never_opened(two: Federation) -> None:
    """Beside an inbound entry stand its openings: the alert's content."""
    kh = two["kh"]
    with refused(NotFound, "DETAIL_NONE"):
        opened(kh, 0, GB_KH)


def test_an_opening_that_cannot_be_journalled_shows_nothing(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb = two["gb"]

    def broken(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(type(gb.ports.journal), "record", broken)
    with pytest.raises(OSError):  # noqa: PT011  whatever the store raises
        opened(gb, 0)


def test_an_erased_record_is_said_to_be_erased(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        personal = JournalPersonal(query="synthetic")
        gb.ports.journal.record(tx, NOW, Kind.JOURNAL_KIND_CONSULTATION, auditor(gb), [Event(code="SEARCH", personal=personal)])
    index = len(gb.journal()) - 1
    assert JournalPersonal.FromString(opened(gb, index, group=PERSON).record).query == "synthetic"
    with gb.ports.store.write() as tx:
        gb.ports.journal.erase_detail(tx, index, PERSONAL)
        tx.exec_driver_sql("UPDATE entries SET sealed = NULL WHERE idx = 0")
        tx.exec_driver_sql("UPDATE alerts SET wrapped_key = NULL WHERE id = (SELECT alert_ref FROM entries WHERE idx = 2 LIMIT 1)")
    with refused(NotFound, "ERASED"):
        opened(gb, index, group=PERSON)
    with refused(NotFound, "ERASED"):
        opened(gb, 0, GB_KH)
    with refused(NotFound, "ERASED"):
        opened(gb, 2, GB_KH)
    assert opened(gb, index).record  # the other group stays
    (event,) = events(gb, f"index = {index}").events
    assert (event.accountability_kept, event.personal_kept) == (True, False)


def test_a_record_that_was_exchanged_is_found(two: Federation) -> None:
    gb = two["gb"]
    journal, index = gb.ports.journal, index_of(gb, "disclosure", "RELEASED")
    real = journal.detail

    def other(tx: Any, at: int, group: str, *, generation: int | None = None) -> bytes | None:
        return real(tx, 0 if at == index else at, group, generation=generation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(journal), "detail", lambda _, *args, **more: other(*args, **more))
        with refused(Unverified, "DETAIL_MISMATCH"):
            opened(gb, index)
    assert newest(gb)[3] != "OPENED"


def test_whether_a_justification_is_mandatory_is_policy(two: Federation) -> None:
    from dataclasses import replace

    gb = two["gb"]
    gb.ports = replace(gb.ports, justification_mandatory=False)
    assert opened(gb, 0, justification="").record
    assert not gb.publish(draft(KH_BORDER), reason="").problems
    with refused(Refused, "PURPOSE_MISSING"):
        opened(gb, 0, purpose=0)


# Repeated reasons, urgent use, alarms


def reasons(office: Office, at_least: int = 2, **more: Any) -> audit_service_pb2.ListRepeatedReasonsResponse:
    question = audit_service_pb2.ListRepeatedReasonsRequest(at_least=at_least, **more)
    return audit_reasons.list_repeated_reasons(office.ports, auditor(office), question)


def test_the_same_words_again_are_found_and_not_shown(two: Federation) -> None:
    gb = two["gb"]
    answer = reasons(gb, 3)
    (found,) = answer.reasons
    assert (found.person, found.count, found.first_at, found.last_at) == (1, 3, NOW, NOW + HOUR)
    assert found.agency == agency("gb", POLICE)
    assert [(use.origin, use.index) for use in found.uses] == [(GB_KH, 3), (GB_KH, 2), (GB_KH, 0)]
    assert found.commitment == opened(gb, 3, GB_KH).commitment
    assert b"reason" not in answer.SerializeToString().lower()
    assert gb.person("liaison").encode() not in answer.SerializeToString()
    assert answer.compared == 3  # the first went to two agencies under one record
    assert not reasons(gb, 4).reasons
    assert not reasons(gb, 2, until=NOW + HOUR).reasons
    assert reasons(gb, 2, **{"from": NOW + HOUR}).reasons[0].count == 2


def test_reasons_of_different_persons_are_not_one(two: Federation) -> None:
    kh = two["kh"]
    for name in ("border", "both"):
        kh.report(_first(two), name)
    assert not [found for found in reasons(kh).reasons if found.count > 2]
    assert {found.person for found in reasons(kh).reasons} == {1}


def _first(two: Federation) -> str:
    entry = disclosure_pb2.Entry.FromString(disclosures(two["gb"]).disclosures[0].entry)
    return entry.manifest_digest.hex()


def test_openings_for_the_same_reason_count_and_erased_ones_are_said(two: Federation) -> None:
    gb = two["gb"]
    for _ in range(2):
        opened(gb, 0)
    found = {use.count: use for use in reasons(gb).reasons}
    assert found[2].uses[0].origin == JOURNAL
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE entries SET sealed = NULL WHERE idx = 3")
    answer = reasons(gb)
    assert answer.erased == 1
    with refused(Malformed, "AT_LEAST"):
        reasons(gb, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Case 7", "case  7."), ("(Case 7)", "CASE\n7"), ("Ｃａｓｅ ７", "case 7"), ("ÉTÉ", "e\u0301te\u0301"), ("", " . ")],
)
def test_what_counts_as_the_same_words(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert normalised(one) != normalised("case 8")


def test_what_was_urgent_is_listed(two: Federation) -> None:
    gb = two["gb"]
    assert not audit_urgent.list_urgent(gb.ports, auditor(gb), 0, 0).uses
    with gb.ports.store.write() as tx:
        event = Event(code="ALERT", justification="a child is in danger", urgent=True)
        gb.ports.journal.record(tx, NOW + HOUR, Kind.JOURNAL_KIND_CONSULTATION, gb.person("liaison"), [event])
    index = len(gb.journal()) - 1
    grant = desk_service_pb2.OnRequestGrant(recipient=KH_BORDER, field=_on_request(), ground=disclosure_pb2.ON_REQUEST_GROUND_RISK_TO_CHILD)
    published = gb.publish(draft(KH_BORDER, on_request=[grant]))
    assert not published.problems
    uses = [(use.kind, use.origin, use.index, use.code) for use in audit_urgent.list_urgent(gb.ports, auditor(gb), 0, 0).uses]
    assert uses == [
        (audit_service_pb2.URGENT_KIND_RISK, GB_KH, 4, "gb-kh-travelalert-border"),
        (audit_service_pb2.URGENT_KIND_DECLARED, JOURNAL, index, "ALERT"),
    ]
    assert newest(gb)[3] == "URGENT"
    assert not audit_urgent.list_urgent(gb.ports, auditor(gb), 0, NOW + HOUR).uses


def _on_request() -> int:
    return next(c for c in agreement("gb", "kh").clauses if c.id == "gb-kh-travelalert-border").on_request[0]


def test_alarms_that_stand_are_listed(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        raise_alarm(tx, NOW, "RECEIPT_CLOCK", partner="kh.alerts.example", origin=GB_KH)
    (alarm,) = audit_urgent.list_alarms(gb.ports, auditor(gb)).alarms
    assert (alarm.at, alarm.code, alarm.partner, alarm.origin) == (NOW, "RECEIPT_CLOCK", "kh.alerts.example", GB_KH)
    assert newest(gb)[3] == "ALARMS"


# Reports to a data subject


def reported(office: Office, *alerts: str, **more: Any) -> audit_service_pb2.ReportSubjectResponse:
    question = audit_service_pb2.ReportSubjectRequest(alerts=alerts, justification="access request 3")
    return audit_subject.report_subject(office.ports, auditor(office), changed(question, **more))


def test_a_person_is_told_what_was_told(two: Federation) -> None:
    gb, first = two["gb"], _first(two)
    answer = reported(gb, first[:12])
    (alert,) = answer.alerts
    assert (alert.manifest_digest.hex(), alert.state) == (first, "superseded")
    assert [(record.origin, record.index) for record in alert.disclosures] == [(GB_KH, 0), (GB_KH, 1)]
    assert all(record.instrument and record.field_names for record in alert.disclosures)
    assert (answer.at, answer.trust_domain) == (NOW + HOUR, "gb.alerts.example")
    (kind, _, what, code) = newest(gb)
    assert (kind, code, what) == ("export", "SUBJECT_REPORT", "")  # which alerts they are stands only in the erasable part
    last = opened(gb, len(gb.journal()) - 1, group=PERSON)
    assert [digest.hex() for digest in JournalPersonal.FromString(last.record).results] == [first]
    assert reported(two["kh"], first).alerts[0].disclosures  # also of what came in


def test_what_is_withheld_is_named_as_withheld_and_nothing_else_of_it_is_given(two: Federation) -> None:
    gb = two["gb"]
    second = disclosure_pb2.Entry.FromString(disclosures(gb).disclosures[2].entry).manifest_digest.hex()
    kept = audit_service_pb2.Withholding(alert=second[:16], ground=audit_service_pb2.WITHHOLDING_GROUND_CRIME)
    answer = reported(gb, _first(two), second, withheld=[kept])
    assert [alert.withheld for alert in answer.alerts] == [0, audit_service_pb2.WITHHOLDING_GROUND_CRIME]
    assert answer.alerts[1] == audit_service_pb2.ReportedAlert(withheld=audit_service_pb2.WITHHOLDING_GROUND_CRIME)
    assert bytes.fromhex(second) not in answer.SerializeToString()


def test_a_report_that_is_not_in_order_is_refused(two: Federation) -> None:
    gb, first = two["gb"], _first(two)
    before = gb.journal()
    crime, kept = audit_service_pb2.WITHHOLDING_GROUND_CRIME, audit_service_pb2.Withholding
    second = disclosure_pb2.Entry.FromString(disclosures(gb).disclosures[2].entry).manifest_digest.hex()
    cases: list[tuple[type[Malformed], str, tuple[str, ...], dict[str, Any]]] = [
        (Refused, "REASON_MISSING", (first,), {"justification": ""}),
        (Malformed, "SUBJECT_ALERTS", (), {}),
        (Malformed, "SUBJECT_ALERTS", (first,) * 51, {}),
        (Malformed, "WITHHELD_GROUND", (first,), {"withheld": [kept(alert=first)]}),
        (Malformed, "WITHHELD_GROUND", (first,), {"withheld": [kept(alert=first, ground=99)]}),
        (Malformed, "WITHHELD_UNKNOWN", (first,), {"withheld": [kept(alert=second, ground=crime)]}),
        (NotFound, "ALERT_NOT_FOUND", ("00" * 32,), {}),
        (NotFound, "ALERT_REFERENCE", ("0123",), {}),
        (NotFound, "ALERT_REFERENCE", ("surname!",), {}),
    ]
    for error, code, alerts, more in cases:
        with refused(error, code):
            reported(gb, *alerts, **more)
    assert [event for event in gb.journal() if event not in before and event[3] == "SUBJECT_REPORT"] == []


# Who, and what never


OPERATIONS = {
    "ListEvents": audit_events.list_events,
    "GetEvent": audit_events.get_event,
    "GetProof": audit_proofs.get_proof,
    "GetConsistency": audit_proofs.get_consistency,
    "GetCheckpoint": lambda ports, who, request: audit_proofs.get_checkpoint(ports, who, request.origin),
    "GetTile": audit_proofs.get_tile,
    "ListDisclosures": audit_disclosures.list_disclosures,
    "OpenEvent": audit_open.open_event,
    "ListRepeatedReasons": audit_reasons.list_repeated_reasons,
    "ListUrgent": lambda ports, who, request: audit_urgent.list_urgent(ports, who, 0, request.until),
    "ListAlarms": lambda ports, who, _: audit_urgent.list_alarms(ports, who),
    "GetStatistics": lambda ports, who, request: audit_disclosures.get_statistics(ports, who, request.filter),
    "ReportSubject": audit_subject.report_subject,
}


def test_only_an_auditor_asks(two: Federation) -> None:
    gb = two["gb"]
    service = audit_service_pb2.DESCRIPTOR.services_by_name["AuditService"]
    assert {method.name for method in service.methods} == set(OPERATIONS)
    for method, operation in OPERATIONS.items():
        for name in ("liaison", "police", "administrator", "both"):
            request = getattr(audit_service_pb2, f"{method}Request")()
            with refused(NotPermitted, "ROLE_MISSING"):
                operation(gb.ports, gb.person(name), request)
        with refused(NotPermitted, "OFFICER_UNKNOWN"):
            operation(gb.ports, gb.person("stranger"), getattr(audit_service_pb2, f"{method}Request")())


def test_an_auditor_reads_no_content(two: Federation) -> None:
    """Whatever an auditor asks, no value of the alert is in the answers: the canary is every text of the sample alert."""
    from exchange.encoding import cut, encode
    from tests import builders

    gb, first = two["gb"], _first(two)
    answers: list[bytes] = []

    def keep(method: str, **fields: Any) -> None:
        request = getattr(audit_service_pb2, f"{method}Request")(**fields)
        answers.append(OPERATIONS[method](gb.ports, auditor(gb), request).SerializeToString())

    keep("ListEvents")
    keep("GetEvent")
    keep("ListDisclosures")
    keep("ListRepeatedReasons", at_least=2)
    keep("ListUrgent")
    keep("ListAlarms")
    keep("GetStatistics")
    keep("ReportSubject", alerts=[first], justification="x")
    for origin, size in ((GB_KH, 4), (KH_GB, 1), (JOURNAL, 12)):
        for index in range(size):
            keep("GetProof", origin=origin, index=index)
    for index in range(4):
        keep("OpenEvent", origin=GB_KH, index=index, group=WHO, purpose=LAWFULNESS, justification="x")
    secrets = {fragment for fragment in cut(encode(builders.alert())).values() if len(fragment) > 8}
    assert len(secrets) > 10
    assert not [secret for secret in secrets for answer in answers if secret in answer]


def test_every_code_of_a_look_is_one_of_the_page() -> None:
    review, export = CODES[Kind.JOURNAL_KIND_REVIEW], CODES[Kind.JOURNAL_KIND_EXPORT]
    assert {"EVENTS", "EVENT", "PROOF", "DISCLOSURES", "OPENED", "REASONS", "URGENT", "ALARMS", "STATISTICS"} <= review
    assert {"EVENTS", "DISCLOSURES", "SUBJECT_REPORT"} <= export


def test_looks_are_journalled_in_the_order_in_which_they_are_answered(two: Federation) -> None:
    gb = two["gb"]
    before = len(gb.journal())
    events(gb)
    disclosures(gb)
    opened(gb, 0)
    assert [event[3] for event in gb.journal()[before:]] == ["EVENTS", "DISCLOSURES", "OPENED"]
    times = [open_journal_entry(event.entry).at for event in events(gb).events]
    assert all(one <= other for one, other in pairwise(times))
