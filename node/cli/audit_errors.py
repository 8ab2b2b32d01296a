"""`exchange audit errors`: the register of mistakes, corrections and near misses."""

from typing import TYPE_CHECKING

import click

from node.cli.audit_words import Day, Listed, limit_option
from node.cli.command import Verb
from node.cli.context import open_audit
from node.cli.errors import SUCCESS, VERIFICATION_FAILED
from node.cli.output import note, show, table
from node.reports.audit_register import Mishap, read_register
from node.short_words import time_cell, words

if TYPE_CHECKING:
    from rich.console import Console


@click.command("errors", cls=Verb)
@click.option("--since", type=Day(), default=0, metavar="DAY", help="From this day on.")
@click.option("--until", type=Day(), default=0, metavar="DAY", help="Up to, and not with, this day.")
@limit_option
def errors(since: int, until: int, limit: int) -> None:
    """List what went wrong, was corrected, or was stopped in time. Exit code 4 if there is anything.

    Refused before anything left; refused or excepted by the recipient; withheld by us after it was logged; contradictory; corrected by a
    later alert; alarms, past and standing.
    """
    with open_audit() as audit:
        found, more = read_register(Listed(audit=audit), since, until, limit)

    def draw(console: "Console") -> None:
        if not found:
            console.print("Nothing went wrong, and nothing was corrected.", style="green")
            return
        rows = [
            (words(item.grade), time_cell(item.at), words(item.kind), item.code, item.partner or "–", item.place or "–") for item in found
        ]
        console.print(table(("!grade", "!at (UTC)", "what", "code", "partner", "where"), rows))
        if more:
            console.print(note(f"\nThere are more: --limit {limit * 2}"))

    show({"holds": not found, "findings": [item.data() for item in found], "more": more}, draw)
    click.get_current_context().exit(_code(found))


def _code(found: "list[Mishap]") -> int:
    return VERIFICATION_FAILED if found else SUCCESS
