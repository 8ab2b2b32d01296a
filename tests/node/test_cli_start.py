"""The command line before it does anything: quick to start, clear about usage."""

import ast
import json
import re
import subprocess
import sys

import pytest

from exchange.v1.hit_report_pb2 import HitOutcome
from node.cli import inbox
from node.cli.main import _NOUNS, run
from tests.architecture.project_files import ROOT

HEAVY = ("grpc", "sqlalchemy", "cryptography")
NOUNS = [noun for section in _NOUNS.values() for noun in section if noun != "demo"]


def imported_by(*arguments: str) -> set[str]:
    script = (
        f"import sys\nfrom node.cli.main import run\nrun({list(arguments)!r})\nprint('\\nmodules', *sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.rpartition("modules ")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], *([noun, "--help"] for noun in NOUNS), ["alert", "publish", "--help"]])
def test_help_imports_neither_grpc_nor_sqlalchemy_nor_cryptography(arguments: list[str]) -> None:
    imported = imported_by(*arguments)
    assert "click" in imported
    assert {name.split(".")[0] for name in imported} & {*HEAVY, "rich", "yaml", "protovalidate"} == set()


def test_nothing_imports_grpc_before_tls13_is_pinned() -> None:
    """A stub imports grpc. Who opens the connection imports stubs within it, or in functions that are given one."""
    for path in sorted((ROOT / "node/cli").glob("*.py")):
        for function in [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)]:
            opening = [
                node
                for node in ast.walk(function)
                if isinstance(node, ast.With) and any(re.match(r"open_(desk|audit|channel)\b", ast.unparse(item)) for item in node.items)
            ]
            within = {id(node) for block in opening for node in ast.walk(block)}
            early = [
                node.module
                for node in ast.walk(function)
                if isinstance(node, ast.ImportFrom) and str(node.module).endswith("_pb2_grpc") and id(node) not in within
            ]
            assert not (opening and early), f"{path.name}: {function.name} imports {early}"


def test_the_first_help_page_imports_no_noun() -> None:
    assert not {name for name in imported_by("--help") if name in {f"node.cli.{noun}" for noun in NOUNS}}


def test_help_names_every_noun_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    page = capsys.readouterr().out
    for noun in NOUNS:
        assert re.search(rf"^  {noun} ", page, re.MULTILINE), noun
    assert re.findall(r"^ +([0-9]) ", page, re.MULTILINE) == list("0123456")


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_and_verb_explains_itself_in_whole_sentences(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([noun, "--help"]) == 0
    page = capsys.readouterr().out
    assert "..." not in page.replace("FILE...", "").replace("[ARGS]...", "")
    for verb in re.findall(r"^  ([a-z]+)  ", page.partition("Commands:")[2], re.MULTILINE):
        assert run([noun, verb, "--help"]) == 0
        assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nodd"], "No such command 'nodd'"),
        (["alert", "chekc"], "Did you mean 'check'?"),
        (["alert", "publish"], "Missing argument 'FILE...'"),
        (["alert", "check", "/nonexistent"], "does not exist"),
        (["--timeout", "0", "whoami"], "--timeout"),
        (["partner", "add", "/dev/null"], "Missing option '--fingerprint'"),
        (["inbox", "report", "12345678", "--outcome", "GONE"], "--outcome"),
        (["evidence", "verify", "x"], "does not exist"),
        (["log", "show", "x", "--from", "-1"], "--from"),
    ],
)
def test_usage_errors_say_what_and_end_with_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert "next" in told.err
    assert not told.out


def test_no_arguments_show_the_help_page_and_end_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Alerts:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--json", "alert", "chekc"], ["alert", "publish", "--json"]])
def test_usage_errors_are_one_json_object_where_that_is_asked_for(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert set(error) == {"code", "exit_code", "happened", "why", "next_step"}
    assert (error["code"], error["exit_code"]) == ("USAGE", 2)


@pytest.mark.parametrize("fingerprint", ["00", "zz" * 32, "00" * 33, "0" * 63])
def test_a_fingerprint_is_64_hex_digits(fingerprint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["partner", "add", "/dev/null", "--fingerprint", fingerprint]) == 2
    assert "64 hex digits" in capsys.readouterr().err


def test_the_outcomes_are_those_of_the_schema() -> None:
    names = [value.name.removeprefix("HIT_OUTCOME_") for value in HitOutcome.DESCRIPTOR.values if value.number]
    assert list(inbox.OUTCOMES) == names
