"""How the demo's story is told: calmly on a terminal, or one JSON object a step."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.demo_story import Data, Story
from node.cli.output import console, facts, grouped, heading, note, party_name, short, table, words

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKS = {"SHOWN": "●", "SHOWN_NOT_KNOWN": "○", "NEEDS_REASON": "?", "UNTICKED": "–", "FORBIDDEN": "·"}
_LEGEND = "● shown   ○ shown as not known   ? only with a reason of the case   – left out   · forbidden"


class JsonTeller:
    """One JSON object a line for each step."""

    def step(self, number: int, title: str, commands: list[str], data: Data) -> None:
        """Print the step."""
        click.echo(json.dumps({"step": number, "title": title, "commands": commands, **data}, ensure_ascii=False))

    def farewell(self, story: Story) -> None:
        """Print where the running nodes are."""
        click.echo(json.dumps({"running": [str(story.sender), str(story.recipient)]}))


class TerminalTeller:
    """For a person: what happens, the command that did it, and what it answered."""

    def __init__(self) -> None:
        self._console = console()
        self._console.print()

    def step(self, number: int, title: str, commands: list[str], data: Data) -> None:
        """Print the step: every value comes from `data`."""
        from rich.text import Text

        self._console.print(Text.assemble((f" {number:>2}  ", "bold cyan"), (title, "bold")))
        for command in commands:
            self._console.print(Text(f"     $ {command}", style="dim"), overflow="ellipsis", no_wrap=True)
        for renderable in _DETAILS[number - 1](data):
            from rich.padding import Padding

            if isinstance(renderable, str):  # as a person reads it on a terminal of its own
                self._console.print(renderable, style="dim")
            else:
                self._console.print(Padding(renderable, (0, 0, 0, 5)))
        self._console.print()

    def farewell(self, story: Story) -> None:
        """Say what to try next."""
        sender, recipient, program = story.sender, story.recipient, _program()
        self._console.print("Both nodes go on running. Try, in another terminal:\n", style="bold")
        for line in (
            f"{program} --context {recipient / 'officer.toml'} inbox list",
            f"{program} --context {sender / 'officer.toml'} alert list",
            f"{program} --context {sender / 'auditor.toml'} log list",
            f"{program} --context {sender / 'officer.toml'} alert preview {story.place / 'alert.json'}",
        ):
            self._console.print(f"  {line}", soft_wrap=True)
        self._console.print(note(f"\nEverything is in {story.place}. Ctrl-C stops both nodes."))


def _program() -> str:
    """How this program can be called from here: it may stand in a virtual environment that is not active elsewhere."""
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _nodes(data: Data) -> "Sequence[Any]":
    return [facts([(made["trust_domain"], grouped(bytes.fromhex(made["identity_fingerprint"])))]) for made in data["nodes"]]


def _people(data: Data) -> "Sequence[Any]":
    return [facts([(person["party"], ", ".join(words(role) for role in person["roles"])) for person in data["officers"]])]


def _partners(data: Data) -> "Sequence[Any]":
    rows = []
    for added in data["partners"]:
        partner = added.get("partner", added)
        rows.append((partner["trust_domain"], f"at {partner['endpoint']}, {len(partner['agencies'])} agencies"))
    return [facts(rows)]


def _agreement(data: Data) -> "Sequence[Any]":
    agreement = _inner(data["agreement"], "agreement")
    counts = f"{len(agreement['clauses'])} clauses for {len(agreement['agencies'])} agencies"
    return [facts([("agreement", short(data["digest"])), ("instrument", agreement["instrument"]), ("says", counts)])]


def _preview(data: Data) -> "Sequence[Any]":
    recipients = data["preview"]["recipients"]
    names = [party_name(item["recipient"]) for item in recipients]
    fields = [item["name"] for item in recipients[0]["fields"]] if recipients else []
    rows = [(name, *(_MARKS.get(_visibility(item, name), "·") for item in recipients)) for name in fields]
    clauses = [("decided by", *(item["clause"] or "–" for item in recipients))]
    return [table(("!field", *names), [*rows, *clauses]), note(_LEGEND)]


def _published(data: Data) -> "Sequence[Any]":
    rows = [
        (
            "\n".join(party_name(agency) for agency in item["disclosure"]["audience"]),
            str(len(item["disclosure"]["fields"])),
            item["disclosure"]["clause"],
            f"{item['disclosure']['origin']} {item['disclosure']['index']}",
            words(item["state"]),
        )
        for item in data["status"]["disclosures"]
    ]
    digest = data["published"]["manifest_digest"]
    return [facts([("manifest", digest)]), table(("to", "!fields", "clause", "log and index", "!state"), rows)]


def _desks(data: Data) -> "Sequence[Any]":
    drawn: list[Any] = []
    for desk in data["desks"]:
        alert = desk["shown"]["alert"]
        withheld = alert.get("not_disclosed") or []
        told = len([value for value in alert.get("alert", alert).values() if value not in (None, [], {})])
        drawn.append(heading(f"{party_name(desk['agency'])}: {told} fields, {len(withheld)} not disclosed"))
    for desk in data["desks"][:1]:
        drawn += [heading(f"What {party_name(desk['agency'])} reads"), desk["as_read"]]
    return drawn


def _reported(data: Data) -> "Sequence[Any]":
    states = ", ".join(sorted({words(item["state"]) for item in data["status"]["disclosures"]}))
    alert = data["answer"]["alert"]
    outcome = alert.get("alert", alert).get("outcome")
    return [facts([("from", data["desk"].replace("-", " ")), ("outcome", words(outcome)), ("status at the originator", states)])]


def _compared(data: Data) -> "Sequence[Any]":
    rows = []
    for item in data["compared"]:
        size = next(iter(item["size"].values()))
        rows.append((item["origin"], str(size), next(iter(item["root"].values())), "the same" if item["equal"] else "DIFFERENT"))
    return [table(("log", "!size", "root hash at both", "!compared"), rows)]


def _proved(data: Data) -> "Sequence[Any]":
    verified = data["verified"]
    rows = [
        ("file", f"{data['exported']['file']}, {data['exported']['bytes']} bytes"),
        ("holds", "yes" if verified["holds"] else "no"),
        ("level", words(verified["level"])),
        ("entry", f"{verified['origin']}, index {verified['index']} of {verified['size']}"),
        ("receipted", verified["received_at"]),
    ]
    return [facts(rows)]


def _visibility(preview: Data, name: str) -> str:
    return next((str(item["visibility"]) for item in preview["fields"] if item["name"] == name), "FORBIDDEN")


def _inner(data: Any, key: str) -> Any:
    while isinstance(data, dict) and key in data:
        data = data[key]
    return data if not isinstance(data, dict) or "clauses" in data else _inner(data.get("summary", {}), key)


_DETAILS = (_nodes, _people, _partners, _agreement, _preview, _published, _desks, _reported, _compared, _proved)
