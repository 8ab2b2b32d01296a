"""From shift to shift: a note is sealed, taken over by name, and gone after its time; what is open is as of now."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.journal import SALT_SIZE
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations import approve, handover, retention
from node.operations.officers import NotPermitted
from node.operations.retention import run_due
from node.operations.sequence import sequence
from node.store.errors import StoreFailed
from node.store.journal import PERSONAL
from tests import byte_scan
from tests.countries import HOUR, NGO, agency
from tests.federation import Federation
from tests.refusals import refused
from tests.rig import Office, draft
from tests.worklists import kinds, listed, office_pair, told

SECRET = "EXAMPLE, Nobody Synthetic, stands at gate 4"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    made = office_pair(tmp_path)
    yield made
    made.close()


def left(office: Office, text: str = SECRET, *, by: str = "liaison", once: int = 1) -> messages.HandoverNote:
    return handover.hand_over(office.ports, office.person(by), bytes([once] * 16), text)


def shown(office: Office, name: str) -> messages.GetHandoverResponse:
    return handover.current(office.ports, office.person(name))


def events(office: Office) -> list[tuple[str, str, str]]:
    codes = {"HANDED_OVER", "TAKEN_OVER", "HANDOVER", "HANDOVER_INTENDED", "HANDOVER_DONE", "HANDOVER_OWN"}
    return [(kind, who.rpartition("/")[2], code) for kind, who, _, code in office.journal() if code in codes]


def test_the_next_shift_reads_it_and_takes_it_over_by_name(gb: Office) -> None:
    note = left(gb)
    gb.clock.pass_(HOUR)
    (read,) = shown(gb, "second").handovers
    assert (read.note, read.author, read.taken_by, read.taken_at) == (SECRET, gb.person("liaison"), "", 0)
    assert read.erase_by == read.written_at + 72 * HOUR
    taken = handover.take_over(gb.ports, gb.person("second"), note.id.hex()[:8])
    assert (taken.taken_by, taken.taken_at) == (gb.person("second"), gb.clock.now_ms())
    gb.clock.pass_(HOUR)
    assert handover.take_over(gb.ports, gb.person("second"), note.id.hex()) == taken
    gb.restart()
    assert list(shown(gb, "liaison").handovers) == [taken]
    assert events(gb) == [
        ("collection", "liaison", "HANDED_OVER"),
        ("consultation", "second", "HANDOVER"),
        ("alteration", "second", "TAKEN_OVER"),
        ("consultation", "liaison", "HANDOVER"),
    ]
    assert not gb.fsck()


def test_the_first_who_takes_it_has_it_and_its_author_never(gb: Office) -> None:
    note = left(gb, by="border")
    with refused(NotPermitted, "HANDOVER_OWN"):
        handover.take_over(gb.ports, gb.person("border"), note.id.hex())
    other = left(gb)
    handover.take_over(gb.ports, gb.person("second"), other.id.hex())
    with refused(Conflict, "HANDOVER_TAKEN"):
        handover.take_over(gb.ports, gb.person("police"), other.id.hex())
    (one,) = [one for one in shown(gb, "liaison").handovers if one.id == other.id]
    assert one.taken_by == gb.person("second")


def test_only_its_agency_sees_it(gb: Office) -> None:
    note = left(gb)
    assert not shown(gb, "border").handovers
    for reference in (note.id.hex(), "00000000", "x", "%"):
        with refused(NotFound, "HANDOVER_UNKNOWN"):
            handover.take_over(gb.ports, gb.person("border"), reference)
    for name in ("auditor", "administrator"):
        for asked in (lambda who: shown(gb, who), lambda who: left(gb, by=who)):
            with refused(NotPermitted, "ROLE_MISSING"):
                asked(name)


def test_what_is_open_is_the_agencys_whomever_it_waits_for(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    (item,) = shown(kh, "border").open
    assert item == listed(kh, "border")[0]
    assert item.reference == digest
    assert kh.journal()[-1][0::3] == ("consultation", "WORK")
    with kh.ports.store.read() as tx:
        detail = kh.ports.journal.detail(tx, kh.ports.journal.edge(tx).frontier.size - 1, PERSONAL)
    assert list(JournalPersonal.FromString((detail or b"")[SALT_SIZE:]).results) == [digest]
    assert not shown(kh, "liaison").open  # of another agency


def test_what_waits_for_a_colleague_is_open_too(gb: Office) -> None:
    wanted = messages.SubmitAlertRequest(draft=draft(agency("kh", NGO)), reason="synthetic reason")
    approve.submit(gb.ports, gb.person("liaison"), wanted, lambda items: sequence(gb.ports, list(items)))
    assert kinds(gb, "liaison") == []
    assert [item.kind for item in shown(gb, "liaison").open] == [messages.WORK_KIND_APPROVAL_TO_GIVE]
    # The desk officer of the same agency approves nothing, and is not shown what waits for that.
    assert not shown(gb, "police").open


def test_more_than_a_page_holds_is_counted(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "OPEN_AT_MOST", 1)
    told(two)
    told(two)
    found = shown(two["kh"], "border")
    assert (len(found.open), found.left_off) == (1, 1)


def test_a_note_waits_on_the_list_of_who_comes_until_it_is_taken_over(gb: Office) -> None:
    note = left(gb)
    (item,) = listed(gb, "second")
    assert (item.kind, item.reference, item.command) == (messages.WORK_KIND_HANDOVER_TO_TAKE, note.id, "exchange handover show")
    assert kinds(gb, "liaison") == kinds(gb, "border") == []
    assert not shown(gb, "second").open  # it stands above, whole
    handover.take_over(gb.ports, gb.person("second"), note.id.hex())
    assert kinds(gb, "second") == kinds(gb, "police") == []


def test_the_same_request_again_is_not_a_second_note_and_the_same_words_are(gb: Office) -> None:
    assert left(gb) == left(gb)
    left(gb, once=2)
    assert len(shown(gb, "second").handovers) == 2
    assert events(gb).count(("collection", "liaison", "HANDED_OVER")) == 2


def test_a_note_says_something_and_has_an_end(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with refused(Malformed, "NOTE_MISSING"):
        left(gb, " \r\n ")
    with refused(Malformed, "NOTE_TOO_LONG"):
        left(gb, "x" * 2_001)
    with refused(Malformed, "REQUEST_ID"):
        handover.hand_over(gb.ports, gb.person("liaison"), b"1", "synthetic")
    assert left(gb, " one\r\ntwo " + "x" * 1_990).note.startswith("one\ntwo x")
    monkeypatch.setattr(handover, "KEPT_AT_MOST", 1)
    with refused(Refused, "HANDOVERS_TOO_MANY"):
        left(gb, once=2)
    left(gb, by="border")


def test_the_newest_are_shown(gb: Office) -> None:
    for once in range(7):
        left(gb, f"note {once}", once=once)
        gb.clock.pass_(1)
    assert [one.note for one in shown(gb, "second").handovers] == [f"note {once}" for once in (6, 5, 4, 3, 2)]


def test_nothing_of_it_stands_open_in_the_files(gb: Office) -> None:
    left(gb)
    shown(gb, "second")
    assert byte_scan.scan([gb.directory], [SECRET]) == []


def test_it_goes_after_72_hours_taken_or_not(gb: Office) -> None:
    note = left(gb)
    left(gb, once=2)
    handover.take_over(gb.ports, gb.person("second"), note.id.hex())
    gb.clock.pass_(72 * HOUR - 1)
    assert run_due(gb.ports, gb.domain).erased == 0
    gb.clock.pass_(1)
    assert kinds(gb, "police") == []
    assert not shown(gb, "second").handovers  # before anything was erased
    with refused(NotFound, "HANDOVER_UNKNOWN"):
        handover.take_over(gb.ports, gb.person("second"), note.id.hex())
    assert retention.run(gb.ports, gb.person("administrator"), dry_run=True).erased == 2
    assert run_due(gb.ports, gb.domain).erased == 2
    assert not shown(gb, "second").handovers
    with gb.ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM handovers").scalar() == 0
    assert [event for event in events(gb) if event[0] == "erasure"] == [
        *[("erasure", "node", "HANDOVER_INTENDED")] * 2,
        *[("erasure", "node", "HANDOVER_DONE")] * 2,
    ]


def test_a_crash_between_destroying_and_attesting_is_made_good(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    left(gb)
    gb.clock.pass_(72 * HOUR)

    def locked() -> None:
        raise StoreFailed("STORE_LOCKED", "synthetic")

    monkeypatch.setattr(gb.ports.store, "empty_journal", locked)
    with refused(StoreFailed, "STORE_LOCKED"):
        handover.erase_due(gb.ports, gb.domain)
    with gb.ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM handovers WHERE sealed IS NOT NULL").scalar() == 0
    assert events(gb)[-1][2] == "HANDOVER_INTENDED"
    gb.restart()
    run_due(gb.ports, gb.domain)
    assert events(gb)[-1][2] == "HANDOVER_DONE"
