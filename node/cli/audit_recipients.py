"""`exchange audit recipients`."""

from typing import TYPE_CHECKING

import click

from node.cli.command import Verb
from node.cli.context import ask, open_desk
from node.cli.document import document
from node.cli.output import facts, heading, note, party_name, plain, show, time_text, words
from node.cli.record_view import status_table

if TYPE_CHECKING:
    from rich.console import Console


@click.command("recipients", cls=Verb)
@click.option("--subject", required=True, metavar="TEXT", help="A name, or without --born the number of a document; - reads it from input.")
@click.option("--born", default="", metavar="DATE", help="Birth date as far as known: 1961-04-12, 1961-04, 1961, 196X.")
@click.option("--reason", required=True, help="Why you look for this person; kept in the journal with the question.")
def recipients(subject: str, born: str, reason: str) -> None:
    """Say who was told about one person: every alert that names them, to whom it went, when, which fields, under which clause.

    The question is journalled before the answer is shown. What was erased is not found any more. With `--subject -` the name stands
    neither in the shell's history nor in the list of processes.
    """
    from exchange.v1 import desk_service_pb2

    asked = click.prompt("Name, or number of a document", err=True) if subject == "-" else subject
    with open_desk() as desk:
        answer = ask(desk.FindRecipients, desk_service_pb2.FindRecipientsRequest(subject=asked, born=born, reason=reason))

    def draw(console: "Console") -> None:
        if not answer.alerts:
            console.print("Nothing that is kept here names this person.", style="green")
        for found in answer.alerts:
            summary = found.summary
            console.print(heading(f"{plain(summary.alert_type).rpartition('.')[2]} {summary.manifest_digest.hex()}"))
            rows = (
                ("from", party_name(summary.originator)),
                ("issued", time_text(summary.issued_at)),
                ("flags", ", ".join(map(words, summary.flags))),
            )
            console.print(facts(rows))
            console.print(status_table(summary.alert_type, found.disclosures))
        console.print(note("\nThe same name and birth date can be another person's: compare documents before you conclude."))

    show(document(answer), draw)
