"""Two countries compare their copies of one log over the network: nothing for equal logs, the first entry that differs otherwise."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from exchange.contradiction import verify_contradiction
from exchange.encoding import encode
from exchange.errors import Malformed, NotFound
from exchange.receipt import issue
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import leaf_hash
from exchange.v1 import desk_service_pb2, disclosure_pb2, exchange_service_pb2, statement_pb2
from node.operations import fetch, log_walk, reconcile, shared_log
from node.operations.officers import NotPermitted
from tests.builders import log_name
from tests.countries import BORDER, HOUR, POLICE, agency, changed, domain, pins
from tests.federation import Federation, federation, wire
from tests.refusals import refused
from tests.rewriting import entries_of, rewrite
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
NAME = log_name()
OUT = NAME.origin


@dataclass(slots=True, kw_only=True)
class Asked:
    """A partner's office, asked through bytes; `lies` maps a question to what becomes of its answer."""

    partner: Office
    caller: str
    lies: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def log_heads(self) -> exchange_service_pb2.GetLogHeadsResponse:
        return self._told("heads", wire(shared_log.heads(self.partner.ports, self.caller)))

    def log_root(self, origin: str, size: int) -> bytes:
        request = exchange_service_pb2.GetLogRootRequest(origin=origin, size=size)
        return self._told("root", wire(shared_log.root(self.partner.ports, self.caller, request)).root)

    def log_leaves(self, origin: str, start: int) -> list[bytes]:
        request = exchange_service_pb2.GetLogLeavesRequest(origin=origin, **{"from": start})
        return self._told("leaves", list(wire(shared_log.leaves(self.partner.ports, self.caller, request)).leaves))

    def log_receipts(self, origin: str, above: int) -> list[statement_pb2.Statement]:
        request = exchange_service_pb2.GetLogReceiptsRequest(origin=origin, above=above)
        return self._told("receipts", list(wire(shared_log.receipts(self.partner.ports, self.caller, request)).receipts))

    def entries(self, origin: str, start: int) -> exchange_service_pb2.FetchEntriesResponse:
        request = exchange_service_pb2.FetchEntriesRequest(origin=origin, **{"from": start})
        return self._told("entries", wire(fetch.entries(self.partner.ports, self.caller, request)))

    def _told(self, question: str, answer: Any) -> Any:
        self.calls.append(question)
        return self.lies.get(question, lambda told: told)(answer)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb disclosed seven entries to kh, under four receipts; an hour has passed."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        for _ in range(3):
            made["gb"].publish(draft(KH_BORDER, KH_POLICE))
            made.pump()
        made["gb"].publish(draft(KH_POLICE))
        made.pump()
        made.clock.pass_(HOUR)
        yield made


def compare(office: Office, with_: Office, asked: Asked | None = None, **period: int) -> desk_service_pb2.ReconcileResponse:
    asked = asked or Asked(partner=with_, caller=office.domain)
    request = desk_service_pb2.ReconcileRequest(partner=with_.domain, **period)
    *_, finished = reconcile.reconcile(office.ports, office.person("auditor"), request, asked)
    assert finished.finished
    return finished


def found(answer: desk_service_pb2.ReconcileResponse) -> list[tuple[str, int, int, str]]:
    names = desk_service_pb2.FindingGrade
    return [(one.code, one.index, one.count, names.Name(one.grade).removeprefix("FINDING_GRADE_")) for one in answer.differences]


def from_both(two: Federation) -> list[list[tuple[str, int, int, str]]]:
    return [found(compare(two["gb"], two["kh"])), found(compare(two["kh"], two["gb"]))]


def altered(entry: bytes) -> bytes:
    return encode(changed(disclosure_pb2.Entry.FromString(entry), clause="another"))


def test_equal_logs_cost_one_question_however_long(two: Federation) -> None:
    asked = Asked(partner=two["kh"], caller=domain("gb"))
    answer = compare(two["gb"], two["kh"], asked)
    assert not answer.differences
    assert [(log.size, log.partner_size, log.questions) for log in answer.logs] == [(7, 7, 0), (0, 0, 0)]
    assert answer.logs[0].root == answer.logs[0].partner_root
    assert asked.calls == ["heads"]
    assert from_both(two) == [[], []]
    assert two["gb"].journal()[-1][2:] == (domain("kh"), "RECONCILIATION")


def test_what_is_in_transit_is_observed_and_then_overdue(two: Federation) -> None:
    two["gb"].publish(draft(KH_POLICE))
    assert from_both(two) == [[("NOT_RECEIVED", 7, 1, "OBSERVATION")]] * 2
    two.clock.pass_(HOUR)
    # The recipient asks the sender when that was.
    assert from_both(two) == [[("NOT_RECEIVED", 7, 1, "PRIORITY")]] * 2
    assert not two["gb"].alarms()
    silent = Asked(partner=two["gb"], caller=domain("kh"), lies={"entries": lambda _: exchange_service_pb2.FetchEntriesResponse()})
    (told,) = compare(two["kh"], two["gb"], silent).differences
    assert (told.disclosed_at, told.manifest_digest) == (0, b"")


def test_received_and_not_disclosed(two: Federation) -> None:
    rewrite(two["gb"], NAME, entries_of(two["gb"], NAME)[:5])
    told = [("NOT_DISCLOSED", 5, 2, "CRITICAL"), ("RECEIPT_WITHOUT_ENTRY", 5, 2, "CRITICAL")]
    assert from_both(two) == [told, told]
    assert "LOGS_DIFFER" in two["gb"].alarms()
    assert "LOGS_DIFFER" in two["kh"].alarms()


@pytest.mark.parametrize("index", range(7))
def test_an_altered_entry_is_named_by_either_country(two: Federation, index: int) -> None:
    entries = entries_of(two["kh"], NAME)
    entries[index] = altered(entries[index])
    rewrite(two["kh"], NAME, entries)
    assert from_both(two) == [[("DIFFERENT_CONTENT", index, 1, "CRITICAL")]] * 2
    one = compare(two["gb"], two["kh"]).differences[0]
    assert one.sender_leaf == leaf_hash(entries_of(two["gb"], NAME)[index])
    assert one.recipient_leaf == leaf_hash(entries[index])
    assert one.manifest_digest == disclosure_pb2.Entry.FromString(entries[index]).manifest_digest


def test_an_entry_cut_out_of_the_middle_is_the_only_one_named(two: Federation) -> None:
    entries = entries_of(two["kh"], NAME)
    rewrite(two["kh"], NAME, [*entries[:3], *entries[4:]])
    told = [("NOT_RECEIVED", 3, 1, "PRIORITY"), ("RECEIPT_WITHOUT_ENTRY", 6, 1, "CRITICAL")]
    assert from_both(two) == [told, told]


def test_an_entry_pushed_into_the_middle_is_the_only_one_named(two: Federation) -> None:
    entries = entries_of(two["kh"], NAME)
    rewrite(two["kh"], NAME, [*entries[:3], altered(entries[3]), *entries[3:]])
    assert from_both(two) == [[("NOT_DISCLOSED", 3, 1, "CRITICAL")]] * 2


def test_entries_in_another_order(two: Federation) -> None:
    entries = entries_of(two["kh"], NAME)
    rewrite(two["kh"], NAME, [*entries[:2], entries[3], entries[2], *entries[4:]])
    assert from_both(two) == [[("OUT_OF_ORDER", 2, 1, "CRITICAL")]] * 2


def test_a_sender_that_rewrites_its_log_with_its_own_keys_convicts_itself(two: Federation) -> None:
    entries = entries_of(two["gb"], NAME)
    rewrite(two["gb"], NAME, [*entries[:4], altered(entries[4]), *entries[5:]])
    (told,) = compare(two["kh"], two["gb"]).differences
    assert (told.code, told.index) == ("DIFFERENT_CONTENT", 4)
    contradicted = verify_contradiction(told.contradiction, pins("gb"))
    assert (contradicted.trust_domain, contradicted.first.origin) == (domain("gb"), OUT)


@pytest.mark.parametrize("end", [5, 6, 8])
def test_whatever_size_it_rewrites_to(two: Federation, end: int) -> None:
    entries = entries_of(two["gb"], NAME)
    entries = [*entries[:4], altered(entries[4]), *entries[5:], entries[0]]
    rewrite(two["gb"], NAME, entries[:end])
    told = compare(two["kh"], two["gb"]).differences[0]
    assert verify_contradiction(told.contradiction, pins("gb")).second.size == max(end, 7)


def test_a_receipt_that_one_side_lost_is_missing(two: Federation) -> None:
    for office in ("gb", "kh"):
        with two[office].ports.store.write() as tx:
            tx.exec_driver_sql("DELETE FROM receipts WHERE size = 7")
        if office == "gb":
            assert from_both(two) == [[("RECEIPT_MISSING", 6, 1, "PRIORITY")]] * 2
    assert from_both(two) == [[("RECEIPT_MISSING", 6, 1, "PRIORITY")]] * 2


def test_another_receipt_for_the_same_entries(two: Federation) -> None:
    kh, mirror = two["kh"], two["kh"].mirror(two["gb"])
    other = issue(Checkpoint(origin=OUT, size=7, root=mirror.frontier.root()), 4, two.clock.time, [], kh.ports.signers.receipt)
    with kh.ports.store.write() as tx:
        tx.exec_driver_sql("DELETE FROM receipts WHERE size = 6")
        tx.exec_driver_sql("UPDATE receipts SET statement = ?, previous_size = 4 WHERE size = 7", (other.SerializeToString(),))
    told = [("RECEIPT_DIFFERS", 4, 2, "CRITICAL"), ("RECEIPT_DIFFERS", 6, 1, "CRITICAL")]
    assert from_both(two) == [told, told]
    contradicted = verify_contradiction(compare(two["gb"], kh).differences[0].contradiction, pins("kh"))
    assert (contradicted.trust_domain, contradicted.receipts) == (domain("kh"), True)


def test_only_what_was_disclosed_in_the_period_is_told(two: Federation) -> None:
    entries = entries_of(two["kh"], NAME)
    rewrite(two["kh"], NAME, [altered(entries[0]), *entries[1:]])
    at = two.clock.time - HOUR
    assert found(compare(two["gb"], two["kh"], **{"from": at, "until": at + 1}))
    assert not found(compare(two["gb"], two["kh"], **{"from": at + 1}))
    assert not found(compare(two["gb"], two["kh"], until=at))


def test_a_log_that_only_the_partner_has(two: Federation) -> None:
    with two["gb"].ports.store.write() as tx:
        tx.exec_driver_sql("DELETE FROM receipts")
        tx.exec_driver_sql("DELETE FROM logs")
    codes = [("NOT_DISCLOSED", 0, 7, "CRITICAL"), ("RECEIPT_WITHOUT_ENTRY", 0, 7, "CRITICAL")]
    assert found(compare(two["gb"], two["kh"]))[:1] == codes[:1]


# A partner that lies


def lie(two: Federation, question: str, answer: Callable[[Any], Any]) -> Asked:
    return Asked(partner=two["kh"], caller=domain("gb"), lies={question: answer})


def test_hashes_that_do_not_lead_to_its_root_count_for_nothing(two: Federation) -> None:
    def other_root(heads: exchange_service_pb2.GetLogHeadsResponse) -> exchange_service_pb2.GetLogHeadsResponse:
        heads.heads[0].root = bytes(32)
        return heads

    assert found(compare(two["gb"], two["kh"], lie(two, "heads", other_root))) == [("PARTNER_INCONSISTENT", 6, 1, "CRITICAL")]


def test_a_receipt_that_nobody_signed(two: Federation) -> None:
    def forged(heads: exchange_service_pb2.GetLogHeadsResponse) -> exchange_service_pb2.GetLogHeadsResponse:
        heads.heads[0].receipt.signatures[0].signature = bytes(64)
        return heads

    assert ("RECEIPT_UNVERIFIED", 0, 1, "CRITICAL") in found(compare(two["gb"], two["kh"], lie(two, "heads", forged)))


def _heads(**changes: Any) -> Callable[[Any], Any]:
    def spoil(heads: exchange_service_pb2.GetLogHeadsResponse) -> exchange_service_pb2.GetLogHeadsResponse:
        heads.heads[0].CopyFrom(changed(heads.heads[0], **changes))
        return heads

    return spoil


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("heads", _heads(root=bytes(31))),
        ("heads", _heads(origin="no origin")),
        ("heads", _heads(origin="gb.alerts.example/disclosures/vn.alerts.example/1")),
        ("heads", _heads(origin="kh.alerts.example/disclosures/gb.alerts.example/1")),
        ("heads", _heads(size=0)),
        ("heads", _heads(size=2**63)),
        ("root", lambda _: b"short"),
        ("leaves", lambda _: []),
        ("leaves", lambda leaves: [leaf[:31] for leaf in leaves]),
    ],
)
def test_garbage_has_a_clear_code(two: Federation, question: str, answer: Callable[[Any], Any]) -> None:
    entries = entries_of(two["kh"], NAME)
    rewrite(two["kh"], NAME, [*entries[:3], altered(entries[3]), *entries[4:]])
    with refused(Malformed, "RECONCILE_ANSWER"):
        compare(two["gb"], two["kh"], lie(two, question, answer))


def test_receipts_without_end_are_refused(two: Federation) -> None:
    with two["kh"].ports.store.write() as tx:
        tx.exec_driver_sql("DELETE FROM receipts WHERE size = 7")
    with refused(Malformed, "RECONCILE_ANSWER"):
        compare(two["gb"], two["kh"], lie(two, "receipts", lambda receipts: receipts[:0]))


def test_of_a_log_beyond_bounds_the_first_difference_is_named(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_walk, "LEAVES_AT_MOST", 2)
    entries = entries_of(two["kh"], NAME)
    rewrite(two["kh"], NAME, [*entries[:2], altered(entries[2]), *entries[3:]])
    assert from_both(two) == [[("DIFFERENT_CONTENT", 2, 1, "CRITICAL")]] * 2


def test_who_may_ask_and_of_whom(two: Federation) -> None:
    gb = two["gb"]
    request = desk_service_pb2.ReconcileRequest(partner=domain("vn"))
    asked = Asked(partner=two["kh"], caller=gb.domain)
    with refused(NotFound, "PARTNER_UNKNOWN"):
        list(reconcile.reconcile(gb.ports, gb.person("auditor"), request, asked))
    with refused(NotPermitted, "ROLE_MISSING"):
        list(reconcile.reconcile(gb.ports, gb.person("liaison"), request, asked))


def test_a_partner_asks_about_its_own_logs_only(two: Federation) -> None:
    gb = two["gb"]
    assert not shared_log.heads(gb.ports, domain("vn")).heads
    asked = Asked(partner=gb, caller=domain("vn"))
    for question in (lambda: asked.log_root(OUT, 1), lambda: asked.log_leaves(OUT, 0), lambda: asked.log_receipts(OUT, 0)):
        with refused(NotFound, "LOG_UNKNOWN"):
            question()
    asked = Asked(partner=gb, caller=domain("kh"))
    for question in (lambda: asked.log_root(OUT, 8), lambda: asked.log_leaves(OUT, 8)):
        with refused(Malformed, "RANGE"):
            question()
    assert asked.log_leaves(OUT, 7) == []
    assert len(asked.log_receipts(OUT, 2)) == 3
