"""`tests/bite.py` tells a check that bites from one that does not: shown on a small made-up project."""

import json
from pathlib import Path

import pytest

from tests import bite
from tests.bite import disable

pytestmark = pytest.mark.slow  # each case runs pytest in a process of its own

CHECKS = '''
"""D9 in prose is no tag."""
# D1
def check(value: int) -> str:
    if value == 1:
        raise ValueError("one")  # D1
    if value == 2:
        raise ValueError(
            "two",
        ) from None  # D2
    alarms = []
    if value == 3:
        alarms.append("three")  # D3
    if value == 4:
        raise ValueError("four")  # D4
    if value == 5:
        raise ValueError("five")  # D5
    return "".join(alarms)
'''
SETTINGS = """
[tool.pytest.ini_options]
pythonpath = ["."]
markers = ["rule(code): a check"]
"""
TESTS = """
import pytest
from exchange.checks import check

@pytest.mark.rule("D1")
def test_one():
    with pytest.raises(ValueError):
        check(1)

@pytest.mark.rule("D2")
def test_two():
    with pytest.raises(ValueError):
        check(2)

@pytest.mark.rule("D3")
def test_three():
    assert check(3) == "three"

@pytest.mark.rule("D4")
def test_that_asserts_nothing():
    check(0)

def test_without_a_mark():
    with pytest.raises(ValueError):
        check(5)
"""
FRAGILE = """
import pytest
from exchange.checks import check

with pytest.raises(ValueError):
    check(4)

@pytest.mark.rule("D4")
def test_four():
    check(0)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Five checks; tests of three of them, one that asserts nothing, and one without a mark."""
    (tmp_path / "exchange").mkdir()
    (tmp_path / "exchange" / "__init__.py").touch()
    (tmp_path / "exchange" / "checks.py").write_text(CHECKS, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_checks.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\npythonpath = ["."]\nmarkers = ["rule(code): a check"]\n', encoding="utf-8"
    )
    return tmp_path


def test_a_tagged_statement_is_replaced_and_nothing_else() -> None:
    spoilt, count = disable(CHECKS, "D2")
    lines = CHECKS.splitlines()
    assert count == 1
    assert spoilt.splitlines() == [*lines[:7], "        pass", "", "", *lines[10:]]


def test_prose_is_no_tag() -> None:
    assert disable(CHECKS, "D9") == (CHECKS, 0)
    assert disable(CHECKS, "D1")[1] == 1


@pytest.mark.parametrize(("rule", "test"), [("D1", "test_one"), ("D2", "test_two"), ("D3", "test_three")])
def test_a_check_that_bites(project: Path, rule: str, test: str) -> None:
    verdict = bite.bite(project, rule)
    assert (verdict.fault, verdict.statements, verdict.green) == ("", 1, [])
    assert [name.rpartition("::")[2] for name in verdict.red] == [test]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [("D4", "it can be removed and no test"), ("D5", "no test is marked"), ("D6", "no statement is tagged")],
)
def test_a_check_that_does_not_bite(project: Path, rule: str, fault: str) -> None:
    assert fault in bite.bite(project, rule).fault


def test_an_import_that_fails_is_no_bite(project: Path) -> None:
    (project / "tests" / "test_checks.py").write_text(FRAGILE, encoding="utf-8")
    verdict = bite.bite(project, "D4")
    assert not verdict.red
    assert "did not come so far as to run" in verdict.fault


def test_a_test_that_imports_another_copy_is_no_bite(project: Path) -> None:
    own = f"import sys\nsys.path.insert(0, {str(project)!r})\n"
    (project / "tests" / "test_checks.py").write_text(own + TESTS, encoding="utf-8")
    assert "did not import the copy" in bite.bite(project, "D1").fault


def test_all_must_be_green_while_nothing_is_disabled(project: Path) -> None:
    assert len(bite.bite(project, "").green) == 4
    (project / "exchange" / "checks.py").write_text(CHECKS.replace('"three"', '"3"'), encoding="utf-8")
    assert "red although nothing was disabled" in bite.bite(project, "").fault


def test_the_command_fails_if_one_check_does_not_bite(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bite, "ROOT", project)
    assert bite.main(["--only", "D1", "--only", "D3", "--json"]) == 0
    assert [verdict["rule"] for verdict in json.loads(capsys.readouterr().out)] == ["", "D1", "D3"]
    assert bite.main(["--only", "D1", "--only", "D5"]) == 1
    assert "FAIL D5: no test is marked with it" in capsys.readouterr().out
