from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from exchange.errors import Conflict, Malformed, NotFound
from exchange.journal import SALT_SIZE, commit_detail, open_journal_checkpoint, open_journal_entry
from exchange.tlog.merkle import leaf_hash, root, verify_consistency, verify_inclusion
from exchange.tlog.tree import prove_consistency, prove_inclusion
from exchange.v1.audit_service_pb2 import URGENT_KIND_DECLARED
from exchange.v1.journal_pb2 import JournalAccountability, JournalPersonal
from node.operations import anchor, inbox, opening
from node.operations.audit_urgent import list_urgent
from node.operations.officers import NotPermitted, require
from node.operations.release import prepare
from node.operations.sequence import sequence
from node.ports import Ports
from node.store.errors import StoreFailed
from node.store.journal import ACCOUNTABILITY, PERSONAL, Event, JournalRow, Kind, columns
from node.store.nodes import StoredHashes, journal_log
from tests.countries import BORDER, NOW, agency, domain
from tests.federation import Federation
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER = agency("kh", BORDER)


def rows(ports: Ports) -> list[JournalRow]:
    with ports.store.read() as tx:
        return ports.journal.rows(tx, 0, ports.journal.edge(tx).frontier.size)


def record(office: Office, kind: Kind.ValueType, actor: str, *events: Event) -> None:
    with office.ports.store.write() as tx:
        office.ports.journal.record(tx, office.clock.now_ms(), kind, actor, events)


def test_every_entry_has_the_one_form_and_its_place_in_the_tree(two: Federation) -> None:
    two["gb"].publish(draft(KH_BORDER))
    two.pump()
    for office in (two["gb"], two["kh"]):
        held = rows(office.ports)
        assert [row.idx for row in held] == list(range(len(held)))
        for row in held:
            entry = open_journal_entry(row.entry)
            assert row.leaf == leaf_hash(row.entry)
            assert columns(entry).items() <= {name: getattr(row, name) for name in JournalRow.__slots__}.items()
        assert [row.at for row in held] == sorted(row.at for row in held)
        with office.ports.store.read() as tx:
            assert office.ports.journal.edge(tx).frontier.root() == root([row.leaf for row in held])


def test_a_disclosure_stands_in_both_journals_with_its_range(two: Federation) -> None:
    for _ in range(3):
        two["gb"].publish(draft(KH_BORDER))
    two.pump()
    log = two["gb"].outbound(two["kh"]).name.origin
    told = [(row.kind, row.code, row.first, row.count) for row in rows(two["gb"].ports) if row.origin == log]
    assert told == [
        (Kind.JOURNAL_KIND_LOG, "OPENED", 0, 0),
        *[(Kind.JOURNAL_KIND_DISCLOSURE, "RELEASED", index, 1) for index in range(3)],
        (Kind.JOURNAL_KIND_RECEIPT, "TAKEN", 0, 3),
    ]
    heard = [(row.kind, row.code, row.first, row.count) for row in rows(two["kh"].ports) if row.origin == log]
    assert heard == [(Kind.JOURNAL_KIND_LOG, "OPENED", 0, 0), (Kind.JOURNAL_KIND_COLLECTION, "RECEIVED", 0, 3)]


def test_a_person_stands_only_in_the_sealed_detail(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(draft(KH_BORDER))
    person = gb.person("liaison")
    disclosure = next(row for row in rows(gb.ports) if row.kind == Kind.JOURNAL_KIND_DISCLOSURE)
    assert disclosure.party == str(gb.ports.officers[person].agency)
    assert person.encode() not in b"".join(row.entry for row in rows(gb.ports))
    with gb.ports.store.read() as tx:
        salted = gb.ports.journal.detail(tx, disclosure.idx, ACCOUNTABILITY)
        sealed = b"".join(tx.execute(text("SELECT sealed FROM journal_details")).scalars())
    assert salted is not None
    assert JournalAccountability.FromString(salted[SALT_SIZE:]) == JournalAccountability(person=person, roles="liaison officer")
    assert open_journal_entry(disclosure.entry).accountability == commit_detail(salted[:SALT_SIZE], salted[SALT_SIZE:])
    assert person.encode() not in sealed


def test_what_an_officer_declares_urgent_is_an_entry_of_its_own_and_says_so(two: Federation) -> None:
    gb = two["gb"]
    person, ports = gb.person("liaison"), gb.ports
    waiting = [prepare(ports, person, draft(KH_BORDER), "synthetic", urgent=urgent) for urgent in (False, True, True, False)]
    assert not any(answer.problems for answer in sequence(ports, waiting))
    told = [row for row in rows(ports) if row.code == "RELEASED"]
    with ports.store.read() as tx:
        salted = [ports.journal.detail(tx, row.idx, ACCOUNTABILITY) or b"" for row in told]
    said = [JournalAccountability.FromString(detail[SALT_SIZE:]).urgent for detail in salted]
    assert [(row.first, row.count, urgent) for row, urgent in zip(told, said, strict=True)] == [(0, 1, False), (1, 2, True), (3, 1, False)]
    uses = list_urgent(ports, gb.person("auditor"), 0, 0).uses
    assert [(use.kind, use.index, use.code) for use in uses] == [(URGENT_KIND_DECLARED, told[1].idx, "RELEASED")]


def test_what_was_found_is_erased_apart_and_every_proof_stays(two: Federation) -> None:
    kh, ports = two["kh"], two["kh"].ports
    found = JournalPersonal(query="synthetic name", results=[sha256(b"alert").digest()])
    record(kh, Kind.JOURNAL_KIND_CONSULTATION, kh.person("border"), Event(code="SEARCH", personal=found, justification="case 4711"))
    (row,) = [row for row in rows(ports) if row.code == "SEARCH"]
    entry = open_journal_entry(row.entry)
    with ports.store.read() as tx:
        before = ports.journal.edge(tx).frontier.root()
        salted = ports.journal.detail(tx, row.idx, PERSONAL)
    assert salted is not None
    assert entry.personal == commit_detail(salted[:SALT_SIZE], salted[SALT_SIZE:])
    assert JournalPersonal.FromString(salted[SALT_SIZE:]) == found
    with ports.store.write() as tx:
        ports.journal.erase_detail(tx, row.idx, PERSONAL)
    with ports.store.read() as tx:
        assert ports.journal.detail(tx, row.idx, PERSONAL) is None
        kept = ports.journal.detail(tx, row.idx, ACCOUNTABILITY)
        assert kept is not None
        assert JournalAccountability.FromString(kept[SALT_SIZE:]).justification == "case 4711"
        assert ports.journal.edge(tx).frontier.root() == before
    assert rows(ports)[row.idx] == row


def test_a_detail_that_was_moved_to_another_entry_does_not_open(two: Federation) -> None:
    kh, ports = two["kh"], two["kh"].ports
    for _ in range(2):
        record(kh, Kind.JOURNAL_KIND_REVIEW, kh.person("auditor"), Event(code="LOGS"))
    last = rows(ports)[-1].idx
    with ports.store.write() as tx:
        tx.execute(
            text("UPDATE journal_details SET sealed = (SELECT sealed FROM journal_details WHERE idx = :a) WHERE idx = :b"),
            {"a": last - 1, "b": last},
        )
    with ports.store.read() as tx, refused(StoreFailed, "VAULT_TAMPERED"):
        ports.journal.detail(tx, last, ACCOUNTABILITY)


def test_a_transaction_that_fails_leaves_nothing_in_the_journal(two: Federation) -> None:
    gb, before = two["gb"], rows(two["gb"].ports)
    with refused(Malformed, "JOURNAL_ENTRY_MALFORMED"):
        record(gb, Kind.JOURNAL_KIND_REVIEW, gb.domain, Event(code="LOGS"), Event(code="no such code"))
    assert rows(gb.ports) == before
    record(gb, Kind.JOURNAL_KIND_REVIEW, gb.domain, Event(code="LOGS"))
    assert len(rows(gb.ports)) == len(before) + 1


def test_an_office_that_cannot_journal_stops(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb, kh = two["gb"], two["kh"]
    reference = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    two.pump()
    size, held = gb.outbound(kh).size, rows(kh.ports)

    def full(*_: object, **__: object) -> None:
        raise StoreFailed("STORE_FULL", "the disk is full")

    monkeypatch.setattr("node.store.journal.Journal.record", full)
    with refused(StoreFailed, "STORE_FULL"):
        gb.publish(draft(KH_BORDER))
    with refused(StoreFailed, "STORE_FULL"):
        inbox.get_inbox_alert(kh.ports, kh.person("border"), reference)
    with refused(StoreFailed, "STORE_FULL"):
        require(kh.ports, kh.person("border"), ("auditor",))
    monkeypatch.undo()
    assert gb.outbound(kh).size == size
    assert rows(kh.ports) == held


def test_time_never_runs_backwards_in_the_journal(two: Federation) -> None:
    gb = two["gb"]
    record(gb, Kind.JOURNAL_KIND_REVIEW, gb.domain, Event(code="LOGS"))
    gb.clock.pass_(-60_000)
    record(gb, Kind.JOURNAL_KIND_REVIEW, gb.domain, Event(code="STORE"))
    assert rows(gb.ports)[-1].at == rows(gb.ports)[-2].at


def test_whoever_is_turned_away_stands_in_the_journal(two: Federation) -> None:
    gb = two["gb"]
    with refused(NotPermitted, "OFFICER_UNKNOWN"):
        require(gb.ports, f"spiffe://{domain('gb')}/officer/nobody", ("auditor",))
    kind, who, _, code = gb.journal()[-1]
    assert (kind, who, code) == ("refusal", f"spiffe://{domain('gb')}/officer/nobody", "OFFICER_UNKNOWN")


def test_each_log_is_anchored_when_it_has_grown_and_only_then(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.publish(draft(KH_BORDER))
    two.pump()
    for office, log, code in ((gb, gb.outbound(kh), "OUTBOUND"), (kh, kh.mirror(gb), "INBOUND")):
        assert anchor.anchor_logs(office.ports) == 1
        last = rows(office.ports)[-1]
        assert (last.kind, last.code, last.origin, last.first, last.count) == (Kind.JOURNAL_KIND_ANCHOR, code, log.name.origin, 0, 1)
        assert open_journal_entry(last.entry).root == log.frontier.root()
        assert anchor.anchor_logs(office.ports) == 0
        assert rows(office.ports)[-1] == last


def test_one_checkpoint_of_the_journal_covers_all_that_was_anchored(two: Federation) -> None:
    gb, ports = two["gb"], two["gb"].ports
    gb.publish(draft(KH_BORDER))
    anchor.anchor_logs(ports)
    first = open_journal_checkpoint(anchor.checkpoint_journal(ports), gb.own, NOW)
    for _ in range(600):
        record(gb, Kind.JOURNAL_KIND_REVIEW, gb.domain, Event(code="LOGS"))
    second = open_journal_checkpoint(anchor.checkpoint_journal(ports), gb.own, NOW)
    held = rows(ports)
    with ports.store.read() as tx:
        stored = StoredHashes(tx, journal_log(1))
        verify_consistency(first.size, first.root, second.size, second.root, prove_consistency(stored, first.size, second.size))
        index = next(row.idx for row in held if row.kind == Kind.JOURNAL_KIND_ANCHOR)
        proof = prove_inclusion(stored, index, second.size)
        verify_inclusion(leaf_hash(held[index].entry), index, second.size, proof, second.root)


def test_a_journal_from_a_restored_backup_is_not_signed(two: Federation, tmp_path: Path) -> None:
    gb = two["gb"]
    backup = gb.backup(tmp_path / "backup")
    gb.publish(draft(KH_BORDER))
    anchor.checkpoint_journal(gb.ports)
    gb.restore(backup)
    with refused(Conflict, "JOURNAL_ROLLBACK"):
        anchor.check_journal(gb.ports)
    for _ in range(20):
        record(gb, Kind.JOURNAL_KIND_REVIEW, gb.domain, Event(code="LOGS"))
    with refused(Conflict, "JOURNAL_FORK"):
        anchor.checkpoint_journal(gb.ports)


def test_a_successor_says_how_far_its_predecessor_reached(two: Federation) -> None:
    gb, ports = two["gb"], two["gb"].ports
    before = rows(ports)
    with ports.store.write() as tx:
        ports.journal.succeed(tx, NOW, gb.person("administrator"))
    (first,) = rows(ports)
    entry = open_journal_entry(first.entry)
    assert (entry.kind, entry.code, entry.origin) == (Kind.JOURNAL_KIND_SUCCESSION, "FOLLOWS", f"{gb.domain}/journal/1")
    assert (entry.count, entry.root) == (len(before), root([row.leaf for row in before]))
    with ports.store.read() as tx:
        assert ports.journal.origin(tx) == f"{gb.domain}/journal/2"
        assert ports.journal.rows(tx, 0, 1000, generation=1) == before
    assert open_journal_checkpoint(anchor.checkpoint_journal(ports), gb.own, NOW).origin == f"{gb.domain}/journal/2"


def test_a_change_of_the_roster_and_of_the_keys_is_recorded_once(two: Federation) -> None:
    gb, ports = two["gb"], two["gb"].ports
    opening.note_changes(ports)
    began = [(kind, code) for kind, _, _, code in gb.journal() if kind in {"access", "key"}]
    assert began == [("access", "ADDED")] * len(ports.officers) + [("key", "DESCRIPTOR")]
    opening.note_changes(ports)
    assert [(kind, code) for kind, _, _, code in gb.journal() if kind in {"access", "key"}] == began
    gone = gb.person("border")
    others = {person: entry for person, entry in ports.officers.items() if person != gone}
    opening.note_changes(replace(ports, officers=others))
    assert gb.journal()[-1] == ("access", gone, "", "REMOVED")


def test_a_second_look_at_what_was_never_recorded_finds_nothing(two: Federation) -> None:
    ports = two["gb"].ports
    with ports.store.read() as tx:
        assert ports.journal.detail(tx, 10_000, PERSONAL) is None
        assert ports.journal.anchored(tx, "no/log") == 0
    with refused(NotFound, "ALERT_NOT_FOUND"):
        inbox.get_inbox_alert(ports, two["gb"].person("border"), "00000000")
