"""`exchange audit repeated-reasons`: justifications that one person gives again and again."""

from typing import TYPE_CHECKING

import click

from node.cli.audit_words import Day
from node.cli.command import Verb
from node.cli.context import ask_long, open_audit
from node.cli.errors import SUCCESS, VERIFICATION_FAILED
from node.cli.output import note, show, table, working
from node.documents import document
from node.short_words import party_name, time_cell

if TYPE_CHECKING:
    from rich.console import Console


@click.command("repeated-reasons", cls=Verb)
@click.option("--at-least", type=click.IntRange(2, 1_000_000), default=5, show_default=True, help="Times by one person.")
@click.option("--since", type=Day(), default=0, metavar="DAY", help="From this day on.")
@click.option("--until", type=Day(), default=0, metavar="DAY", help="Up to, and not with, this day.")
def repeated_reasons(at_least: int, since: int, until: int) -> None:
    """Find justifications that one person gave in the same words again and again. Exit code 4 if there are any.

    The node compares them inside, without case, spacing and outer punctuation, and shows neither words nor persons: open one of the
    entries for a lawful purpose to read them.
    """
    from exchange.v1 import audit_service_pb2

    question = audit_service_pb2.ListRepeatedReasonsRequest(at_least=at_least, until=until)
    setattr(question, "from", since)
    with open_audit() as audit, working("comparing"):
        answer = ask_long(audit.ListRepeatedReasons, question)

    def draw(console: "Console") -> None:
        if not answer.reasons:
            console.print(f"No justification was given {at_least} times by one person.", style="green")
        else:
            rows = [
                (
                    f"person {item.person}",
                    party_name(item.agency) or "–",
                    str(item.count),
                    time_cell(item.first_at),
                    time_cell(item.last_at),
                    f"{item.uses[0].origin}#{item.uses[0].index}",
                )
                for item in answer.reasons
            ]
            columns = ("!who", "agency", "times", "!first (UTC)", "!last (UTC)", "newest")
            console.print(table(columns, rows, right=("times",)))
            console.print(note("\nTo read one: exchange audit open NEWEST --purpose …"))
        if answer.left_out:
            console.print(note(f"\n{answer.left_out} less frequent ones are not shown: raise --at-least"))
        console.print(note(f"\n{answer.compared} justifications compared; {answer.erased} erased."))

    findings = [{"grade": "OBSERVATION", "code": "REASON_REPEATED", **document(item)} for item in answer.reasons]
    data = {"holds": not findings, "findings": findings, "compared": answer.compared, "erased": answer.erased, "left_out": answer.left_out}
    show(data, draw)
    click.get_current_context().exit(VERIFICATION_FAILED if findings else SUCCESS)
