"""Manners of the house that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.project_files import ROOT, own_code, project_files

LONGEST = 450
LONG_FOR_A_REASON = {
    Path("proto/exchange/v1/desk_service.proto"),  # one service: each method's messages stand beside it
}
VAGUE = {"util", "utils", "helper", "helpers", "manager", "managers", "base", "common", "misc"}

FORBIDDEN = re.compile(r"sex[ -]?touris|block" + "chain", re.IGNORECASE)
MAY_FORBID = {Path("docs/alerts.md"), Path("docs/glossary.md")}  # the pages that say which words are not used
MACHINE_PATH = re.compile(r"(?<![\w.*])/(?:work|tmp|root)/")
MERGE_MARK = re.compile(r"^(?:<{7} .*|={7}|>{7} .*)$", re.MULTILINE)
PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\s|\\n)+[A-Za-z0-9+/=]{16}")


def text_of(path: Path) -> str:
    """A file's text; bytes that are no text show as such and match nothing."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def imports_relatively(source: str) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(ast.parse(source)))


def test_a_file_is_one_idea() -> None:
    long = {path for path in own_code(".py", ".proto") if len(text_of(path).splitlines()) > LONGEST}
    assert long == LONG_FOR_A_REASON


def test_no_merge_was_left_half_done() -> None:
    assert MERGE_MARK.search("before\n" + "=" * 7 + "\nafter")
    assert [path for path in project_files() if MERGE_MARK.search(text_of(path))] == []


def test_names_say_what_is_inside() -> None:
    assert [path for path in own_code(".py", ".proto") if VAGUE & {*path.parts[:-1], path.stem}] == []


def test_imports_are_absolute() -> None:
    assert [path for path in own_code(".py") if imports_relatively(text_of(path))] == []


def test_a_package_exports_nothing_of_its_modules() -> None:
    assert [path for path in project_files(".py") if path.name == "__init__.py" and text_of(path).strip()] == []


def test_nobody_writes_words_that_wrong_the_children_or_the_design() -> None:
    assert [path for path in own_code() if path not in MAY_FORBID and FORBIDDEN.search(text_of(path))] == []


def test_no_path_of_somebodys_machine_is_committed() -> None:
    assert [path for path in own_code() if MACHINE_PATH.search(text_of(path))] == []


def test_no_private_key_is_committed() -> None:
    assert [path for path in project_files() if PRIVATE_KEY.search(text_of(path)) or path.suffix == ".key"] == []


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (FORBIDDEN, "a Sex Tour" + "ist", True),
        (FORBIDDEN, "on a block" + "Chain", True),
        (FORBIDDEN, "the tourism sector", False),
        (MACHINE_PATH, 'open("/' + 'tmp/x")', True),
        (MACHINE_PATH, "/" + "work/main", True),
        (MACHINE_PATH, "~/.cache/" + "tmp/x and data/tmp/x", False),
        (PRIVATE_KEY, "-----BEGIN PRIVATE KEY-----\n" + "MC4CAQAwBQYDK2VwBCIEIA", True),
        (PRIVATE_KEY, "-----BEGIN EC PRIVATE KEY-----\\n" + "MHcCAQEEIIrYSSNQFaA2H", True),
        (PRIVATE_KEY, 'assert b"-----BEGIN PRIVATE KEY-----" in pem', False),
        (PRIVATE_KEY, "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ", False),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], text: str, *, matches: bool) -> None:
    assert bool(pattern.search(text)) is matches


def test_a_relative_import_is_found() -> None:
    assert imports_relatively("def f():\n    from . import x\n")
    assert not imports_relatively("from exchange import errors\n")
