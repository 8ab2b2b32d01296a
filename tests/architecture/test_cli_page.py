"""docs/cli.md names every command that there is, and none that there is not."""

import re

import click
import pytest

from node.cli.main import exchange
from tests.architecture.project_files import ROOT


def verbs_of(page: str) -> dict[str, list[str]]:
    """The verbs that the page's table of nouns names, by noun."""
    table = page.partition("\n| noun | verbs |")[2].partition("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    return {row[1].strip(" `"): re.findall(r"`([a-z-]+)`", row[2]) for row in rows}


PAGE = verbs_of((ROOT / "docs/cli.md").read_text(encoding="utf-8"))


def commands() -> dict[str, list[str]]:
    """The verbs of every noun that the program has."""
    found = {}
    context = exchange.make_context("exchange", ["whoami"])
    for noun in exchange.list_commands(context):
        command = exchange.get_command(context, noun)
        found[noun] = command.list_commands(context) if isinstance(command, click.Group) else []
    return found


def test_the_page_names_every_noun() -> None:
    assert sorted(PAGE) == sorted(commands())


@pytest.mark.parametrize("noun", PAGE)
def test_the_page_names_every_verb_of_a_noun_once(noun: str) -> None:
    assert sorted(PAGE[noun]) == sorted(commands()[noun])


def test_the_audit_noun_is_among_them() -> None:
    assert "erasure-proof" in PAGE["audit"]


def test_a_table_is_read() -> None:
    rows = ["text `x`\n", "| noun | verbs | for |", "|---|---|---|", "| `one` | `a` `b-c` | all; `d` for some |", "| `two` | | all |", ""]
    assert verbs_of("\n".join([*rows, "| `three` | `e` | all |"])) == {"one": ["a", "b-c"], "two": []}
