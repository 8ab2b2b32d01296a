"""`exchange audit recipients`."""

from typing import TYPE_CHECKING

import click

from node.cli.command import Verb
from node.cli.context import open_desk
from node.cli.distribution import draw_distributions
from node.cli.output import facts, heading, note, plain, show
from node.cli.record_view import draw_status
from node.cli.subject import BORN_HELP, REASON_HELP, SUBJECT_HELP, find_subject, subject_text
from node.documents import document
from node.short_words import party_name, time_text, words

if TYPE_CHECKING:
    from rich.console import Console


@click.command("recipients", cls=Verb)
@click.option("--subject", required=True, metavar="TEXT", help=SUBJECT_HELP)
@click.option("--born", default="", metavar="DATE", help=BORN_HELP)
@click.option("--reason", required=True, help=REASON_HELP)
def recipients(subject: str, born: str, reason: str) -> None:
    """Say who was told about one person: every alert that names them, to whom it went, when, which fields, under which clause.

    The question is journalled before the answer is shown. What was erased is not found any more. With `--subject -` the name stands
    neither in the shell's history nor in the list of processes.
    """
    asked = subject_text(subject)
    with open_desk() as desk:
        answer = find_subject(desk, asked, born, reason)

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
            draw_status(console, summary.alert_type, found.disclosures)
            draw_distributions(console, found.distributions)
            for one in found.passed_on:
                told = f"{one.via} passed {len(one.fields)} fields on to {party_name(one.agency)} ({time_text(one.disclosed_at)})"
                console.print(plain(told))
        if answer.left_out:
            console.print(note(f"\n{answer.left_out} older alerts that name this person are not shown."))
        console.print(note("\nThe same name and birth date can be another person's: compare documents before you conclude."))

    show(document(answer), draw)
