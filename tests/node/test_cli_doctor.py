"""`exchange doctor`: what people and scripts read, and how it ends."""

from collections.abc import Iterator

import pytest

from exchange.v1 import desk_service_pb2 as messages
from tests.countries import NOW
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_verbs import Line

KH = "kh.alerts.example"
WELL = messages.HealthCheck(code="KEYS_GOOD", verdict=messages.HEALTH_VERDICT_GOOD, at=NOW)
AWAY = messages.HealthCheck(code="PARTNER_AWAY", verdict=messages.HEALTH_VERDICT_LOOK, subject=f"{KH}\u202e", at=NOW)
ENDED = messages.HealthCheck(code="KEY_ENDED", verdict=messages.HEALTH_VERDICT_ACT, subject="log", at=NOW)
NEWER = messages.HealthCheck(code="OF_A_NEWER_NODE", verdict=messages.HEALTH_VERDICT_LOOK)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    with serve(directory) as desk:
        yield desk


def test_what_is_to_be_done_is_told_with_its_command(running: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line(running, capsys)
    running.answers["ExamineNode"] = messages.ExamineNodeResponse(at=NOW, checks=[ENDED, AWAY, NEWER, WELL])
    said = line.text("doctor", code=4)
    titles = [said.index(title) for title in ("To do now", "To look at", "Good")]
    assert titles == sorted(titles)
    assert "The key in use for log is not in force since 2026-05-28 20:26 UTC" in said
    assert "exchange key rotate log --config DIR/node.toml" in said
    assert f"exchange partner show {KH}" in said
    assert "OF_A_NEWER_NODE" in said
    assert "\u202e" not in said
    first = line.json("doctor", code=4)["checks"][0]
    assert (first["code"], first["verdict"], first["at"]) == ("KEY_ENDED", "ACT", "2026-05-28T20:26:40.000Z")
    assert first["command"] == "exchange key rotate log --config DIR/node.toml"


def test_nothing_to_do_is_success(running: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line(running, capsys)
    running.answers["ExamineNode"] = messages.ExamineNodeResponse(at=NOW, checks=[AWAY, WELL])
    assert "To do now" not in line.text("doctor")
    assert len(line.json("doctor")["checks"]) == 2
