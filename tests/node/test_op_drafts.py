"""What an officer has typed so far: sealed, the author's to change, read as the command line reads a file, and gone after its time."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.v1.desk_service_pb2 import KeepDraftRequest
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.cli.drafts import read_drafts
from node.operations import draft_box, retention
from node.operations.draft_box import DraftContent, HeldDraft
from node.operations.officers import NotPermitted
from node.operations.retention import run_due
from node.store.errors import StoreFailed
from tests import byte_scan
from tests.countries import DAY, TRAVEL
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office

SAMPLE = Path(__file__).parents[2] / "samples/travel-alert-vn-sg.json"
SECRET = "EXAMPLE, Nobody Synthetic"


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        yield made


@pytest.fixture
def gb(offices: Federation) -> Office:
    return offices["gb"]


def typed(name: str = SECRET, reason: str = "synthetic reason") -> DraftContent:
    return DraftContent(document={"type": "TravelAlert", "alert": {"primary_name": name}}, reason=reason)


def begun(office: Office, by: str = "liaison") -> HeldDraft:
    return draft_box.create(office.ports, office.person(by), typed())


def named(name: str) -> draft_box.DraftContent:
    return typed(name)


def events(office: Office) -> list[tuple[str, str, str]]:
    return [(kind, who.rpartition("/")[2], code) for kind, who, _, code in office.journal() if "DRAFT" in code]


def test_a_draft_is_kept_changed_and_read_back(gb: Office) -> None:
    held = begun(gb)
    me = gb.person("liaison")
    gb.clock.pass_(DAY)
    changed = draft_box.change(gb.ports, me, held.id, 1, lambda before: replace(before, reason=f"{before.reason}, and more"))
    assert (changed.version, changed.content.reason) == (2, "synthetic reason, and more")
    again = draft_box.change(gb.ports, me, held.id, 2, lambda before: before)
    assert again.version == 2
    gb.restart()
    found = draft_box.get(gb.ports, me, held.id)
    assert found.content == changed.content
    (listed,) = draft_box.list_drafts(gb.ports, gb.person("second"))
    assert (listed.id, listed.alert_type, listed.author, listed.mine, listed.version) == (held.id, TRAVEL, me, False, 2)
    assert listed.erase_by == listed.saved_at + 30 * DAY
    assert events(gb) == [("collection", "liaison", "DRAFT_SAVED")] * 2 + [("consultation", "liaison", "DRAFT")]
    assert not gb.fsck()


def test_two_windows_do_not_overwrite_each_other(gb: Office) -> None:
    held = begun(gb)
    me = gb.person("liaison")
    draft_box.change(gb.ports, me, held.id, 1, lambda _: named("First Window"))
    with refused(Conflict, "DRAFT_CHANGED"):
        draft_box.change(gb.ports, me, held.id, 1, lambda _: named("Second Window"))

    def meanwhile(before: DraftContent) -> DraftContent:
        draft_box.change(gb.ports, me, held.id, 2, lambda _: named("Third Window"))
        return replace(before, reason="too late")

    with refused(Conflict, "DRAFT_CHANGED"):
        draft_box.change(gb.ports, me, held.id, 2, meanwhile)
    assert draft_box.get(gb.ports, me, held.id).content == named("Third Window")


def test_only_its_author_changes_it_and_only_its_agency_sees_it(gb: Office) -> None:
    held = begun(gb)
    for name, error, code in (
        ("second", NotPermitted, "NOT_THE_AUTHOR"),
        ("both", NotFound, "DRAFT_NOT_FOUND"),
        ("police", NotPermitted, "ROLE_MISSING"),
        ("auditor", NotPermitted, "ROLE_MISSING"),
        ("administrator", NotPermitted, "ROLE_MISSING"),
    ):
        with refused(error, code):
            draft_box.change(gb.ports, gb.person(name), held.id, 1, lambda _: typed("Somebody Else"))
        with refused(error, code):
            draft_box.discard(gb.ports, gb.person(name), held.id)
    assert draft_box.read_draft(gb.ports, gb.person("second"), held.id).held.content == typed()
    for name, raised, code in (("both", NotFound, "DRAFT_NOT_FOUND"), ("police", NotPermitted, "ROLE_MISSING")):
        with refused(raised, code):
            draft_box.get(gb.ports, gb.person(name), held.id)
    assert draft_box.list_drafts(gb.ports, gb.person("both")) == []
    with refused(NotPermitted, "ROLE_MISSING"):
        draft_box.list_drafts(gb.ports, gb.person("police"))
    with refused(NotPermitted, "ROLE_MISSING"):
        begun(gb, "police")
    assert [code for kind, _, _, code in gb.journal() if kind == "refusal"].count("NOT_THE_AUTHOR") == 2


def test_it_is_read_as_the_command_line_reads_the_file(gb: Office) -> None:
    (by_file,) = read_drafts([SAMPLE], (), today=gb.clock.now().date(), salt=b"", step=lambda _: None)
    held = draft_box.create(
        gb.ports, gb.person("liaison"), DraftContent(document=json.loads(SAMPLE.read_text(), parse_int=str), reason="why")
    )
    read = draft_box.read_draft(gb.ports, gb.person("liaison"), held.id)
    assert (read.reason, read.problems) == ("why", by_file.problems)
    by_file.draft.request_id = read.draft.request_id
    assert read.draft == by_file.draft


def test_a_release_repeated_is_not_a_second_one(gb: Office) -> None:
    me = gb.person("liaison")
    held = begun(gb)
    first = draft_box.read_draft(gb.ports, me, held.id).draft.request_id
    assert len(first) == 16
    gb.clock.pass_(2 * DAY)
    assert draft_box.read_draft(gb.ports, me, held.id).draft.request_id == first
    draft_box.change(gb.ports, me, held.id, 1, lambda _: named("Another Name"))
    assert draft_box.read_draft(gb.ports, me, held.id).draft.request_id != first
    assert draft_box.read_draft(gb.ports, me, begun(gb).id).draft.request_id != first


def test_what_is_half_filled_is_kept_and_said(gb: Office) -> None:
    content = DraftContent(document={"type": "", "alert": {"birth": "31.12.70", "sex": "??", "names": [{}, "X"]}, "not_after": "soon"})
    held = draft_box.create(gb.ports, gb.person("liaison"), content)
    read = draft_box.read_draft(gb.ports, gb.person("liaison"), held.id)
    assert {problem.code for problem in read.problems} >= {"TYPE_MISSING", "INSTANT_SYNTAX"}
    content = replace(content, document={**content.document, "type": "TravelAlert"})
    draft_box.change(gb.ports, gb.person("liaison"), held.id, 1, lambda _: content)
    read = draft_box.read_draft(gb.ports, gb.person("liaison"), held.id)
    assert {problem.field for problem in read.problems} >= {"birth.date", "sex", "names[0]", "not_after"}
    assert TravelAlert.FromString(read.draft.alert).names[1].as_written == "X"


def test_nothing_of_it_stands_open_in_the_files(gb: Office) -> None:
    begun(gb)
    assert byte_scan.scan([gb.directory], [SECRET, "synthetic reason"]) == []


def test_what_is_discarded_is_destroyed_and_attested(gb: Office) -> None:
    me, held = gb.person("liaison"), begun(gb)
    draft_box.discard(gb.ports, me, held.id)
    with refused(NotFound, "DRAFT_NOT_FOUND"):
        draft_box.get(gb.ports, me, held.id)
    assert draft_box.list_drafts(gb.ports, me) == []
    with gb.ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM drafts WHERE sealed IS NOT NULL").scalar() == 0
    run_due(gb.ports, gb.domain)
    with gb.ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM drafts").scalar() == 0
    assert [event for event in events(gb) if event[0] == "erasure"] == [
        ("erasure", "liaison", "DRAFT_INTENDED"),
        ("erasure", "node", "DRAFT_DONE"),
    ]


def test_it_goes_thirty_days_after_its_last_change(gb: Office) -> None:
    me, held = gb.person("liaison"), begun(gb)
    gb.clock.pass_(29 * DAY)
    draft_box.change(gb.ports, me, held.id, 1, lambda _: named("Changed Later"))
    gb.clock.pass_(30 * DAY - 1)
    assert run_due(gb.ports, gb.domain).erased == 0
    gb.clock.pass_(1)
    assert retention.run(gb.ports, gb.person("administrator"), dry_run=True).erased == 1
    assert run_due(gb.ports, gb.domain).erased == 1
    with refused(NotFound, "DRAFT_NOT_FOUND"):
        draft_box.get(gb.ports, me, held.id)
    assert events(gb)[-2:] == [("erasure", "node", "DRAFT_INTENDED"), ("erasure", "node", "DRAFT_DONE")]


def test_a_crash_between_destroying_and_attesting_is_made_good(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    held = begun(gb)
    draft_box.discard(gb.ports, gb.person("liaison"), held.id)

    def locked() -> None:
        raise StoreFailed("STORE_LOCKED", "synthetic")

    monkeypatch.setattr(gb.ports.store, "empty_journal", locked)
    with refused(StoreFailed, "STORE_LOCKED"):
        draft_box.finish_erasure(gb.ports)
    assert events(gb)[-1][2] == "DRAFT_INTENDED"
    gb.restart()
    run_due(gb.ports, gb.domain)
    assert events(gb)[-1][2] == "DRAFT_DONE"


def test_there_is_an_end_to_their_size_and_number(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with refused(Malformed, "DRAFT_TOO_LARGE"):
        draft_box.create(gb.ports, gb.person("liaison"), typed("x" * draft_box.BYTES_AT_MOST))
    monkeypatch.setattr(draft_box, "DRAFTS_AT_MOST", 1)
    begun(gb)
    with refused(Refused, "DRAFTS_TOO_MANY"):
        begun(gb, "second")
    begun(gb, "both")


def test_a_file_is_kept_as_a_draft_and_what_is_no_file_is_not(gb: Office) -> None:
    kept = draft_box.keep(gb.ports, gb.person("liaison"), KeepDraftRequest(document="type: TravelAlert\nrecipients: [x]", reason="why"))
    held = draft_box.get(gb.ports, gb.person("liaison"), kept.id)
    assert held.content == DraftContent(document={"type": "TravelAlert", "recipients": ["x"]}, reason="why")
    assert kept.erase_by == held.summary.erase_by
    for text, code in (("[1]", "DOCUMENT_MAPPING"), ("{", "DOCUMENT_SYNTAX"), ("a: &b c", "DOCUMENT_ANCHOR"), ("", "DOCUMENT_MANY")):
        with pytest.raises(Malformed) as error:
            draft_box.keep(gb.ports, gb.person("liaison"), KeepDraftRequest(document=text))
        assert error.value.code == code
    with pytest.raises(NotPermitted):
        draft_box.keep(gb.ports, gb.person("border"), KeepDraftRequest(document="{"))
