"""`exchange retention`, `audit recipients`, `audit erasure-proof`: what each asks the desk, and what a person and a script read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from click import Command
from click.testing import CliRunner

from exchange.v1 import desk_service_pb2 as messages
from node.cli.audit_erasure_proof import erasure_proof
from node.cli.audit_recipients import recipients
from node.cli.context import Settings
from node.cli.errors import Trouble
from node.cli.main import run
from node.operations import erase
from node.operations import erasure_proof as operation
from node.store import alerts
from tests.countries import POLICE, agency, key
from tests.federation import federation
from tests.node import desk_answers as answers
from tests.node.fake_desk import Failure, FakeDesk, serve, set_up
from tests.rig import draft

DIGEST = answers.digest("manifest").hex()
WHY = "court order 7 (synthetic)"


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


def kept(**changes: Any) -> messages.Retention:
    fields = {"summary": answers.summary(), "own": True, "due": messages.RETENTION_DUE_ERASURE, "erase_by": answers.ISSUED} | changes
    return messages.Retention(**fields)


def json_of(desk: FakeDesk, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert run(["--context", desk.context(), *words, "--json"]) == code
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def text_of(desk: FakeDesk, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run(["--context", desk.context(), *words]) == code
    return capsys.readouterr().out


def test_what_is_due_is_listed_with_its_holds(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    hold = messages.LegalHold(agency=answers.CEOP, placed_at=answers.ISSUED)
    held = kept(due=messages.RETENTION_DUE_HELD, holds=[hold])
    desk.answers["ListRetention"] = messages.ListRetentionResponse(alerts=[kept(), held], copies=["node.db.before-1"])
    data = json_of(desk, capsys, "retention", "due")
    assert [item["due"] for item in data["alerts"]] == ["ERASURE", "HELD"]
    assert (data["alerts"][1]["holds"][0]["agency"], data["copies"], data["more"]) == (answers.CEOP, ["node.db.before-1"], False)
    text = text_of(desk, capsys, "retention", "due")
    assert "held" in text
    assert "nca-ceop (gb)" in text
    assert "node.db.before-1" in text


def test_nothing_due_is_said(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["ListRetention"] = messages.ListRetentionResponse()
    assert "Nothing is due" in text_of(desk, capsys, "retention", "due")


def test_a_dry_run_asks_for_nothing_else(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["RunRetention"] = messages.RunRetentionResponse(erased=3, held=1)
    data = json_of(desk, capsys, "retention", "run", "--dry-run")
    assert (data["dry_run"], data["erased"], data["held"]) == (True, 3, 1)
    assert [question.dry_run for _, question in desk.asked] == [True]
    assert "would be erased" in text_of(desk, capsys, "retention", "run", "--dry-run")


def test_a_run_goes_on_until_nothing_is_left(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    left = [1024, 500, 0]

    def answer(question: messages.RunRetentionRequest) -> messages.RunRetentionResponse:
        return messages.RunRetentionResponse(erased=1524 if question.dry_run else left.pop(0), periods=0 if question.dry_run else 1)

    desk.answers["RunRetention"] = answer
    data = json_of(desk, capsys, "retention", "run")
    assert (data["erased"], data["periods"], left) == (1524, 3, [])


@pytest.mark.parametrize(
    ("verb", "method"), [("hold", "HoldAlert"), ("release", "ReleaseHold"), ("review", "ReviewRetention"), ("erase", "EraseAlert")]
)
def test_a_decision_is_asked_with_its_reason(desk: FakeDesk, capsys: pytest.CaptureFixture[str], verb: str, method: str) -> None:
    desk.answers[method] = getattr(messages, f"{method}Response")(retention=kept())
    sure = ["--yes"] if verb == "erase" else []
    data = json_of(desk, capsys, "retention", verb, DIGEST[:12], "--reason", WHY, *sure)
    assert data["summary"]["manifest_digest"] == DIGEST
    assert (desk.the(method).alert, desk.the(method).reason) == (DIGEST[:12], WHY)
    assert DIGEST in text_of(desk, capsys, "retention", verb, DIGEST[:12], "--reason", WHY, *sure)
    assert run(["--context", desk.context(), "retention", verb, DIGEST[:12], *sure]) == 2


def test_an_erasure_is_asked_about_first(desk: FakeDesk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run(["--context", desk.context(), "retention", "erase", DIGEST[:12], "--reason", WHY]) == 130
    assert desk.asked == []


def test_a_refusal_is_told(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["HoldAlert"] = Failure(status=grpc.StatusCode.ABORTED, reason="ERASURE_BEGUN", details="this alert is being erased")
    answer = json_of(desk, capsys, "retention", "hold", DIGEST[:12], "--reason", WHY, code=3)
    assert answer["error"]["code"] == "ERASURE_BEGUN"


def test_an_erased_alert_shows_who_was_told_and_no_content(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    gone = answers.summary(flags=["ERASED"])
    told = messages.LoggedDisclosure(
        origin=answers.ORIGIN, index=4, audience=[answers.GDI], fields=[1, 3], clause="gb-to-kh-border", disclosed_at=answers.ISSUED
    )
    desk.answers["GetAlert"] = messages.GetAlertResponse(summary=gone, disclosures=[told])
    desk.answers["GetInboxAlert"] = messages.GetInboxAlertResponse(summary=gone, disclosures=[told], undisclosed=[2])
    for words in (("alert", "show", DIGEST[:12]), ("inbox", "show", DIGEST[:12])):
        data = json_of(desk, capsys, *words)
        assert (data["alert"], data["disclosures"][0]["fields"]) == (None, [1, 3])
        text = text_of(desk, capsys, *words)
        assert all(part in text for part in ("erased", "gdi (kh)", "primary_name, birth", "gb-to-kh-border", "2026-07-25 17:20"))
        assert "Not known" not in text


# Verbs of `exchange audit`


def ask(desk: FakeDesk, command: Command, *words: str, as_json: bool = True, text: str | None = None) -> tuple[int, str]:
    settings = Settings(context=Path(desk.context("auditor")), json=as_json, timeout=20)
    result = CliRunner().invoke(command, list(words), obj=settings, input=text)
    if isinstance(result.exception, Trouble):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.stdout


def test_who_was_told_about_a_person(desk: FakeDesk) -> None:
    status = messages.DisclosureStatus(
        disclosure=messages.LoggedDisclosure(origin=answers.ORIGIN, index=4, audience=[answers.GDI], fields=[1, 3], clause="c"),
        state=messages.DISCLOSURE_STATE_RECEIPTED,
        disclosed_at=answers.ISSUED,
    )
    found = messages.FoundAlert(summary=answers.summary(), own=True, disclosures=[status])
    desk.answers["FindRecipients"] = messages.FindRecipientsResponse(alerts=[found])
    code, text = ask(desk, recipients, "--subject", "-", "--born", "1961", "--reason", WHY, as_json=False, text="Nguyễn Văn Thử\n")
    assert code == 0
    assert all(part in text for part in (DIGEST, "gdi (kh)", "  primary_name, birth", "receipted"))
    assert f"{answers.ORIGIN}#4" in text.splitlines()  # whole, as other commands take it
    question = desk.the("FindRecipients")
    assert (question.subject, question.born, question.reason) == ("Nguyễn Văn Thử", "1961", WHY)
    assert json.loads(ask(desk, recipients, "--subject", "X1", "--reason", WHY)[1])["alerts"][0]["own"] is True
    desk.answers["FindRecipients"] = messages.FindRecipientsResponse(alerts=[found], left_out=7)
    assert "7 older alerts" in ask(desk, recipients, "--subject", "X1", "--reason", WHY, as_json=False)[1]
    desk.answers["FindRecipients"] = messages.FindRecipientsResponse()
    assert "Nothing" in ask(desk, recipients, "--subject", "X1", "--reason", WHY, as_json=False)[1]


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> messages.GetErasureProofResponse:
    """What a node answers that has erased."""
    with federation(tmp_path_factory.mktemp("proof"), "gb", "kh") as made:
        made.connect("gb", "kh")
        gb = made["gb"]
        gb.publish(draft(agency("kh", POLICE)))
        made.pump()
        with gb.ports.store.read() as tx:
            (row,) = alerts.every(tx)
        erase.intend(gb.ports, gb.domain, [row.id])
        erase.finish(gb.ports)
        return operation.prove_erasure(gb.ports, gb.person("auditor"), row.digest.hex())


PIN = key("gb", "identity").key_id.hex()


def copy_of(proof: messages.GetErasureProofResponse) -> messages.GetErasureProofResponse:
    return messages.GetErasureProofResponse.FromString(proof.SerializeToString())


def test_an_erasure_is_proved_to_whoever_has_the_fingerprint(desk: FakeDesk, proof: messages.GetErasureProofResponse) -> None:
    desk.answers["GetErasureProof"] = proof
    code, text = ask(desk, erasure_proof, DIGEST[:12], "--fingerprint", PIN)
    told = json.loads(text)
    assert (code, told["proved"], [event["code"] for event in told["events"]]) == (0, True, ["INTENDED", "DONE"])
    code, text = ask(desk, erasure_proof, DIGEST[:12], "--fingerprint", PIN, as_json=False)
    assert (code, "intended" in text, "every entry, checkpoint and receipt" in text.lower()) == (0, True, True)


def _swap(proof: messages.GetErasureProofResponse) -> None:
    proof.entries[0].inclusion_proof[0] = bytes(32)


def _another_checkpoint(proof: messages.GetErasureProofResponse) -> None:
    proof.checkpoint = proof.checkpoint.replace(b"/journal/1", b"/journal/2")


def _another_alert(proof: messages.GetErasureProofResponse) -> None:
    proof.retention.summary.manifest_digest = bytes(32)


def _another_event(proof: messages.GetErasureProofResponse) -> None:
    proof.entries[1].entry = proof.entries[0].entry


@pytest.mark.parametrize("spoil", [_swap, _another_checkpoint, _another_alert, _another_event])
def test_a_proof_that_does_not_hold_is_found_out(desk: FakeDesk, proof: messages.GetErasureProofResponse, spoil: Any) -> None:
    spoiled = copy_of(proof)
    spoil(spoiled)
    desk.answers["GetErasureProof"] = spoiled
    with pytest.raises(Trouble) as raised:
        ask(desk, erasure_proof, DIGEST[:12], "--fingerprint", PIN)
    assert raised.value.exit_code == 4


def test_another_nodes_proof_is_none(desk: FakeDesk, proof: messages.GetErasureProofResponse) -> None:
    desk.answers["GetErasureProof"] = proof
    with pytest.raises(Trouble) as raised:
        ask(desk, erasure_proof, DIGEST[:12], "--fingerprint", "0" * 64)
    assert raised.value.exit_code == 4


def test_an_intent_alone_or_a_finding_proves_no_erasure(desk: FakeDesk, proof: messages.GetErasureProofResponse) -> None:
    half, found = copy_of(proof), copy_of(proof)
    del half.entries[1:]
    found.findings.add(severity=messages.SEVERITY_ERROR, code="ENTRY_LEAF", message="the leaf is not its hash", origin=answers.ORIGIN)
    for answer in (half, found):
        desk.answers["GetErasureProof"] = answer
        code, text = ask(desk, erasure_proof, DIGEST[:12], "--fingerprint", PIN)
        assert (code, json.loads(text)["proved"]) == (4, False)
        assert ask(desk, erasure_proof, DIGEST[:12], "--fingerprint", PIN, as_json=False)[0] == 4
