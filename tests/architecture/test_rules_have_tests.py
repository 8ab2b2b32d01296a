"""Every numbered check of the protocol stands in the code, and has a test that names it."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import bite
from tests.architecture.project_files import ROOT, own_code

pytestmark = pytest.mark.thorough

RULE = re.compile(r"\b(?:S|D|R)[1-9][0-9]?\b")
RULES = {
    *(f"S{number}" for number in range(1, 5)),
    *(f"D{number}" for number in range(1, 12)),
    *(f"R{number}" for number in range(1, 5)),
}
EVIDENCE = {*(f"E{number}" for number in range(1, 13)), "B1", "B2", "C1", "C3", "C4"}
"""The checks of an evidence file, of a bundle and of a contradiction (whose C2 is E2)."""


def prose(source: str) -> Iterator[str]:
    """The docstrings and comments of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def marked(source: str) -> list[str | None]:
    """The arguments of every `pytest.mark.rule(...)` in a module; None stands for one that is no literal text."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    marks = (call for call in calls if ast.unparse(call.func) == "pytest.mark.rule")
    return [
        argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None
        for call in marks
        for argument in call.args
    ]


def texts(folder: str) -> Iterator[tuple[Path, str]]:
    """The Python files that people wrote below a folder."""
    for path in own_code(".py"):
        if path.parts[0] == folder:
            yield path, (ROOT / path).read_text(encoding="utf-8")


def test_the_page_numbers_the_rules_that_we_know() -> None:
    assert set(RULE.findall((ROOT / "docs" / "protocol.md").read_text(encoding="utf-8"))) == RULES


def test_the_code_numbers_the_rules_as_the_page_does() -> None:
    assert {rule for _, source in texts("exchange") for text in prose(source) for rule in RULE.findall(text)} == RULES


def test_every_rule_has_a_test_of_its_name() -> None:
    assert sorted((RULES | EVIDENCE) - {rule for _, source in texts("tests") for rule in marked(source)}) == []


def test_no_test_names_a_rule_that_is_not_there() -> None:
    assert [(path, rule) for path, source in texts("tests") for rule in marked(source) if rule not in RULES | EVIDENCE] == []


def test_each_rule_is_bitten() -> None:
    assert set(bite.RULES) == RULES | EVIDENCE


def test_marks_and_prose_are_read() -> None:
    source = '"""Holds D1."""\n# then S2\n@pytest.mark.rule("D4")\ndef test():\n    x = "R3"\np = pytest.mark.rule(code)\n'
    assert set(RULE.findall(" ".join(prose(source)))) == {"D1", "S2"}
    assert marked(source) == ["D4", None]
