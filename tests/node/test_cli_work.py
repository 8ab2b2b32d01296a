"""`exchange work list`: what a person and a script read."""

import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from exchange.v1 import desk_service_pb2 as messages
from node.cli.main import run
from tests.node import desk_answers as answers
from tests.node.fake_desk import Failure, FakeDesk, serve, set_up

LANDS = 1_780_128_300_000
"""30 May 2026, 15:05 in Bangkok."""
DIGEST = answers.digest("manifest")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    with serve(directory) as desk:
        yield desk


@pytest.fixture
def desk(running: FakeDesk) -> FakeDesk:
    running.answers.clear()
    running.asked.clear()
    return running


def item(**changes: Any) -> messages.WorkItem:
    fields = {
        "kind": messages.WORK_KIND_ALERT_TO_ACKNOWLEDGE,
        "reference": DIGEST,
        "counterparty": answers.CEOP,
        "raised_at": answers.ISSUED,
        "due_at": LANDS,
        "lands_at": LANDS,
        "zone": "Asia/Bangkok",
        "detail": "TravelAlert",
        "command": "exchange inbox show 0123456789ab",
    } | changes
    return messages.WorkItem(**fields)


def text_of(desk: FakeDesk, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run(["--context", desk.context(), "work", "list", *words]) == code
    return capsys.readouterr().out


def json_of(desk: FakeDesk, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(text_of(desk, capsys, *words, "--json"))


def test_a_person_reads_what_it_is_until_when_there_and_in_utc_and_what_to_type(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["ListWork"] = messages.ListWorkResponse(items=[item()])
    said = text_of(desk, capsys)
    for words in (
        "acknowledge",
        "TravelAlert",
        DIGEST.hex()[:12],
        "nca-ceop (gb)",
        "2026-05-30 15:05 Bangkok",
        "2026-05-30 08:05 UTC",
        "exchange inbox show 0123456789ab",
    ):
        assert words in said
    assert desk.the("ListWork") == messages.ListWorkRequest()


def test_what_is_overdue_escalated_or_due_before_the_landing_says_so(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    overdue, escalated, later = item(overdue=True), item(overdue=True, escalated=True), item(later=True, due_at=0, lands_at=0)
    for one, words in (
        (overdue, "overdue"),
        (escalated, "escalated"),
        (later, "later"),
        (item(due_at=LANDS - 3_600_000), "lands 2026-05-30"),
        (item(departs_at=LANDS - 41_100_000, departs_zone="Europe/London"), "departs 2026-05-29 21:40 London"),
    ):
        desk.answers["ListWork"] = messages.ListWorkResponse(items=[one])
        assert words in text_of(desk, capsys)
    desk.answers["ListWork"] = messages.ListWorkResponse(items=[item()], left_off=7)
    said = text_of(desk, capsys)
    assert "There are 7 more" in said
    assert not any(words in said for words in ("overdue", "escalated", "later", "lands"))


def test_a_script_reads_everything(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    leaving = {"departs_at": LANDS - 41_100_000, "departs_zone": "Europe/London"}
    unknown = item(kind=messages.WORK_KIND_ALARM, counterparty="", due_at=0, lands_at=0, zone="Nowhere/Atlantis", detail="LOG_FORK")
    desk.answers["ListWork"] = messages.ListWorkResponse(items=[item(overdue=True, **leaving), unknown], left_off=1)
    answer = json_of(desk, capsys, "--all")
    assert desk.the("ListWork").all
    assert answer["left_off"] == 1
    first, second = answer["work"]
    assert first == {
        "kind": "ALERT_TO_ACKNOWLEDGE",
        "reference": DIGEST.hex(),
        "counterparty": answers.CEOP,
        "raised_at": "2026-07-25T17:20:00.000Z",
        "due_at": "2026-05-30T08:05:00.000Z",
        "overdue": True,
        "escalated": False,
        "lands_at": "2026-05-30T08:05:00.000Z",
        "zone": "Asia/Bangkok",
        "detail": "TravelAlert",
        "later": False,
        "command": "exchange inbox show 0123456789ab",
        "departs_at": "2026-05-29T20:40:00.000Z",
        "departs_zone": "Europe/London",
        "due_local": "2026-05-30 15:05 Asia/Bangkok",
        "lands_local": "2026-05-30 15:05 Asia/Bangkok",
        "departs_local": "2026-05-29 21:40 Europe/London",
    }
    assert (second["due_at"], second["due_local"], second["lands_local"]) == (None, None, None)


@pytest.mark.parametrize("zone", ["Nowhere/Atlantis", "../../etc/passwd", "", "\x00"])
def test_a_zone_that_is_none_costs_the_local_time_alone(desk: FakeDesk, capsys: pytest.CaptureFixture[str], zone: str) -> None:
    desk.answers["ListWork"] = messages.ListWorkResponse(items=[item(zone=zone)])
    (one,) = json_of(desk, capsys)["work"]
    assert (one["due_at"], one["due_local"]) == ("2026-05-30T08:05:00.000Z", None)
    assert "2026-05-30 08:05 UTC" in text_of(desk, capsys)


def test_nothing_to_do_is_said(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["ListWork"] = messages.ListWorkResponse()
    assert "Nothing needs you now. What comes later: --all" in text_of(desk, capsys)
    assert text_of(desk, capsys, "--all") == "Nothing needs you now.\n"


def test_control_characters_of_a_partner_are_made_visible(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["ListWork"] = messages.ListWorkResponse(items=[item(detail="A\x1b[31mB", command="x\x1b[0m")])
    assert "\x1b" not in text_of(desk, capsys)


def test_who_has_no_work_is_not_permitted(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["ListWork"] = Failure(status=grpc.StatusCode.PERMISSION_DENIED, reason="ROLE_MISSING", details="this needs a role")
    assert run(["--context", desk.context("auditor"), "work", "list"]) == 6
    assert "ROLE_MISSING" in capsys.readouterr().err


def test_an_alarm_is_set_aside_with_a_reason(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["SettleAlarm"] = messages.SettleAlarmResponse(code="LOG_FORK", partner="kh.alerts.example", origin="kh\x1b/1")
    words = ["--context", desk.context(), "work", "settle", "0123abcd"]
    assert run([*words, "--reason", "Restored"]) == 0
    drawn = capsys.readouterr().out
    assert "Set aside: LOG_FORK, kh.alerts.example kh" in drawn
    assert "\x1b" not in drawn
    method, question = desk.asked[-1]
    assert (method, question.reference, question.reason) == ("SettleAlarm", "0123abcd", "Restored")
    assert run([*words, "--reason", "Restored", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["code"] == "LOG_FORK"
    assert run(words) == 2
