"""Evidence by scope, contradictions and comparisons on the command line: files only, no node."""

import json
from pathlib import Path
from typing import Any

import click
import pytest

from exchange.contradiction import verify_contradiction
from exchange.tlog import merkle
from node.cli.audit_compare import compare
from node.cli.context import Settings
from node.cli.errors import Trouble
from node.cli.main import run
from node.cli.period import Period
from tests.builders import evidence, note, world
from tests.countries import DAY, domain, pins
from tests.exchange.test_contradiction import of_sizes, receipts
from tests.proofs import OVERSIGHT, anchor, bundle, bundle_file, log_file, rewritten, witness_line

PINS = [part for name, pin in pins("gb", "kh").items() for part in ("--pin", f"{name}={pin.hex()}")]


def written(place: Path, name: str, data: bytes) -> str:
    (place / name).write_bytes(data)
    return str(place / name)


def verified(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert run(["evidence", "verify", *arguments, *PINS, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def compared(*arguments: str) -> int:
    settings = Settings(context=None, json=True, timeout=1)
    outcome = compare.main([*arguments, *PINS], standalone_mode=False, obj=settings)
    return int(outcome or 0)


def test_a_bundle_is_verified_disclosure_by_disclosure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "bundle", bundle_file(bundle()))
    told = verified(capsys, file)
    assert [(one["index"], one["level"], one["alert"] is None) for one in told["disclosures"]] == [
        (1, "ENTRY_ONLY", True),
        (2, "DATA", False),
    ]
    assert verified(capsys, file, "--no-content")["disclosures"][1]["alert"] is None
    assert run(["evidence", "verify", file, *PINS]) == 0
    text = capsys.readouterr().out
    assert "each of 2 disclosures" in text
    assert text.splitlines().count(world().log.origin) == 1  # whole, above its entries
    assert "data: It was logged, delivered and receipted" in text
    assert "It does not prove that there were no others." in text


def test_the_policy_is_the_verifiers_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = evidence(world().entries, 2, world().delivery, anchors=[anchor(witnesses=("kh", OVERSIGHT))])
    file = written(tmp_path, "proof", proof.SerializeToString(deterministic=True))
    enough = written(tmp_path, "enough", f"witness o {witness_line(OVERSIGHT)}\nquorum o\n".encode())
    other = written(tmp_path, "other", f"witness v {witness_line('vn')}\nquorum v\n".encode())
    assert verified(capsys, file)["witnessed_at"] is None
    told = verified(capsys, file, "--policy", enough)
    assert told["witnessed_at"] is not None
    assert told["anchors"][0]["journal"] == f"{domain('gb')}/journal/1"
    assert verified(capsys, file, "--policy", other, code=4)["error"]["code"] == "EVIDENCE_WITNESSED"
    assert verified(capsys, file, "--policy", file, code=2)["error"]["code"] == "POLICY_MALFORMED"
    assert verified(capsys, file, "--policy", str(tmp_path / "none"), code=2)["error"]["code"] == "POLICY_UNREADABLE"
    assert run(["evidence", "verify", file, *PINS, "--policy", enough]) == 0
    assert "under your policy" in capsys.readouterr().out


def test_a_contradiction_is_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = verified(capsys, written(tmp_path, "one", of_sizes(3, 7)))
    assert (told["contradiction"], told["trust_domain"], [one["size"] for one in told["signed"]]) == ("CHECKPOINTS", domain("gb"), [3, 7])
    assert verified(capsys, written(tmp_path, "two", receipts()))["contradiction"] == "RECEIPTS"
    assert run(["evidence", "verify", str(tmp_path / "one"), *PINS]) == 0
    assert "two histories of one log that cannot both be true" in capsys.readouterr().out
    assert verified(capsys, written(tmp_path, "none", of_sizes(3, 7)[:-1]), code=4)["error"]["code"] == "CONTRADICTION_MALFORMED"


def test_two_copies_are_compared_without_a_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = written(tmp_path, "gb", log_file("gb")), written(tmp_path, "kh", log_file("kh"))
    assert compared(ours, theirs) == 0
    assert json.loads(capsys.readouterr().out) == {"equal": True, "contradiction": False, "differences": []}
    false = written(tmp_path, "false", log_file("gb", rewritten(2)))
    proof = tmp_path / "proof"
    assert compared(theirs, false, "--contradiction", str(proof)) == 4
    told = json.loads(capsys.readouterr().out)
    first = told["differences"][0]
    assert (first["code"], first["index"], first["grade"]) == ("DIFFERENT_CONTENT", 2, "CRITICAL")
    assert first["manifest_digest"] == ""  # what the sender now shows there is no entry at all
    assert verify_contradiction(proof.read_bytes(), pins("gb")).trust_domain == domain("gb")
    flawed = written(tmp_path, "flawed", log_file("kh", checkpoint=note(world().entries[:2])))
    assert compared(ours, flawed) == 4
    assert json.loads(capsys.readouterr().out)["differences"][0]["code"] == "CHECKPOINT_UNVERIFIED"
    assert compared(theirs, theirs) == 0
    capsys.readouterr()
    assert run(["audit", "compare", ours, theirs, *PINS]) == 0
    page = capsys.readouterr().out
    assert all(f"copy of {domain(country)}" in page for country in ("gb", "kh"))
    assert page.count(merkle.root([merkle.leaf_hash(entry) for entry in world().entries]).hex()[:12]) == 2


def test_a_copy_is_compared_with_a_checkpoint_or_with_evidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    false = written(tmp_path, "false", log_file("gb", rewritten(2, 6), receipts=[]))
    true = written(tmp_path, "true", log_file("gb"))
    for name, data in (("note", note(world().entries)), ("evidence", world().evidence)):
        held = written(tmp_path, name, data)
        assert compared(held, true) == 0
        proof = tmp_path / f"{name} proof"
        assert compared(held, false, "--contradiction", str(proof)) == 4
        assert verify_contradiction(proof.read_bytes(), pins("gb")).second.size == 6
    capsys.readouterr()


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        (note(world().entries), note(world().entries), "NO_COPY"),
        (b"rubbish", log_file(), "EVIDENCE_MALFORMED"),
        (log_file()[:-1], log_file(), "LOG_FILE_MALFORMED"),
        (note([*world().entries, b"more"]), log_file(), "COPY_TOO_SHORT"),
        (log_file("gb", [], receipts=[], origin="gb.alerts.example/disclosures/kh.alerts.example/2"), log_file(), "ANOTHER_LOG"),
    ],
)
def test_what_cannot_be_compared_says_why(tmp_path: Path, one: bytes, other: bytes, code: str) -> None:
    with pytest.raises(Trouble) as trouble:
        compared(written(tmp_path, "one", one), written(tmp_path, "other", other))
    assert trouble.value.code == code


def test_a_period_is_days_both_included() -> None:
    read = Period()
    day = 20_454 * DAY  # 1 January 2026
    assert read.convert("2026-01-01..2026-01-01", None, None) == (day, day + DAY)
    assert read.convert("2026-01-01..", None, None) == (day, 0)
    assert read.convert("..2026-01-01", None, None) == (0, day + DAY)
    assert read.convert((1, 2), None, None) == (1, 2)
    for wrong in ("2026-01-01", "2026-01-02..2026-01-01", "yesterday..", "2026-13-01..", "..9999-12-31x"):
        with pytest.raises(click.BadParameter):
            read.convert(wrong, None, None)


@pytest.mark.parametrize(
    "scope",
    [
        [],
        ["gb.alerts.example/disclosures/kh.alerts.example/1"],
        ["gb.alerts.example/disclosures/kh.alerts.example/1", "0", "--alert", "01234567"],
        ["--alert", "01234567", "--partner", "kh.alerts.example"],
        ["--alert", "01234567", "--level", "data"],
        ["--alert", "01234567", "--period", "2026-01-01.."],
        ["--digest", "0123"],
        ["--subject", "X1"],
        ["--subject", "X1", "--reason", "  "],
        ["--subject", "X1", "--reason", "complaint", "--alert", "01234567"],
        ["--subject", "X1", "--reason", "complaint", "--period", "2026-01-01.."],
        ["--alert", "01234567", "--reason", "complaint"],
        ["--alert", "01234567", "--born", "1961"],
    ],
)
def test_an_export_has_one_scope(tmp_path: Path, scope: list[str]) -> None:
    assert run(["evidence", "export", *scope, "-o", str(tmp_path / "file")]) == 2
    assert not (tmp_path / "file").exists()
