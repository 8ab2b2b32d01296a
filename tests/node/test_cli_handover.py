"""`exchange handover`: what is asked of the desk, and what people and scripts read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2 as messages
from tests.node import desk_answers as answers
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_verbs import Line

NOTE = messages.HandoverNote(
    id=bytes(range(16)),
    author="spiffe://gb.alerts.example/officer/heron",
    written_at=answers.ISSUED,
    erase_by=answers.ISSUED + 72 * 3_600_000,
    note="Ask \u202ekh again\nat nine.",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    with serve(directory) as desk:
        yield desk


@pytest.fixture
def line(running: FakeDesk, capsys: pytest.CaptureFixture[str]) -> Line:
    running.answers.clear()
    running.asked.clear()
    return Line(running, capsys)


def test_a_note_is_read_from_a_file_and_each_is_another(line: Line, running: FakeDesk, tmp_path: Path) -> None:
    running.answers["HandOver"] = messages.HandOverResponse(handover=NOTE)
    file = tmp_path / "note.txt"
    file.write_text("Ask kh again at nine.\n", "utf-8")
    assert "Left for the next shift: 000102030405" in line.text("handover", "write", str(file))
    assert line.json("handover", "write", str(file))["id"] == NOTE.id.hex()
    first, second = (question for _, question in running.asked)
    assert first.note == second.note == "Ask kh again at nine.\n"
    assert len(first.request_id) == len(second.request_id) == 16
    assert first.request_id != second.request_id


def test_the_next_shift_reads_the_notes_and_what_is_open(line: Line, running: FakeDesk) -> None:
    running.answers["GetHandover"] = messages.GetHandoverResponse()
    said = line.text("handover", "show")
    assert "No shift has left a note." in said
    assert "Nothing is open." in said
    item = messages.WorkItem(
        kind=messages.WORK_KIND_ATTESTATION_TO_GIVE, reference=answers.digest("alert"), command="exchange inbox attest 0123"
    )
    taken = messages.HandoverNote(id=bytes(16), author=NOTE.author, taken_by=NOTE.author, taken_at=answers.ISSUED, note="synthetic")
    running.answers["GetHandover"] = messages.GetHandoverResponse(handovers=[NOTE, taken], open=[item], left_off=3)
    said = line.text("handover", "show")
    for words in ("Nobody has taken it over", "exchange handover take 000102030405", f"Taken over by {NOTE.author}", "attestation to give"):
        assert words in said, words
    assert "exchange inbox attest 0123" in said
    assert "There are 3 more" in said
    assert "\u202e" not in said
    assert line.json("handover", "show")["handovers"][0]["note"] == NOTE.note


def test_whoever_takes_it_says_so(line: Line, running: FakeDesk) -> None:
    taken = messages.HandoverNote(id=NOTE.id, taken_by=NOTE.author, taken_at=answers.ISSUED)
    running.answers["TakeOver"] = messages.TakeOverResponse(handover=taken)
    assert f"Taken over by {NOTE.author}" in line.text("handover", "take", "00010203")
    assert running.the("TakeOver").handover == "00010203"
