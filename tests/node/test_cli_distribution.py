"""The verbs inside a country: what they ask, and what people and scripts read."""

from collections.abc import Iterator

import pytest

from exchange.v1 import control_pb2, desk_service_pb2, disclosure_pb2, handling_pb2, hit_report_pb2
from node.cli import distribution
from tests.node import desk_answers as answers
from tests.node.fake_desk import FakeDesk, serve, set_up
from tests.node.test_cli_verbs import Line

ALERT = "05b3abf2"
REFUSAL = answers.problem("CLAUSE_NONE", "agencies[x]")


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
def line(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(desk, capsys)


def told(**changes: object) -> desk_service_pb2.Distribution:
    wanted = desk_service_pb2.Distribution(
        manifest_digest=answers.digest("manifest"),
        alert_type=answers.TRAVEL,
        desk=answers.AHTJP,
        agency=answers.GDI,
        fields=[1, 11],
        clause="police-border",
        purpose=handling_pb2.PURPOSE_PREVENTION,
        distributed_at=answers.ISSUED,
        erase_by=answers.ISSUED + 86_400_000,
        state="active",
    )
    return answers.countries.changed(wanted, **changes)


@pytest.mark.parametrize(
    ("names", "enum", "prefix"),
    [
        (distribution.GROUNDS, disclosure_pb2.OnRequestGround, "ON_REQUEST_GROUND_"),
        (distribution.PURPOSES, handling_pb2.Purpose, "PURPOSE_"),
        (distribution.EXCEPTIONS, control_pb2.PurgeException, "PURGE_EXCEPTION_"),
    ],
)
def test_the_codes_on_the_help_pages_are_those_of_the_schema(names: tuple[str, ...], enum: object, prefix: str) -> None:
    values = enum.DESCRIPTOR.values  # type: ignore[attr-defined]  # an enum of protobuf
    known = [value.name.removeprefix(prefix) for value in values if value.number]
    # An agency that was told inside the country cannot have passed anything on.
    assert list(names) == [name for name in known if name != "PASSED_ON"]


def test_preview(desk: FakeDesk, line: Line) -> None:
    shown = answers.preview()
    desk.answers["PreviewDistribution"] = desk_service_pb2.PreviewDistributionResponse(
        summary=answers.summary(), recipients=shown.recipients
    )
    data = line.json("distribution", "preview", ALERT, "--to", answers.GDI, "--unticked", "birth", "--purpose", "prevention")
    bare, asked = (question.draft for _, question in desk.asked)
    assert not bare.agencies
    assert (asked.alert, list(asked.agencies), list(asked.unticked)) == (ALERT, [answers.GDI], [3])
    assert (asked.purpose, asked.reason) == (handling_pb2.PURPOSE_PREVENTION, "")
    assert len(data["recipients"]) == len(shown.recipients)
    assert "shown" in line.text("distribution", "preview", ALERT, "--to", answers.GDI)
    denied = desk_service_pb2.RecipientPreview(recipient=answers.GDI, denied=[REFUSAL])
    desk.answers["PreviewDistribution"] = desk_service_pb2.PreviewDistributionResponse(recipients=[denied], problems=[REFUSAL])
    assert "CLAUSE_NONE" in line.text("distribution", "preview", ALERT, "--to", answers.GDI, code=3)


def test_send(desk: FakeDesk, line: Line) -> None:
    desk.answers["PreviewDistribution"] = desk_service_pb2.PreviewDistributionResponse(summary=answers.summary())
    desk.answers["DistributeAlert"] = desk_service_pb2.DistributeAlertResponse(distributions=[told()])
    arguments = ["distribution", "send", ALERT, "--to", answers.GDI, "--grant", "appearance", "--ground", "investigation", "--reason", "x"]
    data = line.json(*arguments)
    asked = desk.the("DistributeAlert").draft
    assert (asked.reason, len(asked.request_id)) == ("x", 16)
    (grant,) = asked.on_request
    assert (grant.recipient, grant.field, grant.ground) == (answers.GDI, 6, disclosure_pb2.ON_REQUEST_GROUND_INVESTIGATION)
    assert data["distributions"][0]["clause"] == "police-border"
    text = line.text(*arguments)
    assert "Distributed." in text
    assert "itinerary" in text
    first, second = (question.draft.request_id for name, question in desk.asked if name == "DistributeAlert")
    assert first == second
    line.text(*arguments, "--again")
    assert desk.asked[-1][1].draft.request_id != first
    desk.answers["DistributeAlert"] = desk_service_pb2.DistributeAlertResponse(problems=[REFUSAL])
    assert "Nobody was told" in line.text(*arguments, code=3)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--reason", "x"),
        ("--to", "gdi", "--reason", "x"),
        ("--to", answers.GDI),
        ("--to", answers.GDI, "--reason", " "),
        ("--to", answers.GDI, "--reason", "x", "--grant", "birth"),
        ("--to", answers.GDI, "--reason", "x", "--ground", "INVESTIGATION"),
        ("--to", answers.GDI, "--reason", "x", "--unticked", "berth"),
    ],
)
def test_what_cannot_be_meant_is_not_asked(desk: FakeDesk, line: Line, arguments: tuple[str, ...]) -> None:
    desk.answers["PreviewDistribution"] = desk_service_pb2.PreviewDistributionResponse(summary=answers.summary())
    line.json("distribution", "send", ALERT, *arguments, code=2)
    assert "DistributeAlert" not in dict(desk.asked)


def test_list_and_forward(desk: FakeDesk, line: Line) -> None:
    report = hit_report_pb2.HitReport(outcome=hit_report_pb2.HIT_OUTCOME_REFUSED_ENTRY)
    kept = desk_service_pb2.InsideReport(
        report=7, manifest_digest=answers.digest("manifest"), agency=answers.GDI, desk=answers.AHTJP, reported_at=1, content=report
    )
    purged = told(
        state="withdrawn", purged_at=1, local_lists_updated=True, exceptions=[control_pb2.PURGE_EXCEPTION_LEGAL_HOLD], fields=[1, 99]
    )
    gone = answers.countries.changed(kept, content=None, report=8)
    sent = answers.countries.changed(kept, forwarded=answers.digest("on"), report=9)
    desk.answers["ListDistributions"] = desk_service_pb2.ListDistributionsResponse(
        distributions=[told(), purged], reports=[kept, gone, sent]
    )
    data = line.json("distribution", "list", ALERT)
    assert desk.the("ListDistributions").alert == ALERT
    assert (len(data["distributions"]), data["reports"][0]["content"]["outcome"], data["more"]) == (2, "REFUSED_ENTRY", False)
    text = " ".join(line.text("distribution", "list").split())
    for said in ("police", "confirmed but", "legal", "refused entry", "erased", "waits"):
        assert said in text
    assert text.count("waits") == 1, "what is erased waits for nobody"
    desk.answers["ListDistributions"] = desk_service_pb2.ListDistributionsResponse()
    assert "Nobody inside the country" in line.text("distribution", "list")
    desk.answers["ForwardReport"] = desk_service_pb2.ForwardReportResponse(
        published=desk_service_pb2.PublishedAlert(manifest_digest=answers.digest("on"))
    )
    assert line.json("distribution", "forward", "7")["manifest_digest"] == answers.digest("on").hex()
    assert (desk.the("ForwardReport").report, len(desk.the("ForwardReport").request_id)) == (7, 16)
    assert "Reported to the originator." in line.text("distribution", "forward", "7")
    refused = desk_service_pb2.PublishedAlert(problems=[REFUSAL])
    desk.answers["ForwardReport"] = desk_service_pb2.ForwardReportResponse(published=refused)
    assert "refused" in line.text("distribution", "forward", "7", code=3)


def test_confirm_purge(desk: FakeDesk, line: Line) -> None:
    desk.answers["ConfirmPurge"] = desk_service_pb2.ConfirmPurgeResponse(confirmed=[answers.digest("manifest")])
    arguments = ["distribution", "confirm-purge", ALERT, "--copies", "2"]
    line.json(*arguments, code=2)
    data = line.json(*arguments, "--lists-updated", "--exception", "legal_hold")
    asked = desk.the("ConfirmPurge")
    assert (asked.alert, asked.copies_removed, asked.local_lists_updated) == (ALERT, 2, True)
    assert list(asked.exceptions) == [control_pb2.PURGE_EXCEPTION_LEGAL_HOLD]
    assert data["confirmed"] == [answers.digest("manifest").hex()]
    assert "Confirmed" in line.text(*arguments, "--lists-updated")
    desk.answers["ConfirmPurge"] = desk_service_pb2.ConfirmPurgeResponse(problems=[REFUSAL])
    assert "refused" in line.text(*arguments, "--lists-updated", code=3)


def test_a_report_that_the_desk_keeps_is_said_to_be_there(desk: FakeDesk, line: Line) -> None:
    kept = desk_service_pb2.InsideReport(report=7, desk=answers.AHTJP, agency=answers.GDI)
    desk.answers["ReportHit"] = desk_service_pb2.ReportHitResponse(kept=kept)
    arguments = ["inbox", "report", ALERT, "--outcome", "refused_entry"]
    assert line.json(*arguments)["kept"]["report"] == 7
    assert "ahtjp" in line.text(*arguments)


def test_an_agency_told_inside_the_country_reads_what_to_do(desk: FakeDesk, line: Line) -> None:
    withdrawn = desk_service_pb2.GetInboxAlertResponse(
        summary=answers.summary(flags=["WITHDRAWN", "PURGE_OWED"]),
        blocked=desk_service_pb2.BLOCKED_WITHDRAWN,
        distributions=[told(state="withdrawn")],
    )
    desk.answers["GetInboxAlert"] = withdrawn
    text = " ".join(line.text("inbox", "show", ALERT).split())
    assert "distribution confirm-purge" in text
    assert "police-border" in text
    disputed = desk_service_pb2.GetInboxAlertResponse(summary=answers.summary(flags=["DISPUTED"]), view=answers.view())
    desk.answers["GetInboxAlert"] = disputed
    assert "ask the originator" in " ".join(line.text("inbox", "show", ALERT).split())
    disputed.distributions.append(told())
    assert "ask your desk" in " ".join(line.text("inbox", "show", ALERT).split())
