"""`exchange officer`: what is asked of the node, and what people and scripts read."""

from collections.abc import Iterator

import pytest

from exchange.v1 import desk_service_pb2
from tests.countries import NOW
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_verbs import Line

WHO = "spiffe://gb.alerts.example/officer/heron"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    with serve(directory) as desk:
        yield desk


def test_a_code_is_shown_with_its_end_and_a_key_is_taken_away(running: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line(running, capsys)
    running.answers["EnrolOfficer"] = desk_service_pb2.EnrolOfficerResponse(code="ABCD-EFGH", expires_at=NOW)
    running.answers["ForgetPasskeys"] = desk_service_pb2.ForgetPasskeysResponse(passkeys=2)
    said = line.text("officer", "enrol", WHO)
    assert "ABCD-EFGH" in said
    assert "/enrol" in said
    assert running.the("EnrolOfficer").officer == WHO
    assert line.json("officer", "enrol", WHO)["code"] == "ABCD-EFGH"
    assert "2 passkeys" in line.text("officer", "forget", WHO)
    assert running.the("ForgetPasskeys").officer == WHO
    assert line.json("officer", "forget", WHO) == {"passkeys": 2}
    line.text("officer", "enrol", code=2)


def test_an_officer_is_linked_to_whom_the_issuer_means(running: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line(running, capsys)
    running.answers["LinkIdentity"] = desk_service_pb2.LinkIdentityResponse(issuer="https://id.example")
    running.answers["UnlinkIdentity"] = desk_service_pb2.UnlinkIdentityResponse()
    said = line.text("officer", "link", WHO, "subject-7")
    assert all(words in said for words in ("https://id.example", "subject-7", WHO))
    asked = running.the("LinkIdentity")
    assert (asked.officer, asked.subject) == (WHO, "subject-7")
    assert line.json("officer", "link", WHO, "subject-7") == {"issuer": "https://id.example"}
    assert "Unlinked" in line.text("officer", "unlink", WHO)
    assert running.the("UnlinkIdentity").officer == WHO
    line.text("officer", "link", WHO, code=2)
    one = {"officer": WHO, "listed": True}
    running.answers["ListOfficers"] = desk_service_pb2.ListOfficersResponse(officers=[one])
    assert "subject" not in line.text("officer", "list")
    running.answers["ListOfficers"] = desk_service_pb2.ListOfficersResponse(officers=[{**one, "subject": "subject-7"}])
    assert "subject-7" in line.text("officer", "list")


def test_the_roster_is_listed(running: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line(running, capsys)
    there = {"officer": WHO, "roles": [desk_service_pb2.ROLE_LIAISON_OFFICER], "listed": True, "passkeys": 2, "sessions": 1, "seen_at": NOW}
    left = {"officer": f"{WHO}-left\u202e", "passkeys": 1, "code_expires_at": NOW}
    running.answers["ListOfficers"] = desk_service_pb2.ListOfficersResponse(officers=[there, left])
    said = line.text("officer", "list")
    for words in ("gb.alerts.example/officer/heron", "liaison officer", "2026-05-28", "left: forget"):
        assert words in said
    assert "\u202e" not in said
    assert [one["passkeys"] for one in line.json("officer", "list")["officers"]] == [2, 1]
