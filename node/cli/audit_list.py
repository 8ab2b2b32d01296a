"""`exchange audit list`: the journal, by a filter."""

from typing import TYPE_CHECKING

import click

from node.cli.audit_words import filter_option, limit_option, list_events
from node.cli.command import Verb
from node.cli.context import open_audit
from node.cli.output import note, show, table
from node.reports.audit_lists import EVENT_COLUMNS, event_data, event_row

if TYPE_CHECKING:
    from rich.console import Console


@click.command("list", cls=Verb)
@filter_option
@limit_option
@click.option("--newest", is_flag=True, help="Begin with the newest.")
@click.option("--journal", "origin", default="", metavar="ORIGIN", help="An earlier journal than the newest.")
def list_(wanted: str, limit: int, newest: bool, origin: str) -> None:  # noqa: FBT001  click calls it
    """List what the journal recorded: who (as node or agency), what, about which entries. Never content, and never which person.

    A filter compares fields (index at kind code party counterparty subject origin first count) by = != < <= > >=, joined by AND, OR, NOT
    and parentheses; `code = KEY_*` is a beginning, `subject:*` means that there is one. The look itself is journalled.
    """
    with open_audit() as audit:
        found, more = list_events(audit, wanted, limit, newest=newest, origin=origin)

    def draw(console: "Console") -> None:
        if not found:
            console.print(note("Nothing of the kind is in the journal."))
            return
        console.print(table(EVENT_COLUMNS, map(event_row, found), right=("index",)))
        if more:
            console.print(note(f"\nThere are more: --limit {limit * 2}"))

    show({"events": [event_data(event) for event in found], "more": more}, draw)
