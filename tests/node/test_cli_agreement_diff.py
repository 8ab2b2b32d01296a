"""`exchange agreement diff`: what changed between two versions, for people and for scripts."""

from collections.abc import Iterator
from typing import Any

import pytest

from exchange.v1 import agreement_pb2, desk_service_pb2, handling_pb2
from tests.countries import DAY, agreement, changed
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_verbs import Line

ACCEPTED = desk_service_pb2.AGREEMENT_STATE_ACCEPTED


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    with serve(directory) as desk:
        yield desk


def versions() -> list[desk_service_pb2.AgreementSummary]:
    second = changed(agreement(), instrument="Second\u202e memorandum")
    second.valid_until += DAY
    second.parties[0].legal_basis = "Another Act"
    second.agencies[0].agency_class = agreement_pb2.AGENCY_CLASS_SOCIAL
    clause = next(one for one in second.clauses if one.permitted)
    clause.onward = handling_pb2.ONWARD_RULE_NONE
    clause.maximum_retention_days = 30
    clause.required.append(clause.permitted.pop(0))
    clause.transfer_conditions.append(agreement_pb2.TRANSFER_CONDITION_ASSESSMENT)
    contents = (agreement(), second)
    return [
        desk_service_pb2.AgreementSummary(digest=bytes([number]) * 32, state=ACCEPTED, agreement=content)
        for number, content in enumerate(contents, start=1)
    ]


def answering(desk: FakeDesk) -> None:
    first, second = versions()
    desk.asked.clear()
    desk.answers["ListAgreements"] = desk_service_pb2.ListAgreementsResponse(agreements=[first, second])

    def get(question: Any) -> desk_service_pb2.GetAgreementResponse:
        return desk_service_pb2.GetAgreementResponse(summary=first if question.agreement.startswith("01") else second)

    desk.answers["GetAgreement"] = get


def test_changes_are_told_against_the_version_before(running: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line(running, capsys)
    answering(running)
    said = line.text("agreement", "diff", "02020202")
    for words in ("Another Act", "social", "maximum_retention_days", "365", "30", "assessment"):
        assert words in said
    assert "\u202e" not in said
    data = line.json("agreement", "diff", "02020202")
    assert (data["agreement"], data["before"]) == ("02" * 32, "01" * 32)
    assert {one["what"] for one in data["changes"]} == {"CHANGED"}
    marks = [part for one in data["changes"] for part in one["changes"] if (part["before"], part["now"]) == ("permitted", "required")]
    assert len(marks) == 1


def test_two_versions_may_be_named_and_the_first_has_none_before(running: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line(running, capsys)
    answering(running)
    assert "There is no version before it." in line.text("agreement", "diff", "01010101")
    assert line.json("agreement", "diff", "01010101")["before"] is None
    assert line.json("agreement", "diff", "01010101", "02020202")["before"] == "02" * 32
    assert "Nothing differs." in line.text("agreement", "diff", "01010101", "01010101")
