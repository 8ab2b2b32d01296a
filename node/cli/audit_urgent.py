"""`exchange audit urgent`: what was done as urgent."""

from typing import TYPE_CHECKING

import click

from node.cli.audit_words import Day
from node.cli.command import Verb
from node.cli.context import ask_long, open_audit
from node.cli.output import note, show, table, working
from node.documents import document
from node.short_words import time_cell, words

if TYPE_CHECKING:
    from rich.console import Console


@click.command("urgent", cls=Verb)
@click.option("--since", type=Day(), default=0, metavar="DAY", help="From this day on.")
@click.option("--until", type=Day(), default=0, metavar="DAY", help="Up to, and not with, this day.")
def urgent(since: int, until: int) -> None:
    """List what was declared urgent, told under an agreement for an emergency, or opened because a child or an officer was at risk."""
    from exchange.v1 import audit_service_pb2

    question = audit_service_pb2.ListUrgentRequest(until=until)
    setattr(question, "from", since)
    with open_audit() as audit, working("looking at everything"):
        answer = ask_long(audit.ListUrgent, question)
    data = document(answer)

    def draw(console: "Console") -> None:
        if not answer.uses:
            console.print(note("Nothing was done as urgent."))
            return
        rows = [
            (time_cell(use.at), words(said["kind"]), use.code or "–", f"{use.origin}#{use.index}")
            for use, said in zip(answer.uses, data["uses"], strict=True)
        ]
        console.print(table(("!at (UTC)", "why urgent", "clause or event", "entry"), rows))
        if answer.left_out:
            console.print(note(f"\n{answer.left_out} more: narrow the time by --since and --until"))

    show(data, draw)
