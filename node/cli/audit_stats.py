"""`exchange audit stats`: counts."""

from typing import TYPE_CHECKING

import click

from node.cli.audit_words import Day, filter_option
from node.cli.command import Verb
from node.cli.context import ask_long, open_audit
from node.cli.output import heading, note, show, table, working
from node.documents import document
from node.reports.audit_lists import both, period_filter, short_party
from node.short_words import words

if TYPE_CHECKING:
    from rich.console import Console


@click.command("stats", cls=Verb)
@filter_option
@click.option("--since", type=Day(), default=0, metavar="DAY", help="From this day on.")
@click.option("--until", type=Day(), default=0, metavar="DAY", help="Up to, and not with, this day.")
def stats(wanted: str, since: int, until: int) -> None:
    """Count disclosures by partner, direction, month, type, clause, purpose and state, and the journal's events by month and kind.

    The filter is one of disclosures, such as: partner = kh.alerts.example AND purpose = BORDER_CONTROL
    """
    from exchange.v1 import audit_service_pb2

    question = audit_service_pb2.GetStatisticsRequest(filter=both(period_filter(since, until), wanted))
    with open_audit() as audit, working("counting"):
        answer = ask_long(audit.GetStatistics, question)
    data = document(answer)

    def draw(console: "Console") -> None:
        console.print(heading("Disclosures"))
        rows = [
            (
                short_party(row.partner),
                "to" if row.outbound else "from",
                row.month,
                row.alert_type or "–",
                row.clause or "–",
                words(row.purpose),
                words(said["state"]),
                str(row.count),
            )
            for row, said in zip(answer.disclosures, data["disclosures"], strict=True)
        ]
        columns = ("partner", "!way", "!month", "type", "clause", "purpose", "state", "number")
        console.print(table(columns, rows, right=("number",)) if rows else note("None."))
        console.print(heading("Events"))
        counted = [(row.month, words(row.kind), row.code, str(row.count)) for row in answer.events]
        console.print(table(("!month", "kind", "code", "number"), counted, right=("number",)) if counted else note("None."))

    show(data, draw)
