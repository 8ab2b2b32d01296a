"""The page from shift to shift: notes and what is open, to read and to print; written, taken over, and nothing of it in addresses."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.operations import handover
from tests.console_site import Browser, Shown, field
from tests.countries import HOUR
from tests.federation import Federation
from tests.rig import Office
from tests.worklists import office_pair, told

NOTE = "Ask <b>kh</b> again\nat nine \u202e."


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    made = office_pair(tmp_path)
    yield made
    made.close()


def texts(page: str) -> list[str]:
    return [text for _, text in Shown(page).texts]


def left(office: Office, by: str = "both") -> str:
    return handover.hand_over(office.ports, office.person(by), bytes(16), NOTE).id.hex()


def test_one_shift_writes_and_the_next_takes_over(kh: Office) -> None:
    goes, comes = Browser(kh).enter("both"), Browser(kh).enter("border")
    assert 'href="/handover"' in goes.get("/work").text
    once = field(goes.get("/handover").text, "once")
    for _ in range(2):  # as when a person presses twice
        answer = goes.send("/handover", {"note": NOTE.replace("\n", "\r\n"), "once": once})
        assert (answer.status_code, answer.headers["location"]) == (303, "/handover?written")
    own = goes.get("/handover?written").text
    assert "Your note waits for the next shift." in own
    assert "I have read this and take over" not in own
    assert 'href="/handover"' in comes.get("/work").text.partition("Note of the shift before")[0]
    page = comes.get("/handover").text
    shown = texts(page)
    assert {"Ask <b>kh</b> again", "nobody yet", "at nine �."} <= set(shown)
    (address,) = re.findall(r'action="(/handover/[0-9a-f]{32}/take)"', page)
    assert comes.send(address, {}).headers["location"] == "/handover?taken"
    assert "I have read this and take over" not in comes.get("/handover?taken").text
    (note,) = handover.current(kh.ports, kh.person("both")).handovers
    assert note.taken_by == kh.person("border")


def test_what_is_open_stands_by_kind_with_its_time_and_its_page(two: Federation, kh: Office) -> None:
    digest = told(two).hex()
    page = Browser(kh).enter("border").get("/handover").text
    assert f'href="/inbox/{digest}"' in page
    shown = texts(page)
    assert "Alert to read and answer (1)" in shown
    assert any("Asia/Phnom_Penh" in text for text in shown)
    assert "(UTC)" not in page


def test_every_sheet_bears_its_handling_and_of_when_it_is(kh: Office) -> None:
    page = Browser(kh).enter("border").get("/handover").text
    head = page.partition('<section class="app-handling"')[2].partition("</section>")[0]
    assert "For officers of this agency alone." in head
    assert "As it stood" in head
    # What is not for paper: the form to write with, and what takes over.
    assert page.count('class="app-screen-only"') == 1


def test_what_is_wrong_with_a_note_is_said_and_what_was_typed_stays(kh: Office) -> None:
    border = Browser(kh).enter("border")
    once = "1" * 32
    empty = border.send("/handover", {"note": " ", "once": once})
    assert empty.status_code == 422
    assert '<a href="#note">' in empty.text
    long = border.send("/handover", {"note": "x" * 2_001, "once": once})
    assert long.status_code == 422
    assert "x" * 2_001 in long.text
    assert field(long.text, "once") == once
    assert border.send("/handover", {"note": "synthetic", "once": "no"}).status_code == 400
    assert not handover.current(kh.ports, kh.person("border")).handovers


def test_a_note_is_taken_by_one_and_by_its_own_desk(kh: Office) -> None:
    path = f"/handover/{left(kh)}/take"
    assert Browser(kh).enter("both").send(path, {}).status_code == 403
    assert Browser(kh).enter("police").send(path, {}).status_code == 404
    assert Browser(kh).enter("border").send("/handover/00000000/take", {}).status_code == 404
    kh.clock.pass_(72 * HOUR)
    handover.erase_due(kh.ports, kh.domain)
    gone = Browser(kh).enter("border").send(path, {})
    assert gone.status_code == 404
    assert "It was erased 72 hours after it was written." in gone.text


def test_the_longest_page_is_no_longer_than_others(two: Federation, kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    told(two)
    found = handover.current(kh.ports, kh.person("border"))
    found.open.extend(list(found.open) * (handover.OPEN_AT_MOST - 1))
    note = handover.hand_over(kh.ports, kh.person("both"), bytes(16), "ក" * handover.NOTE_AT_MOST)
    found.handovers.extend([note] * handover.SHOWN_AT_MOST)
    monkeypatch.setattr("node.console.handover_pages.current", lambda *_: found)
    assert len(Browser(kh).enter("border").get("/handover").content) < 150_000
