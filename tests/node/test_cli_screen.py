"""`exchange screen`: what it asks the desk, what a script gets, and what an officer reads."""

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from exchange.v1 import desk_service_pb2
from node.cli.main import run
from tests.node.fake_desk import Failure, FakeDesk, serve, set_up


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


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_bytes(b"family_name\nEXAMPLE\n")
    return path


def answer(**changes: object) -> desk_service_pb2.ScreenPassengersResponse:
    reasons = [
        desk_service_pb2.ScreeningReason(rule="NAME_SAME", tenths=83, told="example", shown="example", bearers=3),
        desk_service_pb2.ScreeningReason(rule="SEX_DIFFERS", tenths=-46, told="M", shown="F"),
    ]
    proposal = desk_service_pb2.ScreeningProposal(
        alert={"manifest_digest": bytes(32), "originator": "spiffe://gb.alerts.example/agency/nca", "flags": ["EXPIRED"]},
        alias="names[2]", alias_text="Example \x1b[31mThomas", place=7, family_name="EXAMPLE", given_names="THOMAS", birth_date="1961-04",
        document_number="X1", document_issuer="GBR", reasons=reasons, points_tenths=271, needed_tenths=215, one_stranger_in=12_000,
    )  # fmt: skip
    fields = {"format": 1, "service": "QF123", "passengers": 300, "alerts": 12_000, "proposals": [proposal], **changes}
    return desk_service_pb2.ScreenPassengersResponse(**fields)


def test_the_list_goes_to_the_desk_as_it_is(desk: FakeDesk, manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["ScreenPassengers"] = answer()
    arguments = ["--context", desk.context(), "screen", str(manifest), "--format", "PAXLST", "--reason", "synthetic", "--json"]
    assert run(arguments) == 0
    asked = desk.the("ScreenPassengers")
    assert (asked.manifest, asked.format, asked.reason) == (manifest.read_bytes(), desk_service_pb2.MANIFEST_FORMAT_PAXLST, "synthetic")
    data = json.loads(capsys.readouterr().out)
    assert data["format"] == "PAXLST"
    (proposal,) = data["proposals"]
    assert (proposal["points"], proposal["needed"], proposal["one_stranger_in"]) == (27.1, 21.5, 12_000)
    assert proposal["reasons"][1] == {"rule": "SEX_DIFFERS", "points": -4.6, "told": "M", "shown": "F", "bearers": 0}


@pytest.mark.parametrize("disputed", [True, False])
def test_what_is_disputed_says_so_beside_the_proposal(
    desk: FakeDesk, manifest: Path, capsys: pytest.CaptureFixture[str], *, disputed: bool
) -> None:
    said = answer()
    said.proposals[0].alert.flags[:] = ["DISPUTED"] if disputed else []
    desk.answers["ScreenPassengers"] = said
    assert run(["--context", desk.context(), "screen", str(manifest)]) == 0
    assert ("something in this alert was wrong" in capsys.readouterr().out) is disputed


def test_an_officer_reads_what_agrees_what_differs_and_how_often_by_accident(
    desk: FakeDesk, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warning = desk_service_pb2.ScreeningWarning(place=9, code="BIRTH_MISSING", message="there is no birth date")
    desk.answers["ScreenPassengers"] = answer(warnings=[warning], left_off=4, known_mis_hits=2)
    assert run(["--context", desk.context(), "screen", str(manifest)]) == 0
    page = capsys.readouterr().out
    for words in (
        "300 travellers of QF123 compared with 12000 alerts",
        "look at the person and the document",
        "Passenger 7: EXAMPLE / THOMAS",
        "names[2]",
        "nca (gb)",
        "expired",
        "27.1, of 21.5 needed",
        "one stranger in 12,000",
        "the same word",
        "another sex",
        "-4.6",
        "4 more were left off",
        "2 not proposed again",
        "there is no birth date",
    ):
        assert words in page, words
    assert "\x1b" not in page


def test_nobody_is_said_to_be_nobody(desk: FakeDesk, manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["ScreenPassengers"] = answer(proposals=[])
    assert run(["--context", desk.context(), "screen", str(manifest)]) == 0
    assert "Nobody is proposed." in capsys.readouterr().out


def test_a_list_that_is_too_large_is_not_sent(desk: FakeDesk, manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest.write_bytes(b"x" * (900 * 1024 + 1))
    assert run(["--context", desk.context(), "screen", str(manifest), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "MANIFEST_TOO_LARGE"
    assert desk.asked == []


def test_a_refusal_of_the_node_is_told_with_its_code(desk: FakeDesk, manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["ScreenPassengers"] = Failure(
        status=grpc.StatusCode.INVALID_ARGUMENT, reason="EDIFACT_UNFINISHED", details="the list was cut off"
    )
    assert run(["--context", desk.context(), "screen", str(manifest), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "EDIFACT_UNFINISHED"
