"""docs/auditing.md and docs/cli.md name commands, options and tests that are there."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from node.cli.main import Root
from tests.architecture.project_files import ROOT
from tests.architecture.test_invariants import missing, read, rows

GUIDE = "docs/auditing.md"
PROMPT = re.compile(r"^    \$ exchange (.*)$", re.MULTILINE)
QUOTED = re.compile(r"`(?:exchange )?((?:audit|evidence|log|retention|assessment|agreement|alert|whoami|node)(?: [^`]+)?)`")
DUTIES = "## 13. "


def unknown(line: str) -> list[str]:
    """What a command line names that the program does not have."""
    command: click.Command = Root("exchange")
    words = shlex.split(line)
    while words and words[0] in {"--context", "--json"}:
        words = words[2 if words[0] == "--context" else 1 :]
    path: list[str] = []
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        path.append(words.pop(0))
        found = command.get_command(click.Context(command), path[-1])
        if found is None:
            return [" ".join(path)]
        command = found
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help", "--json"}
    return [f"{' '.join(path)} {word}" for word in words if re.match(r"--?[a-z]", word) and word not in known]


def section(text: str, heading: str) -> str:
    """The part of a page below a heading of the second level."""
    return text.partition(f"\n{heading}")[2].partition("\n## ")[0]


def verbs(noun: str) -> set[str]:
    """The verbs of a noun; none if it has none."""
    command = Root("exchange").get_command(click.Context(Root("exchange")), noun)
    return set(command.list_commands(click.Context(command))) if isinstance(command, click.Group) else set()


def table_of_nouns(text: str) -> Iterator[tuple[str, set[str]]]:
    for line in rows(text.partition("| noun | verbs | for |")[1] + text.partition("| noun | verbs | for |")[2].partition("\n\n")[0]):
        noun, named = line.strip("|").split("|")[:2]
        yield noun.strip().strip("`"), set(re.findall(r"`([a-z-]+)`", named))


def test_every_command_that_the_guide_shows_is_there() -> None:
    shown = PROMPT.findall(read(GUIDE))
    assert len(shown) > 30
    assert [fault for line in shown for fault in unknown(line)] == []


def test_every_command_that_the_guide_names_is_there() -> None:
    named = [name for name in QUOTED.findall(read(GUIDE)) if not name.startswith("audit_")]
    assert len(named) > 30
    assert [fault for line in named for fault in unknown(line)] == []


def test_each_duty_names_what_meets_it_and_the_tests() -> None:
    duties = rows(section(read(GUIDE), DUTIES))
    assert len(duties) > 10
    for duty in duties:
        assert "`test_" in duty, duty[:60]
    for law in ("LED Art. 25", "LED Art. 29", "s.62", "s.75", "s.76", "s.77", "INTERPOL"):
        assert any(law in duty for duty in duties), law
    assert missing(read(GUIDE)) == []


def test_the_page_of_commands_has_every_verb() -> None:
    named = dict(table_of_nouns(read("docs/cli.md")))
    assert named
    for noun, said in named.items():
        assert said == verbs(noun), noun
    assert set(named) | {"demo"} == set(Root("exchange").list_commands(click.Context(Root("exchange"))))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("audit verify", []),
        ("--context gb/auditor.toml audit witness status --policy p.txt", []),
        ("audit prove 1", ["audit prove"]),
        ("audit verify --all", ["audit verify --all"]),
        ("nothing", ["nothing"]),
    ],
)
def test_a_command_that_is_not_there_is_found(line: str, fault: list[str]) -> None:
    assert unknown(line) == fault
    assert (ROOT / GUIDE).is_file()
