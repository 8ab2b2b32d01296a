"""The context file, and the files that it names."""

import json
from pathlib import Path

import pytest

from node.cli.main import run
from tests.node.fake_desk import set_up


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    set_up(tmp_path / "gb")
    return tmp_path / "gb"


def refused(context: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    assert run(["--context", str(context), "--json", "whoami"]) == 2
    error: dict[str, str] = json.loads(capsys.readouterr().out)["error"]
    return error


def test_without_a_context_it_is_said_how_to_name_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXCHANGE_CONTEXT", raising=False)
    assert run(["--json", "whoami"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "CONTEXT_MISSING"
    assert "EXCHANGE_CONTEXT" in error["next_step"]


def test_the_environment_names_it_as_well(directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_CONTEXT", str(directory / "none.toml"))
    assert run(["--json", "whoami"]) == 2
    assert "none.toml" in json.loads(capsys.readouterr().out)["error"]["happened"]


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("desk = ", "desks = ", "unknown key, desks; did you mean desk?"),
        ("desk = ", "zzzzzz = ", "unknown key, zzzzzz."),
        ('ca = "office-ca.pem"\n', "", "lacks ca"),
        ('ca = "office-ca.pem"', "ca = 3", "text in quotes"),
        ('"desk.gb.alerts.example"', '"GB"', "server_name"),
        ("desk = ", "desk ", "cannot be read as TOML"),
    ],
)
def test_a_wrong_context_file_is_told_by_its_key(
    directory: Path, capsys: pytest.CaptureFixture[str], was: str, becomes: str, said: str
) -> None:
    path = directory / "officer.toml"
    text = path.read_text("utf-8")
    assert was in text
    path.write_text(text.replace(was, becomes), "utf-8")
    error = refused(path, capsys)
    assert error["code"] == "CONTEXT_FILE"
    assert said in error["why"]


def test_a_context_file_that_is_not_there_is_said_to_be_missing(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(directory / "offcer.toml", capsys)
    assert (error["code"], error["why"]) == ("CONTEXT_FILE", "There is no such file.")


def test_a_key_that_others_can_read_is_not_used(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "officers/swallow.key").chmod(0o644)
    assert refused(directory / "officer.toml", capsys)["code"] == "KEY_FILE_MODE"


def test_a_missing_certificate_is_named(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "officers/swallow.pem").unlink()
    error = refused(directory / "officer.toml", capsys)
    assert error["code"] == "CONTEXT_FILE"
    assert "swallow.pem" in error["why"]


def test_a_certificate_of_another_key_is_not_used(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = (directory / "officers/heron.pem").read_bytes()
    (directory / "officers/swallow.pem").write_bytes(other)
    assert refused(directory / "officer.toml", capsys)["code"] == "TLS_KEY_MISMATCH"
