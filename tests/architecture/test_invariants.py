"""The pages that name tests name real ones: docs/invariants.md has each rule with its tests, docs/threat-model.md each threat.

A test is named in backticks, after the file that holds it: `tests/x/test_y.py`: `test_this`, `test_that`.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from tests.architecture.project_files import ROOT
from tests.architecture.test_rules_have_tests import EVIDENCE, RULES, marked

INVARIANTS, THREATS = "docs/invariants.md", "docs/threat-model.md"
QUOTED = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^### ([^\n]+)$", re.MULTILINE)
NUMBERED = re.compile(r"([SDREBC][1-9][0-9]?) · ")
UNTESTED = "no test"
"""What the threat model says, instead of a test, where people must watch what no program can."""


@dataclass(frozen=True, slots=True)
class NamedTest:
    """A test that a page names; `file` is empty if the page says none before it."""

    file: str
    name: str


def named_in(text: str) -> Iterator[NamedTest]:
    """The tests that a text names, in order."""
    file = ""
    for quoted in QUOTED.findall(text):
        if quoted.startswith("tests/") and quoted.endswith(".py"):
            file = quoted
        elif quoted.startswith("test_"):
            yield NamedTest(file, quoted)


def sections(text: str) -> dict[str, str]:
    """What stands under each heading of the third level, by heading."""
    parts = HEADING.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> list[str]:
    """The rows of the tables in a text, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rules = {number for number, line in enumerate(lines) if set(line) <= set("|-: ")}
    return [line for number, line in enumerate(lines) if number not in rules and number + 1 not in rules]


@cache
def functions(file: str) -> dict[str, set[str | None]]:
    """The test functions of a file, each with the rules that it is marked with; none if there is no such file."""
    path = ROOT / file
    if not path.is_file():
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))
    return {node.name: {rule for decorator in node.decorator_list for rule in marked(ast.unparse(decorator))} for node in found}


def missing(text: str) -> list[NamedTest]:
    """The tests that a text names and that are not there."""
    return [test for test in named_in(text) if test.name not in functions(test.file)]


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [INVARIANTS, THREATS])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    assert missing(read(page)) == []


def test_every_rule_of_the_protocol_page_has_its_place() -> None:
    assert {match[1] for heading in sections(read(INVARIANTS)) if (match := NUMBERED.match(heading))} == RULES | EVIDENCE


def test_every_invariant_names_a_test() -> None:
    assert [heading for heading, text in sections(read(INVARIANTS)).items() if not list(named_in(text))] == []


def test_the_tests_of_a_numbered_rule_are_marked_with_it() -> None:
    """Then `make bite` runs them with the rule disabled."""
    numbered = [(match[1], text) for heading, text in sections(read(INVARIANTS)).items() if (match := NUMBERED.match(heading))]
    named = [(rule, test) for rule, text in numbered for test in named_in(text)]
    assert [(rule, test) for rule, test in named if rule not in functions(test.file).get(test.name, set())] == []


def test_every_threat_names_a_test_or_says_that_there_is_none() -> None:
    threats = rows(read(THREATS).partition("## Threats")[2].partition("\n## ")[0])
    assert threats
    assert [row for row in threats if not list(named_in(row)) and UNTESTED not in row] == []


def test_a_test_that_is_not_there_is_found() -> None:
    here = "tests/architecture/test_invariants.py"
    assert missing(f"`{here}`: `test_a_test_that_is_not_there_is_found`") == []
    assert missing(f"`{here}`: `test_nothing`") == [NamedTest(here, "test_nothing")]
    assert missing("`test_of_no_file`") == [NamedTest("", "test_of_no_file")]


def test_headings_rows_and_marks_are_read() -> None:
    assert sections("### S1 · a\nx\n### b\ny") == {"S1 · a": "\nx\n", "b": "\ny"}
    assert rows("| a | b |\n|---|:-:|\n| 1 | 2 |\n\ntext\n\n| c |\n|---|\n| 3 |") == ["| 1 | 2 |", "| 3 |"]
    assert functions("tests/exchange/test_attacks_log.py")["test_a_batch_is_replayed"] == {"S3"}
